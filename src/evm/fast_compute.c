/* Instructions that compute: folded when their operands are known, else emitted in the cheapest form. */
#include "evm/fast_trace.h"

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
    if (!value_is_const(t, a) || !value_is_const(t, b))
        return false;
    trace_push_const(t, calc(value_of(t, a)->k, value_of(t, b)->k));
    value_drop2(t, a, b);
    return true;
}

/* a + k. */
static void add_const(struct trace *t, u16 a, u256 k)
{
    u16 base = a;
    if (value_of(t, a)->kind == VALUE_SUM) {
        k = u256_add(value_of(t, a)->k, k);
        base = value_of(t, a)->a;
    }
    stack_push(t, u256_is_zero(k) ? base : value_sum(t, base, k));
    value_drop(t, a);
}

static void do_add(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_add))
        return;
    if (value_is_const(t, b)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    if (value_is_const(t, a)) {
        add_const(t, b, value_of(t, a)->k);
        value_drop(t, a);
        return;
    }
    unsigned bits =
        value_of(t, a)->bits > value_of(t, b)->bits ? value_of(t, a)->bits : value_of(t, b)->bits;
    trace_emit_short(t, FAST_add, a, b, min_bits(bits + 1, 256));
}

static void do_sub(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_sub))
        return;
    if (value_is_const(t, b)) {
        add_const(t, a, u256_neg(value_of(t, b)->k));
        value_drop(t, b);
    } else if (value_is_const(t, a)) {
        const u256 *word = value_pooled(t, a);
        value_drop(t, a);
        trace_emit_slot(t, FAST_rsub_rk, b, 256)->word = word;
    } else {
        trace_emit_binary(t, FAST_sub, a, b, 256);
    }
}

/* a shifted left or right by a constant. */
static void shift_left(struct trace *t, u16 a, unsigned n)
{
    if (n == 0) {
        trace_push_again(t, a);
    } else if (n >= 256) {
        trace_push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        unsigned bits = min_bits(value_of(t, a)->bits + n, 256);
        trace_emit_slot(t, FAST_shl_0 + n / 64, a, bits)->imm = n % 64;
    }
}

static void shift_right(struct trace *t, u16 a, unsigned n)
{
    unsigned bits = value_of(t, a)->bits;
    if (n == 0) {
        trace_push_again(t, a);
    } else if (n >= bits) {
        trace_push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        trace_emit_slot(t, FAST_shr_0 + n / 64, a, bits - n)->imm = n % 64;
    }
}

static void do_mul(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_mul))
        return;
    if (value_is_const(t, a)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    int log = value_is_const(t, b) ? log2_of(value_of(t, b)->k) : -1;
    if (value_is(t, b, 0)) {
        trace_push_again(t, b);
        value_drop(t, a);
    } else if (log >= 0) {
        value_drop(t, b);
        shift_left(t, a, (unsigned)log);
    } else {
        trace_emit_short(t, FAST_mul, a, b,
                         min_bits(value_of(t, a)->bits + value_of(t, b)->bits, 256));
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
    unsigned bits = value_of(t, a)->bits;
    int log = value_is_const(t, b) ? log2_of(value_of(t, b)->k) : -1;
    if (log >= 0) {
        value_drop(t, b);
        shift_right(t, a, (unsigned)log);
    } else if (value_is(t, b, 0)) {
        trace_push_again(t, b);
        value_drop(t, a);
    } else if (value_is_const(t, b)) {
        struct u256_divisor *divisor = divisor_new(t, value_of(t, b)->k);
        value_drop(t, b);
        trace_emit_slot(t, FAST_div_rk, a, bits)->divisor = divisor;
    } else {
        trace_emit_slots(t, FAST_div_rr, a, b, bits)->divisor = divisor_new(t, U256_ZERO);
    }
}

static void do_sdiv(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_sdiv))
        return;
    if (!value_is_const(t, b)) {
        trace_emit_slots(t, FAST_sdiv_rr, a, b, 256)->divisor = divisor_new(t, U256_ZERO);
        return;
    }
    u256 k = value_of(t, b)->k;
    bool is_negative = u256_is_negative(k);
    struct u256_divisor *divisor = divisor_new(t, is_negative ? u256_neg(k) : k);
    value_drop(t, b);
    struct op *op = trace_emit_slot(t, FAST_sdiv_rk, a, 256);
    op->divisor = divisor;
    op->c = is_negative;
}

static void and_const(struct trace *t, u16 a, u16 b);

static void do_mod(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_mod))
        return;
    unsigned bits = min_bits(value_of(t, a)->bits, value_of(t, b)->bits);
    if (!value_is_const(t, b)) {
        trace_emit_slots(t, FAST_mod_rr, a, b, bits)->divisor = divisor_new(t, U256_ZERO);
        return;
    }
    u256 k = value_of(t, b)->k;
    if (log2_of(k) >= 0) {
        u16 mask = value_const(t, u256_sub(k, U256_ONE));
        t->values[mask].refs = 1;
        value_drop(t, b);
        and_const(t, a, mask);
        return;
    }
    struct u256_divisor *divisor = divisor_new(t, k);
    value_drop(t, b);
    trace_emit_slot(t, FAST_mod_rk, a, bits)->divisor = divisor;
}

static void do_smod(struct trace *t, u16 a, u16 b)
{
    if (!fold(t, a, b, u256_smod))
        trace_emit_slots(t, FAST_smod_rr, a, b, 256)->divisor = divisor_new(t, U256_ZERO);
}

/* ADDMOD and MULMOD: handler `id` with the modulus in a slot, id_const with it known. */
static void do_modular(struct trace *t, unsigned id, unsigned id_const)
{
    u16 a = stack_pop(t), b = stack_pop(t), m = stack_pop(t);
    if (value_is_const(t, m) && log2_of(value_of(t, m)->k) >= 0) {
        /* Wrapping at 2^256 does not matter to a smaller power of two. */
        if (id == FAST_addmod)
            do_add(t, a, b);
        else
            do_mul(t, a, b);
        do_mod(t, stack_pop(t), m);
        return;
    }
    unsigned bits = value_of(t, m)->bits;
    struct u256_divisor *divisor =
        divisor_new(t, value_is_const(t, m) ? value_of(t, m)->k : U256_ZERO);
    if (value_is_const(t, m)) {
        if (id == FAST_mulmod && divisor->limbs == 4)
            u256_divisor_widen(divisor);
        value_drop(t, m);
        trace_emit_slots(t, id_const, a, b, bits)->divisor = divisor;
        return;
    }
    i32 sa = value_in_slot(t, a), sb = value_in_slot(t, b), sm = value_in_slot(t, m);
    value_drop2(t, a, b);
    value_drop(t, m);
    struct op *op = trace_emit(t, id, trace_target(t, bits), sa, sb);
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
            last->fn = fast_handlers[family_low(families[i])];
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
    const struct value *v = value_of(t, a);
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
    u256 k = value_of(t, b)->k;
    unsigned bits = min_bits(value_of(t, a)->bits, u256_bits(k));
    int log = log2_of(u256_add(k, U256_ONE));
    bool is_mask = log >= 0 || u256_eq(k, U256_MAX);
    if (u256_is_zero(k)) {
        trace_push_again(t, b);
        value_drop(t, a);
    } else if (is_mask && u256_bits(k) >= value_of(t, a)->bits) {
        trace_push_again(t, a);
        value_drop(t, b);
    } else if (u256_fits_u64(k) && cut_field(t, a, k.w[0])) {
        value_drop(t, b);
        t->values[a].bits = (u16)bits;
        trace_push_again(t, a);
    } else {
        trace_emit_binary(t, FAST_and, a, b, bits);
    }
}

static void do_and(struct trace *t, u16 a, u16 b)
{
    if (fold(t, a, b, u256_and))
        return;
    if (value_is_const(t, a))
        and_const(t, b, a);
    else if (value_is_const(t, b))
        and_const(t, a, b);
    else
        trace_emit_short(t, FAST_and, a, b, min_bits(value_of(t, a)->bits, value_of(t, b)->bits));
}

/* OR and XOR. */
static void do_or(struct trace *t, u16 a, u16 b, unsigned family, fold_fn *calc)
{
    if (fold(t, a, b, calc))
        return;
    if (value_is_const(t, a)) {
        u16 swap = a;
        a = b;
        b = swap;
    }
    if (value_is(t, b, 0)) {
        trace_push_again(t, a);
        value_drop(t, b);
        return;
    }
    unsigned bits =
        value_of(t, a)->bits > value_of(t, b)->bits ? value_of(t, a)->bits : value_of(t, b)->bits;
    trace_emit_short(t, family, a, b, bits);
}

static void do_not(struct trace *t)
{
    u16 a = stack_pop(t);
    if (value_is_const(t, a)) {
        trace_push_const(t, u256_not(value_of(t, a)->k));
        value_drop(t, a);
    } else {
        trace_emit_slot(t, FAST_not, a, 256);
    }
}

static void do_shift(struct trace *t, u8 opcode)
{
    u16 n = stack_pop(t), a = stack_pop(t);
    fold_fn *const calcs[] = {u256_shl_by, u256_shr_by, u256_sar_by};
    unsigned which = opcode - OP_SHL;
    if (value_is_const(t, n) && value_is_const(t, a)) {
        trace_push_const(t, calcs[which](value_of(t, a)->k, value_of(t, n)->k));
        value_drop2(t, a, n);
    } else if (value_is_const(t, n)) {
        unsigned count = u256_shift_count(value_of(t, n)->k);
        value_drop(t, n);
        if (opcode == OP_SHL)
            shift_left(t, a, count);
        else if (opcode == OP_SHR || value_of(t, a)->bits < 256)
            shift_right(t, a, count);
        else
            trace_emit_slot(t, FAST_sar_ri, a, 256)->imm = count;
    } else {
        trace_emit_slots(t, FAST_shl_rr + which, n, a,
                         opcode == OP_SHR ? value_of(t, a)->bits : 256);
    }
}

static void do_byte(struct trace *t, u16 i, u16 a)
{
    if (fold(t, i, a, u256_byte))
        return;
    if (!value_is_const(t, i)) {
        trace_emit_slots(t, FAST_byte_rr, i, a, 8);
        return;
    }
    u64 at = u256_to_u64_sat(value_of(t, i)->k);
    value_drop(t, i);
    if (at >= 32) {
        trace_push_const(t, U256_ZERO);
        value_drop(t, a);
    } else {
        trace_emit_slot(t, FAST_byte_ri, a, 8)->imm = 31 - at;
    }
}

static void do_signextend(struct trace *t, u16 i, u16 a)
{
    if (fold(t, i, a, u256_signextend))
        return;
    if (!value_is_const(t, i)) {
        trace_emit_slots(t, FAST_signextend_rr, i, a, 256);
        return;
    }
    u64 last = u256_to_u64_sat(value_of(t, i)->k);
    const struct value *v = value_of(t, a);
    value_drop(t, i);
    if (last >= 31 || v->bits < 8 * (last + 1) || v->signed_bits <= 8 * (last + 1)) {
        trace_push_again(t, a);
        return;
    }
    trace_emit_slot(t, FAST_signextend_ri, a, 256)->imm = 8 * (last + 1);
    t->values[*stack_at(t, 0)].signed_bits = (u16)(8 * (last + 1));
}

static u256 fold_clz(u256 a)
{
    return u256_from_u64(u256_clz(a));
}

static void do_clz(struct trace *t)
{
    u16 a = stack_pop(t);
    if (value_is_const(t, a)) {
        trace_push_const(t, fold_clz(value_of(t, a)->k));
        value_drop(t, a);
    } else {
        trace_emit_slot(t, FAST_clz, a, 9);
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
    if (value_is_const(t, a))
        stack_push(t, value_compare(t, rows[row].mirrored, false, b, a));
    else
        stack_push(t, value_compare(t, rows[row].family, false, a, b));
    value_drop2(t, a, b);
}

static void do_iszero(struct trace *t)
{
    u16 a = stack_pop(t);
    const struct value *v = value_of(t, a);
    if (v->kind == VALUE_CONST) {
        trace_push_const(t, u256_from_u64(u256_is_zero(v->k)));
    } else if (v->kind == VALUE_COMPARE) {
        stack_push(t, value_compare(t, v->family, !v->is_negated, v->a, v->b));
    } else {
        u16 zero = value_const(t, U256_ZERO);
        stack_push(t, value_compare(t, FAST_eq, false, a, zero));
    }
    value_drop(t, a);
}

/* --- all of them ------------------------------------------------------------------------------ */

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

bool trace_compute(struct trace *t, u8 opcode)
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
    case OP_SIGNEXTEND: do_binary(t, opcode); return true;
    case OP_ADDMOD: do_modular(t, FAST_addmod, FAST_addmod_k); return true;
    case OP_MULMOD: do_modular(t, FAST_mulmod, FAST_mulmod_k); return true;
    case OP_LT:
    case OP_GT:
    case OP_SLT:
    case OP_SGT:
    case OP_EQ: do_compare(t, opcode); return true;
    case OP_ISZERO: do_iszero(t); return true;
    case OP_NOT: do_not(t); return true;
    case OP_CLZ: do_clz(t); return true;
    case OP_SHL:
    case OP_SHR:
    case OP_SAR: do_shift(t, opcode); return true;
    }
    return false;
}
