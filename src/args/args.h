/*
 * The command line: options described by a table and read from the arguments, with help, and with a hint at
 * what was meant when a name is not known. An option is written --name VALUE or --name=VALUE; one dash will
 * do. "--" ends the options; "-" alone is an argument.
 */
#pragma once

#include <stdio.h>

#include "base/status.h"
#include "base/types.h"

enum args_kind {
    ARGS_FLAG,   /* bool: true when given; --name=false takes it back */
    ARGS_TEXT,   /* const char *, borrowed from argv */
    ARGS_U64,    /* u64, decimal or 0x */
    ARGS_ACTION, /* bool: asks for something else than to run; a flag, but no setting */
};

/* A table is ended by a row without a name; it has at most ARGS_OPTIONS_MAX rows. */
struct args_option {
    const char *name; /* without dashes */
    enum args_kind kind;
    void *target;      /* keeps its value unless the option is given */
    const char *value; /* what the value is called in the help; NULL for flags */
    const char *help;  /* without line breaks: the help makes them */
};

struct args_command {
    const char *program; /* as it is typed, with its sub-command: "ashlar dev" */
    const char *usage;   /* what follows */
    const char *summary; /* one line */
    const char *details; /* more for --help, or NULL */
};

enum { ARGS_OPTIONS_MAX = 64 };

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What main returns: the code, or EXIT_FAILED, with words, if what was printed could not be written. */
int args_end(const char *program, int code);

/* ARGS_HELP comes with the form that was asked for in err's words. */
enum args_outcome { ARGS_GO, ARGS_HELP, ARGS_BAD };

/*
 * Reads argv[0..argc), the words after the program's name. Arguments that are not options are moved to the
 * front of argv; *rest is how many. ARGS_HELP: help was asked for. ARGS_BAD: err says why.
 */
MUST_READ enum args_outcome args_parse(const struct args_option *options, int argc, char **argv,
                                       int *rest, struct err *err);

/* The same, noting which options were given: one bool an option of the table, false before. */
MUST_READ enum args_outcome args_parse_marked(const struct args_option *options, int argc,
                                              char **argv, int *rest, bool *given, struct err *err);

/* Sets one option from text; label is what the words call it: "--port", "ASHLAR_PORT". */
MUST_READ enum status args_set(const struct args_option *option, const char *label,
                               const char *value, struct err *err);

/*
 * The help in one of its forms: "" for people at a terminal; "man" a manual page in troff; "list" a line an
 * option, "--name<TAB>VALUE<TAB>words", from which completions are made. --help=FORM asks for it.
 */
void args_print_help_as(FILE *to, const char *form, const struct args_command *command,
                        const struct args_option *options);
void args_print_help(FILE *to, const struct args_command *command,
                     const struct args_option *options);

/* args_parse that prints help or the error itself; when false, main returns *exit_code. */
MUST_READ bool args_begin(const struct args_command *command, const struct args_option *options,
                          int argc, char **argv, int *rest, int *exit_code);

/* Prints "PROGRAM: words" on standard error; returns EXIT_USAGE. */
int args_fail(const struct args_command *command, const char *fmt, ...) PRINTF_LIKE(2, 3);
