/*
 * Snappy's framing format: blocks of at most 64 KiB, each with the CRC-32C of what it stands for. Source:
 * framing_format.txt in google/snappy.
 */
#pragma once

#include "base/buf.h"
#include "base/types.h"

/* Appends a whole stream. */
void snappy_frame_encode(struct buf *out, const u8 *bytes, size_t len);

/* Appends what a whole stream stands for, at most max bytes. NULL, or what is wrong with it. */
MUST_READ const char *snappy_frame_decode(struct buf *out, const u8 *bytes, size_t len, size_t max);
