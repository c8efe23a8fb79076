/*
 * Files of blocks: one after another, each as RLP, as geth's export writes them and its import reads them; or era1
 * files (node/era1.h), one or several. Which it is, the first bytes tell.
 */
#pragma once

#include "base/buf.h"
#include "node/era1.h"
#include "sys/stream.h"

struct block_file {
    struct stream *stream;
    const char *path;
    u8 *bytes; /* read ahead: what is at [at, len) has not been given out */
    size_t at, len, cap;
    u64 index;            /* of the next block in the file */
    bool is_known;        /* which of the two it is */
    struct era1_in *era1; /* NULL: it is RLP */
};

MUST_READ enum status block_file_open(struct block_file *file, const char *path, struct err *err);
void block_file_close(struct block_file *file);

/* The next block's bytes, borrowed until the next call; *len is 0 at the end. INVALID names the block. */
MUST_READ enum status block_file_next(struct block_file *file, const u8 **rlp, size_t *len,
                                      struct err *err);
