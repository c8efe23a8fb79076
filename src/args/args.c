#include "args/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

enum { WORD_MAX = 48, OPTIONS_MAX = 64 };

static const struct args_option *find_option(const struct args_option *options, const char *name,
                                             size_t len)
{
    for (; options->name; options++)
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
            return options;
    return NULL;
}

static enum args_outcome unknown_option(const struct args_option *options, const char *name,
                                        size_t len, struct err *err)
{
    const char *names[OPTIONS_MAX];
    size_t count = 0;
    for (const struct args_option *o = options; o->name && count < OPTIONS_MAX; o++)
        names[count++] = o->name;
    char word[WORD_MAX + 1];
    snprintf(word, sizeof word, "%.*s", (int)len, name);
    const char *near = nearest_word(word, names, count);
    if (near)
        err_set(err, STATUS_INVALID, "there is no option --%s; did you mean --%s?", word, near);
    else
        err_set(err, STATUS_INVALID, "there is no option --%s", word);
    return ARGS_BAD;
}

static bool parse_u64(u64 *out, const char *text)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long value = strtoull(text, &end, is_hex ? 16 : 10);
    if (errno || *end)
        return false;
    *out = value;
    return true;
}

static bool parse_flag(bool *out, const char *text)
{
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool is_false = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    if (is_true || is_false)
        *out = is_true;
    return is_true || is_false;
}

static enum args_outcome set_option(const struct args_option *option, const char *value,
                                    struct err *err)
{
    switch (option->kind) {
    case ARGS_FLAG:
        if (!value)
            *(bool *)option->target = true;
        else if (!parse_flag(option->target, value)) {
            err_set(err, STATUS_INVALID, "--%s is true or false, not \"%s\"", option->name, value);
            return ARGS_BAD;
        }
        return ARGS_GO;
    case ARGS_TEXT: *(const char **)option->target = value; return ARGS_GO;
    case ARGS_U64:
        if (parse_u64(option->target, value))
            return ARGS_GO;
        err_set(err, STATUS_INVALID,
                "--%s needs a number from 0 to 18446744073709551615, not \"%s\"", option->name,
                value);
        return ARGS_BAD;
    }
    return ARGS_GO;
}

/* One option at argv[*at]; moves *at past it and its value. */
static enum args_outcome take_option(const struct args_option *options, int argc, char **argv,
                                     int *at, struct err *err)
{
    const char *name = argv[(*at)++];
    name += name[1] == '-' ? 2 : 1;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    if (!equals && (strcmp(name, "help") == 0 || strcmp(name, "h") == 0))
        return ARGS_HELP;
    const struct args_option *option = find_option(options, name, len);
    if (!option)
        return unknown_option(options, name, len, err);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && option->kind != ARGS_FLAG) {
        if (*at >= argc) {
            err_set(err, STATUS_INVALID, "--%s needs a value: --%s %s", option->name, option->name,
                    option->value);
            return ARGS_BAD;
        }
        value = argv[(*at)++];
    }
    return set_option(option, value, err);
}

enum args_outcome args_parse(const struct args_option *options, int argc, char **argv, int *rest,
                             struct err *err)
{
    int count = 0, at = 0;
    bool only_arguments = false;
    while (at < argc) {
        if (!only_arguments && strcmp(argv[at], "--") == 0) {
            only_arguments = true;
            at++;
            continue;
        }
        if (only_arguments || argv[at][0] != '-' || argv[at][1] == 0) {
            argv[count++] = argv[at++];
            continue;
        }
        enum args_outcome outcome = take_option(options, argc, argv, &at, err);
        if (outcome != ARGS_GO)
            return outcome;
    }
    *rest = count;
    return ARGS_GO;
}

void args_print_help(FILE *to, const struct args_command *command,
                     const struct args_option *options)
{
    fprintf(to, "usage: %s %s\n\n%s\n", command->program, command->usage, command->summary);
    if (command->details)
        fprintf(to, "\n%s\n", command->details);
    fputs("\noptions:\n", to);
    for (const struct args_option *o = options; o->name; o++) {
        char left[WORD_MAX];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(to, "  %-30s %s\n", left, o->help);
    }
    fprintf(to, "  %-30s %s\n", "--help", "this text");
}

int args_fail(const struct args_command *command, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "%s: ", command->program);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_USAGE;
}

bool args_begin(const struct args_command *command, const struct args_option *options, int argc,
                char **argv, int *rest, int *exit_code)
{
    struct err err;
    switch (args_parse(options, argc, argv, rest, &err)) {
    case ARGS_GO: return true;
    case ARGS_HELP:
        args_print_help(stdout, command, options);
        *exit_code = EXIT_OK;
        return false;
    case ARGS_BAD:
        *exit_code = args_fail(command, "%s (--help lists what there is)", err.text);
        return false;
    }
    return false;
}
