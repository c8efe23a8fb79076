#include "consensus/fee.h"

#include "types/tx.h"

enum { BLOB_BASE_COST = 8192 /* EIP-7918 */ };

u256 fee_base_next(u64 parent_gas_limit, u64 parent_gas_used, u256 parent_base_fee)
{
    u64 target = parent_gas_limit / FEE_ELASTICITY;
    if (parent_gas_used == target)
        return parent_base_fee;
    bool up = parent_gas_used > target;
    u64 distance = up ? parent_gas_used - target : target - parent_gas_used;
    u256 change = u256_mul(parent_base_fee, u256_from_u64(distance));
    change = u256_div(change, u256_from_u64(target));
    change = u256_div(change, u256_from_u64(FEE_CHANGE_DENOMINATOR));
    if (!up)
        return u256_sub(parent_base_fee, change);
    return u256_add(parent_base_fee, u256_is_zero(change) ? U256_ONE : change);
}

u256 fee_base_after(const struct header *parent, const struct chain_config *config)
{
    if (config->fork_at[FORK_LONDON] > parent->number)
        return u256_from_u64(FEE_INITIAL_BASE);
    return fee_base_next(parent->gas_limit, parent->gas_used, parent->base_fee);
}

/* EIP-4844's fake_exponential: the Taylor series of e^(excess / fraction), in integers. */
u256 fee_blob_base(u64 excess_blob_gas, u64 update_fraction)
{
    u256 excess = u256_from_u64(excess_blob_gas), fraction = u256_from_u64(update_fraction);
    u256 sum = U256_ZERO, term = u256_mul(u256_from_u64(FEE_MIN_BLOB_BASE), fraction);
    for (u64 i = 1; !u256_is_zero(term); i++) {
        if (u256_add_carry(&sum, sum, term) || u256_mul_overflow(&term, term, excess))
            return U256_MAX;
        term = u256_div(term, u256_mul(fraction, u256_from_u64(i)));
    }
    return u256_div(sum, fraction);
}

/* EIP-7918: is a blob cheaper than the execution gas that carrying it costs? */
static bool blob_is_too_cheap(const struct blob_params *params, u64 parent_excess,
                              u256 parent_base_fee)
{
    u256 floor, price;
    u256 blob_fee = fee_blob_base(parent_excess, params->update_fraction);
    if (u256_mul_overflow(&price, blob_fee, u256_from_u64(TX_BLOB_GAS)))
        return false;
    return u256_mul_overflow(&floor, parent_base_fee, u256_from_u64(BLOB_BASE_COST)) ||
           u256_lt(price, floor);
}

u64 fee_excess_blob_gas(enum fork fork, const struct blob_params *params, u64 parent_excess,
                        u64 parent_blob_gas_used, u256 parent_base_fee)
{
    u64 target = (u64)params->target * TX_BLOB_GAS, sum;
    if (__builtin_add_overflow(parent_excess, parent_blob_gas_used, &sum))
        return UINT64_MAX;
    if (sum < target)
        return 0;
    if (fork >= FORK_OSAKA && blob_is_too_cheap(params, parent_excess, parent_base_fee))
        return parent_excess +
               (u64)((u128)parent_blob_gas_used * (params->max - params->target) / params->max);
    return sum - target;
}
