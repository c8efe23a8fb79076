/*
 * Looking ahead: most of what a raw transaction costs is finding its sender, which needs nothing but its bytes. The
 * transactions of a request are picked out of its text and their senders found on any thread; then the request is
 * answered as always, and takes a sender from here when the bytes are the very same. A text that is misread costs
 * time and changes no answer.
 *
 *   struct rpc_ahead *ahead = rpc_ahead_new(rpc, body, len);    // NULL: nothing to look ahead for
 *   rpc_ahead_recover(ahead, from, to);                         // parts may be on several threads at once
 *   rpc_ahead_handle(rpc, ahead, asker, &out);
 *   rpc_ahead_free(ahead);
 */
#pragma once

#include "prim/addr20.h"
#include "rpc/rpc.h"

struct rpc_ahead;

/* The body is copied. */
struct rpc_ahead *rpc_ahead_new(const struct rpc *rpc, const char *body, size_t len);
void rpc_ahead_free(struct rpc_ahead *ahead);

u32 rpc_ahead_count(const struct rpc_ahead *ahead);

/* Of the transactions [from, to). Touches nothing else, and not rpc. */
void rpc_ahead_recover(struct rpc_ahead *ahead, u32 from, u32 to);

/* rpc_handle_for the body that was copied. */
bool rpc_ahead_handle(struct rpc *rpc, struct rpc_ahead *ahead, const struct rpc_asker *asker,
                      struct buf *out);

/* For methods: the sender of a transaction with these bytes if it was found; else NULL. Asked in the order of
 * the text. */
const addr20 *rpc_ahead_sender(struct rpc_ahead *ahead, const u8 *bytes, size_t len);
