/* Official difficulty tests, in both shapes: cases under a fork's name, and the older files of cases alone. */
#include "consensus/difficulty.h"

#include <stdio.h>
#include <string.h>

#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "types/header.h"

/* parentUncles is a count, or the hash of the list. */
static bool read_has_ommers(struct reader *reader, json value)
{
    const char *text = json_text(json_get(value, "parentUncles"));
    if (!text)
        return false;
    if (strlen(text) < 66)
        return reader_u64(reader, value, "parentUncles") != 0;
    hash32 hash = reader_hash(reader, value, "parentUncles");
    return !hash32_eq(&hash, &HEADER_NO_OMMERS);
}

static void run_difficulty(struct report *report, const struct chain_config *config, json value)
{
    struct reader reader;
    struct arena arena;
    arena_init(&arena);
    reader_init(&reader, &arena);
    struct difficulty_parent parent = {.difficulty =
                                           reader_u256(&reader, value, "parentDifficulty"),
                                       .timestamp = reader_u64(&reader, value, "parentTimestamp"),
                                       .has_ommers = read_has_ommers(&reader, value)};
    u64 number = reader_u64(&reader, value, "currentBlockNumber");
    u64 time = reader_u64(&reader, value, "currentTimestamp");
    u256 want = reader_u256(&reader, value, "currentDifficulty");
    enum fork fork = chain_config_fork(config, number, time, u256_from_u64(0));
    u256 got =
        difficulty_next(fork, chain_config_bomb_delay(config, number), number, time, &parent);
    if (reader.failed)
        report_fail(report, "%s", reader.err.text);
    else if (!u256_eq(got, want))
        report_fail(report, "difficulty is %llu, not %llu (low 64 bits)",
                    (unsigned long long)u256_low(got), (unsigned long long)u256_low(want));
    else
        report_pass(report);
    arena_fini(&arena);
}

/* The files of cases alone tell the rules by their name: a fork's, or a network's. */
struct file_rules {
    const char *part; /* of the file's name; the first that occurs counts */
    const char *network;
};

static const struct file_rules FILE_RULES[] = {
    {"EIP2384", "MuirGlacier"},
    {"Frontier", "Frontier"},
    {"Byzantium", "Byzantium"},
    {"Constantinople", "Constantinople"},
    {"Homestead", "Homestead"},
    {"Ropsten", "ropsten"},
    {"ain", "main"}, /* difficultyMainNetwork, difficultyCustomMainNetwork */
    {"difficulty.json", "main"},
};

/* The block numbers of public networks, as far as these tests reach. */
static void init_mainnet(struct chain_config *config)
{
    chain_config_init(config, FORK_FRONTIER);
    config->fork_at[FORK_HOMESTEAD] = 1150000;
    config->fork_at[FORK_TANGERINE] = 2463000;
    config->fork_at[FORK_SPURIOUS] = 2675000;
    config->fork_at[FORK_BYZANTIUM] = 4370000;
}

static void init_ropsten(struct chain_config *config)
{
    chain_config_init(config, FORK_TANGERINE);
    config->fork_at[FORK_SPURIOUS] = 10;
    config->fork_at[FORK_BYZANTIUM] = 1700000;
    config->fork_at[FORK_CONSTANTINOPLE] = 4230000;
    config->fork_at[FORK_PETERSBURG] = 4939394;
}

static bool config_of(struct chain_config *config, const char *network)
{
    if (strcmp(network, "main") == 0)
        init_mainnet(config);
    else if (strcmp(network, "ropsten") == 0)
        init_ropsten(config);
    else
        return chain_config_named(config, network);
    return true;
}

static const char *network_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < ARRAY_LEN(FILE_RULES); i++)
        if (strstr(slash ? slash : path, FILE_RULES[i].part))
            return FILE_RULES[i].network;
    return NULL;
}

static void run_named(struct report *report, const char *name, const char *network, json value)
{
    struct chain_config config;
    if (!report_wants_network(report, network) || !report_begin(report, "%s/%s", name, network))
        return;
    if (config_of(&config, network))
        run_difficulty(report, &config, value);
    else
        report_fail(report, "there is no fork %s", network);
}

static void run_group(struct report *report, const char *name, const char *network, json cases)
{
    char label[256];
    struct json_iter iter = json_iter(cases);
    while (json_next(&iter)) {
        snprintf(label, sizeof label, "%s/%s", name, iter.key);
        run_named(report, label, network, iter.value);
    }
}

static void run_case(void *worker, struct report *report, const char *name, json value)
{
    (void)worker;
    if (json_get(value, "currentDifficulty")) {
        const char *network = network_of_file(report->path);
        if (network)
            run_named(report, name, network, value);
        else if (report_begin(report, "%s", name))
            report_fail(report, "the file's name tells no fork");
        return;
    }
    struct json_iter iter = json_iter(value);
    while (json_next(&iter))
        if (strcmp(iter.key, "_info") != 0)
            run_group(report, name, iter.key, iter.value);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

int difficultytest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm difficultytest", "PATH... [--fork FORK] [--run REGEX] [--jobs N] [--json]",
        "Runs official difficulty tests.",
        "Files of cases without a fork are run by the rules that their name tells."};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
