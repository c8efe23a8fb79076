/*
 * Bringing hashes up to date. The changed nodes of all tries are listed with their depth; nodes of
 * one depth do not depend on each other, so the deepest go first, four side by side.
 */
#include "base/mem.h"
#include "prim/keccak.h"
#include "state/trie_int.h"

enum { DEPTHS = TRIE_NIBBLES_MAX + 1, LANES = 4, LANE_BYTES = 640 };

struct work {
    struct link_at *items;
    size_t count, cap;
    u32 at_depth[DEPTHS + 1];
    size_t depth_max;
};

/* Four encodings that wait to be hashed together. */
struct lanes {
    unsigned count;
    struct trie_link *links[LANES];
    size_t lens[LANES];
    u8 bytes[LANES][LANE_BYTES];
};

static void work_add(struct work *work, struct trie_link *link, size_t depth)
{
    if (work->count == work->cap) {
        work->cap = work->cap ? 2 * work->cap : 256;
        work->items = mem_realloc(work->items, work->cap * sizeof *work->items);
    }
    work->items[work->count++] = (struct link_at){link, depth};
    work->at_depth[depth]++;
    if (depth > work->depth_max)
        work->depth_max = depth;
}

static void work_collect(struct work *work, struct trie_link *link, size_t depth)
{
    if (!link_is_dirty(link))
        return;
    work_add(work, link, depth);
    struct branch *branch = link_node(link);
    if (branch->kind == NODE_LEAF)
        return;
    unsigned children = (unsigned)__builtin_popcount(branch->mask & 0xffff);
    for (unsigned i = 0; i < children; i++)
        work_collect(work, branch->links + i, depth + branch->prefix_len + 1);
}

/* The branch's own reference is in place; above it stands its prefix, as an extension. */
static void link_extend(struct trie_link *link)
{
    struct branch *branch = link_node(link);
    if (branch->kind == NODE_LEAF || branch->prefix_len == 0)
        return;
    u8 ref[33], extension[EXTENSION_MAX];
    size_t ref_len = link_ref_encode(ref, link);
    size_t len =
        extension_encode(extension, branch_prefix(branch), branch->prefix_len, ref, ref_len);
    link->bits &= ~(u64)LINK_FLAGS;
    link_set_ref(link, extension, len);
}

static void lanes_flush(struct lanes *lanes)
{
    const void *data[LANES];
    hash32 hashes[LANES];
    for (unsigned i = 0; i < lanes->count; i++)
        data[i] = lanes->bytes[i];
    hash_few(hashes, data, lanes->lens, lanes->count);
    for (unsigned i = 0; i < lanes->count; i++) {
        link_set_hash(lanes->links[i], hashes + i);
        link_extend(lanes->links[i]);
    }
    lanes->count = 0;
}

static size_t node_encoded_size(const void *node, size_t depth)
{
    return node_kind(node) == NODE_LEAF ? leaf_encoded_size(node, depth)
                                        : branch_encoded_size(node);
}

static size_t node_encode(u8 *out, const void *node, size_t depth)
{
    return node_kind(node) == NODE_LEAF ? leaf_encode(out, node, depth) : branch_encode(out, node);
}

/* A value too long for a lane is hashed on its own. */
static void link_hash_large(struct trie_link *link, size_t depth, size_t size)
{
    u8 *bytes = mem_alloc(size);
    link_set_ref(link, bytes, node_encode(bytes, link_node(link), depth));
    mem_free(bytes);
    link_extend(link);
}

/* Nodes of one keccak block and longer ones go into different lanes, so that none waits. */
static void link_hash(struct trie_link *link, size_t depth, struct lanes lanes_by_size[2])
{
    void *node = link_node(link);
    size_t size = node_encoded_size(node, depth);
    if (size > LANE_BYTES) {
        link_hash_large(link, depth, size);
        return;
    }
    struct lanes *lanes = lanes_by_size + (size >= KECCAK256_RATE);
    u8 *bytes = lanes->bytes[lanes->count];
    size_t len = node_encode(bytes, node, depth);
    if (len < 32) {
        link_set_ref(link, bytes, len);
        link_extend(link);
        return;
    }
    lanes->links[lanes->count] = link;
    lanes->lens[lanes->count++] = len;
    if (lanes->count == LANES)
        lanes_flush(lanes);
}

/* Sorts the list by depth, deepest first. */
static void work_sort(struct work *work, struct link_at *sorted)
{
    u32 next = 0;
    for (size_t depth = work->depth_max + 1; depth-- > 0;) {
        u32 count = work->at_depth[depth];
        work->at_depth[depth] = next;
        next += count;
    }
    for (size_t i = 0; i < work->count; i++)
        sorted[work->at_depth[work->items[i].depth]++] = work->items[i];
}

static void work_hash(const struct link_at *sorted, size_t count)
{
    struct lanes lanes[2];
    lanes[0].count = lanes[1].count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && sorted[i].depth != sorted[i - 1].depth) {
            lanes_flush(lanes);
            lanes_flush(lanes + 1);
        }
        link_hash(sorted[i].link, sorted[i].depth, lanes);
    }
    lanes_flush(lanes);
    lanes_flush(lanes + 1);
}

void links_hash(const struct link_at *links, size_t count)
{
    struct work work = {.items = NULL};
    for (size_t i = 0; i < count; i++)
        work_collect(&work, links[i].link, links[i].depth);
    struct link_at *sorted = mem_alloc(work.count * sizeof *sorted);
    work_sort(&work, sorted);
    work_hash(sorted, work.count);
    mem_free(sorted);
    mem_free(work.items);
}

void trie_hash(struct trie *const *tries, size_t count)
{
    if (count == 0)
        return;
    struct trie_pool *pool = tries[0]->pool;
    struct work work = {.items = NULL};
    for (size_t i = 0; i < count; i++)
        work_collect(&work, &tries[i]->root, 0);
    if (work.count == 0)
        return;
    struct link_at *sorted = pool_scratch(pool, work.count * sizeof *sorted);
    work_sort(&work, sorted);
    work_hash(sorted, work.count);
    mem_free(work.items);
    pool_trim(pool);
}

/* --- nodes shown to others -------------------------------------------------------------------- */

/* The walk's state: RLP of a node is written here. */
struct shown {
    u8 *bytes;
    size_t len;
};

static struct shown node_show(struct trie *trie, const void *node, size_t depth)
{
    struct shown shown;
    shown.bytes = pool_scratch(trie->pool, node_encoded_size(node, depth));
    shown.len = node_encode(shown.bytes, node, depth);
    return shown;
}

/* The extension above a branch, which is already shown. */
static size_t extension_show(u8 out[EXTENSION_MAX], struct branch *branch, struct shown below)
{
    u8 ref[33];
    size_t ref_len = ref_encode(ref, below.bytes, below.len);
    return extension_encode(out, branch_prefix(branch), branch->prefix_len, ref, ref_len);
}

/* A child's root is at that many nibbles; path beyond it is what is looked for. */
static bool prefix_leads(struct branch *branch, const u8 *path, size_t len)
{
    return len >= branch->prefix_len &&
           memcmp(branch_prefix(branch), path, branch->prefix_len) == 0;
}

const u8 *trie_node(struct trie *trie, const u8 *path, size_t path_len, struct arena *arena,
                    size_t *len)
{
    struct trie_link *link = &trie->root;
    struct branch *branch;
    size_t depth = 0;
    bool past_prefix = false;
    for (;;) {
        branch = link_resolve(trie, link, path, depth);
        if (!branch)
            return NULL;
        if (depth == path_len)
            break;
        if (branch->kind == NODE_LEAF || !prefix_leads(branch, path + depth, path_len - depth))
            return NULL;
        depth += branch->prefix_len;
        past_prefix = depth == path_len;
        if (past_prefix)
            break;
        link = branch_child(branch, path[depth++]);
        if (!link)
            return NULL;
    }
    struct shown shown = node_show(trie, branch, depth);
    u8 extension[EXTENSION_MAX];
    if (branch->kind == NODE_BRANCH && branch->prefix_len && !past_prefix) {
        shown.len = extension_show(extension, branch, shown);
        shown.bytes = extension;
    }
    *len = shown.len;
    return arena_dup(arena, shown.bytes, shown.len);
}

void trie_prove(struct trie *trie, const u8 *key, size_t key_len, trie_node_fn *fn, void *arg)
{
    u8 path[TRIE_NIBBLES_MAX + 1];
    assert(key_len <= TRIE_KEY_MAX);
    for (size_t i = 0; i <= 2 * key_len; i++)
        path[i] = (u8)key_nibble(key, key_len, i);
    struct trie_link *link = &trie->root;
    for (size_t depth = 0; link;) {
        struct branch *branch = link_resolve(trie, link, path, depth);
        if (!branch)
            return;
        struct shown shown = node_show(trie, branch, depth);
        bool is_branch = branch->kind == NODE_BRANCH, is_root = depth == 0;
        if (is_branch && branch->prefix_len) {
            u8 extension[EXTENSION_MAX];
            size_t len = extension_show(extension, branch, shown);
            if (len >= 32 || is_root)
                fn(arg, extension, len);
            if (!prefix_leads(branch, path + depth, 2 * key_len - depth))
                return;
            depth += branch->prefix_len;
            is_root = false;
        }
        if (shown.len >= 32 || is_root)
            fn(arg, shown.bytes, shown.len);
        link = is_branch && path[depth] != TRIE_END ? branch_child(branch, path[depth++]) : NULL;
    }
}
