/*
 * Makes a trace out of bytecode. The stack is followed by name: each word on it is a value that
 * knows where it lies or what it is, so moving words about emits nothing. Three kinds of value cost
 * nothing until somebody needs them: constants, comparisons (mostly consumed by a branch) and sums
 * with a constant (mostly consumed as an address).
 */
#include "evm/fast_trace.h"

/* --- emitting ------------------------------------------------------------------------------- */

struct op *trace_emit(struct trace *t, unsigned id, i32 d, i32 a, i32 b)
{
    struct op_list *out = t->out;
    if (out->count == OPS_MAX) {
        t->is_failed = true;
        out->count--;
    }
    struct op *op = &out->ops[out->count++];
    *op = (struct op){.fn = fast_handlers[id], .d = d, .a = a, .b = b};
    return op;
}

static void fix_add(struct trace *t, enum fix_kind kind, i32 *field, u32 due)
{
    if (t->fix_count == FIXES_MAX) {
        t->is_failed = true;
        return;
    }
    t->fixes[t->fix_count++] = (struct fix){.field = field, .kind = kind, .due = due};
}

void trace_fix_rest(struct trace *t, i32 *field)
{
    fix_add(t, FIX_REST, field, t->gas);
}

void trace_fix_top(struct trace *t, i32 *field)
{
    fix_add(t, FIX_TOP, field, 0);
}

void *trace_alloc(struct trace *t, size_t size)
{
    return fast_alloc(t->fast, size, 16);
}

/* --- temporaries ---------------------------------------------------------------------------- */

static bool temps_free(const struct trace *t, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        if (t->temps_taken[i >> 6] >> (i & 63) & 1)
            return false;
    return true;
}

i32 trace_temp(struct trace *t, unsigned count)
{
    unsigned at = 0;
    while (at + count <= TEMP_MAX && !temps_free(t, at, count))
        at++;
    if (at + count > TEMP_MAX) {
        t->is_failed = true;
        at = 0;
    }
    for (unsigned i = at; i < at + count; i++)
        t->temps_taken[i >> 6] |= (u64)1 << (i & 63);
    if (at + count > t->temp_top)
        t->temp_top = at + count;
    return TEMP_FIRST + (i32)at * WORD;
}

void trace_temp_free(struct trace *t, i32 slot)
{
    if (slot < TEMP_FIRST)
        return;
    unsigned i = (unsigned)(slot - TEMP_FIRST) / WORD;
    t->temps_taken[i >> 6] &= ~((u64)1 << (i & 63));
}

/* --- values --------------------------------------------------------------------------------- */

static u16 value_new(struct trace *t, enum value_kind kind)
{
    u16 id;
    if (t->spare_count) {
        id = t->spares[--t->spare_count];
    } else if (t->value_count < VALUES_MAX) {
        id = (u16)t->value_count++;
    } else {
        t->is_failed = true;
        id = 0;
    }
    struct value *v = &t->values[id];
    v->kind = kind;
    v->slot = NO_SLOT;
    v->refs = 0;
    v->bits = 256;
    v->signed_bits = 256;
    v->pooled = NULL;
    return id;
}

u16 value_slot(struct trace *t, i32 slot, unsigned bits)
{
    u16 id = value_new(t, VALUE_SLOT);
    t->values[id].slot = slot;
    t->values[id].bits = (u16)bits;
    return id;
}

u16 value_const(struct trace *t, u256 k)
{
    u16 id = value_new(t, VALUE_CONST);
    t->values[id].k = k;
    t->values[id].bits = (u16)u256_bits(k);
    return id;
}

u16 value_sum(struct trace *t, u16 a, u256 k)
{
    value_in_slot(t, a);
    u16 id = value_new(t, VALUE_SUM);
    t->values[id].a = a;
    t->values[id].k = k;
    t->values[a].refs++;
    return id;
}

u16 value_compare(struct trace *t, unsigned family, bool is_negated, u16 a, u16 b)
{
    value_in_slot(t, a);
    if (t->values[b].kind != VALUE_CONST)
        value_in_slot(t, b);
    u16 id = value_new(t, VALUE_COMPARE);
    struct value *v = &t->values[id];
    v->family = (u16)family;
    v->is_negated = is_negated;
    v->a = a;
    v->b = b;
    v->bits = 1;
    t->values[a].refs++;
    t->values[b].refs++;
    return id;
}

void value_drop(struct trace *t, u16 id)
{
    struct value *v = &t->values[id];
    if (v->refs == 0)
        return;
    v->refs--;
    if (v->refs > 0)
        return;
    if (v->slot != NO_SLOT)
        trace_temp_free(t, v->slot);
    if (v->kind == VALUE_COMPARE)
        value_drop(t, v->b);
    if (v->kind == VALUE_COMPARE || v->kind == VALUE_SUM)
        value_drop(t, v->a);
    if (!t->is_failed)
        t->spares[t->spare_count++] = id;
}

const u256 *value_pooled(struct trace *t, u16 id)
{
    struct value *v = &t->values[id];
    if (!v->pooled) {
        u256 *word = trace_alloc(t, sizeof *word);
        *word = v->k;
        v->pooled = word;
    }
    return v->pooled;
}

struct op *trace_emit_family(struct trace *t, unsigned family, i32 d, u16 a, u16 b)
{
    const struct value *vb = &t->values[b];
    i32 slot = t->values[a].slot;
    if (vb->kind != VALUE_CONST)
        return trace_emit(t, family, d, slot, vb->slot);
    struct op *op;
    if (u256_fits_u64(vb->k)) {
        op = trace_emit(t, family + 1, d, slot, 0);
        op->imm = vb->k.w[0];
    } else {
        op = trace_emit(t, family + 2, d, slot, 0);
        op->word = value_pooled(t, b);
    }
    return op;
}

static void emit_const(struct trace *t, u16 id, i32 d)
{
    const struct value *v = &t->values[id];
    if (u256_fits_u64(v->k))
        trace_emit(t, FAST_const64, d, 0, 0)->imm = v->k.w[0];
    else
        trace_emit(t, FAST_const256, d, 0, 0)->word = value_pooled(t, id);
}

static void emit_sum(struct trace *t, u16 id, i32 d)
{
    const struct value *v = &t->values[id];
    i32 a = t->values[v->a].slot;
    u256 minus = u256_neg(v->k);
    if (u256_fits_u64(v->k))
        trace_emit(t, FAST_add_ri, d, a, 0)->imm = v->k.w[0];
    else if (u256_fits_u64(minus))
        trace_emit(t, FAST_sub_ri, d, a, 0)->imm = minus.w[0];
    else
        trace_emit(t, FAST_add_rk, d, a, 0)->word = value_pooled(t, id);
}

void value_emit_to(struct trace *t, u16 id, i32 d)
{
    const struct value *v = &t->values[id];
    if (v->slot != NO_SLOT)
        trace_emit(t, FAST_move, d, v->slot, 0);
    else if (v->kind == VALUE_CONST)
        emit_const(t, id, d);
    else if (v->kind == VALUE_SUM)
        emit_sum(t, id, d);
    else
        trace_emit_family(t, v->family, d, v->a, v->b)->c = v->is_negated;
}

i32 value_in_slot(struct trace *t, u16 id)
{
    struct value *v = &t->values[id];
    if (v->slot != NO_SLOT)
        return v->slot;
    i32 slot = trace_temp(t, 1);
    value_emit_to(t, id, slot);
    v->slot = slot;
    if (v->kind == VALUE_CONST)
        return slot;
    enum value_kind kind = v->kind;
    u16 a = v->a, b = v->b;
    v->kind = VALUE_SLOT;
    value_drop(t, a);
    if (kind == VALUE_COMPARE)
        value_drop(t, b);
    return slot;
}

/* --- the stack ------------------------------------------------------------------------------ */

/* Makes the word at a height below the entry's top known: it lies in its own slot. */
static void stack_touch(struct trace *t, int at)
{
    if (at < -NEED_MAX) {
        t->is_failed = true;
        return;
    }
    while (t->lowest > at) {
        t->lowest--;
        u16 id = value_slot(t, t->lowest * WORD, 256);
        t->values[id].refs = 1;
        t->stack[NEED_MAX + t->lowest] = id;
    }
}

u16 *stack_at(struct trace *t, unsigned depth)
{
    int at = t->height - 1 - (int)depth;
    stack_touch(t, at);
    return &t->stack[t->is_failed ? 0 : NEED_MAX + at];
}

u16 stack_pop(struct trace *t)
{
    u16 id = *stack_at(t, 0);
    t->height--;
    return id;
}

void stack_push(struct trace *t, u16 id)
{
    if (t->height == GROWTH_MAX) {
        t->is_failed = true;
        return;
    }
    t->stack[NEED_MAX + t->height++] = id;
    t->values[id].refs++;
    if (t->height > t->highest)
        t->highest = t->height;
}

/* --- results -------------------------------------------------------------------------------- */

bool value_is(const struct trace *t, u16 id, u64 k)
{
    return value_is_const(t, id) && u256_eq(t->values[id].k, u256_from_u64(k));
}

i32 trace_target(struct trace *t, unsigned bits)
{
    i32 slot = trace_temp(t, 1);
    stack_push(t, value_slot(t, slot, bits));
    return slot;
}

void trace_push_const(struct trace *t, u256 k)
{
    stack_push(t, value_const(t, k));
}

void value_drop2(struct trace *t, u16 a, u16 b)
{
    value_drop(t, a);
    value_drop(t, b);
}

void trace_push_again(struct trace *t, u16 id)
{
    stack_push(t, id);
    value_drop(t, id);
}

struct op *trace_emit_slots(struct trace *t, unsigned id, u16 a, u16 b, unsigned bits)
{
    i32 sa = value_in_slot(t, a), sb = value_in_slot(t, b);
    value_drop2(t, a, b);
    return trace_emit(t, id, trace_target(t, bits), sa, sb);
}

struct op *trace_emit_slot(struct trace *t, unsigned id, u16 a, unsigned bits)
{
    i32 sa = value_in_slot(t, a);
    value_drop(t, a);
    return trace_emit(t, id, trace_target(t, bits), sa, 0);
}

void trace_emit_binary(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits)
{
    value_in_slot(t, a);
    if (!value_is_const(t, b))
        value_in_slot(t, b);
    struct op *op = trace_emit_family(t, family, 0, a, b);
    value_drop2(t, a, b);
    op->d = trace_target(t, bits);
}

unsigned family_low(unsigned family)
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

void trace_emit_short(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits)
{
    if (bits > 64 || value_is_const(t, a) || value_is_const(t, b))
        trace_emit_binary(t, family, a, b, bits);
    else
        trace_emit_slots(t, family_low(family), a, b, bits)->imm = ~(u64)0;
}

/* --- leaving -------------------------------------------------------------------------------- */

/*
 * Putting the stack in order is a parallel move: a slot may be written once nobody waits to read
 * what it holds. readers counts, for each of the stack's slots, the moves still to be made that read it.
 */
struct moves {
    struct trace *t;
    unsigned count;
    struct {
        u16 id;
        i16 to; /* height */
    } list[NEED_MAX + GROWTH_MAX];
    u8 readers[NEED_MAX + GROWTH_MAX];
    i32 swapped_from, swapped_to; /* a slot whose word was saved elsewhere to break a cycle */
};

static void count_readers(struct moves *m, u16 id, int by)
{
    const struct value *v = &m->t->values[id];
    if (v->slot != NO_SLOT) {
        if (v->slot < TEMP_FIRST)
            m->readers[NEED_MAX + v->slot / WORD] += by;
        return;
    }
    if (v->kind == VALUE_COMPARE)
        count_readers(m, v->b, by);
    if (v->kind == VALUE_COMPARE || v->kind == VALUE_SUM)
        count_readers(m, v->a, by);
}

static void moves_collect(struct moves *m)
{
    struct trace *t = m->t;
    m->count = 0;
    memset(m->readers, 0, sizeof m->readers);
    for (int at = t->lowest; at < t->height; at++) {
        u16 id = t->stack[NEED_MAX + at];
        if (t->values[id].slot == at * WORD)
            continue;
        m->list[m->count].id = id;
        m->list[m->count++].to = (i16)at;
        count_readers(m, id, 1);
    }
}

/* How many times a value's making reads the slot at a height. */
static unsigned reads_of(const struct moves *m, u16 id, int at)
{
    const struct value *v = &m->t->values[id];
    if (v->slot != NO_SLOT)
        return v->slot == at * WORD;
    if (v->kind == VALUE_SUM)
        return reads_of(m, v->a, at);
    if (v->kind == VALUE_COMPARE)
        return reads_of(m, v->a, at) + reads_of(m, v->b, at);
    return 0;
}

/* Saves the word at a height in a temporary; every value that lies there is read from it from now on. */
static void moves_break(struct moves *m, int at)
{
    struct trace *t = m->t;
    i32 temp = trace_temp(t, 1);
    trace_emit(t, FAST_move, temp, at * WORD, 0);
    m->readers[NEED_MAX + at] = 0;
    for (unsigned i = 0; i < t->value_count; i++)
        if (t->values[i].slot == at * WORD)
            t->values[i].slot = temp;
    m->swapped_from = at * WORD;
    m->swapped_to = temp;
}

/* Undoes moves_break for the path that goes on. */
static void moves_mend(struct moves *m, const i32 *temps, const i32 *homes, unsigned count)
{
    struct trace *t = m->t;
    for (unsigned n = 0; n < count; n++) {
        for (unsigned i = 0; i < t->value_count; i++)
            if (t->values[i].slot == temps[n])
                t->values[i].slot = homes[n];
        trace_temp_free(t, temps[n]);
    }
}

/* One pass over what is left; returns whether anything could be moved. */
static bool moves_pass(struct moves *m, bool constants)
{
    struct trace *t = m->t;
    unsigned kept = 0, before = m->count;
    for (unsigned i = 0; i < before; i++) {
        u16 id = m->list[i].id;
        int to = m->list[i].to;
        bool is_const = t->values[id].kind == VALUE_CONST && t->values[id].slot == NO_SLOT;
        unsigned own = is_const ? 0 : reads_of(m, id, to);
        if ((is_const && !constants) || m->readers[NEED_MAX + to] > own) {
            m->list[kept++] = m->list[i];
            continue;
        }
        count_readers(m, id, -1);
        value_emit_to(t, id, to * WORD);
    }
    m->count = kept;
    return kept < before;
}

/* Joins neighbouring moves of the list just emitted. */
static void moves_join(struct op_list *out, unsigned first)
{
    unsigned to = first;
    for (unsigned i = first; i < out->count; i++) {
        struct op *op = &out->ops[i], *last = to > first ? &out->ops[to - 1] : NULL;
        if (last && op->fn == op_move && last->fn == op_move) {
            last->fn = op_move2;
            last->b = op->d;
            last->c = op->a;
        } else if (last && op->fn == op_move && last->fn == op_move2) {
            last->fn = op_move3;
            last->imm = (u64)(u32)op->d | (u64)(u32)op->a << 32;
        } else {
            out->ops[to++] = *op;
        }
    }
    out->count = to;
}

/* Puts every word where the next trace expects it. */
static void stack_settle(struct trace *t)
{
    struct moves m = {.t = t};
    i32 temps[16], homes[16];
    unsigned broken = 0, first = t->out->count;
    moves_collect(&m);
    while (m.count && !t->is_failed) {
        if (moves_pass(&m, false))
            continue;
        int stuck = -1;
        for (unsigned i = 0; i < m.count && stuck < 0; i++)
            if (m.readers[NEED_MAX + m.list[i].to])
                stuck = (int)i;
        if (stuck < 0) {
            moves_pass(&m, true);
            continue;
        }
        if (broken == ARRAY_LEN(temps)) {
            t->is_failed = true;
            return;
        }
        moves_break(&m, m.list[stuck].to);
        homes[broken] = m.swapped_from;
        temps[broken++] = m.swapped_to;
    }
    moves_mend(&m, temps, homes, broken);
    moves_join(t->out, first);
}

void trace_leave(struct trace *t, unsigned id, u32 pc)
{
    stack_settle(t);
    struct op *op = trace_emit(t, id, t->height * WORD, (i32)pc, 0);
    trace_fix_rest(t, &op->b);
}

void trace_leave_to(struct trace *t, u16 target)
{
    trace_emit(t, FAST_target, 0, t->values[target].slot, 0);
    unsigned before = t->out->count;
    trace_leave(t, FAST_jump_saved, 0);
    if (t->out->count != before + 1 || t->is_failed)
        return;
    /* Nothing had to be moved: the jump can read the slot itself. */
    struct op *op = &t->out->ops[before - 1];
    i32 slot = op->a;
    *op = op[1];
    op->fn = op_jump_dynamic;
    op->a = slot;
    t->out->count--;
    t->fixes[t->fix_count - 1].field = &op->b;
}

void trace_leave_badly(struct trace *t)
{
    struct op *op = trace_emit(t, FAST_jump_bad, 0, 0, 0);
    trace_fix_rest(t, &op->b);
}

void trace_exit_begin(struct trace *t, const struct op *branch)
{
    t->branches[t->exits] = (u16)(branch - t->path.ops);
    t->stub_starts[t->exits++] = (u16)t->stubs.count;
    t->out = &t->stubs;
}

void trace_exit_end(struct trace *t)
{
    t->out = &t->path;
}
