/*
 * Where committed state lives: flat accounts and slots, code by hash, and the tries that the root is
 * computed from. A backend is a small table of functions; state/memory.h keeps all in memory, and
 * state/history.h shows an older block on top of another backend.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/keccak.h"
#include "prim/u256.h"
#include "state/trie.h"

/* Yellow Paper 4.1. */
struct account {
    u64 nonce;
    u256 balance;        /* wei */
    hash32 code_hash;    /* KECCAK256_EMPTY without code */
    hash32 storage_root; /* TRIE_EMPTY_ROOT without storage */
};

/*
 * A change set: these accounts and slots are to have these values. It has no direction: the same
 * shape leads forward (what a block did) and back (undo). Accounts are sorted by hash, and each
 * one's slots by the hash of their key. One block of memory.
 */
struct slot_change {
    u256 key;
    hash32 key_hash;
    u256 value; /* 0: absent */
};

struct account_change {
    addr20 addr;
    bool exists; /* false: absent; account is then zeroes and the hashes of nothing */
    hash32 addr_hash;
    struct account account;
    u32 slot_begin, slot_end; /* in changes.slots */
};

struct code_change {
    hash32 hash;
    const u8 *bytes; /* borrowed until the apply returns */
    size_t len;
};

struct state_changes {
    struct account_change *accounts;
    struct slot_change *slots;
    struct code_change *codes; /* new codes; none in an undo set, as code is kept once written */
    u32 account_count, slot_count, code_count;
};

void state_changes_free(struct state_changes *changes); /* NULL is fine */

/* As bytes, for keeping; without codes, so only sets that lead back. What decoding accepts encodes to
 * the same bytes, and takes memory in proportion to them. */
struct buf;
void state_changes_encode(struct buf *out, const struct state_changes *changes);
MUST_READ enum status state_changes_decode(struct state_changes **changes, const u8 *bytes,
                                           size_t len, struct err *err);

/* Bytes held, for bounding history. */
size_t state_changes_size(const struct state_changes *changes);

/* The account's entry, or the slot's, or NULL. Binary search. */
const struct account_change *state_changes_account(const struct state_changes *changes,
                                                   const hash32 *addr_hash);
const struct slot_change *state_changes_slot(const struct state_changes *changes,
                                             const struct account_change *account,
                                             const hash32 *key_hash);

struct state_tries;

/* Called for each slot that is not zero, in no set order. All backends know the keys themselves, not
 * only their hashes. */
typedef void backend_slot_fn(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value);
typedef void backend_account_fn(void *arg, const addr20 *addr, const struct account *account);

struct state_backend_ops {
    /* Do the look-ups below need the hashes? If false they may be passed as NULL. */
    bool by_hash;

    /* Reads: false, with the output untouched, when absent. */
    bool (*account_get)(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                        struct account *account);
    bool (*slot_get)(void *ctx, const addr20 *addr, const hash32 *addr_hash, const u256 *key,
                     const hash32 *key_hash, u256 *value);
    /* Of an account's code. The bytes are borrowed until the next apply. Absent: what keeps it is damaged, and says so. */
    bool (*code_get)(void *ctx, const hash32 *code_hash, const u8 **bytes, size_t *len);

    void (*each_account)(void *ctx, backend_account_fn *fn, void *arg);
    void (*each_slot)(void *ctx, const addr20 *addr, const hash32 *addr_hash, backend_slot_fn *fn,
                      void *arg);

    /* The tries over this state (state/tries.h). If they are its own, a state on it may ask for the root of changes
     * that are never applied. */
    struct state_tries *(*tries)(void *ctx);
    bool own_tries;

    /* Makes the changes last, all or none. NULL: read-only. */
    enum status (*apply)(void *ctx, const struct state_changes *changes, struct err *err);
};

struct state_backend {
    const struct state_backend_ops *ops;
    void *ctx;
};
