#include <stdio.h>

#include "base/assert.h"
#include "base/mem.h"
#include "chain/chain_int.h"
#include "consensus/rules.h"

/* --- entries ---------------------------------------------------------------------------------- */

struct entry *entry_new(struct chain *chain)
{
    struct entry *entry = NEW(struct entry);
    entry->chain = chain;
    arena_init(&entry->arena);
    return entry;
}

void entry_free(struct entry *entry)
{
    entry_undos_free(entry);
    arena_fini(&entry->arena);
    mem_free(entry);
}

struct entry *entry_find(const struct chain *chain, const hash32 *hash)
{
    const struct hash_slot *slot = hash_index_get(&chain->blocks, hash);
    return slot ? slot->value : NULL;
}

struct entry *entry_parent(const struct entry *entry)
{
    return entry_find(entry->chain, &entry->pub.block.header.parent_hash);
}

void entry_insert(struct chain *chain, struct entry *entry)
{
    hash_index_put(&chain->blocks, &entry->pub.block.hash, entry, 0);
}

static u64 number_of(const struct entry *entry)
{
    return entry->pub.block.header.number;
}

hash32 entry_block_hash(void *ctx, u64 number)
{
    const struct entry *entry = ctx;
    while (entry && !entry->pub.is_canonical && number_of(entry) > number)
        entry = entry_parent(entry);
    if (!entry || number_of(entry) < number)
        return (hash32){{0}};
    if (number_of(entry) == number)
        return entry->pub.block.hash;
    const struct chain_block *block = chain_by_number(entry->chain, number);
    return block ? block->block.hash : (hash32){{0}};
}

/* --- the canonical chain ---------------------------------------------------------------------- */

/* Room for one more at the end: the front has been given up as history was dropped, or the array
 * doubles. */
static void canonical_reserve(struct chain *chain)
{
    if (chain->canonical_end < chain->canonical_cap)
        return;
    size_t count = chain->canonical_end - chain->canonical_begin;
    size_t cap = chain->canonical_cap ? chain->canonical_cap : 32;
    if (count * 2 >= cap)
        cap *= 2;
    struct entry **moved = mem_alloc(cap * sizeof *moved);
    if (count)
        memcpy(moved, chain->canonical + chain->canonical_begin, count * sizeof *moved);
    mem_free(chain->canonical);
    chain->canonical = moved;
    chain->canonical_cap = cap;
    chain->canonical_begin = 0;
    chain->canonical_end = count;
}

static void canonical_push(struct chain *chain, struct entry *entry)
{
    canonical_reserve(chain);
    chain->canonical[chain->canonical_end++] = entry;
    entry->pub.is_canonical = true;
    for (u32 i = 0; i < entry->pub.block.tx_count; i++)
        hash_index_put(&chain->txs, &entry->pub.block.txs[i].hash, entry, i);
}

static void canonical_leave(struct chain *chain, struct entry *entry)
{
    entry->pub.is_canonical = false;
    for (u32 i = 0; i < entry->pub.block.tx_count; i++)
        hash_index_del(&chain->txs, &entry->pub.block.txs[i].hash);
}

static void canonical_pop(struct chain *chain)
{
    canonical_leave(chain, chain->canonical[--chain->canonical_end]);
}

static void forget(struct chain *chain, struct entry *entry)
{
    hash_index_del(&chain->blocks, &entry->pub.block.hash);
    entry_free(entry);
}

/* Side blocks that are older than everything canonical cannot be built upon any more. */
static void forget_old_sides(struct chain *chain)
{
    u64 oldest = chain_oldest(chain);
    for (size_t i = 0; i < chain->blocks.cap;) {
        struct entry *entry = chain->blocks.slots[i].value;
        if (entry && !entry->pub.is_canonical && number_of(entry) < oldest)
            forget(chain, entry); /* which may bring another into this slot */
        else
            i++;
    }
}

static void history_trim(struct chain *chain)
{
    size_t kept = (size_t)chain->options.history + 1;
    size_t count = chain->canonical_end - chain->canonical_begin;
    if (!chain->options.history || count <= kept)
        return;
    while (count-- > kept) {
        struct entry *oldest = chain->canonical[chain->canonical_begin++];
        canonical_leave(chain, oldest);
        forget(chain, oldest);
    }
    if (chain->blocks.count > kept)
        forget_old_sides(chain);
    /* What leads back from the oldest block leads to a state nobody can name. */
    entry_undos_free(chain->canonical[chain->canonical_begin]);
}

void head_set(struct chain *chain, struct entry *entry)
{
    size_t depth = 0;
    struct entry *fork_point = entry;
    for (; fork_point && !fork_point->pub.is_canonical; fork_point = entry_parent(fork_point))
        depth++;
    while (fork_point && chain->canonical[chain->canonical_end - 1] != fork_point)
        canonical_pop(chain);
    struct entry **path = NEW_ARRAY(struct entry *, depth + 1);
    struct entry *at = entry;
    for (size_t i = depth; i > 0; i--, at = entry_parent(at))
        path[i - 1] = at;
    for (size_t i = 0; i < depth; i++)
        canonical_push(chain, path[i]);
    mem_free(path);
    chain->head = entry;
    chain->head_view_stale = true;
    history_trim(chain);
}

/* --- opening ---------------------------------------------------------------------------------- */

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

static void put_genesis(struct chain *chain, const struct genesis *genesis)
{
    struct entry *entry = entry_new(chain);
    struct block *block = &entry->pub.block;
    chain_populate(chain->state, genesis->accounts, genesis->account_count);
    block->header = genesis->header;
    block->header.extra =
        arena_dup(&entry->arena, genesis->header.extra, genesis->header.extra_len);
    block->has_withdrawals = block->header.fields >= HEADER_FIELDS_SHANGHAI;
    state_root(chain->state, &block->header.state_root);
    block_seal(block);
    entry->pub.total_difficulty = block->header.difficulty;
    entry->pub.receipts = arena_alloc(&entry->arena, 0);
    entry_commit(entry);
    entry_undos_free(entry);
    entry_insert(chain, entry);
    chain->at = entry;
    head_set(chain, entry);
}

enum status chain_open(struct chain **out, const struct genesis *genesis,
                       const struct chain_options *options, struct err *err)
{
    if (genesis->header.gas_limit > INT64_MAX)
        return err_set(err, STATUS_INVALID, "genesis: gasLimit is above 2^63 - 1");
    struct chain *chain = NEW(struct chain);
    chain->config = genesis->config;
    chain->options = *options;
    chain->memory = memory_state_new(options->seed);
    struct state_backend backend = memory_state_backend(chain->memory);
    chain->state = state_new(&backend, options->seed);
    chain->evm = evm_new();
    evm_set_engine(chain->evm, options->engine);
    hash_index_init(&chain->blocks, options->seed);
    hash_index_init(&chain->txs, options->seed);
    arena_init(&chain->scratch);
    put_genesis(chain, genesis);
    *out = chain;
    return STATUS_OK;
}

void chain_close(struct chain *chain)
{
    if (!chain)
        return;
    views_close(chain);
    for (size_t i = 0; i < chain->blocks.cap; i++)
        if (chain->blocks.slots[i].value)
            entry_free(chain->blocks.slots[i].value);
    hash_index_fini(&chain->blocks);
    hash_index_fini(&chain->txs);
    mem_free(chain->canonical);
    arena_fini(&chain->scratch);
    ethash_free(chain->ethash);
    evm_free(chain->evm);
    state_free(chain->state);
    memory_state_free(chain->memory);
    mem_free(chain);
}

/* --- importing -------------------------------------------------------------------------------- */

static const struct block *ancestor_of(void *ctx, unsigned generation)
{
    const struct entry *at = ctx;
    while (at && --generation)
        at = entry_parent(at);
    return at ? &at->pub.block : NULL;
}

static bool seal_is_real(struct chain *chain, const struct header *header)
{
    if (!chain->config.real_proof_of_work)
        return true;
    if (!chain->ethash)
        chain->ethash = ethash_new();
    hash32 hash = header_seal_hash(header);
    return ethash_verify(chain->ethash, header->number, &hash, header->nonce, &header->mix_hash,
                         header->difficulty);
}

static enum block_verdict check_seals(struct chain *chain, const struct block *block)
{
    if (!seal_is_real(chain, &block->header))
        return BLOCK_PROOF_OF_WORK;
    for (u32 i = 0; i < block->ommer_count; i++)
        if (!seal_is_real(chain, &block->ommers[i]))
            return BLOCK_OMMER_HEADER;
    return BLOCK_OK;
}

/* All that can be checked before execution. */
static enum block_verdict check(struct chain *chain, const struct block *block,
                                struct entry *parent, enum fork fork)
{
    const struct rules_ancestry ancestry = {parent, ancestor_of};
    u256 parent_td = parent->pub.total_difficulty;
    enum block_verdict verdict =
        rules_check_header(&chain->config, &block->header, &parent->pub.block.header, parent_td);
    if (verdict == BLOCK_OK)
        verdict = rules_check_body(block, fork);
    if (verdict == BLOCK_OK)
        verdict = rules_check_ommers(&chain->config, block, parent_td, &ancestry);
    if (verdict == BLOCK_OK && fork < FORK_PARIS)
        verdict = check_seals(chain, block);
    return verdict;
}

/* Before the merge the greater total difficulty is the better chain; after it, whoever drives the
 * chain says so by what is imported. */
static bool is_better(const struct chain *chain, const struct entry *entry, enum fork fork)
{
    return fork >= FORK_PARIS ||
           u256_lt(chain->head->pub.total_difficulty, entry->pub.total_difficulty);
}

static enum block_verdict execute(struct chain *chain, struct entry *entry, struct entry *parent,
                                  enum fork fork, struct chain_report *report)
{
    struct process *process = &chain->process;
    struct evm_block env = process_env(&entry->pub.block.header, fork, &chain->config);
    if (!state_move(chain, parent))
        return BLOCK_UNKNOWN_PARENT;
    process_begin(process, chain->state, chain->evm, &entry->arena, &chain->config, fork, &env);
    process->exec.block_hash = entry_block_hash;
    process->exec.block_hash_ctx = parent;
    enum block_verdict verdict = process_block(process, &entry->pub.block, report);
    if (verdict != BLOCK_OK) {
        state_reset(chain->state);
        return verdict;
    }
    entry->pub.receipts = process->receipts ? process->receipts : arena_alloc(&entry->arena, 0);
    entry->pub.requests = arena_dup(&entry->arena, process->requests,
                                    process->request_count * sizeof *process->requests);
    entry->pub.request_count = process->request_count;
    return BLOCK_OK;
}

static enum block_verdict import(struct chain *chain, struct entry *entry,
                                 struct chain_report *report)
{
    const struct block *block = &entry->pub.block;
    const struct header *header = &block->header;
    struct entry *parent = entry_find(chain, &header->parent_hash);
    if (entry_find(chain, &block->hash))
        return BLOCK_KNOWN;
    if (!parent)
        return BLOCK_UNKNOWN_PARENT;
    enum fork fork = chain_config_fork(&chain->config, header->number, header->timestamp,
                                       parent->pub.total_difficulty);
    enum block_verdict verdict = check(chain, block, parent, fork);
    if (verdict == BLOCK_OK)
        verdict = execute(chain, entry, parent, fork, report);
    if (verdict != BLOCK_OK) {
        bool moved = state_move(chain, chain->head);
        assert(moved);
        return verdict;
    }
    u256_add_carry(&entry->pub.total_difficulty, parent->pub.total_difficulty, header->difficulty);
    entry_commit(entry);
    entry_insert(chain, entry);
    chain->at = entry;
    if (is_better(chain, entry, fork)) {
        head_set(chain, entry);
    } else {
        bool moved = state_move(chain, chain->head);
        assert(moved);
    }
    return BLOCK_OK;
}

enum block_verdict chain_import(struct chain *chain, const u8 *rlp, size_t len,
                                struct chain_report *report)
{
    struct chain_report unread;
    if (!report)
        report = &unread;
    *report = (struct chain_report){0};
    const char *reason = "";
    struct entry *entry = entry_new(chain);
    const u8 *copy = arena_dup(&entry->arena, rlp, len);
    enum block_verdict verdict = block_decode(&entry->pub.block, &entry->arena, copy, len, &reason);
    if (verdict == BLOCK_OK)
        verdict = import(chain, entry, report);
    else
        snprintf(report->text, sizeof report->text, "%s: %s", block_verdict_text(verdict), reason);
    if (verdict != BLOCK_OK)
        entry_free(entry);
    if (verdict != BLOCK_OK && !report->text[0])
        snprintf(report->text, sizeof report->text, "%s", block_verdict_text(verdict));
    return verdict;
}

enum block_verdict chain_set_head(struct chain *chain, const hash32 *hash)
{
    struct entry *entry = entry_find(chain, hash);
    if (!entry || !state_move(chain, entry))
        return BLOCK_UNKNOWN_PARENT;
    head_set(chain, entry);
    return BLOCK_OK;
}

bool chain_unwind(struct chain *chain, u64 number)
{
    if (number < chain_oldest(chain) || number > number_of(chain->head))
        return false;
    struct entry *target = entry_of(chain_by_number(chain, number));
    state_move_back(chain, target);
    while (chain->canonical[chain->canonical_end - 1] != target) {
        struct entry *last = chain->canonical[chain->canonical_end - 1];
        canonical_pop(chain);
        forget(chain, last);
    }
    chain->head = target;
    chain->head_view_stale = true;
    return true;
}

/* --- looking up ------------------------------------------------------------------------------- */

const struct chain_config *chain_config(const struct chain *chain)
{
    return &chain->config;
}

const struct chain_block *chain_head(const struct chain *chain)
{
    return &chain->head->pub;
}

u64 chain_oldest(const struct chain *chain)
{
    return number_of(chain->canonical[chain->canonical_begin]);
}

const struct chain_block *chain_by_number(const struct chain *chain, u64 number)
{
    u64 oldest = chain_oldest(chain);
    size_t count = chain->canonical_end - chain->canonical_begin;
    if (number < oldest || number - oldest >= count)
        return NULL;
    return &chain->canonical[chain->canonical_begin + (number - oldest)]->pub;
}

const struct chain_block *chain_by_hash(const struct chain *chain, const hash32 *hash)
{
    const struct entry *entry = entry_find(chain, hash);
    return entry ? &entry->pub : NULL;
}

const struct chain_block *chain_find_tx(const struct chain *chain, const hash32 *hash, u32 *index)
{
    const struct hash_slot *slot = hash_index_get(&chain->txs, hash);
    if (!slot)
        return NULL;
    *index = slot->extra;
    return &((struct entry *)slot->value)->pub;
}

struct evm *chain_evm(struct chain *chain)
{
    return chain->evm;
}

enum fork chain_fork(const struct chain *chain, const struct header *header)
{
    bool merged = chain->config.has_ttd && u256_is_zero(header->difficulty);
    return chain_config_fork_merged(&chain->config, header->number, header->timestamp, merged);
}

void chain_exec_init(struct chain *chain, struct exec *exec, struct state *state,
                     const struct header *header)
{
    enum fork fork = chain_fork(chain, header);
    struct evm_block env = process_env(header, fork, &chain->config);
    struct entry *parent = entry_find(chain, &header->parent_hash);
    exec_init(exec, state, chain->evm, &chain->config, fork, &env);
    exec->block_hash = parent ? entry_block_hash : NULL;
    exec->block_hash_ctx = parent;
}
