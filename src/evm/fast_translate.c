/* Follows a path through bytecode and makes a trace of it. */
#include "base/mem.h"
#include "evm/fast_trace.h"

/* --- operands ------------------------------------------------------------------------------- */

static const struct value *value(const struct trace *t, u16 id)
{
    return &t->values[id];
}

static bool is_const(const struct trace *t, u16 id)
{
    return t->values[id].kind == VALUE_CONST;
}

static bool is_const_of(const struct trace *t, u16 id, u64 k)
{
    return is_const(t, id) && u256_eq(t->values[id].k, u256_from_u64(k));
}

/* Pushes a result that an operation emitted now will put into a slot; its operands are dropped first. */
static i32 result_slot(struct trace *t, unsigned bits)
{
    i32 slot = trace_temp(t, 1);
    stack_push(t, value_slot(t, slot, bits));
    return slot;
}

static void push_const(struct trace *t, u256 k)
{
    stack_push(t, value_const(t, k));
}

static void drop2(struct trace *t, u16 a, u16 b)
{
    value_drop(t, a);
    value_drop(t, b);
}

/* Pushes a value that is on the stack's way out already (a, popped with its reference). */
static void push_again(struct trace *t, u16 id)
{
    stack_push(t, id);
    value_drop(t, id);
}

/* d = a OP b by a handler that takes two slots. */
static struct op *emit_slots(struct trace *t, unsigned id, u16 a, u16 b, unsigned bits)
{
    i32 sa = value_in_slot(t, a), sb = value_in_slot(t, b);
    drop2(t, a, b);
    return trace_emit(t, id, result_slot(t, bits), sa, sb);
}

/* d = OP a. */
static struct op *emit_slot(struct trace *t, unsigned id, u16 a, unsigned bits)
{
    i32 sa = value_in_slot(t, a);
    value_drop(t, a);
    return trace_emit(t, id, result_slot(t, bits), sa, 0);
}

/* d = a OP b by a family; a constant stays one if it is b. */
static void emit_family(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits)
{
    value_in_slot(t, a);
    if (!is_const(t, b))
        value_in_slot(t, b);
    struct op *op = trace_emit_family(t, family, 0, a, b);
    drop2(t, a, b);
    op->d = result_slot(t, bits);
}

/* The handler that does a family's RR form on one limb, or 0. */
static unsigned low_of(unsigned family)
{
    switch (family) {
    case FAST_add: return FAST_add_low;
    case FAST_sub: return FAST_sub_low;
    case FAST_mul: return FAST_mul_low;
    case FAST_and: return FAST_and_low;
    case FAST_or: return FAST_or_low;
    case FAST_xor: return FAST_xor_low;
    }
    return 0;
}

/* As emit_family; a result of one limb is made from the low limbs alone. */
static void emit_short(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits)
{
    if (bits > 64 || is_const(t, a) || is_const(t, b))
        emit_family(t, family, a, b, bits);
    else
        emit_slots(t, low_of(family), a, b, bits)->imm = ~(u64)0;
}

static unsigned min_bits(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* --- arithmetic ----------------------------------------------------------------------------- */

/* The exponent when k is a power of two, else -1. */
static int log2_of(u256 k)
{
    unsigned bits = u256_bits(k);
    if (bits == 0 || !u256_eq(k, u256_shl(U256_ONE, bits - 1)))
        return -1;
    return (int)bits - 1;
}

typedef u256 fold_fn(u256 a, u256 b);

/* Both operands known: the result is. */
static bool fold(struct trace *t, u16 a, u16 b, fold_fn *calc)
{
    if (!is_const(t, a) || !is_const(t, b))
        return false;
    push_const(t, calc(value(t, a)->k, value(t, b)->k));
    drop2(t, a, b);
    return true;
}

/* a + k. */
static void add_const(struct trace *t, u16 a, u256 k)
{
    u16 base = a;
    if (value(t, a)->kind == VALUE_SUM) {
        k = u256_add(value(t, a)->k, k);
        base = value(t, a)->a;
    }
    stack_push(t, u256_is_zero(k) ? base : value_sum(t, base, k));
    value_drop(t, a);
}

static void do_add(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_add))
        return;
    if (is_const(t, b)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    if (is_const(t, a)) {
        add_const(t, b, value(t, a)->k);
        value_drop(t, a);
        return;
    }
    unsigned bits = value(t, a)->bits > value(t, b)->bits ? value(t, a)->bits : value(t, b)->bits;
    emit_short(t, FAST_add, a, b, min_bits(bits + 1, 256));
}

static void do_sub(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_sub))
        return;
    if (is_const(t, b)) {
        add_const(t, a, u256_neg(value(t, b)->k));
        value_drop(t, b);
    } else if (is_const(t, a)) {
        const u256 *word = value_pooled(t, a);
        value_drop(t, a);
        emit_slot(t, FAST_rsub_rk, b, 256)->word = word;
    } else {
        emit_family(t, FAST_sub, a, b, 256);
    }
}

/* a shifted left or right by a constant. */
static void shift_left(struct trace *t, u16 a, unsigned n)
{
    if (n == 0) {
        push_again(t, a);
    } else if (n >= 256) {
        push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        unsigned bits = min_bits(value(t, a)->bits + n, 256);
        emit_slot(t, FAST_shl_0 + n / 64, a, bits)->imm = n % 64;
    }
}

static void shift_right(struct trace *t, u16 a, unsigned n)
{
    unsigned bits = value(t, a)->bits;
    if (n == 0) {
        push_again(t, a);
    } else if (n >= bits) {
        push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        emit_slot(t, FAST_shr_0 + n / 64, a, bits - n)->imm = n % 64;
    }
}

static void do_mul(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_mul))
        return;
    if (is_const(t, a)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    int log = is_const(t, b) ? log2_of(value(t, b)->k) : -1;
    if (is_const_of(t, b, 0)) {
        push_again(t, b);
        value_drop(t, a);
    } else if (log >= 0) {
        value_drop(t, b);
        shift_left(t, a, (unsigned)log);
    } else {
        emit_short(t, FAST_mul, a, b, min_bits(value(t, a)->bits + value(t, b)->bits, 256));
    }
}

/* A divisor that belongs to one operation, prepared for k. */
static struct u256_divisor *divisor_new(struct trace *t, u256 k)
{
    struct u256_divisor *divisor = trace_alloc(t, sizeof *divisor);
    u256_divisor_init(divisor, k);
    return divisor;
}

static void do_div(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_div))
        return;
    unsigned bits = value(t, a)->bits;
    int log = is_const(t, b) ? log2_of(value(t, b)->k) : -1;
    if (log >= 0) {
        value_drop(t, b);
        shift_right(t, a, (unsigned)log);
    } else if (is_const_of(t, b, 0)) {
        push_again(t, b);
        value_drop(t, a);
    } else if (is_const(t, b)) {
        struct u256_divisor *divisor = divisor_new(t, value(t, b)->k);
        value_drop(t, b);
        emit_slot(t, FAST_div_rk, a, bits)->divisor = divisor;
    } else {
        emit_slots(t, FAST_div_rr, a, b, bits)->divisor = divisor_new(t, U256_ZERO);
    }
}

static void do_sdiv(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_sdiv))
        return;
    if (!is_const(t, b)) {
        emit_slots(t, FAST_sdiv_rr, a, b, 256)->divisor = divisor_new(t, U256_ZERO);
        return;
    }
    u256 k = value(t, b)->k;
    bool is_negative = u256_is_negative(k);
    struct u256_divisor *divisor = divisor_new(t, is_negative ? u256_neg(k) : k);
    value_drop(t, b);
    struct op *op = emit_slot(t, FAST_sdiv_rk, a, 256);
    op->divisor = divisor;
    op->c = is_negative;
}

static void and_const(struct trace *t, u16 a, u16 b);

static void do_mod(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_mod))
        return;
    unsigned bits = min_bits(value(t, a)->bits, value(t, b)->bits);
    if (!is_const(t, b)) {
        emit_slots(t, FAST_mod_rr, a, b, bits)->divisor = divisor_new(t, U256_ZERO);
        return;
    }
    u256 k = value(t, b)->k;
    if (log2_of(k) >= 0) {
        u16 mask = value_const(t, u256_sub(k, U256_ONE));
        t->values[mask].refs = 1;
        value_drop(t, b);
        and_const(t, a, mask);
        return;
    }
    struct u256_divisor *divisor = divisor_new(t, k);
    value_drop(t, b);
    emit_slot(t, FAST_mod_rk, a, bits)->divisor = divisor;
}

static void do_smod(struct trace *t, u16 a, u16 b)
{
    if (!fold(t, a, b, u256_smod))
        emit_slots(t, FAST_smod_rr, a, b, 256)->divisor = divisor_new(t, U256_ZERO);
}

/* ADDMOD and MULMOD: handler `id` with the modulus in a slot, id_const with it known. */
static void do_modular(struct trace *t, unsigned id, unsigned id_const)
{
    u16 a = stack_pop(t), b = stack_pop(t), m = stack_pop(t);
    if (is_const(t, m) && log2_of(value(t, m)->k) >= 0) {
        /* Wrapping at 2^256 does not matter to a smaller power of two. */
        if (id == FAST_addmod)
            do_add(t, a, b);
        else
            do_mul(t, a, b);
        do_mod(t, stack_pop(t), m);
        return;
    }
    unsigned bits = value(t, m)->bits;
    struct u256_divisor *divisor = divisor_new(t, is_const(t, m) ? value(t, m)->k : U256_ZERO);
    if (is_const(t, m)) {
        value_drop(t, m);
        emit_slots(t, id_const, a, b, bits)->divisor = divisor;
        return;
    }
    i32 sa = value_in_slot(t, a), sb = value_in_slot(t, b), sm = value_in_slot(t, m);
    drop2(t, a, b);
    value_drop(t, m);
    struct op *op = trace_emit(t, id, result_slot(t, bits), sa, sb);
    op->c = sm;
    op->divisor = divisor;
}

/* --- bits ----------------------------------------------------------------------------------- */

/* Shifting right and masking is one operation if the field lies in one limb. */
static bool cut_shifted(struct op *last, u64 mask)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(mask);
    for (unsigned limb = 0; limb < 4; limb++) {
        if (last->fn != fast_handlers[FAST_shr_0 + limb])
            continue;
        if (limb < 3 && last->imm + bits > 64)
            return false;
        last->fn = op_extract;
        last->b = (i32)limb * 8;
        last->c = (i32)last->imm;
        return true;
    }
    return false;
}

/* What else can be done on the low limb if no more is wanted. */
static bool cut_computed(struct op *last)
{
    static const u16 families[] = {FAST_add, FAST_sub, FAST_mul, FAST_and, FAST_or, FAST_xor};
    for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
        if (last->fn == fast_handlers[families[i]]) {
            last->fn = fast_handlers[low_of(families[i])];
            return true;
        }
    }
    if (last->fn != op_shl_0)
        return false;
    last->fn = op_shl_low;
    last->c = (i32)last->imm;
    return true;
}

/* AND of a one-limb mask with what was computed just now and is wanted by nobody else. */
static bool cut_field(struct trace *t, u16 a, u64 mask)
{
    const struct value *v = value(t, a);
    if (v->refs != 1 || v->kind != VALUE_SLOT || t->path.count == 0)
        return false;
    struct op *last = &t->path.ops[t->path.count - 1];
    if (last->d != v->slot || !(cut_shifted(last, mask) || cut_computed(last)))
        return false;
    last->imm = mask;
    return true;
}

/* a AND the constant b. */
static void and_const(struct trace *t, u16 a, u16 b)
{
    u256 k = value(t, b)->k;
    unsigned bits = min_bits(value(t, a)->bits, u256_bits(k));
    int log = log2_of(u256_add(k, U256_ONE));
    bool is_mask = log >= 0 || u256_eq(k, U256_MAX);
    if (u256_is_zero(k)) {
        push_again(t, b);
        value_drop(t, a);
    } else if (is_mask && u256_bits(k) >= value(t, a)->bits) {
        push_again(t, a);
        value_drop(t, b);
    } else if (u256_fits_u64(k) && cut_field(t, a, k.w[0])) {
        value_drop(t, b);
        t->values[a].bits = (u16)bits;
        push_again(t, a);
    } else {
        emit_family(t, FAST_and, a, b, bits);
    }
}

static void do_and(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_and))
        return;
    if (is_const(t, a))
        and_const(t, b, a);
    else if (is_const(t, b))
        and_const(t, a, b);
    else
        emit_short(t, FAST_and, a, b, min_bits(value(t, a)->bits, value(t, b)->bits));
}

/* OR and XOR. */
static void do_or(struct trace *t, u16 a, u16 b, unsigned family, fold_fn *calc)
{
    if (fold(t, a, b, calc))
        return;
    if (is_const(t, a)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    if (is_const_of(t, b, 0)) {
        push_again(t, a);
        value_drop(t, b);
        return;
    }
    unsigned bits = value(t, a)->bits > value(t, b)->bits ? value(t, a)->bits : value(t, b)->bits;
    emit_short(t, family, a, b, bits);
}

static void do_not(struct trace *t)
{
    u16 a = stack_pop(t);
    if (is_const(t, a)) {
        push_const(t, u256_not(value(t, a)->k));
        value_drop(t, a);
    } else {
        emit_slot(t, FAST_not, a, 256);
    }
}

static void do_shift(struct trace *t, u8 opcode)
{
    u16 n = stack_pop(t), a = stack_pop(t);
    fold_fn *const calcs[] = {u256_shl_by, u256_shr_by, u256_sar_by};
    unsigned which = opcode - OP_SHL;
    if (is_const(t, n) && is_const(t, a)) {
        push_const(t, calcs[which](value(t, a)->k, value(t, n)->k));
        drop2(t, a, n);
    } else if (is_const(t, n)) {
        unsigned count = u256_shift_count(value(t, n)->k);
        value_drop(t, n);
        if (opcode == OP_SHL)
            shift_left(t, a, count);
        else if (opcode == OP_SHR || value(t, a)->bits < 256)
            shift_right(t, a, count);
        else
            emit_slot(t, FAST_sar_ri, a, 256)->imm = count;
    } else {
        emit_slots(t, FAST_shl_rr + which, n, a, opcode == OP_SHR ? value(t, a)->bits : 256);
    }
}

static void do_byte(struct trace *t, u16 i, u16 a)
{
    if (fold(t, i, a, u256_byte))
        return;
    if (!is_const(t, i)) {
        emit_slots(t, FAST_byte_rr, i, a, 8);
        return;
    }
    u64 at = u256_to_u64_sat(value(t, i)->k);
    value_drop(t, i);
    if (at >= 32) {
        push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        emit_slot(t, FAST_byte_ri, a, 8)->imm = 31 - at;
    }
}

static void do_signextend(struct trace *t, u16 i, u16 a)
{
    if (fold(t, i, a, u256_signextend))
        return;
    if (!is_const(t, i)) {
        emit_slots(t, FAST_signextend_rr, i, a, 256);
        return;
    }
    u64 last = u256_to_u64_sat(value(t, i)->k);
    value_drop(t, i);
    if (last >= 31 || value(t, a)->bits < 8 * (last + 1))
        push_again(t, a);
    else
        emit_slot(t, FAST_signextend_ri, a, 256)->imm = 8 * (last + 1);
}

static u256 fold_clz(u256 a)
{
    return u256_from_u64(u256_clz(a));
}

static void do_clz(struct trace *t)
{
    u16 a = stack_pop(t);
    if (is_const(t, a)) {
        push_const(t, fold_clz(value(t, a)->k));
        value_drop(t, a);
    } else {
        emit_slot(t, FAST_clz, a, 9);
    }
}

/* --- comparing ------------------------------------------------------------------------------ */

static u256 fold_lt(u256 a, u256 b)
{
    return u256_from_u64(u256_lt(a, b));
}
static u256 fold_gt(u256 a, u256 b)
{
    return u256_from_u64(u256_lt(b, a));
}
static u256 fold_slt(u256 a, u256 b)
{
    return u256_from_u64(u256_slt(a, b));
}
static u256 fold_sgt(u256 a, u256 b)
{
    return u256_from_u64(u256_slt(b, a));
}
static u256 fold_eq(u256 a, u256 b)
{
    return u256_from_u64(u256_eq(a, b));
}

static void do_compare(struct trace *t, u8 opcode)
{
    static const struct {
        u16 family, mirrored;
        fold_fn *calc;
    } rows[] = {
        {FAST_lt, FAST_gt, fold_lt},    {FAST_gt, FAST_lt, fold_gt}, {FAST_slt, FAST_sgt, fold_slt},
        {FAST_sgt, FAST_slt, fold_sgt}, {FAST_eq, FAST_eq, fold_eq},
    };
    u16 a = stack_pop(t), b = stack_pop(t);
    unsigned row = opcode - OP_LT;
    if (fold(t, a, b, rows[row].calc))
        return;
    if (is_const(t, a))
        stack_push(t, value_compare(t, rows[row].mirrored, false, b, a));
    else
        stack_push(t, value_compare(t, rows[row].family, false, a, b));
    drop2(t, a, b);
}

static void do_iszero(struct trace *t)
{
    u16 a = stack_pop(t);
    const struct value *v = value(t, a);
    if (v->kind == VALUE_CONST) {
        push_const(t, u256_from_u64(u256_is_zero(v->k)));
    } else if (v->kind == VALUE_COMPARE) {
        stack_push(t, value_compare(t, v->family, !v->is_negated, v->a, v->b));
    } else {
        u16 zero = value_const(t, U256_ZERO);
        stack_push(t, value_compare(t, FAST_eq, false, a, zero));
    }
    value_drop(t, a);
}

/* --- memory --------------------------------------------------------------------------------- */

/* Constant addresses above this go by way of a slot. */
#define ADDRESS_MAX 0x7fffffffu

static bool is_address(const struct trace *t, u16 id)
{
    return is_const(t, id) && u256_fits_u64(value(t, id)->k) && value(t, id)->k.w[0] <= ADDRESS_MAX;
}

/* Splits an address into a slot and a displacement that the handlers add. */
static i32 address_split(struct trace *t, u16 id, i32 *plus)
{
    const struct value *v = value(t, id);
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
    return value(t, v->a)->slot;
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
        u64 k = value(t, at)->k.w[0];
        value_drop(t, at);
        op = trace_emit(t, is_reached(t, k) ? FAST_mload_u : FAST_mload_i, result_slot(t, 256), 0,
                        0);
        op->imm = k;
    } else {
        i32 plus, slot = address_split(t, at, &plus);
        value_drop(t, at);
        op = trace_emit(t, FAST_mload_r, result_slot(t, 256), slot, 0);
        op->imm = (u64)(i64)plus;
    }
    trace_fix_rest(t, &op->c);
}

/* A constant's bytes as memory has them. */
static const u8 *const_bytes(struct trace *t, u16 id)
{
    u8 *bytes = trace_alloc(t, WORD);
    u256_store_be(bytes, value(t, id)->k);
    return bytes;
}

static void do_mstore(struct trace *t)
{
    u16 at = stack_pop(t), v = stack_pop(t);
    bool is_word = is_const(t, v);
    i32 from = is_word ? 0 : value_in_slot(t, v), plus, slot = 0;
    unsigned id;
    if (is_address(t, at)) {
        plus = (i32)value(t, at)->k.w[0];
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
    drop2(t, at, v);
}

static void do_mstore8(struct trace *t)
{
    u16 at = stack_pop(t), v = stack_pop(t);
    i32 from = value_in_slot(t, v), plus, slot = address_split(t, at, &plus);
    struct op *op = trace_emit(t, FAST_mstore8, 0, slot, from);
    op->c = plus;
    trace_fix_rest(t, &op->d);
    drop2(t, at, v);
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
    trace_emit(t, FAST_env, result_slot(t, bits), 0, 0)->imm = opcode;
}

/* --- jumps ---------------------------------------------------------------------------------- */

static bool is_destination(const struct trace *t, u16 id)
{
    return u256_fits_u64(value(t, id)->k) && code_is_jumpdest(t->code, value(t, id)->k.w[0]);
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
        if (is_const_of(t, id, t->pc + 1))
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
    bool is_long = t->steps >= REPEAT_MAX && (is_known || t->fast->entries[pc]);
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
    const struct value *v = value(t, condition);
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
    if (is_const(t, to) && is_destination(t, to)) {
        follow(t, (u32)value(t, to)->k.w[0]);
        return;
    }
    if (is_const(t, to)) {
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
    if (is_const(t, condition)) {
        if (u256_is_zero(value(t, condition)->k))
            t->pc = next;
        else
            jump_surely(t, to);
        drop2(t, to, condition);
        return;
    }
    bool is_known = is_const(t, to), is_valid = is_known && is_destination(t, to);
    u32 target = is_valid ? (u32)value(t, to)->k.w[0] : 0;
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
    push_const(t, u256_load_be_n(t->code->bytes + t->pc + 1, bytes));
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
    const struct value *v = value(t, id);
    struct op *last = t->path.count ? &t->path.ops[t->path.count - 1] : NULL;
    if (last && v->kind == VALUE_SLOT && v->refs == 1 && last->d == v->slot && is_pure(last->fn))
        t->path.count--;
    value_drop(t, id);
}

static void emit_simple(struct trace *t, unsigned id, unsigned bits)
{
    trace_emit(t, id, result_slot(t, bits), 0, 0);
}

/* Instructions with two operands that compute. */
static void do_binary(struct trace *t, u8 opcode)
{
    u16 a = stack_pop(t), b = stack_pop(t);
    switch (opcode) {
    case OP_ADD: do_add(t, a, b); break;
    case OP_MUL: do_mul(t, a, b); break;
    case OP_SUB: do_sub(t, a, b); break;
    case OP_DIV: do_div(t, a, b); break;
    case OP_SDIV: do_sdiv(t, a, b); break;
    case OP_MOD: do_mod(t, a, b); break;
    case OP_SMOD: do_smod(t, a, b); break;
    case OP_AND: do_and(t, a, b); break;
    case OP_OR: do_or(t, a, b, FAST_or, u256_or); break;
    case OP_XOR: do_or(t, a, b, FAST_xor, u256_xor); break;
    case OP_BYTE: do_byte(t, a, b); break;
    case OP_SIGNEXTEND: do_signextend(t, a, b); break;
    }
}

/* One instruction; t->pc is left on its last byte, or where it jumps to (is_at_next). */
static void do_instruction(struct trace *t, u8 opcode)
{
    switch (opcode) {
    case OP_ADD:
    case OP_MUL:
    case OP_SUB:
    case OP_DIV:
    case OP_SDIV:
    case OP_MOD:
    case OP_SMOD:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_BYTE:
    case OP_SIGNEXTEND: do_binary(t, opcode); break;
    case OP_ADDMOD: do_modular(t, FAST_addmod, FAST_addmod_k); break;
    case OP_MULMOD: do_modular(t, FAST_mulmod, FAST_mulmod_k); break;
    case OP_LT:
    case OP_GT:
    case OP_SLT:
    case OP_SGT:
    case OP_EQ: do_compare(t, opcode); break;
    case OP_ISZERO: do_iszero(t); break;
    case OP_NOT: do_not(t); break;
    case OP_SHL:
    case OP_SHR:
    case OP_SAR: do_shift(t, opcode); break;
    case OP_CLZ: do_clz(t); break;
    case OP_POP: do_pop(t); break;
    case OP_MLOAD: do_mload(t); break;
    case OP_MSTORE: do_mstore(t); break;
    case OP_MSTORE8: do_mstore8(t); break;
    case OP_MSIZE: emit_simple(t, FAST_msize, 64); break;
    case OP_PC: push_const(t, u256_from_u64(t->pc)); break;
    case OP_JUMPDEST: break;
    case OP_CODESIZE: push_const(t, u256_from_u64(t->code->len)); break;
    case OP_CALLDATALOAD: emit_slot(t, FAST_calldataload, stack_pop(t), 256); break;
    case OP_CALLDATASIZE: emit_simple(t, FAST_calldatasize, 64); break;
    case OP_RETURNDATASIZE: emit_simple(t, FAST_returndatasize, 64); break;
    case OP_ADDRESS: emit_simple(t, FAST_address, 160); break;
    case OP_CALLER: emit_simple(t, FAST_caller, 160); break;
    case OP_CALLVALUE: emit_simple(t, FAST_callvalue, 256); break;
    case OP_GAS: trace_fix_rest(t, &trace_emit(t, FAST_gas, result_slot(t, 64), 0, 0)->b); break;
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
    if (t->steps >= STEPS_MAX || t->exits == EXITS_MAX || t->path.count > OPS_MAX - 64 ||
        t->stubs.count > OPS_MAX - 64)
        return true;
    const struct opcode_info *info = &t->info[opcode];
    if (t->height - info->in + info->out > GROWTH_MAX - 1 || t->height - info->in < -NEED_MAX + 1)
        return true;
    if (opcode == OP_JUMPDEST && t->steps >= REPEAT_MAX && t->fast->entries[t->pc])
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

/* Copies path and stubs behind a header and fills in what is known only now. */
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
    struct op *ops = trace_alloc(t, count * sizeof *ops);
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

static void trace_init(struct trace *t, const struct code *code, u32 pc)
{
    memset(t, 0, offsetof(struct trace, spares));
    t->code = code;
    t->fast = code->fast;
    t->fork = code->fast->fork;
    t->info = opcodes(t->fork);
    t->start = t->pc = pc;
    t->segment_starts[t->segments++] = pc;
    t->out = &t->path;
    t->path.count = t->stubs.count = 0;
}

struct op *fast_translate(struct evm *evm, const struct code *code, u32 pc)
{
    if (!evm->translator)
        evm->translator = mem_zalloc(sizeof(struct trace));
    struct trace *t = evm->translator;
    trace_init(t, code, pc);
    while (!t->is_done && !t->is_failed)
        step_path(t);
    u64 work = t->steps + 8;
    code->fast->work_left -= work < code->fast->work_left ? work : code->fast->work_left;
    if (t->is_failed || t->steps == 0) {
        code->fast->heat[pc] = HEAT_NEVER;
        return NULL;
    }
    return code->fast->entries[pc] = assemble(t);
}
