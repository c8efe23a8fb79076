/* Which block a request speaks of, and the state after it. Private to the room. */
#pragma once

#include "rpc/call.h"

struct block_ref {
    bool is_pending; /* the block to come */
    u64 timestamp;   /* its, as the clock was when this was made: all that is asked of it agrees */
    const struct chain_block *block; /* else: the block, or NULL when there is none */
};

/* The block to come, as it would be now. */
struct block_ref view_pending(struct rpc_call *call);

/*
 * The index-th parameter as a block: a number, a tag, or EIP-1898's object; the head when it is not given. safe and
 * finalized are the head: one sealer, nobody to disagree with. earliest is the oldest that is whole. False, with the
 * error set, when it is malformed, or the block is pruned.
 */
bool param_block(struct rpc_call *call, size_t index, struct block_ref *ref);
/* The same where a JSON number will do as well, as Otterscan writes it. */
bool param_loose_block(struct rpc_call *call, size_t index, struct block_ref *ref);
/* The same by hash, which must be given. */
bool param_block_hash(struct rpc_call *call, size_t index, struct block_ref *ref);

/* The same where the header, or the state after it, is all that is looked at: a pruned block will do. */
bool param_any_block(struct rpc_call *call, size_t index, struct block_ref *ref);
bool param_loose_any_block(struct rpc_call *call, size_t index, struct block_ref *ref);
bool param_any_block_hash(struct rpc_call *call, size_t index, struct block_ref *ref);
bool value_any_block(struct rpc_call *call, json value, struct block_ref *ref);

/* Makes a whole block of one that was found so. False, with the error set, when it is pruned. */
bool view_whole(struct rpc_call *call, struct block_ref *ref);

/* "pruned history unavailable", and where history begins; returns false. */
bool view_pruned(struct rpc_call *call);

/* "header not found" and why; returns false. */
bool view_no_block(struct rpc_call *call);

/* The header of the block, of the one to come for pending. False with the error set when there is no such block. */
bool view_header(struct rpc_call *call, const struct block_ref *ref, struct header *header);

/* The state after the block, to be closed. Pending: after what is ready in the pool. */
bool view_open(struct rpc_call *call, const struct block_ref *ref, struct state **state);
/* Back to what view_open gave for it. */
void view_reset(struct rpc_call *call, const struct block_ref *ref, struct state *state);
void view_close(struct rpc_call *call, struct state *state);

/* The same as the beginning of a branch (chain_state_branch), and the block that it is after, which for pending is
 * made of what is ready. */
bool view_open_branch(struct rpc_call *call, const struct block_ref *ref, struct block *block,
                      struct state **state);

/* Account questions come as (address..., block): opens the state of the block at `index`. */
bool view_open_param(struct rpc_call *call, size_t index, struct state **state);

/* The same for proofs, which do not go back as far as reading does. */
bool view_open_proof(struct rpc_call *call, size_t index, struct state **state);

/* The sender's canonical transaction with this nonce, or NULL, with the error set when its block is pruned: found by asking
 * older states when the nonce was used. */
const struct chain_block *view_find_by_nonce(struct rpc_call *call, const addr20 *sender, u64 nonce,
                                             u32 *index);
