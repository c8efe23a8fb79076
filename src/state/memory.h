/* A backend that keeps everything in memory, with plain addresses and keys. */
#pragma once

#include "state/backend.h"

struct memory_state;

/* seed: as for state_new. */
struct memory_state *memory_state_new(u64 seed);
void memory_state_free(struct memory_state *memory);

/* A backend on it, valid as long as it lives. */
struct state_backend memory_state_backend(struct memory_state *memory);
