#include "rpc/access_list.h"

#include <string.h>

#include "evm/precompile.h"
#include "evm/tracer.h"

enum {
    ROUNDS_MAX = 16,
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
    const struct tx *tx;
    addr20 created; /* a creation's own address */
    struct touched *list;
    u32 count, cap;
};

static bool is_warm_anyway(const struct finder *finder, const addr20 *addr)
{
    const struct tx *tx = finder->tx;
    const addr20 *target = tx->is_create ? &finder->created : &tx->to;
    return addr20_eq(addr, &tx->sender) || addr20_eq(addr, target) ||
           precompile_find(finder->fork, addr) != NULL;
}

static struct touched *touch(struct finder *finder, const addr20 *addr)
{
    for (u32 i = 0; i < finder->count; i++)
        if (addr20_eq(&finder->list[i].addr, addr))
            return &finder->list[i];
    if (finder->count == finder->cap) {
        u32 cap = finder->cap ? 2 * finder->cap : 8;
        struct touched *list = arena_alloc(finder->arena, cap * sizeof *list);
        if (finder->count)
            memcpy(list, finder->list, finder->count * sizeof *list);
        finder->list = list;
        finder->cap = cap;
    }
    finder->list[finder->count] = (struct touched){.addr = *addr};
    return &finder->list[finder->count++];
}

static void touch_slot(struct finder *finder, const addr20 *addr, u256 slot)
{
    struct touched *account = touch(finder, addr);
    hash32 key = u256_to_hash(slot);
    for (u32 i = 0; i < account->key_count; i++)
        if (hash32_eq(&account->keys[i], &key))
            return;
    if (account->key_count == account->key_cap) {
        u32 cap = account->key_cap ? 2 * account->key_cap : 8;
        hash32 *keys = arena_alloc(finder->arena, cap * sizeof *keys);
        if (account->key_count)
            memcpy(keys, account->keys, account->key_count * sizeof *keys);
        account->keys = keys;
        account->key_cap = cap;
    }
    account->keys[account->key_count++] = key;
}

static void touch_word(struct finder *finder, u256 word)
{
    addr20 addr;
    hash32 bytes = u256_to_hash(word);
    memcpy(addr.b, bytes.b + 12, sizeof addr.b);
    if (!is_warm_anyway(finder, &addr))
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

static u32 slots_of(const struct finder *finder)
{
    u32 slots = 0;
    for (u32 i = 0; i < finder->count; i++)
        slots += finder->list[i].key_count;
    return slots;
}

bool access_list_find(struct rpc_call *call, struct run *run, struct tx *tx, u64 *gas_used,
                      enum evm_status *failure)
{
    struct exec_result result;
    struct finder finder = {.arena = call->arena, .fork = run->exec.fork, .tx = tx};
    const struct evm_tracer tracer = {.ctx = &finder, .step = on_step};
    finder.created = evm_create_address(&tx->sender, state_nonce(run->state, &tx->sender));
    for (u32 i = 0; i < tx->access_count; i++)
        if (!is_warm_anyway(&finder, &tx->access_list[i].addr))
            touch(&finder, &tx->access_list[i].addr);
    for (u32 i = 0; i < tx->access_count; i++)
        for (u32 k = 0; k < tx->access_list[i].key_count; k++)
            touch_slot(&finder, &tx->access_list[i].addr,
                       u256_from_hash(&tx->access_list[i].keys[k]));
    /* A list makes gas cheaper, which may let the message go further, and touch more. */
    for (int round = 0; round < ROUNDS_MAX; round++) {
        u32 count = finder.count, slots = slots_of(&finder);
        if (round)
            run_reset(call, run);
        evm_set_tracer(chain_evm(call->chain), &tracer);
        bool ran = run_tx(call, run, tx, &result);
        evm_set_tracer(chain_evm(call->chain), NULL);
        if (!ran)
            return false;
        *gas_used = result.gas_used;
        *failure = result.status;
        if (round && count == finder.count && slots == slots_of(&finder))
            return true;
        give_list(&finder, tx);
    }
    return true;
}
