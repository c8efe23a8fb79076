/*
 * Inside the store: one page of the file, read byte by byte and believed nothing. The layout is that of LMDB 0.9,
 * data format 1.
 */
#pragma once

#include <string.h>

#include "base/types.h"

enum {
    PAGE = 4096,
    PAGE_HEAD = 16,
    NODE_HEAD = 8,
    DEPTH_MAX = 32,
    KEY_MAX = 511,
    IS_BRANCH = 1,
    IS_LEAF = 2,
    IS_OVERFLOW = 4,
    IS_META = 8,
    IS_CHANGED = 16, /* in this transaction; never in the file */
    HAS_OVERFLOW = 1,
    IS_TABLE = 2,
};

static const u64 NO_PAGE = UINT64_MAX;

/* A table's head, as the file has it. */
struct head {
    u32 pad;
    u16 flags, depth;
    u64 branches, leaves, overflows, entries, root;
};

struct key {
    const u8 *at;
    size_t len;
};

struct node {
    struct key key;
    u16 flags;
    u32 size;  /* of the value */
    u64 child; /* in a branch */
    const u8 *value;
};

static inline u16 load16(const u8 *at)
{
    u16 value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline u64 load64(const u8 *at)
{
    u64 value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Of a page whose bounds are right. */
static inline unsigned node_count(const u8 *page)
{
    return (load16(page + 12) - PAGE_HEAD) / 2u;
}

/* Are the page's flags these and its bounds right, and has it as many nodes as its kind needs? */
bool page_head_is_sound(const u8 *page, unsigned kind);

/* False if it does not lie within the page; i is below node_count. */
bool node_read(struct node *node, const u8 *page, unsigned i);

/* What it takes of the page. */
size_t node_bytes(const struct node *node);

/* By their first bytes where those tell, as they do of hashes. */
static inline int key_order(struct key a, struct key b)
{
    if (LIKELY(a.len >= 8 && b.len >= 8)) {
        u64 x = __builtin_bswap64(load64(a.at)), y = __builtin_bswap64(load64(b.at));
        if (x != y)
            return x < y ? -1 : 1;
    }
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Is it a page of that number and kind, filled by its nodes without a gap? And are its keys in order? */
bool page_is_filled(const u8 *page, u64 number, bool leaf);
bool page_is_sound(const u8 *page, u64 number, bool leaf);

/* Of the page's head and where its nodes lie, never 0: what shows cheaply that it still has the same ones. The page was
 * sound before. */
u16 page_print(const u8 *page);

/* How many pages a value of so many bytes takes that lies on pages of its own. */
u64 overflow_pages(u64 size);
