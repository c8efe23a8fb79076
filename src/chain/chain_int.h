/* What the files of a chain share: private to this room. */
#pragma once

#include "chain/archive.h"
#include "chain/chain.h"
#include "chain/hash_index.h"
#include "chain/store.h"
#include "consensus/ethash.h"
#include "state/disk.h"
#include "state/history.h"
#include "state/memory.h"

/* A block that is held, and what leads back from it. */
struct entry {
    struct chain_block pub; /* first, so that the two can be cast into each other */
    struct chain *chain;
    struct arena arena; /* owns the block, its bytes and receipts */
    const u8 *rlp;      /* the block's bytes; NULL when it was made here */
    size_t rlp_len;
    /* While its changes are in the state: one change set, and one more for each direct edit;
     * oldest first. */
    struct state_changes **undos;
    u32 undo_count;
    u32 edit_count;   /* of them, the last so many are edits */
    bool is_saved;    /* the store has a record of them */
    bool is_outdated; /* which is not as they are now */
};

struct view {
    struct state *state;
    struct history *history; /* NULL: the head's */
    struct view *next;
};

/* Blocks that are older than what is held, as they were looked up last. */
enum { LOADED_MAX = 16 };

struct bad_blocks;

struct chain {
    struct chain_config config;
    struct chain_options options;
    struct db *db;           /* NULL: everything is in memory */
    struct archive *archive; /* NULL: no block leaves the store */
    struct disk_state *disk; /* the state, one of the two */
    struct memory_state *memory;
    struct state_backend backend;
    struct state *state;
    struct evm *evm;
    struct ethash *ethash; /* NULL until needed */
    struct entry *head;
    struct entry *at; /* whose state the state holds: the head, but while blocks are imported */
    struct hash_index blocks, txs; /* txs: empty when there is a store, which has such a table */
    struct entry **canonical;      /* [number - first] from `begin` on */
    size_t canonical_begin, canonical_end, canonical_cap;
    bool has_old_undos; /* the store may hold records of blocks that are not held */
    u64 stored_from;    /* the oldest number in the store */
    struct entry *loaded[LOADED_MAX];
    u32 loaded_next;
    struct buf record;       /* scratch for what goes to the store */
    struct bad_blocks *bad;  /* NULL until there is one */
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

static inline u64 entry_number(const struct entry *entry)
{
    return entry->pub.block.header.number;
}

/* chain.c: entries are what is held in memory; older blocks are loaded (chain_load.c). */
struct entry *entry_new(struct chain *chain);
void entry_free(struct entry *entry);
struct entry *entry_find(const struct chain *chain, const hash32 *hash);
struct entry *entry_parent(const struct entry *entry);
/* Makes an entry, whose state the state holds, the head. */
void head_set(struct chain *chain, struct entry *entry);
void entry_insert(struct chain *chain, struct entry *entry);
/* Into the indexes only. */
void canonical_push(struct chain *chain, struct entry *entry);
/* The oldest number that is held with its state. */
u64 chain_held_from(const struct chain *chain);
/* The hash callback for blocks on top of an entry; ctx is that entry. */
hash32 entry_block_hash(void *ctx, u64 number);

/* chain_load.c: what the store has and memory has not. NULL or false without a store. */
struct entry *load_by_hash(const struct chain *chain, const hash32 *hash);
struct entry *load_by_number(const struct chain *chain, u64 number);
bool load_hash(const struct chain *chain, hash32 *hash, u64 number);
bool load_knows(const struct chain *chain, const hash32 *hash);
void loaded_free(struct chain *chain);

/* chain_save.c: what leads back, on disk. */
void undo_save(struct chain *chain, struct entry *entry);
void undo_drop(struct entry *entry);
/* False when there is none, or it cannot be read. */
bool undo_load(struct entry *entry);

/* bad.c: blocks that were refused for what they are, so that they need not be executed again. */
struct bad_block {
    hash32 hash;
    enum block_verdict verdict;
    struct chain_report report;
};
void bad_remember(struct chain *chain, const hash32 *hash, enum block_verdict verdict,
                  const struct chain_report *report);
const struct bad_block *bad_find(const struct chain *chain, const hash32 *hash);

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
