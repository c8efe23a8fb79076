/* States written as JSON: {address: {balance, nonce, code, storage}}; and what differs from one. */
#pragma once

#include "evmcli/reader.h"
#include "state/state.h"

/* A state of its own, in memory or in a store. */
struct prestate {
    struct memory_state *memory;
    struct disk_state *disk;
    struct state *state;
};

void prestate_init(struct prestate *prestate);
/* Over what the store holds; borrowed. */
struct db;
void prestate_init_stored(struct prestate *prestate, struct db *db);
void prestate_fini(struct prestate *prestate);

/* Writes the accounts and commits them. Empty accounts are made too. Failures are the reader's. */
void prestate_fill(struct reader *reader, struct state *state, json accounts);

/* Finds the first account or slot that is not as accounts has it; true, with words in *why, if there is one. */
bool prestate_differs(struct reader *reader, struct state *state, json accounts, struct err *why);
