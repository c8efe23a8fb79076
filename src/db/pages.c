/*
 * Is the file a sound tree of pages? Read here byte by byte, as the library takes its pages on trust: a
 * damaged one can make it crash or lose its way. Pages carry no checksums, so what is tested is that
 * everything fits: each page is where its parent says, of the right kind, its records within it and in
 * order between the parent's keys, no page is used twice, and what the heads count is there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/db_int.h"
#include "db/page.h"
#include "sys/file.h"

static const u32 META_MAGIC = 0xbeefc0de;

struct meta {
    u32 magic, version;
    u64 address, map_size;
    struct head heads[2]; /* of the free pages (whose pad is the page size), of the tables */
    u64 last_page, txn;
};

struct walk {
    int fd;
    const char *table;
    bool is_free;      /* the tree of free pages: numbers in the machine's order as keys */
    bool is_tables;    /* the tree of tables */
    bool whole;        /* leaves too */
    struct seal *seal; /* NULL, or what is wanted is only what every change begins with */
    u64 last_page;
    u8 *seen;          /* a bit a page */
    struct head count; /* what was found of one table */
    struct err *err;
    u8 pages[DEPTH_MAX][PAGE]; /* on the way down */
};

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

/* Pages of the tree, in the file's order more often than not. */
static enum status pages_take(struct walk *walk, u64 page, u64 count)
{
    enum status status = STATUS_OK;
    for (u64 i = 0; i < count && !status; i++)
        status = page_take(walk, page + i);
    if (walk->seal && !status)
        seal_add(walk->seal, page, count);
    return status;
}

static enum status page_read(struct walk *walk, u64 page, u8 *out, size_t len)
{
    if (pread(walk->fd, out, len, (off_t)(page * PAGE)) != (ssize_t)len)
        return fail(walk, page, "it lies beyond the end of the file");
    return load64(out) == page ? STATUS_OK : fail(walk, page, "its own number is another one");
}

/* --- one page --------------------------------------------------------------------------------- */

static int order(const struct walk *walk, struct key a, struct key b)
{
    if (!walk->is_free)
        return key_order(a, b);
    u64 x = load64(a.at), y = load64(b.at);
    return (x > y) - (x < y);
}

static enum status overflow_take(struct walk *walk, const struct node *node)
{
    u8 head[PAGE_HEAD];
    u64 first = load64(node->value), needed = overflow_pages(node->size);
    if (first > walk->last_page)
        return fail(walk, first, "there is no such page");
    enum status status = page_read(walk, first, head, sizeof head);
    if (status)
        return status;
    u32 pages; /* more than are needed where a longer value stood before */
    memcpy(&pages, head + 12, sizeof pages);
    if (load16(head + 10) != IS_OVERFLOW || pages < needed || pages > walk->last_page)
        return fail(walk, first, "it is not the long value that it should be");
    walk->count.overflows += pages;
    return pages_take(walk, first, pages);
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
    u64 last = walk->last_page + 1, *pages = (u64 *)(void *)list, count = status ? 0 : pages[0];
    for (u64 i = 1; i <= count && !status; i++) {
        u64 free = pages[i];
        u8 bit = (u8)(1 << free % 8);
        if (free >= last)
            status = fail(walk, page, "a list of free pages is out of order");
        else if (free < 2 || walk->seen[free / 8] & bit)
            status = fail(walk, free, "it is used, and free");
        else
            walk->seen[free / 8] |= bit;
        last = free;
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
    enum status status = pages_take(walk, page, 1);
    if (!status && leaf && !walk->whole && !walk->is_free && !walk->is_tables) {
        walk->count.leaves++;
        return STATUS_OK;
    }
    if (!status)
        status = page_read(walk, page, bytes, PAGE);
    if (!status && !page_head_is_sound(bytes, leaf ? IS_LEAF : IS_BRANCH))
        status = fail(walk, page, "its head makes no sense");
    if (status)
        return status;
    *(leaf ? &walk->count.leaves : &walk->count.branches) += 1;
    unsigned count = node_count(bytes);
    size_t filled = 0;
    struct node node, next;
    for (unsigned i = 0; i < count; i++, node = next) {
        if (i == 0 && !node_read(&node, bytes, 0))
            return fail(walk, page, "a record does not lie within it");
        bool last = i + 1 == count;
        filled += node_bytes(&node);
        if (!last && !node_read(&next, bytes, i + 1))
            return fail(walk, page, "a record does not lie within it");
        bool bare = !leaf && i == 0; /* a branch's first key is not looked at */
        if (walk->is_free && !bare && node.key.len != sizeof(u64))
            return fail(walk, page, "a key has the wrong length");
        const struct key *from = bare ? low : &node.key, *to = last ? high : &next.key;
        if (walk->is_free && !last && next.key.len != sizeof(u64))
            return fail(walk, page, "a key has the wrong length");
        if ((from && to && order(walk, *from, *to) >= 0) ||
            (low && !bare && order(walk, *low, node.key) > 0))
            return fail(walk, page, "its keys are out of order");
        status = leaf ? leaf_take(walk, page, &node)
                      : tree_take(walk, node.child, depth + 1, levels, from, to);
        if (status)
            return status;
    }
    return filled == PAGE - (size_t)load16(bytes + 14) ? STATUS_OK
                                                       : fail(walk, page, "it has holes");
}

static enum status table_take(struct walk *walk, const struct head *head, unsigned depth)
{
    walk->count = (struct head){0};
    if (head->depth > DEPTH_MAX - depth || (head->depth == 0) != (head->root == NO_PAGE))
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
    if (walk->seal) {
        walk->seal->heads[table] = head;
        walk->seal->has[table] = true;
        return STATUS_OK;
    }
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

/* Both trees that lead to all others and to the pages that are free; and, unless it is a seal, the others. */
static enum status file_take(int fd, bool whole, struct seal *seal, struct err *err)
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
    walk->fd = fd;
    walk->err = err;
    walk->last_page = meta.last_page;
    walk->whole = whole;
    walk->seal = seal;
    walk->seen = mem_zalloc(meta.last_page / 8 + 1);
    walk->table = "tables";
    walk->is_tables = true;
    status = table_take(walk, meta.heads + 1, 0);
    walk->is_tables = false;
    walk->table = "free pages";
    walk->is_free = true;
    if (!status)
        status = table_take(walk, meta.heads, 0);
    if (seal) {
        seal->last_page = meta.last_page;
        seal->others = walk->seen;
        seal_add(seal, 0, 2);
    } else
        mem_free(walk->seen);
    mem_free(walk);
    return status;
}

enum status pages_check(int fd, bool whole, struct err *err)
{
    return file_take(fd, whole, NULL, err);
}

enum status pages_seal(int fd, struct seal *seal, struct err *err)
{
    return file_take(fd, false, seal, err);
}
