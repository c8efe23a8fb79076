/*
 * Segments: immutable files of numbered records, packed by zstd, for what no longer changes. The bytes follow from
 * the records alone (and from the version of libzstd), so that all nodes of a network have the same files and one
 * copy on a shared disk can serve them all.
 *
 *   header   "ashlar segment 1" (16 bytes), tag (32), first number (8), records (4), frames (4), crc32c of these (4)
 *   frames   zstd frames of one record or more, each record after its length (4)
 *   index    a row a frame: first number (8), offset (8), size (4), unpacked size (4), crc32c of the frame (4)
 *   end      crc32c of the index (4)
 * Numbers are big-endian. Everything is covered by a checksum; a flipped bit is found when it is read.
 */
#pragma once

#include "base/status.h"
#include "db/db.h"

enum { SEGMENT_TAG_SIZE = 32, SEGMENT_RECORD_MAX = 256 << 20 };

struct segment_info {
    u8 tag[SEGMENT_TAG_SIZE]; /* whose records these are: the network's genesis hash */
    u64 first;                /* number of the first record */
    u32 count;
};

/* Gives a record, borrowed until the next call. */
typedef enum status segment_source(void *ctx, u64 number, struct db_bytes *record, struct err *err);

/* Makes the file; it is there whole and durable, or not at all. */
MUST_READ enum status segment_write(const char *path, const struct segment_info *info,
                                    segment_source *source, void *ctx, struct err *err);

struct segment;

/* STATUS_INVALID: it is no segment, or is damaged; the words name the file. */
MUST_READ enum status segment_open(struct segment **segment, const char *path, struct err *err);
void segment_close(struct segment *segment); /* NULL is fine */
const struct segment_info *segment_info(const struct segment *segment);

/* The record, borrowed until the next call. NOT_FOUND: its number is not of this segment. */
MUST_READ enum status segment_get(struct segment *segment, u64 number, struct db_bytes *record,
                                  struct err *err);
/* Gives back the memory of the frame that was read last. */
void segment_rest(struct segment *segment);
