/* A transaction's calls as Otterscan reads them (docs/custom-jsonrpc.md in otterscan/otterscan, and Erigon's answers). */
#include "evm/precompile.h"
#include "trace/call_tree.h"

typedef void put_fn(struct buf *out, const struct trace *trace, const struct call_node *node,
                    u64 depth);

/* In the order in which they began. Calls nest at most 1,024 deep. */
static void walk(struct buf *out, const struct trace *trace, const struct call_node *node,
                 u64 depth, put_fn *put)
{
    put(out, trace, node, depth);
    for (const struct call_node *child = node->first; child; child = child->next)
        walk(out, trace, child, depth + 1, put);
}

static void put_list(struct buf *out, const char *key, const struct trace *trace, put_fn *put)
{
    const struct call_tree *tree = (const struct call_tree *)trace;
    json_out_array(out, key);
    if (tree->root)
        walk(out, trace, tree->root, 0, put);
    json_out_array_end(out);
}

static enum status configure(struct trace *trace, json config, json own, struct err *err)
{
    (void)config;
    (void)own;
    (void)err;
    call_tree_init((struct call_tree *)trace);
    return STATUS_OK;
}

/* --- all calls -------------------------------------------------------------------------------- */

/* Calls of precompiles are not shown. */
static bool is_shown(const struct trace *trace, const struct call_node *node)
{
    switch (node->kind) {
    case EVM_CALL:
    case EVM_STATICCALL:
    case EVM_DELEGATECALL:
    case EVM_CALLCODE: return !node->parent || !precompile_find(trace->tx.fork, &node->to);
    case EVM_CREATE:
    case EVM_CREATE2:
    case EVM_SELFDESTRUCT: break;
    }
    return true;
}

static void put_call(struct buf *out, const struct trace *trace, const struct call_node *node,
                     u64 depth)
{
    if (!is_shown(trace, node))
        return;
    bool moves_value = node->kind != EVM_STATICCALL && node->kind != EVM_DELEGATECALL;
    bool returns = node->status == EVM_SUCCESS || node->status == EVM_REVERT;
    json_out_object(out, NULL);
    json_out_text(out, "type", call_kind_text(node->kind));
    json_out_u64(out, "depth", depth);
    json_out_addr(out, "from", &node->from);
    json_out_addr(out, "to", &node->to);
    if (moves_value)
        json_out_quantity_u256(out, "value", node->value);
    else
        json_out_null(out, "value");
    json_out_data(out, "input", node->input, node->input_len);
    json_out_data(out, "output", node->output, returns ? node->output_len : 0);
    json_out_object_end(out);
}

static void calls_result(struct buf *out, const char *key, const struct trace *trace)
{
    put_list(out, key, trace, put_call);
}

static const struct trace_kind CALLS = {
    .name = "ots calls",
    .size = sizeof(struct call_tree),
    .configure = configure,
    .result = calls_result,
};

/* --- what moves ether inside ------------------------------------------------------------------ */

enum { TRANSFER = 0, SELF_DESTRUCT = 1, CREATE = 2, CREATE2 = 3, NOTHING = -1 };

static int operation_of(const struct call_node *node, u64 depth)
{
    if (!depth)
        return NOTHING;
    switch (node->kind) {
    case EVM_CALL: return u256_is_zero(node->value) ? NOTHING : TRANSFER;
    case EVM_CREATE: return CREATE;
    case EVM_CREATE2: return CREATE2;
    case EVM_SELFDESTRUCT: return SELF_DESTRUCT;
    case EVM_STATICCALL:
    case EVM_DELEGATECALL:
    case EVM_CALLCODE: break;
    }
    return NOTHING;
}

static void put_operation(struct buf *out, const struct trace *trace, const struct call_node *node,
                          u64 depth)
{
    int operation = operation_of(node, depth);
    (void)trace;
    if (operation == NOTHING)
        return;
    json_out_object(out, NULL);
    json_out_u64(out, "type", (u64)operation);
    json_out_addr(out, "from", &node->from);
    json_out_addr(out, "to", &node->to);
    json_out_quantity_u256(out, "value", node->value);
    json_out_object_end(out);
}

static void operations_result(struct buf *out, const char *key, const struct trace *trace)
{
    put_list(out, key, trace, put_operation);
}

static const struct trace_kind OPERATIONS = {
    .name = "ots operations",
    .size = sizeof(struct call_tree),
    .configure = configure,
    .result = operations_result,
};

struct trace *trace_new_ots(enum trace_ots view, size_t bytes_max)
{
    return trace_make_fixed(view == TRACE_OTS_CALLS ? &CALLS : &OPERATIONS, bytes_max);
}
