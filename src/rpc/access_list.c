#include "rpc/access_list.h"

#include <string.h>

#include "evm/precompile.h"
#include "evm/tracer.h"
#include "trace/slot_table.h"

enum {
    ROUNDS_MAX = 16,
    AUTHORIZATION_GAS = 25000, /* EIP-7702: of each, at least */
    OP_BALANCE = 0x31,
    OP_EXTCODESIZE = 0x3b,
    OP_EXTCODECOPY = 0x3c,
    OP_EXTCODEHASH = 0x3f,
    OP_SLOAD = 0x54,
    OP_SSTORE = 0x55,
    OP_CALL = 0xf1,
    OP_CALLCODE = 0xf2,
    OP_DELEGATECALL = 0xf4,
    OP_STATICCALL = 0xfa,
    OP_SELFDESTRUCT = 0xff,
};

/* Touched accounts with their slots, in the order in which they were first seen. */
struct touched {
    addr20 addr;
    hash32 *keys;
    u32 key_count, key_cap;
};

struct finder {
    struct arena *arena;
    enum fork fork;
    struct touched *list;
    u32 count, cap;
    struct slot_table accounts; /* by address (slot 0): where in the list, or WARM */
    struct slot_table slots;
};

/* What is warm anyway is not listed for itself, but for its slots. */
static const u64 WARM = UINT64_MAX;

static struct slot_entry *account_entry(struct finder *finder, const addr20 *addr, bool *is_new)
{
    u256 none = U256_ZERO;
    return slot_table_get(&finder->accounts, addr, &none, is_new);
}

static void keep_warm(struct finder *finder, const addr20 *addr)
{
    bool is_new;
    account_entry(finder, addr, &is_new)->value = u256_from_u64(WARM);
}

static struct touched *list_account(struct finder *finder, struct slot_entry *entry)
{
    if (finder->count == finder->cap) {
        u32 cap = finder->cap ? 2 * finder->cap : 8;
        struct touched *list = arena_alloc(finder->arena, cap * sizeof *list);
        if (finder->count)
            memcpy(list, finder->list, finder->count * sizeof *list);
        finder->list = list;
        finder->cap = cap;
    }
    entry->value = u256_from_u64(finder->count);
    finder->list[finder->count] = (struct touched){.addr = entry->addr};
    return &finder->list[finder->count++];
}

static void touch(struct finder *finder, const addr20 *addr)
{
    bool is_new;
    if (precompile_find(finder->fork, addr))
        return;
    struct slot_entry *entry = account_entry(finder, addr, &is_new);
    if (is_new)
        list_account(finder, entry);
}

static void touch_slot(struct finder *finder, const addr20 *addr, u256 slot)
{
    bool is_new;
    slot_table_get(&finder->slots, addr, &slot, &is_new);
    if (!is_new)
        return;
    struct slot_entry *entry = account_entry(finder, addr, &is_new);
    bool is_listed = !is_new && u256_low(entry->value) != WARM;
    struct touched *account =
        is_listed ? &finder->list[u256_low(entry->value)] : list_account(finder, entry);
    if (account->key_count == account->key_cap) {
        u32 cap = account->key_cap ? 2 * account->key_cap : 8;
        hash32 *keys = arena_alloc(finder->arena, cap * sizeof *keys);
        if (account->key_count)
            memcpy(keys, account->keys, account->key_count * sizeof *keys);
        account->keys = keys;
        account->key_cap = cap;
    }
    account->keys[account->key_count++] = u256_to_hash(slot);
}

static void touch_word(struct finder *finder, u256 word)
{
    addr20 addr;
    hash32 bytes = u256_to_hash(word);
    memcpy(addr.b, bytes.b + 12, sizeof addr.b);
    touch(finder, &addr);
}

static void on_step(void *ctx, const struct evm_step *step)
{
    struct finder *finder = ctx;
    const u256 *top = step->stack + step->stack_len;
    if (step->error != EVM_SUCCESS || !step->stack_len)
        return;
    switch (step->opcode) {
    case OP_SLOAD:
    case OP_SSTORE: touch_slot(finder, &step->msg->recipient, top[-1]); break;
    case OP_BALANCE:
    case OP_EXTCODESIZE:
    case OP_EXTCODECOPY:
    case OP_EXTCODEHASH:
    case OP_SELFDESTRUCT: touch_word(finder, top[-1]); break;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        if (step->stack_len >= 2)
            touch_word(finder, top[-2]);
        break;
    default: break;
    }
}

static void give_list(struct finder *finder, struct tx *tx)
{
    struct access_entry *entries = arena_alloc(finder->arena, finder->count * sizeof *entries);
    for (u32 i = 0; i < finder->count; i++)
        entries[i] = (struct access_entry){finder->list[i].addr, finder->list[i].keys,
                                           finder->list[i].key_count};
    tx->access_list = entries;
    tx->access_count = finder->count;
}

/* EIP-7702: who agreed is looked up before the message runs. */
static bool keep_authorities(struct rpc_call *call, struct finder *finder, const struct tx *tx)
{
    u64 chain_id = chain_config(call->chain)->chain_id;
    if (tx->authorization_count > tx->gas / AUTHORIZATION_GAS)
        return rpc_fail(call, RPC_SERVER_ERROR, "insufficient gas to process all authorizations");
    for (u32 i = 0; i < tx->authorization_count; i++) {
        addr20 authority;
        const struct authorization *given = &tx->authorizations[i];
        bool is_ours =
            u256_is_zero(given->chain_id) || u256_eq(given->chain_id, u256_from_u64(chain_id));
        if (is_ours && given->nonce != UINT64_MAX && authorization_recover(given, &authority))
            keep_warm(finder, &authority);
    }
    return true;
}

static bool begin(struct rpc_call *call, struct finder *finder, struct run *run,
                  const struct tx *tx)
{
    addr20 created = evm_create_address(&tx->sender, state_nonce(run->state, &tx->sender));
    keep_warm(finder, &tx->sender);
    keep_warm(finder, tx->is_create ? &created : &tx->to);
    if (!keep_authorities(call, finder, tx))
        return false;
    for (u32 i = 0; i < tx->access_count; i++)
        touch(finder, &tx->access_list[i].addr);
    for (u32 i = 0; i < tx->access_count; i++)
        for (u32 k = 0; k < tx->access_list[i].key_count; k++)
            touch_slot(finder, &tx->access_list[i].addr,
                       u256_from_hash(&tx->access_list[i].keys[k]));
    return true;
}

/* A list makes gas cheaper, which may let the message go further, and touch more. */
static bool find(struct rpc_call *call, struct finder *finder, struct run *run, struct tx *tx,
                 struct exec_result *result)
{
    const struct evm_tracer tracer = {.ctx = finder, .step = on_step};
    for (int round = 0; round < ROUNDS_MAX; round++) {
        size_t count = finder->count, slots = finder->slots.count;
        if (!rpc_goes_on(call))
            return false;
        if (round)
            run_reset(call, run);
        evm_set_tracer(chain_evm(call->chain), &tracer);
        bool ran = run_tx(call, run, tx, result);
        evm_set_tracer(chain_evm(call->chain), NULL);
        if (!ran)
            return false;
        if (round && count == finder->count && slots == finder->slots.count)
            break;
        give_list(finder, tx);
    }
    return true;
}

bool access_list_find(struct rpc_call *call, struct run *run, struct tx *tx, u64 *gas_used,
                      enum evm_status *failure)
{
    struct exec_result result = {0};
    struct finder finder = {.arena = call->arena, .fork = run->exec.fork};
    bool is_found = begin(call, &finder, run, tx) && find(call, &finder, run, tx, &result);
    slot_table_fini(&finder.accounts);
    slot_table_fini(&finder.slots);
    *gas_used = result.gas_used;
    *failure = result.status;
    return is_found;
}
