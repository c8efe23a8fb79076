/*
 * What is said without being asked at that moment: the events of subscriptions, and answers that wait for a block.
 * Nothing is queued for slow readers: each subscription knows what it has told and goes on when the line is free, so
 * that a reader may lag without costing memory. Only what is about to be forgotten, the logs of blocks that are taken
 * off, is written at once. Private to the room.
 */
#pragma once

#include "rpc/call.h"

struct rpc_sessions;

struct rpc_sessions *rpc_sessions_new(struct rpc *rpc);
void rpc_sessions_free(struct rpc_sessions *sessions);

/*
 * Keeps a request whose answer is the receipt of `hash`, for at most timeout_ms. head is the answer as far as it is
 * written: the envelope with its id. False when too many wait already.
 */
bool rpc_wait_add(struct rpc *rpc, const struct rpc_asker *asker, const hash32 *hash,
                  u64 timeout_ms, const void *head, size_t len);

/* Sets the error of one that waited in vain: EIP-7966's code 4 and the hash. */
void rpc_wait_fail(struct rpc_call *call, const hash32 *hash, const char *why);
