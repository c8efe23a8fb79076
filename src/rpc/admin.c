/* admin_logLevel: which rooms write how much to the log, while the node runs (as geth's debug_vmodule). */
#include "base/log.h"
#include "rpc/param.h"

/* No parameter: the levels as they are. "debug" or "warn,rpc=trace": sets them, and answers with what they became. */
static void admin_log_level(struct rpc_call *call)
{
    struct err err;
    struct buf levels;
    struct logger *log = call->rpc->options.log;
    json wanted = json_at(call->params, 0);
    if (!log || !call->rpc->options.log_is_open) {
        rpc_fail(call, RPC_SERVER_ERROR, "this node's log is not open to requests");
        return;
    }
    if (wanted && json_kind(wanted) != JSON_KIND_NULL) {
        const char *text = json_text(wanted);
        if (!text || log_set_levels(log, text, &err) != STATUS_OK) {
            rpc_fail(call, RPC_INVALID_PARAMS, "%s", text ? err.text : "levels must be a string");
            return;
        }
    }
    buf_init(&levels, LOG_LINE_MAX);
    log_put_levels(log, &levels);
    buf_add_byte(&levels, 0);
    json_out_text(call->out, RPC_RESULT, (const char *)levels.data);
    buf_fini(&levels);
}

const struct rpc_method RPC_ADMIN[] = {
    {"admin_logLevel", admin_log_level, "levels?"},
    {NULL, NULL, NULL},
};
