#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "chain/archive.h"
#include "chain/chain.h"
#include "sys/file.h"

enum { HELD = 16, BLOCKS = 2 * ARCHIVE_BLOCKS + HELD + 5 };

/* A chain of empty blocks in a store, with segments beside it. */
struct stage {
    char *folder, store[160], segments[160];
    struct db *db;
    struct chain *chain;
    struct genesis genesis;
    u32 whole; /* as the chain's option has it */
    struct err err;
};

static void chain_begin(struct stage *stage)
{
    struct db_options fast = {.volatile_commits = true};
    CHECK_EQ(db_open(&stage->db, stage->store, &fast, &stage->err), STATUS_OK);
    struct chain_options options = {
        .history = HELD,
        .seed = 1,
        .db = stage->db,
        .segments = stage->segments,
        .whole = stage->whole,
    };
    if (chain_open(&stage->chain, &stage->genesis, &options, &stage->err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", stage->err.text);
}

static void chain_end(struct stage *stage)
{
    chain_close(stage->chain);
    db_close(stage->db);
}

static void stage_open(struct stage *stage)
{
    *stage = (struct stage){0};
    CHECK_EQ(file_make_temporary(&stage->folder, &stage->err), STATUS_OK);
    snprintf(stage->store, sizeof stage->store, "%s/chain", stage->folder);
    snprintf(stage->segments, sizeof stage->segments, "%s/segments", stage->folder);
    chain_config_init(&stage->genesis.config, FORK_SHANGHAI);
    stage->genesis.header = (struct header){.gas_limit = 30000000};
    genesis_complete_header(&stage->genesis.header, &stage->genesis.config);
    chain_begin(stage);
}

static void stage_close(struct stage *stage)
{
    chain_end(stage);
    file_remove_folder(stage->folder);
    mem_free(stage->folder);
}

static void build(struct stage *stage, u32 count)
{
    while (count--) {
        struct chain_attributes attributes = {
            .timestamp = chain_head(stage->chain)->block.header.timestamp + 12,
            .gas_limit = 30000000,
        };
        CHECK(chain_build(stage->chain, &attributes, NULL, 0, NULL));
    }
}

static bool has_file(struct stage *stage, u64 first, const char *kind)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%012llu.%s", stage->segments, (unsigned long long)first, kind);
    return file_kind(path) == FILE_KIND_REGULAR;
}

static bool has_segment(struct stage *stage, u64 first)
{
    return has_file(stage, first, "segment");
}

static void sync(struct stage *stage)
{
    if (chain_sync(stage->chain, &stage->err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", stage->err.text);
}

static void reopen(struct stage *stage)
{
    chain_end(stage);
    chain_begin(stage);
}

/* Every block is found by number and by hash, and they follow one another. */
static void check_all(struct stage *stage)
{
    hash32 parent = {{0}};
    for (u64 number = 0; number <= BLOCKS; number += number < BLOCKS - 50 ? 7 : 1) {
        const struct chain_block *block = chain_by_number(stage->chain, number);
        CHECK(block && block->is_canonical);
        CHECK_EQ(block->block.header.number, number);
        hash32 hash = block->block.hash;
        if (number > BLOCKS - 50 + 7)
            CHECK(hash32_eq(&block->block.header.parent_hash, &parent));
        block = chain_by_hash(stage->chain, &hash);
        CHECK(block && hash32_eq(&block->block.hash, &hash));
        parent = hash;
    }
    struct chain_verify_watcher silent = {0};
    struct chain_verified verified;
    if (chain_verify(stage->db, stage->segments, &silent, &verified, &stage->err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", stage->err.text);
}

TEST(archive_takes_what_no_reorganisation_reaches)
{
    struct stage stage;
    stage_open(&stage);
    build(&stage, ARCHIVE_BLOCKS + HELD - 2);
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_OK);
    CHECK(!has_segment(&stage, 0)); /* the last block of it could still go */
    build(&stage, BLOCKS - (ARCHIVE_BLOCKS + HELD - 2));
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_OK);
    CHECK(has_segment(&stage, 0) && has_segment(&stage, ARCHIVE_BLOCKS));
    CHECK(!has_segment(&stage, 2 * ARCHIVE_BLOCKS));
    CHECK(db_stat(stage.db, DB_BLOCKS).entries < 2 * HELD);
    check_all(&stage);
    chain_end(&stage);
    chain_begin(&stage);
    check_all(&stage);
    stage_close(&stage);
}

TEST(archive_uses_a_file_that_a_crash_left)
{
    struct stage stage;
    u8 *before, *after;
    size_t before_len, after_len;
    char path[256];
    stage_open(&stage);
    build(&stage, BLOCKS);
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_OK);
    snprintf(path, sizeof path, "%s/%012d.segment", stage.segments, ARCHIVE_BLOCKS);
    CHECK_EQ(file_read(&before, &before_len, path, 1 << 24, &stage.err), STATUS_OK);
    chain_end(&stage);
    /* The same chain made anew, as if the commit after the files had been lost. */
    file_remove_folder(stage.store);
    chain_begin(&stage);
    build(&stage, BLOCKS);
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_OK);
    CHECK_EQ(file_read(&after, &after_len, path, 1 << 24, &stage.err), STATUS_OK);
    CHECK_EQ(after_len, before_len);
    CHECK_MEM(after, before, before_len);
    check_all(&stage);
    mem_free(before);
    mem_free(after);
    stage_close(&stage);
}

TEST(archive_that_is_damaged_or_absent_is_named_and_never_served)
{
    struct stage stage;
    char path[256];
    u8 *bytes;
    size_t len;
    stage_open(&stage);
    build(&stage, BLOCKS);
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_OK);
    chain_end(&stage);
    snprintf(path, sizeof path, "%s/%012d.segment", stage.segments, 0);
    CHECK_EQ(file_read(&bytes, &len, path, 1 << 24, &stage.err), STATUS_OK);
    bytes[200] ^= 4;
    CHECK_EQ(file_write(path, bytes, len, &stage.err), STATUS_OK);
    chain_begin(&stage);
    CHECK_EQ(chain_status(stage.chain, &stage.err), STATUS_OK);
    CHECK(!chain_by_number(stage.chain, 5));
    CHECK_EQ(chain_status(stage.chain, &stage.err), STATUS_INVALID);
    CHECK(strstr(stage.err.text, path));
    struct chain_verify_watcher silent = {0};
    struct chain_verified verified;
    CHECK_EQ(chain_verify(stage.db, stage.segments, &silent, &verified, &stage.err),
             STATUS_INVALID);
    CHECK(strstr(stage.err.text, path));
    mem_free(bytes);
    stage_close(&stage);
}

/* --- pruning ---------------------------------------------------------------------------------- */

/* From `oldest` on blocks are whole; before there are the headers, and the genesis. */
static void check_pruned(struct stage *stage, u64 oldest)
{
    const struct chain_block *block;
    hash32 parent = chain_by_number(stage->chain, 0)->block.hash;
    u64 head = chain_head(stage->chain)->block.header.number;
    CHECK_EQ(chain_oldest(stage->chain), oldest);
    CHECK(chain_by_number(stage->chain, 0)->receipts);
    CHECK(chain_by_number(stage->chain, 0)->block.has_withdrawals);
    for (u64 number = 1; number <= head; number++) {
        bool is_pruned = number < oldest;
        block = chain_header_by_number(stage->chain, number);
        CHECK(block && block->is_canonical && block->is_pruned == is_pruned);
        CHECK_EQ(block->block.header.number, number);
        CHECK(hash32_eq(&block->block.header.parent_hash, &parent));
        parent = block->block.hash;
        CHECK(chain_header_by_hash(stage->chain, &parent) == block);
        CHECK(!chain_by_number(stage->chain, number) == is_pruned);
        CHECK(!chain_by_hash(stage->chain, &parent) == is_pruned);
        CHECK(chain_knows(stage->chain, &parent));
    }
    CHECK_EQ(chain_status(stage->chain, &stage->err), STATUS_OK);
    struct chain_verify_watcher silent = {0};
    struct chain_verified verified;
    if (chain_verify(stage->db, stage->segments, &silent, &verified, &stage->err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", stage->err.text);
    CHECK_EQ(verified.whole, oldest);
}

TEST(archive_prunes_a_long_chain_by_pieces)
{
    enum { WHOLE = 40, OLDEST = BLOCKS - WHOLE };
    struct stage stage;
    stage_open(&stage);
    build(&stage, BLOCKS);
    sync(&stage);
    check_pruned(&stage, 0);
    CHECK(!chain_prunes(stage.chain));
    stage.whole = WHOLE;
    reopen(&stage); /* which syncs */
    check_pruned(&stage, ARCHIVE_BLOCKS);
    CHECK(has_file(&stage, 0, "headers") && !has_segment(&stage, 0));
    CHECK(has_segment(&stage, ARCHIVE_BLOCKS));
    CHECK(chain_prunes(stage.chain));
    sync(&stage);
    sync(&stage);
    CHECK(!chain_prunes(stage.chain));
    check_pruned(&stage, OLDEST);
    stage.whole = 0; /* what is gone stays gone, and no more goes */
    reopen(&stage);
    build(&stage, 3);
    sync(&stage);
    check_pruned(&stage, OLDEST);
    CHECK_EQ(chain_kept(stage.chain).blocks, 0);
    stage_close(&stage);
}

/* A block comes, a block goes; what a branch may need is kept, however few blocks are asked for. */
TEST(archive_prunes_as_the_chain_grows)
{
    struct stage stage;
    stage_open(&stage);
    chain_end(&stage);
    stage.whole = HELD;
    chain_begin(&stage);
    for (u32 i = 0; i < BLOCKS; i += 3) {
        build(&stage, 3);
        sync(&stage);
        u64 head = chain_head(stage.chain)->block.header.number, least = HELD + 8;
        CHECK_EQ(chain_oldest(stage.chain), head > least ? head - least : 0);
        CHECK(!chain_prunes(stage.chain));
    }
    u64 oldest = chain_oldest(stage.chain);
    check_pruned(&stage, oldest);
    CHECK(!has_segment(&stage, 0) && has_file(&stage, 0, "headers"));
    CHECK(chain_unwind(stage.chain, chain_oldest_state(stage.chain)));
    CHECK(!chain_unwind(stage.chain, chain_oldest_state(stage.chain) - 1));
    sync(&stage);
    check_pruned(&stage, oldest);
    build(&stage, 3 * HELD);
    reopen(&stage);
    check_pruned(&stage, oldest); /* nothing of that was synced */
    stage_close(&stage);
}

TEST(archive_finds_what_a_crash_left_of_pruning)
{
    struct stage stage;
    char segment[256], headers[256];
    u8 *whole, *before, *after;
    size_t whole_len, before_len, after_len;
    stage_open(&stage);
    build(&stage, BLOCKS);
    sync(&stage);
    snprintf(segment, sizeof segment, "%s/%012d.segment", stage.segments, 0);
    snprintf(headers, sizeof headers, "%s/%012d.headers", stage.segments, 0);
    CHECK_EQ(file_read(&whole, &whole_len, segment, 1 << 24, &stage.err), STATUS_OK);
    stage.whole = HELD;
    reopen(&stage);
    CHECK(!has_segment(&stage, 0));
    CHECK_EQ(file_read(&before, &before_len, headers, 1 << 24, &stage.err), STATUS_OK);
    /* The segment is back, as if it had not been removed any more. */
    CHECK_EQ(file_write(segment, whole, whole_len, &stage.err), STATUS_OK);
    reopen(&stage);
    CHECK(!has_segment(&stage, 0));
    /* The same chain made anew, with the headers there: as if the commit after them had been lost. */
    chain_end(&stage);
    file_remove_folder(stage.store);
    stage.whole = 0;
    chain_begin(&stage);
    build(&stage, BLOCKS);
    sync(&stage);
    check_pruned(&stage, 0);
    stage.whole = HELD;
    reopen(&stage);
    check_pruned(&stage, ARCHIVE_BLOCKS);
    CHECK_EQ(file_read(&after, &after_len, headers, 1 << 24, &stage.err), STATUS_OK);
    CHECK_EQ(after_len, before_len);
    CHECK_MEM(after, before, before_len);
    /* Headers that are whole, and another chain's. */
    chain_end(&stage);
    file_remove_folder(stage.store);
    stage.whole = 0;
    chain_begin(&stage);
    struct chain_attributes other = {.timestamp = 5, .gas_limit = 30000000};
    CHECK(chain_build(stage.chain, &other, NULL, 0, NULL));
    build(&stage, BLOCKS - 1);
    stage.whole = HELD;
    sync(&stage); /* replaces the segments that are there */
    reopen(&stage);
    check_pruned(&stage, ARCHIVE_BLOCKS);
    mem_free(whole);
    mem_free(before);
    mem_free(after);
    stage_close(&stage);
}

/* A folder stands where the headers should go: the step fails, once and for all, and nothing of it is left. */
TEST(archive_that_cannot_prune_stops_and_goes_on_later)
{
    struct stage stage;
    char path[256];
    stage_open(&stage);
    build(&stage, ARCHIVE_BLOCKS + HELD);
    sync(&stage);
    stage.whole = HELD;
    reopen(&stage);
    u64 oldest = chain_oldest(stage.chain);
    CHECK(oldest < ARCHIVE_BLOCKS);
    snprintf(path, sizeof path, "%s/%012d.headers", stage.segments, 0);
    CHECK_EQ(file_make_folder(path, &stage.err), STATUS_OK);
    build(&stage, 2 * HELD);
    CHECK_EQ(chain_sync(stage.chain, &stage.err), STATUS_IO);
    struct err again;
    CHECK_EQ(chain_sync(stage.chain, &again), STATUS_IO);
    CHECK_STR(again.text, stage.err.text);
    file_remove_folder(path);
    reopen(&stage);
    check_pruned(&stage, oldest);
    build(&stage, 2 * HELD);
    sync(&stage);
    CHECK(chain_oldest(stage.chain) > ARCHIVE_BLOCKS && !has_segment(&stage, 0));
    check_pruned(&stage, chain_oldest(stage.chain));
    stage_close(&stage);
}

static void put_whole_mark(struct stage *stage, u64 number)
{
    u8 value[8];
    put_be64(value, number);
    db_begin(stage->db);
    db_put(stage->db, DB_META, "whole", 5, value, sizeof value);
    CHECK_EQ(db_commit(stage->db, &stage->err), STATUS_OK);
}

/* A mark that says too much, as a snapshot of somebody else's might: no chain is opened on it, and none verifies. */
TEST(archive_that_lacks_what_the_chain_needs_is_not_opened)
{
    static const u64 marks[] = {BLOCKS - HELD + 1, BLOCKS + 1, UINT64_MAX, ARCHIVE_BLOCKS};
    struct stage stage;
    stage_open(&stage);
    build(&stage, BLOCKS);
    sync(&stage);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct chain_verify_watcher silent = {0};
        struct chain_verified verified;
        put_whole_mark(&stage, marks[i]);
        CHECK_EQ(chain_verify(stage.db, stage.segments, &silent, &verified, &stage.err),
                 STATUS_INVALID);
    }
    chain_close(stage.chain);
    for (size_t i = 0; i < 3; i++) {
        put_whole_mark(&stage, marks[i]);
        struct chain_options options = {
            .history = HELD, .seed = 1, .db = stage.db, .segments = stage.segments};
        CHECK_EQ(chain_open(&stage.chain, NULL, &options, &stage.err), STATUS_INVALID);
        CHECK(strstr(stage.err.text, "pruned"));
    }
    db_close(stage.db);
    file_remove_folder(stage.folder);
    mem_free(stage.folder);
}

TEST(archive_that_is_pruned_is_opened_with_its_folder_only)
{
    struct stage stage;
    stage_open(&stage);
    chain_end(&stage);
    stage.whole = HELD;
    chain_begin(&stage);
    build(&stage, 100);
    sync(&stage);
    CHECK_EQ(chain_oldest(stage.chain), 100 - HELD - 8);
    chain_close(stage.chain);
    struct chain_options options = {.history = HELD, .seed = 1, .db = stage.db};
    CHECK_EQ(chain_open(&stage.chain, NULL, &options, &stage.err), STATUS_INVALID);
    CHECK(strstr(stage.err.text, "segment files"));
    db_close(stage.db);
    chain_begin(&stage);
    check_pruned(&stage, 100 - HELD - 8);
    stage_close(&stage);
}
