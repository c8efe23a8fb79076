/*
 * The input is a list of changes: a byte with the key's length and what to do, the key, and for a
 * put the value's length. After each run of changes the root of the trie must be that of a fresh
 * trie with the same content, of the sorted builder, and of a trie that fetches its nodes.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "state/trie.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { ITEMS_MAX = 256 };

struct input {
    const u8 *at, *end;
};

static u8 take(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

struct twin {
    struct trie *trie;
    struct arena arena;
};

static const u8 *twin_get(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                          size_t *len)
{
    struct twin *twin = ctx;
    (void)owner;
    arena_reset(&twin->arena);
    return trie_node(twin->trie, path, path_len, &twin->arena, len);
}

/* All items in order, by asking for neighbours. Keys and values are borrowed from the trie. */
static size_t items_of(struct trie *trie, struct trie_item items[ITEMS_MAX])
{
    size_t count = 0, key_len = 0, len;
    const u8 *key = (const u8 *)"";
    const u8 *value = trie_get(trie, key, 0, &len);
    if (value)
        items[count++] = (struct trie_item){key, value, 0, (u32)len};
    while ((key = trie_next(trie, key, key_len, &key_len)) && count < ITEMS_MAX) {
        value = trie_get(trie, key, key_len, &len);
        assert(value);
        items[count++] = (struct trie_item){key, value, (u32)key_len, (u32)len};
    }
    return count;
}

static void check_same(struct trie *trie)
{
    struct trie_item items[ITEMS_MAX];
    size_t count = items_of(trie, items);
    hash32 root, sorted, fresh_root, fetched_root;
    trie_root(trie, &root);
    if (count == ITEMS_MAX)
        return;
    trie_root_sorted(&sorted, items, count);
    struct trie_pool *pool = trie_pool_new();
    struct trie fresh, fetched;
    trie_init(&fresh, pool);
    for (size_t i = count; i-- > 0;)
        trie_put(&fresh, items[i].key, items[i].key_len, items[i].value, items[i].value_len);
    trie_root(&fresh, &fresh_root);

    struct twin twin = {.trie = trie};
    struct trie_source source = {twin_get, &twin};
    arena_init(&twin.arena);
    trie_init_source(&fetched, pool, &source, &root, &root);
    for (size_t i = 0; i < count; i++) {
        bool deleted = trie_del(&fetched, items[i].key, items[i].key_len);
        assert(deleted);
        trie_put(&fetched, items[i].key, items[i].key_len, items[i].value, items[i].value_len);
    }
    trie_root(&fetched, &fetched_root);
    assert(hash32_eq(&root, &sorted));
    assert(hash32_eq(&root, &fresh_root));
    assert(hash32_eq(&root, &fetched_root));
    arena_fini(&twin.arena);
    trie_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input input = {data, data + size};
    struct trie_pool *pool = trie_pool_new();
    struct trie trie;
    trie_init(&trie, pool);
    for (unsigned steps = 0; input.at < input.end; steps++) {
        u8 head = take(&input), key[8], value[64];
        size_t key_len = head & 7;
        for (size_t i = 0; i < key_len; i++)
            key[i] = take(&input);
        if (head & 0x40) {
            size_t len;
            bool there = trie_get(&trie, key, key_len, &len);
            assert(trie_del(&trie, key, key_len) == there);
        } else {
            size_t len = 1 + (take(&input) & 63);
            memset(value, head, len);
            trie_put(&trie, key, key_len, value, len);
        }
        if (head & 0x80 && steps < 64)
            check_same(&trie);
    }
    check_same(&trie);
    trie_clear(&trie);
    assert(trie_is_empty(&trie));
    trie_pool_free(pool);
    return 0;
}
