#include <stdio.h>

#include "base/mem.h"
#include "chain/archive.h"
#include "chain/chain_fixture.h"
#include "node/data.h"
#include "node/snapshot.h"
#include "sys/file.h"

enum { BLOCKS = ARCHIVE_BLOCKS + 40, HISTORY = 16, BYTES_MAX = 64 << 20 };

/* A data folder with blocks in a segment file, calls near the head, and a snapshot of it. */
struct stage {
    char *folder;
    char data[128], file[128], made[128], again[128];
    struct snapshot_done done;
    u8 *bytes; /* of the snapshot */
    size_t len;
    struct err err;
};

static const struct snapshot_watcher SILENT = {0};

static void build(struct fixture *f, u64 number)
{
    struct chain_attributes attributes = {.timestamp = 12 * number, .gas_limit = 30000000};
    struct tx tx;
    u32 count = number > BLOCKS - 8;
    if (count)
        tx = call_counter(f, number - (BLOCKS - 7));
    CHECK(chain_build(f->chain, &attributes, &tx, count, NULL));
}

static void make_data(struct stage *stage)
{
    struct fixture f;
    struct db *db;
    char path[160], segments[160];
    struct db_options options = {.volatile_commits = true};
    snprintf(path, sizeof path, "%s/chain", stage->data);
    snprintf(segments, sizeof segments, "%s/segments", stage->data);
    CHECK_EQ(db_open(&db, path, &options, &stage->err), STATUS_OK);
    fixture_open_in(&f, FORK_OSAKA, HISTORY, db);
    chain_close(f.chain);
    struct chain_options chain = {.history = HISTORY, .seed = 42, .db = db, .segments = segments};
    CHECK_EQ(chain_open(&f.chain, NULL, &chain, &stage->err), STATUS_OK);
    for (u64 number = 1; number <= BLOCKS; number++)
        build(&f, number);
    CHECK_EQ(chain_sync(f.chain, &stage->err), STATUS_OK);
    fixture_close(&f);
    CHECK_EQ(archive_mark(db), ARCHIVE_BLOCKS);
    db_begin(db);
    db_put(db, DB_POOL, "a transaction", 13, "that waits", 10);
    CHECK_EQ(db_commit(db, &stage->err), STATUS_OK);
    db_close(db);
}

static void stage_open(struct stage *stage)
{
    *stage = (struct stage){0};
    CHECK_EQ(file_make_temporary(&stage->folder, &stage->err), STATUS_OK);
    snprintf(stage->data, sizeof stage->data, "%s/data", stage->folder);
    snprintf(stage->file, sizeof stage->file, "%s/one.snapshot", stage->folder);
    snprintf(stage->made, sizeof stage->made, "%s/made", stage->folder);
    snprintf(stage->again, sizeof stage->again, "%s/two.snapshot", stage->folder);
    make_data(stage);
    CHECK_EQ(snapshot_export(&stage->done, stage->data, stage->file, &stage->err), STATUS_OK);
    CHECK_EQ(file_read(&stage->bytes, &stage->len, stage->file, BYTES_MAX, &stage->err), STATUS_OK);
}

static void stage_close(struct stage *stage)
{
    file_remove_folder(stage->folder);
    mem_free(stage->folder);
    mem_free(stage->bytes);
}

static enum status import(struct stage *stage, const char *file)
{
    struct snapshot_done done;
    return snapshot_import(&done, stage->made, file, NULL, HISTORY, &SILENT, &stage->err);
}

/* These bytes are refused as said, and nothing is left. */
static void check_refused(struct stage *stage, const u8 *bytes, size_t len, enum status status)
{
    char part[160];
    snprintf(part, sizeof part, "%s.part", stage->made);
    CHECK_EQ(file_write(stage->again, bytes, len, &stage->err), STATUS_OK);
    CHECK_EQ(import(stage, stage->again), status);
    CHECK(stage->err.text[0]);
    CHECK_EQ(file_kind(stage->made), FILE_KIND_ABSENT);
    CHECK_EQ(file_kind(part), FILE_KIND_ABSENT);
}

TEST(snapshot_makes_the_same_folder)
{
    struct stage stage;
    struct snapshot_done done;
    u8 *bytes;
    size_t len;
    stage_open(&stage);
    CHECK_EQ(stage.done.info.head, BLOCKS);
    CHECK_EQ(import(&stage, stage.file), STATUS_OK);
    CHECK_EQ(snapshot_export(&done, stage.made, stage.again, &stage.err), STATUS_OK);
    CHECK_MEM(done.seal.b, stage.done.seal.b, sizeof done.seal.b);
    CHECK_EQ(done.records, stage.done.records);
    CHECK_EQ(file_read(&bytes, &len, stage.again, BYTES_MAX, &stage.err), STATUS_OK);
    CHECK_EQ(len, stage.len);
    CHECK_MEM(bytes, stage.bytes, len);
    mem_free(bytes);
    CHECK_EQ(import(&stage, stage.file), STATUS_EXISTS);
    stage_close(&stage);
}

TEST(snapshot_that_is_damaged_leaves_nothing)
{
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < 24; i++) {
        size_t at = i < 8 ? 20 * i : stage.len * (i - 8) / 16;
        stage.bytes[at] ^= 0x10;
        bool is_version = at >= 16 && at < 24;
        check_refused(&stage, stage.bytes, stage.len,
                      is_version ? STATUS_UNSUPPORTED : STATUS_INVALID);
        stage.bytes[at] ^= 0x10;
        check_refused(&stage, stage.bytes, at, STATUS_INVALID);
    }
    check_refused(&stage, stage.bytes, stage.len - 1, STATUS_INVALID);
    stage.bytes[19]++;
    check_refused(&stage, stage.bytes, stage.len, STATUS_UNSUPPORTED);
    stage_close(&stage);
}

TEST(snapshot_with_something_behind_it_is_refused)
{
    struct stage stage;
    stage_open(&stage);
    u8 *longer = mem_alloc(stage.len + 1);
    memcpy(longer, stage.bytes, stage.len);
    longer[stage.len] = 0;
    check_refused(&stage, longer, stage.len + 1, STATUS_INVALID);
    mem_free(longer);
    stage_close(&stage);
}

/* Rewrites the snapshot with records changed by hand: the seals are right, and the contents are not. */
typedef bool edit_fn(struct snapshot_record *record, u8 *value); /* false: leave it out */

static void rewrite(struct stage *stage, edit_fn *edit)
{
    struct snapshot_in *in;
    struct snapshot_out *out;
    struct snapshot_record record;
    hash32 seal;
    CHECK_EQ(snapshot_open(&in, stage->file, &stage->err), STATUS_OK);
    CHECK_EQ(snapshot_create(&out, stage->again, snapshot_info(in), &stage->err), STATUS_OK);
    for (;;) {
        CHECK_EQ(snapshot_next(in, &record, &stage->err), STATUS_OK);
        if (!record.key.len)
            break;
        u8 *value = mem_dup(record.value.at, record.value.len);
        record.value.at = value;
        if (edit(&record, value))
            CHECK_EQ(snapshot_add(out, &record, &stage->err), STATUS_OK);
        mem_free(value);
    }
    CHECK_EQ(snapshot_finish(out, &seal, &stage->err), STATUS_OK);
    snapshot_close(in);
}

static bool change_account(struct snapshot_record *record, u8 *value)
{
    if (record->kind == DB_ACCOUNTS)
        value[record->value.len / 2] ^= 1;
    return true;
}

static bool lose_segment(struct snapshot_record *record, u8 *value)
{
    (void)value;
    return record->kind != SNAPSHOT_SEGMENT;
}

static bool lose_head(struct snapshot_record *record, u8 *value)
{
    (void)value;
    return record->kind != DB_META || record->key.len != 4 ||
           memcmp(record->key.at, "head", 4) != 0;
}

static bool lose_code(struct snapshot_record *record, u8 *value)
{
    (void)value;
    return record->kind != DB_CODES;
}

static bool unknown_kind(struct snapshot_record *record, u8 *value)
{
    (void)value;
    if (record->kind == DB_POOL)
        record->kind = DB_TABLE_COUNT;
    return true;
}

TEST(snapshot_whose_contents_are_wrong_leaves_nothing)
{
    struct stage stage;
    edit_fn *const edits[] = {change_account, lose_segment, lose_head, lose_code, unknown_kind};
    stage_open(&stage);
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        rewrite(&stage, edits[i]);
        CHECK_EQ(import(&stage, stage.again), STATUS_INVALID);
        CHECK_EQ(file_kind(stage.made), FILE_KIND_ABSENT);
    }
    stage_close(&stage);
}

TEST(snapshot_is_not_made_of_a_damaged_folder)
{
    struct stage stage;
    struct snapshot_done done;
    u8 *bytes;
    size_t len;
    char path[160];
    stage_open(&stage);
    snprintf(path, sizeof path, "%s/segments/000000000000.segment", stage.data);
    CHECK_EQ(file_read(&bytes, &len, path, BYTES_MAX, &stage.err), STATUS_OK);
    bytes[len / 2] ^= 1;
    CHECK_EQ(file_write(path, bytes, len, &stage.err), STATUS_OK);
    mem_free(bytes);
    CHECK_EQ(snapshot_export(&done, stage.data, stage.again, &stage.err), STATUS_INVALID);
    CHECK_EQ(file_kind(stage.again), FILE_KIND_ABSENT);
    stage_close(&stage);
}

TEST(snapshot_import_clears_what_another_left)
{
    struct stage stage;
    char part[160], theirs[160];
    struct db *db;
    struct err err;
    stage_open(&stage);
    snprintf(part, sizeof part, "%s.part", stage.made);
    snprintf(theirs, sizeof theirs, "%s/notes", part);
    CHECK_EQ(file_make_folder(theirs, &err), STATUS_OK);
    CHECK_EQ(import(&stage, stage.file), STATUS_EXISTS);
    CHECK_EQ(file_kind(theirs), FILE_KIND_FOLDER);
    CHECK_EQ(data_open_store(&db, part, &(struct db_options){0}, &err), STATUS_OK);
    CHECK_EQ(import(&stage, stage.file), STATUS_EXISTS);
    db_close(db);
    CHECK_EQ(import(&stage, stage.file), STATUS_OK);
    CHECK_EQ(file_kind(part), FILE_KIND_ABSENT);
    stage_close(&stage);
}
