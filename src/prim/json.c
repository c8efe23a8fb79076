#include "prim/json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/utf8.h"

/*
 * The library finds the tokens; this file puts them into an arena as a tree whose containers are plain
 * arrays. Objects with many members carry a hash index.
 */
struct json_value {
    u8 kind; /* enum json_kind */
    bool truth;
    u32 count; /* members of a container, bytes of a text or number */
    union {
        const char *text; /* strings, and numbers as they were written */
        const struct json_value *items;
        const struct object *object;
    };
};

struct member {
    const char *key;
    u32 key_len;
    struct json_value value;
};

struct object {
    const u32 *index; /* open addressing; NULL for a small object; a slot holds member + 1 */
    u32 index_mask;
    struct member members[];
};

struct json_doc {
    struct arena arena;
    json root;
};

enum { INDEX_FROM = 24, PENDING_FIRST = 48, DEPTH_MOST = 1024 };

/* Values of the containers not closed yet; a frame is where in `pending` its container's values begin. */
struct builder {
    struct arena *arena;
    struct member *pending;
    u32 pending_len, pending_cap;
    u32 frames[DEPTH_MOST];
    bool is_object[DEPTH_MOST];
    unsigned depth, depth_max;
    const char *key;
    u32 key_len;
    bool too_deep;
    u32 values_left; /* that may still come */
    bool too_many;
    struct member first[PENDING_FIRST];
};

/* --- building ------------------------------------------------------------------------------- */

static void pending_grow(struct builder *builder)
{
    size_t cap = 2 * (size_t)builder->pending_cap, size = sizeof *builder->pending;
    if (builder->pending == builder->first) {
        builder->pending = mem_alloc(cap * size);
        memcpy(builder->pending, builder->first, sizeof builder->first);
    } else {
        builder->pending = mem_realloc(builder->pending, cap * size);
    }
    builder->pending_cap = (u32)cap;
}

static int value_add(struct builder *builder, struct json_value value)
{
    if (!builder->values_left) {
        builder->too_many = true;
        return 0;
    }
    builder->values_left--;
    if (builder->pending_len == builder->pending_cap)
        pending_grow(builder);
    builder->pending[builder->pending_len++] =
        (struct member){builder->key, builder->key_len, value};
    return 1;
}

static const char *text_copy(struct builder *builder, const u8 *bytes, size_t len)
{
    char *copy = arena_alloc(builder->arena, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = 0;
    return copy;
}

static int on_null(void *ctx)
{
    return value_add(ctx, (struct json_value){.kind = JSON_KIND_NULL});
}

static int on_bool(void *ctx, int truth)
{
    return value_add(ctx, (struct json_value){.kind = JSON_KIND_BOOL, .truth = truth});
}

static int on_number(void *ctx, const char *digits, size_t len)
{
    const char *text = text_copy(ctx, (const u8 *)digits, len);
    return value_add(
        ctx, (struct json_value){.kind = JSON_KIND_NUMBER, .count = (u32)len, .text = text});
}

static int on_string(void *ctx, const u8 *bytes, size_t len)
{
    const char *text = text_copy(ctx, bytes, len);
    return value_add(
        ctx, (struct json_value){.kind = JSON_KIND_STRING, .count = (u32)len, .text = text});
}

static int on_key(void *ctx, const u8 *bytes, size_t len)
{
    struct builder *builder = ctx;
    builder->key = text_copy(builder, bytes, len);
    builder->key_len = (u32)len;
    return 1;
}

/* The container itself is a pending value of the one around it, so that its key is kept there. */
static int container_open(struct builder *builder, bool is_object)
{
    if (builder->depth == builder->depth_max) {
        builder->too_deep = true;
        return 0;
    }
    if (!value_add(builder, (struct json_value){0}))
        return 0;
    builder->is_object[builder->depth] = is_object;
    builder->frames[builder->depth++] = builder->pending_len;
    return 1;
}

static int on_object(void *ctx)
{
    return container_open(ctx, true);
}

static int on_array(void *ctx)
{
    return container_open(ctx, false);
}

static u32 key_hash(const char *key, size_t len)
{
    u32 hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (u8)key[i]) * 16777619u;
    return hash ^ hash >> 15;
}

/* Later members are put first in line, as the last of two equal keys counts. */
static void object_index(struct builder *builder, struct object *object, u32 count)
{
    u32 size = 64;
    while (size < 2 * count)
        size *= 2;
    u32 *index = arena_zalloc(builder->arena, size * sizeof *index);
    for (u32 i = count; i > 0; i--) {
        u32 slot = key_hash(object->members[i - 1].key, object->members[i - 1].key_len);
        while (index[slot &= size - 1])
            slot++;
        index[slot] = i;
    }
    object->index = index;
    object->index_mask = size - 1;
}

static const struct object *object_make(struct builder *builder, const struct member *members,
                                        u32 count)
{
    size_t size = count * sizeof *members;
    struct object *object = arena_alloc(builder->arena, sizeof *object + size);
    *object = (struct object){0};
    memcpy(object->members, members, size);
    if (count >= INDEX_FROM)
        object_index(builder, object, count);
    return object;
}

static const struct json_value *items_make(struct builder *builder, const struct member *members,
                                           u32 count)
{
    struct json_value *items = arena_alloc(builder->arena, count * sizeof *items);
    for (u32 i = 0; i < count; i++)
        items[i] = members[i].value;
    return items;
}

static int container_close(struct builder *builder)
{
    assert(builder->depth > 0);
    u32 from = builder->frames[--builder->depth], count = builder->pending_len - from;
    const struct member *members = builder->pending + from;
    struct json_value value = {.count = count};
    if (builder->is_object[builder->depth]) {
        value.kind = JSON_KIND_OBJECT;
        value.object = object_make(builder, members, count);
    } else {
        value.kind = JSON_KIND_ARRAY;
        value.items = items_make(builder, members, count);
    }
    builder->pending_len = from;
    builder->pending[from - 1].value = value;
    return 1;
}

static int on_end(void *ctx)
{
    return container_close(ctx);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* --- parsing -------------------------------------------------------------------------------- */

/* The library's own memory, too, comes from the arena. A block carries its size for realloc. */
static void *lib_alloc(void *ctx, size_t size)
{
    size_t *block = arena_alloc(ctx, size + 16);
    *block = size;
    return (u8 *)block + 16;
}

static void *lib_realloc(void *ctx, void *old, size_t size)
{
    void *block = lib_alloc(ctx, size);
    if (old) {
        size_t old_size = *(size_t *)((u8 *)old - 16);
        memcpy(block, old, old_size < size ? old_size : size);
    }
    return block;
}

static void lib_free(void *ctx, void *block)
{
    (void)ctx;
    (void)block;
}

static enum status position_err(const char *text, size_t at, const char *why, struct err *err)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return err_set(err, STATUS_INVALID, "line %u, column %u: %s", line, column, why);
}

/* is_cut: all of the text was taken, and it ended too early. */
static enum status lib_err(yajl_handle parser, const char *text, size_t len, bool is_cut,
                           struct err *err)
{
    u8 *words = yajl_get_error(parser, 0, (const u8 *)text, len);
    char why[160] = "malformed JSON";
    if (words) {
        size_t n = strcspn((const char *)words, "\n");
        n = n < sizeof why ? n : sizeof why - 1;
        memcpy(why, words, n);
        why[n] = 0;
        yajl_free_error(parser, words);
    }
    size_t at = is_cut ? len : yajl_get_bytes_consumed(parser);
    return position_err(text, at < len ? at : len, why, err);
}

static enum status builder_run(struct builder *builder, const char *text, size_t len,
                               struct err *err)
{
    yajl_alloc_funcs memory = {lib_alloc, lib_realloc, lib_free, builder->arena};
    yajl_handle parser = yajl_alloc(&callbacks, &memory, builder);
    yajl_status verdict = yajl_parse(parser, (const u8 *)text, len);
    bool is_cut = verdict == yajl_status_ok;
    if (is_cut)
        verdict = yajl_complete_parse(parser);
    if (verdict == yajl_status_ok && builder->pending_len == 1)
        return STATUS_OK;
    if (builder->too_deep)
        return err_set(err, STATUS_TOO_LARGE, "JSON is nested deeper than %u levels",
                       builder->depth_max);
    if (builder->too_many)
        return err_set(err, STATUS_TOO_LARGE, "JSON holds more values than may be at a time");
    if (verdict == yajl_status_ok)
        return position_err(text, len, "there is no value", err);
    return lib_err(parser, text, len, is_cut, err);
}

enum status json_parse_in(json *root, struct arena *arena, const char *text, size_t len,
                          unsigned depth_max, struct err *err)
{
    return json_parse_bounded(root, arena, text, len, depth_max, UINT32_MAX, err);
}

enum status json_parse_bounded(json *root, struct arena *arena, const char *text, size_t len,
                               unsigned depth_max, u32 values_max, struct err *err)
{
    assert(depth_max <= DEPTH_MOST);
    if (len >= UINT32_MAX)
        return err_set(err, STATUS_TOO_LARGE, "JSON text of %zu bytes is too long", len);
    /* RFC 8259, 8.1. The library lets overlong forms and surrogates pass. */
    size_t valid = utf8_valid_len(text, len);
    if (valid < len)
        return position_err(text, valid, "invalid UTF-8", err);
    struct builder builder;
    builder.arena = arena;
    builder.pending = builder.first;
    builder.pending_cap = PENDING_FIRST;
    builder.pending_len = builder.depth = builder.key_len = 0;
    builder.depth_max = depth_max;
    builder.key = NULL;
    builder.too_deep = builder.too_many = false;
    builder.values_left = values_max;
    enum status status = builder_run(&builder, text, len, err);
    if (status == STATUS_OK)
        *root = arena_dup(arena, &builder.pending[0].value, sizeof(struct json_value));
    if (builder.pending != builder.first)
        mem_free(builder.pending);
    return status;
}

enum status json_parse(struct json_doc **doc, const char *text, size_t len, unsigned depth_max,
                       struct err *err)
{
    struct json_doc *made = NEW(struct json_doc);
    arena_init(&made->arena);
    enum status status = json_parse_in(&made->root, &made->arena, text, len, depth_max, err);
    if (status == STATUS_OK)
        *doc = made;
    else
        json_free(made);
    return status;
}

json json_root(const struct json_doc *doc)
{
    return doc->root;
}

void json_free(struct json_doc *doc)
{
    if (!doc)
        return;
    arena_fini(&doc->arena);
    mem_free(doc);
}

/* --- reading -------------------------------------------------------------------------------- */

enum json_kind json_kind(json value)
{
    return value ? (enum json_kind)value->kind : JSON_KIND_ABSENT;
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"nothing",  "null",     "a boolean", "a number",
                                        "a string", "an array", "an object"};
    return names[kind];
}

size_t json_count(json container)
{
    enum json_kind kind = json_kind(container);
    return kind == JSON_KIND_ARRAY || kind == JSON_KIND_OBJECT ? container->count : 0;
}

json json_at(json array, size_t index)
{
    if (json_kind(array) != JSON_KIND_ARRAY || index >= array->count)
        return NULL;
    return &array->items[index];
}

static bool key_is(const struct member *member, const char *key, size_t len)
{
    return member->key_len == len && memcmp(member->key, key, len) == 0;
}

json json_get(json object, const char *key)
{
    if (json_kind(object) != JSON_KIND_OBJECT)
        return NULL;
    const struct object *at = object->object;
    size_t len = strlen(key);
    if (!at->index) {
        for (u32 i = object->count; i > 0; i--)
            if (key_is(&at->members[i - 1], key, len))
                return &at->members[i - 1].value;
        return NULL;
    }
    for (u32 slot = key_hash(key, len);; slot++) {
        u32 member = at->index[slot & at->index_mask];
        if (!member)
            return NULL;
        if (key_is(&at->members[member - 1], key, len))
            return &at->members[member - 1].value;
    }
}

struct json_iter json_iter(json container)
{
    return (struct json_iter){.container = container};
}

bool json_next(struct json_iter *iter)
{
    if (iter->index >= json_count(iter->container))
        return false;
    size_t index = iter->index++;
    if (json_kind(iter->container) == JSON_KIND_ARRAY) {
        iter->value = &iter->container->items[index];
        return true;
    }
    const struct member *member = &iter->container->object->members[index];
    iter->key = member->key;
    iter->key_len = member->key_len;
    iter->value = &member->value;
    return true;
}

const char *json_text(json value)
{
    return json_kind(value) == JSON_KIND_STRING ? value->text : NULL;
}

const char *json_text_len(json value, size_t *len)
{
    const char *text = json_text(value);
    if (text)
        *len = value->count;
    return text;
}

const char *json_number_text(json value)
{
    return json_kind(value) == JSON_KIND_NUMBER ? value->text : NULL;
}

bool json_bool(json value, bool *out)
{
    if (json_kind(value) != JSON_KIND_BOOL)
        return false;
    *out = value->truth;
    return true;
}

bool json_u64(json value, u64 *out)
{
    const char *text = json_number_text(value);
    if (!text)
        return false;
    u64 number = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (u64)(*text - '0'), &number))
            return false;
    }
    *out = number;
    return true;
}
