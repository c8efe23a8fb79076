#include "rpc/rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "rpc/call.h"
#include "rpc/filters.h"
#include "rpc/session.h"
#include "sys/clock.h"
#include "sys/ending.h"

enum {
    DEPTH_MAX = 64,
    METHOD_SLOTS = 1024, /* a power of two, several times the number of methods */
};

struct rpc_options rpc_options_default(void)
{
    return (struct rpc_options){
        .batch_max = 1000,
        .answer_max = 64 * 1024 * 1024,
        .logs_max = 100000,
        .filters_max = 1024,
        .call_gas_max = 50000000,
    };
}

/* --- the method table ----------------------------------------------------------------------- */

static const struct rpc_method *const tables[] = {
    RPC_ETH_CHAIN,     RPC_ETH_STATE, RPC_ETH_CALL,   RPC_ETH_FEE,      RPC_ETH_FILTER,
    RPC_ETH_SEND,      RPC_ETH_SIGN,  RPC_ETH_CONFIG, RPC_ETH_SIMULATE, RPC_NET,
    RPC_ETH_SUBSCRIBE, RPC_WEB3,      RPC_TXPOOL,     RPC_DEBUG,        RPC_DEBUG_STATE,
    RPC_SELF,          RPC_ADMIN,     RPC_OTS,        RPC_OTS_SEARCH,   RPC_TRACE,
};

/* Those that need a chain of our own to seal and to change. */
static const struct rpc_method *const dev_tables[] = {RPC_DEV, RPC_DUMP, RPC_ETH_SEND_UNSIGNED};

static const struct rpc_method *const testing_tables[] = {RPC_TESTING};

static u32 name_hash(const char *name)
{
    u32 hash = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (u8)*name) * 16777619u;
    return hash ^ hash >> 15;
}

static const struct rpc_method **method_slot(const struct rpc *rpc, const char *name)
{
    u32 slot = name_hash(name);
    while (rpc->methods[slot & rpc->method_mask] &&
           strcmp(rpc->methods[slot & rpc->method_mask]->name, name) != 0)
        slot++;
    return &rpc->methods[slot & rpc->method_mask];
}

static void add_tables(struct rpc *rpc, const struct rpc_method *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (const struct rpc_method *method = list[i]; method->name; method++) {
            *method_slot(rpc, method->name) = method;
            rpc->method_count++;
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct rpc_method *const *)a)->name,
                  (*(const struct rpc_method *const *)b)->name);
}

const struct rpc_method *const *rpc_method_list(const struct rpc *rpc, u32 *count)
{
    *count = rpc->method_count;
    return rpc->method_list;
}

static void list_methods(struct rpc *rpc)
{
    u32 count = 0;
    rpc->method_list = NEW_ARRAY(const struct rpc_method *, rpc->method_count);
    for (u32 i = 0; i <= rpc->method_mask; i++)
        if (rpc->methods[i])
            rpc->method_list[count++] = rpc->methods[i];
    assert(count == rpc->method_count);
    qsort(rpc->method_list, count, sizeof(void *), by_name);
}

struct rpc *rpc_new(struct dev *dev, const struct rpc_options *options)
{
    struct rpc *rpc = NEW(struct rpc);
    rpc->dev = dev;
    rpc->options = *options;
    if (!rpc->options.client)
        rpc->options.client = "ashlar";
    rpc->methods = NEW_ARRAY(const struct rpc_method *, METHOD_SLOTS);
    rpc->method_mask = METHOD_SLOTS - 1;
    arena_init(&rpc->parsed);
    arena_init(&rpc->arena);
    add_tables(rpc, tables, ARRAY_LEN(tables));
    if (!dev->is_follower)
        add_tables(rpc, dev_tables, ARRAY_LEN(dev_tables));
    if (!dev->is_follower || options->has_testing)
        add_tables(rpc, testing_tables, ARRAY_LEN(testing_tables));
    list_methods(rpc);
    rpc->filters = rpc_filters_new(options->seed, options->filters_max, options->answer_max / 16);
    rpc->sessions = rpc_sessions_new(rpc);
    return rpc;
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc)
        return;
    rpc_sessions_free(rpc->sessions);
    rpc_filters_free(rpc->filters);
    arena_fini(&rpc->parsed);
    arena_fini(&rpc->arena);
    mem_free(rpc->method_list);
    mem_free(rpc->methods);
    mem_free(rpc);
}

/* --- one request ---------------------------------------------------------------------------- */

bool rpc_fail(struct rpc_call *call, enum rpc_code code, const char *fmt, ...)
{
    if (call->code)
        return false;
    call->code = code;
    va_list args;
    va_start(args, fmt);
    vsnprintf(call->message, sizeof call->message, fmt, args);
    va_end(args);
    return false;
}

bool rpc_goes_on(struct rpc_call *call)
{
    return !ending_is_wished() || rpc_fail(call, RPC_SERVER_ERROR, "the node is stopping");
}

/* Any scalar is echoed as it was sent. */
static void put_id(struct buf *out, json id)
{
    size_t len;
    const char *text = json_text_len(id, &len), *number = json_number_text(id);
    bool truth;
    if (text)
        json_out_text_len(out, "id", text, len);
    else if (number)
        json_out_raw(out, "id", number, strlen(number));
    else if (json_bool(id, &truth))
        json_out_bool(out, "id", truth);
    else
        json_out_null(out, "id");
}

static void put_error(struct buf *out, const struct rpc_call *call)
{
    json_out_object(out, "error");
    json_out_i64(out, "code", call->code);
    json_out_text(out, "message", call->message);
    if (call->has_data)
        json_out_data(out, "data", call->data, call->data_len);
    json_out_object_end(out);
}

static u32 params_max(const struct rpc_method *method)
{
    u32 count = *method->params != 0;
    for (const char *at = method->params; *at; at++)
        count += *at == ' ';
    return count;
}

static void run_method(struct rpc_call *call, json request, const char *method)
{
    json params = json_get(request, "params");
    enum json_kind kind = json_kind(params);
    const struct rpc_method *found = *method_slot(call->rpc, method);
    if (!found) {
        rpc_fail(call, RPC_METHOD_NOT_FOUND, "the method %.200s does not exist/is not available",
                 method);
        return;
    }
    if (kind != JSON_KIND_ARRAY && kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL) {
        rpc_fail(call, RPC_INVALID_PARAMS, "params must be an array, not %s", json_kind_name(kind));
        return;
    }
    if (json_count(params) > params_max(found)) {
        rpc_fail(call, RPC_INVALID_PARAMS, "too many arguments, want at most %u",
                 params_max(found));
        return;
    }
    call->params = kind == JSON_KIND_ARRAY ? params : NULL;
    found->fn(call);
}

static void run(struct rpc_call *call, json request, const char *method)
{
    const struct rpc_options *options = &call->rpc->options;
    if (!options->observe && !log_is_on(options->log, LOG_DEBUG, LOG_RPC)) {
        run_method(call, request, method);
        return;
    }
    u64 began = clock_monotonic_ns();
    run_method(call, request, method);
    u64 took = clock_monotonic_ns() - began;
    if (options->observe)
        options->observe(options->observe_ctx, method, took, rpc_failed(call));
    if (rpc_failed(call))
        LOG(options->log, LOG_DEBUG, LOG_RPC, "a request failed", log_text("method", method),
            log_seconds("took", took), log_i64("code", call->code), log_text("why", call->message));
    else
        LOG(options->log, LOG_DEBUG, LOG_RPC, "answered", log_text("method", method),
            log_seconds("took", took));
}

/* What makes an object a request at all; NULL when it is one. */
static const char *shape_error(json request)
{
    if (json_kind(request) != JSON_KIND_OBJECT)
        return "invalid request: not an object";
    const char *version = json_text(json_get(request, "jsonrpc"));
    if (!version || strcmp(version, "2.0") != 0)
        return "invalid request: \"jsonrpc\" must be \"2.0\"";
    if (!json_text(json_get(request, "method")))
        return "invalid request: \"method\" must be a string";
    enum json_kind kind = json_kind(json_get(request, "id"));
    if (kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY)
        return "invalid request: \"id\" must be a string, a number or null";
    return NULL;
}

void rpc_call_init(struct rpc_call *call, struct rpc *rpc, struct buf *out)
{
    call->rpc = rpc;
    call->dev = rpc->dev;
    call->chain = rpc->dev->chain;
    call->arena = &rpc->arena;
    call->params = NULL;
    call->out = out;
    call->asker = NULL;
    call->waits = false;
    call->code = 0;
    call->has_data = false;
}

void rpc_call_finish(struct rpc_call *call, size_t mark)
{
    struct buf *out = call->out;
    struct err err;
    if (chain_status(call->chain, &err)) { /* a damaged record reads as an absent one */
        out->full = false;
        call->code = 0;
        call->has_data = false;
        rpc_fail(call, RPC_SERVER_ERROR, "%s", err.text);
    }
    if (out->full) {
        out->full = false;
        call->code = 0;
        call->has_data = false;
        rpc_fail(call, RPC_RESPONSE_TOO_LARGE, "response too large, limit %u bytes",
                 call->rpc->options.answer_max);
    }
    if (rpc_failed(call)) {
        out->len = mark;
        put_error(out, call);
    }
    json_out_object_end(out);
}

/* Puts the request aside; false when it has to be answered after all. */
static bool put_aside(struct rpc_call *call, const void *head, size_t len)
{
    if (rpc_wait_add(call->rpc, call->asker, &call->wait_hash, call->wait_ms, head, len))
        return true;
    rpc_wait_fail(call, &call->wait_hash, "too many requests wait for their transactions");
    return false;
}

/* Closes the answer that begins at start, or puts it aside: false. */
static bool finish(struct rpc_call *call, size_t start, size_t mark, bool is_asked)
{
    struct buf *out = call->out;
    if (call->waits && is_asked && put_aside(call, out->data + start, mark - start)) {
        out->len = start;
        return false;
    }
    rpc_call_finish(call, mark);
    if (!is_asked)
        out->len = start;
    return true;
}

/* Appends the answer; nothing for a notification. False: the answer comes later. */
static bool answer(struct rpc *rpc, const struct rpc_asker *asker, json request, struct buf *out)
{
    const char *shape = shape_error(request);
    json id = json_get(request, "id");
    struct rpc_call call;
    rpc_call_init(&call, rpc, out);
    call.asker = asker;
    size_t start = out->len;
    json_out_object(out, NULL);
    json_out_raw(out, "jsonrpc", "\"2.0\"", 5);
    put_id(out, id);
    size_t mark = out->len;
    if (shape)
        rpc_fail(&call, RPC_INVALID_REQUEST, "%s", shape);
    else if (rpc_goes_on(&call))
        run(&call, request, json_text(json_get(request, "method")));
    bool is_answered = finish(&call, start, mark, shape || id);
    arena_reset(&rpc->arena); /* what the next of a batch takes does not add to it */
    return is_answered;
}

/* An answer to no request in particular. */
static void put_lone_error(struct buf *out, enum rpc_code code, const char *message)
{
    struct rpc_call call = {.code = code};
    snprintf(call.message, sizeof call.message, "%s", message);
    json_out_object(out, NULL);
    json_out_raw(out, "jsonrpc", "\"2.0\"", 5);
    json_out_null(out, "id");
    put_error(out, &call);
    json_out_object_end(out);
}

/* In a batch nothing waits: the answers leave together. */
static void answer_batch(struct rpc *rpc, const struct rpc_asker *asker, json batch,
                         struct buf *out)
{
    struct rpc_asker impatient = {.session = asker ? asker->session : NULL};
    size_t count = json_count(batch);
    if (count == 0 || count > rpc->options.batch_max) {
        char text[80] = "empty batch";
        if (count)
            snprintf(text, sizeof text, "batch too large: %zu requests, limit %u", count,
                     rpc->options.batch_max);
        put_lone_error(out, RPC_INVALID_REQUEST, text);
        return;
    }
    json_out_array(out, NULL);
    size_t start = out->len;
    struct json_iter iter = json_iter(batch);
    while (json_next(&iter))
        answer(rpc, &impatient, iter.value, out);
    if (out->len == start)
        buf_reset(out); /* notifications only */
    else
        json_out_array_end(out);
}

/* Room for errors and ends when answers fill the bound. */
static size_t bound_of(const struct rpc *rpc)
{
    return (size_t)rpc->options.answer_max + (size_t)rpc->options.batch_max * 1024;
}

static enum status parse_into(struct arena *arena, const struct rpc *rpc, json *root,
                              const char *text, size_t len, unsigned depth_max, struct err *err)
{
    u32 values_max = rpc->options.values_max ? rpc->options.values_max : UINT32_MAX;
    return json_parse_bounded(root, arena, text, len, depth_max, values_max, err);
}

enum status rpc_parse(struct rpc *rpc, json *root, const char *text, size_t len, unsigned depth_max,
                      struct err *err)
{
    return parse_into(&rpc->arena, rpc, root, text, len, depth_max, err);
}

bool rpc_handle_for(struct rpc *rpc, const struct rpc_asker *asker, const char *body, size_t len,
                    struct buf *out)
{
    struct err err;
    json request;
    bool is_answered = true;
    buf_reset(out);
    out->max = bound_of(rpc);
    if (parse_into(&rpc->parsed, rpc, &request, body, len, DEPTH_MAX, &err) != STATUS_OK) {
        char text[600];
        snprintf(text, sizeof text, "parse error: %s", err.text);
        put_lone_error(out, RPC_PARSE_ERROR, text);
    } else if (json_kind(request) == JSON_KIND_ARRAY) {
        answer_batch(rpc, asker, request, out);
    } else {
        is_answered = answer(rpc, asker, request, out);
    }
    arena_reset(&rpc->parsed);
    return is_answered;
}

void rpc_handle(struct rpc *rpc, const char *body, size_t len, struct buf *out)
{
    bool is_answered = rpc_handle_for(rpc, NULL, body, len, out);
    assert(is_answered);
}
