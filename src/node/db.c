/* ashlar-node db: what a data folder holds, and whether it is right. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args/args.h"
#include "chain/archive.h"
#include "node/config.h"
#include "node/data.h"
#include "node/node.h"
#include "prim/hex.h"

static const struct args_command about = {
    .program = "ashlar-node db",
    .usage = "stats|verify|compact --data DIR",
    .summary =
        "Tells what a data folder holds (stats), or whether all of it is right (verify), or\n"
        "makes it as small as it can be (compact).",
    .details =
        "verify reads every block and all of the state, computes every root anew, names what is\n"
        "wrong, and exits 0 only if nothing is. compact writes the store anew and puts it in "
        "place\n"
        "of the old one when all of it is on the disk; it needs room for both meanwhile.",
};

/* Which blocks there are, in the store and in segments. */
static enum status print_held(struct db *db, struct err *err)
{
    hash32 head;
    u64 number, whole = archive_whole_mark(db);
    if (!store_get_head(db, &head) || !store_get_number(db, &number, &head))
        return db_status(db, err);
    printf("blocks whole   %14llu to %llu\n", (unsigned long long)whole,
           (unsigned long long)number);
    if (whole)
        printf("headers only   %14d to %llu\n", 0, (unsigned long long)whole - 1);
    return STATUS_OK;
}

static enum status print_stats(struct db *db, const char *folder, struct err *err)
{
    (void)folder;
    u64 bytes = 0;
    printf("%-14s %14s %14s\n", "table", "records", "bytes");
    for (int table = 0; table < DB_TABLE_COUNT; table++) {
        struct db_stat stat = db_stat(db, (enum db_table)table);
        bytes += stat.bytes;
        printf("%-14s %14llu %14llu\n", db_table_name((enum db_table)table),
               (unsigned long long)stat.entries, (unsigned long long)stat.bytes);
    }
    printf("%-14s %14s %14llu\n", "all", "", (unsigned long long)bytes);
    return print_held(db, err);
}

static void show_block(void *ctx, u64 number, u64 head)
{
    const bool *is_terminal = ctx;
    if (*is_terminal && (number % 1000 == 0 || number == head))
        fprintf(stderr, "\r\033[Kblock %llu of %llu", (unsigned long long)number,
                (unsigned long long)head);
    if (*is_terminal && number == head)
        fputs("\r\033[K", stderr);
}

static void print_fault(void *ctx, const char *words)
{
    (void)ctx;
    fprintf(stderr, "state: %s\n", words);
}

static void print_damage(void *ctx, const char *words)
{
    (void)ctx;
    fprintf(stderr, "store: %s\n", words);
}

/* The file's pages, then the records by their checksums: what is read after that can be trusted. */
static enum status verify_store(struct db *db, const char *folder, struct err *err)
{
    enum status status = db_check_pages(db, err);
    if (status != STATUS_OK)
        return status;
    u64 damaged = db_verify(db, print_damage, NULL);
    if (damaged)
        return err_set(err, STATUS_INVALID, "%s: %llu damaged record%s", folder,
                       (unsigned long long)damaged, damaged == 1 ? "" : "s");
    return STATUS_OK;
}

static enum status verify(struct db *db, const char *folder, struct err *err)
{
    bool is_terminal = isatty(STDERR_FILENO);
    enum status status = verify_store(db, folder, err);
    if (status != STATUS_OK)
        return status;
    struct chain_verify_watcher watcher = {show_block, print_fault, &is_terminal};
    struct arena arena;
    struct chain_verified found;
    char hash[67];
    arena_init(&arena);
    const char *segments = arena_format(&arena, "%s/segments", folder);
    status = chain_verify(db, segments, &watcher, &found, err);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return status;
    hex_encode(hash, found.hash.b, sizeof found.hash.b);
    printf("%s: all is right: blocks to %llu, %s; %llu accounts, %llu slots\n", folder,
           (unsigned long long)found.head, hash, (unsigned long long)found.accounts,
           (unsigned long long)found.slots);
    data_print_whole(found.whole);
    return STATUS_OK;
}

static u64 bytes_of(struct db *db)
{
    u64 bytes = 0;
    for (int table = 0; table < DB_TABLE_COUNT; table++)
        bytes += db_stat(db, (enum db_table)table).bytes;
    return bytes;
}

static enum status compact(struct db *db, const char *folder, struct err *err)
{
    enum status status = db_compact(db, err);
    if (status == STATUS_OK)
        printf("%s: %llu bytes of tables, and nothing besides\n", folder,
               (unsigned long long)bytes_of(db));
    return status;
}

static const struct {
    const char *name;
    bool writes;
    enum status (*run)(struct db *db, const char *folder, struct err *err);
} jobs[] = {{"stats", false, print_stats}, {"verify", false, verify}, {"compact", true, compact}};

static int run_job(const char *folder, int rest, char **argv)
{
    struct err err;
    struct db *db;
    size_t job = 0;
    while (rest == 1 && job < ARRAY_LEN(jobs) && strcmp(jobs[job].name, argv[0]) != 0)
        job++;
    if (!folder || rest != 1 || job == ARRAY_LEN(jobs))
        return args_fail(&about, "stats, verify or compact, and --data DIR, are needed");
    const struct db_options options = {.read_only = !jobs[job].writes};
    enum status status = data_find_store(folder, &err);
    if (status == STATUS_OK)
        status = data_open_store(&db, folder, &options, &err);
    if (status == STATUS_OK) {
        status = jobs[job].run(db, folder, &err);
        db_close(db);
    }
    if (status == STATUS_OK)
        return EXIT_OK;
    fprintf(stderr, "ashlar-node db %s: %s\n", jobs[job].name, err.text);
    return EXIT_FAILED;
}

int node_db_main(int argc, char **argv)
{
    int rest, exit_code;
    struct config config;
    const char *folder = NULL;
    const struct args_option options[] = {
        {"data", ARGS_TEXT, &folder, "DIR", "the data folder"},
        {0},
    };
    if (!config_begin(&config, &about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    exit_code = run_job(folder, rest, argv);
    config_fini(&config);
    return exit_code;
}
