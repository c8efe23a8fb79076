/*
 * Verdicts: why a transaction or a block is not valid. One list each of name and sentence; the
 * sentences are the ones that clients' libraries look for (geth's wording).
 */
#pragma once

#include "base/types.h"

/* X(name, sentence). The order carries no meaning. */
#define TX_VERDICTS(X)                                                                  \
    X(OK, "valid")                                                                      \
    X(MALFORMED, "malformed transaction")                                               \
    X(TYPE_NOT_SUPPORTED, "transaction type not supported")                             \
    X(BAD_SIGNATURE, "invalid transaction v, r, s values")                              \
    X(WRONG_CHAIN_ID, "invalid chain id for signer")                                    \
    X(NONCE_TOO_LOW, "nonce too low")                                                   \
    X(NONCE_TOO_HIGH, "nonce too high")                                                 \
    X(NONCE_MAX, "nonce has max value")                                                 \
    X(SENDER_NOT_EOA, "sender not an eoa")                                              \
    X(INSUFFICIENT_FUNDS, "insufficient funds for gas * price + value")                 \
    X(INTRINSIC_GAS, "intrinsic gas too low")                                           \
    X(FLOOR_DATA_GAS, "insufficient gas for floor data gas cost")                       \
    X(BLOCK_GAS_LIMIT, "exceeds block gas limit")                                       \
    X(GAS_ABOVE_CAP, "transaction gas limit too high")                                  \
    X(FEE_BELOW_BASE_FEE, "max fee per gas less than block base fee")                   \
    X(TIP_ABOVE_FEE,                                                                    \
      "max priority fee per gas higher than max fee per gas (tip higher than fee cap)") \
    X(INITCODE_TOO_LARGE, "max initcode size exceeded")                                 \
    X(BLOB_CREATE, "blob transaction of type create")                                   \
    X(BLOB_NONE, "blob transaction missing blob hashes")                                \
    X(BLOB_TOO_MANY, "blob transaction has too many blobs")                             \
    X(BLOB_HASH_VERSION, "blob has invalid hash version")                               \
    X(BLOB_FEE_TOO_LOW, "max fee per blob gas less than block blob gas fee")            \
    X(BLOB_GAS_LIMIT, "blob gas limit reached")                                         \
    X(BLOB_SIDECAR, "blob sidecar does not match the blob hashes")                      \
    X(SET_CODE_CREATE, "EIP-7702 transaction cannot be used to create contract")        \
    X(SET_CODE_EMPTY, "EIP-7702 transaction with empty auth list")

enum tx_verdict {
#define X(id, sentence) TX_##id,
    TX_VERDICTS(X)
#undef X
        TX_VERDICT_COUNT,
};

const char *tx_verdict_name(enum tx_verdict verdict); /* "NONCE_TOO_LOW" */
const char *tx_verdict_text(enum tx_verdict verdict); /* "nonce too low" */

#define BLOCK_VERDICTS(X)                                                                   \
    X(OK, "valid")                                                                          \
    X(KNOWN, "block already known")                                                         \
    X(MALFORMED, "malformed block")                                                         \
    X(TOO_LARGE, "block RLP-encoded size exceeds maximum")                                  \
    X(UNKNOWN_PARENT, "unknown ancestor")                                                   \
    X(HEADER_FIELDS, "header fields do not fit the fork")                                   \
    X(BODY_FIELDS, "body fields do not fit the fork")                                       \
    X(NUMBER, "invalid block number")                                                       \
    X(TIMESTAMP, "timestamp not later than parent's")                                       \
    X(GAS_LIMIT, "invalid gas limit")                                                       \
    X(GAS_ABOVE_LIMIT, "gas used above the gas limit")                                      \
    X(EXTRA_DATA, "extra-data too long")                                                    \
    X(DAO_EXTRA_DATA, "bad DAO pro-fork extra-data")                                        \
    X(DIFFICULTY, "invalid difficulty")                                                     \
    X(NONCE, "invalid nonce")                                                               \
    X(PROOF_OF_WORK, "invalid proof-of-work")                                               \
    X(TERMINAL, "proof of stake before, or proof of work after, terminal total difficulty") \
    X(BASE_FEE, "invalid baseFee")                                                          \
    X(BLOB_GAS_USED, "invalid blobGasUsed")                                                 \
    X(EXCESS_BLOB_GAS, "invalid excessBlobGas")                                             \
    X(TX_ROOT, "transaction root hash mismatch")                                            \
    X(WITHDRAWALS_ROOT, "withdrawals root hash mismatch")                                   \
    X(OMMERS_HASH, "uncle root hash mismatch")                                              \
    X(OMMER_COUNT, "too many uncles")                                                       \
    X(OMMER_DUPLICATE, "duplicate uncle")                                                   \
    X(OMMER_ANCESTOR, "uncle is ancestor")                                                  \
    X(OMMER_DANGLING, "uncle's parent is not ancestor")                                     \
    X(OMMER_HEADER, "invalid uncle header")                                                 \
    X(TX, "invalid transaction")                                                            \
    X(SYSTEM_CALL, "system contract is absent or its call failed")                          \
    X(DEPOSIT_EVENT, "invalid deposit event layout")                                        \
    X(GAS_USED, "invalid gas used")                                                         \
    X(LOGS_BLOOM, "invalid bloom")                                                          \
    X(RECEIPTS_ROOT, "invalid receipt root hash")                                           \
    X(REQUESTS_HASH, "invalid requests hash")                                               \
    X(STATE_ROOT, "invalid merkle root")

enum block_verdict {
#define X(id, sentence) BLOCK_##id,
    BLOCK_VERDICTS(X)
#undef X
        BLOCK_VERDICT_COUNT,
};

const char *block_verdict_name(enum block_verdict verdict);
const char *block_verdict_text(enum block_verdict verdict);
