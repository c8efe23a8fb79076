/* ashlar-node init: makes a data folder that begins with a genesis file. */
#include <stdio.h>

#include "args/args.h"
#include "chain/store.h"
#include "node/config.h"
#include "node/data.h"
#include "node/node.h"
#include "prim/hex.h"

static const struct args_command about = {
    .program = "ashlar-node init",
    .usage = "--data DIR --genesis FILE",
    .summary = "Makes a data folder whose chain begins as the genesis file says.",
    .details = "A folder that holds this chain already is left as it is, except that rules which\n"
               "the head has not reached yet are taken over from the file.",
};

static int init(const struct data_options *where, int rest)
{
    struct err err;
    struct data data;
    if (rest || !where->folder || !where->genesis)
        return args_fail(&about, "--data DIR and --genesis FILE are needed, and nothing else");
    struct chain_config rules;
    hash32 first;
    enum status status = data_open(&data, where, &err);
    if (status == STATUS_OK)
        status = store_get_identity(data.db, &first, &rules, &err);
    if (status == STATUS_OK) {
        char hash[67];
        hex_encode(hash, first.b, sizeof first.b);
        printf("%s: chain %llu begins with block %s\n", where->folder,
               (unsigned long long)rules.chain_id, hash);
    } else {
        fprintf(stderr, "ashlar-node init: %s\n", err.text);
    }
    data_close(&data);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}

int node_init_main(int argc, char **argv)
{
    int rest, exit_code;
    struct config config;
    struct data_options where = {.states = STATES_DEFAULT};
    const struct args_option options[] = {
        {"data", ARGS_TEXT, &where.folder, "DIR", "the data folder"},
        {"genesis", ARGS_TEXT, &where.genesis, "FILE", "how the chain begins, in geth's format"},
        {0},
    };
    if (!config_begin(&config, &about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    exit_code = init(&where, rest);
    config_fini(&config);
    return exit_code;
}
