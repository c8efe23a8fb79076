#include "args/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"

enum { WORD_MAX = 48 };

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
    const char *names[ARGS_OPTIONS_MAX];
    size_t count = 0;
    for (const struct args_option *o = options; o->name && count < ARGS_OPTIONS_MAX; o++)
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

enum status args_set(const struct args_option *option, const char *label, const char *value,
                     struct err *err)
{
    switch (option->kind) {
    case ARGS_FLAG:
    case ARGS_ACTION:
        if (parse_flag(option->target, value))
            return STATUS_OK;
        return err_set(err, STATUS_INVALID, "%s is true or false, not \"%.80s\"", label, value);
    case ARGS_TEXT: *(const char **)option->target = value; return STATUS_OK;
    case ARGS_U64:
        if (parse_u64(option->target, value))
            return STATUS_OK;
        return err_set(err, STATUS_INVALID, "%s needs a whole number below 2^64, not \"%.80s\"",
                       label, value);
    }
    return STATUS_OK;
}

static enum args_outcome set_option(const struct args_option *option, const char *value,
                                    struct err *err)
{
    char label[WORD_MAX + 3];
    snprintf(label, sizeof label, "--%s", option->name);
    if (!value)
        *(bool *)option->target = true;
    return !value || args_set(option, label, value, err) == STATUS_OK ? ARGS_GO : ARGS_BAD;
}

/* One option at argv[*at]; moves *at past it and its value. */
static enum args_outcome take_option(const struct args_option *options, int argc, char **argv,
                                     int *at, bool *given, struct err *err)
{
    const char *name = argv[(*at)++];
    name += name[1] == '-' ? 2 : 1;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    if ((len == 4 && memcmp(name, "help", 4) == 0) || strcmp(name, "h") == 0) {
        err_set(err, STATUS_OK, "%s", equals ? equals + 1 : "");
        return ARGS_HELP;
    }
    const struct args_option *option = find_option(options, name, len);
    if (!option)
        return unknown_option(options, name, len, err);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && option->kind != ARGS_FLAG && option->kind != ARGS_ACTION) {
        if (*at >= argc) {
            err_set(err, STATUS_INVALID, "--%s needs a value: --%s %s", option->name, option->name,
                    option->value);
            return ARGS_BAD;
        }
        value = argv[(*at)++];
    }
    given[option - options] = true;
    return set_option(option, value, err);
}

enum args_outcome args_parse(const struct args_option *options, int argc, char **argv, int *rest,
                             struct err *err)
{
    bool given[ARGS_OPTIONS_MAX] = {false};
    return args_parse_marked(options, argc, argv, rest, given, err);
}

enum args_outcome args_parse_marked(const struct args_option *options, int argc, char **argv,
                                    int *rest, bool *given, struct err *err)
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
        enum args_outcome outcome = take_option(options, argc, argv, &at, given, err);
        if (outcome != ARGS_GO)
            return outcome;
    }
    *rest = count;
    return ARGS_GO;
}

enum { HELP_COLUMN = 33, HELP_WIDTH = 80 };

/* One option: its words fill the lines of a plain terminal, in a column of their own. */
static void print_option(FILE *to, const char *left, const char *help)
{
    int column = fprintf(to, "  %-30s", left);
    assert(!strchr(help, '\n'));
    while (*help) {
        int len = (int)strcspn(help, " ");
        if (column >= HELP_COLUMN && column + 1 + len > HELP_WIDTH)
            column = fprintf(to, "\n%*s", HELP_COLUMN - 1, "") - 1;
        column += fprintf(to, " %.*s", len, help);
        help += len;
        help += *help != 0;
    }
    fputc('\n', to);
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
        print_option(to, left, o->help);
    }
    print_option(to, "--help", "this text");
}

/* troff takes a dot or quote at a line's beginning for a request, and a backslash for an escape. */
static void print_troff(FILE *to, const char *text)
{
    bool is_start = true;
    for (; *text; text++) {
        if (is_start && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
        is_start = *text == '\n';
    }
}

static void print_page(FILE *to, const struct args_command *command,
                       const struct args_option *options)
{
    char title[WORD_MAX];
    snprintf(title, sizeof title, "%s", command->program);
    for (char *c = title; *c; c++)
        if (*c == ' ')
            *c = '-';
    fprintf(to, ".TH \"%s\" 1\n.SH NAME\n", title);
    print_troff(to, title);
    fputs(" \\- ", to);
    print_troff(to, command->summary);
    fputs("\n.SH SYNOPSIS\n.B ", to);
    print_troff(to, command->program);
    fputc('\n', to);
    print_troff(to, command->usage);
    if (command->details) {
        fputs("\n.SH DESCRIPTION\n", to);
        print_troff(to, command->details);
    }
    fputs(options->name ? "\n.SH OPTIONS\n" : "\n", to);
    for (const struct args_option *o = options; o->name; o++) {
        fputs(".TP\n\\fB\\-\\-", to);
        print_troff(to, o->name);
        fprintf(to, "\\fR%s\\fI%s\\fR\n", o->value ? " " : "", o->value ? o->value : "");
        print_troff(to, o->help);
        fputc('\n', to);
    }
}

void args_print_help_as(FILE *to, const char *form, const struct args_command *command,
                        const struct args_option *options)
{
    if (strcmp(form, "man") == 0) {
        print_page(to, command, options);
    } else if (strcmp(form, "list") == 0) {
        for (const struct args_option *o = options; o->name; o++)
            fprintf(to, "--%s\t%s\t%s\n", o->name, o->value ? o->value : "", o->help);
    } else {
        args_print_help(to, command, options);
    }
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
        args_print_help_as(stdout, err.text, command, options);
        *exit_code = EXIT_OK;
        return false;
    case ARGS_BAD:
        *exit_code = args_fail(command, "%s (--help lists what there is)", err.text);
        return false;
    }
    return false;
}

/* --- ending ----------------------------------------------------------------------------------- */

int args_end(const char *program, int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE) /* nobody reads any more, as in a pipe to head */
        fprintf(stderr, "%s: cannot write to standard output: %s\n", program,
                errno ? strerror(errno) : "an earlier part failed");
    return code == EXIT_OK ? EXIT_FAILED : code;
}
