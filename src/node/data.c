#include "node/data.h"

#include "base/mem.h"
#include "sys/file.h"
#include "sys/random.h"
#include "sys/workers.h"

enum { GENESIS_MAX = 1 << 30 };

enum status data_read_genesis(struct genesis *genesis, struct arena *arena, const char *path,
                              struct err *err)
{
    u8 *text;
    size_t len;
    enum status status = file_read(&text, &len, path, GENESIS_MAX, err);
    if (status != STATUS_OK)
        return status;
    status = genesis_parse(genesis, arena, (const char *)text, len, err);
    if (status != STATUS_OK)
        err_prefix(err, "%s", path);
    mem_free(text);
    return status;
}

enum status data_open_store(struct db **db, const char *folder, bool read_only, struct err *err)
{
    struct arena arena;
    struct db_options options = {.read_only = read_only};
    arena_init(&arena);
    const char *path = arena_format(&arena, "%s/chain", folder);
    enum status status = STATUS_OK;
    if (!read_only)
        status = file_make_folder(folder, err);
    if (status == STATUS_OK)
        status = db_open(db, path, &options, err);
    arena_fini(&arena);
    return status;
}

static enum status no_chain(const struct data_options *options, struct err *err)
{
    return err_set(err, STATUS_NOT_FOUND,
                   "%s holds no chain yet: --genesis FILE says how it begins", options->folder);
}

/* Before anything is made: a folder is left as it was by who does not say how its chain begins. */
static enum status read_beginning(struct genesis *genesis, struct arena *arena,
                                  const struct data_options *options, struct err *err)
{
    if (options->genesis)
        return data_read_genesis(genesis, arena, options->genesis, err);
    const char *store = arena_format(arena, "%s/chain", options->folder);
    return file_kind(store) == FILE_KIND_ABSENT ? no_chain(options, err) : STATUS_OK;
}

static enum status open_chain(struct data *data, const struct data_options *options,
                              const struct genesis *genesis, struct arena *arena, struct err *err)
{
    struct chain_options chain = {
        .history = (u32)options->states,
        .seed = random_u64(),
        .db = data->db,
        .segments = arena_format(arena, "%s/segments", options->folder),
        .workers = data->workers,
    };
    enum status status = chain_open(&data->chain, genesis, &chain, err);
    if (status == STATUS_NOT_FOUND)
        return no_chain(options, err);
    if (status != STATUS_OK)
        err_prefix(err, "%s", options->folder);
    return status;
}

enum status data_open(struct data *data, const struct data_options *options, struct err *err)
{
    struct arena arena;
    struct genesis genesis;
    *data = (struct data){0};
    arena_init(&arena);
    enum status status = read_beginning(&genesis, &arena, options, err);
    if (status == STATUS_OK)
        status = data_open_store(&data->db, options->folder, options->read_only, err);
    if (status == STATUS_OK) {
        data->workers = workers_new(NULL, 0);
        status = open_chain(data, options, options->genesis ? &genesis : NULL, &arena, err);
    }
    arena_fini(&arena);
    if (status != STATUS_OK)
        data_close(data);
    return status;
}

void data_close(struct data *data)
{
    chain_close(data->chain);
    if (data->workers)
        workers_free(data->workers);
    db_close(data->db);
    *data = (struct data){0};
}
