/* `ashlar-node genesis check FILE`: every mistake with its place, or what the network will be. */
#include "types/genesis.h"

#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "base/mem.h"
#include "chain/chain.h"
#include "node/node.h"
#include "prim/hex.h"
#include "sys/file.h"
#include "sys/random.h"
#include "types/fork_id.h"

enum { FILE_MAX = 1 << 30, HASH_TEXT = 2 * 32 + 3 };

static const struct args_command about = {
    .program = "ashlar-node genesis",
    .usage = "check FILE",
    .summary = "Reads a genesis file in geth's format and says what is wrong with it.",
    .details =
        "Every mistake is printed as FILE:LINE:COLUMN: mistake: REASON. A good file is answered\n"
        "with its hash, its state root, and when which rules come into force.\n"
        "Exit codes: 0 good, 1 mistakes found or not readable, 2 wrong usage.",
};

/* --- findings --------------------------------------------------------------------------------- */

struct findings {
    const char *path;
    u32 mistakes, warnings;
};

static void print_finding(void *ctx, const struct genesis_finding *finding)
{
    struct findings *findings = ctx;
    const char *kind = finding->is_mistake ? "mistake" : "warning";
    *(finding->is_mistake ? &findings->mistakes : &findings->warnings) += 1;
    if (finding->line)
        printf("%s:%u:%u: %s: %s\n", findings->path, finding->line, finding->column, kind,
               finding->text);
    else
        printf("%s: %s: %s\n", findings->path, kind, finding->text);
}

static void print_count(const struct findings *findings)
{
    if (findings->mistakes >= GENESIS_FINDINGS_MAX)
        printf("%u mistakes, and perhaps more: reading stopped there\n", findings->mistakes);
    else
        printf("%u mistake%s\n", findings->mistakes, findings->mistakes == 1 ? "" : "s");
}

/* --- what the network will be ----------------------------------------------------------------- */

static void print_hash(const char *name, const hash32 *hash)
{
    char text[HASH_TEXT];
    hex_encode(text, hash->b, sizeof hash->b);
    printf("%-14s %s\n", name, text);
}

static void print_step(const char *name, const char *unit, u64 at)
{
    if (at != CONFIG_NEVER)
        printf("  %-16s %s %llu\n", name, unit, (unsigned long long)at);
}

static void print_ttd(const struct chain_config *config)
{
    char text[U256_DEC_MAX];
    if (!config->has_ttd)
        return;
    text[u256_format_dec(text, config->ttd)] = 0;
    printf("  %-16s total difficulty %s\n", "paris", text);
}

static void print_blobs(const struct chain_config *config)
{
    static const char *const names[] = {
#define X(id, name) name,
        BLOB_UPGRADES(X)
#undef X
    };
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++)
        if (config->blob_at[i] != CONFIG_NEVER)
            printf("  %-16s time %llu: target %u, max %u, fraction %llu\n", names[i],
                   (unsigned long long)config->blob_at[i], config->blob[i].target,
                   config->blob[i].max, (unsigned long long)config->blob[i].update_fraction);
}

static void print_forks(const struct chain_config *config)
{
    static const char *const names[] = {
#define X(id, test_name, name) name,
        FORK_LIST(X)
#undef X
    };
    puts("forks");
    for (enum fork f = FORK_HOMESTEAD; f < FORK_PARIS; f++) {
        print_step(names[f], "block", config->fork_at[f]);
        if (f == FORK_HOMESTEAD)
            print_step(config->dao_support ? "dao" : "dao (against)", "block", config->dao_block);
        if (f == FORK_ISTANBUL)
            print_step("muir glacier", "block", config->muir_glacier);
    }
    print_step("arrow glacier", "block", config->arrow_glacier);
    print_step("gray glacier", "block", config->gray_glacier);
    print_ttd(config);
    print_step("merge netsplit", "block", config->merge_netsplit);
    for (enum fork f = FORK_SHANGHAI; f < FORK_COUNT; f++)
        print_step(names[f], "time", config->fork_at[f]);
    if (config->fork_at[FORK_CANCUN] != CONFIG_NEVER)
        puts("blobs");
    print_blobs(config);
}

static enum status print_network(const struct genesis *genesis, struct err *err)
{
    struct chain *chain;
    struct chain_options options = {.seed = random_u64()};
    enum status status = chain_open(&chain, genesis, &options, err);
    if (status != STATUS_OK)
        return status;
    const struct block *block = &chain_head(chain)->block;
    struct fork_id id = fork_id_at(&genesis->config, &block->hash, block->header.timestamp,
                                   block->header.number, block->header.timestamp);
    print_hash("genesis hash", &block->hash);
    print_hash("state root", &block->header.state_root);
    printf("%-14s 0x%08x, next %llu\n", "fork id", id.hash, (unsigned long long)id.next);
    printf("%-14s %llu\n", "chain id", (unsigned long long)genesis->config.chain_id);
    printf("%-14s %u\n", "accounts", genesis->account_count);
    print_forks(&genesis->config);
    chain_close(chain);
    return STATUS_OK;
}

static int check(const char *path)
{
    u8 *text;
    size_t len;
    struct err err;
    struct arena arena;
    struct genesis genesis;
    struct findings findings = {.path = path};
    if (file_read(&text, &len, path, FILE_MAX, &err) != STATUS_OK) {
        args_fail(&about, "%s", err.text);
        return EXIT_FAILED;
    }
    arena_init(&arena);
    enum status status =
        genesis_check(&genesis, &arena, (const char *)text, len, print_finding, &findings);
    if (status != STATUS_OK) {
        print_count(&findings);
    } else {
        status = print_network(&genesis, &err);
        if (status != STATUS_OK)
            printf("%s: mistake: %s\n", path, err.text);
    }
    arena_fini(&arena);
    mem_free(text);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}

int node_genesis_main(int argc, char **argv)
{
    static const struct args_option options[] = {{0}};
    int rest, exit_code;
    if (!args_begin(&about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    if (rest != 2 || strcmp(argv[0], "check") != 0)
        return args_fail(&about, "usage: ashlar-node genesis %s", about.usage);
    return check(argv[1]);
}
