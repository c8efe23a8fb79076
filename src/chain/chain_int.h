/* What the files of a chain share: private to this room. */
#pragma once

#include "chain/chain.h"
#include "chain/hash_index.h"
#include "consensus/ethash.h"
#include "state/history.h"
#include "state/memory.h"

/* A block that is held, and what leads back from it. */
struct entry {
    struct chain_block pub; /* first, so that the two can be cast into each other */
    struct chain *chain;
    struct arena arena; /* owns the block, its bytes and receipts */
    /* While its changes are in the state: one change set, and one more for each direct edit;
     * oldest first. */
    struct state_changes **undos;
    u32 undo_count;
    u32 edit_count; /* of them, the last so many are edits */
};

struct view {
    struct state *state;
    struct history *history; /* NULL: the head's */
    struct view *next;
};

struct chain {
    struct chain_config config;
    struct chain_options options;
    struct memory_state *memory;
    struct state *state;
    struct evm *evm;
    struct ethash *ethash; /* NULL until needed */
    struct entry *head;
    struct entry *at; /* whose state the state holds: the head, but while blocks are imported */
    struct hash_index blocks, txs;
    struct entry **canonical; /* [number - first] from `begin` on */
    size_t canonical_begin, canonical_end, canonical_cap;
    struct view *views;      /* given out */
    struct state *head_view; /* kept for the next caller, or NULL */
    bool head_view_stale;
    struct arena scratch; /* for executing again what was executed before */
    struct process process;
};

static inline struct entry *entry_of(const struct chain_block *block)
{
    return (struct entry *)block;
}

/* chain.c */
struct entry *entry_new(struct chain *chain);
void entry_free(struct entry *entry);
struct entry *entry_find(const struct chain *chain, const hash32 *hash);
struct entry *entry_parent(const struct entry *entry);
/* Makes an entry, whose state the state holds, the head. */
void head_set(struct chain *chain, struct entry *entry);
void entry_insert(struct chain *chain, struct entry *entry);
/* The hash callback for blocks on top of an entry; ctx is that entry. */
hash32 entry_block_hash(void *ctx, u64 number);

/* chain_state.c */
/* Commits the state as the entry's (or as a later edit of it). */
void entry_commit(struct entry *entry);
void entry_undos_free(struct entry *entry);
/* Moves the state to an entry's. False, with nothing done, when history has been dropped or edits
 * are in the way. */
bool state_move(struct chain *chain, struct entry *target);
/* Moves it to an ancestor's for good: edits are lost. */
void state_move_back(struct chain *chain, struct entry *ancestor);
void views_close(struct chain *chain);
