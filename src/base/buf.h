/*
 * A byte string that grows up to a maximum set when it is made (after curl's dynbuf in spirit).
 * Past the maximum it turns `full`, keeps what it had, and ignores further additions; the caller
 * looks once, at the end. The heap owns the bytes until buf_fini or buf_take.
 */
#pragma once

#include "base/types.h"

struct buf {
    u8 *data;
    size_t len, cap, max;
    bool full;
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);
void buf_reset(struct buf *buf); /* empties, keeps the memory */

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_byte(struct buf *buf, u8 byte);
/* The low so many bytes of the value, big-endian. */
void buf_add_be(struct buf *buf, u64 value, unsigned bytes);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_format(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for len more bytes, to be filled by the caller; NULL when that passes the maximum. */
u8 *buf_extend(struct buf *buf, size_t len);

/* The bytes become the caller's (free with mem_free); the buffer is empty again. */
u8 *buf_take(struct buf *buf, size_t *len);
