/* eth: the chain, its blocks, transactions and receipts. */
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"

static void eth_chainId(struct rpc_call *call)
{
    json_out_quantity(call->out, RPC_RESULT, chain_config(call->chain)->chain_id);
}

static void eth_blockNumber(struct rpc_call *call)
{
    json_out_quantity(call->out, RPC_RESULT, chain_head(call->chain)->block.header.number);
}

static void eth_syncing(struct rpc_call *call)
{
    json_out_bool(call->out, RPC_RESULT, false);
}

static void eth_mining(struct rpc_call *call)
{
    json_out_bool(call->out, RPC_RESULT, false);
}

static void eth_protocolVersion(struct rpc_call *call)
{
    json_out_text(call->out, RPC_RESULT, "0x44"); /* eth/68 */
}

static void eth_coinbase(struct rpc_call *call)
{
    json_out_addr(call->out, RPC_RESULT, &call->dev->coinbase);
}

/* --- blocks --------------------------------------------------------------------------------- */

/* Unlike state queries, these need their block named. */
static bool number_ref(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    return param_need(call, index) && param_block(call, index, ref);
}

static void answer_block(struct rpc_call *call, const struct block_ref *ref)
{
    bool whole_txs = false;
    if (param_has(call, 1) && !param_bool(call, 1, &whole_txs))
        return;
    if (ref->is_pending)
        shape_pending_block(call, RPC_RESULT, whole_txs);
    else if (ref->block)
        shape_block(call, RPC_RESULT, ref->block, whole_txs);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void eth_getBlockByNumber(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_block(call, &ref);
}

static void eth_getBlockByHash(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_block(call, &ref);
}

static void answer_header(struct rpc_call *call, const struct block_ref *ref)
{
    struct header header;
    if (ref->is_pending || !ref->block) {
        json_out_null(call->out, RPC_RESULT);
        return;
    }
    header = ref->block->block.header;
    json_out_object(call->out, RPC_RESULT);
    shape_header_members(call->out, &header, &ref->block->block.hash);
    json_out_object_end(call->out);
}

static void eth_getHeaderByNumber(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_need(call, 0) && param_any_block(call, 0, &ref))
        answer_header(call, &ref);
}

static void eth_getHeaderByHash(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_any_block_hash(call, 0, &ref))
        answer_header(call, &ref);
}

static void answer_tx_count(struct rpc_call *call, const struct block_ref *ref)
{
    if (ref->is_pending)
        json_out_quantity(call->out, RPC_RESULT, shape_pending_count(call));
    else if (ref->block)
        json_out_quantity(call->out, RPC_RESULT, ref->block->block.tx_count);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void eth_getBlockTransactionCountByNumber(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_tx_count(call, &ref);
}

static void eth_getBlockTransactionCountByHash(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_tx_count(call, &ref);
}

/* --- ommers --------------------------------------------------------------------------------- */

static void answer_ommer_count(struct rpc_call *call, const struct block_ref *ref)
{
    if (ref->is_pending || ref->block)
        json_out_quantity(call->out, RPC_RESULT, ref->block ? ref->block->block.ommer_count : 0);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void eth_getUncleCountByBlockNumber(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_ommer_count(call, &ref);
}

static void eth_getUncleCountByBlockHash(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_ommer_count(call, &ref);
}

static void answer_ommer(struct rpc_call *call, const struct block_ref *ref)
{
    u64 index;
    if (!param_u64(call, 1, &index))
        return;
    if (!ref->block || index >= ref->block->block.ommer_count) {
        json_out_null(call->out, RPC_RESULT);
        return;
    }
    const struct header *header = &ref->block->block.ommers[index];
    hash32 hash = header_hash(header);
    json_out_object(call->out, RPC_RESULT);
    shape_header_members(call->out, header, &hash);
    /* As if it were a block with nothing in it. */
    struct block bare = {.header = *header};
    block_seal(&bare);
    json_out_quantity(call->out, "size", bare.size);
    json_out_array(call->out, "uncles");
    json_out_array_end(call->out);
    json_out_object_end(call->out);
}

static void eth_getUncleByBlockNumberAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_ommer(call, &ref);
}

static void eth_getUncleByBlockHashAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_ommer(call, &ref);
}

/* --- transactions --------------------------------------------------------------------------- */

static void eth_getTransactionByHash(struct rpc_call *call)
{
    hash32 hash;
    u32 index;
    if (!param_hash(call, 0, &hash))
        return;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, &index);
    const struct tx *waiting = block ? NULL : txpool_get(call->dev->pool, &hash);
    if (block)
        shape_tx(call->out, RPC_RESULT, &block->block.txs[index], block, index);
    else if (waiting)
        shape_tx(call->out, RPC_RESULT, waiting, NULL, 0);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void put_raw_tx(struct rpc_call *call, const struct tx *tx)
{
    struct buf raw;
    buf_init(&raw, SIZE_MAX / 2);
    tx_encode(&raw, tx);
    json_out_data(call->out, RPC_RESULT, raw.data, raw.len);
    buf_fini(&raw);
}

static void answer_tx_at(struct rpc_call *call, const struct block_ref *ref, bool is_raw)
{
    u64 index;
    if (!param_u64(call, 1, &index))
        return;
    if (!ref->block || index >= ref->block->block.tx_count)
        json_out_null(call->out, RPC_RESULT);
    else if (is_raw)
        put_raw_tx(call, &ref->block->block.txs[index]);
    else
        shape_tx(call->out, RPC_RESULT, &ref->block->block.txs[index], ref->block, (u32)index);
}

static void eth_getTransactionByBlockNumberAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_tx_at(call, &ref, false);
}

static void eth_getTransactionByBlockHashAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_tx_at(call, &ref, false);
}

static void eth_getRawTransactionByBlockNumberAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (number_ref(call, 0, &ref))
        answer_tx_at(call, &ref, true);
}

static void eth_getRawTransactionByBlockHashAndIndex(struct rpc_call *call)
{
    struct block_ref ref;
    if (param_block_hash(call, 0, &ref))
        answer_tx_at(call, &ref, true);
}

static void eth_getRawTransactionByHash(struct rpc_call *call)
{
    hash32 hash;
    u32 index;
    if (!param_hash(call, 0, &hash))
        return;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, &index);
    const struct tx *tx = block ? &block->block.txs[index] : txpool_get(call->dev->pool, &hash);
    if (tx)
        put_raw_tx(call, tx);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void eth_getTransactionBySenderAndNonce(struct rpc_call *call)
{
    addr20 sender;
    u64 nonce;
    u32 index;
    if (!param_addr(call, 0, &sender) || !param_u64(call, 1, &nonce))
        return;
    const struct chain_block *block = view_find_by_nonce(call, &sender, nonce, &index);
    if (block)
        shape_tx(call->out, RPC_RESULT, &block->block.txs[index], block, index);
    else
        json_out_null(call->out, RPC_RESULT);
}

/* --- receipts ------------------------------------------------------------------------------- */

static void eth_getTransactionReceipt(struct rpc_call *call)
{
    hash32 hash;
    u32 index;
    if (!param_hash(call, 0, &hash))
        return;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, &index);
    if (block)
        shape_receipt(call, RPC_RESULT, block, index);
    else
        json_out_null(call->out, RPC_RESULT);
}

static void eth_getBlockReceipts(struct rpc_call *call)
{
    struct block_ref ref;
    if (!number_ref(call, 0, &ref))
        return;
    if (!ref.block || !ref.block->receipts) {
        json_out_null(call->out, RPC_RESULT);
        return;
    }
    json_out_array(call->out, RPC_RESULT);
    for (u32 i = 0; i < ref.block->block.tx_count; i++)
        shape_receipt(call, NULL, ref.block, i);
    json_out_array_end(call->out);
}

const struct rpc_method RPC_ETH_CHAIN[] = {
    {"eth_blockNumber", eth_blockNumber, ""},
    {"eth_chainId", eth_chainId, ""},
    {"eth_coinbase", eth_coinbase, ""},
    {"eth_getBlockByHash", eth_getBlockByHash, "hash whole?"},
    {"eth_getBlockByNumber", eth_getBlockByNumber, "block whole?"},
    {"eth_getBlockReceipts", eth_getBlockReceipts, "block"},
    {"eth_getBlockTransactionCountByHash", eth_getBlockTransactionCountByHash, "hash"},
    {"eth_getBlockTransactionCountByNumber", eth_getBlockTransactionCountByNumber, "block"},
    {"eth_getHeaderByHash", eth_getHeaderByHash, "hash"},
    {"eth_getHeaderByNumber", eth_getHeaderByNumber, "block"},
    {"eth_getRawTransactionByBlockHashAndIndex", eth_getRawTransactionByBlockHashAndIndex,
     "hash index"},
    {"eth_getRawTransactionByBlockNumberAndIndex", eth_getRawTransactionByBlockNumberAndIndex,
     "block index"},
    {"eth_getRawTransactionByHash", eth_getRawTransactionByHash, "hash"},
    {"eth_getTransactionByBlockHashAndIndex", eth_getTransactionByBlockHashAndIndex, "hash index"},
    {"eth_getTransactionByBlockNumberAndIndex", eth_getTransactionByBlockNumberAndIndex,
     "block index"},
    {"eth_getTransactionByHash", eth_getTransactionByHash, "hash"},
    {"eth_getTransactionBySenderAndNonce", eth_getTransactionBySenderAndNonce, "address nonce"},
    {"eth_getTransactionReceipt", eth_getTransactionReceipt, "hash"},
    {"eth_getUncleByBlockHashAndIndex", eth_getUncleByBlockHashAndIndex, "hash index"},
    {"eth_getUncleByBlockNumberAndIndex", eth_getUncleByBlockNumberAndIndex, "block index"},
    {"eth_getUncleCountByBlockHash", eth_getUncleCountByBlockHash, "hash"},
    {"eth_getUncleCountByBlockNumber", eth_getUncleCountByBlockNumber, "block"},
    {"eth_mining", eth_mining, ""},
    {"eth_protocolVersion", eth_protocolVersion, ""},
    {"eth_syncing", eth_syncing, ""},
    {NULL, NULL, NULL},
};
