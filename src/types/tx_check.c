#include "types/tx.h"

/* Gas of the parts of a transaction (Yellow Paper, appendix G). */
enum {
    GAS_TX = 21000,
    GAS_CREATE = 32000, /* EIP-2 */
    GAS_ZERO_BYTE = 4,
    GAS_BYTE_FRONTIER = 68,
    GAS_BYTE_ISTANBUL = 16,    /* EIP-2028 */
    GAS_ACCESS_ADDRESS = 2400, /* EIP-2930 */
    GAS_ACCESS_KEY = 1900,     /* EIP-2930 */
    GAS_INITCODE_WORD = 2,     /* EIP-3860 */
    GAS_AUTHORIZATION = 25000, /* EIP-7702, PER_EMPTY_ACCOUNT_COST */
    GAS_FLOOR_TOKEN = 10,      /* EIP-7623 */
    TOKENS_PER_BYTE = 4,       /* EIP-7623: of a byte that is not zero */
    INITCODE_SIZE_MAX = 49152, /* EIP-3860 */
    GAS_CAP = 1 << 24,         /* EIP-7825 */
    BLOB_HASH_VERSION = 1,     /* EIP-4844 */
};

/* In runs that a byte can count, which lets the compiler compare sixteen bytes at a time. */
static size_t count_zeroes(const u8 *data, size_t len)
{
    size_t zeroes = 0;
    while (len) {
        size_t run = len < 255 ? len : 255;
        u8 found = 0;
        for (size_t i = 0; i < run; i++)
            found = (u8)(found + (data[i] == 0));
        zeroes += found;
        data += run;
        len -= run;
    }
    return zeroes;
}

static u64 lists_gas(const struct tx *tx)
{
    u64 gas = (u64)tx->access_count * GAS_ACCESS_ADDRESS +
              (u64)tx->authorization_count * GAS_AUTHORIZATION;
    for (u32 i = 0; i < tx->access_count; i++)
        gas += (u64)tx->access_list[i].key_count * GAS_ACCESS_KEY;
    return gas;
}

/* Nothing overflows: each part is bounded by a length in memory, below 2^48, times a small price.
 */
struct tx_gas tx_gas_of(const struct tx *tx, enum fork fork)
{
    u64 zeroes = count_zeroes(tx->data, tx->data_len);
    u64 others = tx->data_len - zeroes;
    struct tx_gas gas = {.intrinsic = GAS_TX};
    gas.intrinsic += zeroes * GAS_ZERO_BYTE;
    gas.intrinsic += others * (fork >= FORK_ISTANBUL ? GAS_BYTE_ISTANBUL : GAS_BYTE_FRONTIER);
    gas.intrinsic += lists_gas(tx);
    if (tx->is_create && fork >= FORK_HOMESTEAD)
        gas.intrinsic += GAS_CREATE;
    if (tx->is_create && fork >= FORK_SHANGHAI)
        gas.intrinsic += (tx->data_len + 31) / 32 * GAS_INITCODE_WORD;
    if (fork >= FORK_PRAGUE)
        gas.floor = GAS_TX + (zeroes + others * TOKENS_PER_BYTE) * GAS_FLOOR_TOKEN;
    return gas;
}

enum tx_verdict tx_check_type(const struct tx *tx, enum fork fork)
{
    static const enum fork since[] = {
        [TX_LEGACY] = FORK_FRONTIER, [TX_ACCESS_LIST] = FORK_BERLIN, [TX_DYNAMIC_FEE] = FORK_LONDON,
        [TX_BLOB] = FORK_CANCUN,     [TX_SET_CODE] = FORK_PRAGUE,
    };
    return fork >= since[tx->type] ? TX_OK : TX_TYPE_NOT_SUPPORTED;
}

/* EIP-4844. */
static enum tx_verdict check_blobs(const struct tx *tx, u32 blobs_max)
{
    if (tx->is_create)
        return TX_BLOB_CREATE;
    if (!tx->blob_count)
        return TX_BLOB_NONE;
    if (tx->blob_count > blobs_max)
        return TX_BLOB_TOO_MANY;
    for (u32 i = 0; i < tx->blob_count; i++)
        if (tx->blob_hashes[i].b[0] != BLOB_HASH_VERSION)
            return TX_BLOB_HASH_VERSION;
    return TX_OK;
}

enum tx_verdict tx_check_gas_cap(const struct tx *tx, enum fork fork)
{
    return fork >= FORK_OSAKA && tx->gas > GAS_CAP ? TX_GAS_ABOVE_CAP : TX_OK; /* EIP-7825 */
}

enum tx_verdict tx_check_tip(const struct tx *tx)
{
    bool above = tx->type >= TX_DYNAMIC_FEE && u256_lt(tx->max_fee, tx->max_priority_fee);
    return above ? TX_TIP_ABOVE_FEE : TX_OK; /* EIP-1559 */
}

enum tx_verdict tx_check_lists(const struct tx *tx, enum fork fork, u32 blobs_max)
{
    if (tx->type == TX_BLOB) {
        enum tx_verdict verdict = check_blobs(tx, blobs_max);
        if (verdict != TX_OK)
            return verdict;
    }
    if (tx->type == TX_SET_CODE && tx->is_create)
        return TX_SET_CODE_CREATE; /* EIP-7702 */
    if (tx->type == TX_SET_CODE && !tx->authorization_count)
        return TX_SET_CODE_EMPTY;
    if (tx->is_create && fork >= FORK_SHANGHAI && tx->data_len > INITCODE_SIZE_MAX)
        return TX_INITCODE_TOO_LARGE; /* EIP-3860 */
    return TX_OK;
}

enum tx_verdict tx_check_gas(const struct tx *tx, enum fork fork, struct tx_gas *gas)
{
    *gas = tx_gas_of(tx, fork);
    if (tx->gas < gas->intrinsic)
        return TX_INTRINSIC_GAS;
    if (tx->gas < gas->floor)
        return TX_FLOOR_DATA_GAS;
    return TX_OK;
}

enum tx_verdict tx_check(const struct tx *tx, enum fork fork, u32 blobs_max)
{
    struct tx_gas gas;
    enum tx_verdict verdict = tx_check_type(tx, fork);
    if (verdict == TX_OK && tx->nonce == UINT64_MAX)
        verdict = TX_NONCE_MAX; /* EIP-2681 */
    u256 cost;
    if (verdict == TX_OK && u256_mul_overflow(&cost, u256_from_u64(tx->gas), tx->max_fee))
        verdict = TX_INSUFFICIENT_FUNDS; /* nobody owns 2^256 wei */
    if (verdict == TX_OK)
        verdict = tx_check_gas_cap(tx, fork);
    if (verdict == TX_OK)
        verdict = tx_check_tip(tx);
    if (verdict == TX_OK)
        verdict = tx_check_lists(tx, fork, blobs_max);
    if (verdict == TX_OK)
        verdict = tx_check_gas(tx, fork, &gas);
    return verdict;
}

u256 tx_effective_gas_price(const struct tx *tx, u256 base_fee)
{
    u256 wanted;
    if (u256_add_carry(&wanted, base_fee, tx->max_priority_fee))
        return tx->max_fee;
    return u256_lt(wanted, tx->max_fee) ? wanted : tx->max_fee;
}
