#include "chain/archive.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/mem.h"
#include "chain/addresses.h"
#include "sys/file.h"
#include "sys/sealed.h"

enum {
    OPEN_MAX = 4,
    /* Pruned in one go, at most: a piece that no import and no head block waits for long. */
    PIECE_BLOCKS = 1024,
    PIECE_TXS = 2048,
    PIECE_BYTES = 2 << 20, /* that the transaction grows by, or by as much as it has */
};

static const char MARK[] = "archived", WHOLE[] = "whole";

struct open_file {
    struct segment *segment; /* NULL: none */
    bool is_headers;
};

struct archive {
    struct db *db;
    char *folder;
    hash32 tag;
    u64 end, whole;
    u64 swept; /* before this number no whole segment is left */
    struct open_file open[OPEN_MAX];
    u32 next; /* the place of the next one to be opened */
    bool failed;
    struct err failure; /* the first */
};

static u64 get_mark(struct db *db, const char *mark)
{
    struct db_bytes found;
    bool is_there = db_get(db, DB_META, mark, strlen(mark), &found) && found.len == 8;
    return is_there ? get_be64(found.at) : 0;
}

static void put_mark(struct db *db, const char *mark, u64 number)
{
    u8 value[8];
    put_be64(value, number);
    db_begin(db);
    db_put(db, DB_META, mark, strlen(mark), value, sizeof value);
}

u64 archive_mark(struct db *db)
{
    return get_mark(db, MARK);
}

u64 archive_whole_mark(struct db *db)
{
    return get_mark(db, WHOLE);
}

struct archive *archive_new(struct db *db, const char *folder, const hash32 *tag)
{
    struct archive *archive = NEW(struct archive);
    archive->db = db;
    archive->folder = mem_strdup(folder);
    archive->tag = *tag;
    archive->end = archive_mark(db);
    archive->whole = archive_whole_mark(db);
    return archive;
}

void archive_rest(struct archive *archive)
{
    for (u32 i = 0; archive && i < OPEN_MAX; i++)
        if (archive->open[i].segment)
            segment_rest(archive->open[i].segment);
}

void archive_free(struct archive *archive)
{
    if (!archive)
        return;
    for (u32 i = 0; i < OPEN_MAX; i++)
        segment_close(archive->open[i].segment);
    mem_free(archive->folder);
    mem_free(archive);
}

u64 archive_end(const struct archive *archive)
{
    return archive ? archive->end : 0;
}

u64 archive_whole(const struct archive *archive)
{
    return archive ? archive->whole : 0;
}

enum status archive_status(const struct archive *archive, struct err *err)
{
    if (!archive || !archive->failed)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "%s", archive->failure.text);
}

/* --- reading ---------------------------------------------------------------------------------- */

const char *archive_path(struct arena *arena, const char *folder, u64 first, bool is_headers)
{
    return arena_format(arena, "%s/%012llu.%s", folder, (unsigned long long)first,
                        is_headers ? "headers" : "segment");
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
                                bool is_headers, struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *path = archive_path(&arena, archive->folder, first, is_headers);
    enum status status = segment_open(opened, path, err);
    if (status == STATUS_OK) {
        status = check_info(archive, *opened, first, path, err);
        if (status != STATUS_OK)
            segment_close(*opened);
    }
    arena_fini(&arena);
    return status;
}

static struct open_file *find_open(struct archive *archive, u64 first, bool is_headers)
{
    for (u32 i = 0; i < OPEN_MAX; i++) {
        struct open_file *file = &archive->open[i];
        if (file->segment && file->is_headers == is_headers &&
            segment_info(file->segment)->first == first)
            return file;
    }
    return NULL;
}

static enum status find_segment(struct archive *archive, struct segment **found, u64 first,
                                bool is_headers, struct err *err)
{
    const struct open_file *file = find_open(archive, first, is_headers);
    if (file) {
        *found = file->segment;
        return STATUS_OK;
    }
    enum status status = open_checked(archive, found, first, is_headers, err);
    if (status != STATUS_OK)
        return status;
    struct open_file *place = &archive->open[archive->next];
    archive->next = (archive->next + 1) % OPEN_MAX;
    segment_close(place->segment);
    *place = (struct open_file){*found, is_headers};
    return STATUS_OK;
}

static enum status get_record(struct archive *archive, u64 number, bool is_headers,
                              struct db_bytes *record, struct err *err)
{
    struct segment *segment = NULL;
    enum status status =
        find_segment(archive, &segment, number - number % ARCHIVE_BLOCKS, is_headers, err);
    return status == STATUS_OK ? segment_get(segment, number, record, err) : status;
}

static bool get_block(struct archive *archive, struct chain_block *block, struct arena *arena,
                      u64 number, const hash32 *hash, bool is_headers)
{
    struct err err;
    struct db_bytes record;
    enum status status = get_record(archive, number, is_headers, &record, &err);
    if (status == STATUS_OK) {
        const u8 *bytes = arena_dup(arena, record.at, record.len);
        if (is_headers ? record_decode_cut(block, hash, bytes, record.len)
                       : record_decode(block, arena, hash, bytes, record.len))
            return true;
        err_set(&err, STATUS_INVALID, "%s: the record of block %llu makes no sense",
                archive->folder, (unsigned long long)number);
    }
    if (!archive->failed)
        archive->failure = err;
    archive->failed = true;
    return false;
}

/* From the archive or the store, pruned or not, as long as it is there whole. */
static bool get_whole(struct archive *archive, struct db *db, struct chain_block *block,
                      struct arena *arena, u64 number, const hash32 *hash)
{
    return number < archive_end(archive) ? get_block(archive, block, arena, number, hash, false)
                                         : store_get_block(db, block, arena, number, hash);
}

/* A genesis consists of its header: it is whole as long as that is there. */
static void complete_genesis(struct chain_block *block, struct arena *arena)
{
    block->is_pruned = false;
    block->receipts = arena_alloc(arena, 0);
    block->block.has_withdrawals = block->block.header.fields >= HEADER_FIELDS_SHANGHAI;
    block_seal(&block->block);
}

bool archive_load(struct archive *archive, struct db *db, struct chain_block *block,
                  struct arena *arena, u64 number, const hash32 *hash)
{
    u64 whole = archive_whole(archive);
    bool is_headers = number < archive_headers_end(whole);
    bool found = is_headers ? get_block(archive, block, arena, number, hash, true)
                            : get_whole(archive, db, block, arena, number, hash);
    if (found && number == 0 && is_headers)
        complete_genesis(block, arena);
    if (found && number > 0 && number < whole && !is_headers) /* its segment is there for others */
        *block = (struct chain_block){
            .block = {.header = block->block.header, .hash = block->block.hash},
            .total_difficulty = block->total_difficulty,
            .is_pruned = true,
        };
    return found;
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

/* Are the file's records those of the source? */
static bool holds_same(struct segment *file, segment_source *source, void *ctx)
{
    struct err ignored;
    struct db_bytes want, found;
    u64 first = segment_info(file)->first;
    for (u64 number = first; number < first + ARCHIVE_BLOCKS; number++)
        if (source(ctx, number, &want, &ignored) != STATUS_OK ||
            segment_get(file, number, &found, &ignored) != STATUS_OK || found.len != want.len ||
            memcmp(found.at, want.at, want.len) != 0)
            return false;
    return true;
}

/* A file that is there already, from before a crash or from another node, will do if it holds the same. */
static enum status write_segment(struct archive *archive, u64 first, bool is_headers,
                                 segment_source *source, void *ctx, struct err *err)
{
    struct arena arena;
    struct err ignored;
    struct segment *there;
    if (open_checked(archive, &there, first, is_headers, &ignored) == STATUS_OK) {
        bool is_same = holds_same(there, source, ctx);
        segment_close(there);
        if (is_same)
            return STATUS_OK;
    }
    struct segment_info info = {.first = first, .count = ARCHIVE_BLOCKS};
    memcpy(info.tag, archive->tag.b, sizeof info.tag);
    enum status status = file_make_folder(archive->folder, err);
    arena_init(&arena);
    if (status == STATUS_OK)
        status = segment_write(archive_path(&arena, archive->folder, first, is_headers), &info,
                               source, ctx, err);
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
    put_mark(archive->db, MARK, archive->end);
}

enum status archive_move(struct archive *archive, u64 before, struct err *err)
{
    while (archive && archive->end + ARCHIVE_BLOCKS <= before) {
        enum status status =
            write_segment(archive, archive->end, false, stored_record, archive, err);
        if (status != STATUS_OK)
            return status;
        let_go(archive, archive->end);
    }
    return STATUS_OK;
}

/* --- pruning ---------------------------------------------------------------------------------- */

struct cutting {
    struct archive *archive;
    struct buf record;
};

static enum status cut_record(void *ctx, u64 number, struct db_bytes *record, struct err *err)
{
    struct cutting *cutting = ctx;
    struct db_bytes whole;
    enum status status = get_record(cutting->archive, number, false, &whole, err);
    if (status != STATUS_OK)
        return status;
    buf_reset(&cutting->record);
    if (!record_cut(&cutting->record, whole.at, whole.len))
        return err_set(err, STATUS_INVALID, "%s: the record of block %llu makes no sense",
                       cutting->archive->folder, (unsigned long long)number);
    *record = (struct db_bytes){cutting->record.data, cutting->record.len};
    return STATUS_OK;
}

static enum status write_headers(struct archive *archive, u64 first, struct err *err)
{
    struct cutting cutting = {.archive = archive};
    assert(first + ARCHIVE_BLOCKS <= archive->end);
    buf_init(&cutting.record, SIZE_MAX / 2);
    enum status status = write_segment(archive, first, true, cut_record, &cutting, err);
    buf_fini(&cutting.record);
    return status;
}

/* What finds the block's parts goes; the parts go with their segment. */
static enum status prune_one(struct archive *archive, u64 number, u32 *txs, struct err *err)
{
    hash32 hash;
    struct chain_block block;
    struct arena arena;
    enum status status = STATUS_OK;
    arena_init(&arena);
    if (store_get_canonical(archive->db, &hash, number) &&
        get_whole(archive, archive->db, &block, &arena, number, &hash)) {
        store_del_txs(archive->db, &block.block);
        addresses_del(archive->db, number);
        *txs = block.block.tx_count;
    } else {
        status = db_status(archive->db, err);
        if (status == STATUS_OK)
            status = archive_status(archive, err);
        if (status == STATUS_OK)
            status = err_set(err, STATUS_INVALID, "block %llu is not in the store",
                             (unsigned long long)number);
    }
    arena_fini(&arena);
    return status;
}

enum status archive_prune(struct archive *archive, u64 before, u64 least, struct err *err)
{
    u64 blocks = 0, txs = 0;
    if (!archive || archive->whole >= before)
        return STATUS_OK;
    size_t begun = db_pending(archive->db);
    size_t most = begun + (begun > PIECE_BYTES ? begun : PIECE_BYTES);
    while (archive->whole < before && db_pending(archive->db) < most &&
           (blocks < least || (blocks < PIECE_BLOCKS && txs < PIECE_TXS))) {
        u32 count = 0;
        enum status status = prune_one(archive, archive->whole, &count, err);
        if (status == STATUS_OK && (archive->whole + 1) % ARCHIVE_BLOCKS == 0)
            status = write_headers(archive, archive->whole + 1 - ARCHIVE_BLOCKS, err);
        if (status != STATUS_OK)
            return status;
        archive->whole++;
        blocks++;
        txs += count;
    }
    put_mark(archive->db, WHOLE, archive->whole);
    return STATUS_OK;
}

/* Not before there are the headers to do without it. */
static void remove_segment(struct archive *archive, u64 first, const char *path)
{
    struct err ignored;
    struct segment *headers;
    struct open_file *file = find_open(archive, first, false);
    if (file) {
        segment_close(file->segment);
        file->segment = NULL;
    }
    if (open_checked(archive, &headers, first, true, &ignored) != STATUS_OK)
        return;
    segment_close(headers);
    enum status status = sealed_remove(path, &ignored);
    (void)status; /* it is in nobody's way, and tried again at the next opening */
}

void archive_sweep(struct archive *archive)
{
    u64 end = archive_headers_end(archive_whole(archive));
    struct arena arena;
    arena_init(&arena);
    for (; archive && archive->swept < end; archive->swept += ARCHIVE_BLOCKS) {
        arena_reset(&arena);
        const char *path = archive_path(&arena, archive->folder, archive->swept, false);
        if (file_kind(path) == FILE_KIND_REGULAR)
            remove_segment(archive, archive->swept, path);
    }
    arena_fini(&arena);
}
