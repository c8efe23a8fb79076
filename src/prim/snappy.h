/*
 * Snappy's block format: a compressed byte string, as era1 files and devp2p hold them. Source: the description of the
 * format in google/snappy (format_description.txt). The frames around blocks that files have are node/snappy_frame.h's.
 */
#pragma once

#include "base/buf.h"
#include "base/types.h"

enum { SNAPPY_BLOCK_MAX = 65536 };

/* Appends the compressed form of at most SNAPPY_BLOCK_MAX bytes. The same input gives the same bytes. */
void snappy_encode(struct buf *out, const u8 *bytes, size_t len);

/* Appends what a compressed form stands for, at most max bytes. False when it is malformed or longer, with out as it
 * was. */
MUST_READ bool snappy_decode(struct buf *out, const u8 *bytes, size_t len, size_t max);
