#include "rpc/param.h"

#include <stdio.h>
#include <string.h>

#include "prim/hex.h"
#include "types/withdrawal.h"

enum { LIST_MAX = 65536 };

json param_at(const struct rpc_call *call, size_t index)
{
    json value = json_at(call->params, index);
    return json_kind(value) == JSON_KIND_NULL ? NULL : value;
}

bool param_has(const struct rpc_call *call, size_t index)
{
    return param_at(call, index) != NULL;
}

json param_need(struct rpc_call *call, size_t index)
{
    json value = param_at(call, index);
    if (!value)
        rpc_fail(call, RPC_INVALID_PARAMS, "missing value for required argument %zu", index);
    return value;
}

static bool refuse(struct rpc_call *call, const char *what, const char *why)
{
    return rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: %s", what, why);
}

/* The text of a value that must be a string. */
static const char *text_of(struct rpc_call *call, json value, const char *what, size_t *len)
{
    const char *text = json_text_len(value, len);
    if (!text)
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: %s where a string was expected", what,
                 json_kind_name(json_kind(value)));
    return text;
}

static bool fixed_bytes(struct rpc_call *call, json value, const char *what, u8 *out, size_t size)
{
    size_t len;
    const char *text = text_of(call, value, what, &len);
    if (!text)
        return false;
    enum hex_verdict verdict = hex_decode_exact(out, size, text, len);
    if (verdict == HEX_BAD_LENGTH)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: hex string has length %zu, want %zu",
                        what, len - 2, 2 * size);
    return verdict == HEX_OK || refuse(call, what, hex_verdict_text(verdict));
}

bool value_addr(struct rpc_call *call, json value, const char *what, addr20 *out)
{
    return fixed_bytes(call, value, what, out->b, sizeof out->b);
}

bool value_hash(struct rpc_call *call, json value, const char *what, hash32 *out)
{
    return fixed_bytes(call, value, what, out->b, sizeof out->b);
}

/* "0x" and up to 64 digits. */
static const char *parse_digits(u256 *out, const char *text, size_t len)
{
    if (len < 2 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return "hex string without 0x prefix";
    if (len == 2)
        return "hex string \"0x\"";
    if (len > 66)
        return "hex number > 256 bits";
    u8 bytes[32];
    char padded[64];
    memset(padded, '0', sizeof padded);
    memcpy(padded + 64 - (len - 2), text + 2, len - 2);
    if (hex_decode_bare(bytes, padded, sizeof padded) != HEX_OK)
        return "invalid hex string";
    *out = u256_load_be(bytes);
    return NULL;
}

bool value_u256(struct rpc_call *call, json value, const char *what, u256 *out)
{
    size_t len;
    const char *text = text_of(call, value, what, &len);
    if (!text)
        return false;
    if (len > 3 && text[0] == '0' && text[2] == '0')
        return refuse(call, what, "hex number with leading zero digits");
    const char *why = parse_digits(out, text, len);
    return !why || refuse(call, what, why);
}

bool value_word(struct rpc_call *call, json value, const char *what, u256 *out)
{
    size_t len;
    const char *text = text_of(call, value, what, &len);
    if (!text)
        return false;
    const char *why = parse_digits(out, text, len);
    return !why || refuse(call, what, why);
}

static bool narrow(struct rpc_call *call, const char *what, u256 wide, u64 *out)
{
    if (!u256_fits_u64(wide))
        return refuse(call, what, "hex number > 64 bits");
    *out = u256_low(wide);
    return true;
}

bool value_u64(struct rpc_call *call, json value, const char *what, u64 *out)
{
    u256 wide = U256_ZERO; /* GCC cannot see that success sets it. */
    return value_u256(call, value, what, &wide) && narrow(call, what, wide, out);
}

bool value_loose_u256(struct rpc_call *call, json value, const char *what, u256 *out)
{
    size_t len;
    const char *text = json_number_text(value);
    if (text)
        len = strlen(text);
    else if (!(text = text_of(call, value, what, &len)))
        return false;
    return u256_parse_n(out, text, len) || refuse(call, what, "not a number from 0 to 2^256 - 1");
}

bool value_data(struct rpc_call *call, json value, const char *what, const u8 **bytes, size_t *len)
{
    size_t text_len;
    const char *text = text_of(call, value, what, &text_len);
    if (!text)
        return false;
    u8 *room = arena_alloc(call->arena, text_len / 2 + 1);
    enum hex_verdict verdict = hex_decode(room, len, text_len / 2 + 1, text, text_len);
    *bytes = room;
    return verdict == HEX_OK || refuse(call, what, hex_verdict_text(verdict));
}

bool value_bool(struct rpc_call *call, json value, const char *what, bool *out)
{
    return json_bool(value, out) || refuse(call, what, "not true or false");
}

bool value_is_object(struct rpc_call *call, json value, const char *what)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_KIND_OBJECT ||
           rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: %s where an object was expected", what,
                    json_kind_name(kind));
}

bool param_key_addr(struct rpc_call *call, const struct json_iter *iter, addr20 *out)
{
    enum hex_verdict verdict = hex_decode_exact(out->b, sizeof out->b, iter->key, iter->key_len);
    return verdict == HEX_OK || refuse(call, "address", hex_verdict_text(verdict));
}

bool param_key_word(struct rpc_call *call, const struct json_iter *iter, u256 *out)
{
    const char *why = parse_digits(out, iter->key, iter->key_len);
    return !why || refuse(call, "storage key", why);
}

/* --- by index ------------------------------------------------------------------------------- */

#define WHAT_MAX 24

static const char *argument(char what[WHAT_MAX], size_t index)
{
    snprintf(what, WHAT_MAX, "argument %zu", index);
    return what;
}

bool param_addr(struct rpc_call *call, size_t index, addr20 *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_addr(call, value, argument(what, index), out);
}

bool param_hash(struct rpc_call *call, size_t index, hash32 *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_hash(call, value, argument(what, index), out);
}

bool param_u64(struct rpc_call *call, size_t index, u64 *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_u64(call, value, argument(what, index), out);
}

bool param_u256(struct rpc_call *call, size_t index, u256 *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_u256(call, value, argument(what, index), out);
}

bool param_data(struct rpc_call *call, size_t index, const u8 **bytes, size_t *len)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_data(call, value, argument(what, index), bytes, len);
}

bool param_bool(struct rpc_call *call, size_t index, bool *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_bool(call, value, argument(what, index), out);
}

bool param_text(struct rpc_call *call, size_t index, const char **out)
{
    char what[WHAT_MAX];
    size_t len;
    json value = param_need(call, index);
    const char *text = value ? text_of(call, value, argument(what, index), &len) : NULL;
    if (text)
        *out = text;
    return text != NULL;
}

bool param_loose_u256(struct rpc_call *call, size_t index, u256 *out)
{
    char what[WHAT_MAX];
    json value = param_need(call, index);
    return value && value_loose_u256(call, value, argument(what, index), out);
}

bool param_loose_u64(struct rpc_call *call, size_t index, u64 *out)
{
    char what[WHAT_MAX];
    u256 wide;
    return param_loose_u256(call, index, &wide) && narrow(call, argument(what, index), wide, out);
}

bool param_page_size(struct rpc_call *call, size_t index, u32 *out)
{
    u64 size = 0;
    if (!param_loose_u64(call, index, &size))
        return false;
    *out = (u32)size;
    return (size && size <= PAGE_SIZE_MAX) ||
           rpc_fail(call, RPC_INVALID_PARAMS, "max allowed page size: %d", PAGE_SIZE_MAX);
}

/* --- members of objects --------------------------------------------------------------------- */

static json member(json object, const char *key, bool *has)
{
    json value = json_get(object, key);
    enum json_kind kind = json_kind(value);
    *has = kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL;
    return value;
}

bool member_addr(struct rpc_call *call, json object, const char *key, addr20 *out, bool *has)
{
    json value = member(object, key, has);
    return !*has || value_addr(call, value, key, out);
}

bool member_hash(struct rpc_call *call, json object, const char *key, hash32 *out, bool *has)
{
    json value = member(object, key, has);
    return !*has || value_hash(call, value, key, out);
}

bool member_u64(struct rpc_call *call, json object, const char *key, u64 *out, bool *has)
{
    json value = member(object, key, has);
    return !*has || value_u64(call, value, key, out);
}

bool member_u256(struct rpc_call *call, json object, const char *key, u256 *out, bool *has)
{
    json value = member(object, key, has);
    return !*has || value_u256(call, value, key, out);
}

bool member_data(struct rpc_call *call, json object, const char *key, const u8 **bytes, size_t *len,
                 bool *has)
{
    json value = member(object, key, has);
    return !*has || value_data(call, value, key, bytes, len);
}

bool member_list(struct rpc_call *call, json object, const char *key, json *list, bool *has)
{
    *list = member(object, key, has);
    if (!*has)
        *list = NULL;
    else if (json_kind(*list) != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: %s where an array was expected", key,
                        json_kind_name(json_kind(*list)));
    return json_count(*list) <= LIST_MAX ||
           rpc_fail(call, RPC_INVALID_PARAMS, "invalid %s: more than %u items", key, LIST_MAX);
}

static bool value_withdrawal(struct rpc_call *call, json value, struct withdrawal *out)
{
    bool has;
    *out = (struct withdrawal){0};
    return value_is_object(call, value, "withdrawal") &&
           member_u64(call, value, "index", &out->index, &has) &&
           member_u64(call, value, "validatorIndex", &out->validator, &has) &&
           member_addr(call, value, "address", &out->addr, &has) &&
           member_u64(call, value, "amount", &out->amount_gwei, &has);
}

bool member_withdrawals(struct rpc_call *call, json object, const char *key,
                        const struct withdrawal **list, u32 *count, bool *has)
{
    json values;
    *list = NULL;
    *count = 0;
    if (!member_list(call, object, key, &values, has))
        return false;
    struct withdrawal *items = arena_alloc(call->arena, json_count(values) * sizeof *items);
    for (; *count < json_count(values); ++*count)
        if (!value_withdrawal(call, json_at(values, *count), &items[*count]))
            return false;
    *list = items;
    return true;
}
