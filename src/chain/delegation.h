/* EIP-7702: accounts whose code points at another account's. */
#pragma once

#include "state/state.h"
#include "types/tx.h"

/* Is this code a delegation? Then *target is whose code runs. */
bool delegation_parse(const u8 *code, size_t len, addr20 *target);

/*
 * Carries out the transaction's authorizations, each of which counts only if it is valid, and
 * makes the destination's delegation warm. Returns the gas to add to the refund counter. Inside a
 * transaction, after the sender's nonce was raised.
 */
u64 delegation_apply(struct state *state, u64 chain_id, const struct tx *tx);
