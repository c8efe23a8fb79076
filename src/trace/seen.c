#include "trace/seen.h"

#include <stdlib.h>

#include "evm/opcode.h"
#include "prim/keccak.h"

/* Notes the account as it is now, when it is seen for the first time. NULL when the trace is full. */
static struct seen_account *account_look(struct seen *seen, const addr20 *addr)
{
    const struct evm_host *host = &seen->trace.host;
    bool is_new;
    if (seen->trace.is_full)
        return NULL;
    struct slot_entry *place = slot_table_get(&seen->places, addr, &U256_ZERO, &is_new);
    size_t index = (size_t)(place - seen->places.entries);
    if (!is_new)
        return seen->accounts[index];
    struct seen_account *account = trace_keep(&seen->trace, sizeof *account);
    if (!account)
        return NULL;
    if (seen->account_cap < seen->places.cap) {
        seen->account_cap = seen->places.cap;
        seen->accounts =
            mem_realloc(seen->accounts, seen->account_cap * sizeof(struct seen_account *));
    }
    seen->accounts[index] = account;
    struct evm_code_view code = host->ops->code(host->ctx, addr);
    account->addr = *addr;
    account->wei = host->ops->balance(host->ctx, addr);
    account->nonce = host->ops->nonce(host->ctx, addr);
    account->code = trace_keep_bytes(&seen->trace, code.bytes, code.len);
    account->code_len = account->code ? code.len : 0;
    account->code_hash = code.hash;
    account->was_there = host->ops->account_exists(host->ctx, addr);
    account->was_empty = !account->nonce && !code.len && u256_is_zero(account->wei);
    return account;
}

static void slot_look(struct seen *seen, const addr20 *addr, const u256 *key)
{
    bool is_new;
    if (seen->no_storage || !account_look(seen, addr))
        return;
    struct slot_entry *entry = slot_table_get(&seen->before, addr, key, &is_new);
    if (is_new)
        entry->value = trace_slot(&seen->trace, addr, key);
}

/* The account, and where its code comes from if that is a delegation (EIP-7702). */
static void callee_look(struct seen *seen, const addr20 *addr)
{
    const struct evm_host *host = &seen->trace.host;
    addr20 target;
    account_look(seen, addr);
    if (seen->trace.tx.fork < FORK_PRAGUE)
        return;
    struct evm_code_view code = host->ops->code(host->ctx, addr);
    if (evm_delegation_target(&target, &code))
        account_look(seen, &target);
}

static void created_look(struct seen *seen, const addr20 *addr)
{
    struct seen_account *account = account_look(seen, addr);
    if (account)
        account->is_created = true;
}

static void create2_look(struct seen *seen, const struct evm_step *step)
{
    u64 at = u256_to_u64_sat(*step_top(step, 1)), len = u256_to_u64_sat(*step_top(step, 2));
    hash32 hash, salt = u256_to_hash(*step_top(step, 3));
    struct keccak keccak;
    keccak_init(&keccak);
    /* Init code may lie in memory that the instruction is yet to open: zeroes. */
    u64 there = at < step->memory_len ? step->memory_len - at : 0;
    u64 n = there < len ? there : len;
    static const u8 zeroes[64];
    keccak_update(&keccak, step->memory + at * !!n, n);
    for (u64 left = len - n; left;) {
        u64 piece = left < sizeof zeroes ? left : sizeof zeroes;
        keccak_update(&keccak, zeroes, piece);
        left -= piece;
    }
    keccak_final(&keccak, &hash);
    addr20 addr = evm_create2_address(&step->msg->recipient, &salt, &hash);
    created_look(seen, &addr);
}

static void selfdestruct_look(struct seen *seen, const addr20 *self)
{
    struct seen_account *account = account_look(seen, self);
    /* EIP-6780: from Cancun on only what this transaction made is deleted. */
    if (account && (seen->trace.tx.fork < FORK_CANCUN || account->is_created))
        account->is_deleted = true;
}

static void seen_step(void *ctx, const struct evm_step *step)
{
    struct seen *seen = ctx;
    const struct evm_host *host = &seen->trace.host;
    const addr20 *self = &step->msg->recipient;
    addr20 addr;
    if (step->error != EVM_SUCCESS || seen->trace.is_full)
        return;
    switch (step->opcode) {
    case OP_SLOAD:
    case OP_SSTORE: slot_look(seen, self, step_top(step, 0)); break;
    case OP_EXTCODECOPY:
    case OP_EXTCODEHASH:
    case OP_EXTCODESIZE:
    case OP_BALANCE:
    case OP_SELFDESTRUCT:
        addr = word_addr(step_top(step, 0));
        account_look(seen, &addr);
        if (step->opcode == OP_SELFDESTRUCT)
            selfdestruct_look(seen, self);
        break;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        addr = word_addr(step_top(step, 1));
        callee_look(seen, &addr);
        break;
    case OP_CREATE:
        addr = evm_create_address(self, host->ops->nonce(host->ctx, self));
        created_look(seen, &addr);
        break;
    case OP_CREATE2: create2_look(seen, step); break;
    }
}

void seen_init(struct seen *seen)
{
    seen->trace.hooks.step = seen_step;
}

void seen_begin(struct seen *seen)
{
    const struct trace_tx *tx = &seen->trace.tx;
    if (tx->is_create)
        created_look(seen, &tx->to);
    else
        callee_look(seen, &tx->to);
    account_look(seen, &tx->from);
    account_look(seen, &tx->coinbase);
    for (size_t i = 0; i < tx->authority_count; i++)
        account_look(seen, &tx->authorities[i]);
}

void seen_fini(struct seen *seen)
{
    mem_free(seen->accounts);
    slot_table_fini(&seen->places);
    slot_table_fini(&seen->before);
}

static int account_compare(const void *a, const void *b)
{
    const struct seen_account *const *left = a, *const *right = b;
    return memcmp((*left)->addr.b, (*right)->addr.b, sizeof(addr20));
}

size_t seen_sort(struct seen *seen)
{
    size_t count = seen->trace.is_full ? 0 : seen->places.count;
    if (count)
        qsort(seen->accounts, count, sizeof(struct seen_account *), account_compare);
    return count;
}

const struct slot_entry *seen_next_slot(const struct seen *seen, const struct seen_account *account,
                                        size_t *at)
{
    while (*at < seen->before.count) {
        const struct slot_entry *slot = &seen->before.entries[(*at)++];
        if (addr20_eq(&slot->addr, &account->addr))
            return slot;
    }
    return NULL;
}

bool seen_is_changed(const struct seen *seen, const struct seen_account *account)
{
    const struct evm_host *host = &seen->trace.host;
    const addr20 *addr = &account->addr;
    const struct slot_entry *slot;
    hash32 hash = {{0}};
    if (host->ops->account_exists(host->ctx, addr))
        hash = host->ops->code(host->ctx, addr).hash;
    if (!u256_eq(host->ops->balance(host->ctx, addr), account->wei) ||
        host->ops->nonce(host->ctx, addr) != account->nonce ||
        !hash32_eq(&hash, &account->code_hash))
        return true;
    for (size_t at = 0; (slot = seen_next_slot(seen, account, &at));)
        if (!u256_eq(slot->value, trace_slot(&seen->trace, addr, &slot->key)))
            return true;
    return false;
}
