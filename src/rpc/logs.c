/* Choosing logs. */
#include <string.h>

#include "rpc/filters.h"
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"

/* --- reading a filter ----------------------------------------------------------------------- */

static bool read_addrs(struct rpc_call *call, json value, struct log_choice *choice)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    size_t count = kind == JSON_KIND_ARRAY ? json_count(value) : 1;
    if (count > LOG_ADDRS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS, "exceed max addresses: %zu, limit %u", count,
                        LOG_ADDRS_MAX);
    addr20 *addrs = arena_alloc(call->arena, count * sizeof *addrs);
    for (size_t i = 0; i < count; i++)
        if (!value_addr(call, kind == JSON_KIND_ARRAY ? json_at(value, i) : value, "address",
                        &addrs[i]))
            return false;
    choice->addrs = addrs;
    choice->addr_count = (u32)count;
    return true;
}

/* One place: null, a topic, or several of which any will do; an empty list is as good as null. */
static bool read_place(struct rpc_call *call, json value, struct log_choice *choice, u32 place)
{
    enum json_kind kind = json_kind(value);
    size_t count = kind == JSON_KIND_ARRAY ? json_count(value) : kind != JSON_KIND_NULL;
    if (count > LOG_TOPIC_CHOICES_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS, "exceed max topics: %zu, limit %u", count,
                        LOG_TOPIC_CHOICES_MAX);
    hash32 *topics = arena_alloc(call->arena, count * sizeof *topics);
    for (size_t i = 0; i < count; i++) {
        json topic = kind == JSON_KIND_ARRAY ? json_at(value, i) : value;
        if (json_kind(topic) == JSON_KIND_NULL) { /* anything at all */
            count = 0;
            break;
        }
        if (!value_hash(call, topic, "topic", &topics[i]))
            return false;
    }
    choice->at[place].topics = topics;
    choice->at[place].count = (u32)count;
    return true;
}

static bool read_topics(struct rpc_call *call, json value, struct log_choice *choice)
{
    enum json_kind kind = json_kind(value);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    if (kind != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid topics: %s where an array was expected",
                        json_kind_name(kind));
    if (json_count(value) > LOG_TOPICS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS, "exceed max topics: %zu, limit %u",
                        json_count(value), LOG_TOPICS_MAX);
    choice->places = (u32)json_count(value);
    for (u32 i = 0; i < choice->places; i++)
        if (!read_place(call, json_at(value, i), choice, i))
            return false;
    return true;
}

static bool read_end(struct rpc_call *call, json value, u64 *number, bool *is_head)
{
    struct block_ref ref;
    u64 head = chain_head(call->chain)->block.header.number;
    const char *text = json_text(value);
    enum json_kind kind = json_kind(value);
    *is_head = true;
    *number = head;
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    if (!text)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid block number: %s", json_kind_name(kind));
    if (!value_any_block(call, value, &ref))
        return false;
    /* A number past the head is kept as it is: the filter may reach it later. */
    if (strncmp(text, "0x", 2) == 0) {
        *is_head = false;
        return value_u64(call, value, "block number", number);
    }
    if (ref.block && strcmp(text, "earliest") == 0) {
        *is_head = false;
        *number = ref.block->block.header.number;
    }
    return true;
}

bool log_filter_read(struct rpc_call *call, json object, struct log_choice *choice,
                     struct log_range *range)
{
    *choice = (struct log_choice){0};
    *range = (struct log_range){0};
    json from = json_get(object, "fromBlock"), to = json_get(object, "toBlock");
    if (!value_is_object(call, object, "filter") ||
        !member_hash(call, object, "blockHash", &range->hash, &range->has_hash))
        return false;
    if (range->has_hash && (json_text(from) || json_text(to)))
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the "
                        "other");
    return read_end(call, from, &range->from, &range->from_head) &&
           read_end(call, to, &range->to, &range->to_head) &&
           read_addrs(call, json_get(object, "address"), choice) &&
           read_topics(call, json_get(object, "topics"), choice);
}

void log_choice_keep(struct log_choice *to, const struct log_choice *choice, struct arena *arena)
{
    *to = *choice;
    if (choice->addr_count)
        to->addrs = arena_dup(arena, choice->addrs, choice->addr_count * sizeof *choice->addrs);
    for (u32 i = 0; i < choice->places; i++)
        if (choice->at[i].count)
            to->at[i].topics =
                arena_dup(arena, choice->at[i].topics, choice->at[i].count * sizeof(hash32));
}

/* --- matching ------------------------------------------------------------------------------- */

bool log_range_has(const struct log_range *range, u64 number)
{
    return (range->from_head || number >= range->from) && (range->to_head || number <= range->to);
}

static bool addr_matches(const struct log_choice *choice, const addr20 *addr)
{
    for (u32 i = 0; i < choice->addr_count; i++)
        if (addr20_eq(&choice->addrs[i], addr))
            return true;
    return choice->addr_count == 0;
}

bool log_choice_matches(const struct log_choice *choice, const struct log *log)
{
    if (log->topic_count < choice->places || !addr_matches(choice, &log->addr))
        return false;
    for (u32 place = 0; place < choice->places; place++) {
        bool found = choice->at[place].count == 0;
        for (u32 i = 0; i < choice->at[place].count && !found; i++)
            found = hash32_eq(&choice->at[place].topics[i], &log->topics[place]);
        if (!found)
            return false;
    }
    return true;
}

/* False: certainly no log that is chosen. */
static bool bloom_matches(const struct log_choice *choice, const struct bloom *bloom)
{
    bool may = choice->addr_count == 0;
    for (u32 i = 0; i < choice->addr_count && !may; i++)
        may = bloom_may_have(bloom, choice->addrs[i].b, sizeof choice->addrs[i].b);
    for (u32 place = 0; place < choice->places && may; place++) {
        bool found = choice->at[place].count == 0;
        for (u32 i = 0; i < choice->at[place].count && !found; i++)
            found = bloom_may_have(bloom, choice->at[place].topics[i].b, sizeof(hash32));
        may = found;
    }
    return may;
}

bool log_choice_may_match(const struct log_choice *choice, const struct chain_block *block)
{
    return block->receipts && bloom_matches(choice, &block->block.header.logs_bloom);
}

static bool put_block_logs(struct rpc_call *call, const struct log_choice *choice,
                           const struct chain_block *block, u32 max, u32 *count)
{
    if (!log_choice_may_match(choice, block))
        return true;
    for (u32 i = 0; i < block->block.tx_count; i++) {
        const struct receipt *receipt = &block->receipts[i];
        for (u32 k = 0; k < receipt->log_count; k++) {
            if (!log_choice_matches(choice, &receipt->logs[k]))
                continue;
            if (++*count > max)
                return rpc_fail(call, RPC_LIMIT_EXCEEDED,
                                "query returned more than %u results; ask for fewer blocks at a "
                                "time, up to block %llu for instance",
                                max, (unsigned long long)(block->block.header.number - 1));
            shape_log(call->out, NULL, block, i, k, false);
        }
    }
    return true;
}

bool log_filter_answer(struct rpc_call *call, const struct log_choice *choice, u64 from, u64 to)
{
    u32 count = 0;
    u64 head = chain_head(call->chain)->block.header.number;
    if (from < chain_oldest(call->chain))
        return view_pruned(call);
    json_out_array(call->out, RPC_RESULT);
    for (u64 number = from; number <= to && number <= head; number++) {
        const struct chain_block *block = chain_by_number(call->chain, number);
        if (!block)
            return view_no_block(call);
        if (!rpc_goes_on(call) ||
            !put_block_logs(call, choice, block, call->rpc->options.logs_max, &count))
            return false;
    }
    json_out_array_end(call->out);
    return true;
}

bool log_filter_tell(struct rpc_call *call, const struct log_choice *choice, u64 *next, u64 to)
{
    u32 count = 0;
    struct buf *out = call->out;
    size_t start = out->len;
    while (*next <= to && count < call->rpc->options.logs_max &&
           out->len - start <= call->rpc->options.answer_max / 2) {
        const struct chain_block *block = chain_by_number(call->chain, *next);
        size_t mark = out->len;
        if (!block)
            return view_no_block(call);
        if (!rpc_goes_on(call) || !put_block_logs(call, choice, block, UINT32_MAX, &count))
            return false;
        if (out->full) { /* the next poll begins with it, or cannot tell of it at all */
            out->full = false;
            out->len = mark;
            if (mark > start)
                return true;
            return rpc_fail(call, RPC_RESPONSE_TOO_LARGE,
                            "the logs of block %llu do not fit into an answer; the next poll goes "
                            "on after it",
                            (unsigned long long)(*next)++);
        }
        ++*next;
    }
    return true;
}

bool log_filter_answer_block(struct rpc_call *call, const struct log_choice *choice,
                             const struct chain_block *block)
{
    u32 count = 0;
    json_out_array(call->out, RPC_RESULT);
    if (!put_block_logs(call, choice, block, call->rpc->options.logs_max, &count))
        return false;
    json_out_array_end(call->out);
    return true;
}
