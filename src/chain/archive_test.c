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
    struct err err;
};

static void chain_begin(struct stage *stage)
{
    struct db_options fast = {.volatile_commits = true};
    CHECK_EQ(db_open(&stage->db, stage->store, &fast, &stage->err), STATUS_OK);
    struct chain_options options = {
        .history = HELD, .seed = 1, .db = stage->db, .segments = stage->segments};
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

static bool has_segment(struct stage *stage, u64 first)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%012llu.segment", stage->segments, (unsigned long long)first);
    return file_kind(path) == FILE_KIND_REGULAR;
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
