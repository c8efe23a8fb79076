/*
 * Blocks that no reorganisation can reach any more leave the store for segment files (db/segment.h), a fixed number
 * of blocks each, named by the first. A segment is written whole and durable before the store lets go of what is in
 * it, and the mark that says how far this went lies in the store: a crash in between leaves a file that is found
 * and used the next time.
 */
#pragma once

#include "chain/store.h"
#include "db/segment.h"

enum { ARCHIVE_BLOCKS = 1024 }; /* the same on every node, or their files would differ */

struct archive;

/* folder: where the files are; made when first needed. tag: of the network. Both are copied. */
struct archive *archive_new(struct db *db, const char *folder, const hash32 *tag);
void archive_free(
    struct archive *archive); /* NULL is fine, here and below: nothing is archived then */

/* The number of the first block that is still in the store. */
u64 archive_end(const struct archive *archive);
/* The same of a store that nobody has opened an archive for. */
u64 archive_mark(struct db *db);

/* The name that the segment of these blocks has in the folder; the arena's. */
const char *archive_path(struct arena *arena, const char *folder, u64 first);

/* As store_get_block, of a block below archive_end. */
MUST_READ bool archive_get_block(struct archive *archive, struct chain_block *block,
                                 struct arena *arena, u64 number, const hash32 *hash);

/* Moves full segments of canonical blocks below `before` out of the store. What the store is told belongs to its
 * open transaction. On failure blocks stay where they are. */
MUST_READ enum status archive_move(struct archive *archive, u64 before, struct err *err);

/* STATUS_OK, or that a file is absent or damaged, since the archive was opened. */
MUST_READ enum status archive_status(const struct archive *archive, struct err *err);

/* Gives back the memory that reading took. */
void archive_rest(struct archive *archive);
