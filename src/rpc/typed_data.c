#include "rpc/typed_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prim/hex.h"
#include "prim/keccak.h"
#include "prim/u256.h"
#include "rpc/param.h"

enum { NEST_MAX = 32, STRUCTS_MAX = 64 };

#define DOMAIN_TYPE "EIP712Domain"

struct encoder {
    struct rpc_call *call;
    json types;
    unsigned nest;
    struct {
        const char *name;
        hash32 hash;
    } known[STRUCTS_MAX]; /* types whose hash was made */
    size_t known_count;
};

static bool bad(struct encoder *encoder, const char *type, const char *why)
{
    return rpc_fail(encoder->call, RPC_INVALID_PARAMS, "typed data: %.100s: %s", type, why);
}

/* --- type strings --------------------------------------------------------------------------- */

/* "Person[2][]" without its arrays. */
static const char *base_type(struct encoder *encoder, const char *type)
{
    return arena_format(encoder->call->arena, "%.*s", (int)strcspn(type, "["), type);
}

/* Structs that a type refers to, each once. */
struct names {
    const char *list[STRUCTS_MAX];
    size_t count;
};

static bool names_has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return true;
    return false;
}

static bool collect(struct encoder *encoder, struct names *names, const char *name)
{
    json fields = json_get(encoder->types, name);
    if (!fields || names_has(names, name))
        return true;
    if (json_kind(fields) != JSON_KIND_ARRAY)
        return bad(encoder, name, "a type is an array of fields");
    if (names->count == STRUCTS_MAX)
        return bad(encoder, name, "too many types");
    names->list[names->count++] = name;
    for (size_t i = 0; i < json_count(fields); i++) {
        const char *type = json_text(json_get(json_at(fields, i), "type"));
        if (!type || !json_text(json_get(json_at(fields, i), "name")))
            return bad(encoder, name, "a field needs a name and a type");
        if (!collect(encoder, names, base_type(encoder, type)))
            return false;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_type(struct encoder *encoder, struct buf *out, const char *name)
{
    json fields = json_get(encoder->types, name);
    buf_add_text(out, name);
    buf_add_byte(out, '(');
    for (size_t i = 0; i < json_count(fields); i++) {
        if (i)
            buf_add_byte(out, ',');
        buf_add_text(out, json_text(json_get(json_at(fields, i), "type")));
        buf_add_byte(out, ' ');
        buf_add_text(out, json_text(json_get(json_at(fields, i), "name")));
    }
    buf_add_byte(out, ')');
}

/* EIP-712's encodeType: the struct, then those it refers to in the order of their names. */
static bool type_hash(struct encoder *encoder, const char *name, hash32 *hash)
{
    struct names names = {.count = 0};
    for (size_t i = 0; i < encoder->known_count; i++) {
        if (strcmp(encoder->known[i].name, name) == 0) {
            *hash = encoder->known[i].hash;
            return true;
        }
    }
    if (!json_get(encoder->types, name))
        return bad(encoder, name, "there is no such type");
    if (!collect(encoder, &names, name))
        return false;
    qsort(names.list + 1, names.count - 1, sizeof names.list[0], by_name);
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < names.count; i++)
        put_type(encoder, &text, names.list[i]);
    keccak256(hash, text.data, text.len);
    buf_fini(&text);
    if (encoder->known_count < STRUCTS_MAX) {
        encoder->known[encoder->known_count].name = name;
        encoder->known[encoder->known_count++].hash = *hash;
    }
    return true;
}

/* --- values --------------------------------------------------------------------------------- */

static bool hash_struct(struct encoder *encoder, const char *name, json value, hash32 *out);

/* A size in a type's name: digits and nothing else; -1 otherwise. */
static int size_of(const char *digits)
{
    if (!*digits || *digits == '0')
        return *digits ? -1 : 0;
    int size = 0;
    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9' || size > 256)
            return -1;
        size = 10 * size + (*digits - '0');
    }
    return size;
}

/* Numbers come as JSON numbers, decimal text, or hexadecimal text; negative ones with a minus. */
static bool encode_number(struct encoder *encoder, const char *type, json value, hash32 *out)
{
    bool is_signed = type[0] == 'i';
    int bits = size_of(type + (is_signed ? 3 : 4));
    bits = bits ? bits : 256;
    if (bits < 8 || bits > 256 || bits % 8)
        return bad(encoder, type, "there is no such type");
    const char *text = json_number_text(value) ? json_number_text(value) : json_text(value);
    bool is_negative = text && *text == '-';
    u256 number;
    if (!text || !u256_parse(&number, text + is_negative))
        return bad(encoder, type, "not a whole number");
    unsigned most = (unsigned)bits - is_signed;
    u256 below = is_negative && !u256_is_zero(number) ? u256_sub(number, u256_from_u64(1)) : number;
    if ((is_negative && !is_signed) || u256_bits(below) > most)
        return bad(encoder, type, "the number is out of range");
    *out = u256_to_hash(is_negative ? u256_neg(number) : number);
    return true;
}

static bool bytes_of(struct encoder *encoder, const char *type, json value, const u8 **bytes,
                     size_t *len)
{
    if (!json_text(value))
        return bad(encoder, type, "hexadecimal text was expected");
    return value_data(encoder->call, value, type, bytes, len);
}

static bool encode_bytes(struct encoder *encoder, const char *type, json value, hash32 *out)
{
    const u8 *bytes;
    size_t len;
    int size = size_of(type + strlen("bytes"));
    if (size < 0 || size > 32)
        return bad(encoder, type, "there is no such type");
    if (!bytes_of(encoder, type, value, &bytes, &len))
        return false;
    if (!size) {
        keccak256(out, bytes, len);
        return true;
    }
    if (len != (size_t)size)
        return bad(encoder, type, "the value has another length");
    *out = (hash32){{0}};
    memcpy(out->b, bytes, len);
    return true;
}

static bool encode_text(struct encoder *encoder, json value, hash32 *out)
{
    size_t len;
    const char *text = json_text_len(value, &len);
    if (!text)
        return bad(encoder, "string", "text was expected");
    keccak256(out, text, len);
    return true;
}

static bool encode_atom(struct encoder *encoder, const char *type, json value, hash32 *out)
{
    addr20 addr;
    bool truth;
    *out = (hash32){{0}};
    if (strcmp(type, "string") == 0)
        return encode_text(encoder, value, out);
    if (strcmp(type, "bool") == 0) {
        if (!json_bool(value, &truth))
            return bad(encoder, type, "true or false was expected");
        out->b[31] = truth;
        return true;
    }
    if (strcmp(type, "address") == 0) {
        if (!value_addr(encoder->call, value, type, &addr))
            return false;
        memcpy(out->b + 12, addr.b, sizeof addr.b);
        return true;
    }
    if (strncmp(type, "bytes", 5) == 0)
        return encode_bytes(encoder, type, value, out);
    if (strncmp(type, "uint", 4) == 0 || strncmp(type, "int", 3) == 0)
        return encode_number(encoder, type, value, out);
    return bad(encoder, type, "there is no such type");
}

static bool encode_value(struct encoder *encoder, const char *type, json value, hash32 *out);

/* The hash of the elements' encodings, one after the other. */
static bool encode_array(struct encoder *encoder, const char *type, json value, hash32 *out)
{
    const char *bracket = strrchr(type, '[');
    size_t len = strlen(type);
    char *digits =
        arena_format(encoder->call->arena, "%.*s", (int)(strlen(bracket) - 2), bracket + 1);
    int size = type[len - 1] == ']' ? size_of(digits) : -1;
    char *element = arena_format(encoder->call->arena, "%.*s", (int)(bracket - type), type);
    if (size < 0)
        return bad(encoder, type, "there is no such type");
    if (json_kind(value) != JSON_KIND_ARRAY || (size && json_count(value) != (size_t)size))
        return bad(encoder, type, "an array of that size was expected");
    struct keccak keccak;
    hash32 word;
    keccak_init(&keccak);
    struct json_iter iter = json_iter(value);
    while (json_next(&iter)) {
        if (!encode_value(encoder, element, iter.value, &word))
            return false;
        keccak_update(&keccak, word.b, sizeof word.b);
    }
    keccak_final(&keccak, out);
    return true;
}

static bool encode_value(struct encoder *encoder, const char *type, json value, hash32 *out)
{
    bool fine;
    if (encoder->nest == NEST_MAX)
        return bad(encoder, type, "nested too deep");
    encoder->nest++;
    enum json_kind kind = json_kind(value);
    bool is_absent = kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL;
    if (strchr(type, '['))
        fine = encode_array(encoder, type, value, out);
    else if (json_get(encoder->types, type) && is_absent)
        fine = (*out = (hash32){{0}}, true); /* a struct that is left out counts as zero */
    else if (json_get(encoder->types, type))
        fine = hash_struct(encoder, type, value, out);
    else
        fine = encode_atom(encoder, type, value, out);
    encoder->nest--;
    return fine;
}

static bool hash_struct(struct encoder *encoder, const char *name, json value, hash32 *out)
{
    hash32 word;
    struct keccak keccak;
    if (json_kind(value) != JSON_KIND_OBJECT)
        return bad(encoder, name, "an object was expected");
    if (!type_hash(encoder, name, &word))
        return false;
    keccak_init(&keccak);
    keccak_update(&keccak, word.b, sizeof word.b);
    json fields = json_get(encoder->types, name);
    for (size_t i = 0; i < json_count(fields); i++) {
        json field = json_at(fields, i);
        json member = json_get(value, json_text(json_get(field, "name")));
        if (!encode_value(encoder, json_text(json_get(field, "type")), member, &word))
            return false;
        keccak_update(&keccak, word.b, sizeof word.b);
    }
    keccak_final(&keccak, out);
    return true;
}

bool typed_data_hash(struct rpc_call *call, json typed, hash32 *hash)
{
    struct encoder encoder = {.call = call, .types = json_get(typed, "types")};
    const char *primary = json_text(json_get(typed, "primaryType"));
    u8 bytes[2 + 32 + 32] = {0x19, 0x01};
    hash32 domain, message;
    size_t len = 2 + 32;
    if (!value_is_object(call, typed, "typed data") ||
        !value_is_object(call, encoder.types, "types"))
        return false;
    if (!primary)
        return rpc_fail(call, RPC_INVALID_PARAMS, "typed data: primaryType is missing");
    if (!hash_struct(&encoder, DOMAIN_TYPE, json_get(typed, "domain"), &domain))
        return false;
    memcpy(bytes + 2, domain.b, sizeof domain.b);
    if (strcmp(primary, DOMAIN_TYPE) != 0) {
        if (!hash_struct(&encoder, primary, json_get(typed, "message"), &message))
            return false;
        memcpy(bytes + len, message.b, sizeof message.b);
        len += sizeof message.b;
    }
    keccak256(hash, bytes, len);
    return true;
}
