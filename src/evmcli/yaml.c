#include "evmcli/yaml.h"

#include <string.h>
#include <yaml.h>

#include "prim/json_out.h"

enum { DEPTH_MAX = 32, KEY_MAX = 200, JSON_MAX = 256 << 20 };

struct level {
    bool is_object, has_key;
    char key[KEY_MAX];
};

/* Events come in; JSON text goes out. */
struct converter {
    struct buf out;
    struct level levels[DEPTH_MAX];
    unsigned depth;
    bool failed;
};

/* The key under which the next value belongs, or NULL in a list or at the top. */
static const char *take_key(struct converter *converter)
{
    if (!converter->depth)
        return NULL;
    struct level *level = &converter->levels[converter->depth - 1];
    level->has_key = false;
    return level->is_object ? level->key : NULL;
}

static bool is_number(const char *text, size_t len)
{
    return len && len < 20 && strspn(text, "0123456789") == len && (text[0] != '0' || len == 1);
}

static void put_scalar(struct converter *converter, const char *text, size_t len, bool plain)
{
    const char *key = take_key(converter);
    bool is_word = plain && (strcmp(text, "null") == 0 || strcmp(text, "true") == 0 ||
                             strcmp(text, "false") == 0);
    if (is_word || (plain && is_number(text, len)))
        json_out_raw(&converter->out, key, text, len);
    else
        json_out_text_len(&converter->out, key, text, len);
}

static void on_scalar(struct converter *converter, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct level *level = converter->depth ? &converter->levels[converter->depth - 1] : NULL;
    if (!level || !level->is_object || level->has_key) {
        put_scalar(converter, text, len, event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
        return;
    }
    converter->failed |= len >= KEY_MAX;
    snprintf(level->key, sizeof level->key, "%s", text);
    level->has_key = true;
}

static void on_start(struct converter *converter, bool is_object)
{
    const char *key = take_key(converter);
    if (converter->depth == DEPTH_MAX) {
        converter->failed = true;
        return;
    }
    if (is_object)
        json_out_object(&converter->out, key);
    else
        json_out_array(&converter->out, key);
    converter->levels[converter->depth++] = (struct level){.is_object = is_object};
}

static void on_end(struct converter *converter, bool is_object)
{
    if (is_object)
        json_out_object_end(&converter->out);
    else
        json_out_array_end(&converter->out);
    converter->depth--;
}

static void on_event(struct converter *converter, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: on_scalar(converter, event); break;
    case YAML_MAPPING_START_EVENT: on_start(converter, true); break;
    case YAML_SEQUENCE_START_EVENT: on_start(converter, false); break;
    case YAML_MAPPING_END_EVENT: on_end(converter, true); break;
    case YAML_SEQUENCE_END_EVENT: on_end(converter, false); break;
    case YAML_ALIAS_EVENT: converter->failed = true; break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
}

/* All events, or the library's words on what is wrong. */
static enum status convert(struct converter *converter, yaml_parser_t *parser, struct err *err)
{
    yaml_event_t event;
    bool is_last = false;
    while (!is_last && !converter->failed) {
        if (!yaml_parser_parse(parser, &event))
            return err_set(err, STATUS_INVALID, "line %zu: %s", parser->problem_mark.line + 1,
                           parser->problem ? parser->problem : "malformed YAML");
        is_last = event.type == YAML_STREAM_END_EVENT;
        on_event(converter, &event);
        yaml_event_delete(&event);
    }
    if (converter->failed)
        return err_set(err, STATUS_UNSUPPORTED, "YAML with aliases, long keys or deep nesting");
    return STATUS_OK;
}

enum status yaml_parse(struct json_doc **doc, const char *text, size_t len, struct err *err)
{
    yaml_parser_t parser;
    struct converter converter = {0};
    if (!yaml_parser_initialize(&parser))
        return err_set(err, STATUS_NO_MEMORY, "libyaml cannot start");
    buf_init(&converter.out, JSON_MAX);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    enum status status = convert(&converter, &parser, err);
    yaml_parser_delete(&parser);
    if (status == STATUS_OK)
        status =
            json_parse(doc, (const char *)converter.out.data, converter.out.len, DEPTH_MAX, err);
    buf_fini(&converter.out);
    return status;
}
