#include "prim/json_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* A comma unless this is the first value of its container, or follows its key. */
static void separate(struct buf *out)
{
    if (!out->len)
        return;
    u8 last = out->data[out->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != '\n')
        buf_add_byte(out, ',');
}

static void begin(struct buf *out, const char *key)
{
    separate(out);
    if (!key)
        return;
    size_t len = strlen(key);
    u8 *room = buf_extend(out, len + 3);
    if (!room)
        return;
    room[0] = '"';
    memcpy(room + 1, key, len);
    room[len + 1] = '"';
    room[len + 2] = ':';
}

void json_out_object(struct buf *out, const char *key)
{
    begin(out, key);
    buf_add_byte(out, '{');
}

void json_out_object_end(struct buf *out)
{
    buf_add_byte(out, '}');
}

void json_out_array(struct buf *out, const char *key)
{
    begin(out, key);
    buf_add_byte(out, '[');
}

void json_out_array_end(struct buf *out)
{
    buf_add_byte(out, ']');
}

void json_out_raw(struct buf *out, const char *key, const void *value, size_t len)
{
    begin(out, key);
    buf_add(out, value, len);
}

void json_out_null(struct buf *out, const char *key)
{
    json_out_raw(out, key, "null", 4);
}

void json_out_bool(struct buf *out, const char *key, bool value)
{
    if (value)
        json_out_raw(out, key, "true", 4);
    else
        json_out_raw(out, key, "false", 5);
}

void json_out_u64(struct buf *out, const char *key, u64 value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    json_out_raw(out, key, text, (size_t)len);
}

void json_out_i64(struct buf *out, const char *key, i64 value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)value);
    json_out_raw(out, key, text, (size_t)len);
}

/* As few digits as name the value and no other. */
void json_out_number(struct buf *out, const char *key, double value)
{
    char text[40];
    int len = 0;
    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    json_out_raw(out, key, text, (size_t)len);
}

/* The length of the UTF-8 sequence at p, 0 when it is none (RFC 3629: shortest form, no surrogates). */
static size_t utf8_len(const u8 *p, size_t left)
{
    static const struct {
        u8 first, last, second_min, second_max, len;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last)
            continue;
        size_t len = rows[i].len;
        if (len > left || p[1] < rows[i].second_min || p[1] > rows[i].second_max)
            return 0;
        for (size_t k = 2; k < len; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return len;
    }
    return 0;
}

static void put_control(struct buf *out, u8 c)
{
    static const char letters[] = "btn\0fr"; /* 8 to 13; there is no letter for 11 */
    char letter = c >= 8 && c <= 13 ? letters[c - 8] : 0;
    if (letter) {
        char pair[2] = {'\\', letter};
        buf_add(out, pair, 2);
        return;
    }
    char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
    buf_add(out, text, 6);
}

/* One character that cannot stand as it is; returns how many bytes of the input it was. */
static size_t put_special(struct buf *out, const u8 *p, size_t left)
{
    if (*p < 0x20) {
        put_control(out, *p);
        return 1;
    }
    if (*p == '"' || *p == '\\') {
        u8 pair[2] = {'\\', *p};
        buf_add(out, pair, 2);
        return 1;
    }
    size_t len = utf8_len(p, left);
    if (!len) {
        buf_add(out, "\xef\xbf\xbd", 3);
        return 1;
    }
    buf_add(out, p, len);
    return len;
}

void json_out_text_len(struct buf *out, const char *key, const char *text, size_t len)
{
    begin(out, key);
    buf_add_byte(out, '"');
    const u8 *p = (const u8 *)text, *end = p + len, *plain = p;
    while (p < end) {
        if (*p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
            p++;
            continue;
        }
        buf_add(out, plain, (size_t)(p - plain));
        p += put_special(out, p, (size_t)(end - p));
        plain = p;
    }
    buf_add(out, plain, (size_t)(p - plain));
    buf_add_byte(out, '"');
}

void json_out_text(struct buf *out, const char *key, const char *text)
{
    json_out_text_len(out, key, text, strlen(text));
}

void json_out_quantity(struct buf *out, const char *key, u64 value)
{
    begin(out, key);
    size_t digits = value ? (67 - (size_t)__builtin_clzll(value)) / 4 : 1;
    u8 *room = buf_extend(out, digits + 4);
    if (!room)
        return;
    memcpy(room, "\"0x", 3);
    for (size_t i = digits; i > 0; i--, value >>= 4)
        room[2 + i] = (u8)hex_digits[value & 15];
    room[digits + 3] = '"';
}

void json_out_quantity_u256(struct buf *out, const char *key, u256 value)
{
    char text[U256_HEX_MAX];
    size_t len = u256_format_hex(text, value);
    begin(out, key);
    buf_add_byte(out, '"');
    buf_add(out, text, len);
    buf_add_byte(out, '"');
}

void json_out_data(struct buf *out, const char *key, const void *bytes, size_t len)
{
    begin(out, key);
    u8 *room = buf_extend(out, 2 * len + 4);
    if (!room)
        return;
    memcpy(room, "\"0x", 3);
    room += 3;
    for (size_t i = 0; i < len; i++) {
        u8 byte = ((const u8 *)bytes)[i];
        *room++ = (u8)hex_digits[byte >> 4];
        *room++ = (u8)hex_digits[byte & 15];
    }
    *room = '"';
}

void json_out_hash(struct buf *out, const char *key, const hash32 *hash)
{
    json_out_data(out, key, hash->b, sizeof hash->b);
}

void json_out_addr(struct buf *out, const char *key, const addr20 *addr)
{
    json_out_data(out, key, addr->b, sizeof addr->b);
}

void json_out_word(struct buf *out, const char *key, u256 value)
{
    u8 bytes[32];
    u256_store_be(bytes, value);
    json_out_data(out, key, bytes, sizeof bytes);
}
