/* ots: what is found by an address. Answered from the index by address (chain/addresses.h). */
#include "base/mem.h"
#include "chain/addresses.h"
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"

static bool need_index(struct rpc_call *call, u64 *from)
{
    return chain_addresses_from(call->chain, from) ||
           rpc_fail(call, RPC_SERVER_ERROR,
                    "there is no index by address: --address-index keeps one, and so does "
                    "--profile explorer");
}

/* What is not found may be older than the index. */
static bool is_below(struct rpc_call *call, u64 from)
{
    return from && !rpc_fail(call, RPC_SERVER_ERROR,
                             "not found since block %llu, with which the index by address begins",
                             (unsigned long long)from);
}

/* --- pages of an address ---------------------------------------------------------------------- */

struct page {
    struct buf places; /* of struct chain_place, as found */
    u32 count, wanted;
    u64 last;  /* the block of the last one */
    u64 floor; /* blocks below are not looked at */
    bool has_more;
};

/* A block that was begun is shown to its end, though that may be more than a page. */
static bool take_place(void *ctx, struct chain_place place)
{
    struct page *page = ctx;
    if (place.number < page->floor)
        return false;
    page->has_more = page->count >= page->wanted && place.number != page->last;
    if (page->has_more)
        return false;
    buf_add(&page->places, &place, sizeof place);
    page->last = place.number;
    page->count++;
    return true;
}

static bool take_one(void *ctx, struct chain_place place)
{
    (void)place;
    *(bool *)ctx = true;
    return false;
}

static bool is_any(struct rpc_call *call, const addr20 *addr, u64 number, bool is_back)
{
    bool is_there = false;
    chain_each_place(call->chain, addr, number, is_back, take_one, &is_there);
    return is_there;
}

static struct chain_place page_place(const struct page *page, u32 i)
{
    struct chain_place place;
    memcpy(&place, page->places.data + i * sizeof place, sizeof place);
    return place;
}

static void put_place(struct rpc_call *call, struct buf *txs, struct chain_place place)
{
    const struct chain_block *block = chain_by_number(call->chain, place.number);
    if (!block || place.index >= block->block.tx_count) {
        rpc_fail(call, RPC_INTERNAL, "block %llu cannot be read", (unsigned long long)place.number);
        return;
    }
    shape_tx(txs, NULL, &block->block.txs[place.index], block, place.index);
    json_out_object(call->out, NULL);
    shape_receipt_members(call, block, place.index, true);
    json_out_u64(call->out, "timestamp", block->block.header.timestamp);
    json_out_object_end(call->out);
}

/* The newest first; each block is looked up once for both lists. */
static void put_page(struct rpc_call *call, const struct page *page, bool is_back, bool is_first,
                     bool is_last)
{
    struct buf txs;
    buf_init(&txs, call->rpc->options.answer_max);
    json_out_array(&txs, NULL);
    json_out_object(call->out, RPC_RESULT);
    json_out_array(call->out, "receipts");
    for (u32 i = 0; i < page->count && !rpc_failed(call) && rpc_goes_on(call); i++)
        put_place(call, &txs, page_place(page, is_back ? i : page->count - 1 - i));
    json_out_array_end(call->out);
    json_out_array_end(&txs);
    if (txs.full)
        rpc_fail(call, RPC_RESPONSE_TOO_LARGE, "the page is larger than %u bytes",
                 call->rpc->options.answer_max);
    json_out_raw(call->out, "txs", txs.data, txs.len);
    json_out_bool(call->out, "firstPage", is_first);
    json_out_bool(call->out, "lastPage", is_last);
    json_out_object_end(call->out);
    buf_fini(&txs);
}

/* Block 0 stands for the chain's end that the search comes from. The first page has the newest, the last one the oldest. */
static void search(struct rpc_call *call, bool is_back)
{
    addr20 addr;
    u64 number, from;
    struct page page = {.count = 0};
    if (!param_addr(call, 0, &addr) || !param_loose_u64(call, 1, &number) ||
        !param_page_size(call, 2, &page.wanted) || !need_index(call, &from))
        return;
    if (from && number && (is_back ? number <= from : number < from - 1)) {
        rpc_fail(call, RPC_SERVER_ERROR, "the index by address begins with block %llu",
                 (unsigned long long)from);
        return;
    }
    u64 begin = is_back ? number - 1 : number ? number + 1 : from; /* 0 - 1: whatever is newest */
    bool is_end = !number || !is_any(call, &addr, number, !is_back);
    page.floor = from;
    buf_init(&page.places, SIZE_MAX / 2);
    if (is_back || number < UINT64_MAX)
        chain_each_place(call->chain, &addr, begin, is_back, take_place, &page);
    bool is_first = is_back ? is_end : !page.has_more;
    bool is_last = is_back ? !page.has_more : is_end;
    put_page(call, &page, is_back, is_first, is_last && !from);
    buf_fini(&page.places);
}

static void ots_searchTransactionsBefore(struct rpc_call *call)
{
    search(call, true);
}

static void ots_searchTransactionsAfter(struct rpc_call *call)
{
    search(call, false);
}

/* --- single transactions ---------------------------------------------------------------------- */

static const hash32 *hash_at(struct rpc_call *call, struct chain_place place)
{
    const struct chain_block *block = chain_by_number(call->chain, place.number);
    if (block && place.index < block->block.tx_count)
        return &block->block.txs[place.index].hash;
    rpc_fail(call, RPC_INTERNAL, "block %llu cannot be read", (unsigned long long)place.number);
    return NULL;
}

/* Is there one that the index need not know of, since the nonce is in use? */
static bool is_used(struct rpc_call *call, const addr20 *sender, u64 nonce)
{
    struct state *state;
    struct block_ref head = {.block = chain_head(call->chain)};
    if (!view_open(call, &head, &state))
        return false;
    bool is_spent = state_nonce(state, sender) > nonce;
    view_close(call, state);
    return is_spent;
}

/* Without an index states tell when a nonce was used, as far back as they can be read. */
static void ots_getTransactionBySenderAndNonce(struct rpc_call *call)
{
    addr20 sender;
    u64 nonce, from = 1;
    u32 index;
    struct chain_place place;
    if (!param_addr(call, 0, &sender) || !param_loose_u64(call, 1, &nonce))
        return;
    bool has_index = chain_addresses_from(call->chain, &from);
    const hash32 *hash = NULL;
    if (has_index && chain_find_sent(call->chain, &sender, nonce, &place))
        hash = hash_at(call, place);
    if (!hash && (!has_index || from) && !rpc_failed(call)) {
        const struct chain_block *block = view_find_by_nonce(call, &sender, nonce, &index);
        hash = block ? &block->block.txs[index].hash : NULL;
    }
    bool may_be_older = from && chain_oldest_readable(call->chain);
    if (hash)
        json_out_hash(call->out, RPC_RESULT, hash);
    else if (!may_be_older || !is_used(call, &sender, nonce))
        json_out_null(call->out, RPC_RESULT);
    else if (need_index(call, &from))
        is_below(call, from);
}

static bool is_contract(struct rpc_call *call, const addr20 *addr, bool *has_code)
{
    struct state *state;
    struct block_ref head = {.block = chain_head(call->chain)};
    if (!view_open(call, &head, &state))
        return false;
    *has_code = state_code(state, addr).len != 0;
    view_close(call, state);
    return true;
}

/* Accounts without code, or whose code was there from the genesis on, have none. */
static void ots_getContractCreator(struct rpc_call *call)
{
    u64 from;
    addr20 contract, creator;
    struct chain_place place;
    bool has_code;
    if (!param_addr(call, 0, &contract) || !need_index(call, &from) ||
        !is_contract(call, &contract, &has_code))
        return;
    bool is_found = has_code && chain_find_creation(call->chain, &contract, &place, &creator);
    if (!is_found && has_code && is_below(call, from))
        return;
    const hash32 *hash = is_found ? hash_at(call, place) : NULL;
    if (!hash) {
        json_out_null(call->out, RPC_RESULT);
        return;
    }
    json_out_object(call->out, RPC_RESULT);
    json_out_hash(call->out, "hash", hash);
    json_out_addr(call->out, "creator", &creator);
    json_out_object_end(call->out);
}

const struct rpc_method RPC_OTS_SEARCH[] = {
    {"ots_getContractCreator", ots_getContractCreator, "address"},
    {"ots_getTransactionBySenderAndNonce", ots_getTransactionBySenderAndNonce, "address nonce"},
    {"ots_searchTransactionsAfter", ots_searchTransactionsAfter, "address number pageSize"},
    {"ots_searchTransactionsBefore", ots_searchTransactionsBefore, "address number pageSize"},
    {NULL, NULL, NULL},
};
