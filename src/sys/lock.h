/* One process at a time: a lock file that holds its owner's process id. */
#pragma once

#include "base/status.h"

struct lock;

/*
 * Takes the lock, making the file if it is absent. STATUS_EXISTS: somebody else has it; the words give
 * the process id. The system lets go of it when the process ends, however it ends.
 */
MUST_READ enum status lock_take(struct lock **lock, const char *path, struct err *err);
void lock_release(struct lock *lock); /* NULL is fine; the file stays */
/* STATUS_EXISTS, with the process id in words: somebody has it. Nothing is made or taken. */
MUST_READ enum status lock_look(const char *path, struct err *err);
