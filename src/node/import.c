/* ashlar-node import: takes blocks from files into a data folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args/args.h"
#include "node/ahead.h"
#include "node/config.h"
#include "node/data.h"
#include "node/node.h"
#include "node/snapshot.h"
#include "prim/hex.h"
#include "sys/clock.h"
#include "sys/ending.h"

static const struct args_command about = {
    .program = "ashlar-node import",
    .usage = "--data DIR [--genesis FILE] FILE... | --data DIR [--genesis FILE] --snapshot FILE",
    .summary = "Checks and executes the blocks of files, and keeps them; or unpacks a snapshot.",
    .details =
        "Files hold blocks one after another as RLP, as geth export writes them; packed ones "
        "(gzip)\n"
        "are unpacked; or they are era1 files, of which everything that they promise is "
        "checked.\n"
        "Blocks that are there already are passed over, so an import that was\n"
        "stopped goes on where it was. Control-C stops it after the block at hand, or while it "
        "waits for one.\n"
        "A snapshot, as export --snapshot writes it, makes a new folder, which is there when all "
        "of "
        "it has\n"
        "been verified, and before that is called DIR.part. Its blocks are not executed again: "
        "take "
        "it\n"
        "from somebody you trust. - is standard input.",
};

static const u64 SECOND = 1000000000, LINE_EVERY_S = 8;

struct importer {
    struct data data;
    bool is_terminal, has_line;
    bool is_lost; /* what was done since the last sync, as there was no room for it, for example */
    struct block_file file;
    u64 begun, shown; /* ns */
    u64 sync_blocks;  /* make them last every so many; 0: as memory has it */
    struct memory_plan memory;
    struct memory_watch watch;
    u64 unsynced;
    /* What was done. */
    u64 blocks, known, stale_count, txs, gas;
    hash32 stale; /* the last of these */
    /* Of the file at hand. */
    bool is_linked; /* some block of it is there, or has its parent there */
    bool has_orphan;
    struct orphan {
        u64 number;
        hash32 hash, parent;
    } orphan; /* the first whose parent is not */
};

/* --- telling ---------------------------------------------------------------------------------- */

static void show(struct importer *importer, u64 now)
{
    u64 read, whole, ns = now - importer->begun + 1;
    const struct header *head = &chain_head(importer->data.chain)->block.header;
    stream_progress(importer->file.stream, &read, &whole);
    fprintf(stderr, "%sblock %llu", importer->is_terminal ? "\r\033[K" : "",
            (unsigned long long)head->number);
    if (whole)
        fprintf(stderr, "  %3llu%%", (unsigned long long)(read * 100 / whole));
    fprintf(stderr, "  %llu transactions  %.1f Mgas/s  %.0f s%s", (unsigned long long)importer->txs,
            (double)importer->gas * 1000 / (double)ns, (double)ns / (double)SECOND,
            importer->is_terminal ? "" : "\n");
    importer->has_line = importer->is_terminal;
    importer->shown = now;
}

static void show_sometimes(struct importer *importer)
{
    u64 now = clock_monotonic_ns();
    u64 every = importer->is_terminal ? SECOND / 5 : LINE_EVERY_S * SECOND;
    if (now - importer->shown >= every)
        show(importer, now);
}

static void show_pruning(struct importer *importer)
{
    u64 now = clock_monotonic_ns();
    if (!importer->is_terminal || now - importer->shown < SECOND / 5)
        return;
    importer->shown = now;
    importer->has_line = true;
    fprintf(stderr, "\r\033[Kpruning block %llu",
            (unsigned long long)chain_oldest(importer->data.chain));
}

static void end_line(struct importer *importer)
{
    if (importer->has_line)
        fputc('\n', stderr);
    importer->has_line = false;
}

/* --- importing -------------------------------------------------------------------------------- */

static enum status refuse(struct importer *importer, u64 number, const hash32 *hash,
                          const struct chain_report *report, struct err *err)
{
    char text[67];
    enum status status = chain_status(importer->data.chain, err);
    if (status != STATUS_OK)
        return status; /* then the block is not to blame */
    hex_encode(text, hash->b, sizeof hash->b);
    return err_set(err, STATUS_INVALID, "%s: block %llu, %s, was refused: %s", importer->file.path,
                   (unsigned long long)number, text, report->text);
}

static enum status refuse_orphan(struct importer *importer, const struct orphan *orphan,
                                 struct err *err)
{
    char hash[67], parent[67];
    hex_encode(hash, orphan->hash.b, sizeof orphan->hash.b);
    hex_encode(parent, orphan->parent.b, sizeof orphan->parent.b);
    if (!orphan->number)
        return err_set(err, STATUS_INVALID,
                       "%s: block 0, %s, was refused: the folder's chain has another genesis",
                       importer->file.path, hash);
    return err_set(err, STATUS_INVALID,
                   "%s: block %llu, %s, was refused: its parent, block %llu, %s, is not in the "
                   "folder",
                   importer->file.path, (unsigned long long)orphan->number, hash,
                   (unsigned long long)(orphan->number - 1), parent);
}

static enum status refuse_branch(struct importer *importer, const struct orphan *block,
                                 struct err *err)
{
    char hash[67];
    hex_encode(hash, block->hash.b, sizeof block->hash.b);
    return err_set(err, STATUS_INVALID,
                   "%s: block %llu, %s, was refused: its branch leaves the chain before block "
                   "%llu, the oldest whose state is kept (--state)",
                   importer->file.path, (unsigned long long)block->number, hash,
                   (unsigned long long)chain_oldest_state(importer->data.chain));
}

/*
 * No block can be added before the oldest state. One that is not there, though an import that goes on comes across it,
 * is of a branch that was left so long ago that it was forgotten, and the file may begin in the middle of such a one.
 * Whether it does, or has nothing to do with the chain, what follows in the file tells.
 */
static enum status import_parentless(struct importer *importer, const struct orphan *block,
                                     const struct chain_report *report, struct err *err)
{
    struct chain *chain = importer->data.chain;
    enum status status = chain_status(chain, err);
    if (status != STATUS_OK)
        return status; /* then the block is not to blame */
    bool hangs = chain_knows(chain, &block->parent);
    bool is_first = !hangs && !importer->has_orphan;
    if (is_first)
        importer->orphan = *block;
    importer->has_orphan |= is_first;
    importer->is_linked |= hangs;
    if (block->number && block->number <= chain_oldest_state(chain)) {
        importer->stale = block->hash;
        importer->stale_count++;
        return STATUS_OK;
    }
    if (!importer->is_linked)
        return refuse_orphan(importer, &importer->orphan, err);
    if (strcmp(report->text, block_verdict_text(BLOCK_UNKNOWN_PARENT)) != 0)
        return refuse(importer, block->number, &block->hash, report, err);
    if (hangs || (importer->stale_count && hash32_eq(&importer->stale, &block->parent)))
        return refuse_branch(importer, block, err);
    return refuse_orphan(importer, block, err);
}

static enum status import_one(struct importer *importer, struct chain_incoming *incoming,
                              struct err *err)
{
    struct chain_report report;
    const struct block *block;
    if (!chain_incoming_block(incoming, &block)) {
        enum block_verdict verdict = chain_add(importer->data.chain, incoming, &report);
        (void)verdict;
        return err_set(err, STATUS_INVALID, "%s: a block after block %llu was refused: %s",
                       importer->file.path,
                       (unsigned long long)chain_head(importer->data.chain)->block.header.number,
                       report.text);
    }
    struct orphan as = {block->header.number, block->hash, block->header.parent_hash};
    u64 gas = block->header.gas_used, txs = block->tx_count;
    switch ((int)chain_add(importer->data.chain, incoming, &report)) {
    case BLOCK_OK:
        importer->blocks++;
        importer->gas += gas;
        importer->txs += txs;
        importer->is_linked = true;
        return STATUS_OK;
    case BLOCK_KNOWN:
        importer->known++;
        importer->is_linked = true;
        return STATUS_OK;
    case BLOCK_UNKNOWN_PARENT: return import_parentless(importer, &as, &report, err);
    default: return refuse(importer, as.number, &as.hash, &report, err);
    }
}

static enum status sync_sometimes(struct importer *importer, struct err *err)
{
    struct chain *chain = importer->data.chain;
    u64 most = importer->sync_blocks, now_ms = clock_monotonic_ns() / 1000000;
    bool is_short = memory_is_short(&importer->watch, chain, now_ms);
    bool is_much = chain_unsynced(chain) >= importer->memory.shares[MEMORY_UNSYNCED];
    if (most)
        is_much = ++importer->unsynced >= most;
    if (!is_much && !is_short)
        return STATUS_OK;
    importer->unsynced = 0;
    enum status status = chain_sync(chain, err);
    importer->is_lost |= status != STATUS_OK;
    if (is_short && status == STATUS_OK)
        chain_rest(chain);
    if (status == STATUS_OK && most) {
        char hash[67];
        hex_encode(hash, chain_head(chain)->block.hash.b, sizeof(hash32));
        printf("durable: block %llu, %s\n",
               (unsigned long long)chain_head(chain)->block.header.number, hash);
        fflush(stdout);
    }
    return status;
}

static enum status import_blocks(struct importer *importer, struct ahead *ahead, struct err *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !ending_is_wished()) {
        struct chain_incoming *incoming;
        status = ahead_next(ahead, &incoming, err);
        if (status != STATUS_OK || !incoming)
            break;
        status = import_one(importer, incoming, err);
        if (status == STATUS_OK)
            status = sync_sometimes(importer, err);
        show_sometimes(importer);
    }
    return status == STATUS_STOPPED ? STATUS_OK : status;
}

static enum status import_file(struct importer *importer, const char *path, struct err *err)
{
    struct ahead *ahead;
    importer->is_linked = importer->has_orphan = false;
    enum status status = block_file_open(&importer->file, path, err);
    if (status != STATUS_OK)
        return status;
    status = ahead_open(&ahead, importer->data.chain, &importer->file,
                        importer->memory.shares[MEMORY_AHEAD], err);
    if (status == STATUS_OK) {
        status = import_blocks(importer, ahead, err);
        if (status == STATUS_OK && importer->has_orphan && !importer->is_linked &&
            !ending_is_wished())
            status = refuse_orphan(importer, &importer->orphan, err);
        if (importer->has_line)
            show(importer, clock_monotonic_ns());
        ahead_close(ahead);
    }
    end_line(importer);
    block_file_close(&importer->file);
    return status;
}

/* What was good before a failure is kept. */
static enum status import_files(struct importer *importer, char **paths, int count, struct err *err)
{
    struct err sync_err;
    enum status status = STATUS_OK;
    importer->begun = importer->shown = clock_monotonic_ns();
    for (int i = 0; status == STATUS_OK && !ending_is_wished() && i < count; i++)
        status = import_file(importer, paths[i], err);
    enum status synced = chain_sync(importer->data.chain, &sync_err);
    while (synced == STATUS_OK && !ending_is_wished() && chain_prunes(importer->data.chain)) {
        synced = chain_sync(importer->data.chain, &sync_err);
        show_pruning(importer);
    }
    end_line(importer);
    if (synced == STATUS_OK)
        return status;
    importer->is_lost = true;
    *err = sync_err;
    return synced;
}

static void print_result(const struct importer *importer)
{
    char hash[67];
    const struct chain_block *head = chain_head(importer->data.chain);
    double seconds = (double)(clock_monotonic_ns() - importer->begun) / (double)SECOND;
    hex_encode(hash, head->block.hash.b, sizeof head->block.hash.b);
    printf("%llu blocks imported, %llu known before, %llu transactions, %.1f Mgas in %.2f s (%.1f "
           "Mgas/s)\n",
           (unsigned long long)importer->blocks, (unsigned long long)importer->known,
           (unsigned long long)importer->txs, (double)importer->gas / 1e6, seconds,
           seconds > 0 ? (double)importer->gas / 1e6 / seconds : 0);
    if (importer->stale_count)
        printf("%llu blocks of branches left long ago passed over\n",
               (unsigned long long)importer->stale_count);
    printf("head: block %llu, %s%s\n", (unsigned long long)head->block.header.number, hash,
           ending_is_wished() ? " (stopped)" : "");
    data_print_whole(chain_oldest(importer->data.chain));
}

static enum status run(struct importer *importer, const struct data_options *where, char **paths,
                       int count, struct err *err)
{
    enum status status = data_open(&importer->data, where, err);
    if (status != STATUS_OK)
        return status;
    status = ending_watch(err);
    if (status == STATUS_OK) {
        status = import_files(importer, paths, count, err);
        if (!importer->is_lost)
            print_result(importer);
    }
    data_close(&importer->data);
    return status;
}

static int import(struct importer *importer, const struct data_options *where,
                  const struct config *config, const char *memory, int rest, char **argv)
{
    struct err err;
    if (!where->folder || !rest)
        return args_fail(&about, "--data DIR and at least one file of blocks are needed");
    if (memory_divide(&importer->memory, memory, where->states, &err) != STATUS_OK)
        return config_fail(config, &about, "memory", &err);
    memory_tighten(&importer->memory);
    memory_watch_open(&importer->watch, &importer->memory);
    enum status status = run(importer, where, argv, rest, &err);
    memory_watch_close(&importer->watch);
    if (status == STATUS_OK)
        return EXIT_OK;
    fprintf(stderr, "ashlar-node import: %s\n", err.text);
    return EXIT_FAILED;
}

/* --- snapshots -------------------------------------------------------------------------------- */

static void show_read(void *ctx, u64 read, u64 whole)
{
    struct importer *importer = ctx;
    u64 now = clock_monotonic_ns();
    if (!importer->is_terminal || !whole || now - importer->shown < SECOND / 5)
        return;
    importer->shown = now;
    importer->has_line = true;
    fprintf(stderr, "\r\033[Kreading %llu%%", (unsigned long long)(read * 100 / whole));
}

static void show_verified(void *ctx, u64 number, u64 head)
{
    struct importer *importer = ctx;
    u64 now = clock_monotonic_ns();
    if (!importer->is_terminal || now - importer->shown < SECOND / 5)
        return;
    importer->shown = now;
    importer->has_line = true;
    fprintf(stderr, "\r\033[Kverifying block %llu of %llu", (unsigned long long)number,
            (unsigned long long)head);
}

static int import_snapshot(struct importer *importer, const struct data_options *where,
                           const char *path, int rest)
{
    struct err err;
    struct snapshot_done done;
    struct snapshot_watcher watcher = {show_read, show_verified, importer};
    char head[67];
    if (!where->folder || rest || importer->sync_blocks || where->archive || where->history ||
        where->addresses)
        return args_fail(&about, "--snapshot FILE goes with --data DIR and --genesis FILE alone");
    enum status status =
        snapshot_import(&done, where->folder, path, where->genesis, where->states, &watcher, &err);
    end_line(importer);
    if (status != STATUS_OK) {
        fprintf(stderr, "ashlar-node import: %s\n", err.text);
        return EXIT_FAILED;
    }
    hex_encode(head, done.info.head_hash.b, sizeof done.info.head_hash.b);
    printf("%s: %llu records imported and verified\nhead: block %llu, %s\n", path,
           (unsigned long long)done.records, (unsigned long long)done.info.head, head);
    data_print_whole(done.whole);
    return EXIT_OK;
}

int node_import_main(int argc, char **argv)
{
    int rest, exit_code;
    struct config config;
    struct err err;
    struct importer importer = {.is_terminal = isatty(STDERR_FILENO)};
    struct data_options where = {.states = STATES_DEFAULT};
    const char *snapshot = NULL, *memory = MEMORY_DEFAULT, *state = NULL, *history = NULL,
               *profile = NULL;
    where.memory = &importer.memory;
    const struct args_option options[] = {
        {"data", ARGS_TEXT, &where.folder, "DIR", "the data folder; made if it is not there"},
        {"genesis", ARGS_TEXT, &where.genesis, "FILE",
         "how the chain begins; may be left out once it has begun"},
        STATE_OPTION(&state),
        HISTORY_OPTION(&history),
        ADDRESS_INDEX_OPTION(&where.addresses),
        PROFILE_OPTION(&profile),
        {"sync", ARGS_U64, &importer.sync_blocks, "N",
         "make blocks last every N of them, and say so; else every 64 MiB of changes or less"},
        MEMORY_OPTION(&memory),
        {"snapshot", ARGS_TEXT, &snapshot, "FILE", "make the folder from a snapshot"},
        {0},
    };
    if (!config_begin(&config, &about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    if (data_read_states(&where, state, &err) != STATUS_OK ||
        data_read_history(&where, history, &err) != STATUS_OK)
        exit_code = args_fail(&about, "%s", err.text);
    else
        exit_code = snapshot ? import_snapshot(&importer, &where, snapshot, rest)
                             : import(&importer, &where, &config, memory, rest, argv);
    config_fini(&config);
    return exit_code;
}
