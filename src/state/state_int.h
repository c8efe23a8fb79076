/*
 * Inside the state. Accounts and slots that were looked at are entries in memory that stay where
 * they are; the journal names them by pointer. "Generations" are transaction numbers: what was
 * written in another generation counts as unset, so that a transaction begins without clearing.
 *
 * Each entry knows its value now, and at the last commit (base). Two lists of accounts, and per
 * account two lists of slots, say what changed since the last commit and since the last root.
 */
#pragma once

#include "base/arena.h"
#include "base/assert.h"
#include "state/state.h"
#include "state/table.h"

enum dirt { DIRT_COMMIT, DIRT_ROOT, DIRT_KINDS };

/* What every access reads stands first in both. */
struct slot_entry {
    u256 key;
    struct account_entry *account;
    u64 warm_gen;
    u256 value;
    u256 original; /* valid if original_gen is the transaction's */
    u64 original_gen;
    u64 late_gen; /* looked at only after its account was wiped in that transaction */
    bool dirty[DIRT_KINDS];
    bool hashed;
    u256 base;
    struct slot_entry *next; /* all of the account's that are cached */
    struct slot_entry *next_dirty[DIRT_KINDS];
    hash32 key_hash; /* valid if hashed */
};

struct account_entry {
    addr20 addr;
    u32 number; /* index in its pile: part of the slots' hashes */
    bool exists, base_exists;
    bool hashed;
    bool dirty[DIRT_KINDS];
    bool wiped;      /* what the backend holds of its storage is gone */
    bool trie_stale; /* its storage trie must be made anew at the next root */
    u64 warm_gen, touched_gen, created_gen, destroyed_gen, wiped_gen;
    struct account now; /* storage_root: as of the last root; the hashes of nothing if absent */
    const u8 *code;     /* valid if code_epoch is the state's */
    size_t code_len;
    u64 code_epoch;
    struct slot_entry *slots;
    struct slot_entry *dirty_slots[DIRT_KINDS];
    struct account base;
    hash32 addr_hash; /* valid if hashed */
};

enum journal_kind {
    JOURNAL_EXISTS,  /* came into being */
    JOURNAL_TOUCHED, /* EIP-161 */
    JOURNAL_BALANCE,
    JOURNAL_NONCE,
    JOURNAL_CODE,
    JOURNAL_WARM_ACCOUNT,
    JOURNAL_CREATED,
    JOURNAL_DESTROYED,
    JOURNAL_WIPED,
    JOURNAL_SLOT,
    JOURNAL_WARM_SLOT,
    JOURNAL_TRANSIENT,
    JOURNAL_LOG,
};

/* What a code change replaced; in the transaction's arena. */
struct old_code {
    const u8 *bytes;
    size_t len;
    hash32 hash;
    u64 epoch;
};

struct journal_entry {
    enum journal_kind kind;
    union {
        struct account_entry *account;
        struct slot_entry *slot;
        struct transient_entry *transient;
    };
    union {
        u256 value;
        u64 nonce;
        const struct old_code *code;
    } old;
};

struct transient_entry {
    struct account_entry *account;
    u256 key, value;
};

struct account_list {
    struct account_entry **at;
    u32 count, cap;
};

enum { STATE_RECENT = 16 };

struct state {
    struct state_backend backend;
    struct workers *workers; /* may be NULL */
    u64 seed;
    u64 gen;                /* the transaction's number; grows only */
    u64 code_epoch;         /* code pointers last until the next commit or reset */
    u64 ripemd_touched_gen; /* see state_rollback */
    u32 accounts_max, slots_max;
    u64 half_gen; /* when the cache was half full; 0: it is not yet */
    bool
        rooted; /* a root was computed since the last commit: the tries hold what is not committed */

    struct table account_table, slot_table, transient_table;
    struct pile accounts, slots, transients;
    /* Looked up lately, by the address's last byte: a transaction keeps coming back to a few accounts. */
    struct account_entry *recent[STATE_RECENT];

    struct journal_entry *journal;
    u32 journal_count, journal_cap;
    struct state_log *logs;
    u32 log_count, log_cap;
    struct arena tx_arena;   /* logs, replaced codes; until the next begin_tx */
    struct arena code_arena; /* new code; until commit or reset */

    struct account_list dirty[DIRT_KINDS];
    struct keyed *keyed; /* scratch of root and commit */
    size_t keyed_cap;
};

/* What is sorted by a hash: its first bytes as a number, and the thing itself. */
struct keyed {
    u64 prefix;
    const hash32 *hash;
    void *thing;
};

/* Ascending by hash. scratch: count more. */
void keyed_sort(struct keyed *items, struct keyed *scratch, size_t count);

/* --- state.c ---------------------------------------------------------------------------------- */

struct account_entry *account_entry(struct state *state, const addr20 *addr);
const hash32 *account_entry_hash(struct account_entry *account);
struct journal_entry *journal_add(struct state *state, enum journal_kind kind);
void account_mark_dirty(struct state *state, struct account_entry *account);
void account_load_code(struct state *state, struct account_entry *account);

/* The fields of an account that is not there. */
extern const struct account absent_account;

/* Empties the cache; nothing may be uncommitted. */
void state_cache_drop(struct state *state);
/* The same with the memory of all that the state holds. */
void state_drop_memory(struct state *state);

/* cache.c: brings it into its bounds if it has passed them; nothing may be uncommitted. */
void state_cache_age(struct state *state);

/* Shrinks lists that have grown beyond the cache; they and the journal are empty. */
void state_trim(struct state *state);

/* --- storage.c -------------------------------------------------------------------------------- */

const hash32 *slot_entry_hash(struct slot_entry *slot);
struct slot_entry *slot_entry(struct state *state, struct account_entry *account, const u256 *key);
void slot_assign(struct state *state, struct slot_entry *slot, const u256 *value);

/* Takes back a wipe; changes of slots since then are taken back already. */
void account_unwipe(struct state *state, struct account_entry *account);

/* All slots become 0, those not cached too. Into the journal if so asked. */
void account_wipe_storage(struct state *state, struct account_entry *account, bool journalled);

/* --- root.c ----------------------------------------------------------------------------------- */

/* Brings the tries up to the state as it is now. */
void state_flush(struct state *state);

/* --- changes.c -------------------------------------------------------------------------------- */

/* With room for that many; the counts are set, the rest is to be filled in. */
struct state_changes *changes_new(u32 accounts, u32 slots, u32 codes);
