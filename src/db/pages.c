/*
 * Is the file a sound tree of pages? Read here byte by byte, as the library takes its pages on trust: a
 * damaged one can make it crash or lose its way. Pages carry no checksums, so what is tested is that
 * everything fits: each page is where its parent says, of the right kind, its records within it and in
 * order between the parent's keys, no page is used twice, and what the heads count is there.
 *
 * The layout is that of LMDB 0.9, data format 1.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/db_int.h"
#include "sys/file.h"

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
    HAS_OVERFLOW = 1,
    IS_TABLE = 2,
};

static const u32 META_MAGIC = 0xbeefc0de;
static const u64 NONE = UINT64_MAX;

/* A table's head, as the file has it. */
struct head {
    u32 pad;
    u16 flags, depth;
    u64 branches, leaves, overflows, entries, root;
};

struct meta {
    u32 magic, version;
    u64 address, map_size;
    struct head heads[2]; /* of the free pages (whose pad is the page size), of the tables */
    u64 last_page, txn;
};

struct key {
    const u8 *at;
    size_t len;
};

struct walk {
    int fd;
    const char *table;
    bool is_free;   /* the tree of free pages: numbers in the machine's order as keys */
    bool is_tables; /* the tree of tables */
    bool whole;     /* leaves too */
    u64 last_page;
    u8 *seen;          /* a bit a page */
    struct head count; /* what was found of one table */
    struct err *err;
    u8 pages[DEPTH_MAX][PAGE]; /* on the way down */
};

static u16 load16(const u8 *at)
{
    u16 value;
    memcpy(&value, at, sizeof value);
    return value;
}

static u64 load64(const u8 *at)
{
    u64 value;
    memcpy(&value, at, sizeof value);
    return value;
}

static enum status fail(struct walk *walk, u64 page, const char *what)
{
    return err_set(walk->err, STATUS_INVALID, "page %llu (%s): %s", (unsigned long long)page,
                   walk->table, what);
}

static enum status page_take(struct walk *walk, u64 page)
{
    if (page < 2 || page > walk->last_page)
        return fail(walk, page, "there is no such page");
    u8 bit = (u8)(1 << page % 8);
    if (walk->seen[page / 8] & bit)
        return fail(walk, page, "it is used twice");
    walk->seen[page / 8] |= bit;
    return STATUS_OK;
}

static enum status page_read(struct walk *walk, u64 page, u8 *out, size_t len)
{
    if (pread(walk->fd, out, len, (off_t)(page * PAGE)) != (ssize_t)len)
        return fail(walk, page, "it lies beyond the end of the file");
    return load64(out) == page ? STATUS_OK : fail(walk, page, "its own number is another one");
}

/* --- one page --------------------------------------------------------------------------------- */

struct node {
    struct key key;
    u16 flags;
    u32 size;  /* of the value */
    u64 child; /* in a branch */
    const u8 *value;
};

static unsigned node_count(const u8 *page)
{
    return (load16(page + 12) - PAGE_HEAD) / 2u;
}

static bool node_read(struct node *node, const u8 *page, unsigned i)
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

static int bytes_order(struct key a, struct key b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.at, b.at, shorter);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int key_order(const struct walk *walk, struct key a, struct key b)
{
    if (!walk->is_free)
        return bytes_order(a, b);
    u64 x = load64(a.at), y = load64(b.at);
    return (x > y) - (x < y);
}

static enum status head_check(struct walk *walk, u64 page, const u8 *bytes, bool leaf)
{
    u16 lower = load16(bytes + 12), upper = load16(bytes + 14);
    if (load16(bytes + 10) != (leaf ? IS_LEAF : IS_BRANCH))
        return fail(walk, page, "it is of the wrong kind");
    if (lower < PAGE_HEAD || lower % 2 || lower > upper || upper > PAGE)
        return fail(walk, page, "its bounds make no sense");
    if (node_count(bytes) < (leaf ? 1 : 2))
        return fail(walk, page, "it holds too little");
    return STATUS_OK;
}

static enum status overflow_take(struct walk *walk, const struct node *node)
{
    u8 head[PAGE_HEAD];
    u64 first = load64(node->value), needed = (PAGE_HEAD - 1 + (u64)node->size) / PAGE + 1;
    if (first > walk->last_page)
        return fail(walk, first, "there is no such page");
    enum status status = page_read(walk, first, head, sizeof head);
    if (status)
        return status;
    u32 pages; /* more than are needed where a longer value stood before */
    memcpy(&pages, head + 12, sizeof pages);
    if (load16(head + 10) != IS_OVERFLOW || pages < needed || pages > walk->last_page)
        return fail(walk, first, "it is not the long value that it should be");
    for (u64 i = 0; i < pages && !status; i++)
        status = page_take(walk, first + i);
    walk->count.overflows += pages;
    return status;
}

bool leaf_is_sound(const u8 *page, u64 number)
{
    u16 lower = load16(page + 12), upper = load16(page + 14);
    struct node node, last;
    if (load64(page) != number || load16(page + 10) != IS_LEAF || lower < PAGE_HEAD || lower % 2 ||
        lower > upper || upper > PAGE || node_count(page) == 0)
        return false;
    for (unsigned i = 0; i < node_count(page); i++, last = node)
        if (!node_read(&node, page, i) || node.key.len == 0 ||
            (i > 0 && bytes_order(last.key, node.key) >= 0))
            return false;
    return true;
}

/* --- free pages ------------------------------------------------------------------------------- */

/* A list: how many, and then the pages, descending. */
static enum status free_take(struct walk *walk, u64 page, const struct node *node)
{
    size_t len = node->size;
    u8 *list = mem_alloc(len + PAGE_HEAD);
    enum status status = STATUS_OK;
    if (!(node->flags & HAS_OVERFLOW))
        memcpy(list, node->value, len);
    else if (pread(walk->fd, list, len, (off_t)(load64(node->value) * PAGE + PAGE_HEAD)) !=
             (ssize_t)len)
        status = fail(walk, page, "a list of free pages lies beyond the end of the file");
    if (!status && (len < 8 || len % 8 || load64(list) > len / 8 - 1))
        status = fail(walk, page, "a list of free pages makes no sense");
    for (u64 i = 1; !status && i <= load64(list); i++) {
        status = page_take(walk, load64(list + 8 * i));
        if (!status && i > 1 && load64(list + 8 * i) >= load64(list + 8 * i - 8))
            status = fail(walk, page, "a list of free pages is out of order");
    }
    mem_free(list);
    return status;
}

/* --- trees ------------------------------------------------------------------------------------ */

static enum status tables_take(struct walk *walk, u64 page, const struct node *node);

static enum status leaf_take(struct walk *walk, u64 page, const struct node *node)
{
    enum status status = STATUS_OK;
    walk->count.entries++;
    if (node->key.len == 0 ||
        (node->flags & ~(unsigned)HAS_OVERFLOW) != (walk->is_tables ? IS_TABLE : 0))
        return fail(walk, page, "a record is of the wrong kind");
    if (node->flags & HAS_OVERFLOW)
        status = overflow_take(walk, node);
    if (!status && walk->is_free)
        status = free_take(walk, page, node);
    if (!status && walk->is_tables)
        status = tables_take(walk, page, node);
    return status;
}

/* Keys lie at or above low, and below high (NULL: no bound). */
static enum status tree_take(struct walk *walk, u64 page, unsigned depth, unsigned levels,
                             const struct key *low, const struct key *high)
{
    u8 *bytes = walk->pages[depth];
    bool leaf = depth + 1 == levels;
    enum status status = page_take(walk, page);
    if (!status && leaf && !walk->whole && !walk->is_free && !walk->is_tables) {
        walk->count.leaves++;
        return STATUS_OK;
    }
    if (!status)
        status = page_read(walk, page, bytes, PAGE);
    if (!status)
        status = head_check(walk, page, bytes, leaf);
    if (status)
        return status;
    *(leaf ? &walk->count.leaves : &walk->count.branches) += 1;
    unsigned count = node_count(bytes);
    struct node node, next;
    for (unsigned i = 0; i < count; i++, node = next) {
        if (i == 0 && !node_read(&node, bytes, 0))
            return fail(walk, page, "a record does not lie within it");
        bool last = i + 1 == count;
        if (!last && !node_read(&next, bytes, i + 1))
            return fail(walk, page, "a record does not lie within it");
        bool bare = !leaf && i == 0; /* a branch's first key is not looked at */
        if (walk->is_free && !bare && node.key.len != sizeof(u64))
            return fail(walk, page, "a key has the wrong length");
        const struct key *from = bare ? low : &node.key, *to = last ? high : &next.key;
        if (walk->is_free && !last && next.key.len != sizeof(u64))
            return fail(walk, page, "a key has the wrong length");
        if ((from && to && key_order(walk, *from, *to) >= 0) ||
            (low && !bare && key_order(walk, *low, node.key) > 0))
            return fail(walk, page, "its keys are out of order");
        status = leaf ? leaf_take(walk, page, &node)
                      : tree_take(walk, node.child, depth + 1, levels, from, to);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status table_take(struct walk *walk, const struct head *head, unsigned depth)
{
    walk->count = (struct head){0};
    if (head->depth > DEPTH_MAX - depth || (head->depth == 0) != (head->root == NONE))
        return fail(walk, head->root, "the table's head makes no sense");
    if (head->depth > 0) {
        enum status status = tree_take(walk, head->root, depth, depth + head->depth, NULL, NULL);
        if (status)
            return status;
    }
    const struct head *count = &walk->count;
    bool has_read = walk->whole || walk->is_free || walk->is_tables;
    if (count->branches != head->branches || count->leaves != head->leaves ||
        (has_read && (count->overflows != head->overflows || count->entries != head->entries)))
        return fail(walk, head->root, "the table's head counts other pages than there are");
    return STATUS_OK;
}

/* A table named in the tree of tables. */
static enum status tables_take(struct walk *walk, u64 page, const struct node *node)
{
    struct head head, outer = walk->count;
    unsigned table = 0;
    while (table < DB_TABLE_COUNT &&
           (strlen(db_table_name((enum db_table)table)) != node->key.len ||
            memcmp(db_table_name((enum db_table)table), node->key.at, node->key.len) != 0))
        table++;
    if (table == DB_TABLE_COUNT || node->size != sizeof head)
        return fail(walk, page, "a table has an unknown name");
    memcpy(&head, node->value, sizeof head);
    if (head.flags || head.pad)
        return fail(walk, page, "a table's head makes no sense");
    walk->table = db_table_name((enum db_table)table);
    walk->is_tables = false;
    /* Its pages are read below the one that names it. */
    enum status status = table_take(walk, &head, DEPTH_MAX / 2);
    walk->table = "tables";
    walk->is_tables = true;
    walk->count = outer;
    return status;
}

/* --- the file's first pages ------------------------------------------------------------------- */

static bool meta_read(struct meta *meta, const u8 *bytes, u64 page)
{
    memcpy(meta, bytes + PAGE_HEAD, sizeof *meta);
    return load64(bytes) == page && load16(bytes + 10) == IS_META && meta->magic == META_MAGIC &&
           meta->version == 1 && meta->heads[0].pad == PAGE && meta->last_page < (u64)1 << 40;
}

/* The newer of the two. They are written in turn, the even commits to the first. */
static enum status metas_read(struct meta *meta, const u8 bytes[2 * PAGE], struct err *err)
{
    struct meta metas[2];
    for (u64 i = 0; i < 2; i++)
        if (!meta_read(metas + i, bytes + i * PAGE, i))
            return err_set(err, STATUS_INVALID, "page %llu, which the file begins with, is damaged",
                           (unsigned long long)i);
    u64 a = metas[0].txn, b = metas[1].txn;
    bool fresh = a == 0 && b == 0;
    if (!fresh && (a % 2 != 0 || b % 2 != 1 || (a > b ? a - b : b - a) != 1))
        return err_set(err, STATUS_INVALID, "the numbers of the last two commits are damaged");
    *meta = metas[b > a];
    return STATUS_OK;
}

enum status metas_check(const char *path, struct err *err)
{
    u8 bytes[2 * PAGE];
    struct meta meta;
    size_t got;
    enum status status = file_read_at(bytes, &got, path, 0, sizeof bytes, err);
    if (status)
        return status;
    if (got < sizeof bytes)
        return err_set(err, STATUS_INVALID, "%s is no store, or was cut short", path);
    return metas_read(&meta, bytes, err);
}

enum status pages_check(int fd, bool whole, struct err *err)
{
    u8 bytes[2 * PAGE];
    struct meta meta;
    if (pread(fd, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(err, STATUS_INVALID, "the file was cut short");
    enum status status = metas_read(&meta, bytes, err);
    if (status)
        return status;
    off_t size = lseek(fd, 0, SEEK_END);
    if (meta.last_page > (u64)size / PAGE + (1 << 20))
        return err_set(err, STATUS_INVALID, "the file was cut short");
    struct walk *walk = NEW(struct walk);
    *walk = (struct walk){.fd = fd, .err = err, .last_page = meta.last_page, .whole = whole};
    walk->seen = mem_zalloc(meta.last_page / 8 + 1);
    walk->table = "tables";
    walk->is_tables = true;
    status = table_take(walk, meta.heads + 1, 0);
    walk->is_tables = false;
    walk->table = "free pages";
    walk->is_free = true;
    if (!status)
        status = table_take(walk, meta.heads, 0);
    mem_free(walk->seen);
    mem_free(walk);
    return status;
}
