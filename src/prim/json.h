/*
 * JSON, read whole: a thin door on the JSON library (docs/decisions says which and why). Strict RFC 8259:
 * valid UTF-8, no trailing bytes, nesting bounded; of two members with one name json_get finds the last.
 * Values are borrowed from the document.
 * Writing is prim/json_out.h.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"
#include "base/types.h"

struct json_doc;                       /* owns everything parsed */
typedef const struct json_value *json; /* NULL stands for "not there" and is accepted everywhere */

enum json_kind {
    JSON_KIND_ABSENT,
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_NUMBER,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};

/* depth_max: nesting allowed, at most 1024 (64 fits requests). On failure err says line, column and reason. */
enum status json_parse(struct json_doc **doc, const char *text, size_t len, unsigned depth_max,
                       struct err *err) MUST_READ;
json json_root(const struct json_doc *doc);
void json_free(struct json_doc *doc);

/* The same with everything in the caller's arena: nothing to free, and no heap once the arena is warm. */
enum status json_parse_in(json *root, struct arena *arena, const char *text, size_t len,
                          unsigned depth_max, struct err *err) MUST_READ;

/* The same with at most so many values, names and containers among them: about 150 bytes of memory each at worst. */
enum status json_parse_bounded(json *root, struct arena *arena, const char *text, size_t len,
                               unsigned depth_max, u32 values_max, struct err *err) MUST_READ;

enum json_kind json_kind(json value);
const char *json_kind_name(enum json_kind kind); /* "a string", for messages */

/* Containers. Iteration is in file order. */
size_t json_count(json container);
json json_at(json array, size_t index);
json json_get(json object, const char *key);
struct json_iter {
    json container;
    size_t index;    /* private */
    const char *key; /* objects */
    size_t key_len;
    json value;
};
struct json_iter json_iter(json container);
bool json_next(struct json_iter *iter);

/* Scalars. A wrong kind gives NULL or false and leaves *out untouched. */
const char *json_text(json value); /* terminated; may hold NULs, so: */
const char *json_text_len(json value, size_t *len);
bool json_bool(json value, bool *out);
bool json_u64(json value, u64 *out);      /* a JSON number that is a non-negative integer */
const char *json_number_text(json value); /* a number as it was written, terminated */
