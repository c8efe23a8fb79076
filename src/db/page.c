#include "db/page.h"

#include "db/crc32c.h"

bool page_head_is_sound(const u8 *page, unsigned kind)
{
    u16 lower = load16(page + 12), upper = load16(page + 14);
    return load16(page + 10) == kind && lower >= PAGE_HEAD && lower % 2 == 0 && lower <= upper &&
           upper <= PAGE && node_count(page) >= (kind & IS_LEAF ? 1 : 2);
}

bool node_read(struct node *node, const u8 *page, unsigned i)
{
    u16 offset = load16(page + PAGE_HEAD + 2 * i), upper = load16(page + 14);
    if (offset < upper || offset % 2 || offset > PAGE - NODE_HEAD)
        return false;
    const u8 *at = page + offset;
    u16 low = load16(at), high = load16(at + 2), flags = load16(at + 4), key_len = load16(at + 6);
    bool leaf = load16(page + 10) & IS_LEAF;
    *node = (struct node){.key = {at + NODE_HEAD, key_len}, .value = at + NODE_HEAD + key_len};
    node->child = (u64)low | (u64)high << 16 | (u64)flags << 32;
    node->flags = leaf ? flags : 0;
    node->size = leaf ? (u32)low | (u32)high << 16 : 0;
    size_t inside = node->flags & HAS_OVERFLOW ? sizeof(u64) : node->size;
    return key_len <= KEY_MAX && inside <= PAGE &&
           (size_t)offset + NODE_HEAD + key_len + inside <= PAGE;
}

size_t node_bytes(const struct node *node)
{
    size_t inside = node->flags & HAS_OVERFLOW ? sizeof(u64) : node->size;
    return (NODE_HEAD + node->key.len + inside + 1) & ~(size_t)1;
}

/*
 * Nodes in order are different ones, so that as many bytes as there are leave no room for one that is lost. A branch's
 * first key, which nobody looks at, is in no order.
 */
static inline bool scan(const u8 *page, u64 number, bool leaf, bool ordered)
{
    if (load64(page) != number || !page_head_is_sound(page, leaf ? IS_LEAF : IS_BRANCH))
        return false;
    const u8 *pointers = page + PAGE_HEAD;
    size_t bytes = 0, upper = load16(page + 14), first = load16(pointers);
    struct key last = {0};
    for (unsigned i = 0, count = node_count(page); i < count; i++) {
        size_t offset = load16(pointers + 2 * i);
        if (offset < upper || offset % 2 || offset > PAGE - NODE_HEAD)
            return false;
        const u8 *at = page + offset;
        size_t flags = leaf ? load16(at + 4) : 0, len = load16(at + 6), size = 0;
        if (leaf)
            size = flags & HAS_OVERFLOW ? sizeof(u64) : load16(at) | (size_t)load16(at + 2) << 16;
        size = (NODE_HEAD + len + size + 1) & ~(size_t)1;
        if (len > KEY_MAX || size > PAGE - offset || flags & ~(size_t)(HAS_OVERFLOW | IS_TABLE) ||
            (leaf ? len == 0 : i > 0 && offset == first))
            return false;
        struct key key = {at + NODE_HEAD, len};
        if (ordered && i > (leaf ? 0 : 1) && key_order(last, key) >= 0)
            return false;
        last = key;
        bytes += size;
    }
    return bytes == PAGE - upper;
}

bool page_is_filled(const u8 *page, u64 number, bool leaf)
{
    return leaf ? scan(page, number, true, false) : scan(page, number, false, false);
}

bool page_is_sound(const u8 *page, u64 number, bool leaf)
{
    return leaf ? scan(page, number, true, true) : scan(page, number, false, true);
}

u16 page_print(const u8 *page)
{
    enum { FROM = 8 }; /* after its number */
    u16 lower = load16(page + 12);
    u32 sum =
        crc32c(0, page + FROM, (lower < PAGE_HEAD || lower > PAGE ? PAGE_HEAD : lower) - FROM);
    u16 print = (u16)(sum ^ sum >> 16);
    return print ? print : 1;
}

u64 overflow_pages(u64 size)
{
    return (PAGE_HEAD - 1 + size) / PAGE + 1;
}
