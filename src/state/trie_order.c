/* Neighbours of a key. A key that ends comes before all that go on from there. */
#include "state/trie_int.h"

struct search {
    struct trie *trie;
    const u8 *key;
    size_t key_len;
    bool forward;
    u8 path[TRIE_NIBBLES_MAX + 2]; /* where the walk stands */
};

/* Children in the order of keys: the end first, then the nibbles. */
static unsigned rank_of(unsigned nibble)
{
    return nibble == TRIE_END ? 0 : nibble + 1;
}

static unsigned nibble_of(unsigned rank)
{
    return rank == 0 ? TRIE_END : rank - 1;
}

/* The child next to a rank, in the direction of the search; *rank becomes its own. */
static struct trie_link *sibling(const struct search *search, struct branch *branch, int *rank)
{
    do {
        *rank += search->forward ? 1 : -1;
        if (*rank < 0 || *rank >= TRIE_CHILDREN)
            return NULL;
    } while (!(branch->mask >> nibble_of((unsigned)*rank) & 1));
    return branch_child(branch, nibble_of((unsigned)*rank));
}

/* The prefix goes onto the path. Returns the depth below it. */
static size_t step_over(struct search *search, struct branch *branch, size_t depth)
{
    memcpy(search->path + depth, branch_prefix(branch), branch->prefix_len);
    return depth + branch->prefix_len;
}

/* The leaf of a subtree that the search comes upon first. */
static struct leaf *nearest(struct search *search, struct trie_link *link, size_t depth)
{
    for (;;) {
        struct branch *branch = link_resolve(search->trie, link, search->path, depth);
        if (!branch || branch->kind == NODE_LEAF)
            return (struct leaf *)branch;
        depth = step_over(search, branch, depth);
        int rank = search->forward ? -1 : TRIE_CHILDREN;
        link = sibling(search, branch, &rank);
        search->path[depth++] = (u8)nibble_of((unsigned)rank);
    }
}

/* Less than, equal to or greater than 0 as the bytes come before, are, or follow the key. */
static int compare(const struct search *search, const u8 *bytes, size_t len)
{
    size_t shorter = len < search->key_len ? len : search->key_len;
    int order = memcmp(bytes, search->key, shorter);
    return order ? order : (int)len - (int)search->key_len;
}

static int prefix_compare(const struct search *search, struct branch *branch, size_t depth)
{
    const u8 *prefix = branch_prefix(branch);
    for (size_t i = 0; i < branch->prefix_len; i++) {
        unsigned nibble = key_nibble(search->key, search->key_len, depth + i);
        if (prefix[i] != nibble)
            return (int)rank_of(prefix[i]) - (int)rank_of(nibble);
    }
    return 0;
}

static struct leaf *beyond(struct search *search, struct trie_link *link, size_t depth)
{
    struct branch *branch = link_resolve(search->trie, link, search->path, depth);
    if (!branch)
        return NULL;
    int sign = search->forward ? 1 : -1;
    if (branch->kind == NODE_LEAF) {
        struct leaf *leaf = (struct leaf *)branch;
        return sign * compare(search, leaf_key(leaf), leaf->key_len) > 0 ? leaf : NULL;
    }
    int order = prefix_compare(search, branch, depth);
    if (order)
        return sign * order > 0 ? nearest(search, link, depth) : NULL;
    depth = step_over(search, branch, depth);
    unsigned nibble = key_nibble(search->key, search->key_len, depth);
    struct trie_link *child = branch_child(branch, nibble);
    search->path[depth] = (u8)nibble;
    struct leaf *found = child ? beyond(search, child, depth + 1) : NULL;
    if (found)
        return found;
    int rank = (int)rank_of(nibble);
    child = sibling(search, branch, &rank);
    if (!child)
        return NULL;
    search->path[depth] = (u8)nibble_of((unsigned)rank);
    return nearest(search, child, depth + 1);
}

static const u8 *neighbour(struct trie *trie, const u8 *key, size_t key_len, size_t *len,
                           bool forward)
{
    assert(key_len <= TRIE_KEY_MAX);
    struct search search = {.trie = trie, .key = key, .key_len = key_len, .forward = forward};
    struct leaf *leaf = beyond(&search, &trie->root, 0);
    if (!leaf)
        return NULL;
    *len = leaf->key_len;
    return leaf_key(leaf);
}

const u8 *trie_next(struct trie *trie, const u8 *key, size_t key_len, size_t *len)
{
    return neighbour(trie, key, key_len, len, true);
}

const u8 *trie_prev(struct trie *trie, const u8 *key, size_t key_len, size_t *len)
{
    return neighbour(trie, key, key_len, len, false);
}
