/* Running other programs. */
#pragma once

#include "base/status.h"

/*
 * Becomes the program of that name that stands beside the running one, or else on the PATH. It is given `first` (unless
 * NULL) and then argv[1]... of the argc words at argv. Returns only on failure: NOT_FOUND when there is none.
 */
MUST_READ enum status program_replace(const char *name, const char *first, int argc, char **argv,
                                      struct err *err);
