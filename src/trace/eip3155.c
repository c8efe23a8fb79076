#include "trace/eip3155.h"

#include "prim/hex.h"
#include "trace/call_tree.h"
#include "trace/trace_int.h"

enum { LINE_MAX_BYTES = 1 << 30 }; /* memory of a step may be large */

struct eip3155 {
    struct evm_tracer hooks;
    struct eip3155_options options;
    eip3155_write_fn *write;
    void *ctx;
    struct buf line;
};

static void line_end(struct eip3155 *trace)
{
    buf_add_byte(&trace->line, '\n');
    trace->write(trace->ctx, (const char *)trace->line.data, trace->line.len);
    buf_reset(&trace->line);
}

static void put_stack(struct buf *out, const struct evm_step *step, bool is_hidden)
{
    if (is_hidden) {
        json_out_null(out, "stack");
        return;
    }
    json_out_array(out, "stack");
    for (u32 i = 0; i < step->stack_len; i++)
        json_out_quantity_u256(out, NULL, step->stack[i]);
    json_out_array_end(out);
}

static void put_step(struct eip3155 *trace, const struct evm_step *step, bool has_return_data)
{
    struct buf *out = &trace->line;
    char room[OPCODE_TEXT_MAX], error[EVM_ERROR_TEXT_MAX];
    json_out_object(out, NULL);
    json_out_u64(out, "pc", step->pc);
    json_out_u64(out, "op", step->opcode);
    json_out_quantity(out, "gas", (u64)step->gas);
    json_out_quantity(out, "gasCost", (u64)step->cost);
    if (trace->options.memory && step->memory_len)
        json_out_data(out, "memory", step->memory, step->memory_len);
    json_out_u64(out, "memSize", step->memory_len);
    put_stack(out, step, trace->options.no_stack);
    if (has_return_data && step->return_data_len)
        json_out_data(out, "returnData", step->return_data, step->return_data_len);
    json_out_u64(out, "depth", step->depth + 1u);
    json_out_i64(out, "refund", step->refund);
    json_out_text(out, "opName", opcode_text(room, step->opcode));
    if (step->error != EVM_SUCCESS) {
        evm_error_text(error, step->error, step->opcode, step->stack_len);
        json_out_text(out, "error", error);
    }
    json_out_object_end(out);
    line_end(trace);
}

static void eip3155_step(void *ctx, const struct evm_step *step)
{
    struct eip3155 *trace = ctx;
    put_step(trace, step, trace->options.return_data);
}

/* An instruction that failed after all is told without return data. */
static void eip3155_fault(void *ctx, const struct evm_step *step)
{
    put_step(ctx, step, false);
}

static void put_frame(struct eip3155 *trace, enum evm_kind kind, const addr20 *from,
                      const addr20 *to, i64 gas, const u256 *value)
{
    struct buf *out = &trace->line;
    json_out_object(out, NULL);
    json_out_addr(out, "from", from);
    json_out_addr(out, "to", to);
    json_out_quantity(out, "gas", (u64)gas);
    if (value)
        json_out_quantity_u256(out, "value", *value);
    else
        json_out_null(out, "value");
    json_out_text(out, "type", call_kind_text(kind));
    json_out_object_end(out);
    line_end(trace);
}

static void eip3155_enter(void *ctx, const struct evm_msg *msg)
{
    bool is_creation = msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
    const addr20 *from = msg->kind == EVM_DELEGATECALL ? &msg->recipient : &msg->sender;
    put_frame(ctx, msg->kind, from, is_creation ? &msg->recipient : &msg->code_addr, msg->gas,
              msg->kind == EVM_STATICCALL ? NULL : &msg->value);
}

static void put_end(struct eip3155 *trace, const u8 *output, size_t len, u64 gas_used,
                    const char *error)
{
    struct buf *out = &trace->line;
    char *hex = mem_alloc(2 * len + 1);
    hex_encode_bare(hex, output, len);
    json_out_object(out, NULL);
    json_out_text(out, "output", hex);
    json_out_quantity(out, "gasUsed", gas_used);
    if (error)
        json_out_text(out, "error", error);
    json_out_object_end(out);
    mem_free(hex);
    line_end(trace);
}

static void eip3155_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    char error[EVM_ERROR_TEXT_MAX];
    bool failed = result->status != EVM_SUCCESS;
    if (failed)
        trace_error_text(error, msg, result);
    put_end(ctx, result->output, result->output_len, (u64)(msg->gas - result->gas_left),
            failed ? error : NULL);
}

static void eip3155_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                                 const u256 *wei, u16 depth)
{
    struct eip3155 *trace = ctx;
    (void)depth;
    if (trace->options.call_frames)
        put_frame(trace, EVM_SELFDESTRUCT, addr, beneficiary, 0, wei);
    put_end(trace, NULL, 0, 0, NULL);
}

struct eip3155 *eip3155_new(const struct eip3155_options *options, eip3155_write_fn *write,
                            void *ctx)
{
    struct eip3155 *trace = NEW(struct eip3155);
    trace->options = *options;
    trace->write = write;
    trace->ctx = ctx;
    buf_init(&trace->line, LINE_MAX_BYTES);
    trace->hooks = (struct evm_tracer){
        .ctx = trace,
        .step = eip3155_step,
        .fault = eip3155_fault,
        .enter = options->call_frames ? eip3155_enter : NULL,
        .exit = eip3155_exit,
        .selfdestruct = eip3155_selfdestruct,
    };
    return trace;
}

void eip3155_free(struct eip3155 *trace)
{
    if (!trace)
        return;
    buf_fini(&trace->line);
    mem_free(trace);
}

const struct evm_tracer *eip3155_hooks(const struct eip3155 *trace)
{
    return &trace->hooks;
}
