#include "rpc/shape.h"

#include "base/mem.h"
#include "chain/process.h"
#include "consensus/fee.h"

enum { PENDING_TXS_MAX = 4096 };

/* --- transactions --------------------------------------------------------------------------- */

static void put_access_list(struct buf *out, const struct tx *tx)
{
    json_out_array(out, "accessList");
    for (u32 i = 0; i < tx->access_count; i++) {
        const struct access_entry *entry = &tx->access_list[i];
        json_out_object(out, NULL);
        json_out_addr(out, "address", &entry->addr);
        json_out_array(out, "storageKeys");
        for (u32 k = 0; k < entry->key_count; k++)
            json_out_hash(out, NULL, &entry->keys[k]);
        json_out_array_end(out);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void put_authorizations(struct buf *out, const struct tx *tx)
{
    json_out_array(out, "authorizationList");
    for (u32 i = 0; i < tx->authorization_count; i++) {
        const struct authorization *authorization = &tx->authorizations[i];
        json_out_object(out, NULL);
        json_out_quantity_u256(out, "chainId", authorization->chain_id);
        json_out_addr(out, "address", &authorization->addr);
        json_out_quantity(out, "nonce", authorization->nonce);
        json_out_quantity(out, "yParity", authorization->y_parity);
        json_out_quantity_u256(out, "r", authorization->r);
        json_out_quantity_u256(out, "s", authorization->s);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void put_blob_members(struct buf *out, const struct tx *tx)
{
    json_out_quantity_u256(out, "maxFeePerBlobGas", tx->max_blob_fee);
    json_out_array(out, "blobVersionedHashes");
    for (u32 i = 0; i < tx->blob_count; i++)
        json_out_hash(out, NULL, &tx->blob_hashes[i]);
    json_out_array_end(out);
}

void shape_tx_members(struct buf *out, const struct tx *tx)
{
    json_out_quantity(out, "type", tx->type);
    if (tx->type != TX_LEGACY || tx->has_chain_id)
        json_out_quantity(out, "chainId", tx->chain_id);
    json_out_quantity(out, "nonce", tx->nonce);
    json_out_quantity(out, "gas", tx->gas);
    if (tx->type >= TX_DYNAMIC_FEE) {
        json_out_quantity_u256(out, "maxFeePerGas", tx->max_fee);
        json_out_quantity_u256(out, "maxPriorityFeePerGas", tx->max_priority_fee);
    }
    if (tx->is_create)
        json_out_null(out, "to");
    else
        json_out_addr(out, "to", &tx->to);
    json_out_quantity_u256(out, "value", tx->value);
    json_out_data(out, "input", tx->data, tx->data_len);
    if (tx->type != TX_LEGACY)
        put_access_list(out, tx);
    if (tx->type == TX_BLOB)
        put_blob_members(out, tx);
    if (tx->type == TX_SET_CODE)
        put_authorizations(out, tx);
    json_out_quantity(out, "v", tx->v);
    json_out_quantity_u256(out, "r", tx->r);
    json_out_quantity_u256(out, "s", tx->s);
    if (tx->type != TX_LEGACY)
        json_out_quantity(out, "yParity", tx->v);
    json_out_hash(out, "hash", &tx->hash);
}

void shape_tx(struct buf *out, const char *key, const struct tx *tx,
              const struct chain_block *block, u32 index)
{
    json_out_object(out, key);
    if (block) {
        const struct header *header = &block->block.header;
        json_out_hash(out, "blockHash", &block->block.hash);
        json_out_quantity(out, "blockNumber", header->number);
        json_out_quantity(out, "blockTimestamp", header->timestamp);
        json_out_quantity(out, "transactionIndex", index);
        json_out_quantity_u256(out, "gasPrice", tx_effective_gas_price(tx, header->base_fee));
    } else {
        json_out_null(out, "blockHash");
        json_out_null(out, "blockNumber");
        json_out_null(out, "transactionIndex");
        json_out_quantity_u256(out, "gasPrice", tx->max_fee);
    }
    json_out_addr(out, "from", &tx->sender);
    shape_tx_members(out, tx);
    json_out_object_end(out);
}

/* --- receipts and logs ---------------------------------------------------------------------- */

void shape_one_log(struct buf *out, const char *key, const struct chain_block *block, u32 tx_index,
                   const struct log *log, u32 log_index, bool is_removed)
{
    json_out_object(out, key);
    json_out_addr(out, "address", &log->addr);
    json_out_array(out, "topics");
    for (u32 i = 0; i < log->topic_count; i++)
        json_out_hash(out, NULL, &log->topics[i]);
    json_out_array_end(out);
    json_out_data(out, "data", log->data, log->data_len);
    json_out_quantity(out, "blockNumber", block->block.header.number);
    json_out_hash(out, "transactionHash", &block->block.txs[tx_index].hash);
    json_out_quantity(out, "transactionIndex", tx_index);
    json_out_hash(out, "blockHash", &block->block.hash);
    json_out_quantity(out, "blockTimestamp", block->block.header.timestamp);
    json_out_quantity(out, "logIndex", log_index);
    json_out_bool(out, "removed", is_removed);
    json_out_object_end(out);
}

void shape_log(struct buf *out, const char *key, const struct chain_block *block, u32 tx_index,
               u32 log_index, bool is_removed)
{
    const struct receipt *receipt = &block->receipts[tx_index];
    shape_one_log(out, key, block, tx_index, &receipt->logs[log_index],
                  receipt->log_index_base + log_index, is_removed);
}

static void put_blob_gas(struct rpc_call *call, const struct chain_block *block,
                         const struct receipt *receipt)
{
    const struct header *header = &block->block.header;
    const struct blob_params *params =
        chain_config_blob_params(chain_config(call->chain), header->timestamp);
    if (receipt->type != TX_BLOB || !params)
        return;
    json_out_quantity(call->out, "blobGasUsed", receipt->blob_gas_used);
    json_out_quantity_u256(call->out, "blobGasPrice",
                           fee_blob_base(header->excess_blob_gas, params->update_fraction));
}

static void put_status(struct buf *out, const struct receipt *receipt)
{
    if (receipt->has_root)
        json_out_hash(out, "root", &receipt->root);
    else
        json_out_quantity(out, "status", receipt->succeeded);
}

static void put_logs(struct buf *out, const struct chain_block *block, u32 index)
{
    const struct receipt *receipt = &block->receipts[index];
    json_out_data(out, "logsBloom", receipt->bloom.b, sizeof receipt->bloom.b);
    json_out_array(out, "logs");
    for (u32 i = 0; i < receipt->log_count; i++)
        shape_log(out, NULL, block, index, i, false);
    json_out_array_end(out);
}

void shape_receipt_members(struct rpc_call *call, const struct chain_block *block, u32 index,
                           bool with_logs)
{
    struct buf *out = call->out;
    const struct tx *tx = &block->block.txs[index];
    const struct receipt *receipt = &block->receipts[index];
    json_out_quantity(out, "type", receipt->type);
    put_status(out, receipt);
    json_out_quantity(out, "cumulativeGasUsed", receipt->cumulative_gas);
    if (with_logs) {
        put_logs(out, block, index);
    } else {
        json_out_null(out, "logsBloom");
        json_out_null(out, "logs");
    }
    json_out_hash(out, "transactionHash", &tx->hash);
    json_out_quantity(out, "transactionIndex", index);
    json_out_hash(out, "blockHash", &block->block.hash);
    json_out_quantity(out, "blockNumber", block->block.header.number);
    json_out_quantity(out, "gasUsed", receipt->gas_used);
    json_out_quantity_u256(out, "effectiveGasPrice", receipt->effective_gas_price);
    put_blob_gas(call, block, receipt);
    json_out_addr(out, "from", &tx->sender);
    if (tx->is_create) {
        json_out_null(out, "to");
        json_out_addr(out, "contractAddress", &receipt->created);
    } else {
        json_out_addr(out, "to", &tx->to);
        json_out_null(out, "contractAddress");
    }
}

void shape_receipt(struct rpc_call *call, const char *key, const struct chain_block *block,
                   u32 index)
{
    json_out_object(call->out, key);
    shape_receipt_members(call, block, index, true);
    json_out_object_end(call->out);
}

/* --- blocks --------------------------------------------------------------------------------- */

static void put_fork_members(struct buf *out, const struct header *header)
{
    if (header->fields >= HEADER_FIELDS_LONDON)
        json_out_quantity_u256(out, "baseFeePerGas", header->base_fee);
    if (header->fields >= HEADER_FIELDS_SHANGHAI)
        json_out_hash(out, "withdrawalsRoot", &header->withdrawals_root);
    if (header->fields >= HEADER_FIELDS_CANCUN) {
        json_out_quantity(out, "blobGasUsed", header->blob_gas_used);
        json_out_quantity(out, "excessBlobGas", header->excess_blob_gas);
        json_out_hash(out, "parentBeaconBlockRoot", &header->parent_beacon_root);
    }
    if (header->fields >= HEADER_FIELDS_PRAGUE)
        json_out_hash(out, "requestsHash", &header->requests_hash);
}

static void put_header(struct buf *out, const struct header *header, const hash32 *hash,
                       bool with_bloom)
{
    json_out_quantity(out, "number", header->number);
    if (hash) {
        json_out_hash(out, "hash", hash);
        json_out_data(out, "nonce", header->nonce, sizeof header->nonce);
    } else {
        json_out_null(out, "hash");
        json_out_null(out, "nonce");
    }
    json_out_hash(out, "parentHash", &header->parent_hash);
    json_out_hash(out, "sha3Uncles", &header->ommers_hash);
    if (with_bloom)
        json_out_data(out, "logsBloom", header->logs_bloom.b, sizeof header->logs_bloom.b);
    else
        json_out_null(out, "logsBloom");
    json_out_hash(out, "transactionsRoot", &header->tx_root);
    json_out_hash(out, "stateRoot", &header->state_root);
    json_out_hash(out, "receiptsRoot", &header->receipts_root);
    json_out_addr(out, "miner", &header->coinbase);
    json_out_quantity_u256(out, "difficulty", header->difficulty);
    json_out_data(out, "extraData", header->extra, header->extra_len);
    json_out_hash(out, "mixHash", &header->mix_hash);
    json_out_quantity(out, "gasLimit", header->gas_limit);
    json_out_quantity(out, "gasUsed", header->gas_used);
    json_out_quantity(out, "timestamp", header->timestamp);
    put_fork_members(out, header);
}

void shape_header_members(struct buf *out, const struct header *header, const hash32 *hash)
{
    put_header(out, header, hash, true);
}

void shape_withdrawals(struct buf *out, const struct block *block)
{
    json_out_array(out, "withdrawals");
    for (u32 i = 0; i < block->withdrawal_count; i++) {
        const struct withdrawal *withdrawal = &block->withdrawals[i];
        json_out_object(out, NULL);
        json_out_quantity(out, "index", withdrawal->index);
        json_out_quantity(out, "validatorIndex", withdrawal->validator);
        json_out_addr(out, "address", &withdrawal->addr);
        json_out_quantity(out, "amount", withdrawal->amount_gwei);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* What follows a block's transactions. */
static void put_rest(struct buf *out, const struct block *body)
{
    json_out_array(out, "uncles");
    for (u32 i = 0; i < body->ommer_count; i++) {
        hash32 hash = header_hash(&body->ommers[i]);
        json_out_hash(out, NULL, &hash);
    }
    json_out_array_end(out);
    if (body->has_withdrawals)
        shape_withdrawals(out, body);
}

void shape_block_summary(struct buf *out, const struct chain_block *block)
{
    const struct block *body = &block->block;
    put_header(out, &body->header, &body->hash, false);
    json_out_quantity_u256(out, "totalDifficulty", block->total_difficulty);
    json_out_quantity(out, "size", body->size);
    json_out_u64(out, "transactionCount", body->tx_count);
    put_rest(out, body);
}

void shape_block_members(struct rpc_call *call, const struct chain_block *block, bool whole_txs)
{
    struct buf *out = call->out;
    const struct block *body = &block->block;
    shape_header_members(out, &body->header, &body->hash);
    json_out_quantity(out, "size", body->size);
    json_out_array(out, "transactions");
    for (u32 i = 0; i < body->tx_count; i++) {
        if (whole_txs)
            shape_tx(out, NULL, &body->txs[i], block, i);
        else
            json_out_hash(out, NULL, &body->txs[i].hash);
    }
    json_out_array_end(out);
    put_rest(out, body);
}

void shape_block(struct rpc_call *call, const char *key, const struct chain_block *block,
                 bool whole_txs)
{
    json_out_object(call->out, key);
    shape_block_members(call, block, whole_txs);
    json_out_object_end(call->out);
}

/* What is ready for the block to come, to be freed; NULL if nothing waits. */
static struct tx *pick_pending(struct rpc_call *call, const struct header *header, u32 *count)
{
    struct state *state;
    *count = 0;
    if (!txpool_count(call->dev->pool) || !chain_state_at(call->chain, header->number - 1, &state))
        return NULL;
    struct tx *txs = NEW_ARRAY(struct tx, PENDING_TXS_MAX);
    *count = txpool_pick(call->dev->pool, state, header->base_fee, txs, PENDING_TXS_MAX);
    chain_state_release(call->chain, state);
    return txs;
}

u32 shape_pending_count(struct rpc_call *call)
{
    u32 count;
    struct header header;
    dev_next_header(call->dev, &header);
    mem_free(pick_pending(call, &header, &count));
    return count;
}

void shape_pending_block(struct rpc_call *call, const char *key, bool whole_txs)
{
    struct buf *out = call->out;
    struct header header;
    u32 count;
    dev_next_header(call->dev, &header);
    struct tx *txs = pick_pending(call, &header, &count);
    header.tx_root = process_tx_root(txs, count);
    json_out_object(out, key);
    shape_header_members(out, &header, NULL);
    struct block sized = {.header = header,
                          .txs = txs,
                          .tx_count = count,
                          .has_withdrawals = header.fields >= HEADER_FIELDS_SHANGHAI};
    block_seal(&sized);
    json_out_quantity(out, "size", sized.size);
    json_out_array(out, "transactions");
    for (u32 i = 0; i < count; i++) {
        if (whole_txs)
            shape_tx(out, NULL, &txs[i], NULL, i);
        else
            json_out_hash(out, NULL, &txs[i].hash);
    }
    json_out_array_end(out);
    json_out_array(out, "uncles");
    json_out_array_end(out);
    if (sized.has_withdrawals)
        shape_withdrawals(out, &sized);
    json_out_object_end(out);
    mem_free(txs);
}
