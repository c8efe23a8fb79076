/* txpool: what waits for a block. */
#include <stdio.h>

#include "prim/hex.h"
#include "rpc/param.h"
#include "rpc/shape.h"

/* Writes one half of the pool; the pool gives transactions by sender and nonce. */
struct lister {
    struct buf *out;
    void (*put)(struct buf *out, const char *key, const struct tx *tx);
    bool wants_ready;
    const addr20 *only; /* one sender's, without the level of senders */
    addr20 sender;
    bool is_open;
};

static void list_one(void *ctx, const struct tx *tx, bool is_ready)
{
    struct lister *lister = ctx;
    char key[2 * sizeof(addr20) + 3], nonce[24];
    if (is_ready != lister->wants_ready || (lister->only && !addr20_eq(lister->only, &tx->sender)))
        return;
    if (!lister->only && (!lister->is_open || !addr20_eq(&lister->sender, &tx->sender))) {
        if (lister->is_open)
            json_out_object_end(lister->out);
        hex_encode(key, tx->sender.b, sizeof tx->sender.b);
        json_out_object(lister->out, key);
        lister->is_open = true;
        lister->sender = tx->sender;
    }
    snprintf(nonce, sizeof nonce, "%llu", (unsigned long long)tx->nonce);
    lister->put(lister->out, nonce, tx);
}

static struct state *head_state(struct rpc_call *call)
{
    struct state *state;
    if (chain_state_at(call->chain, chain_head(call->chain)->block.header.number, &state))
        return state;
    rpc_fail(call, RPC_INTERNAL, "the head's state is not available");
    return NULL;
}

static void list_half(struct rpc_call *call, struct state *state, const char *key, bool ready,
                      struct lister lister)
{
    lister.out = call->out;
    lister.wants_ready = ready;
    json_out_object(call->out, key);
    txpool_each(call->dev->pool, state, list_one, &lister);
    if (lister.is_open)
        json_out_object_end(call->out);
    json_out_object_end(call->out);
}

static void list(struct rpc_call *call, struct lister lister)
{
    struct state *state = head_state(call);
    if (!state)
        return;
    json_out_object(call->out, RPC_RESULT);
    list_half(call, state, "pending", true, lister);
    list_half(call, state, "queued", false, lister);
    json_out_object_end(call->out);
    chain_state_release(call->chain, state);
}

static void put_whole(struct buf *out, const char *key, const struct tx *tx)
{
    shape_tx(out, key, tx, NULL, 0);
}

/* "0x...: 5 wei + 21000 gas × 7 wei", geth's words. */
static void put_summary(struct buf *out, const char *key, const struct tx *tx)
{
    char value[U256_DEC_MAX], price[U256_DEC_MAX], to[2 * sizeof(addr20) + 3], text[300];
    value[u256_format_dec(value, tx->value)] = 0;
    price[u256_format_dec(price, tx->max_fee)] = 0;
    hex_encode(to, tx->to.b, sizeof tx->to.b);
    snprintf(text, sizeof text, "%s: %s wei + %llu gas \xc3\x97 %s wei",
             tx->is_create ? "contract creation" : to, value, (unsigned long long)tx->gas, price);
    json_out_text(out, key, text);
}

static void txpool_content(struct rpc_call *call)
{
    list(call, (struct lister){.put = put_whole});
}

static void txpool_inspect(struct rpc_call *call)
{
    list(call, (struct lister){.put = put_summary});
}

static void txpool_contentFrom(struct rpc_call *call)
{
    addr20 sender;
    if (param_addr(call, 0, &sender))
        list(call, (struct lister){.put = put_whole, .only = &sender});
}

static void count_one(void *ctx, const struct tx *tx, bool is_ready)
{
    (void)tx;
    u64 *counts = ctx;
    counts[is_ready]++;
}

static void txpool_status(struct rpc_call *call)
{
    u64 counts[2] = {0};
    struct state *state = head_state(call);
    if (!state)
        return;
    txpool_each(call->dev->pool, state, count_one, counts);
    chain_state_release(call->chain, state);
    json_out_object(call->out, RPC_RESULT);
    json_out_quantity(call->out, "pending", counts[1]);
    json_out_quantity(call->out, "queued", counts[0]);
    json_out_object_end(call->out);
}

/* eth's older view: what waits of the node's own accounts. */
static void pending_one(void *ctx, const struct tx *tx, bool is_ready)
{
    struct rpc_call *call = ctx;
    if (is_ready && dev_accounts_find(&call->dev->accounts, &tx->sender))
        shape_tx(call->out, NULL, tx, NULL, 0);
}

static void eth_pendingTransactions(struct rpc_call *call)
{
    struct state *state = head_state(call);
    if (!state)
        return;
    json_out_array(call->out, RPC_RESULT);
    txpool_each(call->dev->pool, state, pending_one, call);
    json_out_array_end(call->out);
    chain_state_release(call->chain, state);
}

const struct rpc_method RPC_TXPOOL[] = {
    {"eth_pendingTransactions", eth_pendingTransactions, ""},
    {"txpool_content", txpool_content, ""},
    {"txpool_contentFrom", txpool_contentFrom, "address"},
    {"txpool_inspect", txpool_inspect, ""},
    {"txpool_status", txpool_status, ""},
    {NULL, NULL, NULL},
};
