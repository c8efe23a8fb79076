#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "db/segment.h"
#include "sys/file.h"

enum { COUNT = 300, FIRST = 1000 };

/* Records of many lengths, one of them longer than a frame. */
static enum status make_record(void *ctx, u64 number, struct db_bytes *record, struct err *err)
{
    u8 *room = ctx;
    size_t len = number % 97 * 31 + (number == FIRST + 123 ? 400000 : 0);
    (void)err;
    for (size_t i = 0; i < len; i++)
        room[i] = (u8)(number * 7 + i / 5);
    *record = (struct db_bytes){room, len};
    return STATUS_OK;
}

struct stage {
    char *folder, path[128];
    u8 *room;
    struct err err;
};

static void stage_open(struct stage *stage)
{
    struct segment_info info = {.tag = {1, 2, 3}, .first = FIRST, .count = COUNT};
    CHECK_EQ(file_make_temporary(&stage->folder, &stage->err), STATUS_OK);
    snprintf(stage->path, sizeof stage->path, "%s/one.seg", stage->folder);
    stage->room = mem_alloc(1 << 20);
    CHECK_EQ(segment_write(stage->path, &info, make_record, stage->room, &stage->err), STATUS_OK);
}

static void stage_close(struct stage *stage)
{
    file_remove_folder(stage->folder);
    mem_free(stage->folder);
    mem_free(stage->room);
}

TEST(segment_gives_back_what_went_in)
{
    struct stage stage;
    struct segment *segment;
    stage_open(&stage);
    CHECK_EQ(segment_open(&segment, stage.path, &stage.err), STATUS_OK);
    CHECK_EQ(segment_info(segment)->count, COUNT);
    for (u64 i = 0; i < COUNT; i++) {
        u64 number = FIRST + i * 89 % COUNT;
        struct db_bytes got, want;
        CHECK_EQ(segment_get(segment, number, &got, &stage.err), STATUS_OK);
        CHECK_EQ(make_record(stage.room, number, &want, NULL), STATUS_OK);
        CHECK_EQ(got.len, want.len);
        CHECK_MEM(got.at, want.at, want.len);
    }
    struct db_bytes got;
    CHECK_EQ(segment_get(segment, FIRST - 1, &got, &stage.err), STATUS_NOT_FOUND);
    CHECK_EQ(segment_get(segment, FIRST + COUNT, &got, &stage.err), STATUS_NOT_FOUND);
    segment_close(segment);
    stage_close(&stage);
}

/* Reads everything; true when nothing was wrong. */
static bool reads_whole(struct stage *stage)
{
    struct segment *segment;
    if (segment_open(&segment, stage->path, &stage->err) != STATUS_OK)
        return false;
    bool whole = true;
    for (u64 i = 0; whole && i < COUNT; i++) {
        struct db_bytes got;
        whole = segment_get(segment, FIRST + i, &got, &stage->err) == STATUS_OK;
    }
    segment_close(segment);
    return whole;
}

TEST(segment_finds_every_flipped_bit_and_every_cut)
{
    struct stage stage;
    u8 *bytes;
    size_t len;
    stage_open(&stage);
    CHECK_EQ(file_read(&bytes, &len, stage.path, 1 << 24, &stage.err), STATUS_OK);
    for (size_t i = 0; i < len; i += i < 80 || i + 200 > len ? 1 : 53) {
        bytes[i] ^= (u8)(1 << i % 8);
        CHECK_EQ(file_write(stage.path, bytes, len, &stage.err), STATUS_OK);
        CHECK(!reads_whole(&stage));
        bytes[i] ^= (u8)(1 << i % 8);
    }
    for (size_t cut = 0; cut < len; cut += 211) {
        CHECK_EQ(file_write(stage.path, bytes, cut, &stage.err), STATUS_OK);
        CHECK(!reads_whole(&stage));
    }
    CHECK_EQ(file_write(stage.path, bytes, len, &stage.err), STATUS_OK);
    CHECK(reads_whole(&stage));
    mem_free(bytes);
    stage_close(&stage);
}
