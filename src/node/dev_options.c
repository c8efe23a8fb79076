#include "node/dev_options.h"

#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "args/version.h"
#include "node/data.h"

/* The command line before it is understood. */
struct words {
    u64 port, chain_id, accounts, gas_limit, base_fee, batch, body, connections;
    const char *host, *mnemonic, *balance, *block_time, *fork, *origins, *hosts, *client, *folder,
        *memory, *state, *history, *profile;
    bool is_silent, is_version;
};

static const struct args_command about = {
    .program = "ashlar dev",
    .usage = "[options]",
    .summary = "A chain for one developer: every transaction is sealed into a block at once.",
    .details =
        "Everything lives in memory and is gone when the program ends, unless --data names a\n"
        "folder for it. The accounts and their keys are known to everybody: never send anything\n"
        "of value to them.",
};

/* "10000" ether as wei. */
static bool parse_ether(u256 *wei, const char *text)
{
    u256 ether, unit = u256_from_u64(1000000000000000000);
    return text[0] >= '0' && text[0] <= '9' && u256_parse(&ether, text) &&
           !u256_mul_overflow(wei, ether, unit);
}

/* "12" or "0.25" seconds as milliseconds; at most a year. */
static bool parse_seconds(u64 *ms, const char *text)
{
    u64 value = 0, unit = 1000;
    bool after_point = false;
    if (!strpbrk(text, "0123456789"))
        return false;
    for (; *text; text++) {
        if (*text == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (*text < '0' || *text > '9' || unit == 1 || value > (u64)365 * 86400 * 1000)
            return false;
        if (after_point)
            unit /= 10;
        value = after_point ? value + (u64)(*text - '0') * unit
                            : value * 10 + (u64)(*text - '0') * 1000;
    }
    *ms = value;
    return value <= (u64)365 * 86400 * 1000;
}

static int bad_value(const char *name, const char *value, const char *want)
{
    return args_fail(&about, "--%s %s: %s", name, value, want);
}

static bool fits(u64 value, u64 most, const char *name, int *exit_code)
{
    if (value <= most)
        return true;
    *exit_code = args_fail(&about, "--%s: at most %llu", name, (unsigned long long)most);
    return false;
}

/* A chain in memory has nowhere to put what does not fit: --history bounds it. */
static bool divide(struct dev_command *command, const char *memory, int *exit_code)
{
    struct err err;
    u64 states = command->dev.states;
    if (memory && !command->folder) {
        *exit_code = args_fail(&about, "--memory goes with --data; in memory, --history bounds it");
        return false;
    }
    if (!command->folder)
        return true;
    memory = memory ? memory : MEMORY_DEFAULT;
    if (memory_divide(&command->memory, memory, states, &err) != STATUS_OK ||
        memory_check(&command->memory, states, command->dev.gas_limit, &err) != STATUS_OK) {
        *exit_code = config_fail(&command->config, &about, "memory", &err);
        return false;
    }
    memory_bound_dev(&command->memory, &command->dev);
    return true;
}

/* In memory nothing is dropped but what --history bounds. */
static bool read_history(struct dev_command *command, const char *text, int *exit_code)
{
    u64 history = 0;
    if (text && !data_parse_history(&history, text)) {
        *exit_code = bad_value("history", text, "full or a number of blocks is needed");
        return false;
    }
    command->dev.history = (u32)history;
    return true;
}

/* A folder keeps so many blocks, and the states of so many, or those of all blocks that it keeps. */
static bool read_states(struct dev_command *command, const char *text, int *exit_code)
{
    struct err err;
    struct data_options kept;
    struct dev_options *dev = &command->dev;
    enum status status = data_read_states(&kept, text, &err);
    bool is_number = text && !kept.archive;
    if (status == STATUS_OK && !is_number)
        kept.states =
            dev->history && dev->history < DEV_STATES_STORED ? dev->history : DEV_STATES_STORED;
    if (status == STATUS_OK)
        status = data_set_history(&kept, dev->history, &err);
    if (status != STATUS_OK) {
        *exit_code = args_fail(&about, "%s", err.text);
        return false;
    }
    dev->archive = kept.archive;
    dev->states = (u32)kept.states;
    return true;
}

static bool read_kept(struct dev_command *command, const struct words *words, int *exit_code)
{
    if (!read_history(command, words->history, exit_code))
        return false;
    if (command->folder)
        return read_states(command, words->state, exit_code);
    /* A profile asks for no more than memory has. */
    if (!words->state || words->profile)
        return true;
    *exit_code = args_fail(
        &about, "--state goes with --data; in memory --history N keeps the states of N blocks");
    return false;
}

static bool understand(struct dev_command *command, const struct words *words, int *exit_code)
{
    struct dev_options *dev = &command->dev;
    if (!fits(words->port, 65535, "port", exit_code) ||
        !fits(words->accounts, DEV_ACCOUNTS_MAX, "accounts", exit_code) ||
        !fits(words->batch, 1000000, "batch-limit", exit_code) ||
        !fits(words->body, 1024, "body-limit", exit_code) ||
        !fits(words->connections, 65536, "connections", exit_code))
        return false;
    if (!parse_ether(&dev->balance, words->balance)) {
        *exit_code = bad_value("balance", words->balance, "a whole number of ether is needed");
        return false;
    }
    if (words->block_time && !parse_seconds(&dev->block_time_ms, words->block_time)) {
        *exit_code = bad_value("block-time", words->block_time, "a number of seconds is needed");
        return false;
    }
    if (words->fork && !fork_parse(&dev->fork, words->fork)) {
        *exit_code = bad_value("fork", words->fork,
                               "not a fork; known are london, paris, shanghai, cancun, prague and "
                               "osaka");
        return false;
    }
    dev->chain_id = words->chain_id;
    dev->accounts = (u32)words->accounts;
    dev->mnemonic = words->mnemonic;
    dev->gas_limit = words->gas_limit;
    dev->base_fee = u256_from_u64(words->base_fee);
    command->http.port = (u16)words->port;
    command->http.host = words->host;
    command->http.cors_origins = words->origins;
    command->rpc.client = words->client;
    command->http.hosts = words->hosts;
    command->http.body_max = (u32)words->body * 1024 * 1024;
    command->http.connections_max = (u32)words->connections;
    command->rpc.batch_max = (u32)words->batch;
    command->is_silent = words->is_silent;
    command->folder = words->folder;
    return read_kept(command, words, exit_code) && divide(command, words->memory, exit_code);
}

static bool take_words(struct dev_command *command, const struct words *words, int rest,
                       char **argv, int *exit_code)
{
    if (words->is_version) {
        printf("ashlar dev %s\n", VERSION_TEXT);
        *exit_code = EXIT_OK;
        return false;
    }
    if (rest) {
        *exit_code =
            args_fail(&about, "\"%s\" is not an option (--help lists what there is)", argv[0]);
        return false;
    }
    if (!understand(command, words, exit_code))
        return false;
    struct err err;
    if (daemon_check(&command->daemon, words->host, &err) == STATUS_OK)
        return true;
    *exit_code = args_fail(&about, "%s", err.text);
    return false;
}

void dev_command_fini(struct dev_command *command)
{
    config_fini(&command->config);
}

bool dev_command_read(struct dev_command *command, int argc, char **argv, int *exit_code)
{
    command->dev = dev_options_default();
    command->http = http_options_default();
    command->rpc = rpc_options_default();
    command->daemon = (struct daemon_words)DAEMON_WORDS_DEFAULT;
    struct words words = {
        .port = 8545,
        .host = "127.0.0.1",
        .chain_id = command->dev.chain_id,
        .accounts = command->dev.accounts,
        .mnemonic = command->dev.mnemonic,
        .balance = "10000",
        .gas_limit = command->dev.gas_limit,
        .base_fee = u256_low(command->dev.base_fee),
        .origins = command->http.cors_origins,
        .hosts = command->http.hosts,
        .batch = command->rpc.batch_max,
        .body = command->http.body_max >> 20,
        .connections = command->http.connections_max,
    };
    const struct args_option options[] = {
        {"port", ARGS_U64, &words.port, "N", "port to listen on, 0 for any that is free (8545)"},
        {"host", ARGS_TEXT, &words.host, "IP", "address to listen on (127.0.0.1)"},
        {"chain-id", ARGS_U64, &words.chain_id, "N", "chain id (31337)"},
        {"accounts", ARGS_U64, &words.accounts, "N", "number of accounts with ether (10)"},
        {"mnemonic", ARGS_TEXT, &words.mnemonic, "WORDS", "BIP-39 words their keys come from"},
        {"balance", ARGS_TEXT, &words.balance, "ETHER", "ether of each account (10000)"},
        {"block-time", ARGS_TEXT, &words.block_time, "S",
         "make a block every S seconds instead of one a transaction"},
        {"gas-limit", ARGS_U64, &words.gas_limit, "N", "gas limit of a block (30000000)"},
        {"base-fee", ARGS_U64, &words.base_fee, "WEI", "base fee of the first block (1000000000)"},
        {"fork", ARGS_TEXT, &words.fork, "NAME", "rules in force, london to osaka (osaka)"},
        {"history", ARGS_TEXT, &words.history, "full|N",
         "keep all blocks, or those up to N behind the head: in memory with their states, with "
         "--data "
         "of older ones the header (full)"},
        {"data", ARGS_TEXT, &words.folder, "DIR",
         "keep the chain in a folder, and go on with the one that is there"},
        {"state", ARGS_TEXT, &words.state, "archive|N",
         "with --data, keep the states of N blocks behind the head (1024), or keep every block's "
         "readable"},
        {"address-index", ARGS_FLAG, &command->dev.addresses, NULL,
         "with --data, keep an index of the transactions in which an address appears, also inside "
         "of calls; in memory there always is one"},
        PROFILE_OPTION(&words.profile),
        {"memory", ARGS_TEXT, &words.memory, "SIZE",
         "with --data, take no more of the machine's memory than this, for example 256M "
         "(" MEMORY_DEFAULT ")"},
        {"cors", ARGS_TEXT, &words.origins, "LIST", "origins that browsers may call from (*)"},
        {"vhosts", ARGS_TEXT, &words.hosts, "LIST",
         "names accepted in Host besides localhost and IP addresses; * for any"},
        {"client-version", ARGS_TEXT, &words.client, "TEXT",
         "answer web3_clientVersion with TEXT, for tools that know only some names: anvil"},
        {"batch-limit", ARGS_U64, &words.batch, "N", "requests in a batch (1000)"},
        {"body-limit", ARGS_U64, &words.body, "MIB", "size of a request (10)"},
        {"connections", ARGS_U64, &words.connections, "N", "connections at a time (1024)"},
        DAEMON_OPTIONS(&command->daemon),
        {"silent", ARGS_FLAG, &words.is_silent, NULL, "print nothing"},
        {"version", ARGS_ACTION, &words.is_version, NULL, "print the version"},
        {0},
    };
    int rest;
    if (!config_begin(&command->config, &about, options, argc, argv, &rest, exit_code))
        return false;
    if (take_words(command, &words, rest, argv, exit_code))
        return true;
    config_fini(&command->config);
    return false;
}
