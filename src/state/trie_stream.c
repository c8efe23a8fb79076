#include "state/trie_stream.h"

#include "base/mem.h"
#include "prim/keccak.h"
#include "state/trie_int.h"

enum { KEY = 32, NIBBLES = 2 * KEY, NODE_BYTES = 640 };

/* A branch whose children are not all known yet, at a depth of that many nibbles. */
struct frame {
    int depth;
    _Alignas(16) u8 room[sizeof(struct branch) + 16 * sizeof(struct trie_link) + NIBBLES];
};

static struct branch *frame_branch(struct frame *frame)
{
    return (struct branch *)(void *)frame->room;
}

struct trie_stream {
    trie_put_fn *put;
    void *arg;
    hash32 owner;
    bool has_item;
    u8 path[NIBBLES]; /* of the newest item, which waits to know its neighbour */
    _Alignas(16) u8 leaf_room[sizeof(struct leaf) + KEY + TRIE_STREAM_VALUE_MAX];
    int open; /* frames */
    struct frame frames[NIBBLES + 1];
};

struct trie_stream *trie_stream_new(trie_put_fn *put, void *arg)
{
    struct trie_stream *stream = NEW(struct trie_stream);
    stream->put = put;
    stream->arg = arg;
    return stream;
}

void trie_stream_free(struct trie_stream *stream)
{
    mem_free(stream);
}

void trie_stream_begin(struct trie_stream *stream, const hash32 *owner)
{
    stream->owner = *owner;
    stream->has_item = false;
    stream->open = 0;
}

static void frame_open(struct trie_stream *stream, int depth)
{
    struct frame *frame = stream->frames + stream->open++;
    frame->depth = depth;
    *frame_branch(frame) = (struct branch){.kind = NODE_BRANCH, .cap = 16};
}

/* Adds the newest child, in order, to the newest frame. */
static void frame_add(struct trie_stream *stream, const struct trie_link *link)
{
    struct frame *frame = stream->frames + stream->open - 1;
    struct branch *branch = frame_branch(frame);
    branch->links[branch_count(branch)] = *link;
    branch->mask |= (u32)1 << stream->path[frame->depth];
}

/* Closes the newest frame, which hangs below a branch at depth `above` (-1: it is the root). */
static struct trie_link frame_close(struct trie_stream *stream, int above)
{
    struct frame *frame = stream->frames + --stream->open;
    struct branch *branch = frame_branch(frame);
    size_t position = (size_t)above + 1;
    u8 node[NODE_BYTES], extension[EXTENSION_MAX], ref[33];
    struct trie_link link = {0};
    branch->prefix_len = (u16)((size_t)frame->depth - position);
    memcpy(branch_prefix(branch), stream->path + position, branch->prefix_len);
    link_set_ref(&link, node, branch_encode(node, branch));
    if (branch->prefix_len) {
        size_t ref_len = link_ref_encode(ref, &link);
        size_t len =
            extension_encode(extension, branch_prefix(branch), branch->prefix_len, ref, ref_len);
        link = (struct trie_link){0};
        link_set_ref(&link, extension, len);
    }
    if (!stream->put)
        return link;
    u8 record[BRANCH_RECORD_MAX];
    bool stored = !(link.bits & LINK_EMBEDDED) || position == 0;
    size_t len = stored ? branch_record_write(record, branch) : 0;
    stream->put(stream->arg, &stream->owner, stream->path, position, stored ? record : NULL, len);
    return link;
}

static struct trie_link leaf_link(const struct trie_stream *stream, int above)
{
    u8 node[2 * TRIE_STREAM_VALUE_MAX];
    struct trie_link link = {0};
    const struct leaf *leaf = (const struct leaf *)(const void *)stream->leaf_room;
    link_set_ref(&link, node, leaf_encode(node, leaf, (size_t)above + 1));
    link.bits |= LINK_LEAF;
    return link;
}

/* The newest item and the branches that end with it; the next item parts from it at depth `next`
 * (-1: there is none). Returns the root if there is none. */
static struct trie_link item_place(struct trie_stream *stream, int next)
{
    int top = stream->open ? stream->frames[stream->open - 1].depth : -1;
    if (next > top) {
        frame_open(stream, next);
        top = next;
    }
    struct trie_link link = leaf_link(stream, top);
    if (top < 0)
        return link;
    frame_add(stream, &link);
    while (stream->open && stream->frames[stream->open - 1].depth > next) {
        int below = stream->open > 1 ? stream->frames[stream->open - 2].depth : -1;
        int above = below > next ? below : next;
        link = frame_close(stream, above);
        if (above > below)
            frame_open(stream, above);
        if (above >= 0)
            frame_add(stream, &link);
    }
    return link;
}

/* Nibbles that the key shares with the newest one; -1 when it does not come after it. */
static int follows(const struct trie_stream *stream, const u8 path[NIBBLES])
{
    int same = 0;
    while (same < NIBBLES && path[same] == stream->path[same])
        same++;
    return same < NIBBLES && path[same] > stream->path[same] ? same : -1;
}

bool trie_stream_add(struct trie_stream *stream, const u8 key[32], const u8 *value, size_t len)
{
    u8 path[NIBBLES];
    assert(len > 0 && len <= TRIE_STREAM_VALUE_MAX);
    for (size_t i = 0; i < NIBBLES; i++)
        path[i] = (u8)key_nibble(key, KEY, i);
    if (stream->has_item) {
        int same = follows(stream, path);
        if (same < 0)
            return false;
        item_place(stream, same);
    }
    stream->has_item = true;
    memcpy(stream->path, path, sizeof path);
    struct leaf *leaf = (struct leaf *)(void *)stream->leaf_room;
    *leaf = (struct leaf){.kind = NODE_LEAF, .key_len = KEY, .value_len = (u32)len};
    memcpy(leaf->bytes, key, KEY);
    memcpy(leaf->bytes + KEY, value, len);
    return true;
}

void trie_stream_end(struct trie_stream *stream, hash32 *root)
{
    if (!stream->has_item) {
        *root = TRIE_EMPTY_ROOT;
        return;
    }
    struct trie_link link = item_place(stream, -1);
    if (link.bits & LINK_EMBEDDED)
        keccak256(root, link.ref, (size_t)(link.ref[0] - 0xc0) + 1);
    else
        memcpy(root->b, link.ref, sizeof root->b);
}
