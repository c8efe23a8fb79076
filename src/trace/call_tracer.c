#include "trace/call_tree.h"

enum { REASON_MAX = 4096 };

static void put_log(struct buf *out, const struct call_log *log)
{
    json_out_object(out, NULL);
    json_out_addr(out, "address", &log->addr);
    json_out_array(out, "topics");
    for (unsigned i = 0; i < log->topic_count; i++)
        json_out_hash(out, NULL, &log->topics[i]);
    json_out_array_end(out);
    json_out_data(out, "data", log->data, log->data_len);
    json_out_quantity(out, "index", log->index);
    json_out_quantity(out, "position", log->position);
    json_out_object_end(out);
}

/* Output: what a success returned (if anything) and what a revert said; no other failure has any. */
static void put_outcome(struct buf *out, const struct call_node *node)
{
    char reason[REASON_MAX];
    bool is_told = node->status == EVM_SUCCESS || node->status == EVM_REVERT;
    if (is_told && node->output_len)
        json_out_data(out, "output", node->output, node->output_len);
    if (!node->error)
        return;
    json_out_text(out, "error", node->error);
    if (node->status == EVM_REVERT &&
        revert_reason(reason, sizeof reason, node->output, node->output_len))
        json_out_text(out, "revertReason", reason);
}

/* Logs of a frame that failed, or whose caller failed, did not happen. */
static void put_call(struct buf *out, const char *key, const struct call_node *node, u64 gas_used,
                     bool failed)
{
    failed = failed || node->error;
    json_out_object(out, key);
    json_out_addr(out, "from", &node->from);
    json_out_quantity(out, "gas", (u64)node->gas);
    json_out_quantity(out, "gasUsed", gas_used);
    if (node->has_to)
        json_out_addr(out, "to", &node->to);
    json_out_data(out, "input", node->input, node->input_len);
    put_outcome(out, node);
    if (node->first) {
        json_out_array(out, "calls");
        for (const struct call_node *child = node->first; child; child = child->next)
            put_call(out, NULL, child, (u64)child->gas_used, failed);
        json_out_array_end(out);
    }
    if (node->log_first && !failed) {
        json_out_array(out, "logs");
        for (const struct call_log *log = node->log_first; log; log = log->next)
            put_log(out, log);
        json_out_array_end(out);
    }
    if (node->has_value)
        json_out_quantity_u256(out, "value", node->value);
    json_out_text(out, "type", call_kind_text(node->kind));
    json_out_object_end(out);
}

static enum status call_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct call_tree *tree = (struct call_tree *)trace;
    (void)config;
    call_tree_init(tree);
    enum status status = trace_option_bool(&tree->only_top, own, "onlyTopCall", err);
    if (status == STATUS_OK)
        status = trace_option_bool(&tree->with_logs, own, "withLog", err);
    return status;
}

static void call_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct call_tree *tree = (const struct call_tree *)trace;
    if (tree->root)
        put_call(out, key, tree->root, trace->gas_used, false);
    else
        json_out_null(out, key);
}

const struct trace_kind TRACE_CALL = {
    .name = "callTracer",
    .size = sizeof(struct call_tree),
    .configure = call_configure,
    .result = call_result,
};
