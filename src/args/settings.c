#include "args/settings.h"

#include <ctype.h>
#include <string.h>

void settings_init(struct settings *settings, const struct args_option *options,
                   const char *section, const char *const *sections)
{
    *settings = (struct settings){.options = options, .section = section, .sections = sections};
    arena_init(&settings->texts);
}

void settings_fini(struct settings *settings)
{
    arena_fini(&settings->texts);
}

void settings_note_flags(struct settings *settings, const bool *given)
{
    for (size_t i = 0; settings->options[i].name; i++)
        if (given[i])
            settings->from[i].origin = SETTINGS_FROM_FLAG;
}

/* --- the environment -------------------------------------------------------------------------- */

void settings_variable(char out[SETTINGS_VARIABLE_MAX], const char *name)
{
    size_t len = (size_t)snprintf(out, SETTINGS_VARIABLE_MAX, "ASHLAR_%s", name);
    for (size_t i = 0; i < len && i < SETTINGS_VARIABLE_MAX - 1; i++)
        out[i] = out[i] == '.' || out[i] == '-' ? '_' : (char)toupper((u8)out[i]);
}

static const char *variable_value(const char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

enum status settings_read_environment(struct settings *settings, const char *const *environment,
                                      struct err *err)
{
    for (size_t i = 0; settings->options[i].name; i++) {
        char name[SETTINGS_VARIABLE_MAX];
        settings_variable(name, settings->options[i].name);
        const char *value = variable_value(environment, name);
        if (!value || settings->options[i].kind == ARGS_ACTION ||
            settings->from[i].origin > SETTINGS_FROM_ENVIRONMENT)
            continue;
        enum status status = args_set(&settings->options[i], name, value, err);
        if (status != STATUS_OK)
            return status;
        settings->from[i].origin = SETTINGS_FROM_ENVIRONMENT;
    }
    return STATUS_OK;
}

/* --- profiles --------------------------------------------------------------------------------- */

static size_t find_setting(const struct settings *settings, const char *name)
{
    size_t i = 0;
    while (settings->options[i].name && strcmp(settings->options[i].name, name) != 0)
        i++;
    return i;
}

/* Who has set it, in words. */
static void origin_words(char *out, size_t size, const struct settings *settings, size_t i)
{
    char variable[SETTINGS_VARIABLE_MAX];
    switch (settings->from[i].origin) {
    case SETTINGS_DEFAULT: snprintf(out, size, "default"); break;
    case SETTINGS_FROM_PROFILE: snprintf(out, size, "--profile"); break;
    case SETTINGS_FROM_FILE:
        snprintf(out, size, "%s:%u", settings->path, settings->from[i].line);
        break;
    case SETTINGS_FROM_ENVIRONMENT:
        settings_variable(variable, settings->options[i].name);
        snprintf(out, size, "%s", variable);
        break;
    case SETTINGS_FROM_FLAG: snprintf(out, size, "--%s", settings->options[i].name); break;
    }
}

void settings_blame(char *out, size_t size, const struct settings *settings, const char *name)
{
    char words[256];
    size_t i = find_setting(settings, name);
    enum settings_origin origin = settings->from[i].origin;
    origin_words(words, sizeof words, settings, i);
    bool is_elsewhere = origin == SETTINGS_FROM_FILE || origin == SETTINGS_FROM_ENVIRONMENT;
    snprintf(out, size, "%s%s", is_elsewhere ? words : "", is_elsewhere ? ": " : "");
}

static bool has_value(const struct args_option *option, const char *value)
{
    char number[24];
    switch (option->kind) {
    case ARGS_ACTION:
    case ARGS_FLAG: return *(bool *)option->target == (strcmp(value, "true") == 0);
    case ARGS_U64:
        snprintf(number, sizeof number, "%llu", (unsigned long long)*(u64 *)option->target);
        return strcmp(number, value) == 0;
    case ARGS_TEXT:
        return *(const char **)option->target && strcmp(*(const char **)option->target, value) == 0;
    }
    return false;
}

static enum status apply_row(struct settings *settings, const struct settings_profile *row,
                             struct err *err)
{
    size_t i = find_setting(settings, row->option);
    const struct args_option *option = &settings->options[i];
    if (!option->name)
        return STATUS_OK;
    if (settings->from[i].origin != SETTINGS_DEFAULT) {
        char origin[256];
        origin_words(origin, sizeof origin, settings, i);
        return has_value(option, row->value)
                   ? STATUS_OK
                   : err_set(err, STATUS_INVALID,
                             "--profile %s has %s: %s, which %s contradicts; leave one of them out",
                             row->profile, row->option, row->value, origin);
    }
    settings->from[i].origin = SETTINGS_FROM_PROFILE;
    return args_set(option, row->option, row->value, err);
}

enum status settings_apply_profile(struct settings *settings, const struct settings_profile *rows,
                                   struct err *err)
{
    bool is_known = false;
    enum status status = STATUS_OK;
    size_t at = find_setting(settings, "profile");
    const char *name =
        settings->options[at].name ? *(const char **)settings->options[at].target : NULL;
    if (!name)
        return STATUS_OK;
    settings->profile = name;
    for (const struct settings_profile *row = rows; row->profile && status == STATUS_OK; row++) {
        if (strcmp(row->profile, name) != 0)
            continue;
        is_known = true;
        status = apply_row(settings, row, err);
    }
    return is_known ? status
                    : err_set(err, STATUS_INVALID, "there is no profile \"%.40s\"; there is %s",
                              name, rows->profile);
}

/* --- printing --------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    if (!isalnum((u8)*text) && !strchr("/._", *text))
        return false;
    return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789/._-")] == 0;
}

/* YAML's double quotes take C's escapes. */
static void print_text(char *out, size_t size, const char *text)
{
    size_t used = 0;
    if (!text || is_plain(text)) {
        snprintf(out, size, "%s", text ? text : "null");
        return;
    }
    out[used++] = '"';
    for (; *text && used + 6 < size; text++) {
        if (*text == '"' || *text == '\\')
            used += (size_t)snprintf(out + used, size - used, "\\%c", *text);
        else if ((u8)*text < 0x20 || *text == 0x7f)
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", (u8)*text);
        else
            out[used++] = *text;
    }
    out[used++] = '"';
    out[used] = 0;
}

static void print_value(char *out, size_t size, const struct args_option *option)
{
    switch (option->kind) {
    case ARGS_ACTION:
    case ARGS_FLAG: snprintf(out, size, "%s", *(bool *)option->target ? "true" : "false"); break;
    case ARGS_U64: snprintf(out, size, "%llu", (unsigned long long)*(u64 *)option->target); break;
    case ARGS_TEXT: print_text(out, size, *(const char **)option->target); break;
    }
}

void settings_print(FILE *to, const struct settings *settings)
{
    for (size_t i = 0; settings->options[i].name; i++) {
        char line[4096], origin[4096];
        const struct args_option *option = &settings->options[i];
        if (option->kind == ARGS_ACTION)
            continue;
        int name_len = snprintf(line, sizeof line, "%s: ", option->name);
        print_value(line + name_len, sizeof line - (size_t)name_len, option);
        origin_words(origin, sizeof origin, settings, i);
        bool is_implied = settings->from[i].origin == SETTINGS_FROM_PROFILE;
        fprintf(to, "%-36s # %s%s%s\n", line, origin, is_implied ? " " : "",
                is_implied ? settings->profile : "");
    }
}
