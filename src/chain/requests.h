/*
 * Requests that the execution layer makes of the consensus layer (EIP-7685): deposits (EIP-6110),
 * withdrawals (EIP-7002), consolidations (EIP-7251).
 */
#pragma once

#include "base/arena.h"
#include "types/receipt.h"
#include "types/verdict.h"

/* Type byte and data. Only those with data are listed in a block. */
struct request {
    u8 type;
    const u8 *data;
    size_t len;
};

enum request_type {
    REQUEST_DEPOSIT = 0,
    REQUEST_WITHDRAWAL = 1,
    REQUEST_CONSOLIDATION = 2,
    REQUEST_TYPES = 3,
};

extern const addr20 REQUEST_WITHDRAWAL_CONTRACT;
extern const addr20 REQUEST_CONSOLIDATION_CONTRACT;

/*
 * The deposits that a block's logs announce, in order, as one request; its data is the arena's.
 * BLOCK_DEPOSIT_EVENT when a log of the deposit contract is not laid out as its ABI says.
 */
MUST_READ enum block_verdict request_deposits(struct request *request, struct arena *arena,
                                              const struct receipt *receipts, u32 count,
                                              const addr20 *deposit_contract);

/* EIP-7685: sha256 over the sha256 of each request. */
hash32 request_list_hash(const struct request *requests, u32 count);
