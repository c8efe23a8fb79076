#include "evm/opcode.h"
#include "trace/slot_table.h"
#include "trace/trace_int.h"

/* The default tracer: an entry an instruction, written as JSON at once. */
struct struct_log {
    struct trace trace;
    bool no_stack, no_storage, memory, return_data;
    u64 limit; /* bytes of entries, after which none follows; 0: none */
    u64 count;
    struct buf entries; /* what stands between the brackets of structLogs */
    struct slot_table slots;
    bool failed;
    const u8 *output;
    size_t output_len;
};

static void put_stack(struct buf *out, const struct evm_step *step)
{
    json_out_array(out, "stack");
    for (u32 i = 0; i < step->stack_len; i++)
        json_out_quantity_u256(out, NULL, step->stack[i]);
    json_out_array_end(out);
}

static void put_memory(struct buf *out, const struct evm_step *step)
{
    if (step->memory_len == 0)
        return;
    json_out_array(out, "memory");
    for (size_t at = 0; at < step->memory_len; at += 32)
        json_out_data(out, NULL, step->memory + at, 32);
    json_out_array_end(out);
}

/* All slots of this contract that instructions have touched so far. */
static void put_storage(struct buf *out, const struct slot_table *slots, const addr20 *addr)
{
    json_out_object(out, "storage");
    for (size_t i = 0; i < slots->count; i++) {
        const struct slot_entry *entry = &slots->entries[i];
        if (!addr20_eq(&entry->addr, addr))
            continue;
        char key[WORD_TEXT_MAX];
        json_out_word(out, trace_word_text(key, &entry->key), entry->value);
    }
    json_out_object_end(out);
}

/* SLOAD and SSTORE add what they read or are about to write. */
static void track_storage(struct struct_log *log, struct buf *out, const struct evm_step *step)
{
    bool is_load = step->opcode == OP_SLOAD && step->stack_len >= 1;
    bool is_store = step->opcode == OP_SSTORE && step->stack_len >= 2;
    bool is_new;
    if (!is_load && !is_store)
        return;
    const addr20 *addr = &step->msg->recipient;
    u256 key = *step_top(step, 0);
    u256 value = is_load ? trace_slot(&log->trace, addr, &key) : *step_top(step, 1);
    slot_table_get(&log->slots, addr, &key, &is_new)->value = value;
    put_storage(out, &log->slots, addr);
}

static void struct_log_step(void *ctx, const struct evm_step *step)
{
    struct struct_log *log = ctx;
    struct buf *out = &log->entries;
    char room[OPCODE_TEXT_MAX], error[EVM_ERROR_TEXT_MAX];
    u64 separators = log->count ? log->count - 1 : 0;
    if (log->trace.is_full || (log->limit && out->len - separators > log->limit))
        return;
    log->count++;
    json_out_object(out, NULL);
    json_out_u64(out, "pc", step->pc);
    json_out_text(out, "op", opcode_text(room, step->opcode));
    json_out_i64(out, "gas", step->gas);
    json_out_i64(out, "gasCost", step->cost);
    json_out_u64(out, "depth", step->depth + 1u);
    if (step->error != EVM_SUCCESS) {
        evm_error_text(error, step->error, step->opcode, step->stack_len);
        json_out_text(out, "error", error);
    }
    if (!log->no_stack)
        put_stack(out, step);
    if (log->return_data && step->return_data_len)
        json_out_data(out, "returnData", step->return_data, step->return_data_len);
    if (log->memory)
        put_memory(out, step);
    if (!log->no_storage)
        track_storage(log, out, step);
    if (step->refund)
        json_out_i64(out, "refund", step->refund);
    json_out_object_end(out);
    log->trace.is_full = out->full;
}

static void struct_log_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct struct_log *log = ctx;
    if (msg->depth != 0)
        return;
    log->failed = result->status != EVM_SUCCESS;
    if (log->failed && result->status != EVM_REVERT)
        return;
    log->output = trace_keep_bytes(&log->trace, result->output, result->output_len);
    log->output_len = log->output ? result->output_len : 0;
}

static enum status struct_log_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct struct_log *log = (struct struct_log *)trace;
    json limit = json_get(config, "limit");
    enum status status = STATUS_OK;
    const struct {
        const char *name;
        bool *out;
    } options[] = {
        {"disableStack", &log->no_stack},
        {"disableStorage", &log->no_storage},
        {"enableMemory", &log->memory},
        {"enableReturnData", &log->return_data},
    };
    (void)own;
    buf_init(&log->entries, trace->bytes_max);
    trace->hooks.step = struct_log_step;
    trace->hooks.exit = struct_log_exit;
    for (size_t i = 0; i < ARRAY_LEN(options) && status == STATUS_OK; i++)
        status = trace_option_bool(options[i].out, config, options[i].name, err);
    if (status == STATUS_OK && limit && json_kind(limit) != JSON_KIND_NULL &&
        !json_u64(limit, &log->limit))
        status = err_set(err, STATUS_INVALID, "limit must be a number, not %s",
                         json_kind_name(json_kind(limit)));
    return status;
}

static void struct_log_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct struct_log *log = (const struct struct_log *)trace;
    json_out_object(out, key);
    json_out_u64(out, "gas", trace->gas_used);
    json_out_bool(out, "failed", log->failed);
    json_out_data(out, "returnValue", log->output, log->output_len);
    json_out_array(out, "structLogs");
    buf_add(out, log->entries.data, log->entries.len);
    json_out_array_end(out);
    json_out_object_end(out);
}

static void struct_log_fini(struct trace *trace)
{
    struct struct_log *log = (struct struct_log *)trace;
    buf_fini(&log->entries);
    slot_table_fini(&log->slots);
}

const struct trace_kind TRACE_STRUCT_LOG = {
    .name = "structLogger",
    .size = sizeof(struct struct_log),
    .configure = struct_log_configure,
    .result = struct_log_result,
    .fini = struct_log_fini,
};
