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

/* 0 deletes. */
void storage_trie_put(struct trie *trie, const hash32 *key_hash, const u256 *value);

/* Puts all that a change set says, storage included. */
void tries_apply(struct state_tries *tries, const struct state_changes *changes);

/* An account as the trie holds it. Returns the length. */
enum { ACCOUNT_RLP_MAX = 2 + 9 + 33 + 33 + 33 };
size_t account_encode(u8 out[ACCOUNT_RLP_MAX], const struct account *account);
