/*
 * The tries of one state: the accounts' (keys are hashed addresses), and one per account with
 * storage (keys are hashed slots). "Secure" tries in the Yellow Paper's words, 4.1.
 */
#pragma once

#include "state/backend.h"

struct state_tries {
    struct trie_pool *pool;
    struct trie accounts;
    struct storage_tries *storage;

    /* Fills in the storage trie of an account whose trie is not at hand; NULL: such are empty. */
    void (*storage_open)(void *ctx, struct trie *trie, const hash32 *addr_hash);
    void *ctx;
    bool stored; /* somebody calls tries_save */
};

/* Empty tries. The seed is for the table. */
struct state_tries *tries_new(u64 seed);
void tries_free(struct state_tries *tries);

/* NULL: the account is absent. Its storage trie is another matter: see tries_drop_storage. */
void tries_put_account(struct state_tries *tries, const hash32 *addr_hash,
                       const struct account *account);

/* The storage trie; made if there is none. Valid until dropped. */
struct trie *tries_storage(struct state_tries *tries, const hash32 *addr_hash);
void tries_drop_storage(struct state_tries *tries, const hash32 *addr_hash);

/* --- tries in a store (struct trie_store_ops) --------------------------------------------------- */

/* Saves every trie that was looked at since the last time; see trie_save. */
void tries_save(struct state_tries *tries, trie_put_fn *put, void *arg);

/* Has everything been saved? */
bool tries_are_saved(const struct state_tries *tries);

/* Gives back memory until nodes take at most that many bytes, about; everything must have been saved.
 * Storage tries that tries_storage has given out are no longer valid. */
void tries_unload(struct state_tries *tries, size_t bytes_max);

/* 0 deletes. */
void storage_trie_put(struct trie *trie, const hash32 *key_hash, const u256 *value);

/* Puts all that a change set says, storage included. */
void tries_apply(struct state_tries *tries, const struct state_changes *changes);

/* A slot's value as the trie holds it; not 0. Returns the length. */
size_t slot_encode(u8 out[33], const u256 *value);

/* An account as the trie holds it. Returns the length. */
enum { ACCOUNT_RLP_MAX = 2 + 9 + 33 + 33 + 33 };
size_t account_encode(u8 out[ACCOUNT_RLP_MAX], const struct account *account);
