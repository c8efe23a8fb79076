#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "txpool/txpool_int.h"

/* With what the heap, the indexes and the lists add: the tables double, and are up to three quarters full. */
enum { HELD_MORE = 176, SENDER_BYTES = sizeof(struct sender) + 232 };

struct txpool_options txpool_options_default(void)
{
    return (struct txpool_options){
        .txs_max = 65536,
        .sender_txs_max = 4096,
        .sender_local_max = 1024,
        .local_percent = 25,
        .tx_bytes_max = 128 * 1024,
        .tx_blobs_max = 32,
        .blob_txs_max = 1024,
        .sender_blob_max = 16,
        .bump_percent = 10,
        .blob_bump_percent = 100,
        .bytes_max = (u64)96 << 20,
        .blob_bytes_max = (u64)512 << 20,
    };
}

struct txpool *txpool_new(const struct txpool_options *options)
{
    struct txpool *pool = NEW(struct txpool);
    pool->options = *options;
    hash_index_init(&pool->by_hash, options->seed);
    hash_index_init(&pool->by_sender, options->seed);
    arena_init(&pool->scratch);
    lanes_init(pool);
    return pool;
}

void txpool_free(struct txpool *pool)
{
    if (!pool)
        return;
    pool->db = NULL; /* what is on disk stays there */
    txpool_clear(pool);
    hash_index_fini(&pool->by_hash);
    hash_index_fini(&pool->by_sender);
    arena_fini(&pool->scratch);
    for (int contest = 0; contest < CONTESTS; contest++)
        for (int has_blobs = 0; has_blobs < 2; has_blobs++)
            mem_free(pool->lanes[contest][has_blobs].senders);
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

struct sender *sender_find(const struct txpool *pool, const addr20 *addr)
{
    hash32 key = sender_key(addr);
    const struct hash_slot *slot = hash_index_get(&pool->by_sender, &key);
    return slot ? slot->value : NULL;
}

static struct sender *sender_new(struct txpool *pool, const addr20 *addr, bool has_blobs)
{
    struct sender *sender = NEW(struct sender);
    pool->usage.bytes += SENDER_BYTES;
    sender->addr = *addr;
    sender->has_blobs = has_blobs;
    sender->in[FOR_PLACE].place = sender->in[FOR_LOCAL].place = NOT_THERE;
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

void sender_drop_if_empty(struct txpool *pool, struct sender *sender)
{
    if (sender->count)
        return;
    hash32 key = sender_key(&sender->addr);
    pool->usage.bytes -= SENDER_BYTES;
    hash_index_del(&pool->by_sender, &key);
    struct sender *last = pool->senders[--pool->sender_count];
    pool->senders[sender->place] = last;
    last->place = sender->place;
    mem_free(sender->txs);
    mem_free(sender);
}

/* Index of the first transaction with at least this nonce. */
u32 sender_place_of(const struct sender *sender, u64 nonce)
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

struct held *sender_at_nonce(const struct sender *sender, u64 nonce)
{
    u32 place = sender ? sender_place_of(sender, nonce) : 0;
    if (!sender || place == sender->count || sender->txs[place]->tx.nonce != nonce)
        return NULL;
    return sender->txs[place];
}

/* --- coming and leaving ----------------------------------------------------------------------- */

struct txpool_usage held_usage(const struct held *held)
{
    return (struct txpool_usage){1, held->tx.type == TX_BLOB, held->size, held->blob_bytes};
}

void usage_add(struct txpool_usage *usage, const struct txpool_usage *more)
{
    usage->txs += more->txs;
    usage->blob_txs += more->blob_txs;
    usage->bytes += more->bytes;
    usage->blob_bytes += more->blob_bytes;
}

void usage_sub(struct txpool_usage *usage, const struct txpool_usage *less)
{
    usage->txs -= less->txs;
    usage->blob_txs -= less->blob_txs;
    usage->bytes -= less->bytes;
    usage->blob_bytes -= less->blob_bytes;
}

/* Each cost was checked against a balance together with the others, so that the sum does not pass
 * 2^256; one that was impersonated into the pool may, and the sum saturates. */
static void cost_add(struct sender *sender, u256 cost)
{
    if (u256_add_carry(&sender->cost, sender->cost, cost))
        sender->cost = u256_not(U256_ZERO);
}

static void cost_sub(struct sender *sender, u256 cost)
{
    sender->cost = u256_lt(sender->cost, cost) ? U256_ZERO : u256_sub(sender->cost, cost);
}

struct held *held_take(struct txpool *pool, struct sender *sender, u32 place)
{
    struct held *held = sender->txs[place];
    struct txpool_usage usage = held_usage(held);
    if (place < sender->local_count) {
        sender->local_count--;
        usage_sub(&pool->local_usage, &usage);
    }
    sender->count--;
    memmove(sender->txs + place, sender->txs + place + 1,
            (sender->count - place) * sizeof *sender->txs);
    cost_sub(sender, held->cost);
    usage_sub(&pool->usage, &usage);
    hash_index_del(&pool->by_hash, &held->tx.hash);
    lanes_settle(pool, sender);
    return held;
}

void held_drop(struct txpool *pool, struct held *held)
{
    keep_del(pool, held);
    mem_free(held);
}

static void sender_remove(struct txpool *pool, struct sender *sender, u32 place)
{
    held_drop(pool, held_take(pool, sender, place));
}

struct sender *held_insert(struct txpool *pool, struct held *held, u64 account_nonce)
{
    const struct tx *tx = &held->tx;
    struct sender *sender = sender_find(pool, &tx->sender);
    if (!sender)
        sender = sender_new(pool, &tx->sender, tx->type == TX_BLOB);
    sender->nonce = account_nonce;
    if (sender->count == sender->cap) {
        sender->cap = sender->cap ? 2 * sender->cap : 1;
        sender->txs = mem_realloc(sender->txs, sender->cap * sizeof *sender->txs);
    }
    u32 place = sender_place_of(sender, tx->nonce);
    memmove(sender->txs + place + 1, sender->txs + place,
            (sender->count - place) * sizeof *sender->txs);
    sender->txs[place] = held;
    sender->count++;
    cost_add(sender, held->cost);
    struct txpool_usage usage = held_usage(held);
    usage_add(&pool->usage, &usage);
    if (place < sender->local_count) {
        sender->local_count++;
        usage_add(&pool->local_usage, &usage);
    }
    hash_index_put(&pool->by_hash, &tx->hash, held, 0);
    lanes_settle(pool, sender);
    return sender;
}

/* --- admission ------------------------------------------------------------------------------ */

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Bytes that tx_copy takes from its arena. */
static size_t room_of(const struct tx *tx)
{
    size_t size = rounded(tx->data_len) + rounded(tx->blob_count * sizeof(hash32)) +
                  rounded(tx->authorization_count * sizeof(struct authorization)) +
                  rounded(tx->access_count * sizeof(struct access_entry));
    for (u32 i = 0; i < tx->access_count; i++)
        size += rounded(tx->access_list[i].key_count * sizeof(hash32));
    return size;
}

static struct held *held_new(const struct txpool *pool, const struct tx *tx,
                             const struct tx_sidecar *sidecar, const struct txpool_arrival *arrival)
{
    size_t room = room_of(tx), size = sizeof(struct held) + room;
    struct held *held = mem_alloc(size);
    struct arena arena = arena_over(held->room, room);
    tx_copy(&held->tx, tx, &arena);
    held->cost = tx_cost(tx);
    held->order = pool->next_order;
    held->size = size + HELD_MORE;
    held->blob_bytes = tx->type == TX_BLOB && pool->db ? arrival->len : 0;
    held->version = sidecar->version;
    held->is_stored = false;
    return held;
}

static enum status decode(struct txpool *pool, struct tx *tx, struct tx_sidecar *sidecar,
                          const struct txpool_arrival *arrival, struct err *err)
{
    enum { WRAPPING = 1024 }; /* lengths and the transaction around blobs and proofs */
    bool has_blobs = arrival->len && arrival->bytes[0] == TX_BLOB;
    size_t most = pool->options.tx_bytes_max;
    if (has_blobs)
        most += (size_t)pool->options.tx_blobs_max *
                (TX_BLOB_SIZE + 49 * (TX_CELLS_PER_BLOB + 1) + WRAPPING);
    if (arrival->len > most)
        return err_set(err, STATUS_TOO_LARGE, "oversized data: transaction size %zu, limit %zu",
                       arrival->len, most);
    arena_reset(&pool->scratch);
    enum tx_verdict verdict =
        tx_decode_network(tx, sidecar, &pool->scratch, arrival->bytes, arrival->len);
    if (verdict != TX_OK)
        return err_set(err, STATUS_INVALID, "%s", tx_verdict_text(verdict));
    if (txpool_get(pool, &tx->hash))
        return err_set(err, STATUS_EXISTS, "already known");
    return STATUS_OK;
}

/* In the place of the one it replaces, and where others make room. *is_local: asked for, and granted. */
static enum status settle(struct txpool *pool, struct held *held, u64 account_nonce, bool *is_local,
                          struct err *err)
{
    u64 nonce = held->tx.nonce;
    *is_local = local_claim(pool, held, account_nonce, *is_local);
    enum status status = make_room(pool, held, account_nonce, *is_local, err);
    if (status != STATUS_OK)
        return status;
    struct sender *sender = sender_find(pool, &held->tx.sender);
    if (sender_at_nonce(sender, nonce)) {
        sender_remove(pool, sender, sender_place_of(sender, nonce));
        sender_drop_if_empty(pool, sender);
    }
    sender = held_insert(pool, held, account_nonce);
    if (*is_local)
        local_extend(pool, sender, sender_place_of(sender, nonce));
    return STATUS_OK;
}

static void set_base_fee(struct txpool *pool, u256 base_fee)
{
    if (u256_eq(pool->base_fee, base_fee))
        return;
    pool->base_fee = base_fee;
    lanes_rank(pool);
}

enum status txpool_add(struct txpool *pool, const struct txpool_view *view,
                       const struct txpool_arrival *arrival, const struct tx **out, struct err *err)
{
    struct tx tx;
    struct tx_sidecar sidecar = {0};
    set_base_fee(pool, view->base_fee);
    enum status status = decode(pool, &tx, &sidecar, arrival, err);
    if (status == STATUS_OK)
        status = arrival_check(pool, view, &tx, &sidecar, arrival, err);
    if (status != STATUS_OK)
        return status;
    struct held *held = held_new(pool, &tx, &sidecar, arrival);
    bool is_local = arrival->is_local;
    status = settle(pool, held, state_nonce(view->state, &tx.sender), &is_local, err);
    if (status != STATUS_OK) {
        mem_free(held);
        return status;
    }
    pool->next_order++;
    keep_put(pool, held, is_local, arrival->bytes, arrival->len);
    locals_trim(pool);
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
    return pool->usage.txs;
}

struct txpool_usage txpool_usage(const struct txpool *pool)
{
    return pool->usage;
}

struct txpool_usage txpool_local_usage(const struct txpool *pool)
{
    return pool->local_usage;
}

/* How many of the sender's transactions follow the account's nonce without a gap. */
u32 sender_ready_count(const struct sender *sender, u64 account_nonce)
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
    return sender ? account_nonce + sender_ready_count(sender, account_nonce) : account_nonce;
}

/* Rules differ from fork to fork; what took the transaction in were those of one before. */
static bool is_refused_now(const struct held *held, enum fork fork, u32 tx_blobs_max)
{
    return tx_check(&held->tx, fork, tx_blobs_max) != TX_OK ||
           (held->tx.type == TX_BLOB && held->version != sidecar_version(fork));
}

/* What was included, is unaffordable or cannot fit any more. Those behind it wait in the queue. */
static void sender_update(struct txpool *pool, struct sender *sender,
                          const struct txpool_view *view, bool has_new_rules)
{
    u256 balance = state_balance(view->state, &sender->addr);
    sender->nonce = state_nonce(view->state, &sender->addr);
    while (sender->count && sender->txs[0]->tx.nonce < sender->nonce) {
        keep_limbo(pool, sender->txs[0], view->number);
        sender->txs[0]->is_stored &= !sender->txs[0]->blob_bytes;
        sender_remove(pool, sender, 0);
    }
    for (u32 i = sender->count; i > 0; i--) {
        const struct held *held = sender->txs[i - 1];
        if (u256_lt(balance, held->cost) || held->tx.gas > view->gas_limit ||
            (has_new_rules && is_refused_now(held, pool->fork, pool->tx_blobs_max)))
            sender_remove(pool, sender, i - 1);
    }
}

void txpool_update(struct txpool *pool, const struct txpool_view *view)
{
    u32 blobs_max = chain_config_tx_blobs_max(view->config, view->fork, view->timestamp);
    bool has_new_rules = pool->fork != view->fork || pool->tx_blobs_max != blobs_max;
    pool->fork = view->fork;
    pool->tx_blobs_max = blobs_max;
    pool->base_fee = view->base_fee;
    for (u32 i = pool->sender_count; i > 0; i--) {
        struct sender *sender = pool->senders[i - 1];
        sender_update(pool, sender, view, has_new_rules);
        sender_drop_if_empty(pool, sender);
    }
    lanes_rank(pool);
    keep_trim(pool, view->number);
}

u32 txpool_return(struct txpool *pool, const struct txpool_view *view, const struct block *block)
{
    u32 returned = 0;
    struct err err;
    struct buf wire;
    const struct tx *taken;
    buf_init(&wire, SIZE_MAX / 2);
    for (u32 i = 0; i < block->tx_count; i++) {
        const struct tx *tx = &block->txs[i];
        const u8 *stored;
        buf_reset(&wire);
        size_t len;
        if (tx->type != TX_BLOB)
            tx_encode(&wire, tx);
        else if (keep_limbo_get(pool, &tx->hash, &stored, &len))
            buf_add(&wire, stored, len);
        struct txpool_arrival arrival = {wire.data, wire.len, &tx->sender, false,
                                         tx->type == TX_BLOB};
        returned += wire.len && txpool_add(pool, view, &arrival, &taken, &err) == STATUS_OK;
    }
    buf_fini(&wire);
    return returned;
}

void txpool_each(const struct txpool *pool, struct state *state, txpool_each_fn *fn, void *ctx)
{
    for (u32 i = 0; i < pool->sender_count; i++) {
        const struct sender *sender = pool->senders[i];
        u64 nonce = state_nonce(state, &sender->addr);
        u32 place = sender_place_of(sender, nonce), ready = sender_ready_count(sender, nonce);
        for (u32 k = 0; k < sender->count; k++)
            fn(ctx, &sender->txs[k]->tx, k >= place && k < place + ready);
    }
}
