/*
 * Blocks that no reorganisation can reach any more leave the store for segment files (db/segment.h), a fixed number
 * of blocks each, named by the first. A segment is written whole and durable before the store lets go of what is in
 * it, and the mark that says how far this went lies in the store: a crash in between leaves a file that is found
 * and used the next time.
 *
 * Where history is bounded, blocks are pruned one by one: the store says that a block is, and forgets where its
 * transactions are, in one transaction. When all blocks of a segment are, their headers are in a file of their own,
 * NUMBER.headers, durable before the store says so, and NUMBER.segment is removed after; what a crash leaves of either
 * is used, or removed, the next time. Headers stay in files rather than in the store because these, too, have the same
 * bytes on every node, never change, and cost the store nothing to carry.
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

/* The oldest block from which on all are whole; 0: all are. */
u64 archive_whole(const struct archive *archive);
u64 archive_whole_mark(struct db *db);
/* Of segments before this number there are the headers only. */
static inline u64 archive_headers_end(u64 whole)
{
    return whole - whole % ARCHIVE_BLOCKS;
}

/* The name that the segment of these blocks, or of their headers, has in the folder; the arena's. */
const char *archive_path(struct arena *arena, const char *folder, u64 first, bool is_headers);

/* As store_get_block, wherever the block is kept; what is left of it when it is pruned. archive NULL: in the store. */
MUST_READ bool archive_load(struct archive *archive, struct db *db, struct chain_block *block,
                            struct arena *arena, u64 number, const hash32 *hash);

/* Moves full segments of canonical blocks below `before` out of the store. What the store is told belongs to its
 * open transaction. On failure blocks stay where they are. */
MUST_READ enum status archive_move(struct archive *archive, u64 before, struct err *err);

/* Prunes blocks below `before`, which must be all in the archive but for those of the last segment: `least` of them, and
 * more as long as that takes little time, but no more than the open transaction has room for. The rest as for archive_move. */
MUST_READ enum status archive_prune(struct archive *archive, u64 before, u64 least,
                                    struct err *err);
/* After a commit: removes the files of which nothing is left but the headers. One that cannot be is tried again when the
 * archive is opened the next time. */
void archive_sweep(struct archive *archive);

/* STATUS_OK, or that a file is absent or damaged, since the archive was opened. */
MUST_READ enum status archive_status(const struct archive *archive, struct err *err);

/* Gives back the memory that reading took. */
void archive_rest(struct archive *archive);
