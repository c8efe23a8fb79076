/*
 * The command line: options described by a table, read from the arguments, with help and with a hint
 * at what was meant when a name is not known. An option is written --name VALUE or --name=VALUE; one
 * dash will do, as geth's tools accept it. "--" ends the options; "-" alone is an argument.
 */
#pragma once

#include <stdio.h>

#include "base/status.h"
#include "base/types.h"

enum cli_kind {
    CLI_FLAG, /* bool: true when given; --name=false takes it back */
    CLI_TEXT, /* const char *, borrowed from argv */
    CLI_U64,  /* u64, decimal or 0x */
};

struct cli_option {
    const char *name; /* without dashes */
    enum cli_kind kind;
    void *target;      /* keeps its value unless the option is given */
    const char *value; /* what the value is called in the help, NULL for flags */
    const char *help;
};

struct cli_command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    const char *details; /* more for --help, or NULL */
};

/* What a program's exit code says, as geth's evm uses the same numbers (see t8n.h). */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum cli_outcome { CLI_GO, CLI_HELP, CLI_BAD };

/*
 * Reads argv[0..argc), the words after the command's name; options is ended by a row without a name.
 * Arguments that are not options are moved to the front of argv; *rest is how many. CLI_HELP: help was asked
 * for. CLI_BAD: err says why.
 */
MUST_READ enum cli_outcome cli_parse(const struct cli_option *options, int argc, char **argv,
                                     int *rest, struct err *err);

void cli_print_help(FILE *to, const struct cli_command *command, const struct cli_option *options);

/* The cli_parse that commands use: prints help or the error itself; *exit_code is then what main returns. */
MUST_READ bool cli_begin(const struct cli_command *command, const struct cli_option *options,
                         int argc, char **argv, int *rest, int *exit_code);

/* Prints "ashlar-evm NAME: words" on standard error; returns EXIT_USAGE. */
int cli_fail(const struct cli_command *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Of names (count of them) the one nearest to word, if it is near enough to be meant; else NULL. */
const char *cli_nearest(const char *word, const char *const *names, size_t count);
