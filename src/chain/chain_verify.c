/* Is what the store says of its blocks true? */
#include "base/arena.h"
#include "chain/chain_int.h"
#include "chain/revisit.h"
#include "state/verify.h"

struct verify {
    struct db *db;
    struct archive *archive;
    const struct chain_verify_watcher *watcher;
    struct err *err;
    struct arena arena;
    hash32 parent; /* of the block to come */
    u256 total_difficulty;
    bool has_parent;
    hash32 state_root; /* of the last block */
    bool has_fault;
    bool has_past; /* states since past_from can be read */
    u64 past_from, past_step;
    bool has_addresses; /* since addresses_from there is an index by address */
    u64 addresses_from;
    u64 visits, visit_lists; /* counted so far */
    struct revisit *revisit; /* NULL until needed */
    struct chain_config config;
    struct chain_verified found;
};

static enum status wrong(struct verify *verify, u64 number, const char *what)
{
    enum status status = db_status(verify->db, verify->err); /* which knows table and key */
    if (status == STATUS_OK)
        status = archive_status(verify->archive, verify->err);
    return status != STATUS_OK ? status
                               : err_set(verify->err, STATUS_INVALID, "block %llu: %s",
                                         (unsigned long long)number, what);
}

static enum status check_lists(struct verify *verify, const struct chain_block *block)
{
    const struct header *header = &block->block.header;
    hash32 txs = process_tx_root(block->block.txs, block->block.tx_count);
    hash32 receipts = process_receipts_root(block->receipts, block->block.tx_count);
    hash32 ommers = block_ommers_hash(block->block.ommers, block->block.ommer_count);
    if (!hash32_eq(&txs, &header->tx_root))
        return wrong(verify, header->number, "its transactions are not those of its header");
    if (!hash32_eq(&ommers, &header->ommers_hash))
        return wrong(verify, header->number, "its ommers are not those of its header");
    if (header->number && !hash32_eq(&receipts, &header->receipts_root))
        return wrong(verify, header->number, "its receipts are not those of its header");
    if (header->fields < HEADER_FIELDS_SHANGHAI)
        return STATUS_OK;
    hash32 withdrawals =
        process_withdrawals_root(block->block.withdrawals, block->block.withdrawal_count);
    if (!hash32_eq(&withdrawals, &header->withdrawals_root))
        return wrong(verify, header->number, "its withdrawals are not those of its header");
    return STATUS_OK;
}

static enum status check_indexes(struct verify *verify, const struct block *block)
{
    u64 number;
    u32 index;
    if (!store_get_number(verify->db, &number, &block->hash) || number != block->header.number)
        return wrong(verify, block->header.number, "it is not found by its hash");
    for (u32 i = 0; i < block->tx_count; i++) /* none, of a pruned one */
        if (!store_get_tx(verify->db, &number, &index, &block->txs[i].hash) ||
            number != block->header.number || index != i)
            return wrong(verify, block->header.number, "a transaction is not found by its hash");
    return STATUS_OK;
}

/* What must be in a block's visits, whatever its transactions do. */
struct expected {
    const struct block *block;
    u32 found;   /* of senders, and of those that transactions go to or create */
    bool is_own; /* every visit belongs to a transaction */
};

static bool is_end_of(const struct tx *tx, const struct visit *visit)
{
    addr20 to = tx->is_create ? evm_create_address(&tx->sender, tx->nonce) : tx->to;
    return addr20_eq(&visit->addr, &to);
}

static void count_ends(struct expected *expected, const struct visit *visit)
{
    const struct block *block = expected->block;
    expected->is_own = expected->is_own && visit->index < block->tx_count;
    if (!expected->is_own)
        return;
    const struct tx *tx = &block->txs[visit->index];
    bool is_sender = addr20_eq(&visit->addr, &tx->sender);
    expected->is_own =
        (visit->role == VISIT_SENT) == is_sender && (!is_sender || visit->nonce == tx->nonce);
    expected->found += is_sender + is_end_of(tx, visit);
}

/* Of an archive the blocks after states that are looked at are executed again: is the list all there is? */
static bool is_past_step(const struct verify *verify, u64 number)
{
    return verify->has_past && number >= verify->past_from &&
           (number - verify->past_from) % verify->past_step == 0;
}

static bool is_as_executed(struct verify *verify, const struct chain_block *block,
                           struct db_bytes list)
{
    const struct visits *visits;
    const struct header *header = &block->block.header;
    if (!header->number || !is_past_step(verify, header->number - 1) ||
        header->gas_limit > REVISIT_GAS_MAX)
        return true;
    if (!verify->revisit)
        verify->revisit = revisit_new(verify->db, &verify->config);
    return revisit_block(verify->revisit, block, &visits) && visits->list.len == list.len &&
           (!list.len || memcmp(visits->list.data, list.at, list.len) == 0);
}

static enum status check_visits(struct verify *verify, const struct chain_block *of)
{
    const struct block *block = &of->block;
    u64 number = block->header.number;
    struct expected expected = {.block = block, .is_own = true};
    struct visit visit;
    if (!verify->has_addresses || number < verify->addresses_from)
        return STATUS_OK;
    struct db_bytes list = addresses_list(verify->db, number);
    const u8 *at = arena_dup(&verify->arena, list.at, list.len);
    if (!is_as_executed(verify, of, (struct db_bytes){at, list.len}))
        return wrong(verify, number, "executing it again visits others than its list has");
    verify->visit_lists += list.len != 0;
    for (; visits_next(&visit, &at, &list.len); verify->visits++) {
        count_ends(&expected, &visit);
        if (!addresses_has(verify->db, number, &visit))
            return wrong(verify, number, "an address that it visits is not in the index");
    }
    if (list.len || !expected.is_own)
        return wrong(verify, number, "the list of whom it visits makes no sense");
    return expected.found == 2 * block->tx_count
               ? STATUS_OK
               : wrong(verify, number, "an address that it visits is not in its list");
}

/* Each visit has its entry; are there entries besides? */
static enum status check_visits_all(struct verify *verify, u64 head)
{
    if (verify->visits == db_stat(verify->db, DB_ADDRESSES).entries &&
        verify->visit_lists == db_stat(verify->db, DB_VISITS).entries)
        return STATUS_OK;
    return wrong(verify, head, "the index by address has entries that belong to no block");
}

static enum status check_block(struct verify *verify, u64 number)
{
    hash32 hash;
    struct chain_block block;
    u256 td;
    arena_reset(&verify->arena);
    if (!store_get_canonical(verify->db, &hash, number))
        return wrong(verify, number, "the number has no block");
    if (!archive_load(verify->archive, verify->db, &block, &verify->arena, number, &hash))
        return wrong(verify, number, "its record is absent or makes no sense");
    const struct header *header = &block.block.header;
    if (header->number != number)
        return wrong(verify, number, "it has another number");
    if (verify->has_parent && !hash32_eq(&header->parent_hash, &verify->parent))
        return wrong(verify, number, "it does not follow the block before");
    u256_add_carry(&td, verify->total_difficulty, header->difficulty);
    if (verify->has_parent && !u256_eq(td, block.total_difficulty))
        return wrong(verify, number, "its total difficulty is wrong");
    verify->parent = hash;
    verify->has_parent = true;
    verify->state_root = header->state_root;
    verify->total_difficulty = block.total_difficulty;
    enum status status = block.is_pruned ? STATUS_OK : check_lists(verify, &block);
    if (status == STATUS_OK)
        status = check_indexes(verify, &block.block);
    return status == STATUS_OK ? check_visits(verify, &block) : status;
}

/* --- the states of older blocks ---------------------------------------------------------------- */

/* Records to be read for all states that are computed: of a large chain only some are, evenly spread. */
enum { PAST_RECORDS = 1 << 22, PAST_STATES_MIN = 3 };

static enum status begin_past(struct verify *verify, u64 head)
{
    static const enum db_table tables[] = {DB_ACCOUNTS, DB_SLOTS, DB_ACCOUNT_PAST, DB_SLOT_PAST};
    const char *words;
    u64 records = 1;
    verify->has_past = past_mark(verify->db, &verify->past_from);
    u64 from = verify->has_past ? verify->past_from : head;
    if (!past_check(verify->db, from, verify->has_past ? head : 0, &words))
        return wrong(verify, head, words);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        records += db_stat(verify->db, tables[i]).entries;
    u64 states = PAST_RECORDS / records;
    if (states < PAST_STATES_MIN)
        states = PAST_STATES_MIN;
    verify->past_step = (head - from) / states + 1;
    return STATUS_OK;
}

static enum status check_past(struct verify *verify, u64 number)
{
    hash32 root, account;
    if (!is_past_step(verify, number) || past_is_edited(verify->db, number))
        return STATUS_OK;
    if (!past_root(verify->db, number, &root, &account))
        return wrong(verify, number, "the slots of an account then have another root");
    if (!hash32_eq(&root, &verify->state_root))
        return wrong(verify, number, "its state, as the archive has it, has another root");
    return STATUS_OK;
}

/* --- what is pruned ---------------------------------------------------------------------------- */

/* Nothing is found that is not there any more. */
static enum status check_pruned(struct verify *verify, u64 head)
{
    u64 whole = archive_whole_mark(verify->db);
    enum status status = STATUS_OK;
    if (whole > head)
        return wrong(verify, whole, "all blocks before it are pruned, and it is past the head");
    verify->found.whole = whole;
    if (!whole)
        return STATUS_OK;
    struct db_cursor *cursor = db_cursor_new(verify->db, DB_TRANSACTIONS);
    for (bool at = db_seek(cursor, NULL, 0); status == STATUS_OK && at; at = db_next(cursor)) {
        struct db_bytes place = db_value(cursor);
        u64 number = place.len == 12 ? get_be64(place.at) : 0;
        if (number < whole)
            status = wrong(verify, number, "it is pruned, and a transaction of it is found");
    }
    db_cursor_free(cursor);
    return status;
}

static enum status check_chain(struct verify *verify)
{
    const struct chain_verify_watcher *watcher = verify->watcher;
    hash32 head, genesis, after;
    u64 from, to;
    enum status status = store_get_identity(verify->db, &genesis, &verify->config, verify->err);
    if (status != STATUS_OK)
        return status;
    if (!store_get_head(verify->db, &head) || !store_get_number(verify->db, &to, &head) ||
        !store_get_oldest(verify->db, &from))
        return wrong(verify, 0, "the chain has no head");
    verify->found.head = to;
    status = check_pruned(verify, to);
    if (status == STATUS_OK)
        status = begin_past(verify, to);
    verify->has_addresses = addresses_mark(verify->db, &verify->addresses_from);
    for (u64 number = from; status == STATUS_OK && number <= to; number++) {
        status = check_block(verify, number);
        if (status == STATUS_OK)
            status = check_past(verify, number);
        if (status == STATUS_OK && number == 0 && !hash32_eq(&verify->parent, &genesis))
            return wrong(verify, 0, "it is not the genesis that the chain began with");
        if (watcher->progress)
            watcher->progress(watcher->ctx, number, to);
    }
    if (status == STATUS_OK && !hash32_eq(&verify->parent, &head))
        return wrong(verify, to, "it is not the head");
    if (status == STATUS_OK && store_get_canonical(verify->db, &after, to + 1))
        return wrong(verify, to + 1, "it is past the head");
    return status == STATUS_OK ? check_visits_all(verify, to) : status;
}

static void on_fault(void *arg, const char *words)
{
    struct verify *verify = arg;
    if (!verify->has_fault)
        err_set(verify->err, STATUS_INVALID, "state: %s", words);
    verify->has_fault = true;
    if (verify->watcher->fault)
        verify->watcher->fault(verify->watcher->ctx, words);
}

static enum status check_state(struct verify *verify)
{
    struct state_verified verified;
    verify->found.hash = verify->parent;
    state_verify(&verified, verify->db, &verify->state_root, on_fault, verify);
    verify->found.accounts = verified.accounts;
    verify->found.slots = verified.slots;
    return verify->has_fault ? STATUS_INVALID : db_status(verify->db, verify->err);
}

enum status chain_verify(struct db *db, const char *segments,
                         const struct chain_verify_watcher *watcher,
                         struct chain_verified *verified, struct err *err)
{
    hash32 genesis;
    struct chain_config config;
    struct verify verify = {.db = db, .watcher = watcher, .err = err};
    if (segments && store_get_identity(db, &genesis, &config, err) == STATUS_OK)
        verify.archive = archive_new(db, segments, &genesis);
    arena_init(&verify.arena);
    enum status status = check_chain(&verify);
    if (status == STATUS_OK)
        status = check_state(&verify);
    if (status == STATUS_OK)
        *verified = verify.found;
    revisit_free(verify.revisit);
    arena_fini(&verify.arena);
    archive_free(verify.archive);
    return status;
}
