/* How transactions become blocks. */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "dev/dev.h"
#include "prim/keccak.h"

static struct chain_attributes attributes_of(const struct dev *dev)
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
    /* Nobody draws lots here; the parent's hash makes a value that differs from block to block. */
    if (dev->has_prev_randao)
        attributes.prev_randao = dev->prev_randao;
    else
        keccak256(&attributes.prev_randao, head->block.hash.b, sizeof head->block.hash.b);
    return attributes;
}

void dev_next_header(struct dev *dev, struct header *header)
{
    struct chain_attributes attributes = attributes_of(dev);
    chain_next_header(dev->chain, &attributes, header);
}

static struct state *head_state(struct dev *dev)
{
    struct state *state;
    bool held = chain_state_at(dev->chain, chain_head(dev->chain)->block.header.number, &state);
    assert(held);
    return state;
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

/*
 * One block of at most `max` ready transactions. A chain that seals at once (max 1) makes no block when there is
 * nothing to put into it.
 */
static enum status seal(struct dev *dev, u32 max, struct sealed *sealed, struct err *err)
{
    if (!dev->picked) {
        dev->picked = NEW_ARRAY(struct tx, DEV_BLOCK_TXS_MAX);
        dev->verdicts = NEW_ARRAY(enum tx_verdict, DEV_BLOCK_TXS_MAX);
    }
    struct header next;
    dev_next_header(dev, &next);
    u32 count = 0;
    if (txpool_count(dev->pool)) {
        struct state *state = head_state(dev);
        count = txpool_pick(dev->pool, state, next.base_fee, dev->picked, max);
        chain_state_release(dev->chain, state);
    }
    *sealed = (struct sealed){.picked = count};
    if (max == 1 && !count)
        return STATUS_OK;
    struct chain_attributes attributes = attributes_of(dev);
    attributes.timestamp = next.timestamp;
    const struct chain_block *block =
        chain_build(dev->chain, &attributes, dev->picked, count, dev->verdicts);
    if (!block)
        return err_set(err, STATUS_NOT_FOUND,
                       "no block can be made: a system contract of this fork is missing");
    sealed->included = block->block.tx_count;
    if (count) {
        sealed->first = dev->picked[0].hash;
        sealed->verdict = dev->verdicts[0];
    }
    for (u32 i = 0; i < count; i++) {
        hash32 hash = dev->picked[i].hash;
        if (dev->verdicts[i] == TX_OK || is_hopeless(dev->verdicts[i]))
            txpool_remove(dev->pool, &hash);
    }
    dev->next_timestamp = 0;
    dev->has_base_fee = dev->has_prev_randao = false;
    return STATUS_OK;
}

enum status dev_mine(struct dev *dev, u64 count, u64 step_s, struct err *err)
{
    if (count > DEV_MINE_MAX)
        return err_set(err, STATUS_TOO_LARGE, "at most %u blocks at a time", DEV_MINE_MAX);
    for (u64 i = 0; i < count; i++) {
        struct sealed sealed;
        if (i && step_s)
            dev->next_timestamp = chain_head(dev->chain)->block.header.timestamp + step_s;
        enum status status = seal(dev, DEV_BLOCK_TXS_MAX, &sealed, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void dev_state_changed(struct dev *dev)
{
    struct state *state = head_state(dev);
    txpool_update(dev->pool, state);
    chain_state_release(dev->chain, state);
}

u64 dev_next_nonce(struct dev *dev, const addr20 *addr)
{
    struct state *state = head_state(dev);
    u64 nonce = txpool_next_nonce(dev->pool, addr, state_nonce(state, addr));
    chain_state_release(dev->chain, state);
    return nonce;
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
    struct state *state = head_state(dev);
    bool is_next = tx->nonce == state_nonce(state, &tx->sender);
    chain_state_release(dev->chain, state);
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
    struct header next;
    dev_next_header(dev, &next);
    struct txpool_view view = {
        .config = chain_config(dev->chain),
        .state = head_state(dev),
        .fork = chain_fork(dev->chain, &next),
        .timestamp = next.timestamp,
        .gas_limit = next.gas_limit,
    };
    enum status status = txpool_add(dev->pool, &view, bytes, len, sender, &tx, err);
    chain_state_release(dev->chain, view.state);
    if (status != STATUS_OK)
        return status;
    hash32 sent = tx->hash;
    dev->arrivals[dev->arrival_count++ % DEV_ARRIVALS] = sent;
    if (dev->sealing.automine) {
        status = seal_ready(dev, &sent, err);
        if (status == STATUS_OK)
            status = check_left_over(dev, &sent, err);
    }
    if (status == STATUS_OK)
        *hash = sent;
    return status;
}
