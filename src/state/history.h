/*
 * An older block, or the head itself, to which nothing happens: the head's backend, seen through the change sets
 * that lead back. Make a struct state on history_backend to read, call and prove there, and to ask for the root of
 * what was changed on it. Costs nothing but the look-ups; proofs and roots cost the number of changes in between.
 */
#pragma once

#include "state/backend.h"

struct history;

/*
 * undo: what state_commit gave for each block after the wanted one, newest first. The array is
 * copied, the change sets are borrowed: neither they nor the head may change while this lives.
 */
struct history *history_open(const struct state_backend *head,
                             const struct state_changes *const *undo, size_t count);
void history_close(struct history *history);
struct state_backend history_backend(struct history *history);
