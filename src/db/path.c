/*
 * The library's way down a tree, looked at before it is believed. Pages can change on the disk at any time, also after
 * they were looked at; so what is kept of a page is a print of its head, which shows when it no longer is the one it was.
 *
 * Of two records of one sound page between which a key would lie, and which agree with their checksums, the key is
 * absent, however the page was come to: a page that a table uses has its keys for itself. That is why most look-ups
 * need no more than their leaf's print. Where a page begins or ends, the whole way is looked at.
 */
#include "base/mem.h"
#include "db/db_int.h"
#include "db/page.h"

/* Bytes that a transaction may change before the library might write pages early, to where it will look for them. */
static const size_t EARLY = (size_t)128 << 20;

/* What MDB_cursor has been in all of LMDB 0.9; path_fits holds it against what the library does. */
struct path {
    void *next, *backup, *inner;
    const MDB_txn *txn;
    MDB_dbi table;
    const struct head *head;
    void *table_more;
    u8 *table_flags;
    u16 count, top; /* top: count - 1 */
    unsigned flags;
    const u8 *pages[DEPTH_MAX];
    u16 at[DEPTH_MAX];
};

enum { IS_STANDING = 1 };

static const struct path *path_of(const MDB_cursor *lib)
{
    return (const struct path *)(const void *)lib;
}

bool path_fits(const MDB_cursor *lib, const MDB_txn *txn, MDB_dbi table, const void *first_key)
{
    const struct path *path = path_of(lib);
    if (path->txn != txn || path->table != table || path->count < 1 || path->count > DEPTH_MAX ||
        path->top != path->count - 1 || !(path->flags & IS_STANDING) ||
        path->head->depth != path->count)
        return false;
    const u8 *leaf = path->pages[path->top];
    struct node node;
    return (uintptr_t)leaf % PAGE == 0 && path->at[path->top] == 0 &&
           load64(path->pages[0]) == path->head->root && page_head_is_sound(leaf, IS_LEAF) &&
           node_read(&node, leaf, 0) && node.key.at == first_key;
}

const u8 *path_map(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    return path->pages[0] - path->head->root * PAGE;
}

bool path_has_head(const MDB_cursor *lib, const struct head *head)
{
    return memcmp(path_of(lib)->head, head, sizeof *head) == 0;
}

bool path_is_empty(const MDB_cursor *lib)
{
    return path_of(lib)->head->root == NO_PAGE;
}

static bool map_has(const struct db *db, const void *at, u64 *page)
{
    *page = (u64)((const u8 *)at - db->map) / PAGE;
    return *page < db->map_pages;
}

/* Does the last commit's tables use the page? Others are free, or this transaction's own. */
static bool is_used(const struct db *db, u64 page)
{
    const struct seal *seal = &db->seal;
    return page <= seal->last_page && !(seal->others[page / 8] >> page % 8 & 1);
}

static bool is_early(const struct db *db)
{
    return db->writing && db_pending(db) > EARLY;
}

static u16 *print_of(struct db *db, u64 page)
{
    if (page >= db->prints_count) {
        u64 count = ((page > db->file_pages ? page : db->file_pages) * 5 / 4 + 64) & ~(u64)7;
        u16 *prints = mem_zalloc(count * sizeof *prints);
        if (db->prints_count)
            memcpy(prints, db->prints, db->prints_count * sizeof *prints);
        mem_free(db->prints);
        db->prints = prints;
        db->prints_count = count;
    }
    return db->prints + page;
}

/* fully: it is going to be changed, by what the library finds in it now. That what it has is in order does not matter to
 * that, but where the change is, which is looked at besides. */
static bool page_look(struct db *db, u64 page, bool leaf, bool fully)
{
    const u8 *bytes = db->map + page * PAGE;
    if (!is_used(db, page))
        return is_early(db) && page_is_sound(bytes, page, leaf);
    u16 *print = print_of(db, page);
    if (*print && *print != page_print(bytes))
        return false;
    if (fully)
        return page_is_filled(bytes, page, leaf);
    if (!*print && !page_is_sound(bytes, page, leaf))
        return false;
    *print = *print ? *print : page_print(bytes);
    return true;
}

void prints_forget(struct db *db, const struct seal *old, const struct seal *new)
{
    u64 bytes = new->last_page / 8 + 1, known = db->prints_count / 8;
    for (u64 i = 0; i < bytes && i < known; i++) {
        u8 before = old->others && i <= old->last_page / 8 ? old->others[i] : 0;
        for (unsigned given = new->others[i] & ~(unsigned)before; given; given &= given - 1)
            db->prints[8 * i + (u64)__builtin_ctz(given)] = 0;
    }
}

/* --- a record ----------------------------------------------------------------------------------- */

/* Where the last commit's tables have long values: on pages of their own. */
static bool value_lies_well(const struct db *db, const MDB_val *stored)
{
    u64 begin = (u64)((const u8 *)stored->mv_data - db->map), page = begin / PAGE;
    return begin % PAGE == PAGE_HEAD && page < db->file_pages &&
           overflow_pages(stored->mv_size) <= db->file_pages - page &&
           (is_used(db, page) || is_early(db));
}

bool page_trust(struct db *db, const MDB_val *key, const MDB_val *stored, bool looked)
{
    u64 page, value_page;
    bool is_far = !map_has(db, stored->mv_data, &value_page);
    if (!map_has(db, key->mv_data, &page)) /* a page that this transaction has changed */
        return db->writing && (is_far || value_lies_well(db, stored));
    mapped_note(db, page, 1);
    const u8 *end = db->map + (page + 1) * PAGE, *at = key->mv_data;
    if (is_far || key->mv_size > (size_t)(end - at))
        return false;
    at = stored->mv_data;
    if (value_page == page) {
        if (stored->mv_size > (size_t)(end - at))
            return false;
    } else {
        if (!value_lies_well(db, stored))
            return false;
        mapped_note(db, value_page, stored->mv_size / PAGE + 1);
    }
    return looked || LIKELY(page < db->prints_count && db->prints[page]) ||
           page_look(db, page, true, false);
}

/* --- the way ------------------------------------------------------------------------------------ */

static bool node_at(const struct path *path, unsigned level, unsigned i, struct node *node)
{
    const u8 *page = path->pages[level];
    unsigned kind = level == path->top ? IS_LEAF : IS_BRANCH;
    return page_head_is_sound(page, kind | (load16(page + 10) & IS_CHANGED)) &&
           i < node_count(page) && node_read(node, page, i);
}

/* The leaf's keys lie between those that lead to it. */
static bool leaf_is_between(const struct path *path)
{
    struct node first, last, from, to;
    const u8 *leaf = path->pages[path->top];
    if (!node_at(path, path->top, 0, &first) ||
        !node_at(path, path->top, node_count(leaf) - 1, &last))
        return false;
    for (unsigned level = 0; level < path->top; level++) {
        unsigned i = path->at[level];
        if (i > 0 && (!node_at(path, level, i, &from) || key_order(first.key, from.key) < 0))
            return false;
        if (i + 1 < node_count(path->pages[level]) &&
            (!node_at(path, level, i + 1, &to) || key_order(last.key, to.key) >= 0))
            return false;
    }
    return true;
}

/* Pages that this transaction has changed were looked at before, and so were all that lead to them. */
static bool is_changed(const struct db *db, const struct path *path)
{
    u64 page;
    return db->writing && path->count && path->flags & IS_STANDING &&
           !map_has(db, path->pages[path->top], &page);
}

bool path_check(struct db *db, enum db_table table, const MDB_cursor *lib, bool fully)
{
    const struct path *path = path_of(lib);
    if (is_changed(db, path))
        return true;
    u64 wanted = path->head->root, page = wanted;
    bool is_sound = path->count > 0 && path->count == path->head->depth;
    struct node node = {.child = NO_PAGE};
    for (unsigned level = 0; is_sound && level < path->count; level++) {
        const u8 *bytes = path->pages[level];
        if (map_has(db, bytes, &page)) {
            mapped_note(db, page, 1);
            is_sound = page_look(db, page, level == path->top, fully);
        } else
            page = load64(bytes);
        is_sound = is_sound && page == wanted;
        if (level < path->top)
            is_sound = is_sound && node_at(path, level, path->at[level], &node);
        wanted = node.child;
    }
    if (!is_sound || !leaf_is_between(path)) {
        db_set_page_damaged(db, table, page);
        return false;
    }
    return true;
}

bool path_is_last(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    for (unsigned level = 0; level < path->count; level++)
        if (path->at[level] + 1u < node_count(path->pages[level]))
            return false;
    return true;
}

bool path_is_first(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    for (unsigned level = 0; level < path->count; level++)
        if (path->at[level])
            return false;
    return true;
}

bool path_begins(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    return path->at[path->top] == 0;
}

bool path_ends(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    return !path->count || path->at[path->top] + 1u >= node_count(path->pages[path->top]);
}

const void *path_leaf(const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    return path->count && path->flags & IS_STANDING ? path->pages[path->top] : NULL;
}

bool leaf_check(struct db *db, enum db_table table, const MDB_cursor *lib)
{
    u64 page;
    const u8 *leaf = path_leaf(lib);
    if (!leaf || !map_has(db, leaf, &page) || page_look(db, page, true, false))
        return true;
    db_set_page_damaged(db, table, page);
    return false;
}

bool path_before(const struct db *db, const MDB_cursor *lib, MDB_val *key, MDB_val *stored)
{
    const struct path *path = path_of(lib);
    struct node node;
    if (path->at[path->top] == 0 || !node_at(path, path->top, path->at[path->top] - 1u, &node))
        return false;
    *key = (MDB_val){node.key.len, (void *)(uintptr_t)node.key.at};
    *stored = (MDB_val){node.size, (void *)(uintptr_t)node.value};
    if (!(node.flags & HAS_OVERFLOW))
        return true;
    u64 page = load64(node.value);
    stored->mv_data = (void *)(uintptr_t)(db->map + page * PAGE + PAGE_HEAD);
    return is_used(db, page);
}

/* --- before a change ---------------------------------------------------------------------------- */

/* The library gives back as many pages as the first one says. */
static bool overflow_is_right(struct db *db, u64 first, u64 size)
{
    const u8 *head = db->map + first * PAGE;
    u32 pages;
    memcpy(&pages, head + 12, sizeof pages);
    u64 needed = overflow_pages(size);
    if (load64(head) != first || load16(head + 10) != IS_OVERFLOW || pages < needed)
        return false;
    /* More than are needed there are where a longer value stood, in stores of earlier programs. */
    return pages == needed || file_check(db, true, NULL) == STATUS_OK;
}

bool value_check(struct db *db, enum db_table table, const MDB_cursor *lib, u64 *pages)
{
    const struct path *path = path_of(lib);
    struct node node;
    *pages = 0;
    if (!node_at(path, path->top, path->at[path->top], &node))
        return false;
    if (!(node.flags & HAS_OVERFLOW))
        return true;
    u64 first = load64(node.value);
    *pages = overflow_pages(node.size);
    if (!is_used(db, first) || overflow_is_right(db, first, node.size))
        return true;
    db_set_page_damaged(db, table, first);
    return false;
}

/* Will the leaf be so empty without its record that the library joins it with a neighbour, or takes from that? */
static bool will_join(const struct path *path)
{
    enum { LEAST = 300 }; /* in thousandths; the library says 250 */
    const u8 *leaf = path->pages[path->top];
    struct node node;
    if (!node_at(path, path->top, path->at[path->top], &node))
        return true;
    size_t free = (size_t)(load16(leaf + 14) - load16(leaf + 12)) + node_bytes(&node) + 2;
    return node_count(leaf) < 2 || 1000 * (PAGE - PAGE_HEAD - free) / (PAGE - PAGE_HEAD) < LEAST;
}

bool neighbours_check(struct db *db, enum db_table table, const MDB_cursor *lib)
{
    const struct path *path = path_of(lib);
    if (!will_join(path))
        return true;
    for (unsigned level = path->top; level > 0; level--) {
        const u8 *parent = path->pages[level - 1];
        unsigned i = path->at[level - 1];
        struct node node;
        u64 page = 0;
        bool is_clean = map_has(db, parent, &page), is_sound;
        is_sound = node_at(path, level - 1, i ? i - 1 : i + 1, &node);
        if (is_sound && is_used(db, node.child)) {
            page = node.child;
            is_sound = page_look(db, page, level == path->top, true);
        } else if (is_sound) /* one that this transaction made; in one that it did not? */
            is_sound = !is_clean || is_early(db);
        if (!is_sound) {
            db_set_page_damaged(db, table, page);
            return false;
        }
        if (node_count(parent) > 2)
            break;
    }
    return true;
}
