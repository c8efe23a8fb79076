/*
 * How much memory a node may take, divided over what grows: the ceiling that --memory sets is on all that counts as the
 * process's memory (RSS), mapped pages of its own files too.
 *
 * First comes what cannot be bounded: the program itself, and the memory that the greediest program of a block can have
 * the machine take (memory_of_gas). The rest is divided by the table MEMORY_SHARES. Over that a watch looks at what
 * the process really has, and near the ceiling has the rooms give back what they can read again.
 */
#pragma once

#include "dev/dev.h"
#include "http/server.h"
#include "rpc/rpc.h"
#include "sys/usage.h"

/* What it is, how many 64ths of the rest, MiB at most. What is held twice or copied while in use takes its share as
 * often. */
#define MEMORY_SHARES(X)                                                  \
    X(NODES, 3, 64)     /* of tries; twice as much while reading */       \
    X(ACCOUNTS, 2, 24)  /* and slots, in the head's state and a view */   \
    X(CODE, 3, 64)      /* contracts ready to run */                      \
    X(HELD, 2, 256)     /* blocks, and what leads back, each */           \
    X(MAPPED, 12, 4096) /* the store's pages */                           \
    X(UNSYNCED, 2, 64)  /* the open transaction; four times by its end */ \
    X(POOL, 6, 96)      /* waiting transactions */                        \
    X(ANSWER, 4, 64)    /* one; three times while it is handed on */      \
    X(VALUES, 5, 160)   /* of one request's JSON */                       \
    X(LINES, 5, 256)    /* what peers do not read */                      \
    X(AHEAD, 4, 64)     /* an import's blocks on their way; five times when decoded */

enum memory_share {
#define X(name, share, most) MEMORY_##name,
    MEMORY_SHARES(X)
#undef X
        MEMORY_SHARE_COUNT,
};

struct memory_plan {
    u64 ceiling;
    u64 shares[MEMORY_SHARE_COUNT]; /* bytes */
};

#define MEMORY_DEFAULT "2G"

/* A row of a command's table of options. */
#define MEMORY_OPTION(text)               \
    {"memory", ARGS_TEXT, (text), "SIZE", \
     "take no more of the machine's memory than this, for example 256M (" MEMORY_DEFAULT ")"}

/*
 * Divides "64M", "1G", or a number of bytes. states: blocks whose states are kept. INVALID: no size, or too small,
 * with the least that works.
 */
MUST_READ enum status memory_divide(struct memory_plan *plan, const char *text, u64 states,
                                    struct err *err);
/* The same once it is known how large blocks are: a higher gas limit leaves less for the rest. */
MUST_READ enum status memory_check(const struct memory_plan *plan, u64 states, u64 gas_limit,
                                   struct err *err);

/* The same for the text of a genesis file, which is in memory as a whole until its chain has begun. */
MUST_READ enum status memory_check_genesis(const struct memory_plan *plan, const u8 *text,
                                           size_t len, struct err *err);

/* Before any thread is started. */
void memory_tighten(const struct memory_plan *plan);

struct chain_memory memory_of_chain(const struct memory_plan *plan);
void memory_bound_dev(const struct memory_plan *plan, struct dev_options *dev);
void memory_bound_service(const struct memory_plan *plan, struct rpc_options *rpc,
                          struct http_options *http);

/* --- watching --------------------------------------------------------------------------------- */

struct memory_watch {
    struct usage usage;
    u64 near;      /* bytes; more is too much */
    u64 rested_ms; /* when all was last given back */
    bool is_tight; /* memory_tighten had reason to */
};

/* Before the sandbox. */
void memory_watch_open(struct memory_watch *watch, const struct memory_plan *plan);
void memory_watch_close(struct memory_watch *watch);

/* Between requests or blocks, views being released. Cheap while there is room. True when there is none: then sync, and
 * chain_rest. */
MUST_READ bool memory_is_short(struct memory_watch *watch, struct chain *chain, u64 now_ms);
