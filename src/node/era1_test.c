#include <stdio.h>

#include "base/mem.h"
#include "chain/chain_fixture.h"
#include "crypto/sha256.h"
#include "node/block_file.h"
#include "node/era1.h"
#include "node/era1_int.h"
#include "sys/file.h"

enum { BLOCKS = 12, BYTES_MAX = 16 << 20 };

/* A chain of before the merge, and the bytes of its only era1 file. */
struct stage {
    struct fixture f;
    char *folder, path[256];
    u8 *bytes;
    size_t len;
    struct err err;
};

static void build_blocks(struct fixture *f)
{
    struct tx txs[2];
    u64 nonce = 0;
    for (u64 number = 1; number < BLOCKS; number++) {
        struct chain_attributes attributes = {.timestamp = 12 * number, .gas_limit = 30000000};
        u32 count = number % 3;
        for (u32 i = 0; i < count; i++)
            txs[i] = call_counter(f, nonce++);
        CHECK(chain_build(f->chain, &attributes, txs, count, NULL));
    }
}

static void stage_open(struct stage *stage)
{
    struct era1_out *out;
    struct file_list list;
    static const char *const suffixes[] = {".era1", NULL};
    *stage = (struct stage){0};
    fixture_open(&stage->f, FORK_LONDON, 0);
    build_blocks(&stage->f);
    CHECK_EQ(file_make_temporary(&stage->folder, &stage->err), STATUS_OK);
    CHECK_EQ(era1_create(&out, stage->folder, "test", 0, &stage->err), STATUS_OK);
    for (u64 number = 0; number < BLOCKS; number++)
        era1_add(out, chain_by_number(stage->f.chain, number));
    CHECK_EQ(era1_finish(out, &stage->err), STATUS_OK);
    file_list_init(&list);
    CHECK_EQ(file_list_add(&list, stage->folder, suffixes, &stage->err), STATUS_OK);
    CHECK_EQ(list.count, 1);
    snprintf(stage->path, sizeof stage->path, "%s", list.paths[0]);
    file_list_fini(&list);
    CHECK_EQ(file_read(&stage->bytes, &stage->len, stage->path, BYTES_MAX, &stage->err), STATUS_OK);
}

static void stage_close(struct stage *stage)
{
    fixture_close(&stage->f);
    file_remove_folder(stage->folder);
    mem_free(stage->folder);
    mem_free(stage->bytes);
}

/* Reads a file of these bytes; each block that comes is the chain's. */
static enum status read_all(struct stage *stage, const u8 *bytes, size_t len, u64 *count)
{
    struct block_file file;
    struct buf block;
    char path[300];
    const u8 *rlp;
    size_t rlp_len = 0;
    *count = 0;
    snprintf(path, sizeof path, "%s.copy", stage->path);
    CHECK_EQ(file_write(path, bytes, len, &stage->err), STATUS_OK);
    CHECK_EQ(block_file_open(&file, path, &stage->err), STATUS_OK);
    buf_init(&block, BYTES_MAX);
    enum status status = block_file_next(&file, &rlp, &rlp_len, &stage->err);
    for (; status == STATUS_OK && rlp_len;
         status = block_file_next(&file, &rlp, &rlp_len, &stage->err)) {
        buf_reset(&block);
        block_encode(&block, &chain_by_number(stage->f.chain, *count % BLOCKS)->block);
        CHECK_EQ(rlp_len, block.len);
        CHECK_MEM(rlp, block.data, block.len);
        ++*count;
    }
    buf_fini(&block);
    block_file_close(&file);
    return status;
}

TEST(era1_gives_back_what_went_in)
{
    struct stage stage;
    u64 count;
    stage_open(&stage);
    CHECK_EQ(read_all(&stage, stage.bytes, stage.len, &count), STATUS_OK);
    CHECK_EQ(count, BLOCKS);
    u8 *twice = mem_alloc(2 * stage.len);
    memcpy(twice, stage.bytes, stage.len);
    memcpy(twice + stage.len, stage.bytes, stage.len);
    CHECK_EQ(read_all(&stage, twice, 2 * stage.len, &count), STATUS_OK);
    CHECK_EQ(count, 2 * BLOCKS);
    mem_free(twice);
    stage_close(&stage);
}

/* Places and types by hand, from the specification. */
TEST(era1_is_written_as_specified)
{
    struct stage stage;
    stage_open(&stage);
    static const u8 begin[] = {0x65, 0x32, 0, 0, 0, 0, 0, 0, 3, 0};
    static const u8 snappy[] = {0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};
    CHECK_MEM(stage.bytes, begin, sizeof begin);
    CHECK_MEM(stage.bytes + 16, snappy, sizeof snappy);
    size_t index = stage.len - 8 - 16 - 8 * BLOCKS;
    CHECK_EQ(era1_get_le(stage.bytes + index, 8), 0x3266 | (u64)(16 + 8 * BLOCKS) << 16);
    CHECK_EQ(era1_get_le(stage.bytes + index + 8, 8), 0);
    CHECK_EQ(era1_get_le(stage.bytes + stage.len - 8, 8), BLOCKS);
    CHECK_EQ(era1_get_le(stage.bytes + index + 16, 8), 8 - index);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t place = index + era1_get_le(stage.bytes + index + 16 + 8 * i, 8);
        CHECK_EQ(era1_get_le(stage.bytes + place, 2), 3);
    }
    const u8 *accumulator = stage.bytes + index - 40;
    CHECK_EQ(era1_get_le(accumulator, 8), 7 | 32 << 16);
    char name[32];
    snprintf(name, sizeof name, "/test-00000-%02x%02x%02x%02x.era1", accumulator[8], accumulator[9],
             accumulator[10], accumulator[11]);
    CHECK(strstr(stage.path, name));
    stage_close(&stage);
}

/* A flipped bit in packed bytes may leave what they stand for as it was: a copy of zeros from among zeros. */
static void check_flipped(struct stage *stage, size_t at)
{
    u64 count;
    stage->bytes[at] ^= 4;
    if (read_all(stage, stage->bytes, stage->len, &count) == STATUS_OK)
        CHECK_EQ(count, BLOCKS);
    else
        CHECK(stage->err.text[0]);
    stage->bytes[at] ^= 4;
}

TEST(era1_that_is_damaged_is_refused)
{
    struct stage stage;
    u64 count;
    stage_open(&stage);
    size_t index = stage.len - 8 - 16 - 8 * BLOCKS;
    for (size_t at = 1; at < stage.len; at += 1 + stage.len / 997) {
        CHECK_EQ(read_all(&stage, stage.bytes, at, &count), STATUS_INVALID);
        check_flipped(&stage, at);
    }
    for (size_t at = index - 40; at < stage.len;
         at++) { /* the accumulator and the index: every bit counts */
        stage.bytes[at] ^= 4;
        CHECK_EQ(read_all(&stage, stage.bytes, stage.len, &count), STATUS_INVALID);
        stage.bytes[at] ^= 4;
    }
    stage_close(&stage);
}

/* Of one block: the tree drawn by hand. */
TEST(era1_accumulator_is_the_root_of_a_list)
{
    struct era1_sums *sums = NEW(struct era1_sums);
    hash32 hash = {{1}}, difficulty = era1_difficulty(u256_from_u64(0x0102));
    CHECK_EQ(difficulty.b[0], 2);
    CHECK_EQ(difficulty.b[1], 1);
    era1_sum(sums, 5, 8, &hash, &difficulty);
    u8 both[64];
    hash32 node, zero = {0};
    memcpy(both, hash.b, 32);
    memcpy(both + 32, difficulty.b, 32);
    sha256(&node, both, 64);
    for (int depth = 0; depth < 13; depth++) {
        memcpy(both, node.b, 32);
        memcpy(both + 32, zero.b, 32);
        sha256(&node, both, 64);
        memcpy(both, zero.b, 32);
        sha256(&zero, both, 64);
    }
    memcpy(both, node.b, 32);
    memset(both + 32, 0, 32);
    both[32] = 1;
    sha256(&node, both, 64);
    hash32 root = era1_accumulator(sums);
    CHECK_MEM(root.b, node.b, 32);
    mem_free(sums);
}
