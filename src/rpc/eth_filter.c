/* eth: logs, and filters to poll. */
#include <string.h>

#include "base/mem.h"
#include "rpc/filters.h"
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"
#include "sys/clock.h"

#define IDLE_MAX_NS ((u64)5 * 60 * 1000000000)

enum filter_kind { FILTER_LOGS, FILTER_BLOCKS, FILTER_PENDING };

struct filter {
    u64 id;
    enum filter_kind kind;
    u64 polled_ns;
    u64 next_block; /* the first one not told yet */
    u64 next_arrival;
    bool whole_txs;
    struct arena arena; /* what the choice borrows */
    struct log_choice choice;
    struct log_range range;
    struct buf gone; /* logs that were taken back and are not told of yet */
    bool is_lost;    /* there was no room for them */
};

/* Bytes of all choices that are kept: a thousand addresses and topics at each place take much more than a filter. */
enum { CHOICES_MAX = 4 << 20 };

struct rpc_filters {
    struct filter **list;
    u32 count, max;
    size_t choice_bytes;         /* of filters and subscriptions */
    size_t gone_bytes, gone_max; /* of logs that were taken back */
    u64 next_id;
};

struct rpc_filters *rpc_filters_new(u64 seed, u32 max, size_t gone_max)
{
    struct rpc_filters *filters = NEW(struct rpc_filters);
    filters->max = max;
    filters->gone_max = gone_max;
    filters->next_id = seed | 1;
    return filters;
}

/* An odd multiplier walks through all numbers: ids neither repeat nor tell how many there were. */
u64 rpc_filters_next_id(struct rpc_filters *filters)
{
    return filters->next_id *= 6364136223846793005u;
}

static size_t choice_size(const struct log_choice *choice)
{
    size_t size = choice->addr_count * sizeof *choice->addrs;
    for (u32 i = 0; i < choice->places; i++)
        size += choice->at[i].count * sizeof *choice->at[i].topics;
    return size;
}

bool rpc_choice_fits(struct rpc_call *call, const struct log_choice *choice)
{
    return choice_size(choice) <= CHOICES_MAX - call->rpc->filters->choice_bytes ||
           rpc_fail(call, RPC_LIMIT_EXCEEDED,
                    "too many addresses and topics are kept for filters and subscriptions");
}

void rpc_choice_keep(struct rpc_filters *filters, struct log_choice *to,
                     const struct log_choice *choice, struct arena *arena)
{
    filters->choice_bytes += choice_size(choice);
    log_choice_keep(to, choice, arena);
}

void rpc_choice_drop(struct rpc_filters *filters, const struct log_choice *choice)
{
    filters->choice_bytes -= choice_size(choice);
}

static void forget_gone(struct rpc_filters *filters, struct filter *filter)
{
    filters->gone_bytes -= filter->gone.len;
    buf_fini(&filter->gone);
}

static void filter_remove(struct rpc_filters *filters, u32 place)
{
    rpc_choice_drop(filters, &filters->list[place]->choice);
    forget_gone(filters, filters->list[place]);
    arena_fini(&filters->list[place]->arena);
    mem_free(filters->list[place]);
    filters->list[place] = filters->list[--filters->count];
}

void rpc_filters_free(struct rpc_filters *filters)
{
    while (filters->count)
        filter_remove(filters, filters->count - 1);
    mem_free(filters->list);
    mem_free(filters);
}

/* --- eth_getLogs ---------------------------------------------------------------------------- */

static u64 head_number(const struct rpc_call *call)
{
    return chain_head(call->chain)->block.header.number;
}

static void answer_range(struct rpc_call *call, const struct log_choice *choice,
                         const struct log_range *range)
{
    u64 head = head_number(call);
    u64 from = range->from_head ? head : range->from, to = range->to_head ? head : range->to;
    if (range->has_hash) {
        struct block_ref ref = {.block = chain_header_by_hash(call->chain, &range->hash)};
        if (!view_whole(call, &ref))
            return;
        if (ref.block)
            log_filter_answer_block(call, choice, ref.block);
        else
            rpc_fail(call, RPC_SERVER_ERROR, "unknown block");
        return;
    }
    if (from > to && !range->from_head) {
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid block range params");
        return;
    }
    log_filter_answer(call, choice, from, to);
}

static void eth_getLogs(struct rpc_call *call)
{
    struct log_choice choice;
    struct log_range range;
    json object = param_need(call, 0);
    if (!object || !log_filter_read(call, object, &choice, &range))
        return;
    if (!range.has_hash && !range.to_head && range.to > head_number(call))
        rpc_fail(call, RPC_INVALID_PARAMS, "block range extends beyond current head block");
    else
        answer_range(call, &choice, &range);
}

/* --- installing ----------------------------------------------------------------------------- */

static void forget_idle(struct rpc_filters *filters)
{
    u64 now = clock_monotonic_ns();
    for (u32 i = filters->count; i > 0; i--)
        if (now - filters->list[i - 1]->polled_ns > IDLE_MAX_NS)
            filter_remove(filters, i - 1);
}

static struct filter *filter_add(struct rpc_call *call, enum filter_kind kind)
{
    struct rpc_filters *filters = call->rpc->filters;
    forget_idle(filters);
    if (filters->count == filters->max) {
        rpc_fail(call, RPC_LIMIT_EXCEEDED, "too many filters: %u are installed", filters->count);
        return NULL;
    }
    if (!filters->list)
        filters->list = NEW_ARRAY(struct filter *, filters->max);
    struct filter *filter = NEW(struct filter);
    filters->list[filters->count++] = filter;
    filter->id = rpc_filters_next_id(filters);
    filter->kind = kind;
    filter->polled_ns = clock_monotonic_ns();
    filter->next_block = head_number(call) + 1;
    filter->next_arrival = call->dev->arrival_count;
    arena_init(&filter->arena);
    buf_init(&filter->gone, filters->gone_max);
    json_out_quantity(call->out, RPC_RESULT, filter->id);
    return filter;
}

static void eth_newFilter(struct rpc_call *call)
{
    struct log_choice choice;
    struct log_range range;
    json object = param_need(call, 0);
    if (!object || !log_filter_read(call, object, &choice, &range))
        return;
    if (!range.from_head && !range.to_head && range.from > range.to) {
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid block range params");
        return;
    }
    if (!range.has_hash && !range.from_head && range.from < chain_oldest(call->chain)) {
        view_pruned(call);
        return;
    }
    struct filter *filter = rpc_choice_fits(call, &choice) ? filter_add(call, FILTER_LOGS) : NULL;
    if (!filter)
        return;
    rpc_choice_keep(call->rpc->filters, &filter->choice, &choice, &filter->arena);
    filter->range = range;
    if (!range.from_head && range.from < filter->next_block)
        filter->next_block = range.from;
}

static void eth_newBlockFilter(struct rpc_call *call)
{
    filter_add(call, FILTER_BLOCKS);
}

static void eth_newPendingTransactionFilter(struct rpc_call *call)
{
    bool whole_txs = false;
    if (param_has(call, 0) && !param_bool(call, 0, &whole_txs))
        return;
    struct filter *filter = filter_add(call, FILTER_PENDING);
    if (filter)
        filter->whole_txs = whole_txs;
}

/* --- polling -------------------------------------------------------------------------------- */

static struct filter *find(struct rpc_call *call, bool must_exist, u32 *place)
{
    u64 id;
    struct rpc_filters *filters = call->rpc->filters;
    if (!param_u64(call, 0, &id))
        return NULL;
    forget_idle(filters);
    for (u32 i = 0; i < filters->count; i++) {
        if (filters->list[i]->id == id) {
            *place = i;
            filters->list[i]->polled_ns = clock_monotonic_ns();
            return filters->list[i];
        }
    }
    if (must_exist)
        rpc_fail(call, RPC_SERVER_ERROR, "filter not found");
    return NULL;
}

static void eth_uninstallFilter(struct rpc_call *call)
{
    u32 place;
    struct filter *filter = find(call, false, &place);
    if (rpc_failed(call))
        return;
    if (filter)
        filter_remove(call->rpc->filters, place);
    json_out_bool(call->out, RPC_RESULT, filter != NULL);
}

/* --- blocks that leave ---------------------------------------------------------------------- */

/* The newest first, as subscriptions are told of them. */
static void take_back(struct rpc_filters *filters, struct filter *filter,
                      const struct chain_block *block)
{
    size_t before = filter->gone.len;
    for (u32 i = block->block.tx_count; i > 0; i--)
        for (u32 k = block->receipts[i - 1].log_count; k > 0; k--)
            if (log_choice_matches(&filter->choice, &block->receipts[i - 1].logs[k - 1]))
                shape_log(&filter->gone, NULL, block, i - 1, k - 1, true);
    filters->gone_bytes += filter->gone.len - before;
    if (!filter->gone.full && filters->gone_bytes <= filters->gone_max)
        return;
    filter->is_lost = true;
    forget_gone(filters, filter);
}

static bool has_told_logs(const struct filter *filter, u64 number)
{
    return filter->kind == FILTER_LOGS && !filter->range.has_hash && !filter->is_lost &&
           filter->next_block > number && log_range_has(&filter->range, number);
}

/* After the chain went back, what was told of blocks that are gone is told again for those in their place. */
void rpc_filters_leave(struct rpc_filters *filters, struct chain *chain, u64 number)
{
    forget_idle(filters);
    u64 head = chain_head(chain)->block.header.number;
    for (u64 at = head; at > number && filters->count; at--) {
        const struct chain_block *block = chain_by_number(chain, at);
        for (u32 i = 0; block && i < filters->count; i++)
            if (has_told_logs(filters->list[i], at) &&
                log_choice_may_match(&filters->list[i]->choice, block))
                take_back(filters, filters->list[i], block);
    }
    for (u32 i = 0; i < filters->count; i++)
        if (filters->list[i]->next_block > number + 1)
            filters->list[i]->next_block = number + 1;
}

/* --- what has changed ----------------------------------------------------------------------- */

/* False, with the error set, when blocks were pruned before they were told of: the next poll goes on after them. */
static bool has_all(struct rpc_call *call, struct filter *filter)
{
    u64 oldest = chain_oldest(call->chain);
    if (filter->next_block >= oldest || filter->kind == FILTER_PENDING)
        return true;
    filter->next_block = oldest;
    return filter->range.has_hash || view_pruned(call);
}

static void block_changes(struct rpc_call *call, struct filter *filter)
{
    u64 head = head_number(call);
    json_out_array(call->out, RPC_RESULT);
    for (; filter->next_block <= head; filter->next_block++) {
        const struct chain_block *block = chain_header_by_number(call->chain, filter->next_block);
        if (!block) {
            view_no_block(call);
            return;
        }
        json_out_hash(call->out, NULL, &block->block.hash);
    }
    json_out_array_end(call->out);
}

static void put_arrival(struct rpc_call *call, const struct filter *filter, const hash32 *hash)
{
    u32 index;
    if (!filter->whole_txs) {
        json_out_hash(call->out, NULL, hash);
        return;
    }
    const struct chain_block *block = chain_find_tx(call->chain, hash, &index);
    const struct tx *waiting = block ? NULL : txpool_get(call->dev->pool, hash);
    if (block)
        shape_tx(call->out, NULL, &block->block.txs[index], block, index);
    else if (waiting)
        shape_tx(call->out, NULL, waiting, NULL, 0);
}

static void pending_changes(struct rpc_call *call, struct filter *filter)
{
    u64 end = call->dev->arrival_count;
    if (end - filter->next_arrival > DEV_ARRIVALS)
        filter->next_arrival = end - DEV_ARRIVALS;
    json_out_array(call->out, RPC_RESULT);
    for (; filter->next_arrival < end; filter->next_arrival++)
        put_arrival(call, filter, &call->dev->arrivals[filter->next_arrival % DEV_ARRIVALS]);
    json_out_array_end(call->out);
}

static void log_changes(struct rpc_call *call, struct filter *filter)
{
    u64 head = head_number(call), from = filter->next_block;
    if (!filter->range.from_head && from < filter->range.from)
        from = filter->range.from;
    u64 to = filter->range.to_head || filter->range.to > head ? head : filter->range.to;
    if (filter->range.has_hash) { /* one block, which is there or is not */
        answer_range(call, &filter->choice, &filter->range);
        return;
    }
    json_out_array(call->out, RPC_RESULT);
    if (filter->gone.len)
        json_out_raw(call->out, NULL, filter->gone.data, filter->gone.len);
    if (call->out->full) /* of a batch's other answers */
        return;
    if (!log_filter_tell(call, &filter->choice, &from, to)) {
        filter->next_block = from;
        return;
    }
    json_out_array_end(call->out);
    forget_gone(call->rpc->filters, filter);
    filter->next_block = from > to ? head + 1 : from;
}

static void eth_getFilterChanges(struct rpc_call *call)
{
    u32 place;
    struct filter *filter = find(call, true, &place);
    if (!filter)
        return;
    if (filter->is_lost) {
        rpc_fail(
            call, RPC_LIMIT_EXCEEDED,
            "more logs were taken back than filters keep; the filter is gone, install another");
        filter_remove(call->rpc->filters, place);
        return;
    }
    if (!has_all(call, filter))
        return;
    switch (filter->kind) {
    case FILTER_LOGS: log_changes(call, filter); return;
    case FILTER_BLOCKS: block_changes(call, filter); return;
    case FILTER_PENDING: pending_changes(call, filter); return;
    }
}

static void eth_getFilterLogs(struct rpc_call *call)
{
    u32 place;
    struct filter *filter = find(call, true, &place);
    if (!filter)
        return;
    if (filter->kind != FILTER_LOGS) {
        rpc_fail(call, RPC_SERVER_ERROR, "filter not found");
        return;
    }
    answer_range(call, &filter->choice, &filter->range);
}

const struct rpc_method RPC_ETH_FILTER[] = {
    {"eth_getFilterChanges", eth_getFilterChanges, "id"},
    {"eth_getFilterLogs", eth_getFilterLogs, "id"},
    {"eth_getLogs", eth_getLogs, "filter"},
    {"eth_newBlockFilter", eth_newBlockFilter, ""},
    {"eth_newFilter", eth_newFilter, "filter"},
    {"eth_newPendingTransactionFilter", eth_newPendingTransactionFilter, "whole?"},
    {"eth_uninstallFilter", eth_uninstallFilter, "id"},
    {NULL, NULL, NULL},
};
