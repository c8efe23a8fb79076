#include "evmcli/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "prim/hex.h"

void reader_init(struct reader *reader, struct arena *arena)
{
    reader->arena = arena;
    reader->failed = false;
    reader->err.text[0] = 0;
}

void reader_fail(struct reader *reader, const char *fmt, ...)
{
    if (reader->failed)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(reader->err.text, sizeof reader->err.text, fmt, args);
    va_end(args);
    reader->failed = true;
}

bool reader_has(json object, const char *key)
{
    enum json_kind kind = json_kind(json_get(object, key));
    return kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL;
}

/* The text of a value that must be a string; NULL after noting a failure. */
static const char *string_of(struct reader *reader, json value, const char *what, size_t *len)
{
    const char *text = json_text_len(value, len);
    if (!text)
        reader_fail(reader, "%s is %s, not a string", what, json_kind_name(json_kind(value)));
    return text;
}

static bool hex_u256(u256 *out, const char *digits, size_t len)
{
    while (len && *digits == '0') {
        digits++;
        len--;
    }
    if (len > 64)
        return false;
    char padded[64];
    u8 word[32];
    memset(padded, '0', sizeof padded - len);
    memcpy(padded + sizeof padded - len, digits, len);
    if (hex_decode_bare(word, padded, sizeof padded) != HEX_OK)
        return false;
    *out = u256_load_be(word);
    return true;
}

static bool decimal_u256(u256 *out, const char *digits, size_t len)
{
    u256 sum = u256_from_u64(0), ten = u256_from_u64(10);
    if (!len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (digits[i] < '0' || digits[i] > '9' || u256_mul_overflow(&sum, sum, ten) ||
            u256_add_carry(&sum, sum, u256_from_u64((u64)(digits[i] - '0'))))
            return false;
    }
    *out = sum;
    return true;
}

bool text_u256(u256 *out, const char *text, size_t len)
{
    if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return hex_u256(out, text + 2, len - 2);
    return decimal_u256(out, text, len);
}

u256 value_u256(struct reader *reader, json value, const char *what)
{
    u64 number;
    u256 out = u256_from_u64(0);
    if (json_u64(value, &number))
        return u256_from_u64(number);
    size_t len;
    const char *text = string_of(reader, value, what, &len);
    if (text && !text_u256(&out, text, len))
        reader_fail(reader, "%s is \"%.80s\", not a number below 2^256", what, text);
    return out;
}

u64 value_u64(struct reader *reader, json value, const char *what)
{
    u256 wide = value_u256(reader, value, what);
    if (u256_fits_u64(wide))
        return u256_low(wide);
    reader_fail(reader, "%s is not a number below 2^64", what);
    return 0;
}

static void decode_exact(struct reader *reader, u8 *out, size_t size, const char *text, size_t len,
                         const char *what)
{
    if (len >= 2 && text[0] == '0' && text[1] == 'x') {
        text += 2;
        len -= 2;
    }
    if (len != 2 * size || hex_decode_bare(out, text, len) != HEX_OK) {
        reader_fail(reader, "%s is \"%.80s\", not %zu bytes in hex", what, text, size);
        memset(out, 0, size);
    }
}

hash32 value_hash(struct reader *reader, json value, const char *what)
{
    hash32 out = {0};
    size_t len;
    const char *text = string_of(reader, value, what, &len);
    if (text)
        decode_exact(reader, out.b, sizeof out.b, text, len, what);
    return out;
}

addr20 value_addr(struct reader *reader, json value, const char *what)
{
    addr20 out = {0};
    size_t len;
    const char *text = string_of(reader, value, what, &len);
    if (text)
        decode_exact(reader, out.b, sizeof out.b, text, len, what);
    return out;
}

struct bytes text_bytes(struct reader *reader, const char *text, size_t len, const char *what)
{
    if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        len -= 2;
    }
    u8 *data = arena_alloc(reader->arena, len / 2 + 1);
    enum hex_verdict verdict = hex_decode_bare(data, text, len);
    if (verdict == HEX_OK)
        return (struct bytes){data, len / 2};
    reader_fail(reader, "%s: %s", what, hex_verdict_text(verdict));
    return (struct bytes){NULL, 0};
}

struct bytes value_bytes(struct reader *reader, json value, const char *what)
{
    size_t len;
    const char *text = string_of(reader, value, what, &len);
    return text ? text_bytes(reader, text, len, what) : (struct bytes){NULL, 0};
}

addr20 text_addr(struct reader *reader, const char *text)
{
    addr20 out = {0};
    decode_exact(reader, out.b, sizeof out.b, text, strlen(text), "address");
    return out;
}

u256 text_word(struct reader *reader, const char *text, size_t len, const char *what)
{
    u256 out = u256_from_u64(0);
    bool has_prefix = len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    size_t skip = has_prefix ? 2 : 0;
    if (!hex_u256(&out, text + skip, len - skip))
        reader_fail(reader, "%s is \"%.80s\", not a word in hex", what, text);
    return out;
}

/* The member, which must be there. */
static json member(struct reader *reader, json object, const char *key)
{
    json value = json_get(object, key);
    if (!value)
        reader_fail(reader, "%s is missing", key);
    return value;
}

u64 reader_u64(struct reader *reader, json object, const char *key)
{
    json value = member(reader, object, key);
    return value ? value_u64(reader, value, key) : 0;
}

u256 reader_u256(struct reader *reader, json object, const char *key)
{
    json value = member(reader, object, key);
    return value ? value_u256(reader, value, key) : u256_from_u64(0);
}

hash32 reader_hash(struct reader *reader, json object, const char *key)
{
    json value = member(reader, object, key);
    return value ? value_hash(reader, value, key) : (hash32){0};
}

addr20 reader_addr(struct reader *reader, json object, const char *key)
{
    json value = member(reader, object, key);
    return value ? value_addr(reader, value, key) : (addr20){0};
}

struct bytes reader_bytes(struct reader *reader, json object, const char *key)
{
    json value = member(reader, object, key);
    return value ? value_bytes(reader, value, key) : (struct bytes){NULL, 0};
}

static json container(struct reader *reader, json object, const char *key, enum json_kind kind)
{
    json value = member(reader, object, key);
    if (!value || json_kind(value) == kind)
        return value;
    reader_fail(reader, "%s is %s, not %s", key, json_kind_name(json_kind(value)),
                json_kind_name(kind));
    return NULL;
}

json reader_object(struct reader *reader, json object, const char *key)
{
    return container(reader, object, key, JSON_KIND_OBJECT);
}

json reader_array(struct reader *reader, json object, const char *key)
{
    return container(reader, object, key, JSON_KIND_ARRAY);
}

u64 reader_u64_or(struct reader *reader, json object, const char *key, u64 otherwise)
{
    return reader_has(object, key) ? reader_u64(reader, object, key) : otherwise;
}

u256 reader_u256_or(struct reader *reader, json object, const char *key, u256 otherwise)
{
    return reader_has(object, key) ? reader_u256(reader, object, key) : otherwise;
}
