/*
 * Roots of what is not kept: straight from sorted items, without nodes in between. A node's
 * encoding is made from those of its children, whose hashes are taken four at a time.
 */
#include "prim/keccak.h"
#include "prim/rlp.h"
#include "state/trie_int.h"

enum {
    NODE_BYTES = 640, /* any branch without a long value fits */
    HEAD_BYTES = 3 * RLP_HEADER_MAX + TRIE_KEY_MAX + 1,
};

/* Items that share their first `depth` nibbles. */
struct range {
    const struct trie_item *items;
    size_t begin, end, depth;
};

/* The reference to a node, as it stands in the parent; len 0: no node. */
struct ref {
    u8 len;
    u8 bytes[33];
};

/* Encoded nodes that wait to be hashed, and where their references go: into the frames of branches
 * that are under way, each of which empties the queue before it reads its own. */
struct queue {
    unsigned count;
    size_t lens[4];
    struct ref *refs[4];
    u8 bytes[4][NODE_BYTES];
};

static void ref_set_hash(struct ref *ref, const hash32 *hash)
{
    ref->len = 33;
    ref->bytes[0] = 0xa0;
    memcpy(ref->bytes + 1, hash->b, sizeof hash->b);
}

static void queue_flush(struct queue *queue)
{
    const void *data[4];
    hash32 hashes[4];
    for (unsigned i = 0; i < queue->count; i++)
        data[i] = queue->bytes[i];
    hash_few(hashes, data, queue->lens, queue->count);
    for (unsigned i = 0; i < queue->count; i++)
        ref_set_hash(queue->refs[i], hashes + i);
    queue->count = 0;
}

/* Takes the node that was just written to the queue's free lane. */
static void queue_take(struct queue *queue, struct ref *ref, size_t len)
{
    if (len < 32) {
        ref->len = (u8)len;
        memcpy(ref->bytes, queue->bytes[queue->count], len);
        return;
    }
    queue->lens[queue->count] = len;
    queue->refs[queue->count] = ref;
    if (++queue->count == 4)
        queue_flush(queue);
}

/* A node too long for a lane: hashed at once, in two pieces. */
static void ref_from_pieces(struct ref *ref, const u8 *head, size_t head_len,
                            const struct trie_item *rest)
{
    struct keccak keccak;
    hash32 hash;
    keccak_init(&keccak);
    keccak_update(&keccak, head, head_len);
    keccak_update(&keccak, rest->value, rest->value_len);
    keccak_final(&keccak, &hash);
    ref_set_hash(ref, &hash);
}

static unsigned item_nibble(const struct trie_item *item, size_t depth)
{
    return key_nibble(item->key, item->key_len, depth);
}

/* Nibbles from begin to the end of the key, as a leaf's path. */
static size_t leaf_path(u8 out[TRIE_KEY_MAX + 1], const struct trie_item *item, size_t begin)
{
    size_t rest = (begin + 1) / 2;
    out[0] = begin & 1 ? (u8)(0x30 | item_nibble(item, begin)) : 0x20;
    memcpy(out + 1, item->key + rest, item->key_len - rest);
    return 1 + item->key_len - rest;
}

/* A leaf's encoding up to its value. */
static size_t leaf_head(u8 out[HEAD_BYTES], const struct trie_item *item, size_t depth)
{
    u8 path[TRIE_KEY_MAX + 1], path_header[RLP_HEADER_MAX], value_header[RLP_HEADER_MAX];
    size_t path_len = leaf_path(path, item, depth);
    size_t path_head = string_header(path_header, path, path_len);
    size_t value_head = string_header(value_header, item->value, item->value_len);
    u8 *p = out;
    p += rlp_write_list_header(p, path_head + path_len + value_head + item->value_len);
    memcpy(p, path_header, path_head);
    memcpy(p + path_head, path, path_len);
    memcpy(p + path_head + path_len, value_header, value_head);
    return (size_t)(p - out) + path_head + path_len + value_head;
}

static void leaf_build(const struct trie_item *item, size_t depth, struct queue *queue,
                       struct ref *ref)
{
    u8 head[HEAD_BYTES];
    size_t len = leaf_head(head, item, depth);
    if (len + item->value_len > NODE_BYTES) {
        ref_from_pieces(ref, head, len, item);
        return;
    }
    u8 *lane = queue->bytes[queue->count];
    memcpy(lane, head, len);
    memcpy(lane + len, item->value, item->value_len);
    queue_take(queue, ref, len + item->value_len);
}

/* The first item at or after `at` whose nibble is not `nibble`: in steps that double, then halve. */
static size_t range_split(const struct range *range, size_t at, unsigned nibble)
{
    size_t step = 1;
    while (at + step < range->end && item_nibble(range->items + at + step, range->depth) == nibble)
        step *= 2;
    size_t low = at + step / 2, high = at + step < range->end ? at + step : range->end;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (item_nibble(range->items + middle, range->depth) == nibble)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Writes the branch, all but its value, which ends it. Returns the bytes written. */
static size_t branch_head(u8 out[NODE_BYTES], const struct ref refs[16],
                          const struct trie_item *value)
{
    u8 value_header[RLP_HEADER_MAX] = {RLP_EMPTY_BYTES};
    size_t value_head = value ? string_header(value_header, value->value, value->value_len) : 1;
    size_t payload = value_head + (value ? value->value_len : 0);
    for (unsigned i = 0; i < 16; i++)
        payload += refs[i].len ? refs[i].len : 1;
    u8 *p = out;
    p += rlp_write_list_header(p, payload);
    for (unsigned i = 0; i < 16; i++) {
        if (refs[i].len == 0)
            *p++ = RLP_EMPTY_BYTES;
        memcpy(p, refs[i].bytes, refs[i].len);
        p += refs[i].len;
    }
    memcpy(p, value_header, value_head);
    return (size_t)(p - out) + value_head;
}

static void branch_put(const struct ref refs[16], const struct trie_item *value,
                       struct queue *queue, struct ref *ref)
{
    u8 *lane = queue->bytes[queue->count];
    size_t len = branch_head(lane, refs, value);
    if (!value) {
        queue_take(queue, ref, len);
    } else if (len + value->value_len > NODE_BYTES) {
        ref_from_pieces(ref, lane, len, value);
    } else {
        memcpy(lane + len, value->value, value->value_len);
        queue_take(queue, ref, len + value->value_len);
    }
}

/* Nibbles that all items share from depth on. Sorted: what first and last share, all do. */
static size_t range_shared(const struct range *range, u8 nibbles[TRIE_NIBBLES_MAX])
{
    const struct trie_item *first = range->items + range->begin;
    const struct trie_item *last = range->items + range->end - 1;
    size_t len = 0;
    for (;; len++) {
        unsigned nibble = item_nibble(first, range->depth + len);
        if (nibble != item_nibble(last, range->depth + len))
            return len;
        assert(nibble != TRIE_END); /* two items with one key */
        nibbles[len] = (u8)nibble;
    }
}

static void node_build(struct range range, struct queue *queue, struct ref *ref);

/* The range has at least two items, which part at its depth. */
static void branch_build(const struct range *range, struct queue *queue, struct ref *ref)
{
    struct ref refs[16];
    for (unsigned i = 0; i < 16; i++)
        refs[i].len = 0;
    const struct trie_item *value = NULL;
    size_t at = range->begin;
    if (item_nibble(range->items + at, range->depth) == TRIE_END)
        value = range->items + at++;
    while (at < range->end) {
        unsigned nibble = item_nibble(range->items + at, range->depth);
        size_t end = range_split(range, at, nibble);
        node_build((struct range){range->items, at, end, range->depth + 1}, queue, refs + nibble);
        at = end;
    }
    queue_flush(queue);
    branch_put(refs, value, queue, ref);
}

static void extension_build(const struct range *range, const u8 *nibbles, size_t len,
                            struct queue *queue, struct ref *ref)
{
    struct ref inner;
    branch_build(range, queue, &inner);
    queue_flush(queue);
    u8 *lane = queue->bytes[queue->count];
    queue_take(queue, ref, extension_encode(lane, nibbles, len, inner.bytes, inner.len));
}

static void node_build(struct range range, struct queue *queue, struct ref *ref)
{
    if (range.end - range.begin == 1) {
        leaf_build(range.items + range.begin, range.depth, queue, ref);
        return;
    }
    u8 nibbles[TRIE_NIBBLES_MAX];
    size_t shared = range_shared(&range, nibbles);
    range.depth += shared;
    if (shared)
        extension_build(&range, nibbles, shared, queue, ref);
    else
        branch_build(&range, queue, ref);
}

void trie_root_sorted(hash32 *root, const struct trie_item *items, size_t count)
{
    if (count == 0) {
        *root = TRIE_EMPTY_ROOT;
        return;
    }
    struct queue queue;
    struct ref ref;
    queue.count = 0;
    node_build((struct range){items, 0, count, 0}, &queue, &ref);
    queue_flush(&queue);
    if (ref.len < 33)
        keccak256(root, ref.bytes, ref.len);
    else
        memcpy(root->b, ref.bytes + 1, sizeof root->b);
}

/* The key of item i, as RLP writes a number: at most 9 bytes. */
static u32 index_key(u8 out[RLP_HEADER_MAX], size_t index)
{
    if (index == 0) {
        out[0] = RLP_EMPTY_BYTES;
        return 1;
    }
    if (index < 0x80) {
        out[0] = (u8)index;
        return 1;
    }
    u32 len = (u32)(71 - __builtin_clzll(index)) / 8;
    out[0] = (u8)(0x80 + len);
    for (u32 i = 0; i < len; i++)
        out[1 + i] = (u8)(index >> 8 * (len - 1 - i));
    return 1 + len;
}

void trie_root_list(hash32 *root, const u8 *const *items, const size_t *lens, size_t count,
                    struct arena *arena)
{
    struct trie_item *sorted = arena_alloc(arena, count * sizeof *sorted);
    u8 *keys = arena_alloc(arena, count * RLP_HEADER_MAX);
    for (size_t i = 0; i < count; i++) {
        /* rlp(0) = 0x80 comes after rlp(1) to rlp(127), and before all longer ones. */
        size_t last_short = count - 1 < 127 ? count - 1 : 127;
        size_t index = i < last_short ? i + 1 : i == last_short ? 0 : i;
        u8 *key = keys + i * RLP_HEADER_MAX;
        assert(lens[index] <= UINT32_MAX);
        sorted[i] = (struct trie_item){key, items[index], index_key(key, index), (u32)lens[index]};
    }
    trie_root_sorted(root, sorted, count);
}
