/* ashlar-node export: writes blocks to a file that import, and geth's import, can read; or all there is to a snapshot. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "node/config.h"
#include "node/data.h"
#include "node/era1.h"
#include "node/node.h"
#include "node/snapshot.h"
#include "prim/hex.h"
#include "sys/stream.h"

static const struct args_command about = {
    .program = "ashlar-node export",
    .usage = "--data DIR [--from N] [--to N] FILE | --data DIR [--from N] [--to N] --era1 FOLDER | "
             "--data DIR --snapshot FILE",
    .summary = "Writes the chain's blocks to a file, one after another as RLP, or all there is.",
    .details =
        "A name that ends in .gz packs blocks; - is standard output.\n"
        "With --era1, blocks of before the merge go with their receipts into era1 files of 8192 "
        "blocks\n"
        "each, as other clients read them; the first block then is a multiple of that.\n"
        "A snapshot is a copy of the whole folder in one file: blocks, receipts, state, code, what "
        "leads\n"
        "back, and the transactions that wait. It is packed and sealed, its bytes follow from what "
        "the\n"
        "folder holds, and import --snapshot makes a folder of it.",
};

struct span {
    u64 from, to;
};

struct era1_options {
    const char *folder, *network;
};

static enum status write_blocks(struct chain *chain, const struct span *span, struct stream *stream,
                                u64 *count, struct err *err)
{
    struct buf rlp;
    enum status status = STATUS_OK;
    buf_init(&rlp, SIZE_MAX / 2);
    for (u64 number = span->from; status == STATUS_OK && number <= span->to; number++) {
        const struct chain_block *block = chain_by_number(chain, number);
        if (!block) {
            status = chain_status(chain, err);
            if (status == STATUS_OK)
                status = err_set(err, STATUS_NOT_FOUND, "there is no block %llu",
                                 (unsigned long long)number);
            break;
        }
        buf_reset(&rlp);
        block_encode(&rlp, &block->block);
        status = stream_write(stream, rlp.data, rlp.len, err);
        ++*count;
    }
    buf_fini(&rlp);
    return status;
}

/* Are all of them there? With no end they go to the head. */
static enum status check_span(const struct chain *chain, struct span *span, struct err *err)
{
    u64 head = chain_head(chain)->block.header.number, oldest = chain_oldest(chain);
    if (span->to == UINT64_MAX)
        span->to = head;
    if (span->from > span->to || span->to > head)
        return err_set(err, STATUS_INVALID, "the chain's blocks are 0 to %llu",
                       (unsigned long long)head);
    if (span->from < oldest)
        return err_set(err, STATUS_INVALID,
                       "blocks before %llu are pruned: --from %llu is the first that there is",
                       (unsigned long long)oldest, (unsigned long long)oldest);
    return STATUS_OK;
}

static enum status export_to(const char *path, struct chain *chain, struct span span, u64 *count,
                             struct err *err)
{
    struct stream *stream;
    struct err close_err;
    enum status status = check_span(chain, &span, err);
    if (status == STATUS_OK)
        status = stream_create(&stream, path, err);
    if (status != STATUS_OK)
        return status;
    status = write_blocks(chain, &span, stream, count, err);
    enum status closed = stream_close(stream, &close_err);
    if (status == STATUS_OK && closed != STATUS_OK)
        *err = close_err;
    return status == STATUS_OK ? closed : status;
}

static int tell(enum status status, const struct err *err, u64 count)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "ashlar-node export: %s\n", err->text);
        return EXIT_FAILED;
    }
    fprintf(stderr, "%llu blocks written\n", (unsigned long long)count);
    return EXIT_OK;
}

static int export(const struct data_options *where, struct span span, int rest, char **argv)
{
    struct err err;
    struct data data;
    u64 count = 0;
    if (!where->folder || rest != 1)
        return args_fail(&about, "--data DIR and one file to write are needed");
    enum status status = data_open(&data, where, &err);
    if (status == STATUS_OK) {
        status = export_to(argv[0], data.chain, span, &count, &err);
        data_close(&data);
    }
    return tell(status, &err, count);
}

/* --- era1 ------------------------------------------------------------------------------------- */

/* What the files of well-known networks are called. */
static const char *network_name(struct arena *arena, const struct chain *chain)
{
    u64 id = chain_config(chain)->chain_id;
    if (id == 1)
        return "mainnet";
    if (id == 11155111)
        return "sepolia";
    return arena_format(arena, "chain%llu", (unsigned long long)id);
}

/* One file. *ended: a block of after the merge stands in it. */
static enum status write_epoch(struct chain *chain, const struct era1_options *options, u64 from,
                               u64 to, u64 *count, bool *ended, struct err *err)
{
    struct era1_out *out;
    enum status status =
        era1_create(&out, options->folder, options->network, from / ERA1_BLOCKS, err);
    if (status != STATUS_OK)
        return status;
    u64 number = from;
    for (; status == STATUS_OK && number <= to; number++) {
        const struct chain_block *block = chain_by_number(chain, number);
        if (!block || !block->receipts)
            status = err_set(err, STATUS_NOT_FOUND, "there is no block %llu",
                             (unsigned long long)number);
        else if (chain_fork(chain, &block->block.header) >= FORK_PARIS)
            break;
        else
            era1_add(out, block);
    }
    *ended = number <= to;
    *count += number - from;
    if (status == STATUS_OK && number > from)
        return era1_finish(out, err);
    era1_drop(out);
    if (status == STATUS_OK)
        return status;
    enum status broken = chain_status(chain, err); /* then there may well be such a block */
    return broken != STATUS_OK ? broken : status;
}

static enum status write_era1(struct chain *chain, const struct era1_options *options,
                              struct span span, u64 *count, struct err *err)
{
    bool ended = false;
    enum status status = check_span(chain, &span, err);
    if (status != STATUS_OK)
        return status;
    for (u64 from = span.from; status == STATUS_OK && !ended && from <= span.to;
         from += ERA1_BLOCKS) {
        u64 last = span.to - from < ERA1_BLOCKS ? span.to : from + ERA1_BLOCKS - 1;
        status = write_epoch(chain, options, from, last, count, &ended, err);
    }
    if (status == STATUS_OK && !*count)
        return err_set(err, STATUS_INVALID, "block %llu is of after the merge, which era1 has not",
                       (unsigned long long)span.from);
    return status;
}

static int export_era1(const struct data_options *where, struct era1_options options,
                       struct span span, int rest)
{
    struct err err;
    struct data data;
    struct arena arena;
    u64 count = 0;
    if (!where->folder || rest || span.from % ERA1_BLOCKS)
        return args_fail(&about,
                         "--era1 FOLDER goes with --data DIR, and --from is a multiple of %d",
                         ERA1_BLOCKS);
    if (options.network && strpbrk(options.network, "-/"))
        return args_fail(&about, "--network has no dash or slash");
    enum status status = data_open(&data, where, &err);
    if (status == STATUS_OK) {
        arena_init(&arena);
        if (!options.network)
            options.network = network_name(&arena, data.chain);
        status = write_era1(data.chain, &options, span, &count, &err);
        arena_fini(&arena);
        data_close(&data);
    }
    return tell(status, &err, count);
}

/* --- snapshots -------------------------------------------------------------------------------- */

static int export_snapshot(const struct data_options *where, const char *path, struct span span,
                           int rest)
{
    struct err err;
    struct snapshot_done done;
    char head[67], seal[67];
    if (!where->folder || rest || span.from || span.to != UINT64_MAX)
        return args_fail(&about, "--snapshot FILE goes with --data DIR and nothing else");
    if (strcmp(path, "-") == 0)
        return args_fail(&about, "a snapshot needs a file, and is not written to standard output");
    if (snapshot_export(&done, where->folder, path, &err) != STATUS_OK) {
        fprintf(stderr, "ashlar-node export: %s\n", err.text);
        return EXIT_FAILED;
    }
    hex_encode(head, done.info.head_hash.b, sizeof done.info.head_hash.b);
    hex_encode(seal, done.seal.b, sizeof done.seal.b);
    printf("%s: %llu records, seal %s\nhead: block %llu, %s\n", path,
           (unsigned long long)done.records, seal, (unsigned long long)done.info.head, head);
    data_print_whole(done.whole);
    return EXIT_OK;
}

int node_export_main(int argc, char **argv)
{
    int rest, exit_code;
    struct config config;
    struct data_options where = {.states = STATES_DEFAULT, .read_only = true};
    struct span span = {.to = UINT64_MAX};
    const char *snapshot = NULL;
    struct era1_options era1 = {0};
    const struct args_option options[] = {
        {"data", ARGS_TEXT, &where.folder, "DIR", "the data folder"},
        {"from", ARGS_U64, &span.from, "N", "the first block (0)"},
        {"to", ARGS_U64, &span.to, "N", "the last block (the head)"},
        {"era1", ARGS_TEXT, &era1.folder, "FOLDER", "write era1 files into it"},
        {"network", ARGS_TEXT, &era1.network, "NAME", "what era1 files call the network"},
        {"snapshot", ARGS_TEXT, &snapshot, "FILE", "write all there is, and not blocks alone"},
        {0},
    };
    if (!config_begin(&config, &about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    if (snapshot && era1.folder)
        exit_code = args_fail(&about, "--snapshot or --era1, not both");
    else if (snapshot)
        exit_code = export_snapshot(&where, snapshot, span, rest);
    else if (era1.folder)
        exit_code = export_era1(&where, era1, span, rest);
    else
        exit_code = export(&where, span, rest, argv);
    config_fini(&config);
    return exit_code;
}
