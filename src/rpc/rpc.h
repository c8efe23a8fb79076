/*
 * Ethereum's JSON-RPC: takes the text of a request or batch, gives the text of the answer. Sources: JSON-RPC
 * 2.0, ethereum/execution-apis, and go-ethereum's behaviour where those are silent.
 *
 *   struct rpc *rpc = rpc_new(dev, &options);
 *   rpc_handle(rpc, body, len, &out);      // out: the answer; empty when none is due
 *
 * Belongs to one thread. In the steady state a request touches no heap.
 */
#pragma once

#include "base/buf.h"
#include "dev/dev.h"

struct logger;
struct rpc;

struct rpc_options {
    u32 batch_max;    /* requests in a batch */
    u32 values_max;   /* JSON values in a request; 0: any number */
    u32 answer_max;   /* bytes of an answer */
    u32 logs_max;     /* logs in an answer */
    u32 filters_max;  /* filters installed at a time */
    u64 call_gas_max; /* of eth_call and its like; the block's limit if that is higher */
    u64 seed;         /* random: filter ids cannot be guessed */
    /* Told of every request that named a method, and how long it took; NULL: nobody. */
    void (*observe)(void *ctx, const char *method, u64 ns, bool has_failed);
    void *observe_ctx;
    struct logger *log; /* requests are told to it at LOG_DEBUG; NULL: none */
    bool log_is_open;   /* admin_logLevel may change its levels */
    bool has_testing;   /* serve the namespace testing, which dev chains always have */
    const char *client; /* for web3_clientVersion; borrowed; NULL: "ashlar" */
};

struct rpc_options rpc_options_default(void);

struct rpc *rpc_new(struct dev *dev, const struct rpc_options *options);
void rpc_free(struct rpc *rpc);

/* Replaces out's content. */
void rpc_handle(struct rpc *rpc, const char *body, size_t len, struct buf *out);

/* --- connections that can be spoken to without being asked ------------------------------------ */

struct rpc_session; /* holds a connection's subscriptions */

struct rpc_session_ops {
    void (*send)(void *ctx, const void *json, size_t len);
    size_t (*unsent)(void *ctx); /* bytes that wait for the peer to read */
    /* The peer reads too slowly: to be closed, saying why. rpc_session_free is still due. */
    void (*end)(void *ctx, const char *why);
};

struct rpc_session *rpc_session_new(struct rpc *rpc, const struct rpc_session_ops *ops, void *ctx);
void rpc_session_free(struct rpc_session *session);

/* Call when all that was unsent has been sent: subscriptions go on. */
void rpc_session_resume(struct rpc_session *session);

/* Who asks. An answer that has to wait for a block is given by `answer`, once, with len 0 if rpc ends before. */
struct rpc_asker {
    struct rpc_session *session; /* NULL: over HTTP */
    void (*answer)(void *ctx, const void *json, size_t len);
    void *ctx;
};

/* As rpc_handle. False: the answer comes later, unless the session is freed before. */
bool rpc_handle_for(struct rpc *rpc, const struct rpc_asker *asker, const char *body, size_t len,
                    struct buf *out);
