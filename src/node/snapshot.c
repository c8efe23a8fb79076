#include "node/snapshot.h"

#include <string.h>

#include "base/mem.h"
#include "chain/archive.h"
#include "node/data.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sealed.h"

enum {
    PIECE = 1 << 20,         /* of a segment file, in a record */
    RELEASE_BYTES = 8 << 20, /* read or written before memory is looked after */
    COMMIT_BYTES = 16 << 20,
    SEGMENT_KEY = 8 + 8,
    TELL_EVERY = 1 << 12, /* records */
};

/* The store puts this one there by itself, and the file's header has it. */
static const char FORMAT[] = "format";

static bool is_format(enum db_table table, struct db_bytes key)
{
    return table == DB_META && key.len == strlen(FORMAT) && memcmp(key.at, FORMAT, key.len) == 0;
}

static bool info_eq(const struct snapshot_info *a, const struct snapshot_info *b)
{
    return hash32_eq(&a->genesis, &b->genesis) && a->head == b->head &&
           hash32_eq(&a->head_hash, &b->head_hash);
}

static enum status info_read(struct snapshot_info *info, struct db *db, struct err *err)
{
    struct chain_config config;
    enum status status = store_get_identity(db, &info->genesis, &config, err);
    if (status != STATUS_OK)
        return status;
    if (!store_get_head(db, &info->head_hash) ||
        !store_get_number(db, &info->head, &info->head_hash))
        return err_set(err, STATUS_INVALID, "the chain's head cannot be found");
    return STATUS_OK;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct exporter {
    struct db *db;
    const char *segments; /* the folder */
    struct snapshot_out *out;
    struct snapshot_done *done;
    size_t unreleased;
    u8 *piece;
};

static enum status add(struct exporter *exporter, u8 kind, struct db_bytes key,
                       struct db_bytes value, struct err *err)
{
    struct snapshot_record record = {kind, key, value};
    exporter->done->records++;
    return snapshot_add(exporter->out, &record, err);
}

static enum status export_table(struct exporter *exporter, enum db_table table, struct err *err)
{
    enum status status = STATUS_OK;
    struct db_cursor *cursor = db_cursor_new(exporter->db, table);
    for (bool at = db_seek(cursor, NULL, 0); status == STATUS_OK && at; at = db_next(cursor)) {
        struct db_bytes key = db_key(cursor), value = db_value(cursor);
        if (is_format(table, key))
            continue;
        status = add(exporter, (u8)table, key, value, err);
        exporter->unreleased += key.len + value.len;
        if (exporter->unreleased < RELEASE_BYTES)
            continue;
        exporter->unreleased = 0;
        db_release(exporter->db);
    }
    db_cursor_free(cursor);
    return status == STATUS_OK ? db_status(exporter->db, err) : status;
}

/* A damaged file is not handed on: every record in it is read. */
static enum status check_segment(const char *path, struct err *err)
{
    struct segment *segment;
    enum status status = segment_open(&segment, path, err);
    if (status != STATUS_OK)
        return status;
    const struct segment_info *info = segment_info(segment);
    for (u32 i = 0; status == STATUS_OK && i < info->count; i++) {
        struct db_bytes record;
        status = segment_get(segment, info->first + i, &record, err);
    }
    segment_close(segment);
    return status;
}

static enum status add_pieces(struct exporter *exporter, const struct sealed *file, u64 first,
                              bool is_headers, struct err *err)
{
    u8 key[SEGMENT_KEY], kind = is_headers ? SNAPSHOT_HEADERS : SNAPSHOT_SEGMENT;
    u64 size = sealed_size(file);
    enum status status = STATUS_OK;
    put_be64(key, first);
    for (u64 offset = 0; status == STATUS_OK && offset < size; offset += PIECE) {
        size_t len = size - offset < PIECE ? (size_t)(size - offset) : PIECE;
        put_be64(key + 8, offset);
        status = sealed_read(file, offset, exporter->piece, len, err);
        if (status == STATUS_OK)
            status = add(exporter, kind, (struct db_bytes){key, sizeof key},
                         (struct db_bytes){exporter->piece, len}, err);
    }
    return status;
}

static enum status export_segment(struct exporter *exporter, u64 first, bool is_headers,
                                  struct err *err)
{
    struct arena arena;
    struct sealed *file = NULL;
    arena_init(&arena);
    const char *path = archive_path(&arena, exporter->segments, first, is_headers);
    enum status status = check_segment(path, err);
    if (status == STATUS_OK)
        status = sealed_open(&file, path, err);
    if (status == STATUS_OK)
        status = add_pieces(exporter, file, first, is_headers, err);
    sealed_close(file);
    arena_fini(&arena);
    return status;
}

static enum status export_all(struct exporter *exporter, struct err *err)
{
    enum status status = STATUS_OK;
    u64 archived = archive_mark(exporter->db);
    u64 whole = exporter->done->whole = archive_whole_mark(exporter->db);
    for (int table = 0; status == STATUS_OK && table < DB_TABLE_COUNT; table++)
        status = export_table(exporter, (enum db_table)table, err);
    for (u64 first = 0; status == STATUS_OK && first < archived; first += ARCHIVE_BLOCKS)
        status = export_segment(exporter, first, first < archive_headers_end(whole), err);
    return status;
}

static enum status export_store(struct exporter *exporter, const char *path, struct err *err)
{
    struct snapshot_done *done = exporter->done;
    enum status status = info_read(&done->info, exporter->db, err);
    if (status == STATUS_OK)
        status = snapshot_create(&exporter->out, path, &done->info, err);
    if (status != STATUS_OK)
        return status;
    exporter->piece = mem_alloc(PIECE);
    status = export_all(exporter, err);
    mem_free(exporter->piece);
    if (status == STATUS_OK)
        return snapshot_finish(exporter->out, &done->seal, err);
    snapshot_drop(exporter->out);
    return status;
}

enum status snapshot_export(struct snapshot_done *done, const char *folder, const char *path,
                            struct err *err)
{
    struct arena arena;
    struct exporter exporter = {.done = done};
    *done = (struct snapshot_done){0};
    enum status status =
        data_open_store(&exporter.db, folder, &(struct db_options){.read_only = true}, err);
    if (status != STATUS_OK)
        return status;
    arena_init(&arena);
    exporter.segments = arena_format(&arena, "%s/segments", folder);
    status = export_store(&exporter, path, err);
    if (status == STATUS_NOT_FOUND)
        err_prefix(err, "%s", folder);
    arena_fini(&arena);
    db_close(exporter.db);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct importer {
    struct snapshot_in *in;
    struct lock *lock; /* of what is being made; NULL: not taken */
    struct db *db;
    struct arena arena;
    const char *path, *segments; /* the file; the folder */
    struct sealed_out *segment;  /* that is being written, or NULL */
    u64 segment_first, segments_end;
    struct snapshot_done *done;
    const struct snapshot_watcher *watcher;
};

static enum status nonsense(const struct importer *importer, struct err *err, const char *what)
{
    return err_set(err, STATUS_INVALID, "%s: %s", importer->path, what);
}

static enum status segment_end(struct importer *importer, struct err *err)
{
    if (!importer->segment)
        return STATUS_OK;
    struct sealed_out *segment = importer->segment;
    importer->segment = NULL;
    return sealed_finish(segment, err);
}

static enum status segment_begin(struct importer *importer, u64 first, bool is_headers,
                                 struct err *err)
{
    enum status status = segment_end(importer, err);
    if (status != STATUS_OK)
        return status;
    if (first != importer->segments_end)
        return nonsense(importer, err, "a segment of blocks is missing in the snapshot");
    status = file_make_folder(importer->segments, err);
    if (status != STATUS_OK)
        return status;
    importer->segment_first = first;
    importer->segments_end = first + ARCHIVE_BLOCKS;
    return sealed_create(&importer->segment,
                         archive_path(&importer->arena, importer->segments, first, is_headers),
                         err);
}

static enum status take_piece(struct importer *importer, const struct snapshot_record *record,
                              struct err *err)
{
    if (record->key.len != SEGMENT_KEY)
        return nonsense(importer, err, "a record of the snapshot makes no sense");
    u64 first = get_be64(record->key.at), offset = get_be64(record->key.at + 8);
    enum status status = STATUS_OK;
    if (!importer->segment || first != importer->segment_first)
        status = segment_begin(importer, first, record->kind == SNAPSHOT_HEADERS, err);
    if (status != STATUS_OK)
        return status;
    if (offset != sealed_written(importer->segment))
        return nonsense(importer, err, "a piece of a segment is missing in the snapshot");
    sealed_add(importer->segment, record->value.at, record->value.len);
    return STATUS_OK;
}

static enum status take_record(struct importer *importer, const struct snapshot_record *record,
                               struct err *err)
{
    if (record->kind == SNAPSHOT_SEGMENT || record->kind == SNAPSHOT_HEADERS)
        return take_piece(importer, record, err);
    if (record->kind >= DB_TABLE_COUNT || is_format((enum db_table)record->kind, record->key))
        return nonsense(importer, err, "the snapshot holds records of an unknown kind");
    db_begin(importer->db);
    db_put(importer->db, (enum db_table)record->kind, record->key.at, record->key.len,
           record->value.at, record->value.len);
    if (db_pending(importer->db) < COMMIT_BYTES)
        return STATUS_OK;
    enum status status = db_commit(importer->db, err);
    db_release(importer->db);
    return status;
}

static void tell(const struct importer *importer)
{
    u64 read, whole;
    if (importer->done->records % TELL_EVERY || !importer->watcher->progress)
        return;
    snapshot_progress(importer->in, &read, &whole);
    importer->watcher->progress(importer->watcher->ctx, read, whole);
}

static enum status take_all(struct importer *importer, struct err *err)
{
    struct snapshot_record record;
    struct snapshot_info found;
    enum status status = snapshot_next(importer->in, &record, err);
    for (; status == STATUS_OK && record.key.len;
         status = snapshot_next(importer->in, &record, err)) {
        importer->done->records++;
        tell(importer);
        status = take_record(importer, &record, err);
        if (status != STATUS_OK)
            return status;
    }
    if (status == STATUS_OK)
        status = segment_end(importer, err);
    if (status == STATUS_OK && db_is_writing(importer->db))
        status = db_commit(importer->db, err);
    if (status != STATUS_OK)
        return status;
    if (archive_mark(importer->db) != importer->segments_end)
        return nonsense(importer, err, "segments of blocks are missing in the snapshot");
    status = info_read(&found, importer->db, err);
    if (status != STATUS_OK)
        err_prefix(err, "%s", importer->path);
    else if (!info_eq(&found, snapshot_info(importer->in)))
        return nonsense(importer, err, "the snapshot holds another chain than its header says");
    return status;
}

static enum status verify(struct importer *importer, struct err *err)
{
    struct chain_verified verified;
    struct chain_verify_watcher watcher = {importer->watcher->verified, NULL,
                                           importer->watcher->ctx};
    enum status status = chain_verify(importer->db, importer->segments, &watcher, &verified, err);
    if (status == STATUS_OK)
        importer->done->whole = verified.whole;
    else
        err_prefix(err, "%s", importer->path);
    return status;
}

/* What was put together is opened as it will be, which brings in the rules of the genesis file. */
static enum status try_out(const struct importer *importer, const char *folder, const char *genesis,
                           u64 states, struct err *err)
{
    struct data data;
    struct data_options options = {.folder = folder,
                                   .genesis = genesis,
                                   .states = states,
                                   .read_only = !genesis,
                                   .lock = importer->lock};
    enum status status = data_open(&data, &options, err);
    if (status == STATUS_OK)
        data_close(&data);
    return status;
}

static enum status fill(struct importer *importer, const char *part, struct err *err)
{
    struct db_options options = {.lock = importer->lock};
    enum status status = data_open_store(&importer->db, part, &options, err);
    if (status != STATUS_OK)
        return status;
    status = take_all(importer, err);
    sealed_drop(importer->segment);
    if (status == STATUS_OK)
        status = verify(importer, err);
    db_close(importer->db);
    return status;
}

/* Before anything is made: is it the network that is wanted? */
static enum status check_genesis(const struct importer *importer, const char *path, struct err *err)
{
    struct arena arena;
    struct genesis genesis;
    hash32 hash;
    arena_init(&arena);
    enum status status = data_read_genesis(&genesis, &arena, path, NULL, err);
    if (status == STATUS_OK) {
        chain_genesis_hash(&genesis, &hash);
        if (!hash32_eq(&hash, &snapshot_info(importer->in)->genesis))
            status = nonsense(importer, err, "the snapshot is of a chain with another genesis");
    }
    arena_fini(&arena);
    return status;
}

/* Only a folder that an interrupted import can have left is taken over. */
static bool is_in_the_way(struct importer *importer, const char *part)
{
    const char *chain = arena_format(&importer->arena, "%s/chain", part);
    return file_kind(part) != FILE_KIND_ABSENT && !file_is_empty_folder(part) &&
           file_kind(chain) != FILE_KIND_FOLDER;
}

static enum status check_free(const char *folder, struct err *err)
{
    if (data_check_name(folder, err) != STATUS_OK)
        return STATUS_INVALID;
    if (file_kind(folder) == FILE_KIND_ABSENT)
        return STATUS_OK;
    return err_set(err, STATUS_EXISTS, "%s is there already; a snapshot makes a new folder",
                   folder);
}

/* All but the lock. */
static enum status clear(struct importer *importer, const char *part, struct err *err)
{
    file_remove_folder(importer->segments);
    return db_erase(arena_format(&importer->arena, "%s/chain", part), err);
}

/* The place must be free, and is this process's from now on; what an interrupted import left there is removed. */
static enum status prepare(struct importer *importer, const char *folder, const char *part,
                           struct err *err)
{
    enum status status = check_free(folder, err);
    if (status != STATUS_OK)
        return status;
    if (is_in_the_way(importer, part))
        return err_set(err, STATUS_EXISTS, "%s is in the way", part);
    const char *chain = arena_format(&importer->arena, "%s/chain", part);
    struct err lock_err;
    enum status locked = db_lock(&importer->lock, chain, &lock_err);
    status = check_free(folder, err); /* another may have come to its end since */
    if (status == STATUS_OK && locked != STATUS_OK)
        *err = lock_err;
    status = status == STATUS_OK ? locked : status;
    if (status != STATUS_OK)
        return status;
    return clear(importer, part, err);
}

static enum status make(struct importer *importer, const char *folder, const char *part,
                        const char *genesis, u64 states, struct err *err)
{
    enum status status = fill(importer, part, err);
    if (status == STATUS_OK)
        status = try_out(importer, part, genesis, states, err);
    if (status != STATUS_OK)
        return status;
    status = file_rename(part, folder, err);
    if (status != STATUS_OK && file_kind(part) == FILE_KIND_ABSENT)
        file_remove_folder(folder); /* it has the name, but that may not last */
    return status;
}

static enum status import_to(struct importer *importer, const char *folder, const char *genesis,
                             u64 states, struct err *err)
{
    const char *part = data_part(&importer->arena, folder);
    importer->segments = arena_format(&importer->arena, "%s/segments", part);
    enum status status = genesis ? check_genesis(importer, genesis, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = prepare(importer, folder, part, err);
    if (status == STATUS_OK)
        status = make(importer, folder, part, genesis, states, err);
    if (status != STATUS_OK && importer->lock) {
        /* The lock goes last: whoever takes it next must not lose what it makes. */
        struct err clear_err;
        if (clear(importer, part, &clear_err) == STATUS_OK)
            file_remove_folder(part);
    }
    lock_release(importer->lock);
    return status;
}

enum status snapshot_import(struct snapshot_done *done, const char *folder, const char *path,
                            const char *genesis, u64 states, const struct snapshot_watcher *watcher,
                            struct err *err)
{
    struct importer importer = {.path = path, .done = done, .watcher = watcher};
    *done = (struct snapshot_done){0};
    enum status status = snapshot_open(&importer.in, path, err);
    if (status != STATUS_OK)
        return status;
    arena_init(&importer.arena);
    status = import_to(&importer, folder, genesis, states, err);
    if (status == STATUS_OK)
        done->info = *snapshot_info(importer.in);
    arena_fini(&importer.arena);
    snapshot_close(importer.in);
    return status;
}
