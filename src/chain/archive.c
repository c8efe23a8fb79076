#include "chain/archive.h"

#include <stdio.h>

#include "base/mem.h"
#include "sys/file.h"

enum { OPEN_MAX = 4 };

static const char MARK[] = "archived";

struct archive {
    struct db *db;
    char *folder;
    hash32 tag;
    u64 end;
    struct segment *open[OPEN_MAX];
    u32 next; /* the place of the next one to be opened */
    bool failed;
    struct err failure; /* the first */
};

u64 archive_mark(struct db *db)
{
    struct db_bytes found;
    bool is_there = db_get(db, DB_META, MARK, strlen(MARK), &found) && found.len == 8;
    return is_there ? get_be64(found.at) : 0;
}

struct archive *archive_new(struct db *db, const char *folder, const hash32 *tag)
{
    struct archive *archive = NEW(struct archive);
    archive->db = db;
    archive->folder = mem_strdup(folder);
    archive->tag = *tag;
    archive->end = archive_mark(db);
    return archive;
}

void archive_rest(struct archive *archive)
{
    for (u32 i = 0; archive && i < OPEN_MAX; i++)
        if (archive->open[i])
            segment_rest(archive->open[i]);
}

void archive_free(struct archive *archive)
{
    if (!archive)
        return;
    for (u32 i = 0; i < OPEN_MAX; i++)
        segment_close(archive->open[i]);
    mem_free(archive->folder);
    mem_free(archive);
}

u64 archive_end(const struct archive *archive)
{
    return archive ? archive->end : 0;
}

enum status archive_status(const struct archive *archive, struct err *err)
{
    if (!archive || !archive->failed)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "%s", archive->failure.text);
}

/* --- reading ---------------------------------------------------------------------------------- */

const char *archive_path(struct arena *arena, const char *folder, u64 first)
{
    return arena_format(arena, "%s/%012llu.segment", folder, (unsigned long long)first);
}

/* Is it the file that it should be? */
static enum status check_info(const struct archive *archive, const struct segment *segment,
                              u64 first, const char *path, struct err *err)
{
    const struct segment_info *info = segment_info(segment);
    if (memcmp(info->tag, archive->tag.b, sizeof info->tag) != 0)
        return err_set(err, STATUS_INVALID, "%s belongs to another network", path);
    if (info->first != first || info->count != ARCHIVE_BLOCKS)
        return err_set(err, STATUS_INVALID, "%s holds other blocks than its name says", path);
    return STATUS_OK;
}

static enum status open_checked(const struct archive *archive, struct segment **opened, u64 first,
                                struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *path = archive_path(&arena, archive->folder, first);
    enum status status = segment_open(opened, path, err);
    if (status == STATUS_OK) {
        status = check_info(archive, *opened, first, path, err);
        if (status != STATUS_OK)
            segment_close(*opened);
    }
    arena_fini(&arena);
    return status;
}

static enum status find_segment(struct archive *archive, struct segment **found, u64 first,
                                struct err *err)
{
    for (u32 i = 0; i < OPEN_MAX; i++) {
        struct segment *segment = archive->open[i];
        if (segment && segment_info(segment)->first == first) {
            *found = segment;
            return STATUS_OK;
        }
    }
    enum status status = open_checked(archive, found, first, err);
    if (status != STATUS_OK)
        return status;
    struct segment **place = &archive->open[archive->next];
    archive->next = (archive->next + 1) % OPEN_MAX;
    segment_close(*place);
    *place = *found;
    return STATUS_OK;
}

static enum status get_record(struct archive *archive, u64 number, struct db_bytes *record,
                              struct err *err)
{
    struct segment *segment = NULL;
    enum status status = find_segment(archive, &segment, number - number % ARCHIVE_BLOCKS, err);
    return status == STATUS_OK ? segment_get(segment, number, record, err) : status;
}

bool archive_get_block(struct archive *archive, struct chain_block *block, struct arena *arena,
                       u64 number, const hash32 *hash)
{
    struct err err;
    struct db_bytes record;
    enum status status = get_record(archive, number, &record, &err);
    if (status == STATUS_OK) {
        const u8 *bytes = arena_dup(arena, record.at, record.len);
        if (record_decode(block, arena, hash, bytes, record.len))
            return true;
        err_set(&err, STATUS_INVALID, "%s: the record of block %llu makes no sense",
                archive->folder, (unsigned long long)number);
    }
    if (!archive->failed)
        archive->failure = err;
    archive->failed = true;
    return false;
}

/* --- moving ----------------------------------------------------------------------------------- */

static enum status stored_record(void *ctx, u64 number, struct db_bytes *record, struct err *err)
{
    struct archive *archive = ctx;
    hash32 hash;
    if (store_get_canonical(archive->db, &hash, number) &&
        store_get_record(archive->db, record, number, &hash))
        return STATUS_OK;
    enum status status = db_status(archive->db, err);
    return status != STATUS_OK ? status
                               : err_set(err, STATUS_INVALID, "block %llu is not in the store",
                                         (unsigned long long)number);
}

/* A file that is there already, from before a crash or from another node, will do. */
static enum status write_segment(struct archive *archive, u64 first, struct err *err)
{
    struct arena arena;
    struct err ignored;
    struct segment *there;
    if (open_checked(archive, &there, first, &ignored) == STATUS_OK) {
        segment_close(there);
        return STATUS_OK;
    }
    struct segment_info info = {.first = first, .count = ARCHIVE_BLOCKS};
    memcpy(info.tag, archive->tag.b, sizeof info.tag);
    enum status status = file_make_folder(archive->folder, err);
    arena_init(&arena);
    if (status == STATUS_OK)
        status = segment_write(archive_path(&arena, archive->folder, first), &info, stored_record,
                               archive, err);
    arena_fini(&arena);
    return status;
}

struct sweep {
    struct archive *archive;
    u64 end;
    struct buf keys; /* number and hash, one after another */
};

static bool sweep_one(void *arg, u64 number, const hash32 *hash)
{
    struct sweep *sweep = arg;
    u8 key[8];
    if (number >= sweep->end)
        return false;
    put_be64(key, number);
    buf_add(&sweep->keys, key, sizeof key);
    buf_add(&sweep->keys, hash->b, sizeof hash->b);
    return true;
}

/* Canonical blocks are still found by their hash; those of side chains are gone. */
static void let_go(struct archive *archive, u64 first)
{
    struct sweep sweep = {.archive = archive, .end = first + ARCHIVE_BLOCKS};
    u8 mark[8];
    buf_init(&sweep.keys, SIZE_MAX / 2);
    store_each_block(archive->db, first, sweep_one, &sweep);
    for (size_t at = 0; at < sweep.keys.len; at += 8 + sizeof(hash32)) {
        hash32 hash, canonical;
        u64 number = get_be64(sweep.keys.data + at);
        memcpy(hash.b, sweep.keys.data + at + 8, sizeof hash.b);
        bool is_side =
            !store_get_canonical(archive->db, &canonical, number) || !hash32_eq(&canonical, &hash);
        store_del_record(archive->db, number, &hash, is_side);
    }
    buf_fini(&sweep.keys);
    archive->end = sweep.end;
    put_be64(mark, archive->end);
    db_begin(archive->db);
    db_put(archive->db, DB_META, MARK, strlen(MARK), mark, sizeof mark);
}

enum status archive_move(struct archive *archive, u64 before, struct err *err)
{
    while (archive && archive->end + ARCHIVE_BLOCKS <= before) {
        enum status status = write_segment(archive, archive->end, err);
        if (status != STATUS_OK)
            return status;
        let_go(archive, archive->end);
    }
    return STATUS_OK;
}
