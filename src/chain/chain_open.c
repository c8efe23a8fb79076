/* Where chains begin: at a genesis, or where a store left off. */
#include "base/assert.h"
#include "base/mem.h"
#include "chain/chain_int.h"
#include "prim/hex.h"

/* --- the state of a genesis ------------------------------------------------------------------- */

static void put_slots(struct state *state, const struct genesis_account *account)
{
    for (u32 i = 0; i < account->slot_count; i++) {
        u256 key = u256_from_hash(&account->slots[i].key);
        u256 value = u256_from_hash(&account->slots[i].value);
        struct state_slot slot = state_storage_slot(state, &account->addr, &key);
        state_storage_set(state, slot.handle, &value);
    }
}

void chain_populate(struct state *state, const struct genesis_account *accounts, u32 count)
{
    state_begin_tx(state);
    for (u32 i = 0; i < count; i++) {
        const struct genesis_account *account = &accounts[i];
        state_touch(state, &account->addr);
        state_set_balance(state, &account->addr, &account->balance);
        state_set_nonce(state, &account->addr, account->nonce);
        if (account->code_len)
            state_set_code(state, &account->addr, account->code, account->code_len);
        put_slots(state, account);
    }
    state_end_tx(state, FORK_FRONTIER); /* empty accounts stay */
}

/* The block, once the state holds what the genesis allots. */
static void genesis_block(struct block *block, struct state *state, const struct genesis *genesis)
{
    block->header = genesis->header;
    block->has_withdrawals = block->header.fields >= HEADER_FIELDS_SHANGHAI;
    state_root(state, &block->header.state_root);
    block_seal(block);
}

void chain_genesis_hash(const struct genesis *genesis, hash32 *hash)
{
    struct memory_state *memory = memory_state_new(0);
    struct state_backend backend = memory_state_backend(memory);
    struct state *state = state_new(&backend, 0);
    struct block block = {0};
    chain_populate(state, genesis->accounts, genesis->account_count);
    genesis_block(&block, state, genesis);
    *hash = block.hash;
    state_free(state);
    memory_state_free(memory);
}

static void put_genesis(struct chain *chain, const struct genesis *genesis)
{
    struct entry *entry = entry_new(chain);
    struct block *block = &entry->pub.block;
    chain_populate(chain->state, genesis->accounts, genesis->account_count);
    genesis_block(block, chain->state, genesis);
    block->header.extra =
        arena_dup(&entry->arena, genesis->header.extra, genesis->header.extra_len);
    entry->pub.total_difficulty = block->header.difficulty;
    entry->pub.receipts = arena_alloc(&entry->arena, 0);
    entry_commit(entry);
    entry_undos_free(entry);
    entry_insert(chain, entry);
    chain->at = entry;
    head_set(chain, entry);
    chain->stored_from = entry_number(entry);
    if (chain->db)
        store_put_identity(chain->db, &block->hash, &chain->config);
}

/* --- going on --------------------------------------------------------------------------------- */

/* Rules may change as long as no block has been made by those that change. */
static bool may_change(u64 before, u64 after, u64 head)
{
    return before == after || (before > head && after > head);
}

static bool is_merged(const struct chain_config *config, u256 total_difficulty)
{
    return config->has_ttd && !u256_lt(total_difficulty, config->ttd);
}

/* The merge comes by total difficulty, at the same block for both. */
static bool same_merge(const struct chain_config *before, const struct chain_config *after,
                       u256 total_difficulty)
{
    bool is_same = before->has_ttd == after->has_ttd && u256_eq(before->ttd, after->ttd);
    return is_same || (!is_merged(before, total_difficulty) && !is_merged(after, total_difficulty));
}

static bool same_blobs(const struct chain_config *before, const struct chain_config *after, u64 now)
{
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++) {
        const struct blob_params *a = &before->blob[i], *b = &after->blob[i];
        bool is_same =
            a->target == b->target && a->max == b->max && a->update_fraction == b->update_fraction;
        if (!may_change(before->blob_at[i], after->blob_at[i], now) ||
            (before->blob_at[i] <= now && !is_same))
            return false;
    }
    return true;
}

/* The key of what forks bring with them, and is not a fork itself; NULL: all is as it was. */
static const char *changed_figure(const struct chain_config *before,
                                  const struct chain_config *after, const struct chain_block *head)
{
    u64 now = head->block.header.timestamp;
    if (!same_merge(before, after, head->total_difficulty))
        return "terminalTotalDifficulty";
    if (!same_blobs(before, after, now))
        return "blobSchedule";
    if (before->fork_at[FORK_PRAGUE] <= now &&
        !addr20_eq(&before->deposit_contract, &after->deposit_contract))
        return "depositContractAddress";
    return NULL;
}

/* Likewise, of what has its own number. */
static const char *changed_number(const struct chain_config *before,
                                  const struct chain_config *after, u64 head)
{
    if (before->chain_id != after->chain_id)
        return "chainId";
    if (before->dao_support != after->dao_support)
        return "daoForkSupport";
    if (!may_change(before->dao_block, after->dao_block, head))
        return "daoForkBlock";
    if (!may_change(before->muir_glacier, after->muir_glacier, head))
        return "muirGlacierBlock";
    if (!may_change(before->arrow_glacier, after->arrow_glacier, head))
        return "arrowGlacierBlock";
    return may_change(before->gray_glacier, after->gray_glacier, head) ? NULL : "grayGlacierBlock";
}

static enum status check_rules(const struct chain_config *before, const struct chain_config *after,
                               const struct chain_block *head, struct err *err)
{
    const struct header *header = &head->block.header;
    const char *what = changed_number(before, after, header->number);
    for (int i = 0; !what && i < FORK_COUNT; i++) {
        u64 now = i < FORK_PARIS ? header->number : header->timestamp;
        if (!may_change(before->fork_at[i], after->fork_at[i], now))
            return err_set(err, STATUS_INVALID,
                           "the genesis file moves %s, which the chain has passed or would have",
                           fork_name((enum fork)i));
    }
    what = what ? what : changed_figure(before, after, head);
    return what ? err_set(err, STATUS_INVALID,
                          "the genesis file changes %s, by which the chain was made", what)
                : STATUS_OK;
}

static enum status check_genesis(struct chain *chain, const struct genesis *genesis,
                                 const hash32 *stored, const struct chain_block *head,
                                 struct err *err)
{
    hash32 hash;
    chain_genesis_hash(genesis, &hash);
    if (!hash32_eq(&hash, stored)) {
        char theirs[67], ours[67];
        hex_encode(theirs, stored->b, sizeof stored->b);
        hex_encode(ours, hash.b, sizeof hash.b);
        return err_set(err, STATUS_INVALID,
                       "the data folder holds a chain of another genesis, block %s: the file makes "
                       "%s",
                       theirs, ours);
    }
    enum status status = check_rules(&chain->config, &genesis->config, head, err);
    if (status == STATUS_OK)
        chain->config = genesis->config;
    return status;
}

static struct entry *entry_load(struct chain *chain, u64 number, const hash32 *hash)
{
    struct entry *entry = entry_new(chain);
    if (store_get_block(chain->db, &entry->pub, &entry->arena, number, hash)) {
        hash_index_put(&chain->blocks, hash, entry, 0);
        entry_weigh(entry);
        return entry;
    }
    entry_free(entry);
    return NULL;
}

struct side_load {
    struct chain *chain;
    bool failed;
};

static bool load_side(void *arg, u64 number, const hash32 *hash)
{
    struct side_load *load = arg;
    struct entry *entry = NULL;
    if (!entry_find(load->chain, hash)) {
        entry = entry_load(load->chain, number, hash);
        load->failed = !entry;
    }
    if (entry)
        entry_thin_side(entry);
    return !load->failed;
}

/* The newest blocks, as far back as the change sets lead and history asks. */
static enum status load_held(struct chain *chain, u64 head, struct err *err)
{
    u64 depth = 0, held = chain->options.history ? chain->options.history : UINT64_MAX;
    struct entry **newest_first = NULL;
    size_t count = 0, cap = 0;
    bool leads_back = true;
    hash32 hash;
    for (u64 number = head; leads_back && depth <= held; number--, depth++) {
        struct entry *entry =
            store_get_canonical(chain->db, &hash, number) ? entry_load(chain, number, &hash) : NULL;
        if (!entry)
            break;
        if (count == cap) {
            cap = cap ? 2 * cap : 64;
            newest_first = mem_realloc(newest_first, cap * sizeof(struct entry *));
        }
        newest_first[count++] = entry;
        leads_back = number > chain->stored_from && depth < held && undo_load(entry);
        if (depth)
            held_bound(entry);
    }
    bool whole = count && !leads_back;
    for (size_t i = count; i > 0; i--)
        canonical_push(chain, newest_first[i - 1]);
    mem_free(newest_first);
    struct side_load sides = {.chain = chain};
    chain->has_old_undos = true; /* maybe: more may have been held before */
    if (whole)
        store_each_block(chain->db, chain_held_from(chain), load_side, &sides);
    if (whole && !sides.failed)
        return STATUS_OK;
    enum status status = chain_status(chain, err);
    return status != STATUS_OK
               ? status
               : err_set(err, STATUS_INVALID, "blocks near the head cannot be read");
}

/* The state must be the one that the head's header promises. */
static enum status check_state(struct chain *chain, struct err *err)
{
    hash32 root;
    enum status status = chain_status(chain, err);
    if (status != STATUS_OK || chain->head->edit_count)
        return status;
    state_root(chain->state, &root);
    status = chain_status(chain, err);
    if (status == STATUS_OK && !hash32_eq(&root, &chain->head->pub.block.header.state_root))
        status = err_set(err, STATUS_INVALID,
                         "the store is damaged: its state is not the one that the head says");
    return status;
}

static enum status resume(struct chain *chain, const struct genesis *genesis, struct err *err)
{
    hash32 first, head;
    u64 number;
    enum status status = store_get_identity(chain->db, &first, &chain->config, err);
    if (status != STATUS_OK)
        return status;
    if (!store_get_head(chain->db, &head) || !store_get_number(chain->db, &number, &head) ||
        !store_get_oldest(chain->db, &chain->stored_from)) {
        status = db_status(chain->db, err); /* which knows table and key */
        return status ? status : err_set(err, STATUS_INVALID, "the chain's head cannot be found");
    }
    status = load_held(chain, number, err);
    if (status != STATUS_OK)
        return status;
    chain->head = chain->at = entry_find(chain, &head);
    if (!chain->head)
        return err_set(err, STATUS_INVALID, "the chain's head is not on its canonical chain");
    if (genesis)
        status = check_genesis(chain, genesis, &first, &chain->head->pub, err);
    if (genesis && status == STATUS_OK)
        store_put_identity(chain->db, &first, &chain->config);
    return status == STATUS_OK ? check_state(chain, err) : status;
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct chain *chain_new(const struct chain_options *options)
{
    struct chain *chain = NEW(struct chain);
    chain->options = *options;
    chain->db = options->db;
    if (chain->db) {
        chain->disk = disk_state_new(chain->db, options->memory.nodes, options->seed);
        chain->backend = disk_state_backend(chain->disk);
    } else {
        chain->memory = memory_state_new(options->seed);
        chain->backend = memory_state_backend(chain->memory);
    }
    chain->state = state_new(&chain->backend, options->seed);
    chain_state_bound(chain, chain->state);
    state_set_workers(chain->state, options->workers);
    chain->evm = evm_new();
    evm_set_code_cache(chain->evm, options->memory.code);
    evm_set_engine(chain->evm, options->engine);
    hash_index_init(&chain->blocks, options->seed);
    hash_index_init(&chain->txs, options->seed);
    arena_init(&chain->scratch);
    visits_init(&chain->visits, options->seed);
    buf_init(&chain->record, SIZE_MAX / 2);
    return chain;
}

static bool is_empty(struct db *db)
{
    struct err err;
    hash32 genesis;
    struct chain_config config;
    return store_get_identity(db, &genesis, &config, &err) == STATUS_NOT_FOUND;
}

static enum status begin(struct chain *chain, const struct genesis *genesis, struct err *err)
{
    if (!genesis)
        return err_set(err, STATUS_NOT_FOUND, "there is no chain yet, and no genesis to begin one");
    chain->config = genesis->config;
    put_genesis(chain, genesis);
    return STATUS_OK;
}

/* A chain is not opened without what was taken out of its store, nor with less than it needs to go on. */
static enum status open_archive(struct chain *chain, struct err *err)
{
    hash32 genesis;
    struct chain_config config;
    if (!chain->db)
        return STATUS_OK;
    u64 end = archive_mark(chain->db), whole = archive_whole_mark(chain->db);
    enum status status = store_get_identity(chain->db, &genesis, &config, err);
    if (status == STATUS_OK && chain->options.segments)
        chain->archive = archive_new(chain->db, chain->options.segments, &genesis);
    else if (status == STATUS_OK && (end || whole))
        status = err_set(err, STATUS_INVALID, "the chain's older blocks are in segment files");
    chain->options.segments = NULL; /* the caller's, and copied */
    if (status == STATUS_OK && (archive_headers_end(whole) > end || whole > chain_held_from(chain)))
        status = err_set(err, STATUS_INVALID, "blocks that the chain needs are pruned");
    if (status == STATUS_OK && !db_is_read_only(chain->db))
        archive_sweep(chain->archive);
    chain->synced = entry_number(chain->head);
    return status;
}

enum status chain_open(struct chain **out, const struct genesis *genesis,
                       const struct chain_options *options, struct err *err)
{
    if (genesis && genesis->header.gas_limit > INT64_MAX)
        return err_set(err, STATUS_INVALID, "genesis: gasLimit is above 2^63 - 1");
    if (genesis && genesis->header.number)
        return err_set(err, STATUS_INVALID, "genesis: a chain begins with block 0");
    assert(!options->whole ||
           (options->segments && options->history && options->whole >= options->history));
    struct chain *chain = chain_new(options);
    bool begins = !chain->db || is_empty(chain->db);
    enum status status = begins ? begin(chain, genesis, err) : resume(chain, genesis, err);
    if (status == STATUS_OK)
        status = open_archive(chain, err);
    if (status == STATUS_OK)
        chain_past_open(chain);
    if (status == STATUS_OK)
        status = chain_addresses_open(chain, err);
    if (status == STATUS_OK)
        status = chain_sync(chain, err);
    if (status == STATUS_OK)
        *out = chain;
    else
        chain_close(chain);
    return status;
}

void chain_close(struct chain *chain)
{
    if (!chain)
        return;
    views_close(chain);
    for (size_t i = 0; i < chain->blocks.cap; i++)
        if (chain->blocks.slots[i].value)
            entry_free(chain->blocks.slots[i].value);
    loaded_free(chain);
    hash_index_fini(&chain->blocks);
    hash_index_fini(&chain->txs);
    mem_free(chain->canonical);
    mem_free(chain->bad);
    buf_fini(&chain->record);
    arena_fini(&chain->scratch);
    visits_fini(&chain->visits);
    ethash_free(chain->ethash);
    evm_free(chain->evm);
    state_free(chain->state);
    if (chain->db)
        db_abort(chain->db);
    archive_free(chain->archive);
    disk_state_free(chain->disk);
    memory_state_free(chain->memory);
    mem_free(chain);
}
