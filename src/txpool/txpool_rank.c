/* Who leaves a full pool: a heap of senders by what their last transaction is worth. */
#include "base/mem.h"
#include "txpool/txpool_int.h"

static struct rank rank_of(const struct txpool *pool, const struct held *held, bool is_ready)
{
    const struct tx *tx = &held->tx;
    struct rank rank = {.order = held->order, .price = tx->max_fee};
    if (u256_lt(tx->max_fee, pool->base_fee))
        rank.class = RANK_BELOW_BASE_FEE;
    else
        rank.class = is_ready ? RANK_READY : RANK_QUEUED;
    if (!u256_lt(tx->max_fee, pool->base_fee))
        rank.price = u256_sub(tx_effective_gas_price(tx, pool->base_fee), pool->base_fee);
    return rank;
}

struct rank newcomer_rank(const struct txpool *pool, const struct held *held, u64 account_nonce)
{
    const struct sender *own = sender_find(pool, &held->tx.sender);
    u32 ready = own ? sender_ready_count(own, account_nonce) : 0;
    return rank_of(pool, held, held->tx.nonce <= account_nonce + ready);
}

bool rank_is_worse(const struct rank *a, const struct rank *b)
{
    if (a->class != b->class)
        return a->class < b->class;
    if (!u256_eq(a->price, b->price))
        return u256_lt(a->price, b->price);
    return a->order > b->order;
}

/* How many of the sender's transactions take part: the last of them is what counts. */
static u32 contenders(const struct sender *sender, enum contest contest)
{
    return contest == FOR_LOCAL ? sender->local_count : sender->count;
}

/* A transaction is ready when no nonce before it is missing. */
static void sender_rank(const struct txpool *pool, struct sender *sender, enum contest contest)
{
    u32 last = contenders(sender, contest) - 1;
    const struct held *held = sender->txs[last];
    struct rank *rank = &sender->in[contest].rank;
    *rank = rank_of(pool, held, held->tx.nonce == sender->nonce + last);
    if (contest == FOR_PLACE && last < sender->local_count)
        rank->class = RANK_LOCAL;
}

/* --- the heap --------------------------------------------------------------------------------- */

static bool is_before(const struct lane *lane, const struct sender *a, const struct sender *b)
{
    return rank_is_worse(&a->in[lane->contest].rank, &b->in[lane->contest].rank);
}

static void put(struct lane *lane, u32 place, struct sender *sender)
{
    lane->senders[place] = sender;
    sender->in[lane->contest].place = place;
}

static void rise(struct lane *lane, u32 place)
{
    struct sender *sender = lane->senders[place];
    while (place && is_before(lane, sender, lane->senders[(place - 1) / 2])) {
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
            is_before(lane, lane->senders[child + 1], lane->senders[child]))
            child++;
        if (!is_before(lane, lane->senders[child], sender))
            break;
        put(lane, place, lane->senders[child]);
        place = child;
    }
    put(lane, place, sender);
}

static void lane_add(struct lane *lane, struct sender *sender)
{
    if (lane->count == lane->cap) {
        lane->cap = lane->cap ? 2 * lane->cap : 16;
        lane->senders = mem_realloc(lane->senders, lane->cap * sizeof(struct sender *));
    }
    put(lane, lane->count++, sender);
}

static void lane_del(struct lane *lane, struct sender *sender)
{
    u32 place = sender->in[lane->contest].place;
    struct sender *last = lane->senders[--lane->count];
    sender->in[lane->contest].place = NOT_THERE;
    if (last == sender)
        return;
    put(lane, place, last);
    rise(lane, place);
    sink(lane, last->in[lane->contest].place);
}

void lanes_init(struct txpool *pool)
{
    for (int contest = 0; contest < CONTESTS; contest++)
        for (int has_blobs = 0; has_blobs < 2; has_blobs++)
            pool->lanes[contest][has_blobs].contest = (enum contest)contest;
}

void lanes_settle(struct txpool *pool, struct sender *sender)
{
    for (int contest = 0; contest < CONTESTS; contest++) {
        struct lane *lane = &pool->lanes[contest][sender->has_blobs];
        bool is_there = sender->in[contest].place != NOT_THERE;
        if (!contenders(sender, lane->contest)) {
            if (is_there)
                lane_del(lane, sender);
            continue;
        }
        sender_rank(pool, sender, lane->contest);
        if (!is_there)
            lane_add(lane, sender);
        rise(lane, sender->in[contest].place);
        sink(lane, sender->in[contest].place);
    }
}

void lanes_rank(struct txpool *pool)
{
    for (int contest = 0; contest < CONTESTS; contest++) {
        for (int has_blobs = 0; has_blobs < 2; has_blobs++) {
            struct lane *lane = &pool->lanes[contest][has_blobs];
            for (u32 place = 0; place < lane->count; place++)
                sender_rank(pool, lane->senders[place], lane->contest);
            for (u32 place = lane->count / 2; place > 0; place--)
                sink(lane, place - 1);
        }
    }
}

/* --- room ------------------------------------------------------------------------------------- */

static bool is_past(u64 count, u64 most, u32 percent)
{
    return count * 100 > most * percent;
}

/* Past the bounds that those with blobs, or those without, have for themselves? */
static bool kind_is_past(const struct txpool *pool, const struct txpool_usage *usage,
                         bool has_blobs, u32 percent)
{
    const struct txpool_options *most = &pool->options;
    if (!has_blobs)
        return is_past(usage->txs - usage->blob_txs, most->txs_max, percent);
    return is_past(usage->blob_txs, most->blob_txs_max, percent) ||
           is_past(usage->blob_bytes, most->blob_bytes_max, percent);
}

bool usage_is_past(const struct txpool *pool, const struct txpool_usage *usage, bool has_blobs,
                   u32 percent)
{
    return is_past(usage->bytes, pool->options.bytes_max, percent) ||
           kind_is_past(pool, usage, has_blobs, percent);
}

/* The pool's with this transaction and without the one it replaces. */
static struct txpool_usage usage_with(const struct txpool *pool, const struct sender *own,
                                      const struct held *held)
{
    struct txpool_usage usage = pool->usage, more = held_usage(held);
    const struct held *old = sender_at_nonce(own, held->tx.nonce);
    usage_add(&usage, &more);
    if (old) {
        struct txpool_usage less = held_usage(old);
        usage_sub(&usage, &less);
    }
    return usage;
}

static struct sender *worst_of(const struct txpool *pool, bool has_blobs)
{
    const struct lane *lane = &pool->lanes[FOR_PLACE][has_blobs];
    return lane->count ? lane->senders[0] : NULL;
}

/* Whose last transaction is worth least of those that can make room: memory is everybody's. */
static struct sender *worst_for(const struct txpool *pool, const struct txpool_usage *usage,
                                bool has_blobs)
{
    struct sender *alike = worst_of(pool, has_blobs), *other = worst_of(pool, !has_blobs);
    if (kind_is_past(pool, usage, has_blobs, 100) || !other)
        return alike;
    bool is_other = !alike || rank_is_worse(&other->in[FOR_PLACE].rank, &alike->in[FOR_PLACE].rank);
    return is_other ? other : alike;
}

/* Taken out to make room, until it is known whether there will be enough. */
struct evicted {
    struct {
        struct held *held;
        u64 account_nonce;
    } *list;
    u32 count, cap;
};

static void evict(struct txpool *pool, struct sender *sender, struct evicted *evicted)
{
    if (evicted->count == evicted->cap) {
        evicted->cap = evicted->cap ? 2 * evicted->cap : 8;
        evicted->list = mem_realloc(evicted->list, evicted->cap * sizeof *evicted->list);
    }
    u32 i = evicted->count++;
    evicted->list[i].account_nonce = sender->nonce;
    evicted->list[i].held = held_take(pool, sender, sender->count - 1);
    sender_drop_if_empty(pool, sender);
}

static enum status evict_worse(struct txpool *pool, const struct held *held, u64 account_nonce,
                               bool is_local, struct evicted *evicted, struct err *err)
{
    bool has_blobs = held->tx.type == TX_BLOB;
    for (;;) {
        const struct sender *own = sender_find(pool, &held->tx.sender);
        struct txpool_usage usage = usage_with(pool, own, held);
        if (!usage_is_past(pool, &usage, has_blobs, 100))
            return STATUS_OK;
        struct rank rank = newcomer_rank(pool, held, account_nonce);
        struct sender *worst = worst_for(pool, &usage, has_blobs);
        if (!worst || worst->in[FOR_PLACE].rank.class == RANK_LOCAL)
            return err_set(err, STATUS_TOO_LARGE, "txpool is full");
        if (is_local)
            rank.class = RANK_LOCAL;
        /* Nor can it push out what it would stand on. */
        bool stands_on = worst == own && worst->txs[worst->count - 1]->tx.nonce < held->tx.nonce;
        if (stands_on || !rank_is_worse(&worst->in[FOR_PLACE].rank, &rank))
            return err_set(err, STATUS_TOO_LARGE,
                           "transaction underpriced: txpool is full of better payers");
        evict(pool, worst, evicted);
    }
}

enum status make_room(struct txpool *pool, const struct held *held, u64 account_nonce,
                      bool is_local, struct err *err)
{
    struct evicted evicted = {0};
    enum status status = evict_worse(pool, held, account_nonce, is_local, &evicted, err);
    for (u32 i = 0; i < evicted.count; i++) {
        struct held *one = evicted.list[i].held;
        if (status == STATUS_OK)
            held_drop(pool, one);
        else
            held_insert(pool, one, evicted.list[i].account_nonce);
    }
    mem_free(evicted.list);
    return status;
}
