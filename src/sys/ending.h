/*
 * The wish that the program end (SIGINT, SIGTERM, and SIGHUP where it is not ignored): noticed wherever it waits or works
 * for long. There is one for the process, as there is one process to end. Until it is watched for, such a signal ends the
 * program on the spot.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

/* From now on the signals are wishes; again is nothing. SIGPIPE is ignored, too. */
MUST_READ enum status ending_watch(struct err *err);
/* For tests: as if nothing had been wished yet. */
void ending_forget(void);

/* Cheap, from any thread. */
bool ending_is_wished(void);
