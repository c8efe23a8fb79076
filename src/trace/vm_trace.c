#include "evm/opcode.h"
#include "evm/precompile.h"
#include "trace/trace_int.h"

enum { FRAMES_MAX = 1100 }; /* deeper than calls can nest */

/* An instruction of a frame. What it did is known when the frame's next one begins, or the frame ends. */
struct vm_op {
    u8 opcode;
    bool is_open, has_called, has_sub;
    bool lacks_gas;
    i64 gas, cost;
    bool has_memory; /* what it writes there */
    u64 memory_at, memory_len;
    bool has_store;
    u256 key, value;
};

struct vm_frame {
    struct vm_op op; /* the last one */
    u64 op_count;
    bool is_precompile; /* which has no instructions: nothing is written */
};

/* Every instruction with what it put on the stack, into memory and into storage, calls within calls: OpenEthereum's
 * vmTrace, with `op` and `idx` as Erigon adds them. Written as it happens. */
struct vm_trace {
    struct trace trace;
    struct buf out;
    struct vm_frame *frames; /* FRAMES_MAX of them */
    u32 depth;               /* how many are open */
};

/* --- an instruction begins -------------------------------------------------------------------- */

/* Where an instruction writes to memory; the operands' places count from the top of the stack. */
static const struct {
    u8 opcode, at;
    bool is_word; /* 32 bytes, else as many as len says */
    u8 len;
} memory_writes[] = {
    {OP_MLOAD, 0, true, 0},         {OP_MSTORE, 0, true, 0},      {OP_CALLDATACOPY, 0, false, 2},
    {OP_CODECOPY, 0, false, 2},     {OP_MCOPY, 0, false, 2},      {OP_RETURNDATACOPY, 0, false, 2},
    {OP_EXTCODECOPY, 1, false, 3},  {OP_CALL, 5, false, 6},       {OP_CALLCODE, 5, false, 6},
    {OP_DELEGATECALL, 4, false, 5}, {OP_STATICCALL, 4, false, 5},
};

static void note_memory(struct vm_op *op, const struct evm_step *step)
{
    for (size_t i = 0; i < ARRAY_LEN(memory_writes); i++) {
        if (memory_writes[i].opcode != op->opcode)
            continue;
        op->has_memory = true;
        op->memory_at = u256_to_u64_sat(*step_top(step, memory_writes[i].at));
        op->memory_len =
            memory_writes[i].is_word ? 32 : u256_to_u64_sat(*step_top(step, memory_writes[i].len));
    }
    if (op->opcode == OP_MSTORE8) {
        op->has_memory = true;
        op->memory_at = u256_to_u64_sat(*step_top(step, 0));
        op->memory_len = 1;
    }
}

/* Which instruction this is: the transaction's place in its block, and the places of those that called. */
static void put_index(struct vm_trace *vm)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    buf_add_format(&text, "%llu", (unsigned long long)vm->trace.tx.index);
    for (u32 i = 0; i < vm->depth; i++)
        buf_add_format(&text, "-%llu", (unsigned long long)vm->frames[i].op_count - 1);
    json_out_text_len(&vm->out, "idx", (const char *)text.data, text.len);
    buf_fini(&text);
}

static bool lacks_gas(const struct evm_step *step)
{
    bool has_no_price =
        step->error == EVM_OUT_OF_GAS_OVERFLOW || step->error == EVM_GAS_UINT_OVERFLOW;
    return has_no_price || step->error == EVM_OUT_OF_GAS || step->cost > step->gas;
}

static void op_begin(struct vm_trace *vm, struct vm_frame *frame, const struct evm_step *step)
{
    char room[OPCODE_TEXT_MAX];
    struct vm_op *op = &frame->op;
    *op = (struct vm_op){
        .opcode = step->opcode, .is_open = true, .gas = step->gas, .cost = step->cost};
    frame->op_count++;
    json_out_object(&vm->out, NULL);
    json_out_u64(&vm->out, "pc", step->pc);
    json_out_text(&vm->out, "op", opcode_text(room, step->opcode));
    put_index(vm);
    op->lacks_gas = lacks_gas(step);
    if (step->error != EVM_SUCCESS)
        return;
    note_memory(op, step);
    if (op->opcode == OP_SSTORE) {
        op->has_store = true;
        op->key = *step_top(step, 0);
        op->value = *step_top(step, 1);
    }
}

/* --- and ends --------------------------------------------------------------------------------- */

static void put_memory(struct buf *out, const struct vm_op *op, const struct evm_step *next)
{
    bool is_there = next && op->has_memory && op->memory_len && op->memory_at <= next->memory_len &&
                    op->memory_len <= next->memory_len - op->memory_at;
    if (!is_there) {
        json_out_null(out, "mem");
        return;
    }
    json_out_object(out, "mem");
    json_out_data(out, "data", next->memory + op->memory_at, op->memory_len);
    json_out_u64(out, "off", op->memory_at);
    json_out_object_end(out);
}

/* All that stands in the place of what was taken, also what DUP and SWAP only moved. */
static void put_pushed(struct buf *out, const struct vm_op *op, enum fork fork,
                       const struct evm_step *next)
{
    u32 count = next ? opcodes(fork)[op->opcode].out : 0;
    json_out_array(out, "push");
    if (next && count > next->stack_len)
        count = next->stack_len;
    while (count)
        json_out_quantity_u256(out, NULL, *step_top(next, --count));
    json_out_array_end(out);
}

static void put_store(struct buf *out, const struct vm_op *op)
{
    if (!op->has_store) {
        json_out_null(out, "store");
        return;
    }
    json_out_object(out, "store");
    json_out_quantity_u256(out, "key", op->key);
    json_out_quantity_u256(out, "val", op->value);
    json_out_object_end(out);
}

/* next: the frame's next instruction, or NULL. */
static void op_end(struct vm_trace *vm, struct vm_op *op, const struct evm_step *next)
{
    struct buf *out = &vm->out;
    i64 left = op->has_called && next ? next->gas : op->gas - op->cost;
    if (!op->is_open)
        return;
    op->is_open = false;
    json_out_i64(out, "cost", op->cost);
    if (!op->has_sub)
        json_out_null(out, "sub");
    if (op->lacks_gas) {
        json_out_null(out, "ex");
    } else {
        json_out_object(out, "ex");
        put_memory(out, op, next);
        put_pushed(out, op, vm->trace.tx.fork, next);
        put_store(out, op);
        json_out_i64(out, "used", left);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

/* --- hooks ------------------------------------------------------------------------------------ */

static void vm_step(void *ctx, const struct evm_step *step)
{
    struct vm_trace *vm = ctx;
    if (vm->trace.is_full || !vm->depth)
        return;
    struct vm_frame *frame = &vm->frames[vm->depth - 1];
    op_end(vm, &frame->op, step);
    op_begin(vm, frame, step);
    vm->trace.is_full = vm->out.full;
}

/* What runs: init code, or the callee's, a delegation (EIP-7702) followed. */
static struct evm_code_view code_of(const struct vm_trace *vm, const struct evm_msg *msg)
{
    const struct evm_host *host = &vm->trace.host;
    addr20 target;
    if (msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2)
        return (struct evm_code_view){.bytes = msg->input, .len = msg->input_len};
    struct evm_code_view code = host->ops->code(host->ctx, &msg->code_addr);
    if (vm->trace.tx.fork >= FORK_PRAGUE && evm_delegation_target(&target, &code))
        code = host->ops->code(host->ctx, &target);
    return code;
}

static bool is_precompile(const struct vm_trace *vm, const struct evm_msg *msg)
{
    bool is_creation = msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
    return vm->depth && !is_creation && precompile_find(vm->trace.tx.fork, &msg->code_addr);
}

static void vm_enter(void *ctx, const struct evm_msg *msg)
{
    struct vm_trace *vm = ctx;
    if (vm->trace.is_full)
        return;
    assert(vm->depth < FRAMES_MAX);
    struct vm_frame *frame = &vm->frames[vm->depth];
    *frame = (struct vm_frame){.is_precompile = is_precompile(vm, msg)};
    if (vm->depth) {
        struct vm_op *op = &vm->frames[vm->depth - 1].op;
        op->has_called = true;
        op->has_sub = !frame->is_precompile;
        if (op->opcode == OP_CREATE || op->opcode == OP_CREATE2)
            op->cost += msg->gas; /* as for calls, what is given away is part of it */
    }
    vm->depth++;
    if (frame->is_precompile)
        return;
    struct evm_code_view code = code_of(vm, msg);
    json_out_object(&vm->out, vm->depth > 1 ? "sub" : NULL);
    json_out_data(&vm->out, "code", code.bytes, code.len);
    json_out_array(&vm->out, "ops");
}

static void vm_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct vm_trace *vm = ctx;
    (void)msg;
    (void)result;
    if (vm->trace.is_full)
        return;
    assert(vm->depth);
    struct vm_frame *frame = &vm->frames[--vm->depth];
    if (frame->is_precompile)
        return;
    op_end(vm, &frame->op, NULL);
    json_out_array_end(&vm->out);
    json_out_object_end(&vm->out);
    vm->trace.is_full = vm->out.full;
}

static enum status vm_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct vm_trace *vm = (struct vm_trace *)trace;
    (void)config;
    (void)own;
    (void)err;
    buf_init(&vm->out, trace->bytes_max);
    vm->frames = NEW_ARRAY(struct vm_frame, FRAMES_MAX);
    trace->hooks.step = vm_step;
    trace->hooks.enter = vm_enter;
    trace->hooks.exit = vm_exit;
    return STATUS_OK;
}

static void vm_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct vm_trace *vm = (const struct vm_trace *)trace;
    json_out_raw(out, key, vm->out.data, vm->out.len);
}

static void vm_fini(struct trace *trace)
{
    struct vm_trace *vm = (struct vm_trace *)trace;
    buf_fini(&vm->out);
    mem_free(vm->frames);
}

const struct trace_kind TRACE_VM = {
    .name = "vmTrace",
    .size = sizeof(struct vm_trace),
    .configure = vm_configure,
    .result = vm_result,
    .fini = vm_fini,
};
