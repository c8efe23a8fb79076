/*
 * Does the state in a store hold together? Everything is read once, in order: accounts and slots are
 * hashed again to their roots, codes to their hashes, and the tries' branches compared with those
 * stored. Memory does not grow with the state.
 */
#pragma once

#include "db/db.h"
#include "prim/hash32.h"

struct state_verified {
    u64 accounts, slots, codes, nodes;
    u64 faults;
};

/* words: one thing that is wrong, by table and key; borrowed for the call. */
typedef void state_fault_fn(void *arg, const char *words);

/*
 * root: what the head's header says. Of many faults the first hundred are told. Whether records agree
 * with their checksums is the store's own business (db_verify): here the first that does not ends the
 * walk.
 */
void state_verify(struct state_verified *verified, struct db *db, const hash32 *root,
                  state_fault_fn *fault, void *arg);
