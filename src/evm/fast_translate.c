/* Follows a path through bytecode and makes a trace of it. */
#include "base/mem.h"
#include "evm/fast_trace.h"

/* --- memory --------------------------------------------------------------------------------- */

/* Constant addresses above this go by way of a slot. */
#define ADDRESS_MAX 0x7fffffffu

static bool is_address(const struct trace *t, u16 id)
{
    return value_is_const(t, id) && u256_fits_u64(value_of(t, id)->k) &&
           value_of(t, id)->k.w[0] <= ADDRESS_MAX;
}

/* Splits an address into a slot and a displacement that the handlers add. */
static i32 address_split(struct trace *t, u16 id, i32 *plus)
{
    const struct value *v = value_of(t, id);
    *plus = 0;
    if (v->kind != VALUE_SUM || v->slot != NO_SLOT)
        return value_in_slot(t, id);
    u256 minus = u256_neg(v->k);
    if (u256_fits_u64(v->k) && v->k.w[0] <= ADDRESS_MAX)
        *plus = (i32)v->k.w[0];
    else if (u256_fits_u64(minus) && minus.w[0] <= ADDRESS_MAX)
        *plus = -(i32)minus.w[0];
    else
        return value_in_slot(t, id);
    return value_of(t, v->a)->slot;
}

/* Is memory known to reach over the word at k? If not, it will be from here on. */
static bool is_reached(struct trace *t, u64 k)
{
    if (k + WORD <= t->memory_known)
        return true;
    t->memory_known = (k + 2 * WORD - 1) / WORD * WORD;
    return false;
}

static void do_mload(struct trace *t)
{
    u16 at = stack_pop(t);
    struct op *op;
    if (is_address(t, at)) {
        u64 k = value_of(t, at)->k.w[0];
        value_drop(t, at);
        op = trace_emit(t, is_reached(t, k) ? FAST_mload_u : FAST_mload_i, trace_target(t, 256), 0,
                        0);
        op->imm = k;
    } else {
        i32 plus, slot = address_split(t, at, &plus);
        value_drop(t, at);
        op = trace_emit(t, FAST_mload_r, trace_target(t, 256), slot, 0);
        op->imm = (u64)(i64)plus;
    }
    trace_fix_rest(t, &op->c);
}

/* A constant's bytes as memory has them. */
static const u8 *const_bytes(struct trace *t, u16 id)
{
    u8 *bytes = trace_alloc(t, WORD);
    u256_store_be(bytes, value_of(t, id)->k);
    return bytes;
}

static void do_mstore(struct trace *t)
{
    u16 at = stack_pop(t), v = stack_pop(t);
    bool is_word = value_is_const(t, v);
    i32 from = is_word ? 0 : value_in_slot(t, v), plus, slot = 0;
    unsigned id;
    if (is_address(t, at)) {
        plus = (i32)value_of(t, at)->k.w[0];
        id = is_reached(t, (u64)plus) ? FAST_mstore_ur : FAST_mstore_ir;
    } else {
        slot = address_split(t, at, &plus);
        id = FAST_mstore_rr;
    }
    struct op *op = trace_emit(t, id + is_word, 0, slot, from);
    op->c = plus;
    if (is_word)
        op->bytes = const_bytes(t, v);
    trace_fix_rest(t, &op->d);
    value_drop2(t, at, v);
}

static void do_mstore8(struct trace *t)
{
    u16 at = stack_pop(t), v = stack_pop(t);
    i32 from = value_in_slot(t, v), plus, slot = address_split(t, at, &plus);
    struct op *op = trace_emit(t, FAST_mstore8, 0, slot, from);
    op->c = plus;
    trace_fix_rest(t, &op->d);
    value_drop2(t, at, v);
}

/* --- the rest of the instructions ----------------------------------------------------------- */

static instr_fn *body_of(u8 opcode)
{
    static instr_fn *const bodies[256] = {
        [OP_EXP] = instr_exp,
        [OP_KECCAK256] = instr_keccak256,
        [OP_BALANCE] = instr_balance,
        [OP_SELFBALANCE] = instr_selfbalance,
        [OP_EXTCODESIZE] = instr_extcodesize,
        [OP_EXTCODECOPY] = instr_extcodecopy,
        [OP_EXTCODEHASH] = instr_extcodehash,
        [OP_CALLDATACOPY] = instr_calldatacopy,
        [OP_CODECOPY] = instr_codecopy,
        [OP_RETURNDATACOPY] = instr_returndatacopy,
        [OP_MCOPY] = instr_mcopy,
        [OP_BLOCKHASH] = instr_blockhash,
        [OP_BLOBHASH] = instr_blobhash,
        [OP_SLOAD] = instr_sload,
        [OP_SSTORE] = instr_sstore,
        [OP_TLOAD] = instr_tload,
        [OP_TSTORE] = instr_tstore,
        [OP_LOG0] = instr_log0,
        [OP_LOG1] = instr_log1,
        [OP_LOG2] = instr_log2,
        [OP_LOG3] = instr_log3,
        [OP_LOG4] = instr_log4,
        [OP_CREATE] = instr_create,
        [OP_CREATE2] = instr_create2,
        [OP_CALL] = instr_call,
        [OP_CALLCODE] = instr_callcode,
        [OP_DELEGATECALL] = instr_delegatecall,
        [OP_STATICCALL] = instr_staticcall,
        [OP_RETURN] = instr_return,
        [OP_REVERT] = instr_revert,
        [OP_SELFDESTRUCT] = instr_selfdestruct,
    };
    return bodies[opcode];
}

/* Lays the operands side by side and runs the instruction's body on them. */
static void do_step(struct trace *t, u8 opcode, unsigned id)
{
    unsigned in = t->info[opcode].in, out = t->info[opcode].out;
    unsigned room = in > out ? in : out;
    i32 base = trace_temp(t, room ? room : 1);
    for (unsigned i = 0; i < in; i++)
        value_emit_to(t, *stack_at(t, i), base + (i32)(in - 1 - i) * WORD);
    for (unsigned i = 0; i < in; i++)
        value_drop(t, stack_pop(t));
    struct op *op = trace_emit(t, id, 0, base + (i32)in * WORD, 0);
    op->instr = body_of(opcode);
    trace_fix_rest(t, &op->b);
    trace_fix_top(t, &op->c);
    for (unsigned i = out; i < (room ? room : 1); i++)
        trace_temp_free(t, base + (i32)i * WORD);
    if (out)
        stack_push(t, value_slot(t, base, 256));
}

static void do_env(struct trace *t, u8 opcode)
{
    unsigned bits = opcode == OP_ORIGIN || opcode == OP_COINBASE ? 160 : 256;
    trace_emit(t, FAST_env, trace_target(t, bits), 0, 0)->imm = opcode;
}

/* --- jumps ---------------------------------------------------------------------------------- */

static bool is_destination(const struct trace *t, u16 id)
{
    return u256_fits_u64(value_of(t, id)->k) && code_is_jumpdest(t->code, value_of(t, id)->k.w[0]);
}

static bool is_followed(const struct trace *t, u32 pc)
{
    for (unsigned i = 0; i < t->segments; i++)
        if (t->segment_starts[i] == pc)
            return true;
    return false;
}

/* Is the address behind the jump at hand on the stack, as it is when a function is called? */
static bool is_call(const struct trace *t)
{
    for (int at = t->height - 1; at >= t->lowest && at >= t->height - 16; at--) {
        u16 id = t->stack[NEED_MAX + at];
        if (value_is(t, id, t->pc + 1))
            return true;
    }
    return false;
}

static bool is_push(u8 opcode)
{
    return opcode == OP_PUSH0 || (opcode >= OP_PUSH1 && opcode <= OP_PUSH32);
}

/*
 * Goes on at pc inside the trace, or ends it there when this closes a loop. A jump back to where the
 * trace has been is no loop when it calls a function for the second time or returns from it.
 */
static void follow(struct trace *t, u32 pc)
{
    bool is_known = is_followed(t, pc), is_back = pc <= t->pc;
    bool is_loop = is_back && is_known && is_push(t->previous) && !is_call(t);
    bool is_long = t->steps >= REPEAT_MAX && (is_known || fast_trace_at(t->fast, pc));
    if (t->segments == SEGMENTS_MAX || is_loop || is_long || pc == t->start) {
        trace_leave(t, FAST_jump_cold, pc);
        t->is_done = true;
        return;
    }
    t->segment_starts[t->segments++] = pc;
    t->pc = pc;
}

/* Does the code at pc soon give up? Then a branch around it is mostly taken. */
static bool gives_up(const struct trace *t, u32 pc)
{
    for (unsigned n = 0; n < 24 && pc < t->code->len; n++) {
        u8 opcode = t->code->bytes[pc];
        if (opcode == OP_REVERT || opcode == OP_INVALID || !t->info[opcode].name)
            return true;
        if (opcode == OP_JUMP || opcode == OP_JUMPI || opcode == OP_JUMPDEST ||
            opcode == OP_RETURN || opcode == OP_STOP)
            return false;
        pc += 1 + (opcode >= OP_PUSH1 && opcode <= OP_PUSH32 ? opcode - OP_PUSH1 + 1u : 0);
    }
    return false;
}

/* Emits the branch to a side exit, taken when the condition is `when`. */
static struct op *emit_branch(struct trace *t, u16 condition, bool when)
{
    const struct value *v = value_of(t, condition);
    struct op *op;
    if (v->kind == VALUE_COMPARE && v->slot == NO_SLOT) {
        op = trace_emit_family(t, FAST_br_lt + (v->family - FAST_lt), 0, v->a, v->b);
        op->d = v->is_negated == when;
    } else {
        op = trace_emit(t, FAST_br_eq_ri, 0, value_in_slot(t, condition), 0);
        op->d = when;
    }
    return op;
}

/* Leaves, or goes on, for a jump that is certainly taken. */
static void jump_surely(struct trace *t, u16 to)
{
    if (value_is_const(t, to) && is_destination(t, to)) {
        follow(t, (u32)value_of(t, to)->k.w[0]);
        return;
    }
    if (value_is_const(t, to)) {
        trace_leave_badly(t);
    } else {
        value_in_slot(t, to);
        trace_leave_to(t, to);
    }
    t->is_done = true;
}

static void do_jump(struct trace *t)
{
    u16 to = stack_pop(t);
    jump_surely(t, to);
    value_drop(t, to);
}

/* JUMPI: the likelier way is followed, the other one is a side exit. */
static void do_jumpi(struct trace *t)
{
    u16 to = stack_pop(t), condition = stack_pop(t);
    u32 next = t->pc + 1;
    if (value_is_const(t, condition)) {
        if (u256_is_zero(value_of(t, condition)->k))
            t->pc = next;
        else
            jump_surely(t, to);
        value_drop2(t, to, condition);
        return;
    }
    bool is_known = value_is_const(t, to), is_valid = is_known && is_destination(t, to);
    u32 target = is_valid ? (u32)value_of(t, to)->k.w[0] : 0;
    bool follows_taken = is_valid && (target <= t->pc || gives_up(t, next));
    if (!is_known)
        value_in_slot(t, to);
    struct op *branch = emit_branch(t, condition, !follows_taken);
    value_drop(t, condition);
    trace_exit_begin(t, branch);
    if (follows_taken)
        trace_leave(t, FAST_jump_cold, next);
    else if (is_valid)
        trace_leave(t, FAST_jump_cold, target);
    else if (is_known)
        trace_leave_badly(t);
    else
        trace_leave_to(t, to);
    trace_exit_end(t);
    if (follows_taken)
        follow(t, target);
    else
        t->pc = next;
    value_drop(t, to);
}

/* --- the path ------------------------------------------------------------------------------- */

static void end_by(struct trace *t, u8 opcode)
{
    if (opcode == OP_STOP) {
        struct op *op = trace_emit(t, FAST_stop, 0, 0, 0);
        trace_fix_rest(t, &op->b);
    } else {
        do_step(t, opcode, FAST_step_end);
    }
    t->is_done = true;
}

static void do_push(struct trace *t, unsigned bytes)
{
    trace_push_const(t, u256_load_be_n(t->code->bytes + t->pc + 1, bytes));
    t->pc += bytes;
}

static void do_swap(struct trace *t, unsigned depth)
{
    u16 *deep = stack_at(t, depth), *top = stack_at(t, 0), id = *top;
    *top = *deep;
    *deep = id;
}

/* Is this the handler of an operation that only computes its result? */
static bool is_pure(op_fn *fn)
{
    for (unsigned id = FAST_add; id < FAST_br_lt; id++)
        if (fast_handlers[id] == fn)
            return true;
    for (unsigned id = FAST_rsub_rk; id < FAST_mload_r; id++)
        if (fast_handlers[id] == fn)
            return true;
    return false;
}

/* What was computed last and for nothing is taken back. */
static void do_pop(struct trace *t)
{
    u16 id = stack_pop(t);
    const struct value *v = value_of(t, id);
    struct op *last = t->path.count ? &t->path.ops[t->path.count - 1] : NULL;
    if (last && v->kind == VALUE_SLOT && v->refs == 1 && last->d == v->slot && is_pure(last->fn))
        t->path.count--;
    value_drop(t, id);
}

static void emit_simple(struct trace *t, unsigned id, unsigned bits)
{
    trace_emit(t, id, trace_target(t, bits), 0, 0);
}

/* One instruction; t->pc is left on its last byte, or where it jumps to (is_at_next). */
static void do_instruction(struct trace *t, u8 opcode)
{
    if (trace_compute(t, opcode))
        return;
    switch (opcode) {
    case OP_POP: do_pop(t); break;
    case OP_MLOAD: do_mload(t); break;
    case OP_MSTORE: do_mstore(t); break;
    case OP_MSTORE8: do_mstore8(t); break;
    case OP_MSIZE: emit_simple(t, FAST_msize, 64); break;
    case OP_PC: trace_push_const(t, u256_from_u64(t->pc)); break;
    case OP_JUMPDEST: break;
    case OP_CODESIZE: trace_push_const(t, u256_from_u64(t->code->len)); break;
    case OP_CALLDATALOAD: trace_emit_slot(t, FAST_calldataload, stack_pop(t), 256); break;
    case OP_CALLDATASIZE: emit_simple(t, FAST_calldatasize, 64); break;
    case OP_RETURNDATASIZE: emit_simple(t, FAST_returndatasize, 64); break;
    case OP_ADDRESS: emit_simple(t, FAST_address, 160); break;
    case OP_CALLER: emit_simple(t, FAST_caller, 160); break;
    case OP_CALLVALUE: emit_simple(t, FAST_callvalue, 256); break;
    case OP_GAS: trace_fix_rest(t, &trace_emit(t, FAST_gas, trace_target(t, 64), 0, 0)->b); break;
    case OP_ORIGIN:
    case OP_GASPRICE:
    case OP_COINBASE:
    case OP_TIMESTAMP:
    case OP_NUMBER:
    case OP_PREVRANDAO:
    case OP_GASLIMIT:
    case OP_CHAINID:
    case OP_BASEFEE:
    case OP_BLOBBASEFEE: do_env(t, opcode); break;
    default:
        if (is_push(opcode))
            do_push(t, opcode - OP_PUSH0);
        else if (opcode >= OP_DUP1 && opcode <= OP_DUP16)
            stack_push(t, *stack_at(t, opcode - OP_DUP1));
        else if (opcode >= OP_SWAP1 && opcode <= OP_SWAP16)
            do_swap(t, opcode - OP_SWAP1 + 1u);
        else
            do_step(t, opcode, FAST_step);
    }
}

/* Must the trace end before this instruction? */
static bool is_boundary(const struct trace *t, u8 opcode)
{
    if (t->steps == 0)
        return false;
    if (t->steps >= STEPS_MAX || t->exits == t->exits_max || t->path.count > OPS_MAX - 64 ||
        t->stubs.count > OPS_MAX - 64)
        return true;
    const struct opcode_info *info = &t->info[opcode];
    if (t->height - info->in + info->out > GROWTH_MAX - 1 || t->height - info->in < -NEED_MAX + 1)
        return true;
    if (opcode == OP_JUMPDEST && t->steps >= REPEAT_MAX && fast_trace_at(t->fast, t->pc))
        return true;
    return t->pc == t->start;
}

/* Instructions that are left to the plain interpreter. */
static bool is_foreign(const struct trace *t, u8 opcode)
{
    return !t->info[opcode].name || opcode == OP_INVALID;
}

static void step_path(struct trace *t)
{
    u8 opcode = t->pc < t->code->len ? t->code->bytes[t->pc] : OP_STOP;
    if (is_boundary(t, opcode) || is_foreign(t, opcode)) {
        trace_leave(t, is_foreign(t, opcode) ? FAST_plain : FAST_jump_cold, t->pc);
        t->path.ops[t->path.count - 1].imm = !is_foreign(t, opcode);
        t->is_done = true;
        return;
    }
    t->steps++;
    t->gas += t->info[opcode].gas;
    switch (opcode) {
    case OP_STOP:
    case OP_RETURN:
    case OP_REVERT:
    case OP_SELFDESTRUCT: end_by(t, opcode); break;
    case OP_JUMP: do_jump(t); break;
    case OP_JUMPI: do_jumpi(t); break;
    default: do_instruction(t, opcode); t->pc++;
    }
    t->previous = opcode;
}

/* Copies path and stubs behind a header, which shares a line of the cache with what follows, and fills in
 * what is known only now. */
static struct op *assemble(struct trace *t)
{
    for (unsigned i = 0; i < t->fix_count; i++) {
        struct fix *fix = &t->fixes[i];
        *fix->field =
            fix->kind == FIX_REST ? (i32)(t->gas - fix->due) : TEMP_FIRST + (i32)t->temp_top * WORD;
    }
    for (unsigned i = 0; i < t->exits; i++)
        t->path.ops[t->branches[i]].c = (i32)(t->path.count - t->branches[i] + t->stub_starts[i]);
    unsigned count = 1 + t->path.count + t->stubs.count;
    struct op *ops = fast_alloc(t->fast, count * sizeof *ops, CACHE_LINE);
    ops[0] = (struct op){.fn = op_enter,
                         .d = (i32)t->start,
                         .a = -t->lowest * WORD,
                         .b = t->highest * WORD,
                         .c = !code_is_jumpdest(t->code, t->start),
                         .imm = t->gas};
    memcpy(ops + 1, t->path.ops, t->path.count * sizeof *ops);
    memcpy(ops + 1 + t->path.count, t->stubs.ops, t->stubs.count * sizeof *ops);
    for (unsigned i = 0; i < count; i++)
        if (ops[i].fn == op_jump_cold)
            ops[i].c = (i32)i;
    return ops;
}

enum { SIZE_LARGE = 200000 }; /* bytes of a translation that is spread out */

enum { WORK_TRACE = 8 }; /* what a trace takes besides its operations */

static void trace_init(struct trace *t, const struct code *code, u32 pc)
{
    memset(t, 0, offsetof(struct trace, spares));
    t->code = code;
    t->fast = code->fast;
    t->fork = code->fast->fork;
    t->info = opcodes(t->fork);
    t->start = t->pc = pc;
    t->exits_max = t->fast->size < SIZE_LARGE ? EXITS_MAX : EXITS_FEW;
    t->segment_starts[t->segments++] = pc;
    t->out = &t->path;
    t->path.count = t->stubs.count = 0;
}

struct op *fast_translate(struct evm *evm, const struct code *code, u32 pc, u64 *work)
{
    if (!evm->translator)
        evm->translator = mem_zalloc(sizeof(struct trace));
    struct trace *t = evm->translator;
    u64 most = *work, done = 0;
    trace_init(t, code, pc);
    while (!t->is_done && !t->is_failed && done <= most) {
        step_path(t);
        done = WORK_TRACE + t->steps + t->path.count + t->stubs.count;
    }
    *work = done;
    if (done > most)
        return NULL;
    struct entry_page *page = fast_page(code->fast, pc);
    if (t->is_failed || t->steps == 0) {
        page->heat[pc % PAGE_LEN] = HEAT_NEVER;
        return NULL;
    }
    return page->entries[pc % PAGE_LEN] = assemble(t);
}
