#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "prim/hex.h"
#include "prim/json_locate.h"
#include "types/genesis_int.h"

/* --- what is found ---------------------------------------------------------------------------- */

bool genesis_is_over(const struct genesis_reader *r)
{
    return r->mistakes >= r->mistakes_max;
}

void genesis_push(struct genesis_reader *r, u32 index, const char *key)
{
    assert(r->depth < GENESIS_DEPTH_MAX);
    r->path[r->depth++] = (struct genesis_step){index, key};
}

void genesis_pop(struct genesis_reader *r)
{
    r->depth--;
}

/* The file may hold anything: what a terminal would obey is not printed. */
static void disarm(char *text)
{
    for (; *text; text++)
        if ((u8)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void put_path(char *out, size_t size, const struct genesis_reader *r)
{
    size_t used = 0;
    out[0] = 0;
    for (u32 i = 0; i < r->depth && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.66s", i ? "." : "", r->path[i].key);
}

static void report(struct genesis_reader *r, bool is_mistake, bool on_key, const char *fmt,
                   va_list args)
{
    char path[256], words[256], text[520];
    u32 indexes[GENESIS_DEPTH_MAX];
    if (genesis_is_over(r) || (!is_mistake && r->warnings >= GENESIS_FINDINGS_MAX))
        return;
    *(is_mistake ? &r->mistakes : &r->warnings) += 1;
    put_path(path, sizeof path, r);
    vsnprintf(words, sizeof words, fmt, args);
    snprintf(text, sizeof text, "%s%s%s", path, *path ? ": " : "", words);
    disarm(text);
    for (u32 i = 0; i < r->depth; i++)
        indexes[i] = r->path[i].index;
    struct json_place place = json_locate(r->text, r->len, indexes, r->depth, on_key);
    r->found(r->ctx, &(struct genesis_finding){is_mistake, place.line, place.column, text});
}

void genesis_mistake(struct genesis_reader *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(r, true, false, fmt, args);
    va_end(args);
}

void genesis_key_mistake(struct genesis_reader *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(r, true, true, fmt, args);
    va_end(args);
}

void genesis_warning(struct genesis_reader *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    report(r, false, true, fmt, args);
    va_end(args);
}

bool genesis_wants(struct genesis_reader *r, json value, enum json_kind kind)
{
    if (json_kind(value) == kind)
        return true;
    genesis_mistake(r, "must be %s, but is %s", json_kind_name(kind),
                    json_kind_name(json_kind(value)));
    return false;
}

/* --- objects ---------------------------------------------------------------------------------- */

static u32 find_key(const struct genesis_key *keys, const char *name)
{
    u32 i = 0;
    while (keys[i].name && strcasecmp(keys[i].name, name) != 0)
        i++;
    return i;
}

static void unknown_key(struct genesis_reader *r, const struct genesis_key *keys, const char *name)
{
    const char *names[GENESIS_KEYS_MAX];
    size_t count = 0;
    for (; keys[count].name; count++)
        names[count] = keys[count].name;
    const char *near = nearest_word(name, names, count);
    if (near)
        genesis_key_mistake(r, "is not a key known here; did you mean \"%s\"?", near);
    else
        genesis_key_mistake(r, "is not a key known here");
}

static void read_member(struct genesis_reader *r, const struct genesis_key *keys, void *base,
                        struct genesis_seen *seen, const struct json_iter *it)
{
    u32 row = find_key(keys, it->key);
    const struct genesis_key *key = &keys[row];
    if (!key->name || strlen(it->key) != it->key_len) {
        unknown_key(r, keys, it->key);
        return;
    }
    if (seen->is_named[row]) {
        genesis_key_mistake(r, "is given twice");
        return;
    }
    seen->is_named[row] = true;
    if (json_kind(it->value) == JSON_KIND_NULL)
        return;
    seen->at[row] = (u32)it->index - 1;
    if (strcmp(key->name, it->key) != 0)
        genesis_warning(r, "is written \"%s\"", key->name);
    if (key->read)
        key->read(r, (u8 *)base + key->offset, it->value);
}

void genesis_read_object(struct genesis_reader *r, const struct genesis_key *keys, void *base,
                         struct genesis_seen *seen, json object)
{
    memset(seen->at, 0xff, sizeof seen->at);
    memset(seen->is_named, 0, sizeof seen->is_named);
    if (!genesis_wants(r, object, JSON_KIND_OBJECT))
        return;
    struct json_iter it = json_iter(object);
    while (!genesis_is_over(r) && json_next(&it)) {
        genesis_push(r, (u32)it.index - 1, it.key);
        read_member(r, keys, base, seen, &it);
        genesis_pop(r);
    }
}

bool genesis_has(const struct genesis_seen *seen, const struct genesis_key *keys, const char *name)
{
    u32 row = find_key(keys, name);
    assert(keys[row].name);
    return seen->at[row] != GENESIS_ABSENT;
}

void genesis_push_key(struct genesis_reader *r, const struct genesis_seen *seen,
                      const struct genesis_key *keys, const char *name)
{
    u32 row = find_key(keys, name);
    assert(keys[row].name && seen->at[row] != GENESIS_ABSENT);
    genesis_push(r, seen->at[row], keys[row].name);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool take_u256(struct genesis_reader *r, u256 *out, json value)
{
    const char *text =
        json_kind(value) == JSON_KIND_NUMBER ? json_number_text(value) : json_text(value);
    if (!text) {
        genesis_mistake(r, "must be a number, but is %s", json_kind_name(json_kind(value)));
        return false;
    }
    if (u256_parse(out, text))
        return true;
    genesis_mistake(r, "\"%.80s\" is not a decimal or 0x number below 2^256", text);
    return false;
}

void genesis_read_u256(struct genesis_reader *r, void *place, json value)
{
    u256 number;
    if (take_u256(r, &number, value))
        *(u256 *)place = number;
}

static bool take_u64(struct genesis_reader *r, u64 *out, json value)
{
    u256 wide;
    if (!take_u256(r, &wide, value))
        return false;
    if (u256_fits_u64(wide)) {
        *out = u256_low(wide);
        return true;
    }
    genesis_mistake(r, "does not fit 64 bits");
    return false;
}

void genesis_read_u64(struct genesis_reader *r, void *place, json value)
{
    u64 number;
    if (take_u64(r, &number, value))
        *(u64 *)place = number;
}

void genesis_read_nonce(struct genesis_reader *r, void *place, json value)
{
    u64 number;
    if (!take_u64(r, &number, value))
        return;
    for (int i = 0; i < 8; i++)
        ((u8 *)place)[i] = (u8)(number >> (56 - 8 * i));
}

void genesis_read_bool(struct genesis_reader *r, void *place, json value)
{
    if (genesis_wants(r, value, JSON_KIND_BOOL) && !json_bool(value, place))
        assert(false);
}

bool genesis_read_fixed(struct genesis_reader *r, u8 *out, size_t size, const char *text,
                        size_t len)
{
    u8 bytes[32];
    assert(size <= sizeof bytes);
    if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        len -= 2;
    }
    if (len != 2 * size) {
        genesis_mistake(r, "must be %zu bytes in hex, %zu digits, but has %zu", size, 2 * size,
                        len);
        return false;
    }
    if (hex_decode_bare(bytes, text, len) != HEX_OK) {
        genesis_mistake(r, "has a character that is not a hexadecimal digit");
        return false;
    }
    memcpy(out, bytes, size);
    return true;
}

static void read_fixed_json(struct genesis_reader *r, u8 *out, size_t size, json value)
{
    size_t len = 0;
    const char *text = json_text_len(value, &len);
    if (genesis_wants(r, value, JSON_KIND_STRING) && !genesis_read_fixed(r, out, size, text, len))
        return;
}

void genesis_read_addr(struct genesis_reader *r, void *place, json value)
{
    read_fixed_json(r, ((addr20 *)place)->b, sizeof(addr20), value);
}

void genesis_read_hash(struct genesis_reader *r, void *place, json value)
{
    read_fixed_json(r, ((hash32 *)place)->b, sizeof(hash32), value);
}

void genesis_read_bytes(struct genesis_reader *r, void *place, json value)
{
    size_t len = 0, bytes_len;
    const char *text = json_text_len(value, &len);
    if (!genesis_wants(r, value, JSON_KIND_STRING) || !len)
        return;
    u8 *bytes = arena_alloc(r->arena, len / 2);
    enum hex_verdict verdict = hex_decode(bytes, &bytes_len, len / 2, text, len);
    if (verdict == HEX_OK)
        *(struct genesis_bytes *)place = (struct genesis_bytes){bytes, bytes_len};
    else
        genesis_mistake(r, "%s", hex_verdict_text(verdict));
}
