#include "evmcli/exception.h"

#include <string.h>

#define T(id) ((u64)1 << TX_##id)
#define B(id) ((u64)1 << BLOCK_##id)

struct exception {
    const char *name;
    u64 tx, block; /* bits of the verdicts allowed */
};

/* Source: execution-spec-tests' exception names, and retesteth's older ones. */
static const struct exception EXCEPTIONS[] = {
    {"INSUFFICIENT_ACCOUNT_FUNDS", T(INSUFFICIENT_FUNDS), 0},
    {"INTRINSIC_GAS_TOO_LOW", T(INTRINSIC_GAS) | T(FLOOR_DATA_GAS), 0},
    {"INTRINSIC_GAS_BELOW_FLOOR_GAS_COST", T(FLOOR_DATA_GAS) | T(INTRINSIC_GAS), 0},
    {"SENDER_NOT_EOA", T(SENDER_NOT_EOA), 0},
    {"INITCODE_SIZE_EXCEEDED", T(INITCODE_TOO_LARGE), 0},
    {"NONCE_IS_MAX", T(NONCE_MAX), 0},
    {"NONCE_MISMATCH_TOO_LOW", T(NONCE_TOO_LOW), 0},
    {"NONCE_MISMATCH_TOO_HIGH", T(NONCE_TOO_HIGH), 0},
    {"INSUFFICIENT_MAX_FEE_PER_GAS", T(FEE_BELOW_BASE_FEE), 0},
    {"INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", T(BLOB_FEE_TOO_LOW), 0},
    {"PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", T(TIP_ABOVE_FEE), 0},
    /* The reference client looks at the block's room first, geth (and this house) at the fees. */
    {"GAS_ALLOWANCE_EXCEEDED", T(BLOCK_GAS_LIMIT) | T(FEE_BELOW_BASE_FEE), 0},
    {"GAS_LIMIT_EXCEEDS_MAXIMUM", T(GAS_ABOVE_CAP), 0},
    {"TYPE_1_TX_PRE_FORK", T(TYPE_NOT_SUPPORTED), 0},
    {"TYPE_2_TX_PRE_FORK", T(TYPE_NOT_SUPPORTED), 0},
    {"TYPE_3_TX_PRE_FORK", T(TYPE_NOT_SUPPORTED), 0},
    {"TYPE_4_TX_PRE_FORK", T(TYPE_NOT_SUPPORTED), 0},
    {"TYPE_3_TX_ZERO_BLOBS", T(BLOB_NONE), 0},
    {"TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH", T(BLOB_HASH_VERSION), 0},
    {"TYPE_3_TX_BLOB_COUNT_EXCEEDED", T(BLOB_TOO_MANY), B(BLOB_GAS_USED)},
    {"TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", T(BLOB_GAS_LIMIT) | T(BLOB_TOO_MANY),
     B(BLOB_GAS_USED)},
    {"TYPE_3_TX_CONTRACT_CREATION", T(BLOB_CREATE) | T(MALFORMED), 0},
    {"TYPE_4_TX_CONTRACT_CREATION", T(SET_CODE_CREATE) | T(MALFORMED), 0},
    {"TYPE_4_EMPTY_AUTHORIZATION_LIST", T(SET_CODE_EMPTY), 0},
    {"INCORRECT_EXCESS_BLOB_GAS", 0, B(EXCESS_BLOB_GAS)},
    {"INVALID_REQUESTS", 0, B(REQUESTS_HASH)},
    {"INVALID_DEPOSIT_EVENT_LAYOUT", 0, B(DEPOSIT_EVENT)},
    {"SYSTEM_CONTRACT_EMPTY", 0, B(SYSTEM_CALL)},
    {"INVALID_GASLIMIT", 0, B(GAS_LIMIT)},
    {"INVALID_GAS_USED", 0, B(GAS_USED) | B(GAS_ABOVE_LIMIT)},
    {"INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", 0, B(TIMESTAMP)},
    {"EXTRA_DATA_INVALID_DAO", 0, B(DAO_EXTRA_DATA)},
    {"IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", 0,
     B(OMMERS_HASH) | B(OMMER_COUNT) | B(BODY_FIELDS) | B(HEADER_FIELDS)},
    {"TR_IntrinsicGas", T(INTRINSIC_GAS), 0},
    {"TR_NoFunds", T(INSUFFICIENT_FUNDS), 0},
    {"TR_GasLimitReached", T(BLOCK_GAS_LIMIT), 0},
    {"TR_TipGtFeeCap", T(TIP_ABOVE_FEE), 0},
    {"TR_FeeCapLessThanBlocks", T(FEE_BELOW_BASE_FEE), 0},
    {"TR_NonceTooLow", T(NONCE_TOO_LOW), 0},
    {"TR_NonceTooHigh", T(NONCE_TOO_HIGH), 0},
    {"TR_NonceHasMaxValue", T(NONCE_MAX), 0},
    {"TR_TypeNotSupported", T(TYPE_NOT_SUPPORTED), 0},
    {"SenderNotEOA", T(SENDER_NOT_EOA), 0},
    {"IntrinsicGas", T(INTRINSIC_GAS), 0},
    {"InvalidDifficulty", 0, B(DIFFICULTY)},
    {"InvalidNumber", 0, B(NUMBER) | B(UNKNOWN_PARENT)},
    {"InvalidTimestampOlderParent", 0, B(TIMESTAMP)},
    {"InvalidStateRoot", 0, B(STATE_ROOT)},
    {"InvalidReceiptsStateRoot", 0, B(RECEIPTS_ROOT)},
    {"InvalidTransactionsRoot", 0, B(TX_ROOT)},
    {"InvalidLogBloom", 0, B(LOGS_BLOOM)},
    {"InvalidUnclesHash", 0, B(OMMERS_HASH)},
    {"InvalidWithdrawals", 0, B(WITHDRAWALS_ROOT)},
    {"UnknownParent", 0, B(UNKNOWN_PARENT)},
    {"UnknownParent2", 0, B(UNKNOWN_PARENT)},
    {"ExtraDataTooBig", 0, B(EXTRA_DATA)},
    {"UncleInChain", 0, B(OMMER_DUPLICATE)},
    {"UncleIsAncestor", 0, B(OMMER_ANCESTOR)},
};

/* "TransactionException.X" and "BlockException.X" are X. */
static const char *bare_name(const char *name, size_t *len)
{
    const char *dot = memchr(name, '.', *len);
    if (!dot)
        return name;
    *len -= (size_t)(dot + 1 - name);
    return dot + 1;
}

static const struct exception *find(const char *name, size_t len)
{
    name = bare_name(name, &len);
    for (size_t i = 0; i < ARRAY_LEN(EXCEPTIONS); i++)
        if (strlen(EXCEPTIONS[i].name) == len && memcmp(EXCEPTIONS[i].name, name, len) == 0)
            return &EXCEPTIONS[i];
    return NULL;
}

bool exception_fits(const char *expected, enum block_verdict block, enum tx_verdict tx)
{
    while (*expected) {
        size_t len = strcspn(expected, "|");
        const struct exception *exception = find(expected, len);
        if (!exception)
            return true;
        if (block == BLOCK_TX ? exception->tx >> tx & 1 : exception->block >> block & 1)
            return true;
        expected += len + (expected[len] == '|');
        if (!*expected)
            return false;
    }
    return true;
}

bool exception_fits_tx(const char *expected, enum tx_verdict tx)
{
    return exception_fits(expected, BLOCK_TX, tx);
}
