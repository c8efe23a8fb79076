/* The configuration file, read event by event. */
#include <string.h>
#include <yaml.h>

#include "args/settings.h"
#include "base/buf.h"
#include "base/nearest.h"

enum { DEPTH_MAX = 4, NAME_MAX_LEN = 64, VALUE_MAX = 4096 };

struct reader {
    struct settings *settings;
    yaml_parser_t parser;
    yaml_event_t event; /* the one at hand, if has_event */
    bool has_event;
    unsigned lines[ARGS_OPTIONS_MAX]; /* where each option has been seen; 0: not yet */
    struct err *err;
};

/* --- events ----------------------------------------------------------------------------------- */

static enum status fail_at(struct reader *r, unsigned line, const char *words, const char *what)
{
    char safe[NAME_MAX_LEN + 1];
    snprintf(safe, sizeof safe, "%.*s", NAME_MAX_LEN, what);
    for (char *c = safe; *c; c++)
        if ((u8)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return err_set(r->err, STATUS_INVALID, "%s:%u: %s%s", r->settings->path, line, safe, words);
}

static unsigned line_of(const struct reader *r)
{
    return (unsigned)r->event.start_mark.line + 1;
}

static enum status next(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (!r->has_event)
        return fail_at(r, (unsigned)r->parser.problem_mark.line + 1,
                       r->parser.problem ? r->parser.problem : "is not YAML", "");
    bool is_marked = false;
    if (r->event.type == YAML_SCALAR_EVENT)
        is_marked = r->event.data.scalar.anchor || r->event.data.scalar.tag;
    else if (r->event.type == YAML_SEQUENCE_START_EVENT)
        is_marked = r->event.data.sequence_start.anchor || r->event.data.sequence_start.tag;
    else if (r->event.type == YAML_MAPPING_START_EVENT)
        is_marked = r->event.data.mapping_start.anchor || r->event.data.mapping_start.tag;
    if (is_marked || r->event.type == YAML_ALIAS_EVENT)
        return fail_at(r, line_of(r), "anchors, aliases and tags are not taken here", "");
    return STATUS_OK;
}

/* --- values ----------------------------------------------------------------------------------- */

static const struct args_option *find_option(const struct settings *settings, const char *name)
{
    for (const struct args_option *o = settings->options; o->name; o++)
        if (strcmp(o->name, name) == 0 && o->kind != ARGS_ACTION)
            return o;
    return NULL;
}

static bool is_prefix(const struct settings *settings, const char *name)
{
    size_t len = strlen(name);
    for (const struct args_option *o = settings->options; o->name; o++)
        if (strncmp(o->name, name, len) == 0 && o->name[len] == '.')
            return true;
    return false;
}

static enum status unknown_key(struct reader *r, unsigned line, const char *name)
{
    const char *names[ARGS_OPTIONS_MAX];
    char words[128];
    size_t count = 0;
    for (const struct args_option *o = r->settings->options; o->name; o++)
        if (o->kind != ARGS_ACTION)
            names[count++] = o->name;
    const char *near = nearest_word(name, names, count);
    snprintf(words, sizeof words, ": there is no such setting%s%s%s", near ? "; did you mean " : "",
             near ? near : "", near ? "?" : "");
    return fail_at(r, line, words, name);
}

/* The settings that stand above keep their values; the file's is checked all the same. */
static enum status set(struct reader *r, unsigned line, const struct args_option *option,
                       const char *text)
{
    struct settings *settings = r->settings;
    size_t i = (size_t)(option - settings->options);
    char words[64];
    if (r->lines[i]) {
        snprintf(words, sizeof words, " is given twice; it stands in line %u too", r->lines[i]);
        return fail_at(r, line, words, option->name);
    }
    r->lines[i] = line;
    union {
        bool flag;
        u64 number;
        const char *text;
    } unused;
    struct args_option check = *option;
    bool is_set = settings->from[i].origin <= SETTINGS_FROM_FILE;
    if (!is_set)
        check.target = &unused;
    struct err err;
    if (args_set(&check, option->name, text, &err) != STATUS_OK)
        return fail_at(r, line, err.text, "");
    if (is_set)
        settings->from[i] = (struct settings_source){SETTINGS_FROM_FILE, line};
    return STATUS_OK;
}

/* The scalar at hand, kept; NULL with words when it will not do. */
static const char *take_scalar(struct reader *r, enum status *status)
{
    const char *value = (const char *)r->event.data.scalar.value;
    size_t len = r->event.data.scalar.length;
    *status = STATUS_OK;
    if (len > VALUE_MAX)
        *status = fail_at(r, line_of(r), "a value may have 4096 bytes", "");
    else if (memchr(value, 0, len))
        *status = fail_at(r, line_of(r), "a value holds a NUL byte", "");
    return *status == STATUS_OK ? arena_dup(&r->settings->texts, value, len + 1) : NULL;
}

static bool is_null(const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*value || strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
}

/* A list's items, joined. */
static enum status read_list(struct reader *r, unsigned line, const struct args_option *option)
{
    struct buf joined;
    buf_init(&joined, VALUE_MAX);
    enum status status = next(r);
    for (int i = 0; status == STATUS_OK && r->event.type != YAML_SEQUENCE_END_EVENT; i++) {
        if (r->event.type != YAML_SCALAR_EVENT) {
            status = fail_at(r, line_of(r), ": an item must be a value", option->name);
            break;
        }
        buf_add_text(&joined, i ? "," : "");
        buf_add(&joined, r->event.data.scalar.value, r->event.data.scalar.length);
        status = next(r);
    }
    buf_add_byte(&joined, 0);
    if (status == STATUS_OK && joined.full)
        status = fail_at(r, line, ": the list is too long", option->name);
    if (status == STATUS_OK)
        status = set(r, line, option, arena_dup(&r->settings->texts, joined.data, joined.len));
    buf_fini(&joined);
    return status;
}

/* --- mappings --------------------------------------------------------------------------------- */

static enum status read_mapping(struct reader *r, const char *prefix, unsigned depth);

/* What stands for another command is passed over. */
static enum status skip(struct reader *r)
{
    unsigned depth = 0;
    do {
        yaml_event_type_t type = r->event.type;
        depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
        depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
        if (!depth)
            return STATUS_OK;
        enum status status = next(r);
        if (status != STATUS_OK)
            return status;
    } while (true);
}

static bool is_section(const struct settings *settings, const char *name)
{
    for (size_t i = 0; settings->sections && settings->sections[i]; i++)
        if (strcmp(settings->sections[i], name) == 0)
            return true;
    return false;
}

/* What stands behind a key; its first event is at hand. */
static enum status read_value(struct reader *r, unsigned line, const char *name, unsigned depth)
{
    enum status status;
    const struct settings *settings = r->settings;
    bool is_mapping = r->event.type == YAML_MAPPING_START_EVENT;
    if (depth == 1 && is_mapping && is_section(settings, name))
        return strcmp(name, settings->section) == 0 ? read_mapping(r, "", depth + 1) : skip(r);
    const struct args_option *option = find_option(settings, name);
    if (is_mapping && !option && is_prefix(settings, name))
        return read_mapping(r, name, depth + 1);
    if (!option)
        return unknown_key(r, line, name);
    if (r->event.type == YAML_SEQUENCE_START_EVENT)
        return read_list(r, line, option);
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r, line, " must be a value", name);
    if (is_null(&r->event))
        return STATUS_OK;
    const char *text = take_scalar(r, &status);
    return text ? set(r, line, option, text) : status;
}

/* The mapping's first event is at hand; afterwards its last one is. */
static enum status read_mapping(struct reader *r, const char *prefix, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return fail_at(r, line_of(r), "settings are not nested as deeply as that", "");
    enum status status = next(r);
    while (status == STATUS_OK && r->event.type != YAML_MAPPING_END_EVENT) {
        char name[2 * NAME_MAX_LEN];
        unsigned line = line_of(r);
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail_at(r, line, "a key must be a name", "");
        const char *key = (const char *)r->event.data.scalar.value;
        int len = snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (len > NAME_MAX_LEN || strlen(key) != r->event.data.scalar.length)
            return fail_at(r, line, ": there is no such setting", name);
        status = next(r);
        if (status == STATUS_OK)
            status = read_value(r, line, name, depth);
        if (status == STATUS_OK)
            status = next(r);
    }
    return status;
}

static enum status read_document(struct reader *r)
{
    enum status status = next(r); /* the stream's beginning */
    if (status == STATUS_OK)
        status = next(r);
    if (status != STATUS_OK || r->event.type == YAML_STREAM_END_EVENT)
        return status; /* an empty file says nothing */
    status = next(r);
    if (status != STATUS_OK)
        return status;
    if (r->event.type == YAML_SCALAR_EVENT && is_null(&r->event))
        return STATUS_OK;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail_at(r, line_of(r), "the file must consist of `name: value` lines", "");
    status = read_mapping(r, "", 1);
    if (status == STATUS_OK)
        status = next(r); /* the document's end */
    if (status == STATUS_OK)
        status = next(r);
    if (status == STATUS_OK && r->event.type != YAML_STREAM_END_EVENT)
        return fail_at(r, line_of(r), "the file must hold one document only", "");
    return status;
}

enum status settings_read_file(struct settings *settings, const char *path, const char *text,
                               size_t len, struct err *err)
{
    struct reader reader = {.settings = settings, .err = err};
    settings->path = path;
    if (len > SETTINGS_FILE_MAX)
        return err_set(err, STATUS_TOO_LARGE, "%s: a configuration file may have %d bytes", path,
                       SETTINGS_FILE_MAX);
    if (!yaml_parser_initialize(&reader.parser))
        return err_set(err, STATUS_NO_MEMORY, "%s: there is no memory to read it", path);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
    enum status status = read_document(&reader);
    if (reader.has_event)
        yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return status;
}
