#include <stdio.h>

#include "evm/precompile.h"
#include "trace/call_tree.h"

/*
 * The tree of calls as OpenEthereum's trace_* methods show it: a list, with each call's path. As geth's tracer shows it;
 * as Erigon answers trace_*, each with its place in the chain; or, of a replay, without.
 */
struct flat_trace {
    struct call_tree tree;
    enum flat_style { FLAT_GETH, FLAT_FILED, FLAT_REPLAYED } style;
    bool parity_errors, precompiles;
    /* Filed: only the call with this path is shown. */
    bool is_one;
    u32 wanted[TRACE_PATH_MAX];
    u32 wanted_len;
};

struct flat_walk {
    const struct flat_trace *flat;
    struct buf *out;
    u32 path[TRACE_PATH_MAX];
    u32 path_len;
    bool has_found; /* the one wanted */
};

/* OpenEthereum's words for an outcome; NULL keeps geth's. */
static const char *parity_error(enum evm_status status)
{
    switch (status) {
    case EVM_OUT_OF_GAS:
    case EVM_OUT_OF_GAS_SENTRY:
    case EVM_OUT_OF_GAS_ACCESS:
    case EVM_OUT_OF_GAS_OVERFLOW:
    case EVM_GAS_UINT_OVERFLOW:
    case EVM_CODE_STORE_OUT_OF_GAS:
    case EVM_CODE_TOO_LARGE: return "Out of gas";
    case EVM_INVALID_JUMP: return "Bad jump destination";
    case EVM_REVERT: return "Reverted";
    case EVM_RETURN_DATA_OUT_OF_BOUNDS: return "Out of bounds";
    case EVM_STACK_OVERFLOW: return "Out of stack";
    case EVM_STACK_UNDERFLOW: return "Stack underflow";
    case EVM_INVALID_OPCODE: return "Bad instruction";
    case EVM_PRECOMPILE_FAILURE: return "Built-in failed";
    case EVM_SUCCESS:
    case EVM_WRITE_PROTECTION:
    case EVM_OUT_OF_GAS_STATIC:
    case EVM_CALL_DEPTH:
    case EVM_INSUFFICIENT_BALANCE:
    case EVM_NONCE_OVERFLOW:
    case EVM_ADDRESS_COLLISION:
    case EVM_INITCODE_TOO_LARGE:
    case EVM_INVALID_CODE: return NULL;
    }
    return NULL;
}

/* Calls of precompiles are left out, unless asked for. Erigon shows those that come with value, geth all but two kinds. */
static bool is_hidden(const struct flat_trace *flat, const struct call_node *node)
{
    bool is_geth = flat->style == FLAT_GETH;
    if (flat->precompiles || !node->parent)
        return false;
    switch (node->kind) {
    case EVM_CALL:
    case EVM_STATICCALL: break;
    case EVM_DELEGATECALL:
    case EVM_CALLCODE:
        if (is_geth)
            return false;
        break;
    case EVM_CREATE:
    case EVM_CREATE2:
    case EVM_SELFDESTRUCT: return false;
    }
    if (!is_geth && node->has_value && !u256_is_zero(node->value))
        return false;
    return precompile_find(flat->tree.trace.tx.fork, &node->to) != NULL;
}

static u64 shown_children(const struct flat_trace *flat, const struct call_node *node)
{
    u64 n = 0;
    for (const struct call_node *child = node->first; child; child = child->next)
        n += !is_hidden(flat, child);
    return n;
}

static void put_value(struct buf *out, const char *key, const struct call_node *node)
{
    if (node->has_value || node->parent)
        json_out_quantity_u256(out, key, node->has_value ? node->value : U256_ZERO);
}

static void put_action(struct buf *out, const struct flat_trace *flat, const struct call_node *node)
{
    u64 gas = (u64)(flat->style == FLAT_GETH ? node->gas : node->gas_given);
    static const char *const call_types[] = {
        [EVM_CALL] = "call",
        [EVM_DELEGATECALL] = "delegatecall",
        [EVM_CALLCODE] = "callcode",
        [EVM_STATICCALL] = "staticcall",
    };
    json_out_object(out, "action");
    switch (node->kind) {
    case EVM_SELFDESTRUCT:
        json_out_addr(out, "address", &node->from);
        put_value(out, "balance", node);
        json_out_addr(out, "refundAddress", &node->to);
        break;
    case EVM_CREATE:
    case EVM_CREATE2:
        json_out_text(out, "creationMethod", node->kind == EVM_CREATE ? "create" : "create2");
        json_out_addr(out, "from", &node->from);
        json_out_quantity(out, "gas", gas);
        json_out_data(out, "init", node->input, node->input_len);
        put_value(out, "value", node);
        break;
    case EVM_CALL:
    case EVM_DELEGATECALL:
    case EVM_CALLCODE:
    case EVM_STATICCALL:
        json_out_text(out, "callType", call_types[node->kind]);
        json_out_addr(out, "from", &node->from);
        json_out_quantity(out, "gas", gas);
        json_out_data(out, "input", node->input, node->input_len);
        json_out_addr(out, "to", &node->to);
        put_value(out, "value", node);
        break;
    }
    json_out_object_end(out);
}

static void put_result(struct buf *out, const struct flat_trace *flat, const struct call_node *node,
                       u64 gas_used)
{
    bool is_creation = node->kind == EVM_CREATE || node->kind == EVM_CREATE2;
    bool is_geth = flat->style == FLAT_GETH;
    if (node->kind == EVM_SELFDESTRUCT ||
        (node->status != EVM_SUCCESS && node->status != EVM_REVERT)) {
        if (!is_geth)
            json_out_null(out, "result");
        return;
    }
    json_out_object(out, "result");
    if (is_creation && (node->has_to || !is_geth))
        json_out_addr(out, "address", &node->to);
    if (is_creation)
        json_out_data(out, "code", node->output, node->output_len);
    json_out_quantity(out, "gasUsed", gas_used);
    if (!is_creation)
        json_out_data(out, "output", node->output, node->output_len);
    json_out_object_end(out);
}

static const char *type_text(enum evm_kind kind)
{
    if (kind == EVM_SELFDESTRUCT)
        return "suicide";
    return kind == EVM_CREATE || kind == EVM_CREATE2 ? "create" : "call";
}

static void put_error(struct flat_walk *walk, const struct call_node *node)
{
    const char *parity = walk->flat->parity_errors ? parity_error(node->status) : NULL;
    /* Erigon says but this in OpenEthereum's words, as which explorers know it. */
    if (walk->flat->style != FLAT_GETH && node->status == EVM_REVERT)
        parity = parity_error(EVM_REVERT);
    if (node->error)
        json_out_text(walk->out, "error", parity ? parity : node->error);
}

static void put_hash_opt(struct buf *out, const char *key, const hash32 *hash)
{
    if (hash)
        json_out_hash(out, key, hash);
    else
        json_out_null(out, key);
}

static void put_flat(struct flat_walk *walk, const char *key, const struct call_node *node)
{
    struct buf *out = walk->out;
    const struct flat_trace *flat = walk->flat;
    const struct trace_tx *tx = &flat->tree.trace.tx;
    bool counts_all = !node->parent && flat->style == FLAT_GETH;
    json_out_object(out, key);
    put_action(out, flat, node);
    if (flat->style != FLAT_REPLAYED) {
        put_hash_opt(out, "blockHash", tx->block_hash);
        json_out_u64(out, "blockNumber", tx->block_number);
    }
    put_error(walk, node);
    put_result(out, flat, node, counts_all ? flat->tree.trace.gas_used : (u64)node->gas_used);
    json_out_u64(out, "subtraces", shown_children(flat, node));
    json_out_array(out, "traceAddress");
    for (u32 i = 0; i < walk->path_len; i++)
        json_out_u64(out, NULL, walk->path[i]);
    json_out_array_end(out);
    if (flat->style != FLAT_REPLAYED) {
        put_hash_opt(out, "transactionHash", tx->hash);
        json_out_u64(out, "transactionPosition", tx->index);
    }
    json_out_text(out, "type", type_text(node->kind));
    json_out_object_end(out);
}

static bool is_wanted(const struct flat_walk *walk)
{
    const struct flat_trace *flat = walk->flat;
    return !flat->is_one ||
           (walk->path_len == flat->wanted_len &&
            memcmp(walk->path, flat->wanted, walk->path_len * sizeof walk->path[0]) == 0);
}

/* key: of the one that is wanted; all are items of an array. */
static void walk_node(struct flat_walk *walk, const char *key, const struct call_node *node)
{
    if (is_wanted(walk)) {
        put_flat(walk, key, node);
        walk->has_found = true;
    }
    assert(walk->path_len < TRACE_PATH_MAX);
    u32 *step = &walk->path[walk->path_len++];
    *step = 0;
    for (const struct call_node *child = node->first; child; child = child->next) {
        if (is_hidden(walk->flat, child))
            continue;
        walk_node(walk, key, child);
        ++*step;
    }
    walk->path_len--;
}

static enum status flat_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct flat_trace *flat = (struct flat_trace *)trace;
    (void)config;
    call_tree_init(&flat->tree);
    enum status status = trace_option_bool(&flat->parity_errors, own, "convertParityErrors", err);
    if (status == STATUS_OK)
        status = trace_option_bool(&flat->precompiles, own, "includePrecompiles", err);
    return status;
}

static void flat_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct flat_trace *flat = (const struct flat_trace *)trace;
    struct flat_walk walk = {.flat = flat, .out = out};
    json_out_array(out, key);
    if (flat->tree.root)
        walk_node(&walk, NULL, flat->tree.root);
    json_out_array_end(out);
}

const struct trace_kind TRACE_FLAT_CALL = {
    .name = "flatCallTracer",
    .size = sizeof(struct flat_trace),
    .configure = flat_configure,
    .result = flat_result,
};

/* --- trace_* ---------------------------------------------------------------------------------- */

static enum status replayed_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct flat_trace *flat = (struct flat_trace *)trace;
    (void)config;
    (void)own;
    (void)err;
    call_tree_init(&flat->tree);
    flat->style = FLAT_REPLAYED;
    return STATUS_OK;
}

const struct trace_kind TRACE_REPLAYED_CALLS = {
    .name = "trace",
    .size = sizeof(struct flat_trace),
    .configure = replayed_configure,
    .result = flat_result,
};

static enum status filed_configure(struct trace *trace, json config, json own, struct err *err)
{
    enum status status = replayed_configure(trace, config, own, err);
    ((struct flat_trace *)trace)->style = FLAT_FILED;
    return status;
}

static void filed_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct flat_trace *flat = (const struct flat_trace *)trace;
    struct flat_walk walk = {.flat = flat, .out = out};
    if (flat->tree.root)
        walk_node(&walk, flat->is_one ? key : NULL, flat->tree.root);
    if (flat->is_one && !walk.has_found)
        json_out_null(out, key);
}

static const struct trace_kind FILED_CALLS = {
    .name = "trace, filed",
    .size = sizeof(struct flat_trace),
    .configure = filed_configure,
    .result = filed_result,
};

struct trace *trace_new_filed(size_t bytes_max)
{
    return trace_make_fixed(&FILED_CALLS, bytes_max);
}

struct trace *trace_new_filed_one(const u32 *path, size_t len, size_t bytes_max)
{
    struct trace *trace = trace_make_fixed(&FILED_CALLS, bytes_max);
    struct flat_trace *flat = (struct flat_trace *)trace;
    assert(len <= TRACE_PATH_MAX);
    flat->is_one = true;
    flat->wanted_len = (u32)len;
    memcpy(flat->wanted, path, len * sizeof path[0]);
    return trace;
}
