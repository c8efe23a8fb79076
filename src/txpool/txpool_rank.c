/* Who leaves a full pool: a heap of senders by what their last transaction is worth. */
#include "base/mem.h"
#include "txpool/txpool_int.h"

static struct rank rank_of(const struct txpool *pool, const struct held *held, bool is_ready)
{
    const struct tx *tx = &held->tx;
    struct rank rank = {.order = held->order, .price = tx->max_fee};
    if (held->is_local)
        rank.class = RANK_LOCAL;
    else if (u256_lt(tx->max_fee, pool->base_fee))
        rank.class = RANK_BELOW_BASE_FEE;
    else
        rank.class = is_ready ? RANK_READY : RANK_QUEUED;
    if (!u256_lt(tx->max_fee, pool->base_fee))
        rank.price = u256_sub(tx_effective_gas_price(tx, pool->base_fee), pool->base_fee);
    return rank;
}

static bool is_worse(const struct rank *a, const struct rank *b)
{
    if (a->class != b->class)
        return a->class < b->class;
    if (!u256_eq(a->price, b->price))
        return u256_lt(a->price, b->price);
    return a->order > b->order;
}

/* The last transaction is ready when no nonce before it is missing. */
static void sender_rank(const struct txpool *pool, struct sender *sender)
{
    const struct held *last = sender->txs[sender->count - 1];
    bool is_ready = last->tx.nonce == sender->nonce + sender->count - 1;
    sender->rank = rank_of(pool, last, is_ready);
}

/* --- the heap --------------------------------------------------------------------------------- */

static void put(struct lane *lane, u32 place, struct sender *sender)
{
    lane->senders[place] = sender;
    sender->lane_place = place;
}

static void rise(struct lane *lane, u32 place)
{
    struct sender *sender = lane->senders[place];
    while (place && is_worse(&sender->rank, &lane->senders[(place - 1) / 2]->rank)) {
        put(lane, place, lane->senders[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(lane, place, sender);
}

static void sink(struct lane *lane, u32 place)
{
    struct sender *sender = lane->senders[place];
    for (;;) {
        u32 child = 2 * place + 1;
        if (child >= lane->count)
            break;
        if (child + 1 < lane->count &&
            is_worse(&lane->senders[child + 1]->rank, &lane->senders[child]->rank))
            child++;
        if (!is_worse(&lane->senders[child]->rank, &sender->rank))
            break;
        put(lane, place, lane->senders[child]);
        place = child;
    }
    put(lane, place, sender);
}

static struct lane *lane_of(struct txpool *pool, const struct sender *sender)
{
    return &pool->lanes[sender->has_blobs];
}

void lane_add(struct txpool *pool, struct sender *sender)
{
    struct lane *lane = lane_of(pool, sender);
    if (lane->count == lane->cap) {
        lane->cap = lane->cap ? 2 * lane->cap : 16;
        lane->senders = mem_realloc(lane->senders, lane->cap * sizeof(struct sender *));
    }
    sender_rank(pool, sender);
    put(lane, lane->count++, sender);
    rise(lane, sender->lane_place);
}

void lane_del(struct txpool *pool, struct sender *sender)
{
    struct lane *lane = lane_of(pool, sender);
    struct sender *last = lane->senders[--lane->count];
    if (last == sender)
        return;
    put(lane, sender->lane_place, last);
    rise(lane, last->lane_place);
    sink(lane, last->lane_place);
}

void lane_move(struct txpool *pool, struct sender *sender)
{
    struct lane *lane = lane_of(pool, sender);
    sender_rank(pool, sender);
    rise(lane, sender->lane_place);
    sink(lane, sender->lane_place);
}

void lanes_rank(struct txpool *pool)
{
    for (u32 i = 0; i < pool->sender_count; i++)
        sender_rank(pool, pool->senders[i]);
    for (size_t k = 0; k < ARRAY_LEN(pool->lanes); k++)
        for (u32 place = pool->lanes[k].count / 2; place > 0; place--)
            sink(&pool->lanes[k], place - 1);
}

/* --- room ------------------------------------------------------------------------------------- */

/* Would the pool, with this transaction, be past one of its bounds? */
static bool is_over(const struct txpool *pool, const struct held *held)
{
    const struct txpool_options *most = &pool->options;
    const struct txpool_usage *usage = &pool->usage;
    if (held->tx.type == TX_BLOB && (usage->blob_txs >= most->blob_txs_max ||
                                     usage->blob_bytes + held->blob_bytes > most->blob_bytes_max))
        return true;
    if (held->tx.type != TX_BLOB && usage->txs - usage->blob_txs >= most->txs_max)
        return true;
    return usage->bytes + held->size > most->bytes_max;
}

enum status make_room(struct txpool *pool, const struct held *held, u64 account_nonce,
                      struct err *err)
{
    struct lane *lane = &pool->lanes[held->tx.type == TX_BLOB];
    while (is_over(pool, held)) {
        const struct sender *own = sender_find(pool, &held->tx.sender);
        u32 ready = own ? sender_ready_count(own, account_nonce) : 0;
        struct rank rank = rank_of(pool, held, held->tx.nonce <= account_nonce + ready);
        struct sender *worst = lane->count ? lane->senders[0] : NULL;
        if (!worst || worst->rank.class == RANK_LOCAL)
            return err_set(err, STATUS_TOO_LARGE, "txpool is full");
        if (!is_worse(&worst->rank, &rank))
            return err_set(err, STATUS_TOO_LARGE,
                           "transaction underpriced: txpool is full of better payers");
        sender_remove(pool, worst, worst->count - 1);
        sender_drop_if_empty(pool, worst);
    }
    return STATUS_OK;
}
