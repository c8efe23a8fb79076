#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

/* The least is what malloc still serves from its fastest lists; many arenas hold one transaction or block. */
enum { CHUNK_MIN = 992, CHUNK_MAX = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;
    _Alignas(16) u8 bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

struct arena arena_over(void *memory, size_t size)
{
    return (struct arena){.next = memory, .end = (u8 *)memory + size};
}

static void chunks_free(struct arena_chunk *chunk)
{
    while (chunk) {
        struct arena_chunk *older = chunk->older;
        mem_free(chunk);
        chunk = older;
    }
}

void arena_fini(struct arena *arena)
{
    chunks_free(arena->chunks);
    arena_init(arena);
}

size_t arena_size(const struct arena *arena)
{
    size_t size = 0;
    for (const struct arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->older)
        size += sizeof *chunk + chunk->size;
    return size;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = arena->chunks;
    if (!kept)
        return;
    if (kept->size > CHUNK_MAX) {
        arena_fini(arena);
        return;
    }
    chunks_free(kept->older);
    kept->older = NULL;
    arena->next = kept->bytes;
    arena->end = kept->bytes + kept->size;
}

static void chunk_add(struct arena *arena, size_t need)
{
    size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < need)
        size = need;
    struct arena_chunk *chunk = mem_alloc(sizeof *chunk + size);
    chunk->older = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->next = chunk->bytes;
    arena->end = chunk->bytes + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(size < SIZE_MAX / 2);
    static _Alignas(16) u8 nothing[16];
    size_t rounded = (size + 15) & ~(size_t)15;
    if (!size)
        return nothing;
    if (!arena->next || (size_t)(arena->end - arena->next) < rounded)
        chunk_add(arena, rounded);
    void *block = arena->next;
    arena->next += rounded;
    return block;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_dup(struct arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_format(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}
