#include "node/data.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "node/indexing.h"
#include "sys/file.h"
#include "sys/random.h"
#include "sys/workers.h"

enum { GENESIS_MAX = 1 << 30 };

/* 1 to most, in decimal. */
static bool parse_blocks(u64 *blocks, const char *text, u64 most)
{
    u64 value = 0;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || value > most)
            return false;
        value = value * 10 + (u64)(*at - '0');
    }
    if (value < 1 || value > most)
        return false;
    *blocks = value;
    return true;
}

enum status data_read_states(struct data_options *options, const char *text, struct err *err)
{
    u64 states = 0;
    options->states = STATES_DEFAULT;
    options->archive = text && strcmp(text, "archive") == 0;
    if (!text || options->archive)
        return STATUS_OK;
    if (!parse_blocks(&states, text, STATES_MAX))
        return err_set(err, STATUS_INVALID, "--state is archive, or 1 to %d", STATES_MAX);
    options->states = states;
    return STATUS_OK;
}

bool data_parse_history(u64 *history, const char *text)
{
    if (strcmp(text, "full") != 0)
        return parse_blocks(history, text, HISTORY_MAX);
    *history = 0;
    return true;
}

enum status data_read_history(struct data_options *options, const char *text, struct err *err)
{
    u64 history = 0;
    if (text && !data_parse_history(&history, text))
        return err_set(err, STATUS_INVALID, "--history is full, or 1 to %u", HISTORY_MAX);
    return data_set_history(options, history, err);
}

enum status data_set_history(struct data_options *options, u64 history, struct err *err)
{
    if (history && history < options->states)
        return err_set(err, STATUS_INVALID,
                       "--history %llu is less than the %llu blocks whose states are kept, which "
                       "need their blocks (--state)",
                       (unsigned long long)history, (unsigned long long)options->states);
    options->history = history;
    return STATUS_OK;
}

enum status data_read_genesis(struct genesis *genesis, struct arena *arena, const char *path,
                              const struct memory_plan *memory, struct err *err)
{
    u8 *text;
    size_t len;
    enum status status = file_read(&text, &len, path, GENESIS_MAX, err);
    if (status != STATUS_OK)
        return status;
    if (memory)
        status = memory_check_genesis(memory, text, len, err);
    if (status == STATUS_OK)
        status = genesis_parse(genesis, arena, (const char *)text, len, err);
    if (status != STATUS_OK)
        err_prefix(err, "%s", path);
    mem_free(text);
    return status;
}

const char *data_part(struct arena *arena, const char *folder)
{
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    return arena_format(arena, "%.*s.part", (int)len, folder);
}

enum status data_check_name(const char *folder, struct err *err)
{
    if (*folder) /* else DIR/chain were /chain */
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "--data is empty: it names the data folder");
}

/* Is another process just making this folder? */
static enum status look_at_part(struct arena *arena, const char *folder, struct err *err)
{
    if (file_kind(folder) != FILE_KIND_ABSENT)
        return STATUS_OK;
    enum status status = db_look(arena_format(arena, "%s/chain", data_part(arena, folder)), err);
    if (status != STATUS_OK)
        err_prefix(err, "%s is being made of a snapshot", folder);
    return status;
}

enum status data_open_store(struct db **db, const char *folder, const struct db_options *options,
                            struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *path = arena_format(&arena, "%s/chain", folder);
    enum status status = data_check_name(folder, err);
    if (status == STATUS_OK)
        status = look_at_part(&arena, folder, err);
    if (status == STATUS_OK && !options->read_only)
        status = file_make_folder(folder, err);
    if (status == STATUS_OK)
        status = db_open(db, path, options, err);
    arena_fini(&arena);
    return status;
}

enum status data_find_store(const char *folder, struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *path = arena_format(&arena, "%s/chain", folder);
    enum status status = data_check_name(folder, err);
    if (status == STATUS_OK)
        status = look_at_part(&arena, folder, err);
    enum file_kind kind = file_kind(path);
    if (status == STATUS_OK && kind == FILE_KIND_ABSENT)
        status = err_set(err, STATUS_NOT_FOUND, "there is no folder %s", path);
    else if (status == STATUS_OK && kind != FILE_KIND_FOLDER)
        status = err_set(err, STATUS_IO, "%s is no folder, or not this user's to open", path);
    arena_fini(&arena);
    return status;
}

static enum status has_no_chain(const struct data_options *options, struct err *err)
{
    const char *hint = options->read_only ? "" : ": --genesis FILE says how it begins";
    return err_set(err, STATUS_NOT_FOUND, "%s holds no chain yet%s", options->folder, hint);
}

static enum status open_chain(struct data *data, const struct data_options *options,
                              const struct genesis *genesis, struct err *err)
{
    struct arena arena;
    struct indexing indexing = {0};
    arena_init(&arena);
    struct chain_options chain = {
        .history = (u32)options->states,
        .whole = (u32)options->history,
        .seed = random_u64(),
        .db = data->db,
        .segments = arena_format(&arena, "%s/segments", options->folder),
        .workers = data->workers,
        .archive = options->archive,
        .addresses = options->addresses,
        .indexing = indexing_tell,
        .indexing_ctx = &indexing,
    };
    if (options->memory) {
        chain.memory = memory_of_chain(options->memory);
        chain.unsynced_max = options->memory->shares[MEMORY_UNSYNCED];
    }
    enum status status = chain_open(&data->chain, genesis, &chain, err);
    indexing_end(&indexing);
    if (status == STATUS_NOT_FOUND)
        status = has_no_chain(options, err);
    else if (status != STATUS_OK)
        err_prefix(err, "%s", options->folder);
    arena_fini(&arena);
    return status;
}

static enum status open_all(struct data *data, const struct data_options *options,
                            const struct genesis *genesis, struct err *err)
{
    struct db_options store = {.read_only = options->read_only, .lock = options->lock};
    if (options->memory)
        store.mapped_max = options->memory->shares[MEMORY_MAPPED];
    enum status status = STATUS_OK;
    if (!genesis && !options->read_only) { /* a slip of the pen leaves no folder behind */
        status = data_find_store(options->folder, err);
        if (status == STATUS_NOT_FOUND)
            status = has_no_chain(options, err);
    }
    if (status == STATUS_OK)
        status = data_open_store(&data->db, options->folder, &store, err);
    if (status == STATUS_OK) {
        data->workers = workers_new(NULL, 0);
        status = open_chain(data, options, genesis, err);
    }
    if (status == STATUS_OK && options->memory)
        status = memory_check(options->memory, options->states,
                              chain_head(data->chain)->block.header.gas_limit, err);
    if (status != STATUS_OK)
        data_close(data);
    return status;
}

enum status data_open(struct data *data, const struct data_options *options, struct err *err)
{
    struct arena arena;
    struct genesis genesis;
    *data = (struct data){0};
    if (!options->genesis)
        return open_all(data, options, NULL, err);
    arena_init(&arena);
    enum status status =
        data_read_genesis(&genesis, &arena, options->genesis, options->memory, err);
    if (status == STATUS_OK) /* only now: a bad file leaves no folder behind */
        status = open_all(data, options, &genesis, err);
    arena_fini(&arena);
    return status;
}

void data_print_whole(u64 oldest)
{
    if (oldest)
        printf("Pruned: of blocks before %llu there are headers only\n",
               (unsigned long long)oldest);
}

void data_close(struct data *data)
{
    chain_close(data->chain);
    if (data->workers)
        workers_free(data->workers);
    db_close(data->db);
    *data = (struct data){0};
}
