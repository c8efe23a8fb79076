/* A copy of this process that runs one function and ends: for tests that kill what they test. */
#pragma once

#include "base/status.h"

struct child;

/* The process must have one thread. run's result is the exit code, 0 to 127. */
MUST_READ enum status child_start(struct child **child, int (*run)(void *arg), void *arg,
                                  struct err *err);
void child_kill(struct child *child); /* at once, as the system does when memory is short */

/* Waits for its end and frees it. The exit code, or minus the signal that ended it. */
int child_wait(struct child *child);
