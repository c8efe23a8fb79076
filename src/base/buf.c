#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    mem_free(buf->data);
    buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->full = false;
}

u8 *buf_extend(struct buf *buf, size_t len)
{
    if (buf->full || len > buf->max - buf->len) {
        buf->full = true;
        return NULL;
    }
    if (buf->len + len > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 64;
        while (cap < buf->len + len)
            cap *= 2;
        buf->data = mem_realloc(buf->data, cap);
        buf->cap = cap;
    }
    u8 *room = buf->data + buf->len;
    buf->len += len;
    return room;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!len)
        return;
    u8 *room = buf_extend(buf, len);
    if (room)
        memcpy(room, bytes, len);
}

void buf_add_byte(struct buf *buf, u8 byte)
{
    buf_add(buf, &byte, 1);
}

void buf_add_be(struct buf *buf, u64 value, unsigned bytes)
{
    while (bytes--)
        buf_add_byte(buf, (u8)(value >> (8 * bytes)));
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_format(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    assert(len >= 0);
    if ((size_t)len < sizeof small) {
        buf_add(buf, small, (size_t)len);
    } else {
        char *large = mem_alloc((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, fmt, again);
        buf_add(buf, large, (size_t)len);
        mem_free(large);
    }
    va_end(again);
}

u8 *buf_take(struct buf *buf, size_t *len)
{
    u8 *data = buf->data ? buf->data : mem_alloc(1);
    *len = buf->len;
    buf_init(buf, buf->max);
    return data;
}
