/*
 * A backend in a store (db/db.h): flat accounts and slots by hash, code by hash, and the branches of the
 * tries. Reads go to the flat records; a leaf of a trie is the flat record itself.
 *
 * A commit of the state goes to the store's open transaction (begun if there is none). Who ends the
 * transaction calls disk_state_save first; several blocks may go into one. After a transaction that
 * was not committed, disk_state_forget, and state_forget for every state on this backend.
 *
 * Reads cannot fail, but what is damaged reads as absent: ask db_status before believing a result,
 * a wrong root above all.
 */
#pragma once

#include "db/db.h"
#include "state/backend.h"

struct disk_state;

/*
 * Over the state that the store holds. The store is borrowed, and shared with others of its thread.
 * nodes_max: bytes of trie nodes kept in memory between transactions, 0 for the default of 64 MiB;
 * within one, as much as the changes need. seed: as for state_new.
 */
struct disk_state *disk_state_new(struct db *db, size_t nodes_max, u64 seed);
void disk_state_free(struct disk_state *disk);

/* Valid as long as it lives. Code is borrowed until the next apply, and no longer than the
 * transaction. */
struct state_backend disk_state_backend(struct disk_state *disk);

/* Writes what changed in the tries to the open transaction. All roots must have been computed. */
void disk_state_save(struct disk_state *disk);

/* The store went back to the last commit: so do the tries. */
void disk_state_forget(struct disk_state *disk);

/* Between transactions: gives back the memory of nodes; they are read again when needed. */
void disk_state_rest(struct disk_state *disk);
