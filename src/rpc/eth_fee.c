/* eth: what gas costs, and cost. */
#include <stdlib.h>

#include "consensus/fee.h"
#include "rpc/param.h"
#include "rpc/view.h"

enum { HISTORY_MAX = 1024, PERCENTILES_MAX = 100, TIP_SUGGESTED = 1000000000 };

static u256 next_base_fee(const struct rpc_call *call)
{
    struct header next;
    dev_next_header(call->dev, &next);
    return next.base_fee;
}

/* There is no contest for space here; a gwei is what wallets expect to see. */
static void eth_maxPriorityFeePerGas(struct rpc_call *call)
{
    json_out_quantity(call->out, RPC_RESULT, TIP_SUGGESTED);
}

static void eth_gasPrice(struct rpc_call *call)
{
    json_out_quantity_u256(call->out, RPC_RESULT,
                           u256_add(next_base_fee(call), u256_from_u64(TIP_SUGGESTED)));
}

static void eth_baseFee(struct rpc_call *call)
{
    json_out_quantity_u256(call->out, RPC_RESULT, next_base_fee(call));
}

static u256 blob_base_fee(const struct rpc_call *call, const struct header *header)
{
    const struct blob_params *params =
        chain_config_blob_params(chain_config(call->chain), header->timestamp);
    return params ? fee_blob_base(header->excess_blob_gas, params->update_fraction) : U256_ZERO;
}

static void eth_blobBaseFee(struct rpc_call *call)
{
    struct header next;
    dev_next_header(call->dev, &next);
    json_out_quantity_u256(call->out, RPC_RESULT, blob_base_fee(call, &next));
}

/* --- history -------------------------------------------------------------------------------- */

struct tip_paid {
    u256 tip;
    u64 gas;
};

static int by_tip(const void *a, const void *b)
{
    const struct tip_paid *x = a, *y = b;
    return u256_cmp(x->tip, y->tip);
}

/* The tips at the percentiles of a block's gas. */
static void put_rewards(struct rpc_call *call, const struct chain_block *block,
                        const double *percentiles, u32 count)
{
    u32 n = block->block.tx_count;
    const struct header *header = &block->block.header;
    struct tip_paid *tips = arena_alloc(call->arena, n * sizeof *tips);
    for (u32 i = 0; i < n; i++) {
        u256 price = tx_effective_gas_price(&block->block.txs[i], header->base_fee);
        tips[i] = (struct tip_paid){u256_sub(price, header->base_fee), block->receipts[i].gas_used};
    }
    if (n)
        qsort(tips, n, sizeof *tips, by_tip);
    json_out_array(call->out, NULL);
    u32 at = 0;
    u64 sum = n ? tips[0].gas : 0;
    for (u32 i = 0; i < count; i++) {
        double threshold = percentiles[i] / 100 * (double)header->gas_used;
        while (at + 1 < n && (double)sum < threshold)
            sum += tips[++at].gas;
        json_out_quantity_u256(call->out, NULL, n ? tips[at].tip : U256_ZERO);
    }
    json_out_array_end(call->out);
}

static void put_rewards_of(struct rpc_call *call, u64 number, const double *percentiles, u32 count)
{
    const struct chain_block *block = chain_by_number(call->chain, number);
    if (block)
        put_rewards(call, block, percentiles, count);
    else
        view_no_block(call);
}

static bool read_percentiles(struct rpc_call *call, double **list, u32 *count)
{
    json array = param_at(call, 2);
    *count = (u32)json_count(array);
    *list = arena_alloc(call->arena, *count * sizeof **list);
    if (array && json_kind(array) != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid argument 2: %s where an array was expected",
                        json_kind_name(json_kind(array)));
    if (json_count(array) > PERCENTILES_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid reward percentile: over the query limit %u", PERCENTILES_MAX);
    for (u32 i = 0; i < *count; i++) {
        const char *text = json_number_text(json_at(array, i));
        double value = text ? strtod(text, NULL) : -1;
        (*list)[i] = value;
        if (!(value >= 0 && value <= 100))
            return rpc_fail(call, RPC_INVALID_PARAMS, "invalid reward percentile: %s",
                            text ? text : "not a number");
        if (i && value < (*list)[i - 1])
            return rpc_fail(call, RPC_INVALID_PARAMS, "invalid reward percentile: #%u:%g >= #%u:%g",
                            i - 1, (*list)[i - 1], i, value);
    }
    return true;
}

/* Blocks in a row, and the header after them: the next one's, or that of the block to come. Its extra is not looked at. */
struct span {
    u64 oldest, count;
    struct header *headers;
};

static u64 blobs_max_of(const struct rpc_call *call, u64 timestamp)
{
    const struct blob_params *params =
        chain_config_blob_params(chain_config(call->chain), timestamp);
    return params ? params->max : 0;
}

static void put_blob_history(struct rpc_call *call, const struct span *span)
{
    const struct header *next = &span->headers[span->count];
    json_out_array(call->out, "baseFeePerBlobGas");
    for (u64 i = 0; i < span->count; i++)
        json_out_quantity_u256(call->out, NULL, blob_base_fee(call, &span->headers[i]));
    /* The first block with blobs has their fee from none before it. */
    bool has_blobs = span->headers[span->count - 1].fields >= HEADER_FIELDS_CANCUN;
    json_out_quantity_u256(call->out, NULL, has_blobs ? blob_base_fee(call, next) : U256_ZERO);
    json_out_array_end(call->out);
    json_out_array(call->out, "blobGasUsedRatio");
    for (u64 i = 0; i < span->count; i++) {
        const struct header *header = &span->headers[i];
        u64 most = blobs_max_of(call, header->timestamp) * TX_BLOB_GAS;
        json_out_number(call->out, NULL, most ? (double)header->blob_gas_used / (double)most : 0);
    }
    json_out_array_end(call->out);
}

static void put_history(struct rpc_call *call, const struct span *span, const double *percentiles,
                        u32 count)
{
    struct buf *out = call->out;
    json_out_object(out, RPC_RESULT);
    json_out_quantity(out, "oldestBlock", span->oldest);
    if (count) {
        json_out_array(out, "reward");
        for (u64 i = 0; i < span->count && !rpc_failed(call) && rpc_goes_on(call); i++)
            put_rewards_of(call, span->oldest + i, percentiles, count);
        json_out_array_end(out);
    }
    json_out_array(out, "baseFeePerGas");
    for (u64 i = 0; i <= span->count; i++)
        json_out_quantity_u256(out, NULL, span->headers[i].base_fee);
    json_out_array_end(out);
    json_out_array(out, "gasUsedRatio");
    for (u64 i = 0; i < span->count; i++) {
        const struct header *header = &span->headers[i];
        json_out_number(out, NULL, (double)header->gas_used / (double)header->gas_limit);
    }
    json_out_array_end(out);
    put_blob_history(call, span);
    json_out_object_end(out);
}

/* False, with the error set, when one is not there. */
static bool read_span(struct rpc_call *call, struct span *span)
{
    u64 head = chain_head(call->chain)->block.header.number;
    span->headers = arena_alloc(call->arena, (span->count + 1) * sizeof *span->headers);
    for (u64 i = 0; i <= span->count; i++) {
        const struct chain_block *block = chain_header_by_number(call->chain, span->oldest + i);
        if (block)
            span->headers[i] = block->block.header;
        else if (span->oldest + i > head)
            dev_next_header(call->dev, &span->headers[i]);
        else
            return view_no_block(call);
    }
    return true;
}

static void eth_feeHistory(struct rpc_call *call)
{
    u64 count;
    u32 percentile_count;
    double *percentiles;
    struct block_ref ref;
    if (!param_loose_u64(call, 0, &count) || !param_need(call, 1) || !param_block(call, 1, &ref) ||
        !read_percentiles(call, &percentiles, &percentile_count))
        return;
    const struct chain_block *last = ref.is_pending ? chain_head(call->chain) : ref.block;
    if (!last) {
        rpc_fail(call, RPC_SERVER_ERROR, "request beyond head block");
        return;
    }
    u64 newest = last->block.header.number, oldest = chain_oldest(call->chain);
    u64 held =
        newest < oldest ? 1 : newest - oldest + 1; /* a genesis is there, whatever is pruned */
    count = count > HISTORY_MAX ? HISTORY_MAX : count;
    count = count > held ? held : count;
    if (!count) {
        json_out_object(call->out, RPC_RESULT);
        json_out_quantity(call->out, "oldestBlock", 0);
        json_out_array(call->out, "gasUsedRatio");
        json_out_array_end(call->out);
        json_out_object_end(call->out);
        return;
    }
    struct span span = {.oldest = newest + 1 - count, .count = count};
    if (read_span(call, &span))
        put_history(call, &span, percentiles, percentile_count);
}

const struct rpc_method RPC_ETH_FEE[] = {
    {"eth_baseFee", eth_baseFee, ""},
    {"eth_blobBaseFee", eth_blobBaseFee, ""},
    {"eth_feeHistory", eth_feeHistory, "count block percentiles?"},
    {"eth_gasPrice", eth_gasPrice, ""},
    {"eth_maxPriorityFeePerGas", eth_maxPriorityFeePerGas, ""},
    {NULL, NULL, NULL},
};
