/*
 * Filters that clients install and poll (eth_newFilter and its kin), and the choice of logs they share with
 * eth_getLogs. A filter that nobody polls for five minutes is forgotten. Private to the room.
 */
#pragma once

#include "rpc/call.h"

enum { LOG_ADDRS_MAX = 1000, LOG_TOPIC_CHOICES_MAX = 1000 };

/* Which logs: any of the addresses, and at each place any of the topics; nothing named means anything. */
struct log_choice {
    const addr20 *addrs;
    u32 addr_count;
    u32 places; /* topics a log must have at least, as far as named */
    struct {
        const hash32 *topics;
        u32 count;
    } at[LOG_TOPICS_MAX];
};

/* The blocks of a choice: one by hash, or a range. Ends given as tags move with the head. */
struct log_range {
    bool has_hash;
    hash32 hash;
    bool from_head, to_head; /* latest, pending: the head as it is when asked */
    u64 from, to;
};

/* Reads {address, topics, fromBlock, toBlock, blockHash}; lists are the arena's. */
bool log_filter_read(struct rpc_call *call, json object, struct log_choice *choice,
                     struct log_range *range);

/* Writes the logs of blocks from..to that are chosen, as an array under RPC_RESULT. */
bool log_filter_answer(struct rpc_call *call, const struct log_choice *choice, u64 from, u64 to);

/* The same of one block, which may be of a side chain. */
bool log_filter_answer_block(struct rpc_call *call, const struct log_choice *choice,
                             const struct chain_block *block);

/*
 * Writes the logs of blocks *next..to that are chosen into the array that is open, whole blocks at a time, and moves
 * *next on past them: not to the end when they are more than an answer takes. A block that fills one alone fails, and
 * is passed, too.
 */
bool log_filter_tell(struct rpc_call *call, const struct log_choice *choice, u64 *next, u64 to);

/* Copies the choice, and what it borrows into the arena. */
void log_choice_keep(struct log_choice *to, const struct log_choice *choice, struct arena *arena);

bool log_range_has(const struct log_range *range, u64 number);
bool log_choice_matches(const struct log_choice *choice, const struct log *log);
/* False: certainly none of the block's logs is chosen. */
bool log_choice_may_match(const struct log_choice *choice, const struct chain_block *block);

/* At most so many filters, which keep so many bytes of logs that were taken back. */
struct rpc_filters *rpc_filters_new(u64 seed, u32 max, size_t gone_max);
void rpc_filters_free(struct rpc_filters *filters);

/* A choice to be kept as long as a filter or subscription: is there room for it, with those that are? False, with the error
 * set. Then it is copied, with what it borrows into the arena, until it is dropped. */
bool rpc_choice_fits(struct rpc_call *call, const struct log_choice *choice);
void rpc_choice_keep(struct rpc_filters *filters, struct log_choice *to,
                     const struct log_choice *choice, struct arena *arena);
void rpc_choice_drop(struct rpc_filters *filters, const struct log_choice *choice);

/* Blocks after `number` are about to be taken off: their logs that were told are kept until the filters are polled. */
void rpc_filters_leave(struct rpc_filters *filters, struct chain *chain, u64 number);

/* A number that names a filter or subscription; not to be guessed. */
u64 rpc_filters_next_id(struct rpc_filters *filters);
