#include "txpool/txpool.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "chain/hash_index.h"
#include "crypto/kzg.h"

/* A transaction with all it borrows: its bytes, and its lists if it has any. */
struct held {
    struct tx tx;
    struct arena arena;
    u64 order; /* of arrival; breaks ties */
    u8 bytes[];
};

/* One sender's transactions by rising nonce. */
struct sender {
    addr20 addr;
    struct held **txs;
    u32 count, cap;
    u32 place; /* in pool->senders */
};

struct txpool {
    struct txpool_options options;
    struct hash_index by_hash;   /* -> struct held */
    struct hash_index by_sender; /* address, padded -> struct sender */
    struct sender **senders;
    u32 sender_count, sender_cap;
    u32 count;
    u64 next_order;
};

struct txpool_options txpool_options_default(void)
{
    return (struct txpool_options){
        .txs_max = 65536,
        .sender_txs_max = 4096,
        .tx_bytes_max = 128 * 1024,
        .bump_percent = 10,
    };
}

struct txpool *txpool_new(const struct txpool_options *options)
{
    struct txpool *pool = NEW(struct txpool);
    pool->options = *options;
    hash_index_init(&pool->by_hash, options->seed);
    hash_index_init(&pool->by_sender, options->seed);
    return pool;
}

void txpool_free(struct txpool *pool)
{
    if (!pool)
        return;
    txpool_clear(pool);
    hash_index_fini(&pool->by_hash);
    hash_index_fini(&pool->by_sender);
    mem_free(pool->senders);
    mem_free(pool);
}

/* --- senders -------------------------------------------------------------------------------- */

static hash32 sender_key(const addr20 *addr)
{
    hash32 key = {{0}};
    memcpy(key.b, addr->b, sizeof addr->b);
    return key;
}

static struct sender *sender_find(const struct txpool *pool, const addr20 *addr)
{
    hash32 key = sender_key(addr);
    const struct hash_slot *slot = hash_index_get(&pool->by_sender, &key);
    return slot ? slot->value : NULL;
}

static struct sender *sender_make(struct txpool *pool, const addr20 *addr)
{
    struct sender *sender = sender_find(pool, addr);
    if (sender)
        return sender;
    sender = NEW(struct sender);
    sender->addr = *addr;
    if (pool->sender_count == pool->sender_cap) {
        pool->sender_cap = pool->sender_cap ? 2 * pool->sender_cap : 16;
        pool->senders = mem_realloc(pool->senders, pool->sender_cap * sizeof *pool->senders);
    }
    sender->place = pool->sender_count;
    pool->senders[pool->sender_count++] = sender;
    hash32 key = sender_key(addr);
    hash_index_put(&pool->by_sender, &key, sender, 0);
    return sender;
}

static void sender_drop_if_empty(struct txpool *pool, struct sender *sender)
{
    if (sender->count)
        return;
    hash32 key = sender_key(&sender->addr);
    hash_index_del(&pool->by_sender, &key);
    struct sender *last = pool->senders[--pool->sender_count];
    pool->senders[sender->place] = last;
    last->place = sender->place;
    mem_free(sender->txs);
    mem_free(sender);
}

/* Index of the first transaction with at least this nonce. */
static u32 sender_place_of(const struct sender *sender, u64 nonce)
{
    u32 low = 0, high = sender->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (sender->txs[middle]->tx.nonce < nonce)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct held *sender_at_nonce(const struct sender *sender, u64 nonce)
{
    u32 place = sender ? sender_place_of(sender, nonce) : 0;
    if (!sender || place == sender->count || sender->txs[place]->tx.nonce != nonce)
        return NULL;
    return sender->txs[place];
}

static void held_free(struct held *held)
{
    arena_fini(&held->arena);
    mem_free(held);
}

static void sender_remove(struct txpool *pool, struct sender *sender, u32 place)
{
    struct held *held = sender->txs[place];
    sender->count--;
    memmove(sender->txs + place, sender->txs + place + 1,
            (sender->count - place) * sizeof *sender->txs);
    hash_index_del(&pool->by_hash, &held->tx.hash);
    held_free(held);
    pool->count--;
}

static void sender_insert(struct txpool *pool, struct sender *sender, struct held *held)
{
    if (sender->count == sender->cap) {
        sender->cap = sender->cap ? 2 * sender->cap : 4;
        sender->txs = mem_realloc(sender->txs, sender->cap * sizeof *sender->txs);
    }
    u32 place = sender_place_of(sender, held->tx.nonce);
    memmove(sender->txs + place + 1, sender->txs + place,
            (sender->count - place) * sizeof *sender->txs);
    sender->txs[place] = held;
    sender->count++;
    hash_index_put(&pool->by_hash, &held->tx.hash, held, 0);
    pool->count++;
}

/* --- checking ------------------------------------------------------------------------------- */

static const char *dec(char text[U256_DEC_MAX], u256 value)
{
    text[u256_format_dec(text, value)] = 0;
    return text;
}

static enum status refuse(enum tx_verdict verdict, struct err *err)
{
    return err_set(err, STATUS_INVALID, "%s", tx_verdict_text(verdict));
}

/* What needs neither account nor pool. */
static enum status check_alone(const struct txpool *pool, const struct txpool_view *view,
                               const struct tx *tx, struct err *err)
{
    u32 blobs_max = chain_config_tx_blobs_max(view->config, view->fork, view->timestamp);
    enum tx_verdict verdict = tx_check(tx, view->fork, blobs_max);
    struct tx_gas gas;
    if (verdict == TX_INTRINSIC_GAS || verdict == TX_FLOOR_DATA_GAS) {
        gas = tx_gas_of(tx, view->fork);
        u64 need = verdict == TX_INTRINSIC_GAS ? gas.intrinsic : gas.floor;
        return err_set(err, STATUS_INVALID, "%s: gas %llu, minimum needed %llu",
                       tx_verdict_text(verdict), (unsigned long long)tx->gas,
                       (unsigned long long)need);
    }
    if (verdict != TX_OK)
        return refuse(verdict, err);
    if (tx->gas > view->gas_limit)
        return refuse(TX_BLOCK_GAS_LIMIT, err);
    char tip[U256_DEC_MAX], least[U256_DEC_MAX];
    if (u256_lt(tx->max_priority_fee, pool->options.tip_min))
        return err_set(err, STATUS_INVALID,
                       "transaction underpriced: gas tip cap %s, minimum needed %s",
                       dec(tip, tx->max_priority_fee), dec(least, pool->options.tip_min));
    return STATUS_OK;
}

static enum status check_blobs(const struct txpool_view *view, const struct tx *tx,
                               const struct tx_sidecar *sidecar, struct err *err)
{
    if (tx->type != TX_BLOB)
        return STATUS_OK;
    if (!sidecar->present)
        return err_set(err, STATUS_INVALID, "missing sidecar in blob transaction");
    u8 version = view->fork >= FORK_OSAKA;
    if (sidecar->version != version)
        return err_set(err, STATUS_INVALID, "blob sidecar of version %u, expected %u",
                       sidecar->version, version);
    for (u32 i = 0; i < sidecar->count && version == 0; i++) {
        const kzg48 *commitment = (const kzg48 *)(const void *)(sidecar->commitments + 48 * i);
        const kzg48 *proof = (const kzg48 *)(const void *)(sidecar->proofs + 48 * i);
        if (kzg_verify_blobs(sidecar->blobs[i], commitment, proof, 1) != KZG_OK)
            return err_set(err, STATUS_INVALID, "invalid blob proof of blob %u", i);
    }
    return STATUS_OK;
}

/* EIP-7594: the cells are made again from the blob, and all proofs of a blob checked at once. */
static enum status check_cells(const struct tx_sidecar *sidecar, struct err *err)
{
    enum status status = STATUS_OK;
    size_t size = (size_t)KZG_CELLS * KZG_CELL_SIZE;
    u8 *cells = mem_alloc(size);
    kzg48 *commitments = mem_alloc(KZG_CELLS * sizeof *commitments);
    u64 indices[KZG_CELLS];
    for (u32 i = 0; i < sidecar->count && status == STATUS_OK; i++) {
        for (u32 k = 0; k < KZG_CELLS; k++) {
            memcpy(&commitments[k], sidecar->commitments + 48 * i, 48);
            indices[k] = k;
        }
        const void *proofs = sidecar->proofs + (size_t)48 * KZG_CELLS * i;
        if (kzg_cells(cells, NULL, sidecar->blobs[i]) != KZG_OK ||
            kzg_verify_cells(commitments, indices, cells, proofs, KZG_CELLS) != KZG_OK)
            status = err_set(err, STATUS_INVALID, "invalid cell proofs of blob %u", i);
    }
    mem_free(cells);
    mem_free(commitments);
    return status;
}

/* The most that a transaction can cost, saturated. */
static u256 cost_of(const struct tx *tx)
{
    u256 gas, blob, sum;
    if (u256_mul_overflow(&gas, u256_from_u64(tx->gas), tx->max_fee) ||
        u256_mul_overflow(&blob, u256_from_u64((u64)tx->blob_count * TX_BLOB_GAS),
                          tx->max_blob_fee) ||
        u256_add_carry(&sum, gas, blob) || u256_add_carry(&sum, sum, tx->value))
        return u256_not(U256_ZERO);
    return sum;
}

static enum status check_account(struct state *state, const struct tx *tx, struct err *err)
{
    u64 nonce = state_nonce(state, &tx->sender);
    if (tx->nonce < nonce)
        return err_set(err, STATUS_INVALID, "%s: next nonce %llu, tx nonce %llu",
                       tx_verdict_text(TX_NONCE_TOO_LOW), (unsigned long long)nonce,
                       (unsigned long long)tx->nonce);
    u256 balance = state_balance(state, &tx->sender), cost = cost_of(tx);
    if (!u256_lt(balance, cost))
        return STATUS_OK;
    char have[U256_DEC_MAX], need[U256_DEC_MAX], over[U256_DEC_MAX];
    return err_set(err, STATUS_INVALID, "%s: balance %s, tx cost %s, overshot %s",
                   tx_verdict_text(TX_INSUFFICIENT_FUNDS), dec(have, balance), dec(need, cost),
                   dec(over, u256_sub(cost, balance)));
}

/* Is a at least b raised by so many percent? Saturates. */
static bool outbids(u256 a, u256 b, u32 percent)
{
    u256 raised, scaled;
    if (u256_mul_overflow(&raised, b, u256_from_u64(100 + percent)) ||
        u256_mul_overflow(&scaled, a, u256_from_u64(100)))
        return false;
    return !u256_lt(scaled, raised) && u256_lt(b, a);
}

static enum status check_room(const struct txpool *pool, const struct sender *sender,
                              const struct tx *tx, struct err *err)
{
    const struct held *old = sender_at_nonce(sender, tx->nonce);
    u32 percent = pool->options.bump_percent;
    if (old && (!outbids(tx->max_fee, old->tx.max_fee, percent) ||
                !outbids(tx->max_priority_fee, old->tx.max_priority_fee, percent)))
        return err_set(err, STATUS_INVALID, "replacement transaction underpriced");
    if (old)
        return STATUS_OK;
    if (pool->count >= pool->options.txs_max)
        return err_set(err, STATUS_TOO_LARGE, "txpool is full");
    if (sender && sender->count >= pool->options.sender_txs_max)
        return err_set(err, STATUS_TOO_LARGE, "account limit exceeded: %u transactions wait",
                       sender->count);
    return STATUS_OK;
}

/* --- admission ------------------------------------------------------------------------------ */

static enum status decode(struct held *held, const struct txpool_view *view, const u8 *bytes,
                          size_t len, const addr20 *sender, struct err *err)
{
    struct tx_sidecar sidecar = {0};
    enum tx_verdict verdict = tx_decode_network(&held->tx, &sidecar, &held->arena, bytes, len);
    if (verdict == TX_OK && sender) {
        held->tx.sender = *sender;
        held->tx.has_sender = true;
    } else if (verdict == TX_OK) {
        verdict = tx_recover(&held->tx, view->fork, view->config->chain_id);
    }
    if (verdict == TX_WRONG_CHAIN_ID)
        return err_set(err, STATUS_INVALID, "%s: have %llu want %llu", tx_verdict_text(verdict),
                       (unsigned long long)held->tx.chain_id,
                       (unsigned long long)view->config->chain_id);
    if (verdict != TX_OK)
        return refuse(verdict, err);
    enum status status = check_blobs(view, &held->tx, &sidecar, err);
    if (status == STATUS_OK && sidecar.present && sidecar.version == 1)
        status = check_cells(&sidecar, err);
    return status;
}

/* With the pool's own copy of the bytes in *own; blobs are not kept, as no block holds them. */
static struct held *held_new(const u8 **own, const u8 *bytes, size_t len)
{
    bool has_blobs = len && bytes[0] == TX_BLOB;
    struct held *held = mem_alloc(sizeof *held + (has_blobs ? 0 : len));
    *held = (struct held){0};
    *own = has_blobs ? bytes : held->bytes;
    if (!has_blobs)
        memcpy(held->bytes, bytes, len);
    return held;
}

/* A blob transaction was decoded from borrowed bytes: once checked it is decoded again from its short form. */
static void shed_blobs(struct held *held)
{
    if (held->tx.type != TX_BLOB)
        return;
    struct buf wire;
    buf_init(&wire, SIZE_MAX / 2);
    tx_encode(&wire, &held->tx);
    addr20 sender = held->tx.sender;
    arena_reset(&held->arena);
    const u8 *bytes = arena_dup(&held->arena, wire.data, wire.len);
    enum tx_verdict verdict = tx_decode(&held->tx, &held->arena, bytes, wire.len);
    assert(verdict == TX_OK);
    held->tx.sender = sender;
    held->tx.has_sender = true;
    buf_fini(&wire);
}

static enum status check(struct txpool *pool, const struct txpool_view *view,
                         const struct held *held, struct err *err)
{
    const struct tx *tx = &held->tx;
    if (txpool_get(pool, &tx->hash))
        return err_set(err, STATUS_EXISTS, "already known");
    enum status status = check_alone(pool, view, tx, err);
    if (status == STATUS_OK)
        status = check_account(view->state, tx, err);
    if (status == STATUS_OK)
        status = check_room(pool, sender_find(pool, &tx->sender), tx, err);
    return status;
}

enum status txpool_add(struct txpool *pool, const struct txpool_view *view, const u8 *bytes,
                       size_t len, const addr20 *sender, const struct tx **out, struct err *err)
{
    bool has_blobs = len && bytes[0] == TX_BLOB;
    if (!has_blobs && len > pool->options.tx_bytes_max)
        return err_set(err, STATUS_TOO_LARGE, "oversized data: transaction size %zu, limit %u", len,
                       pool->options.tx_bytes_max);
    const u8 *own;
    struct held *held = held_new(&own, bytes, len);
    enum status status = decode(held, view, own, len, sender, err);
    if (status == STATUS_OK)
        status = check(pool, view, held, err);
    if (status != STATUS_OK) {
        held_free(held);
        return status;
    }
    shed_blobs(held);
    held->order = pool->next_order++;
    struct sender *owner = sender_make(pool, &held->tx.sender);
    if (sender_at_nonce(owner, held->tx.nonce))
        sender_remove(pool, owner, sender_place_of(owner, held->tx.nonce));
    sender_insert(pool, owner, held);
    *out = &held->tx;
    return STATUS_OK;
}

/* --- looking and leaving -------------------------------------------------------------------- */

const struct tx *txpool_get(const struct txpool *pool, const hash32 *hash)
{
    const struct hash_slot *slot = hash_index_get(&pool->by_hash, hash);
    return slot ? &((const struct held *)slot->value)->tx : NULL;
}

bool txpool_remove(struct txpool *pool, const hash32 *hash)
{
    const struct tx *tx = txpool_get(pool, hash);
    if (!tx)
        return false;
    struct sender *sender = sender_find(pool, &tx->sender);
    sender_remove(pool, sender, sender_place_of(sender, tx->nonce));
    sender_drop_if_empty(pool, sender);
    return true;
}

bool txpool_remove_sender(struct txpool *pool, const addr20 *addr)
{
    struct sender *sender = sender_find(pool, addr);
    if (!sender)
        return false;
    while (sender->count)
        sender_remove(pool, sender, sender->count - 1);
    sender_drop_if_empty(pool, sender);
    return true;
}

void txpool_clear(struct txpool *pool)
{
    while (pool->sender_count) {
        addr20 addr = pool->senders[pool->sender_count - 1]->addr;
        bool removed = txpool_remove_sender(pool, &addr);
        assert(removed);
    }
}

u32 txpool_count(const struct txpool *pool)
{
    return pool->count;
}

/* How many of the sender's transactions follow the account's nonce without a gap. */
static u32 ready_count(const struct sender *sender, u64 account_nonce)
{
    u32 place = sender_place_of(sender, account_nonce), count = 0;
    while (place + count < sender->count &&
           sender->txs[place + count]->tx.nonce == account_nonce + count)
        count++;
    return count;
}

u64 txpool_next_nonce(const struct txpool *pool, const addr20 *addr, u64 account_nonce)
{
    const struct sender *sender = sender_find(pool, addr);
    return sender ? account_nonce + ready_count(sender, account_nonce) : account_nonce;
}

void txpool_update(struct txpool *pool, struct state *state)
{
    for (u32 i = pool->sender_count; i > 0; i--) {
        struct sender *sender = pool->senders[i - 1];
        u64 nonce = state_nonce(state, &sender->addr);
        while (sender->count && sender->txs[0]->tx.nonce < nonce)
            sender_remove(pool, sender, 0);
        sender_drop_if_empty(pool, sender);
    }
}

void txpool_each(const struct txpool *pool, struct state *state, txpool_each_fn *fn, void *ctx)
{
    for (u32 i = 0; i < pool->sender_count; i++) {
        const struct sender *sender = pool->senders[i];
        u64 nonce = state_nonce(state, &sender->addr);
        u32 place = sender_place_of(sender, nonce), ready = ready_count(sender, nonce);
        for (u32 k = 0; k < sender->count; k++)
            fn(ctx, &sender->txs[k]->tx, k >= place && k < place + ready);
    }
}

/* --- picking -------------------------------------------------------------------------------- */

/* A sender's next transaction in the contest for the next place. */
struct runner {
    const struct sender *sender;
    u32 at, end; /* of its ready transactions */
    u256 tip;    /* what the one at `at` pays the coinbase, wei per gas */
};

static bool runner_set(struct runner *runner, u256 base_fee)
{
    if (runner->at == runner->end)
        return false;
    const struct tx *tx = &runner->sender->txs[runner->at]->tx;
    if (u256_lt(tx->max_fee, base_fee))
        return false;
    runner->tip = u256_sub(tx_effective_gas_price(tx, base_fee), base_fee);
    return true;
}

static bool runner_leads(const struct runner *a, const struct runner *b)
{
    if (u256_lt(b->tip, a->tip))
        return true;
    if (u256_lt(a->tip, b->tip))
        return false;
    return a->sender->txs[a->at]->order < b->sender->txs[b->at]->order;
}

static void heap_sink(struct runner *heap, u32 count, u32 at)
{
    for (;;) {
        u32 best = at;
        for (u32 child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (runner_leads(&heap[child], &heap[best]))
                best = child;
        if (best == at)
            return;
        struct runner moved = heap[at];
        heap[at] = heap[best];
        heap[best] = moved;
        at = best;
    }
}

u32 txpool_pick(const struct txpool *pool, struct state *state, u256 base_fee, struct tx *out,
                u32 max)
{
    u32 count = 0, picked = 0;
    struct runner *heap = NEW_ARRAY(struct runner, pool->sender_count + 1);
    for (u32 i = 0; i < pool->sender_count; i++) {
        struct runner runner = {.sender = pool->senders[i]};
        u64 nonce = state_nonce(state, &runner.sender->addr);
        runner.at = sender_place_of(runner.sender, nonce);
        runner.end = runner.at + ready_count(runner.sender, nonce);
        if (runner_set(&runner, base_fee))
            heap[count++] = runner;
    }
    for (u32 i = count / 2; i > 0; i--)
        heap_sink(heap, count, i - 1);
    while (count && picked < max) {
        out[picked++] = heap[0].sender->txs[heap[0].at++]->tx;
        if (!runner_set(&heap[0], base_fee))
            heap[0] = heap[--count];
        heap_sink(heap, count, 0);
    }
    mem_free(heap);
    return picked;
}
