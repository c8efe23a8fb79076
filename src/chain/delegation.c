#include "chain/delegation.h"

#include <string.h>

enum {
    PREFIX_SIZE = 3,
    CODE_SIZE = PREFIX_SIZE + sizeof(addr20),
    REFUND_EXISTING = 12500, /* PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST */
};

static const u8 PREFIX[PREFIX_SIZE] = {0xef, 0x01, 0x00};

bool delegation_parse(const u8 *code, size_t len, addr20 *target)
{
    if (len != CODE_SIZE || memcmp(code, PREFIX, PREFIX_SIZE) != 0)
        return false;
    memcpy(target->b, code + PREFIX_SIZE, sizeof target->b);
    return true;
}

static void set_delegation(struct state *state, const addr20 *authority, const addr20 *target)
{
    u8 code[CODE_SIZE];
    if (addr20_is_zero(target)) { /* EIP-7702: the zero address takes the delegation away */
        state_set_code(state, authority, NULL, 0);
        return;
    }
    memcpy(code, PREFIX, PREFIX_SIZE);
    memcpy(code + PREFIX_SIZE, target->b, sizeof target->b);
    state_set_code(state, authority, code, sizeof code);
}

/* One authorization; returns its refund. The steps are those of the EIP's list, in order. */
static u64 authorize(struct state *state, u64 chain_id, const struct authorization *item)
{
    addr20 authority, target;
    if (!u256_is_zero(item->chain_id) && !u256_eq(item->chain_id, u256_from_u64(chain_id)))
        return 0;
    if (item->nonce == UINT64_MAX || !authorization_recover(item, &authority))
        return 0;
    state_account_warm(state, &authority);
    struct state_code code = state_code(state, &authority);
    if (code.len && !delegation_parse(code.bytes, code.len, &target))
        return 0;
    if (state_nonce(state, &authority) != item->nonce)
        return 0;
    u64 refund = state_account_exists(state, &authority) ? REFUND_EXISTING : 0;
    set_delegation(state, &authority, &item->addr);
    state_set_nonce(state, &authority, item->nonce + 1);
    return refund;
}

u64 delegation_apply(struct state *state, u64 chain_id, const struct tx *tx)
{
    u64 refund = 0;
    addr20 target;
    for (u32 i = 0; i < tx->authorization_count; i++)
        refund += authorize(state, chain_id, &tx->authorizations[i]);
    if (!tx->is_create) {
        struct state_code code = state_code(state, &tx->to);
        if (delegation_parse(code.bytes, code.len, &target))
            state_account_warm(state, &target);
    }
    return refund;
}
