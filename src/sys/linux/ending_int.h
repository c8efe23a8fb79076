/* What the bodies of this folder share. */
#pragma once

#include "base/types.h"
#include "sys/ending.h"

/* Readable once the wish is there; -1 while it is not watched for. */
int ending_fd(void);

/* Waits until there is something to read, or an end of it. False: the wish came first, or something to read from other. */
bool ending_wait_readable(int fd, int other);
