#include "base/mem.h"
#include "state/trie_int.h"

enum {
    CLASS_BYTES = 16,
    CLASS_COUNT = 64, /* up to 1,024 bytes; larger nodes come from the heap one by one */
    CHUNK_MIN = 4096,
    CHUNK_MAX = 1 << 20,
    SCRATCH_KEPT = 64 << 10,
};

struct pool_chunk {
    struct pool_chunk *older;
    size_t size;
    _Alignas(16) u8 bytes[];
};

struct large_node {
    struct large_node *prev, *next;
    _Alignas(16) u8 bytes[];
};

struct free_node {
    struct free_node *next;
};

struct trie_pool {
    struct pool_chunk *chunks;
    u8 *next, *end;
    struct large_node *large;
    void *scratch;
    size_t scratch_size;
    size_t used; /* bytes of nodes */
    struct free_node *free[CLASS_COUNT + 1];
};

struct trie_pool *trie_pool_new(void)
{
    return NEW(struct trie_pool);
}

void trie_pool_free(struct trie_pool *pool)
{
    if (!pool)
        return;
    for (struct pool_chunk *chunk = pool->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        mem_free(chunk);
    }
    for (struct large_node *node = pool->large, *next; node; node = next) {
        next = node->next;
        mem_free(node);
    }
    mem_free(pool->scratch);
    mem_free(pool);
}

static void *large_alloc(struct trie_pool *pool, size_t size)
{
    struct large_node *node = mem_alloc(sizeof *node + size);
    *node = (struct large_node){.next = pool->large};
    if (node->next)
        node->next->prev = node;
    pool->large = node;
    return node->bytes;
}

static void large_release(struct trie_pool *pool, void *bytes)
{
    struct large_node *node =
        (struct large_node *)(void *)((u8 *)bytes - offsetof(struct large_node, bytes));
    *(node->prev ? &node->prev->next : &pool->large) = node->next;
    if (node->next)
        node->next->prev = node->prev;
    mem_free(node);
}

static void class_give(struct trie_pool *pool, void *node, size_t class)
{
    struct free_node *freed = node;
    freed->next = pool->free[class];
    pool->free[class] = freed;
}

/* The rest of the old chunk becomes free nodes. */
static void chunk_add(struct trie_pool *pool)
{
    while (pool->end - pool->next >= CLASS_BYTES) {
        size_t class = (size_t)(pool->end - pool->next) / CLASS_BYTES;
        if (class > CLASS_COUNT)
            class = CLASS_COUNT;
        class_give(pool, pool->next, class);
        pool->next += class * CLASS_BYTES;
    }
    size_t size = pool->chunks ? pool->chunks->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    struct pool_chunk *chunk = mem_alloc(sizeof *chunk + size);
    chunk->older = pool->chunks;
    chunk->size = size;
    pool->chunks = chunk;
    pool->next = chunk->bytes;
    pool->end = chunk->bytes + size;
}

void *node_alloc(struct trie_pool *pool, size_t size)
{
    size_t class = (size + CLASS_BYTES - 1) / CLASS_BYTES;
    pool->used += class * CLASS_BYTES;
    if (class > CLASS_COUNT)
        return large_alloc(pool, size);
    struct free_node *node = pool->free[class];
    if (node) {
        pool->free[class] = node->next;
        return node;
    }
    if ((size_t)(pool->end - pool->next) < class * CLASS_BYTES)
        chunk_add(pool);
    void *fresh = pool->next;
    pool->next += class * CLASS_BYTES;
    return fresh;
}

void node_release(struct trie_pool *pool, void *node, size_t size)
{
    size_t class = (size + CLASS_BYTES - 1) / CLASS_BYTES;
    pool->used -= class * CLASS_BYTES;
    if (class > CLASS_COUNT)
        large_release(pool, node);
    else
        class_give(pool, node, class);
}

size_t trie_pool_size(const struct trie_pool *pool)
{
    return pool->used;
}

void *pool_scratch(struct trie_pool *pool, size_t size)
{
    if (size > pool->scratch_size) {
        size_t grown = pool->scratch_size * 2 > size ? pool->scratch_size * 2 : size;
        pool->scratch = mem_realloc(pool->scratch, grown);
        pool->scratch_size = grown;
    }
    return pool->scratch;
}

void pool_trim(struct trie_pool *pool)
{
    if (pool->scratch_size <= SCRATCH_KEPT)
        return;
    mem_free(pool->scratch);
    pool->scratch = NULL;
    pool->scratch_size = 0;
}
