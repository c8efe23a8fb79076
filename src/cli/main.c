/*
 * ashlar: what people type. `ashlar X` runs the program ashlar-X that stands beside this one or on the PATH, as git
 * does with its commands; `ashlar dev` is `ashlar-node dev`.
 */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "args/version.h"
#include "base/nearest.h"
#include "sys/program.h"

struct command {
    const char *name;
    const char *program; /* with the words that go before the user's own */
    const char *first;   /* a word to put before them, or NULL */
    const char *summary;
};

static const struct command commands[] = {
    {"dev", "ashlar-node", "dev", "a chain for one developer, on port 8545"},
    {"evm", "ashlar-evm", NULL, "the EVM at the command line: run, t8n, official tests, bench"},
    {"node", "ashlar-node", NULL, "the chain client"},
};

static void print_usage(FILE *to)
{
    fputs("usage: ashlar COMMAND ...\n\ncommands:\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nashlar COMMAND --help tells more. Any program named ashlar-X runs as ashlar X.\n", to);
}

static int unknown_command(const char *word)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    const char *near = nearest_word(word, names, ARRAY_LEN(commands));
    fprintf(stderr, "ashlar: there is no command \"%s\"", word);
    if (near)
        fprintf(stderr, "; did you mean \"%s\"?", near);
    fputs("\nashlar --help lists what there is.\n", stderr);
    return EXIT_USAGE;
}

/* Replaces this process; returns only when that fails. is_known: the command is one of ours. */
static int replace(const char *program, const char *first, bool is_known, int argc, char **argv)
{
    struct err err;
    enum status status = program_replace(program, first, argc, argv, &err);
    if (status == STATUS_NOT_FOUND && !is_known)
        return unknown_command(argv[0]);
    fprintf(stderr, "ashlar: %s\n", err.text);
    return EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    char name[64];
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ashlar %s\n", VERSION_TEXT);
        return EXIT_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return replace(commands[i].program, commands[i].first, true, argc - 1, argv + 1);
    int len = snprintf(name, sizeof name, "ashlar-%s", argv[1]);
    if (argv[1][0] == '-' || strchr(argv[1], '/') || len >= (int)sizeof name)
        return unknown_command(argv[1]);
    return replace(name, NULL, false, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    return args_end("ashlar", run(argc, argv));
}
