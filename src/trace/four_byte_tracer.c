#include <stdio.h>

#include "evm/precompile.h"
#include "prim/hex.h"
#include "trace/trace_int.h"

/* How often each selector was called with how much more data. */
struct four_byte_entry {
    struct four_byte_entry *next;
    u8 selector[4];
    size_t rest; /* bytes of call data after it */
    u64 count;
};

struct four_byte_trace {
    struct trace trace;
    struct four_byte_entry *first;
};

static void four_byte_count(struct four_byte_trace *four, const u8 *input, size_t len)
{
    struct four_byte_entry **at = &four->first;
    for (; *at; at = &(*at)->next)
        if ((*at)->rest == len - 4 && memcmp((*at)->selector, input, 4) == 0) {
            (*at)->count++;
            return;
        }
    struct four_byte_entry *entry = trace_keep(&four->trace, sizeof *entry);
    if (!entry)
        return;
    memcpy(entry->selector, input, 4);
    entry->rest = len - 4;
    entry->count = 1;
    *at = entry;
}

static void four_byte_enter(void *ctx, const struct evm_msg *msg)
{
    struct four_byte_trace *four = ctx;
    bool is_creation = msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
    if (msg->input_len < 4 || is_creation || precompile_find(four->trace.tx.fork, &msg->code_addr))
        return;
    four_byte_count(four, msg->input, msg->input_len);
}

static enum status four_byte_configure(struct trace *trace, json config, json own, struct err *err)
{
    (void)config;
    (void)own;
    (void)err;
    trace->hooks.enter = four_byte_enter;
    return STATUS_OK;
}

static void four_byte_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct four_byte_trace *four = (const struct four_byte_trace *)trace;
    json_out_object(out, key);
    for (const struct four_byte_entry *entry = four->first; entry; entry = entry->next) {
        char name[40], selector[16];
        hex_encode(selector, entry->selector, 4);
        snprintf(name, sizeof name, "%s-%zu", selector, entry->rest);
        json_out_u64(out, name, entry->count);
    }
    json_out_object_end(out);
}

const struct trace_kind TRACE_4BYTE = {
    .name = "4byteTracer",
    .size = sizeof(struct four_byte_trace),
    .configure = four_byte_configure,
    .result = four_byte_result,
};
