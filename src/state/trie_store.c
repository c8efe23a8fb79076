/*
 * Tries in a store. A record holds a branch with the nibbles that its children share, and what the
 * branch's encoding holds of each child; leaves are not stored, as the store has their keys and values
 * anyway. Layout: which children there are, which of them are leaves, and which are embedded (16 bits
 * each, low nibble first), the shared nibbles' count and they themselves, two a byte; then the
 * children: a hash, or the node itself if embedded.
 */
#include "state/trie_int.h"

enum { HEAD = 7 };

static size_t embedded_len(const u8 *rlp)
{
    return (size_t)(rlp[0] - 0xc0) + 1;
}

/* --- saving ----------------------------------------------------------------------------------- */

struct save {
    const struct trie *trie;
    trie_put_fn *put;
    void *arg;
    u8 path[TRIE_NIBBLES_MAX + 1];
};

static bool leads_to_leaf(const struct trie_link *link)
{
    const void *node = link_node(link);
    return node ? node_kind(node) == NODE_LEAF : link->bits & LINK_LEAF;
}

static u8 *put_mask(u8 *out, unsigned mask)
{
    out[0] = (u8)mask;
    out[1] = (u8)(mask >> 8);
    return out + 2;
}

static u8 *put_prefix(u8 *out, const u8 *prefix, size_t len)
{
    *out++ = (u8)len;
    for (size_t i = 0; i < len; i += 2)
        *out++ = (u8)(prefix[i] << 4 | (i + 1 < len ? prefix[i + 1] : 0));
    return out;
}

size_t branch_record_write(u8 out[BRANCH_RECORD_MAX], struct branch *branch)
{
    unsigned leaves = 0, embedded = 0;
    assert(branch->mask >> 16 == 0 && branch->prefix_len < 256);
    const struct trie_link *link = branch->links;
    for (unsigned mask = branch->mask; mask; mask &= mask - 1, link++) {
        unsigned bit = mask & -mask;
        assert(link->bits & LINK_REF);
        leaves |= leads_to_leaf(link) ? bit : 0;
        embedded |= link->bits & LINK_EMBEDDED ? bit : 0;
    }
    u8 *p = put_mask(put_mask(put_mask(out, branch->mask), leaves), embedded);
    p = put_prefix(p, branch_prefix(branch), branch->prefix_len);
    link = branch->links;
    for (unsigned mask = branch->mask; mask; mask &= mask - 1, link++) {
        size_t len = link->bits & LINK_EMBEDDED ? embedded_len(link->ref) : sizeof link->ref;
        memcpy(p, link->ref, len);
        p += len;
    }
    return (size_t)(p - out);
}

static void link_save(struct save *save, struct trie_link *link, size_t depth)
{
    struct branch *branch = link_node(link);
    if (link->bits & LINK_SAVED || !branch)
        return;
    assert(link->bits & LINK_REF);
    link->bits |= LINK_SAVED;
    if (branch->kind == NODE_LEAF)
        return;
    const hash32 *owner = &save->trie->owner;
    if (link->bits & LINK_EMBEDDED && depth > 0) {
        save->put(save->arg, owner, save->path, depth, NULL, 0);
    } else {
        u8 record[BRANCH_RECORD_MAX];
        size_t len = branch_record_write(record, branch);
        save->put(save->arg, owner, save->path, depth, record, len);
    }
    memcpy(save->path + depth, branch_prefix(branch), branch->prefix_len);
    depth += branch->prefix_len;
    struct trie_link *child = branch->links;
    for (unsigned mask = branch->mask; mask; mask &= mask - 1, child++) {
        save->path[depth] = (u8)__builtin_ctz(mask);
        link_save(save, child, depth + 1);
    }
}

void trie_save(struct trie *trie, trie_put_fn *put, void *arg)
{
    struct save save = {trie, put, arg, {0}};
    link_save(&save, &trie->root, 0);
}

/* --- loading ---------------------------------------------------------------------------------- */

struct record {
    unsigned mask, leaves, embedded;
    size_t prefix_len, len;
    const u8 *prefix, *refs;
};

static bool record_read(struct record *record, const u8 *bytes, size_t len)
{
    if (len < HEAD)
        return false;
    record->mask = (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
    record->leaves = (unsigned)bytes[2] | (unsigned)bytes[3] << 8;
    record->embedded = (unsigned)bytes[4] | (unsigned)bytes[5] << 8;
    record->prefix_len = bytes[6];
    record->prefix = bytes + HEAD;
    size_t at = HEAD + (record->prefix_len + 1) / 2;
    record->refs = bytes + at;
    record->len = len;
    for (unsigned mask = record->mask; mask; mask &= mask - 1) {
        if (at >= len)
            return false;
        bool embedded = record->embedded & mask & -mask;
        if (embedded && (bytes[at] < 0xc1 || bytes[at] > 0xc0 + 30))
            return false;
        at += embedded ? embedded_len(bytes + at) : sizeof(hash32);
    }
    return at == len && __builtin_popcount(record->mask) >= 2;
}

bool trie_record_is_sound(const u8 *bytes, size_t len)
{
    struct record record;
    return record_read(&record, bytes, len);
}

static struct branch *branch_load(struct trie *trie, const struct record *record)
{
    u8 prefix[256];
    for (size_t i = 0; i < record->prefix_len; i++)
        prefix[i] = i & 1 ? record->prefix[i / 2] & 15 : record->prefix[i / 2] >> 4;
    unsigned count = (unsigned)__builtin_popcount(record->mask);
    struct branch *branch = branch_new(trie->pool, count, prefix, record->prefix_len);
    branch->mask = record->mask;
    struct trie_link *link = branch->links;
    const u8 *ref = record->refs;
    for (unsigned mask = record->mask; mask; mask &= mask - 1, link++) {
        unsigned bit = mask & -mask;
        bool embedded = record->embedded & bit;
        size_t len = embedded ? embedded_len(ref) : sizeof link->ref;
        link->bits = LINK_REF | LINK_SAVED | (embedded ? LINK_EMBEDDED : 0) |
                     (record->leaves & bit ? LINK_LEAF : 0);
        memcpy(link->ref, ref, len);
        ref += len;
    }
    return branch;
}

void *stored_load(struct trie *trie, const struct trie_link *link, const u8 *path, size_t path_len)
{
    struct trie_stored found;
    struct record record;
    const struct trie_source *source = trie->source;
    if (!source->store->find(source->ctx, &trie->owner, path, path_len, link->bits & LINK_LEAF,
                             &found))
        return NULL;
    if (!found.branch)
        return leaf_new(trie->pool, found.key, found.key_len, found.value, found.value_len);
    return record_read(&record, found.branch, found.branch_len) ? branch_load(trie, &record) : NULL;
}

/* --- unloading -------------------------------------------------------------------------------- */

static void link_unload(struct trie_pool *pool, struct trie_link *link, unsigned branches_kept)
{
    struct branch *branch = link_node(link);
    if (!branch)
        return;
    assert(link->bits & LINK_SAVED);
    if (branches_kept > 0 && branch->kind == NODE_BRANCH) {
        for (unsigned i = 0; i < branch_count(branch); i++)
            link_unload(pool, branch->links + i, branches_kept - 1);
        return;
    }
    u64 leaf = branch->kind == NODE_LEAF ? LINK_LEAF : 0;
    node_free(pool, branch);
    link->bits = (link->bits & LINK_FLAGS) | leaf;
}

void trie_unload(struct trie *trie, unsigned branches_kept)
{
    link_unload(trie->pool, &trie->root, branches_kept);
}
