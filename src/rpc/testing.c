/*
 * testing: a block made to order on a block of the chain, and not kept. For test environments only. Source:
 * execution-apis, src/testing and the Engine API's payloads; geth where those are silent.
 */
#include <string.h>

#include "consensus/rules.h"
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"

enum {
    POOL_TXS_MAX = 4096,
    PROOF_SIZE = 48,
    GAS_LIMIT_TARGET = 60000000, /* EIP-7935 */
};

/* What goes into the block. */
struct order {
    struct chain_attributes attributes;
    bool has_beacon_root, has_withdrawals;
    struct tx *txs;
    struct tx_sidecar *sidecars; /* one a transaction */
    u32 tx_count;
};

/* --- reading -------------------------------------------------------------------------------- */

static bool read_attributes(struct rpc_call *call, struct order *order)
{
    struct chain_attributes *attributes = &order->attributes;
    bool has[3];
    json object = param_need(call, 1);
    if (!object || !value_is_object(call, object, "payload attributes") ||
        !member_u64(call, object, "timestamp", &attributes->timestamp, &has[0]) ||
        !member_hash(call, object, "prevRandao", &attributes->prev_randao, &has[1]) ||
        !member_addr(call, object, "suggestedFeeRecipient", &attributes->coinbase, &has[2]) ||
        !member_hash(call, object, "parentBeaconBlockRoot", &attributes->parent_beacon_root,
                     &order->has_beacon_root) ||
        !member_withdrawals(call, object, "withdrawals", &attributes->withdrawals,
                            &attributes->withdrawal_count, &order->has_withdrawals))
        return false;
    if (!has[0] || !has[1] || !has[2])
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid payload attributes: timestamp, prevRandao and "
                        "suggestedFeeRecipient are all needed");
    attributes->extra = (const u8 *)"";
    if (!param_has(call, 3))
        return true;
    if (!param_data(call, 3, &attributes->extra, &attributes->extra_len))
        return false;
    return attributes->extra_len <= RULES_EXTRA_MAX ||
           rpc_fail(call, RPC_INVALID_PARAMS, "invalid extra data: above %d bytes",
                    RULES_EXTRA_MAX);
}

static bool read_tx(struct rpc_call *call, json value, struct order *order)
{
    const u8 *bytes;
    size_t len;
    struct tx *tx = &order->txs[order->tx_count];
    struct tx_sidecar *sidecar = &order->sidecars[order->tx_count];
    if (!value_data(call, value, "transaction", &bytes, &len))
        return false;
    enum tx_verdict verdict = tx_decode_network(tx, sidecar, call->arena, bytes, len);
    if (verdict != TX_OK)
        return rpc_fail(call, RPC_SERVER_ERROR, "invalid transaction %u: %s", order->tx_count,
                        tx_verdict_text(verdict));
    if (tx->type == TX_BLOB && !sidecar->present)
        return rpc_fail(call, RPC_SERVER_ERROR, "invalid transaction %u: its blobs are missing",
                        order->tx_count);
    order->tx_count++;
    return true;
}

static void make_room(struct rpc_call *call, struct order *order, size_t count)
{
    order->txs = arena_alloc(call->arena, count * sizeof *order->txs);
    order->sidecars = arena_zalloc(call->arena, count * sizeof *order->sidecars);
}

static bool read_txs(struct rpc_call *call, struct order *order, json list)
{
    if (json_kind(list) != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid transactions: %s where an array was expected",
                        json_kind_name(json_kind(list)));
    make_room(call, order, json_count(list));
    for (size_t i = 0; i < json_count(list); i++)
        if (!read_tx(call, json_at(list, i), order))
            return false;
    return true;
}

/* What waits, but for transactions whose blobs are not at hand. */
static void pick_txs(struct rpc_call *call, struct order *order, struct state *state, u256 base_fee)
{
    const struct txpool *pool = call->dev->pool;
    make_room(call, order, POOL_TXS_MAX);
    u32 count = txpool_pick(pool, state, base_fee, order->txs, POOL_TXS_MAX);
    for (u32 i = 0; i < count; i++) {
        struct tx_sidecar *sidecar = &order->sidecars[order->tx_count];
        if (order->txs[i].type == TX_BLOB &&
            !txpool_sidecar(pool, &order->txs[i].hash, call->arena, sidecar))
            continue;
        order->txs[order->tx_count++] = order->txs[i];
    }
}

/* --- making --------------------------------------------------------------------------------- */

static bool check_fork(struct rpc_call *call, const struct order *order,
                       const struct chain_block *parent)
{
    const struct header *before = &parent->block.header;
    u64 timestamp = order->attributes.timestamp;
    enum fork fork = chain_config_fork(chain_config(call->chain), before->number + 1, timestamp,
                                       parent->total_difficulty);
    if (timestamp <= before->timestamp)
        return rpc_fail(call, RPC_SERVER_ERROR, "invalid timestamp, parent %llu given %llu",
                        (unsigned long long)before->timestamp, (unsigned long long)timestamp);
    if (fork < FORK_PARIS)
        return rpc_fail(call, RPC_SERVER_ERROR, "before the merge blocks have no payload");
    if (order->has_withdrawals && fork < FORK_SHANGHAI)
        return rpc_fail(call, RPC_SERVER_ERROR, "unexpected withdrawals before shanghai");
    if (!order->has_beacon_root && fork >= FORK_CANCUN)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid payload attributes: parentBeaconBlockRoot is needed from Cancun "
                        "on");
    return true;
}

static bool make_block(struct rpc_call *call, struct order *order, struct state *state,
                       const struct chain_block *parent, struct chain_block *draft)
{
    enum tx_verdict *verdicts =
        arena_zalloc(call->arena, order->tx_count * sizeof *verdicts + sizeof *verdicts);
    enum block_verdict verdict =
        chain_draft(call->chain, draft, call->arena, state, parent, &order->attributes, order->txs,
                    order->tx_count, verdicts);
    if (verdict != BLOCK_OK)
        return rpc_fail(call, RPC_SERVER_ERROR, "%s", block_verdict_text(verdict));
    u32 included = 0;
    for (u32 i = 0; i < order->tx_count; i++) {
        if (verdicts[i] == TX_OK)
            order->sidecars[included++] = order->sidecars[i];
        else if (param_has(call, 2)) /* what was asked for must be in it */
            return rpc_fail(call, RPC_SERVER_ERROR, "transaction %u: %s", i,
                            tx_verdict_text(verdicts[i]));
    }
    return true;
}

/* --- the answer ----------------------------------------------------------------------------- */

/* What the transactions pay the block's maker, in wei. */
static u256 block_value(const struct chain_block *block)
{
    u256 sum = U256_ZERO, base_fee = block->block.header.base_fee;
    for (u32 i = 0; i < block->block.tx_count; i++) {
        const struct receipt *receipt = &block->receipts[i];
        u256 tip = u256_sub(receipt->effective_gas_price, base_fee);
        sum = u256_add(sum, u256_mul(tip, u256_from_u64(receipt->gas_used)));
    }
    return sum;
}

static void put_txs(struct buf *out, const struct block *block)
{
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX / 2);
    json_out_array(out, "transactions");
    for (u32 i = 0; i < block->tx_count; i++) {
        buf_reset(&bytes);
        tx_encode(&bytes, &block->txs[i]);
        json_out_data(out, NULL, bytes.data, bytes.len);
    }
    json_out_array_end(out);
    buf_fini(&bytes);
}

static void put_payload(struct buf *out, const struct block *block)
{
    const struct header *header = &block->header;
    json_out_object(out, "executionPayload");
    json_out_hash(out, "parentHash", &header->parent_hash);
    json_out_addr(out, "feeRecipient", &header->coinbase);
    json_out_hash(out, "stateRoot", &header->state_root);
    json_out_hash(out, "receiptsRoot", &header->receipts_root);
    json_out_data(out, "logsBloom", header->logs_bloom.b, sizeof header->logs_bloom.b);
    json_out_hash(out, "prevRandao", &header->mix_hash);
    json_out_quantity(out, "blockNumber", header->number);
    json_out_quantity(out, "gasLimit", header->gas_limit);
    json_out_quantity(out, "gasUsed", header->gas_used);
    json_out_quantity(out, "timestamp", header->timestamp);
    json_out_data(out, "extraData", header->extra, header->extra_len);
    json_out_quantity_u256(out, "baseFeePerGas", header->base_fee);
    json_out_hash(out, "blockHash", &block->hash);
    put_txs(out, block);
    if (block->has_withdrawals)
        shape_withdrawals(out, block);
    if (header->fields >= HEADER_FIELDS_CANCUN) {
        json_out_quantity(out, "blobGasUsed", header->blob_gas_used);
        json_out_quantity(out, "excessBlobGas", header->excess_blob_gas);
    }
    json_out_object_end(out);
}

static void put_bundle(struct buf *out, const struct tx_sidecar *sidecars, u32 count)
{
    json_out_object(out, "blobsBundle");
    json_out_array(out, "commitments");
    for (u32 i = 0; i < count; i++)
        for (u32 k = 0; k < sidecars[i].count; k++)
            json_out_data(out, NULL, sidecars[i].commitments + (size_t)k * PROOF_SIZE, PROOF_SIZE);
    json_out_array_end(out);
    json_out_array(out, "proofs");
    for (u32 i = 0; i < count; i++) {
        u32 proofs = sidecars[i].count * (sidecars[i].version ? TX_CELLS_PER_BLOB : 1);
        for (u32 k = 0; k < proofs; k++)
            json_out_data(out, NULL, sidecars[i].proofs + (size_t)k * PROOF_SIZE, PROOF_SIZE);
    }
    json_out_array_end(out);
    json_out_array(out, "blobs");
    for (u32 i = 0; i < count; i++)
        for (u32 k = 0; k < sidecars[i].count; k++)
            json_out_data(out, NULL, sidecars[i].blobs[k], TX_BLOB_SIZE);
    json_out_array_end(out);
    json_out_object_end(out);
}

/* EIP-7685: the type's byte and the data. */
static void put_requests(struct rpc_call *call, const struct chain_block *block)
{
    if (block->block.header.fields < HEADER_FIELDS_PRAGUE)
        return;
    json_out_array(call->out, "executionRequests");
    for (u32 i = 0; i < block->request_count; i++) {
        const struct request *request = &block->requests[i];
        u8 *bytes = arena_alloc(call->arena, request->len + 1);
        bytes[0] = request->type;
        memcpy(bytes + 1, request->data, request->len);
        json_out_data(call->out, NULL, bytes, request->len + 1);
    }
    json_out_array_end(call->out);
}

static void put_draft(struct rpc_call *call, const struct chain_block *draft,
                      const struct order *order)
{
    struct buf *out = call->out;
    json_out_object(out, RPC_RESULT);
    put_payload(out, &draft->block);
    json_out_quantity_u256(out, "blockValue", block_value(draft));
    put_bundle(out, order->sidecars, draft->block.tx_count);
    put_requests(call, draft);
    json_out_bool(out, "shouldOverrideBuilder", false);
    json_out_object_end(out);
}

static void build_on(struct rpc_call *call, struct order *order, const struct chain_block *parent,
                     struct state *state)
{
    struct chain_block draft;
    struct header header;
    json list = param_at(call, 2);
    if (!check_fork(call, order, parent))
        return;
    order->attributes.gas_limit =
        rules_gas_limit_towards(GAS_LIMIT_TARGET, parent->block.header.gas_limit);
    if (list && !read_txs(call, order, list))
        return;
    if (!list) {
        chain_header_after(call->chain, parent, &order->attributes, &header);
        pick_txs(call, order, state, header.base_fee);
    }
    if (make_block(call, order, state, parent, &draft))
        put_draft(call, &draft, order);
}

static void testing_buildBlockV1(struct rpc_call *call)
{
    hash32 hash;
    struct order order = {0};
    struct block block;
    struct state *state;
    if (!param_hash(call, 0, &hash) || !read_attributes(call, &order))
        return;
    struct block_ref ref = {.block = chain_by_hash(call->chain, &hash)};
    if (!view_open_branch(call, &ref, &block, &state))
        return;
    build_on(call, &order, ref.block, state);
    view_close(call, state);
}

const struct rpc_method RPC_TESTING[] = {
    {"testing_buildBlockV1", testing_buildBlockV1, "hash attributes transactions extraData?"},
    {NULL, NULL, NULL},
};
