/* What this node's own users brought: a share of the pool in which nobody else's transactions push them out. */
#include "txpool/txpool_int.h"

static bool is_past(const struct txpool *pool, const struct txpool_usage *more, bool has_blobs)
{
    struct txpool_usage usage = pool->local_usage;
    usage_add(&usage, more);
    return usage_is_past(pool, &usage, has_blobs, pool->options.local_percent);
}

/* The sender's last local transaction becomes like any other. */
static void cut(struct txpool *pool, struct sender *sender)
{
    struct held *held = sender->txs[--sender->local_count];
    struct txpool_usage usage = held_usage(held);
    usage_sub(&pool->local_usage, &usage);
    keep_unclaim(pool, held);
    lanes_settle(pool, sender);
}

static struct sender *worst_of(const struct txpool *pool, bool has_blobs)
{
    const struct lane *lane = &pool->lanes[FOR_LOCAL][has_blobs];
    return lane->count ? lane->senders[0] : NULL;
}

bool local_claim(struct txpool *pool, const struct held *held, u64 account_nonce, bool is_wanted)
{
    const struct sender *own = sender_find(pool, &held->tx.sender);
    u32 place = own ? sender_place_of(own, held->tx.nonce) : 0;
    u32 local_count = own ? own->local_count : 0;
    bool has_blobs = held->tx.type == TX_BLOB;
    if (place < local_count)
        return true; /* local ones stand on it */
    if (!is_wanted || place >= pool->options.sender_local_max)
        return false;
    struct txpool_usage more = held_usage(held);
    for (u32 i = local_count; i < place; i++) {
        struct txpool_usage beneath = held_usage(own->txs[i]);
        usage_add(&more, &beneath);
    }
    if (usage_is_past(pool, &more, has_blobs, pool->options.local_percent))
        return false;
    struct rank rank = newcomer_rank(pool, held, account_nonce);
    while (is_past(pool, &more, has_blobs)) {
        struct sender *worst = worst_of(pool, has_blobs);
        if (!worst || worst == own || !rank_is_worse(&worst->in[FOR_LOCAL].rank, &rank))
            return false;
        cut(pool, worst);
    }
    return true;
}

void local_extend(struct txpool *pool, struct sender *sender, u32 place)
{
    while (sender->local_count <= place) {
        struct held *held = sender->txs[sender->local_count++];
        struct txpool_usage usage = held_usage(held);
        usage_add(&pool->local_usage, &usage);
        if (sender->local_count <= place) /* the last has come just now, and is kept as it came */
            keep_claim(pool, held);
    }
    lanes_settle(pool, sender);
}

void locals_trim(struct txpool *pool)
{
    static const struct txpool_usage nothing = {0};
    for (int has_blobs = 0; has_blobs < 2; has_blobs++)
        while (is_past(pool, &nothing, has_blobs) && worst_of(pool, has_blobs))
            cut(pool, worst_of(pool, has_blobs));
}
