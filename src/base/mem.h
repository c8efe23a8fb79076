/*
 * The heap. Nothing outside this room calls malloc: these never return NULL (running out of memory
 * ends the process with words, as no caller could do better), and they count what is held, so that
 * tests can prove where nothing is allocated.
 */
#pragma once

#include "base/types.h"

void *mem_alloc(size_t size);  /* uninitialised */
void *mem_zalloc(size_t size); /* zeroed; large blocks come lazily from the system */
void *mem_realloc(void *old, size_t size);
void *mem_dup(const void *bytes, size_t size); /* a copy */
char *mem_strdup(const char *text);
void mem_free(void *block); /* NULL is fine */

#define NEW(type)          ((type *)mem_zalloc(sizeof(type)))
#define NEW_ARRAY(type, n) ((type *)mem_zalloc(sizeof(type) * (size_t)(n)))

/* Gives what is free back to the system. Takes long: for when nothing happens. */
void mem_trim(void);

/* Trades time for memory, before any thread is started: what is large is the system's own and goes back when freed, and
 * threads share their heaps. */
void mem_set_tight(void);

/* Number of allocations made by this thread since it started. */
u64 mem_allocations(void);
