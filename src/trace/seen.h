/*
 * The accounts and slots that a transaction looks at, as they were before: what prestateTracer shows, and what a
 * difference between before and after is made of.
 */
#pragma once

#include "trace/slot_table.h"
#include "trace/trace_int.h"

struct seen_account {
    addr20 addr;
    u256 wei;
    u64 nonce;
    const u8 *code; /* the trace's */
    size_t code_len;
    hash32 code_hash;
    bool was_there, was_empty;
    bool is_created, is_deleted; /* by this transaction */
};

/* Embedded in the struct of a tracer, as its first member. */
struct seen {
    struct trace trace;
    bool no_storage;
    struct seen_account **accounts; /* as they came */
    size_t account_cap;
    struct slot_table places; /* by address (slot 0): where among them */
    struct slot_table before; /* slots and their values */
};

/* Sets the hooks; seen_begin is to be called from the tracer's own begin. */
void seen_init(struct seen *seen);
void seen_begin(struct seen *seen);
void seen_fini(struct seen *seen);

/* Sorts the accounts by address, when no more will come; returns how many there are. */
size_t seen_sort(struct seen *seen);

/* Does anything of an account, or of a slot seen, differ from what it was? */
bool seen_is_changed(const struct seen *seen, const struct seen_account *account);

/* The next slot of the account from *at on, which is moved past it; NULL after the last. */
const struct slot_entry *seen_next_slot(const struct seen *seen, const struct seen_account *account,
                                        size_t *at);
