/* Blocks, transactions, receipts and logs as JSON-RPC shows them (execution-apis' schemas). Private to the room. */
#pragma once

#include "rpc/call.h"

/* A transaction and its place in a block; block NULL: one that waits in the pool. */
void shape_tx(struct buf *out, const char *key, const struct tx *tx,
              const struct chain_block *block, u32 index);

void shape_receipt(struct rpc_call *call, const char *key, const struct chain_block *block,
                   u32 index);
/* The same into an object that is open; logs and their bloom may be null instead. */
void shape_receipt_members(struct rpc_call *call, const struct chain_block *block, u32 index,
                           bool with_logs);
/* is_removed: its block was taken off the chain. */
void shape_log(struct buf *out, const char *key, const struct chain_block *block, u32 tx_index,
               u32 log_index, bool is_removed);
/* The same of a log that need not be one of the receipt's; log_index is its place in the block. */
void shape_one_log(struct buf *out, const char *key, const struct chain_block *block, u32 tx_index,
                   const struct log *log, u32 log_index, bool is_removed);

/* The members of a header, into an object that is open. hash NULL: pending, and so are nonce and coinbase's seal. */
void shape_header_members(struct buf *out, const struct header *header, const hash32 *hash);

/* Everything of a block, into an object that is open. */
void shape_block_members(struct rpc_call *call, const struct chain_block *block, bool whole_txs);

void shape_block(struct rpc_call *call, const char *key, const struct chain_block *block,
                 bool whole_txs);

/* A block as Otterscan wants it, into an object that is open: how many transactions there are instead of these, no bloom. */
void shape_block_summary(struct buf *out, const struct chain_block *block);

/* As member "withdrawals" of an object that is open. */
void shape_withdrawals(struct buf *out, const struct block *block);

/* How many transactions the block to come has. */
u32 shape_pending_count(struct rpc_call *call);
/* The block to come, with what is ready in the pool. */
void shape_pending_block(struct rpc_call *call, const char *key, bool whole_txs);

/* Members of a transaction that has not been sealed, unsigned ones included: no place, no signature if r is 0. */
void shape_tx_members(struct buf *out, const struct tx *tx);
