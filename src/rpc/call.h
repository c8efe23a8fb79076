/*
 * One request being answered, as methods see it: parameters in, a result or an error out. Private to the room.
 * A method writes exactly one value under RPC_RESULT, or calls rpc_fail; what it wrote before failing is dropped.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "dev/dev.h"
#include "prim/json.h"
#include "prim/json_out.h"
#include "rpc/rpc.h"

#define RPC_RESULT "result"

/* JSON-RPC 2.0, EIP-1474, execution-apis' error groups; geth's code 3 for reverts. */
enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL = -32603,
    RPC_SERVER_ERROR = -32000,
    RPC_NO_NOTIFICATIONS = -32001,
    RPC_RESPONSE_TOO_LARGE = -32003,
    RPC_LIMIT_EXCEEDED = -32005,
    RPC_REVERTED = 3,
    RPC_TIMEOUT = 4,
    RPC_PRUNED_HISTORY = 4444, /* EIP-4444 */
};

struct rpc_filters;
struct rpc_sessions;

struct rpc {
    struct dev *dev;
    struct rpc_options options;
    const struct rpc_method **methods; /* open addressing by name */
    u32 method_mask;
    const struct rpc_method **method_list; /* by name */
    u32 method_count;
    struct arena parsed; /* the request or batch at hand, as JSON */
    struct arena arena;  /* what answering one request takes */
    struct rpc_filters *filters;
    struct rpc_ahead *ahead; /* of the request at hand; NULL mostly */
    struct rpc_sessions *sessions;
};

struct rpc_call {
    struct rpc *rpc;
    struct dev *dev;
    struct chain *chain;
    struct arena *arena; /* until the request is answered */
    json params;         /* an array or NULL */
    struct buf *out;
    const struct rpc_asker *asker; /* NULL: the answer cannot wait, and nothing can be said later */
    /* Set by a method that wrote no result and waits for this transaction's receipt instead. */
    bool waits;
    hash32 wait_hash;
    u64 wait_ms;
    /* The error, if code is not 0. */
    int code;
    char message[512];
    const u8 *data; /* hex in the error's "data", if has_data */
    size_t data_len;
    bool has_data;
};

typedef void rpc_method_fn(struct rpc_call *call);

/*
 * Tables are ended by a row without a name. params: the parameters' names in order, "address block?"; a question mark
 * stands where one may be left out. discover.c says what each name stands for.
 */
struct rpc_method {
    const char *name;
    rpc_method_fn *fn;
    const char *params;
};

/* All that are offered, sorted by name. */
const struct rpc_method *const *rpc_method_list(const struct rpc *rpc, u32 *count);

/* A call without a request: to write an answer later. */
void rpc_call_init(struct rpc_call *call, struct rpc *rpc, struct buf *out);
/* Closes the answer whose envelope ends at mark; what was written after it gives way to an error. */
void rpc_call_finish(struct rpc_call *call, size_t mark);

/* Sets the error unless one is set; returns false, so that callers can return it on. */
bool rpc_fail(struct rpc_call *call, enum rpc_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* False, with the error set, once the node has been told to end: to be asked between steps of what may take long. */
bool rpc_goes_on(struct rpc_call *call);
/* JSON text, of a request or within one, into the call's arena, with as many values as the node has memory for. */
MUST_READ enum status rpc_parse(struct rpc *rpc, json *root, const char *text, size_t len,
                                unsigned depth_max, struct err *err);

static inline bool rpc_failed(const struct rpc_call *call)
{
    return call->code != 0;
}

extern const struct rpc_method RPC_ETH_CHAIN[], RPC_ETH_STATE[], RPC_ETH_CALL[], RPC_ETH_FEE[],
    RPC_ETH_FILTER[], RPC_ETH_SEND[], RPC_ETH_SEND_UNSIGNED[], RPC_ETH_SIGN[], RPC_ETH_CONFIG[],
    RPC_ETH_SIMULATE[], RPC_ETH_SUBSCRIBE[], RPC_NET[], RPC_WEB3[], RPC_TXPOOL[], RPC_DEV[],
    RPC_DEBUG[], RPC_DEBUG_STATE[], RPC_DUMP[], RPC_OTS[], RPC_OTS_SEARCH[], RPC_TRACE[],
    RPC_SELF[], RPC_ADMIN[], RPC_TESTING[];
