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
    entry->chain->body_bytes -= entry->size;
    chain_visits_drop(entry);
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
    entry_weigh(entry);
    if (chain->db)
        store_put_block(chain->db, &entry->pub, entry->rlp, entry->rlp_len, &chain->record);
}

/* The hash of a canonical block, without loading it. */
static bool chain_hash_of(const struct chain *chain, hash32 *hash, u64 number)
{
    if (number < chain_held_from(chain))
        return load_hash(chain, hash, number);
    if (number > entry_number(chain->head))
        return false;
    *hash = canonical_at(chain, number)->pub.block.hash;
    return true;
}

hash32 entry_block_hash(void *ctx, u64 number)
{
    const struct entry *entry = ctx;
    while (entry && !entry->pub.is_canonical && entry_number(entry) > number)
        entry = entry_parent(entry);
    if (!entry || entry_number(entry) < number)
        return (hash32){{0}};
    if (entry_number(entry) == number)
        return entry->pub.block.hash;
    hash32 hash;
    return chain_hash_of(entry->chain, &hash, number) ? hash : (hash32){{0}};
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

void canonical_push(struct chain *chain, struct entry *entry)
{
    canonical_reserve(chain);
    chain->canonical[chain->canonical_end++] = entry;
    entry->pub.is_canonical = true;
    loaded_mark(chain, &entry->pub.block.hash, true);
    for (u32 i = 0; !chain->db && i < entry->pub.block.tx_count; i++)
        hash_index_put(&chain->txs, &entry->pub.block.txs[i].hash, entry, i);
}

/* It is no longer held as a canonical block, whatever the store says of it. */
static void canonical_leave(struct chain *chain, struct entry *entry)
{
    entry->pub.is_canonical = false;
    for (u32 i = 0; !chain->db && i < entry->pub.block.tx_count; i++)
        hash_index_del(&chain->txs, &entry->pub.block.txs[i].hash);
}

static void canonical_pop(struct chain *chain)
{
    struct entry *entry = chain->canonical[--chain->canonical_end];
    canonical_leave(chain, entry);
    thin_from(chain, entry_number(entry));
    const struct chain_block *whole = entry_whole(entry);
    if (chain->db && whole)
        store_del_canonical(chain->db, &whole->block);
    chain_visits_take_back(entry);
    loaded_mark(chain, &entry->pub.block.hash, false);
    entry_thin_side(entry);
}

/* From memory; the store may still have it. */
static void forget(struct chain *chain, struct entry *entry)
{
    hash_index_del(&chain->blocks, &entry->pub.block.hash);
    entry_free(entry);
}

/* From everywhere: nobody will ask for it again. */
static void forget_wholly(struct chain *chain, struct entry *entry)
{
    if (chain->db)
        store_del_block(chain->db, &entry->pub.block);
    forget(chain, entry);
}

/* Side blocks that are older than everything canonical cannot be built upon any more. */
static void forget_old_sides(struct chain *chain)
{
    u64 oldest = chain_held_from(chain);
    for (size_t i = 0; i < chain->blocks.cap;) {
        struct entry *entry = chain->blocks.slots[i].value;
        if (entry && !entry->pub.is_canonical && entry_number(entry) < oldest)
            forget_wholly(chain, entry); /* which may bring another into this slot */
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
        undo_drop(oldest);
        forget(chain, oldest);
    }
    if (chain->blocks.count > kept)
        forget_old_sides(chain);
    /* What leads back from the oldest block leads to a state nobody can name. */
    undo_drop(chain->canonical[chain->canonical_begin]);
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
    for (size_t i = 0; i < depth; i++) {
        const struct chain_block *whole = entry_whole(path[i]);
        canonical_push(chain, path[i]);
        if (chain->db && whole)
            store_put_canonical(chain->db, &whole->block);
        chain_visits_file(path[i]);
    }
    mem_free(path);
    if (chain->db)
        store_put_head(chain->db, &entry->pub.block.hash);
    struct entry *before = chain->head;
    chain->head = entry;
    chain->head_view_stale = true;
    entry_fatten(entry);
    if (before && !before->pub.is_canonical)
        entry_thin_side(before);
    history_trim(chain);
    bodies_trim(chain);
}

/* --- importing -------------------------------------------------------------------------------- */

static const struct block *ancestor_of(void *ctx, unsigned generation)
{
    struct entry *at = ctx;
    while (at && --generation) {
        struct entry *parent = entry_parent(at);
        at = parent ? parent : load_by_hash(at->chain, &at->pub.block.header.parent_hash);
    }
    const struct chain_block *whole = at ? entry_whole(at) : NULL;
    return whole ? &whole->block : NULL;
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
    process->workers = chain->options.workers;
    chain_visits_begin(chain);
    enum block_verdict verdict = process_block(process, &entry->pub.block, report);
    if (verdict != BLOCK_OK) {
        state_reset(chain->state);
        return verdict;
    }
    entry->pub.receipts = process->receipts ? process->receipts : arena_alloc(&entry->arena, 0);
    entry->pub.requests = arena_dup(&entry->arena, process->requests,
                                    process->request_count * sizeof *process->requests);
    entry->pub.request_count = process->request_count;
    chain_visits_keep(entry);
    return BLOCK_OK;
}

/* A hash stands for a header: with other lists below it the block may yet be good. Nor does a store
 * that fails say anything about the block. */
static bool is_bad_for_ever(const struct chain *chain, enum block_verdict verdict)
{
    switch ((int)verdict) {
    case BLOCK_OK:
    case BLOCK_UNKNOWN_PARENT:
    case BLOCK_TX_ROOT:
    case BLOCK_WITHDRAWALS_ROOT: return false;
    default: return chain_status(chain, NULL) == STATUS_OK;
    }
}

static enum block_verdict refuse_parent(const struct chain *chain, const hash32 *hash,
                                        struct chain_report *report)
{
    if (bad_find(chain, hash))
        snprintf(report->text, sizeof report->text, "%s: the parent was refused",
                 block_verdict_text(BLOCK_UNKNOWN_PARENT));
    else if (load_knows(chain, hash))
        snprintf(report->text, sizeof report->text,
                 "%s: the parent is older than the %u blocks that a chain may go back",
                 block_verdict_text(BLOCK_UNKNOWN_PARENT), chain->options.history);
    return BLOCK_UNKNOWN_PARENT;
}

static enum block_verdict import(struct chain *chain, struct entry *entry,
                                 struct chain_report *report)
{
    const struct block *block = &entry->pub.block;
    const struct header *header = &block->header;
    struct entry *parent = entry_find(chain, &header->parent_hash);
    const struct bad_block *bad = bad_find(chain, &block->hash);
    if (chain_knows(chain, &block->hash))
        return BLOCK_KNOWN;
    if (bad) {
        *report = bad->report;
        return bad->verdict;
    }
    if (!parent)
        return refuse_parent(chain, &header->parent_hash, report);
    enum fork fork = chain_config_fork(&chain->config, header->number, header->timestamp,
                                       parent->pub.total_difficulty);
    enum block_verdict verdict = check(chain, block, parent, fork);
    if (verdict == BLOCK_OK) {
        verdict = execute(chain, entry, parent, fork, report);
        if (is_bad_for_ever(chain, verdict))
            bad_remember(chain, &block->hash, verdict, report);
    }
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
        entry_thin_side(entry);
    }
    return BLOCK_OK;
}

/* --- in two steps ----------------------------------------------------------------------------- */

struct chain_incoming {
    struct entry *entry;
    enum block_verdict verdict; /* of decoding */
    const char *reason;
};

static struct chain_incoming decode(const struct chain *chain, const u8 *rlp, size_t len)
{
    struct chain_incoming incoming = {.reason = ""};
    /* The entry belongs to the chain, but to decode it nothing of the chain is touched. */
    struct entry *entry = incoming.entry = entry_new((struct chain *)chain);
    entry->rlp = arena_dup(&entry->arena, rlp, len);
    entry->rlp_len = len;
    incoming.verdict =
        block_decode(&entry->pub.block, &entry->arena, entry->rlp, len, &incoming.reason);
    return incoming;
}

static enum block_verdict add(struct chain *chain, struct chain_incoming *incoming,
                              struct chain_report *report)
{
    struct chain_report unread;
    struct entry *entry = incoming->entry;
    enum block_verdict verdict = incoming->verdict;
    if (!report)
        report = &unread;
    *report = (struct chain_report){0};
    if (verdict == BLOCK_OK)
        verdict = import(chain, entry, report);
    else
        snprintf(report->text, sizeof report->text, "%s: %s", block_verdict_text(verdict),
                 incoming->reason);
    if (verdict != BLOCK_OK)
        entry_free(entry);
    if (verdict != BLOCK_OK && !report->text[0])
        snprintf(report->text, sizeof report->text, "%s", block_verdict_text(verdict));
    return verdict;
}

enum block_verdict chain_import(struct chain *chain, const u8 *rlp, size_t len,
                                struct chain_report *report)
{
    struct chain_incoming incoming = decode(chain, rlp, len);
    return add(chain, &incoming, report);
}

/* Whether the block is after the merge is not known here. Where that would decide how senders are
 * found, it is left to the execution. */
static void recover_senders(const struct chain *chain, struct block *block)
{
    const struct chain_config *config = &chain->config;
    const struct header *header = &block->header;
    enum fork fork = chain_config_fork_merged(config, header->number, header->timestamp, false);
    for (u32 i = 0; fork >= FORK_SPURIOUS && i < block->tx_count; i++)
        if (tx_recover(&block->txs[i], fork, config->chain_id) != TX_OK)
            return; /* the execution will find the same, and say so */
}

struct chain_incoming *chain_prepare(const struct chain *chain, const u8 *rlp, size_t len,
                                     u64 senders_from)
{
    struct chain_incoming *incoming = NEW(struct chain_incoming);
    *incoming = decode(chain, rlp, len);
    struct block *block = &incoming->entry->pub.block;
    if (incoming->verdict == BLOCK_OK && block->header.number >= senders_from)
        recover_senders(chain, block);
    return incoming;
}

enum block_verdict chain_add(struct chain *chain, struct chain_incoming *incoming,
                             struct chain_report *report)
{
    enum block_verdict verdict = add(chain, incoming, report);
    mem_free(incoming);
    return verdict;
}

void chain_incoming_free(struct chain_incoming *incoming)
{
    entry_free(incoming->entry);
    mem_free(incoming);
}

bool chain_incoming_block(const struct chain_incoming *incoming, const struct block **block)
{
    if (incoming->verdict != BLOCK_OK)
        return false;
    *block = &incoming->entry->pub.block;
    return true;
}

bool chain_knows(const struct chain *chain, const hash32 *hash)
{
    return entry_find(chain, hash) || load_knows(chain, hash);
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
    if (number < chain_held_from(chain) || number > entry_number(chain->head))
        return false;
    struct entry *target = canonical_at(chain, number);
    state_move_back(chain, target);
    while (chain->canonical[chain->canonical_end - 1] != target) {
        struct entry *last = chain->canonical[chain->canonical_end - 1];
        canonical_pop(chain);
        forget_wholly(chain, last);
    }
    if (chain->db)
        store_put_head(chain->db, &target->pub.block.hash);
    chain->head = target;
    chain->head_view_stale = true;
    entry_fatten(target);
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

u64 chain_held_from(const struct chain *chain)
{
    return entry_number(chain->canonical[chain->canonical_begin]);
}

u64 chain_oldest_state(const struct chain *chain)
{
    return chain_held_from(chain);
}

u64 chain_oldest_readable(const struct chain *chain)
{
    u64 held = chain_held_from(chain);
    return chain->has_past && chain->past_from < held ? chain->past_from : held;
}

u64 chain_oldest(const struct chain *chain)
{
    u64 whole = archive_whole(chain->archive);
    if (!chain->db)
        return chain_held_from(chain);
    return whole > chain->stored_from ? whole : chain->stored_from;
}

struct chain_kept chain_kept(const struct chain *chain)
{
    const struct chain_options *options = &chain->options;
    return (struct chain_kept){
        .blocks = chain->db ? options->whole : options->history,
        .states = chain->has_past ? 0 : options->history,
        .proofs = options->history,
    };
}

struct entry *canonical_at(const struct chain *chain, u64 number)
{
    return chain->canonical[chain->canonical_begin + (number - chain_held_from(chain))];
}

static const struct chain_block *public(struct entry *entry)
{
    return entry ? entry_whole(entry) : NULL;
}

static struct entry *find_number(const struct chain *chain, u64 number)
{
    u64 oldest = chain_held_from(chain);
    size_t count = chain->canonical_end - chain->canonical_begin;
    if (number < oldest)
        return load_by_number(chain, number);
    return number - oldest < count ? canonical_at(chain, number) : NULL;
}

static struct entry *find_hash(const struct chain *chain, const hash32 *hash)
{
    struct entry *entry = entry_find(chain, hash);
    return entry ? entry : load_by_hash(chain, hash);
}

const struct chain_block *chain_by_number(const struct chain *chain, u64 number)
{
    return public(find_number(chain, number));
}

const struct chain_block *chain_by_hash(const struct chain *chain, const hash32 *hash)
{
    return public(find_hash(chain, hash));
}

const struct chain_block *chain_header_by_number(const struct chain *chain, u64 number)
{
    const struct entry *entry = find_number(chain, number);
    return entry ? &entry->pub : NULL;
}

const struct chain_block *chain_header_by_hash(const struct chain *chain, const hash32 *hash)
{
    const struct entry *entry = find_hash(chain, hash);
    return entry ? &entry->pub : NULL;
}

const struct chain_block *chain_find_tx(const struct chain *chain, const hash32 *hash, u32 *index)
{
    u64 number;
    if (chain->db)
        return store_get_tx(chain->db, &number, index, hash) ? chain_by_number(chain, number)
                                                             : NULL;
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
    struct entry *parent = find_hash(chain, &header->parent_hash);
    exec_init(exec, state, chain->evm, &chain->config, fork, &env);
    exec->block_hash = parent ? entry_block_hash : NULL;
    exec->block_hash_ctx = parent;
}
