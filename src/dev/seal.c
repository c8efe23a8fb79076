/* How transactions become blocks. */
#include <string.h>

#include "base/mem.h"
#include "dev/dev_int.h"
#include "prim/keccak.h"
#include "sys/ending.h"

enum { TX_GAS_LEAST = 21000, SPARE_TXS = 256 };

/* Nobody draws lots here; the parent's hash makes a value that differs from block to block. */
static hash32 lot_of(struct dev *dev, const hash32 *parent)
{
    if (!hash32_eq(&dev->parent, parent)) {
        dev->parent = *parent;
        keccak256(&dev->lot, parent->b, sizeof parent->b);
    }
    return dev->lot;
}

struct chain_attributes dev_next_attributes(struct dev *dev)
{
    const struct chain_block *head = chain_head(dev->chain);
    struct chain_attributes attributes = {
        .timestamp = dev_timestamp(dev),
        .coinbase = dev->coinbase,
        .gas_limit = dev->gas_limit,
        .has_base_fee = dev->has_base_fee,
        .base_fee = dev->base_fee,
        .extra = (const u8 *)"ashlar",
        .extra_len = 6,
    };
    attributes.prev_randao =
        dev->has_prev_randao ? dev->prev_randao : lot_of(dev, &head->block.hash);
    return attributes;
}

void dev_next_header(struct dev *dev, struct header *header)
{
    struct chain_attributes attributes = dev_next_attributes(dev);
    chain_next_header(dev->chain, &attributes, header);
}

/* What would never be includable is dropped; what may become so stays. */
static bool is_hopeless(enum tx_verdict verdict)
{
    switch (verdict) {
    case TX_OK:
    case TX_NONCE_TOO_HIGH:
    case TX_BLOCK_GAS_LIMIT:
    case TX_FEE_BELOW_BASE_FEE:
    case TX_BLOB_FEE_TOO_LOW:
    case TX_BLOB_GAS_LIMIT: return false;
    default: return true;
    }
}

/* What became of the transactions offered to a block. */
struct sealed {
    u32 picked, included;
    hash32 first; /* if picked: the first one's hash and verdict */
    enum tx_verdict verdict;
};

/* The transactions that may go into a block; `one` saves the heap a visit. */
struct offer {
    u32 count;
    struct tx one, *txs;
    enum tx_verdict first_verdict, *verdicts;
};

/* No block of that gas limit has more; some beyond it may take the place of others that do not fit. */
static u32 offer_max(const struct dev *dev, u32 max)
{
    u64 most = dev->gas_limit / TX_GAS_LEAST + SPARE_TXS;
    u32 count = txpool_count(dev->pool);
    if (count > most)
        count = (u32)most;
    return count < max ? count : max;
}

static void offer_init(struct offer *offer, struct dev *dev, u256 base_fee, u32 max)
{
    max = offer_max(dev, max);
    offer->count = 0;
    offer->txs = &offer->one;
    offer->verdicts = &offer->first_verdict;
    if (max > 1) {
        offer->txs = mem_alloc(max * sizeof *offer->txs);
        offer->verdicts = mem_alloc(max * sizeof *offer->verdicts);
    }
    if (max)
        offer->count =
            txpool_pick(dev->pool, chain_state_look(dev->chain), base_fee, offer->txs, max);
}

static void offer_fini(struct offer *offer)
{
    if (offer->txs == &offer->one)
        return;
    mem_free(offer->txs);
    mem_free(offer->verdicts);
}

static void drop_settled(struct dev *dev, const struct offer *offer)
{
    for (u32 i = 0; i < offer->count; i++) {
        hash32 hash = offer->txs[i].hash;
        if (offer->verdicts[i] == TX_OK || is_hopeless(offer->verdicts[i]))
            txpool_remove(dev->pool, &hash);
    }
}

/* Makes a block of what is offered. */
static enum status seal_offer(struct dev *dev, const struct offer *offer,
                              const struct chain_attributes *attributes, struct sealed *sealed,
                              struct err *err)
{
    const struct chain_block *block =
        chain_build(dev->chain, attributes, offer->txs, offer->count, offer->verdicts);
    if (!block)
        return err_set(err, STATUS_NOT_FOUND,
                       "no block can be made: a system contract of this fork is missing");
    sealed->included = block->block.tx_count;
    if (offer->count) {
        sealed->first = offer->txs[0].hash;
        sealed->verdict = offer->verdicts[0];
    }
    drop_settled(dev, offer);
    dev->next_timestamp = 0;
    dev->has_base_fee = dev->has_prev_randao = false;
    dev_tell_changed(dev);
    return STATUS_OK;
}

/*
 * One block of at most `max` ready transactions. A chain that seals at once (max 1) makes no block when there is
 * nothing to put into it.
 */
static enum status seal(struct dev *dev, u32 max, struct sealed *sealed, struct err *err)
{
    struct header next;
    struct offer offer;
    struct chain_attributes attributes = dev_next_attributes(dev);
    chain_next_header(dev->chain, &attributes, &next);
    offer_init(&offer, dev, next.base_fee, max);
    *sealed = (struct sealed){.picked = offer.count};
    enum status status = STATUS_OK;
    if (max != 1 || offer.count)
        status = seal_offer(dev, &offer, &attributes, sealed, err);
    offer_fini(&offer);
    return status;
}

enum status dev_mine(struct dev *dev, u64 count, u64 step_s, struct err *err)
{
    if (count > DEV_MINE_MAX)
        return err_set(err, STATUS_TOO_LARGE, "at most %u blocks at a time", DEV_MINE_MAX);
    for (u64 i = 0; i < count; i++) {
        struct sealed sealed;
        if (ending_is_wished())
            return err_set(err, STATUS_STOPPED, "the node is stopping: %llu of %llu blocks made",
                           (unsigned long long)i, (unsigned long long)count);
        if (i && step_s)
            dev->next_timestamp = chain_head(dev->chain)->block.header.timestamp + step_s;
        enum status status = seal(dev, UINT32_MAX, &sealed, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The pool's view of the next block. */
static struct txpool_view pool_view(struct dev *dev)
{
    struct header next;
    dev_next_header(dev, &next);
    return (struct txpool_view){
        .config = chain_config(dev->chain),
        .state = chain_state_look(dev->chain),
        .fork = chain_fork(dev->chain, &next),
        .number = next.number,
        .timestamp = next.timestamp,
        .gas_limit = next.gas_limit,
        .base_fee = next.base_fee,
    };
}

void dev_pool_keep(struct dev *dev, struct db *db)
{
    struct txpool_view view = pool_view(dev);
    txpool_keep(dev->pool, db, &view);
}

void dev_pool_follow(struct dev *dev)
{
    struct txpool_view view = pool_view(dev);
    txpool_update(dev->pool, &view);
}

void dev_state_changed(struct dev *dev)
{
    dev_pool_follow(dev);
    dev_tell_changed(dev);
}

u64 dev_next_nonce(struct dev *dev, const addr20 *addr)
{
    u64 nonce = state_nonce(chain_state_look(dev->chain), addr);
    return txpool_next_nonce(dev->pool, addr, nonce);
}

/* --- sending -------------------------------------------------------------------------------- */

static enum status fee_too_low(const struct tx *tx, u256 base_fee, struct err *err)
{
    char fee[U256_DEC_MAX], base[U256_DEC_MAX];
    fee[u256_format_dec(fee, tx->max_fee)] = 0;
    base[u256_format_dec(base, base_fee)] = 0;
    return err_set(err, STATUS_INVALID, "%s: maxFeePerGas: %s, baseFee: %s",
                   tx_verdict_text(TX_FEE_BELOW_BASE_FEE), fee, base);
}

/* Seals what is ready, a transaction a block. When the one just sent is refused, err says why. */
static enum status seal_ready(struct dev *dev, const hash32 *sent, struct err *err)
{
    while (txpool_count(dev->pool)) {
        struct sealed sealed;
        enum status status = seal(dev, 1, &sealed, err);
        if (status != STATUS_OK)
            return status;
        if (!sealed.picked)
            return STATUS_OK;
        if (sealed.included)
            continue;
        txpool_remove(dev->pool, &sealed.first);
        if (hash32_eq(&sealed.first, sent))
            return err_set(err, STATUS_INVALID, "%s", tx_verdict_text(sealed.verdict));
    }
    return STATUS_OK;
}

/* An instant chain says at once that a fee is too low, rather than let the transaction wait. */
static enum status check_left_over(struct dev *dev, const hash32 *sent, struct err *err)
{
    struct header next;
    const struct tx *tx = txpool_get(dev->pool, sent);
    if (!tx)
        return STATUS_OK;
    bool is_next = tx->nonce == state_nonce(chain_state_look(dev->chain), &tx->sender);
    dev_next_header(dev, &next);
    if (!is_next || !u256_lt(tx->max_fee, next.base_fee))
        return STATUS_OK;
    enum status status = fee_too_low(tx, next.base_fee, err);
    txpool_remove(dev->pool, sent);
    return status;
}

enum status dev_send(struct dev *dev, const u8 *bytes, size_t len, const addr20 *sender,
                     hash32 *hash, struct err *err)
{
    const struct tx *tx;
    struct txpool_view view = pool_view(dev);
    struct txpool_arrival arrival = {bytes, len, sender, true, false};
    enum status status = txpool_add(dev->pool, &view, &arrival, &tx, err);
    if (status != STATUS_OK)
        return status;
    hash32 sent = tx->hash;
    dev->arrivals[dev->arrival_count++ % DEV_ARRIVALS] = sent;
    dev_tell_changed(dev);
    if (dev->sealing.automine) {
        status = seal_ready(dev, &sent, err);
        if (status == STATUS_OK)
            status = check_left_over(dev, &sent, err);
    }
    if (status == STATUS_OK)
        *hash = sent;
    return status;
}
