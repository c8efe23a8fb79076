/* Randomness fit for keys, from the operating system. */
#pragma once

#include "base/types.h"

void random_fill(void *bytes, size_t len);
u64 random_u64(void);
