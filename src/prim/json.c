#include "prim/json.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"

/* A document is its root value: the library counts references, and this holds one. */
struct json_doc {
    json_t *root;
};

static const json_t *lib(json value)
{
    return (const json_t *)value;
}

static json ours(const json_t *value)
{
    return (json)value;
}

/* The library's own nesting bound is fixed and generous, so the depth is looked at beforehand. */
static bool is_deeper_than(const char *text, size_t len, unsigned depth_max)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return true;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return false;
}

enum status json_parse(struct json_doc **doc, const char *text, size_t len, unsigned depth_max,
                       struct err *err)
{
    if (is_deeper_than(text, len, depth_max))
        return err_set(err, STATUS_TOO_LARGE, "JSON is nested deeper than %u levels", depth_max);
    json_error_t why;
    json_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!root)
        return err_set(err, STATUS_INVALID, "line %d, column %d: %s", why.line, why.column,
                       why.text);
    *doc = mem_alloc(sizeof **doc);
    (*doc)->root = root;
    return STATUS_OK;
}

json json_root(const struct json_doc *doc)
{
    return ours(doc->root);
}

void json_free(struct json_doc *doc)
{
    if (!doc)
        return;
    json_decref(doc->root);
    mem_free(doc);
}

enum json_kind json_kind(json value)
{
    if (!value)
        return JSON_KIND_ABSENT;
    switch (json_typeof(lib(value))) {
    case JSON_NULL: return JSON_KIND_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_KIND_BOOL;
    case JSON_INTEGER:
    case JSON_REAL: return JSON_KIND_NUMBER;
    case JSON_STRING: return JSON_KIND_STRING;
    case JSON_ARRAY: return JSON_KIND_ARRAY;
    case JSON_OBJECT: return JSON_KIND_OBJECT;
    }
    return JSON_KIND_ABSENT;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"nothing",  "null",     "a boolean", "a number",
                                        "a string", "an array", "an object"};
    return names[kind];
}

size_t json_count(json container)
{
    switch (json_kind(container)) {
    case JSON_KIND_ARRAY: return json_array_size(lib(container));
    case JSON_KIND_OBJECT: return json_object_size(lib(container));
    default: return 0;
    }
}

json json_at(json array, size_t index)
{
    return ours(json_array_get(lib(array), index));
}

json json_get(json object, const char *key)
{
    return ours(json_object_get(lib(object), key));
}

struct json_iter json_iter(json container)
{
    struct json_iter iter = {.container = container};
    if (json_kind(container) == JSON_KIND_OBJECT)
        iter.at = json_object_iter((json_t *)lib(container));
    return iter;
}

static bool object_next(struct json_iter *iter)
{
    if (!iter->at)
        return false;
    iter->key = json_object_iter_key(iter->at);
    iter->key_len = json_object_iter_key_len(iter->at);
    iter->value = ours(json_object_iter_value(iter->at));
    iter->at = json_object_iter_next((json_t *)lib(iter->container), iter->at);
    return true;
}

bool json_next(struct json_iter *iter)
{
    switch (json_kind(iter->container)) {
    case JSON_KIND_OBJECT: return object_next(iter);
    case JSON_KIND_ARRAY:
        iter->value = json_at(iter->container, iter->index++);
        return iter->value != NULL;
    default: return false;
    }
}

const char *json_text(json value)
{
    return json_string_value(lib(value));
}

const char *json_text_len(json value, size_t *len)
{
    const char *text = json_string_value(lib(value));
    if (text)
        *len = json_string_length(lib(value));
    return text;
}

bool json_bool(json value, bool *out)
{
    if (json_kind(value) != JSON_KIND_BOOL)
        return false;
    *out = json_is_true(lib(value));
    return true;
}

bool json_u64(json value, u64 *out)
{
    if (!value || !json_is_integer(lib(value)) || json_integer_value(lib(value)) < 0)
        return false;
    *out = (u64)json_integer_value(lib(value));
    return true;
}
