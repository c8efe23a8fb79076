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
        char line[4096], variable[SETTINGS_VARIABLE_MAX];
        const struct args_option *option = &settings->options[i];
        if (option->kind == ARGS_ACTION)
            continue;
        int name_len = snprintf(line, sizeof line, "%s: ", option->name);
        print_value(line + name_len, sizeof line - (size_t)name_len, option);
        fprintf(to, "%-36s # ", line);
        switch (settings->from[i].origin) {
        case SETTINGS_DEFAULT: fputs("default\n", to); break;
        case SETTINGS_FROM_FILE:
            fprintf(to, "%s:%u\n", settings->path, settings->from[i].line);
            break;
        case SETTINGS_FROM_ENVIRONMENT:
            settings_variable(variable, option->name);
            fprintf(to, "%s\n", variable);
            break;
        case SETTINGS_FROM_FLAG: fprintf(to, "--%s\n", option->name); break;
        }
    }
}
