/*
 * What a serving node tells those who watch it, over HTTP: /metrics in Prometheus' text format (version 0.0.4),
 * /livez (the loop turns) and /readyz (the chain can be trusted), with reasons, and as
 * JSON with ?verbose. Counting costs two looks at the clock a request, and nothing where nobody asked for metrics.
 */
#pragma once

#include "dev/dev.h"
#include "http/server.h"
#include "rpc/rpc.h"
#include "sys/usage.h"

/* X(enumerator, prefix of method names): what is counted together. Others count as "other". */
#define METRICS_CLASSES(X) \
    X(ETH, "eth")          \
    X(NET, "net")          \
    X(WEB3, "web3")        \
    X(TXPOOL, "txpool")    \
    X(DEBUG, "debug")      \
    X(TRACE, "trace")      \
    X(ADMIN, "admin")      \
    X(ANVIL, "anvil")      \
    X(EVM, "evm")          \
    X(HARDHAT, "hardhat")

enum metrics_class {
#define X(id, name) METRICS_##id,
    METRICS_CLASSES(X)
#undef X
        METRICS_OTHER,
    METRICS_CLASS_COUNT,
};

enum { METRICS_BUCKETS = 13 };

struct metrics_calls {
    u64 count, errors, total_ns;
    u64 buckets[METRICS_BUCKETS]; /* of durations; the rest is longer than all of them */
};

struct metrics {
    struct dev *dev;
    bool is_on; /* /metrics is served */
    struct usage usage;
    u64 began_s; /* since 1970 */
    struct metrics_calls calls[METRICS_CLASS_COUNT];
};

/* Before the sandbox. dev is borrowed. */
void metrics_open(struct metrics *metrics, struct dev *dev, bool is_on);
void metrics_close(struct metrics *metrics);

/* For rpc_options.observe and http_options.page; ctx is the metrics. */
void metrics_observe(void *ctx, const char *method, u64 ns, bool has_failed);
bool metrics_page(void *ctx, const char *target, struct http_page *page);
