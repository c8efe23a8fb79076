/*
 * A region of memory that is freed at once. One arena per block, request or message: what is
 * allocated from it needs no cleaning up. Not thread-safe.
 */
#pragma once

#include "base/types.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    u8 *next, *end;             /* free room in the newest chunk */
};

void arena_init(struct arena *arena);

/* One on the caller's memory, aligned to 16, for as much as fits into it; past that the heap, and then
 * arena_fini is needed. */
struct arena arena_over(void *memory, size_t size);

void arena_fini(struct arena *arena);

/* Bytes that it holds, used or not. */
size_t arena_size(const struct arena *arena);

/* Forgets everything allocated but keeps one chunk for reuse. */
void arena_reset(struct arena *arena);

/* 16-byte aligned; uninitialised; valid until reset or fini. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_dup(struct arena *arena, const void *bytes, size_t size);

/* Formats into the arena. */
char *arena_format(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
