/*
 * Any bytes as a node that a source hands out: no crash, whatever is then asked of the trie; and what
 * is accepted as a leaf or a branch encodes to the bytes it came from. The first byte picks the key.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/keccak.h"
#include "state/trie_int.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The root's bytes are the input; everything below it is missing. */
struct given {
    u8 *bytes;
    size_t len;
};

static const u8 *given_get(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                           size_t *len)
{
    const struct given *given = ctx;
    (void)owner;
    (void)path;
    *len = given->len;
    return path_len == 0 ? given->bytes : NULL;
}

static void check_round_trip(struct trie *trie, const struct given *given)
{
    const void *node = link_node(&trie->root);
    if (!node)
        return;
    struct arena arena;
    size_t len;
    arena_init(&arena);
    const u8 *encoded = trie_node(trie, (const u8 *)"", 0, &arena, &len);
    assert(encoded && len == given->len && memcmp(encoded, given->bytes, len) == 0);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1)
        return 0;
    struct given given = {mem_dup(data + 1, size - 1), size - 1};
    struct trie_source source = {given_get, &given};
    struct trie_pool *pool = trie_pool_new();
    struct trie trie;
    hash32 key, root;
    size_t len;
    keccak256(&key, data, 1);
    keccak256(&root, given.bytes, given.len);
    trie_init_source(&trie, pool, &source, &root, &root);
    trie_get(&trie, key.b, data[0] % 33, &len);
    check_round_trip(&trie, &given);
    trie_next(&trie, key.b, 1, &len);
    trie_prev(&trie, key.b, 1, &len);
    trie_del(&trie, key.b, data[0] % 33);
    trie_put(&trie, key.b, 32, key.b, 32);
    trie_root(&trie, &root);
    trie_clear(&trie);
    trie_pool_free(pool);
    mem_free(given.bytes);
    return 0;
}
