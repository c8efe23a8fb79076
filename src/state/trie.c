#include "state/trie.h"

#include "prim/keccak.h"
#include "state/trie_int.h"

const hash32 TRIE_EMPTY_ROOT = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};

void trie_init(struct trie *trie, struct trie_pool *pool)
{
    *trie = (struct trie){.pool = pool};
}

void trie_init_source(struct trie *trie, struct trie_pool *pool, const struct trie_source *source,
                      const hash32 *owner, const hash32 *root)
{
    *trie = (struct trie){.pool = pool, .source = source, .owner = *owner};
    if (!hash32_eq(root, &TRIE_EMPTY_ROOT))
        link_set_hash(&trie->root, root);
}

void trie_init_stored(struct trie *trie, struct trie_pool *pool, const struct trie_source *source,
                      const hash32 *owner)
{
    *trie = (struct trie){.pool = pool, .source = source, .owner = *owner};
    link_set(&trie->root, stored_load(trie, &trie->root, NULL, 0));
    trie_hash(&trie, 1);
    if (!link_is_empty(&trie->root))
        trie->root.bits |= LINK_SAVED;
}

bool trie_is_empty(const struct trie *trie)
{
    return link_is_empty(&trie->root);
}

void node_free(struct trie_pool *pool, void *node)
{
    if (!node)
        return;
    if (node_kind(node) == NODE_LEAF) {
        node_release(pool, node, leaf_size(node));
        return;
    }
    struct branch *branch = node;
    for (unsigned i = 0; i < branch_count(branch); i++)
        node_free(pool, link_node(branch->links + i));
    node_release(pool, branch, branch_size(branch));
}

static bool is_stored(const struct trie *trie)
{
    return trie->source && trie->source->store;
}

/* The store is told that the branch which was there is no more. */
static void branch_gone(const struct trie *trie, const u8 *path, size_t path_len)
{
    if (is_stored(trie))
        trie->source->store->gone(trie->source->ctx, &trie->owner, path, path_len, false);
}

void trie_clear(struct trie *trie)
{
    if (is_stored(trie) && !link_is_empty(&trie->root))
        trie->source->store->gone(trie->source->ctx, &trie->owner, NULL, 0, true);
    node_free(trie->pool, link_node(&trie->root));
    trie->root = (struct trie_link){0};
}

static void *link_load(struct trie *trie, struct trie_link *link, const u8 *prefix, size_t path_len)
{
    void *node;
    u8 path[TRIE_NIBBLES_MAX + 2];
    if (path_len)
        memcpy(path, prefix, path_len);
    if (link->bits & LINK_EMBEDDED) {
        node = node_decode(trie, link->ref, (size_t)(link->ref[0] - 0xc0) + 1, path, path_len);
    } else if (is_stored(trie)) {
        node = stored_load(trie, link, path, path_len);
    } else {
        assert(trie->source);
        size_t len;
        const u8 *rlp =
            trie->source->node_get(trie->source->ctx, &trie->owner, path, path_len, &len);
        node = rlp ? node_decode(trie, rlp, len, path, path_len) : NULL;
    }
    if (node)
        link->bits |= (u64)(uintptr_t)node | (is_stored(trie) ? LINK_SAVED : 0);
    return node;
}

void *link_resolve(struct trie *trie, struct trie_link *link, const u8 *path, size_t path_len)
{
    void *node = link_node(link);
    if (LIKELY(node) || link_is_empty(link))
        return node;
    return link_load(trie, link, path, path_len);
}

/* A key unpacked, with its terminator; also the path to whatever lies on the way to it. */
struct nibbles {
    size_t len; /* without the terminator */
    u8 at[TRIE_NIBBLES_MAX + 1];
};

static void nibbles_unpack(struct nibbles *out, const u8 *key, size_t key_len)
{
    assert(key_len <= TRIE_KEY_MAX);
    for (size_t i = 0; i < key_len; i++) {
        out->at[2 * i] = key[i] >> 4;
        out->at[2 * i + 1] = key[i] & 15;
    }
    out->len = 2 * key_len;
    out->at[out->len] = TRIE_END;
}

/* How many nibbles of the branch's prefix lie on the way to the key. */
static size_t prefix_match(struct branch *branch, const struct nibbles *nibs, size_t depth)
{
    const u8 *prefix = branch_prefix(branch);
    size_t i = 0;
    while (i < branch->prefix_len && depth + i < nibs->len && prefix[i] == nibs->at[depth + i])
        i++;
    return i;
}

static bool leaf_has_key(const struct leaf *leaf, const u8 *key, size_t key_len)
{
    return leaf->key_len == key_len && memcmp(leaf->bytes, key, key_len) == 0;
}

/* The leaf with this key, or NULL. Marks all links on the way dirty if so asked. */
static struct leaf *leaf_find(struct trie *trie, struct nibbles *nibs, const u8 *key,
                              size_t key_len, bool mark_dirty)
{
    struct trie_link *link = &trie->root;
    size_t depth = 0;
    for (;;) {
        void *node = link_resolve(trie, link, nibs->at, depth);
        if (!node)
            return NULL;
        if (mark_dirty)
            link_set(link, node);
        if (node_kind(node) == NODE_LEAF)
            return leaf_has_key(node, key, key_len) ? node : NULL;
        struct branch *branch = node;
        if (prefix_match(branch, nibs, depth) < branch->prefix_len)
            return NULL;
        depth += branch->prefix_len;
        link = branch_child(branch, nibs->at[depth]);
        if (!link)
            return NULL;
        depth++;
    }
}

const u8 *trie_get(struct trie *trie, const u8 *key, size_t key_len, size_t *len)
{
    struct nibbles nibs;
    nibbles_unpack(&nibs, key, key_len);
    struct leaf *leaf = leaf_find(trie, &nibs, key, key_len, false);
    if (!leaf)
        return NULL;
    *len = leaf->value_len;
    return leaf_value(leaf);
}

/* --- putting -------------------------------------------------------------------------------- */

/* Adds a child that was not there; the branch may move. Returns it. */
static struct branch *branch_add(struct trie_pool *pool, struct branch *branch, unsigned nibble,
                                 struct trie_link child)
{
    unsigned count = branch_count(branch);
    if (count == branch->cap) {
        unsigned cap = count + count / 2 + 1;
        struct branch *wider = branch_new(pool, cap < TRIE_CHILDREN ? cap : TRIE_CHILDREN,
                                          branch_prefix(branch), branch->prefix_len);
        wider->mask = branch->mask;
        memcpy(wider->links, branch->links, count * sizeof *branch->links);
        node_release(pool, branch, branch_size(branch));
        branch = wider;
    }
    unsigned at = (unsigned)__builtin_popcount(branch->mask & (((u32)1 << nibble) - 1));
    memmove(branch->links + at + 1, branch->links + at, (count - at) * sizeof *branch->links);
    branch->links[at] = child;
    branch->mask |= (u32)1 << nibble;
    return branch;
}

static struct trie_link link_to(void *node)
{
    struct trie_link link = {0};
    link_set(&link, node);
    return link;
}

/* Two leaves where one was. */
static struct branch *leaf_split(struct trie_pool *pool, struct leaf *old,
                                 struct trie_link old_link, struct leaf *added, size_t depth)
{
    u8 prefix[TRIE_NIBBLES_MAX];
    size_t len = 0;
    unsigned a, b;
    for (;;) {
        a = key_nibble(leaf_key(old), old->key_len, depth + len);
        b = key_nibble(leaf_key(added), added->key_len, depth + len);
        if (a != b)
            break;
        prefix[len++] = (u8)a;
    }
    struct branch *branch = branch_new(pool, 2, prefix, len);
    branch = branch_add(pool, branch, a, old_link);
    return branch_add(pool, branch, b, link_to(added));
}

/* A branch whose prefix the key leaves after `same` nibbles gets a parent for both. */
static struct branch *branch_split(struct trie_pool *pool, struct branch *old, size_t same,
                                   unsigned nibble, struct leaf *added)
{
    u8 *prefix = branch_prefix(old);
    struct branch *parent = branch_new(pool, 2, prefix, same);
    unsigned old_nibble = prefix[same];
    struct branch *lower =
        branch_new(pool, old->cap, prefix + same + 1, old->prefix_len - same - 1);
    lower->mask = old->mask;
    memcpy(lower->links, old->links, branch_count(old) * sizeof *old->links);
    node_release(pool, old, branch_size(old));
    parent = branch_add(pool, parent, old_nibble, link_to(lower));
    return branch_add(pool, parent, nibble, link_to(added));
}

static struct leaf *leaf_set_value(struct trie_pool *pool, struct leaf *leaf, const u8 *value,
                                   size_t len)
{
    if (len == leaf->value_len) {
        memcpy(leaf_value(leaf), value, len);
        return leaf;
    }
    struct leaf *fresh = leaf_new(pool, leaf_key(leaf), leaf->key_len, value, len);
    node_release(pool, leaf, leaf_size(leaf));
    return fresh;
}

/* Puts at a link that leads to a leaf or nowhere. */
static void link_put_leaf(struct trie *trie, struct trie_link *link, struct leaf *old, size_t depth,
                          const struct trie_item *item)
{
    struct trie_pool *pool = trie->pool;
    if (old && leaf_has_key(old, item->key, item->key_len)) {
        link_set(link, leaf_set_value(pool, old, item->value, item->value_len));
        return;
    }
    struct leaf *leaf = leaf_new(pool, item->key, item->key_len, item->value, item->value_len);
    link_set(link, old ? (void *)leaf_split(pool, old, link_to(old), leaf, depth) : leaf);
}

void trie_put(struct trie *trie, const u8 *key, size_t key_len, const u8 *value, size_t len)
{
    assert(len > 0 && len <= UINT32_MAX);
    const struct trie_item item = {key, value, (u32)key_len, (u32)len};
    struct nibbles nibs;
    nibbles_unpack(&nibs, key, key_len);
    struct trie_link *link = &trie->root;
    for (size_t depth = 0;;) {
        struct branch *branch = link_resolve(trie, link, nibs.at, depth);
        if (!branch || branch->kind == NODE_LEAF) {
            link_put_leaf(trie, link, (struct leaf *)branch, depth, &item);
            return;
        }
        link_set(link, branch);
        size_t same = prefix_match(branch, &nibs, depth);
        depth += same;
        struct trie_link *child = branch_child(branch, nibs.at[depth]);
        if (same < branch->prefix_len || !child) {
            struct leaf *leaf = leaf_new(trie->pool, key, key_len, value, len);
            link_set(link, same < branch->prefix_len
                               ? branch_split(trie->pool, branch, same, nibs.at[depth], leaf)
                               : branch_add(trie->pool, branch, nibs.at[depth], link_to(leaf)));
            return;
        }
        link = child;
        depth++;
    }
}

/* --- deleting ------------------------------------------------------------------------------- */

/* A branch with one child left gives way to it. path leads to the branch. */
static void branch_collapse(struct trie *trie, struct trie_link *link, struct branch *branch,
                            u8 *path, size_t depth)
{
    unsigned nibble = (unsigned)__builtin_ctz(branch->mask);
    size_t len = branch->prefix_len;
    memcpy(path + depth, branch_prefix(branch), len);
    path[depth + len++] = (u8)nibble;
    struct branch *child = link_resolve(trie, branch->links, path, depth + len);
    if (!child) /* the source failed and knows it: what is no trie any more is never kept */
        return;
    branch_gone(trie, path, child->kind == NODE_BRANCH ? depth + len : depth);
    if (child->kind == NODE_BRANCH) {
        memcpy(path + depth + len, branch_prefix(child), child->prefix_len);
        struct branch *merged =
            branch_new(trie->pool, child->cap, path + depth, len + child->prefix_len);
        merged->mask = child->mask;
        memcpy(merged->links, child->links, branch_count(child) * sizeof *child->links);
        node_release(trie->pool, child, branch_size(child));
        child = merged;
    }
    link_set(link, child);
    node_release(trie->pool, branch, branch_size(branch));
}

static void branch_remove(struct branch *branch, unsigned nibble)
{
    struct trie_link *child = branch_child(branch, nibble);
    size_t after = branch_count(branch) - (size_t)(child - branch->links) - 1;
    memmove(child, child + 1, after * sizeof *child);
    branch->mask &= ~((u32)1 << nibble);
}

bool trie_del(struct trie *trie, const u8 *key, size_t key_len)
{
    struct nibbles nibs;
    nibbles_unpack(&nibs, key, key_len);
    if (!leaf_find(trie, &nibs, key, key_len, false))
        return false;
    struct leaf *leaf = leaf_find(trie, &nibs, key, key_len, true);

    struct trie_link *link = &trie->root, *child = link;
    size_t depth = 0, child_depth = 0;
    while (link_node(child) != leaf) {
        link = child;
        depth = child_depth;
        struct branch *branch = link_node(link);
        child_depth = depth + branch->prefix_len;
        child = branch_child(branch, nibs.at[child_depth++]);
    }
    node_release(trie->pool, leaf, leaf_size(leaf));
    if (child == &trie->root) {
        trie->root = (struct trie_link){0};
        return true;
    }
    struct branch *branch = link_node(link);
    branch_remove(branch, nibs.at[child_depth - 1]);
    if (branch_count(branch) == 1)
        branch_collapse(trie, link, branch, nibs.at, depth);
    return true;
}

void trie_root(struct trie *trie, hash32 *root)
{
    trie_hash(&trie, 1);
    if (trie_is_empty(trie))
        *root = TRIE_EMPTY_ROOT;
    else if (trie->root.bits & LINK_EMBEDDED)
        keccak256(root, trie->root.ref, (size_t)(trie->root.ref[0] - 0xc0) + 1);
    else
        memcpy(root->b, trie->root.ref, sizeof root->b);
}
