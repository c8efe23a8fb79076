#include "trace/call_tree.h"

const char *call_kind_text(enum evm_kind kind)
{
    static const char *const texts[] = {
        [EVM_CALL] = "CALL",
        [EVM_DELEGATECALL] = "DELEGATECALL",
        [EVM_CALLCODE] = "CALLCODE",
        [EVM_STATICCALL] = "STATICCALL",
        [EVM_CREATE] = "CREATE",
        [EVM_CREATE2] = "CREATE2",
        [EVM_SELFDESTRUCT] = "SELFDESTRUCT",
    };
    return texts[kind];
}

static bool is_creation(enum evm_kind kind)
{
    return kind == EVM_CREATE || kind == EVM_CREATE2;
}

/* A new last child of the open frame, or the root. NULL when the trace is full. */
static struct call_node *node_add(struct call_tree *tree, enum evm_kind kind)
{
    struct call_node *node = trace_keep(&tree->trace, sizeof *node);
    struct call_node *parent = tree->open;
    if (!node)
        return NULL;
    node->kind = kind;
    node->parent = parent;
    if (!parent) {
        tree->root = node;
        return node;
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->child_count++;
    return node;
}

static bool is_ignored(const struct call_tree *tree, unsigned depth)
{
    return tree->trace.is_full || (tree->only_top && depth > 0);
}

static void tree_enter(void *ctx, const struct evm_msg *msg)
{
    struct call_tree *tree = ctx;
    if (is_ignored(tree, msg->depth))
        return;
    struct call_node *node = node_add(tree, msg->kind);
    if (!node)
        return;
    bool is_delegate = msg->kind == EVM_DELEGATECALL;
    node->from = is_delegate ? msg->recipient : msg->sender;
    node->to = is_creation(msg->kind) ? msg->recipient : msg->code_addr;
    node->has_to = true;
    node->has_value = msg->kind != EVM_STATICCALL;
    node->value = msg->value;
    node->gas = msg->depth == 0 ? (i64)tree->trace.tx.gas_limit : msg->gas;
    node->gas_given = msg->gas;
    node->gas_used = msg->gas; /* what it was given, until it ends */
    node->input = trace_keep_bytes(&tree->trace, msg->input, msg->input_len);
    node->input_len = node->input ? msg->input_len : 0;
    node->logs_before = tree->log_count;
    tree->open = node;
}

static void node_fail(struct call_tree *tree, struct call_node *node, const struct evm_msg *msg,
                      const struct evm_result *result)
{
    node->error = trace_keep(&tree->trace, EVM_ERROR_TEXT_MAX);
    if (node->error)
        trace_error_text(node->error, msg, result);
    node->has_to = !is_creation(node->kind);
    tree->log_count = node->logs_before;
}

static void tree_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct call_tree *tree = ctx;
    struct call_node *node = tree->open;
    if (is_ignored(tree, msg->depth) || !node)
        return;
    node->status = result->status;
    node->gas_used -= result->gas_left;
    node->output = trace_keep_bytes(&tree->trace, result->output, result->output_len);
    node->output_len = node->output ? result->output_len : 0;
    if (result->status != EVM_SUCCESS)
        node_fail(tree, node, msg, result);
    tree->open = node->parent;
}

static void tree_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                              const u256 *wei, u16 depth)
{
    struct call_tree *tree = ctx;
    if (is_ignored(tree, depth + 1u))
        return;
    struct call_node *node = node_add(tree, EVM_SELFDESTRUCT);
    if (!node)
        return;
    node->from = *addr;
    node->to = *beneficiary;
    node->has_to = node->has_value = true;
    node->value = *wei;
}

static void tree_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                     const u8 *data, size_t len, u16 depth)
{
    struct call_tree *tree = ctx;
    u64 index = tree->trace.tx.log_index + tree->log_count++;
    struct call_node *node = tree->open;
    if (!tree->with_logs || is_ignored(tree, depth) || !node)
        return;
    struct call_log *log = trace_keep(&tree->trace, sizeof *log);
    if (!log)
        return;
    log->addr = *addr;
    log->topic_count = topic_count;
    if (topic_count)
        memcpy(log->topics, topics, topic_count * sizeof topics[0]);
    log->data = trace_keep_bytes(&tree->trace, data, len);
    log->data_len = log->data ? len : 0;
    log->index = index;
    log->position = node->child_count;
    if (node->log_last)
        node->log_last->next = log;
    else
        node->log_first = log;
    node->log_last = log;
}

void call_tree_init(struct call_tree *tree)
{
    struct evm_tracer *hooks = &tree->trace.hooks;
    hooks->enter = tree_enter;
    hooks->exit = tree_exit;
    hooks->selfdestruct = tree_selfdestruct;
    hooks->log = tree_log;
}
