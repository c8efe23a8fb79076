/* ashlar-evm: the EVM at the command line. Picks the command; each has its own file. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "base/nearest.h"
#include "evmcli/commands.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command COMMANDS[] = {
    {"run", run_main, "runs code, or traces it"},
    {"t8n", t8n_main, "computes a state transition, as geth's evm t8n"},
    {"bench", bench_main, "times the code of state tests, and transactions"},
    {"statetest", statetest_main, "official state tests and VM tests"},
    {"blocktest", blocktest_main, "official blockchain and engine tests"},
    {"txtest", txtest_main, "official transaction tests"},
    {"rlptest", rlptest_main, "official RLP tests"},
    {"trietest", trietest_main, "official trie tests"},
    {"difficultytest", difficultytest_main, "official difficulty tests"},
    {"precompiletest", precompiletest_main, "vectors of precompiled contracts"},
    {"basictest", basictest_main, "proof of work, genesis blocks, keys, blocks as RLP"},
    {"kzgtest", kzgtest_main, "vectors of c-kzg-4844"},
    {"blstest", blstest_main, "vectors of BLS signatures and of hashing to the curve"},
    {"tracetest", tracetest_main, "go-ethereum's tracer fixtures"},
    {"basictest", basictest_main, "proof of work, genesis blocks, keys, blocks as RLP"},
    {"kzgtest", kzgtest_main, "vectors of c-kzg-4844"},
    {"blstest", blstest_main, "vectors of BLS signatures and of hashing to the curve"},
    {"tracetest", tracetest_main, "geth's fixtures of tracers"},
};

static void print_usage(FILE *to)
{
    fputs("usage: ashlar-evm COMMAND ...\n\ncommands:\n", to);
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++)
        fprintf(to, "  %-16s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    fputs("\nashlar-evm COMMAND --help tells more.\n", to);
}

static int unknown_command(const char *word)
{
    const char *names[ARRAY_LEN(COMMANDS)];
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++)
        names[i] = COMMANDS[i].name;
    const char *near = nearest_word(word, names, ARRAY_LEN(COMMANDS));
    fprintf(stderr, "ashlar-evm: there is no command \"%s\"", word);
    if (near)
        fprintf(stderr, "; did you mean %s?", near);
    fputs("\n(ashlar-evm --help lists them)\n", stderr);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    bool wants_help =
        strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
    if (!*word || wants_help) {
        print_usage(wants_help ? stdout : stderr);
        return wants_help ? EXIT_OK : EXIT_USAGE;
    }
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++)
        if (strcmp(word, COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 2, argv + 2);
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    return args_end("ashlar-evm", run(argc, argv));
}
