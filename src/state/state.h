/*
 * The world state: accounts and storage as transactions see and change them, with a journal that
 * undoes, a root that commits to everything (Yellow Paper 4.1 and appendix D), and change sets that
 * lead back to older blocks.
 *
 * Life: state_new, then per transaction begin_tx ... end_tx, per block state_root and state_commit.
 * Changes for rewards, withdrawals and system calls are transactions in this sense too. What is not
 * committed is dropped by state_reset. Reads come from a cache in front of the backend; in the steady
 * state nothing is allocated. Not thread-safe. One state writes to a backend; others on the same
 * backend only read, must not outlive a commit without state_forget, and call neither commit nor
 * unwind, nor, unless the backend is a history, root.
 *
 * Functions on accounts and slots never fail: an absent account reads as zeroes, an absent slot as 0.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"
#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"
#include "state/backend.h"
#include "types/fork.h"

struct state;

/*
 * The backend is copied and must live longer than the state. seed: random per process; it keeps
 * others from choosing addresses and keys that collide in our tables.
 */
struct state *state_new(const struct state_backend *backend, u64 seed);
void state_free(struct state *state);

/* Threads that share the hashing of large changes: workers of their own, without a loop; borrowed. */
struct workers;
void state_set_workers(struct state *state, struct workers *workers);

/* Bounds of the cache between blocks (defaults: 1 << 14 accounts, 1 << 15 slots). Past either, a
 * commit drops what has not been used lately. Within a block the cache grows as far as the block's accesses need. */
void state_set_cache(struct state *state, u32 accounts_max, u32 slots_max);

/* Between blocks, for those who look at many accounts and change none: brings the cache into its bounds. */
void state_settle(struct state *state);

/* Drops everything since the last commit. */
void state_reset(struct state *state);

/* As reset, and forgets the cache: for when the backend has changed underneath. */
void state_forget(struct state *state);

/* As forget, and gives back all memory that can be had again: for when nothing happens. */
void state_rest(struct state *state);

/* --- one transaction ------------------------------------------------------------------------ */

/* Every slot's original value is its current one; all is cold, nothing created, no logs. O(1). */
void state_begin_tx(struct state *state);

/*
 * Destroyed accounts vanish with their storage. EIP-161: from Spurious Dragon on, touched accounts
 * that are empty vanish too. Logs stay readable until the next begin_tx.
 */
void state_end_tx(struct state *state, enum fork fork);

/* Everything since the checkpoint is undone, warmth and logs too. Checkpoints nest. */
u32 state_checkpoint(struct state *state);
void state_rollback(struct state *state, u32 checkpoint);

/* --- accounts ------------------------------------------------------------------------------- */

bool state_account_exists(struct state *state, const addr20 *addr);
/* EIP-161: no nonce, no balance, no code. True for an absent account. */
bool state_account_is_empty(struct state *state, const addr20 *addr);
u256 state_balance(struct state *state, const addr20 *addr);
u64 state_nonce(struct state *state, const addr20 *addr);

struct state_code {
    const u8 *bytes; /* borrowed until the next commit, reset or forget */
    size_t len;
    hash32 hash; /* of no bytes for an account without code and for an absent one */
};
struct state_code state_code(struct state *state, const addr20 *addr);

/* EIP-1052: zero for an absent or empty account. */
hash32 state_code_hash(struct state *state, const addr20 *addr);

/* EIP-7610: is any slot not zero? */
bool state_has_storage(struct state *state, const addr20 *addr);

/* EIP-2929: makes it warm; was it cold? */
bool state_account_warm(struct state *state, const addr20 *addr);

/* A sum wraps at 2^256: there is not so much ether, but overrides and dev chains can pretend there is. A difference
 * must not pass zero, which is asserted. All three touch. */
void state_add_balance(struct state *state, const addr20 *addr, const u256 *wei);
void state_sub_balance(struct state *state, const addr20 *addr, const u256 *wei);
void state_set_balance(struct state *state, const addr20 *addr, const u256 *wei);

/* Moves wei; touches both, also for 0 wei. The sender must have it. */
void state_transfer(struct state *state, const addr20 *from, const addr20 *to, const u256 *wei);

/* EIP-161's touch: the account comes into being if absent, and vanishes at the end of the
 * transaction if empty then (before Spurious Dragon it stays). */
void state_touch(struct state *state, const addr20 *addr);

void state_set_nonce(struct state *state, const addr20 *addr, u64 nonce);
void state_set_code(struct state *state, const addr20 *addr, const u8 *code,
                    size_t len); /* copied */

/* Begins a contract: keeps the balance; nonce 0, no code, no storage; created_in_tx from now on. */
void state_create_account(struct state *state, const addr20 *addr);
bool state_created_in_tx(struct state *state, const addr20 *addr); /* EIP-6780 */

/* The balance is 0 now, the account gone at end_tx. False if it was marked before in this tx. */
bool state_mark_destroyed(struct state *state, const addr20 *addr);

/* --- storage -------------------------------------------------------------------------------- */

struct state_slot {
    u256 current, original; /* original: at the start of the transaction (EIP-2200) */
    bool was_cold;          /* EIP-2929; warm from now on */
    void *handle;           /* valid until end_tx */
};

/* was_cold may be NULL. Makes the slot warm. */
u256 state_storage_get(struct state *state, const addr20 *addr, const u256 *key, bool *was_cold);
struct state_slot state_storage_slot(struct state *state, const addr20 *addr, const u256 *key);
void state_storage_set(struct state *state, void *handle, const u256 *value);

/* For reading from outside (RPC): leaves warmth alone. */
u256 state_storage_peek(struct state *state, const addr20 *addr, const u256 *key);

/* EIP-2929 and 2930: makes the slot (not its account) warm; was it cold? */
bool state_slot_warm(struct state *state, const addr20 *addr, const u256 *key);

/* EIP-1153. Values live until end_tx. */
u256 state_transient_get(struct state *state, const addr20 *addr, const u256 *key);
void state_transient_set(struct state *state, const addr20 *addr, const u256 *key,
                         const u256 *value);

/* --- logs ----------------------------------------------------------------------------------- */

struct state_log {
    addr20 addr;
    u32 topic_count; /* 0 to 4 */
    u32 data_len;
    const hash32 *topics;
    const u8 *data;
};

void state_add_log(struct state *state, const addr20 *addr, const hash32 *topics, u32 topic_count,
                   const u8 *data, size_t len); /* copied */

/* The transaction's logs in order; borrowed until the next begin_tx. */
const struct state_log *state_logs(const struct state *state, size_t *count);

/* --- blocks: outside transactions ----------------------------------------------------------- */

/* The root of the state as it is now, committed or not. Cost: the changes since the last root. */
void state_root(struct state *state, hash32 *root);

/*
 * Hands all changes to the backend. *undo (may be NULL) receives the change set that leads back,
 * the caller's, freed with state_changes_free. On failure nothing is committed.
 */
MUST_READ enum status state_commit(struct state *state, struct state_changes **undo,
                                   struct err *err);

/* Goes back one commit: undo must be that of the newest. Drops uncommitted changes. */
MUST_READ enum status state_unwind(struct state *state, const struct state_changes *undo,
                                   struct err *err);

/* The account's record, storage root included; false if absent. Drops nothing, changes nothing. */
bool state_account_get(struct state *state, const addr20 *addr, struct account *account);

/* --- proofs (EIP-1186) ---------------------------------------------------------------------- */

/* The nodes from the root down to where the path ends, each as RLP. None for an empty trie. */
struct proof_nodes {
    size_t count;
    const u8 **nodes;
    size_t *lens;
};

struct slot_proof {
    u256 key, value;
    struct proof_nodes nodes;
};

struct state_proof {
    bool exists;
    struct account account; /* if absent: zeroes, and the hashes of nothing */
    struct proof_nodes nodes;
    struct slot_proof *slots; /* in the order of keys */
    size_t slot_count;
};

/* Everything in *proof is the arena's. Allowed on read-only states too. */
void state_proof(struct state *state, struct state_proof *proof, const addr20 *addr,
                 const u256 *keys, size_t key_count, struct arena *arena);

/* --- dumps: of the committed state; sorted by address and key where the backend is in memory -- */

typedef void state_account_fn(void *arg, const addr20 *addr, const struct account *account);
typedef void state_slot_fn(void *arg, const u256 *key, const u256 *value);
void state_each_account(struct state *state, state_account_fn *fn, void *arg);
void state_each_slot(struct state *state, const addr20 *addr, state_slot_fn *fn, void *arg);
