/* The tree of a transaction's calls, recorded as they happen: what callTracer and flatCallTracer show. */
#pragma once

#include "trace/trace_int.h"

struct call_log {
    struct call_log *next;
    addr20 addr;
    hash32 topics[4];
    unsigned topic_count;
    const u8 *data;
    size_t data_len;
    u64 index;    /* in the block */
    u64 position; /* how many calls this frame had made by then */
};

struct call_node {
    struct call_node *parent, *first, *last, *next; /* children, and the next sibling */
    enum evm_kind kind;
    addr20 from, to;
    bool has_to, has_value; /* a failed creation has no `to`; STATICCALL moves no value */
    u256 value;
    i64 gas;                  /* the root's: the transaction's limit */
    i64 gas_given, gas_used;  /* the root's: without what the transaction itself costs */
    const u8 *input, *output; /* the trace's */
    size_t input_len, output_len;
    enum evm_status status;
    char *error; /* NULL if it succeeded */
    u64 child_count;
    u64 logs_before; /* live logs of the transaction when it began */
    struct call_log *log_first, *log_last;
};

/* Embedded in the struct of a tracer, as its first member. */
struct call_tree {
    struct trace trace;
    bool only_top, with_logs;
    struct call_node *root;
    struct call_node *open; /* the frame that runs now */
    u64 log_count;          /* live logs so far: those of failed frames are taken back */
};

/* Sets the hooks. */
void call_tree_init(struct call_tree *tree);

/* geth's name of a kind of call, "CALL". */
const char *call_kind_text(enum evm_kind kind);
