/* What the files of a chain share: private to this room. */
#pragma once

#include "chain/addresses.h"
#include "chain/archive.h"
#include "chain/chain.h"
#include "chain/hash_index.h"
#include "chain/store.h"
#include "consensus/ethash.h"
#include "state/disk.h"
#include "state/history.h"
#include "state/memory.h"
#include "state/past.h"

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
    size_t undo_size; /* bytes of all */
    bool is_away;     /* they are in the store only: undos is NULL, the numbers hold */
    bool is_thin;     /* of the block only the header is here (chain_held.c) */
    size_t size;      /* bytes of the arena, once it is among the held */
    bool is_saved;    /* the store has a record of them */
    bool is_outdated; /* which is not as they are now */
    u8 *visits; /* with an index by address: as executed last, until a store has them; NULL: none */
    size_t visits_len;
};

struct view {
    struct state *state;
    struct history *history; /* one of these, or none: the head's */
    struct past *past;
    struct view *next;
};

/* Blocks that are not held, or not whole, as they were looked up last: how many chain.h lends at a time. */
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
    size_t body_bytes, undo_bytes; /* of the held, in memory */
    size_t unsaved_bytes;          /* of undo_bytes, made since the last sync */
    u64 thin_below;                /* canonical blocks below are thin */
    bool has_old_undos;            /* the store may hold records of blocks that are not held */
    u64 synced;                    /* the head's number at the last sync */
    enum status failed;            /* of the last sync; then there is none after it */
    struct err failure;
    u64 stored_from; /* the oldest number in the store */
    bool has_past;   /* states of blocks from past_from on can be read, however old */
    u64 past_from;
    bool has_addresses; /* since addresses_from, if there is a store */
    u64 addresses_from;
    struct visits visits;             /* of what is being executed */
    struct entry *loaded[LOADED_MAX]; /* the latest first */
    struct buf record;                /* scratch for what goes to the store */
    struct bad_blocks *bad;           /* NULL until there is one */
    struct view *views;               /* given out */
    struct state *head_view;          /* kept for the next caller, or NULL */
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
/* The entry of a canonical block that is held. */
struct entry *canonical_at(const struct chain *chain, u64 number);
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
/* Says of a block that was loaded whether it is canonical. */
void loaded_mark(struct chain *chain, const hash32 *hash, bool is_canonical);

/* chain_held.c: what of the held blocks is in memory. */
/* The block with all its parts, from the store if need be. NULL when it is pruned, or cannot be read, which the store then
 * says. */
struct chain_block *entry_whole(struct entry *entry);
/* Brings the parts back for as long as it is the head. */
void entry_fatten(struct entry *entry);
/* Counts the bytes of one that is held from now on. */
void entry_weigh(struct entry *entry);
/* One that has left the canonical chain, or has never been on it: its parts are rarely asked for. */
void entry_thin_side(struct entry *entry);
/* Canonical blocks from this number on may be whole again. */
void thin_from(struct chain *chain, u64 number);
/* Brings back what leads back; nothing, when the store is damaged. */
void undos_need(struct entry *entry);
/* Brings the held blocks within their bounds: bodies; and change sets that are saved. */
void bodies_trim(struct chain *chain);
/* Does what leads back to that block fit into the bound? */
bool undos_fit(const struct chain *chain, u64 number);
void undos_trim(struct chain *chain);
/* The same for one that was just loaded and is older than all others. */
void held_bound(struct entry *entry);
/* All but the head's goes. */
void held_rest(struct chain *chain);

/* chain_save.c: what leads back, on disk. */
void undo_save(struct chain *chain, struct entry *entry);
void undo_drop(struct entry *entry);
/* False when there is none, or it cannot be read. */
bool undo_load(struct entry *entry);
/* Says that the store's record of it is damaged. */
void undo_blame(struct entry *entry);

/* chain_past.c: what states were, by key (state/past.h). */
void chain_past_open(struct chain *chain);
/* The newest change set of an entry was made, or the entry's from `kept` on are about to be taken back. */
void chain_past_put(struct entry *entry);
void chain_past_take_back(struct entry *entry, u32 kept);
/* Does the block have edits of its own, so that its state has not the root that its header says? */
bool past_is_edited(struct db *db, u64 number);
/* From which block on a store has all states; false: from none. */
bool past_mark(struct db *db, u64 *from);

/* addresses.c */
MUST_READ enum status chain_addresses_open(struct chain *chain, struct err *err);
/* The chain's process was begun: whom its transactions visit will be kept. */
void chain_visits_begin(struct chain *chain);
/* It has ended, and was the entry's. */
void chain_visits_keep(struct entry *entry);
void chain_visits_drop(struct entry *entry);
/* The entry becomes canonical, or is so no longer. */
void chain_visits_file(struct entry *entry);
void chain_visits_take_back(struct entry *entry);

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
/* Owns it from now on. */
void undo_add(struct entry *entry, struct state_changes *undo);
void entry_undos_free(struct entry *entry);
/* Moves the state to an entry's. False, with nothing done, when history has been dropped or edits
 * are in the way. */
bool state_move(struct chain *chain, struct entry *target);
/* Moves it to an ancestor's for good: edits are lost. */
void state_move_back(struct chain *chain, struct entry *ancestor);
void views_close(struct chain *chain);
/* A state of this chain keeps to the bound of its cache. */
void chain_state_bound(const struct chain *chain, struct state *state);
