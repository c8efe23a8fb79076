/* A data folder, opened: the store in it, and the chain in the store. */
#pragma once

#include "chain/chain.h"
#include "db/db.h"
#include "node/memory.h"

struct data {
    struct db *db;
    struct workers *workers; /* the chain's; threads come when there is much to do, and go */
    struct chain *chain;
};

struct data_options {
    const char *folder;  /* DIR/chain holds the store */
    const char *genesis; /* a file; NULL: the folder must hold a chain */
    u64 states;          /* blocks behind the head whose states are kept */
    u64 history;         /* blocks behind the head that are kept whole; 0: all */
    bool archive;        /* every state stays readable (chain_options.archive) */
    bool addresses;      /* an index by address is kept (chain_options.addresses) */
    bool read_only;
    struct lock *lock;                /* see db_options */
    const struct memory_plan *memory; /* NULL: no bounds but the usual */
};

enum { STATES_DEFAULT = 128, STATES_MAX = 65536 };
#define HISTORY_MAX UINT32_MAX

/* --state as it is written: a number of blocks, or archive, which keeps as many change sets as is usual. */
#define STATE_OPTION(text)                                                                 \
    {"state", ARGS_TEXT, (text), "archive|N",                                              \
     "keep the states of N blocks behind the head (128), or keep every block's readable; " \
     "a folder that was made an archive stays one"}
#define ADDRESS_INDEX_OPTION(flag)                                                           \
    {"address-index", ARGS_FLAG, (flag), NULL,                                               \
     "keep an index of the transactions in which an address appears, also inside of calls; " \
     "a folder that has one keeps it"}
/* text NULL: the default. */
MUST_READ enum status data_read_states(struct data_options *options, const char *text,
                                       struct err *err);

#define HISTORY_OPTION(text)                                                                  \
    {"history", ARGS_TEXT, (text), "full|N",                                                  \
     "keep all blocks whole, or those up to N behind the head, and of older ones the header " \
     "(full); what is gone does not come back"}
/* The same of --history, after that. */
MUST_READ enum status data_read_history(struct data_options *options, const char *text,
                                        struct err *err);
/* "full" is 0. False: neither that nor 1 to HISTORY_MAX. */
bool data_parse_history(u64 *history, const char *text);
/* INVALID: less than the states that are kept, which need their blocks. */
MUST_READ enum status data_set_history(struct data_options *options, u64 history, struct err *err);

/* Makes the folder and begins the chain where there is none; without a genesis neither (NOT_FOUND). On failure nothing is
 * open. */
MUST_READ enum status data_open(struct data *data, const struct data_options *options,
                                struct err *err);
void data_close(struct data *data); /* what was not synced is lost */

/* Says on standard output where history begins, when blocks before are pruned. */
void data_print_whole(u64 oldest);

/* What a folder is called while it is made of a snapshot: DIR.part. The arena's. */
const char *data_part(struct arena *arena, const char *folder);

/* INVALID: --data is the empty text. */
MUST_READ enum status data_check_name(const char *folder, struct err *err);

/* For who looks after a store and never begins one: NOT_FOUND if there is none, EXISTS as data_open_store. */
MUST_READ enum status data_find_store(const char *folder, struct err *err);

/* Only the store. EXISTS: another process has it, or is making the folder. INVALID: --data is empty, among others. */
MUST_READ enum status data_open_store(struct db **db, const char *folder,
                                      const struct db_options *options, struct err *err);

/* A genesis file; its parts are the arena's. TOO_LARGE when the plan, which may be NULL, has no room for it. */
MUST_READ enum status data_read_genesis(struct genesis *genesis, struct arena *arena,
                                        const char *path, const struct memory_plan *memory,
                                        struct err *err);
