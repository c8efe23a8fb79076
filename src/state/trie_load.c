/* Nodes made: new ones, and those read back from their RLP. */
#include "prim/rlp.h"
#include "state/trie_int.h"

static size_t leaf_bytes(size_t key_len, size_t value_len)
{
    return sizeof(struct leaf) + key_len + value_len;
}

size_t leaf_size(const struct leaf *leaf)
{
    return leaf_bytes(leaf->key_len, leaf->value_len);
}

struct leaf *leaf_new(struct trie_pool *pool, const u8 *key, size_t key_len, const u8 *value,
                      size_t len)
{
    struct leaf *leaf = node_alloc(pool, leaf_bytes(key_len, len));
    leaf->kind = NODE_LEAF;
    leaf->key_len = (u8)key_len;
    leaf->value_len = (u32)len;
    if (key_len)
        memcpy(leaf->bytes, key, key_len);
    memcpy(leaf->bytes + key_len, value, len);
    return leaf;
}

static size_t branch_bytes(size_t cap, size_t prefix_len)
{
    return sizeof(struct branch) + cap * sizeof(struct trie_link) + prefix_len;
}

size_t branch_size(const struct branch *branch)
{
    return branch_bytes(branch->cap, branch->prefix_len);
}

struct branch *branch_new(struct trie_pool *pool, unsigned cap, const u8 *prefix, size_t prefix_len)
{
    struct branch *branch = node_alloc(pool, branch_bytes(cap, prefix_len));
    branch->kind = NODE_BRANCH;
    branch->cap = (u8)cap;
    branch->prefix_len = (u16)prefix_len;
    branch->mask = 0;
    if (prefix_len)
        memcpy(branch_prefix(branch), prefix, prefix_len);
    return branch;
}

/* Hex-prefix encoding read back: nibbles appended to path. False when malformed or too long. */
static bool path_decode(const u8 *hp, size_t hp_len, u8 *path, size_t *path_len, bool *is_leaf)
{
    if (hp_len == 0 || hp[0] >> 4 > 3)
        return false;
    bool odd = hp[0] >> 4 & 1;
    if ((!odd && hp[0] & 15) || *path_len + 2 * hp_len > TRIE_NIBBLES_MAX + 1)
        return false;
    *is_leaf = hp[0] >> 5;
    if (odd)
        path[(*path_len)++] = hp[0] & 15;
    for (size_t i = 1; i < hp_len; i++) {
        path[(*path_len)++] = hp[i] >> 4;
        path[(*path_len)++] = hp[i] & 15;
    }
    return *path_len <= TRIE_NIBBLES_MAX;
}

static void *leaf_decode(struct trie *trie, struct rlp *items, const u8 *path, size_t path_len)
{
    const u8 *value;
    size_t len;
    if (path_len % 2 || rlp_bytes(items, &value, &len) || rlp_finish(items) || !len)
        return NULL;
    u8 key[TRIE_KEY_MAX];
    for (size_t i = 0; i < path_len / 2; i++)
        key[i] = (u8)(path[2 * i] << 4 | path[2 * i + 1]);
    return leaf_new(trie->pool, key, path_len / 2, value, len);
}

/* A child as it stands in its parent: nothing, a hash, or a short node. */
static bool link_decode(struct trie_link *link, struct rlp *items)
{
    struct rlp_item item;
    *link = (struct trie_link){0};
    if (rlp_item(items, &item))
        return false;
    if (!item.is_list && item.len == 0)
        return true;
    if (!item.is_list && item.len == 32) {
        link_set_hash(link, (const hash32 *)(const void *)item.payload);
        return true;
    }
    size_t whole = (size_t)(item.payload - item.start) + item.len;
    if (!item.is_list || whole >= 32)
        return false;
    link_set_ref(link, item.start, whole);
    return true;
}

static void *extension_decode(struct trie *trie, struct rlp *items, u8 *path, size_t start,
                              size_t end)
{
    struct trie_link link;
    if (end == start || !link_decode(&link, items) || rlp_finish(items) || link_is_empty(&link))
        return NULL;
    struct branch *below = link_resolve(trie, &link, path, end);
    if (!below || below->kind != NODE_BRANCH || below->prefix_len)
        return NULL;
    struct branch *branch = branch_new(trie->pool, below->cap, path + start, end - start);
    branch->mask = below->mask;
    memcpy(branch->links, below->links, branch_count(below) * sizeof *below->links);
    node_release(trie->pool, below, branch_size(below));
    return branch;
}

static void *branch_decode(struct trie *trie, struct rlp *items, const u8 *path, size_t path_len)
{
    struct trie_link links[TRIE_CHILDREN];
    u32 mask = 0;
    unsigned count = 0;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        if (!link_decode(links + count, items))
            return NULL;
        if (!link_is_empty(links + count)) {
            mask |= (u32)1 << nibble;
            count++;
        }
    }
    struct rlp rest = *items;
    const u8 *value;
    size_t len;
    if (rlp_bytes(items, &value, &len) || rlp_finish(items) || count + (len > 0) < 2)
        return NULL;
    if (len) {
        void *leaf = leaf_decode(trie, &rest, path, path_len);
        if (!leaf)
            return NULL;
        link_set(links + count, leaf);
        mask |= (u32)1 << TRIE_END;
        count++;
    }
    struct branch *branch = branch_new(trie->pool, count, NULL, 0);
    branch->mask = mask;
    memcpy(branch->links, links, count * sizeof *links);
    return branch;
}

void *node_decode(struct trie *trie, const u8 *rlp, size_t len, u8 *path, size_t path_len)
{
    struct rlp outer = rlp_open(rlp, len), items;
    size_t count;
    if (rlp_list(&outer, &items) || rlp_finish(&outer) || rlp_count(items, &count))
        return NULL;
    if (count == TRIE_CHILDREN)
        return branch_decode(trie, &items, path, path_len);
    const u8 *hp;
    size_t hp_len, end = path_len;
    bool is_leaf;
    if (count != 2 || rlp_bytes(&items, &hp, &hp_len) ||
        !path_decode(hp, hp_len, path, &end, &is_leaf))
        return NULL;
    return is_leaf ? leaf_decode(trie, &items, path, end)
                   : extension_decode(trie, &items, path, path_len, end);
}
