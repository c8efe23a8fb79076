/*
 * The state of every block since some block, by key: what accounts and slots held before the blocks that changed
 * them (tables ACCOUNT_PAST and SLOT_PAST). What a thing held after block n is what it held before the first block
 * past n that changed it, or what it holds now: one look-up, however long ago that was. Reading only, and without
 * tries: proofs and roots of changes are for state/history.h.
 *
 * Writes belong to the store's open transaction.
 */
#pragma once

#include "db/db.h"
#include "state/backend.h"

/* undo: the change set that leads back from block `number`; of several sets of a block the oldest comes first. */
void past_put(struct db *db, u64 number, const struct state_changes *undo);

/* Of all sets of a block, oldest first, takes those from `kept` on back. */
void past_del(struct db *db, u64 number, const struct state_changes *const *undos, u32 count,
              u32 kept);

struct past;

/* The state after block `number`, on a head's backend in the same store; for as long as neither changes. */
struct past *past_open(struct db *db, const struct state_backend *head, u64 number);
void past_close(struct past *past); /* NULL is fine */
struct state_backend past_backend(struct past *past);

/*
 * The root of the state after block `number`, from all accounts and slots as they were then; memory does not grow
 * with them. False when an account's slots have another root than its record says; *account is its hash then.
 */
MUST_READ bool past_root(struct db *db, u64 number, hash32 *root, hash32 *account);

/* Does every record make sense, and lie in blocks past `from` up to `to`? *words: what is wrong. */
MUST_READ bool past_check(struct db *db, u64 from, u64 to, const char **words);
