/* ashlar-node: the chain client. Picks the command; each has its own file. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "args/version.h"
#include "base/nearest.h"
#include "node/config.h"
#include "node/node.h"

/* X(name, function, summary) */
#define COMMANDS(X)                                                                              \
    X("dev", node_dev_main, "a chain for one developer, sealing transactions as they come")      \
    X("init", node_init_main, "begins a chain in a data folder")                                 \
    X("import", node_import_main, "takes blocks from files into it")                             \
    X("export", node_export_main, "writes its blocks to a file")                                 \
    X("run", node_run_main, "serves JSON-RPC on it")                                             \
    X("db", node_db_main, "looks after it: stats, verify, compact")                              \
    X("genesis", node_genesis_main, "says what is wrong with a genesis file, and what it makes") \
    X("config", node_config_main, "shows a command's settings and where each comes from")

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
#define X(name, run, summary) {name, run, summary},
    COMMANDS(X)
#undef X
};

const char *const NODE_COMMANDS[] = {
#define X(name, run, summary) name,
    COMMANDS(X)
#undef X
        NULL};

static void print_list(FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "%s\t%s\n", commands[i].name, commands[i].summary);
}

static void print_usage(FILE *to)
{
    fputs("usage: ashlar-node COMMAND ...\n\ncommands:\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nashlar-node COMMAND --help tells more.\n", to);
}

static int unknown_command(const char *word)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    const char *near = nearest_word(word, names, ARRAY_LEN(commands));
    fprintf(stderr, "ashlar-node: there is no command \"%s\"", word);
    if (near)
        fprintf(stderr, "; did you mean \"%s\"?", near);
    fputs("\nashlar-node --help lists what there is.\n", stderr);
    return EXIT_USAGE;
}

int node_command_main(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc, argv);
    return unknown_command(name);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ashlar-node %s\n", VERSION_TEXT);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--help=list") == 0) {
        print_list(stdout);
        return EXIT_OK;
    }
    return node_command_main(argv[1], argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    return args_end("ashlar-node", run(argc, argv));
}
