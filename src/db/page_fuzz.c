/*
 * A page of any bytes: nothing is read beside it, and what is called sound is so, by a plain reading of the same rules.
 * And one that is made as the library makes them, of any keys and values, is sound; then some of its bytes are changed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "db/crc32c.h"
#include "db/page.h"

enum { NUMBER = 7, NODES_MAX = 64 };

static void store16(u8 *at, size_t value)
{
    u16 narrow = (u16)value;
    memcpy(at, &narrow, sizeof narrow);
}

/* The order of keys in so many words. */
static int plain_order(struct key a, struct key b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (a.at[i] != b.at[i])
            return a.at[i] < b.at[i] ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_same_sign(int a, int b)
{
    return (a < 0) == (b < 0) && (a > 0) == (b > 0);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void look_at_nodes(const u8 *page, bool leaf, bool is_filled, bool is_sound)
{
    struct key last = {0};
    size_t bytes = 0;
    u32 touched = 0;
    for (unsigned i = 0; i < node_count(page); i++) {
        struct node node;
        if (!node_read(&node, page, i)) {
            assert(!is_filled);
            continue;
        }
        size_t inside = node.flags & HAS_OVERFLOW ? sizeof(u64) : node.size;
        assert(node.key.at + node.key.len + inside <= page + PAGE);
        touched = crc32c(touched, node.key.at, node.key.len);
        touched = crc32c(touched, node.value, inside);
        bytes += node_bytes(&node);
        if (last.at) { /* else there is none before it */
            int order = plain_order(last, node.key);
            assert(is_same_sign(order, key_order(last, node.key)));
            assert(!is_sound || i <= (leaf ? 0 : 1) || order < 0);
        }
        last = node.key;
    }
    assert(!is_filled || bytes == PAGE - (size_t)load16(page + 14));
    (void)touched;
}

static void look_at(const u8 *page, bool leaf)
{
    bool is_filled = page_is_filled(page, NUMBER, leaf),
         is_sound = page_is_sound(page, NUMBER, leaf);
    assert(is_filled || !is_sound);
    assert(page_print(page));
    if (page_head_is_sound(page, leaf ? IS_LEAF : IS_BRANCH))
        look_at_nodes(page, leaf, is_filled, is_sound);
    else
        assert(!is_filled);
}

/* --- making ----------------------------------------------------------------------------------- */

struct input {
    const u8 *at, *end;
};

static u8 take_byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

/* A key of one byte or more, and how long its value is. */
static struct node take_node(struct input *input, bool leaf)
{
    struct node node = {.key.len = 1 + take_byte(input) % 40u};
    size_t left = (size_t)(input->end - input->at);
    node.key.at = input->at;
    node.key.len = node.key.len < left ? node.key.len : left;
    input->at += node.key.len;
    node.size = leaf ? take_byte(input) : 0;
    node.flags = leaf && node.size >= 250 ? HAS_OVERFLOW : 0;
    return node;
}

static int by_key(const void *a, const void *b)
{
    return plain_order(((const struct node *)a)->key, ((const struct node *)b)->key);
}

static size_t put_node(u8 *page, size_t upper, unsigned i, const struct node *node, bool leaf)
{
    size_t at = upper - node_bytes(node);
    store16(page + at, leaf ? node->size : i);
    store16(page + at + 4, node->flags);
    store16(page + at + 6, node->key.len);
    memcpy(page + at + NODE_HEAD, node->key.at, node->key.len);
    store16(page + PAGE_HEAD + 2 * (size_t)i, at);
    return at;
}

/* False if the input has not enough for one. */
static bool make(u8 *page, struct input *input, bool leaf)
{
    struct node nodes[NODES_MAX];
    unsigned wanted = take_byte(input) % NODES_MAX, count = 0, put = 0;
    while (count < wanted && input->at < input->end) {
        struct node node = take_node(input, leaf);
        if (node.key.len)
            nodes[count++] = node;
    }
    if (count)
        qsort(nodes, count, sizeof nodes[0], by_key);
    size_t upper = PAGE;
    for (unsigned i = 0; i < count; i++) {
        bool is_twice = i && plain_order(nodes[i - 1].key, nodes[i].key) == 0;
        if (!is_twice && upper >= node_bytes(&nodes[i]) + PAGE_HEAD + 2 * (size_t)NODES_MAX)
            upper = put_node(page, upper, put++, &nodes[i], leaf);
    }
    store16(page, NUMBER);
    store16(page + 10, leaf ? IS_LEAF : IS_BRANCH);
    store16(page + 12, PAGE_HEAD + 2 * (size_t)put);
    store16(page + 14, upper);
    return put >= (leaf ? 1u : 2u);
}

static void change(u8 *page, struct input *input)
{
    while (input->end - input->at >= 3) {
        size_t at = (size_t)take_byte(input) << 8 | take_byte(input);
        page[at % PAGE] ^= take_byte(input);
    }
}

/* The first bytes are the page's first, the rest its last: between them is room. */
static void take_page(u8 *page, const struct input *input)
{
    size_t len = (size_t)(input->end - input->at), head = len / 2;
    if (len > PAGE)
        len = PAGE, head = PAGE / 2;
    memcpy(page, input->at, head);
    memcpy(page + PAGE - (len - head), input->at + head, len - head);
    store16(page, NUMBER);
    memset(page + 2, 0, 6);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (!size)
        return 0;
    struct input input = {data + 1, data + size};
    bool leaf = data[0] & 1, is_made = data[0] & 2;
    u8 *page = NEW_ARRAY(u8, PAGE); /* of its own, so that whoever reads beside it is seen */
    if (!is_made)
        take_page(page, &input);
    else if (make(page, &input, leaf)) {
        assert(page_is_sound(page, NUMBER, leaf));
        change(page, &input);
    }
    look_at(page, leaf);
    mem_free(page);
    return 0;
}
