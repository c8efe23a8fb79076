/*
 * A trace in the making: shared by fast_translate.c (the path), fast_compute.c
 * (instructions that compute) and fast_trace.c (stack, values, exits).
 */
#pragma once

#include <string.h>

#include "evm/fast_int.h"

enum {
    STEPS_MAX = 3000,  /* instructions in a trace */
    REPEAT_MAX = 100,  /* a trace this long does not go where it, or another trace, has been */
    EXITS_MAX = 8,     /* side exits of a trace ... */
    EXITS_FEW = 2,     /* ... of a code whose translation is larger than the processor's caches */
    SEGMENTS_MAX = 48, /* jumps followed inside a trace */
    NEED_MAX = 160,    /* words below the entry's top that a trace may touch */
    VALUES_MAX = 1024, /* alive at once */
    OPS_MAX = 4000,
    FIXES_MAX = 2 * STEPS_MAX,
    NO_SLOT = INT32_MIN,
};

/*
 * A word on the stack. SLOT: it lies in a slot. CONST: it is k, and may lie in a slot as well.
 * COMPARE: it is 1 or 0 as a and b compare. SUM: it is a + k. The last two become SLOT
 * when somebody wants them in a slot; what they refer to lies in a slot or is a constant.
 */
enum value_kind { VALUE_SLOT, VALUE_CONST, VALUE_COMPARE, VALUE_SUM };

struct value {
    u8 kind;
    bool is_negated;    /* of COMPARE */
    i32 slot;           /* or NO_SLOT */
    u16 refs;           /* stack entries and values that show it; its temporary is free at 0 */
    u16 bits;           /* it is below 2^bits */
    u16 signed_bits;    /* it is its own low bits, so many, widened as two's complement */
    u16 a, b;           /* operands of COMPARE; a of SUM */
    u16 family;         /* of COMPARE: FAST_lt to FAST_eq */
    u256 k;             /* of CONST and SUM */
    const u256 *pooled; /* k in the arena, once it was needed there */
};

enum fix_kind { FIX_REST, FIX_TOP };

/* A field of an operation whose value is known only when the trace is complete. */
struct fix {
    i32 *field;
    enum fix_kind kind;
    u32 due; /* of FIX_REST: gas due up to and with the instruction */
};

struct op_list {
    unsigned count;
    struct op ops[OPS_MAX];
};

struct trace {
    const struct code *code;
    struct fast_code *fast;
    const struct opcode_info *info;
    enum fork fork;
    u32 start, pc;
    u8 previous; /* opcode before this one */
    u32 gas;     /* due so far, with the instruction at hand */
    unsigned steps, exits, exits_max, segments;
    u32 segment_starts[SEGMENTS_MAX];
    int height, lowest, highest; /* of the stack in words, relative to the entry's top */
    u16 stack[NEED_MAX + GROWTH_MAX];
    unsigned value_count, fix_count;
    unsigned spare_count;
    unsigned temp_top; /* temporaries ever used */
    u64 temps_taken[TEMP_MAX / 64];
    u64 memory_known; /* memory is at least this long here */
    bool is_done;
    bool is_failed;         /* a table overflowed: the trace is given up */
    u16 spares[VALUES_MAX]; /* values nobody refers to any more, to be used again */
    struct value values[VALUES_MAX];
    struct fix fixes[FIXES_MAX];
    u16 branches[EXITS_MAX];    /* operations of the path that branch ... */
    u16 stub_starts[EXITS_MAX]; /* ... and where their stubs begin */
    struct op_list *out;        /* path, or stubs while one is made */
    struct op_list path, stubs;
};

struct op *trace_emit(struct trace *t, unsigned id, i32 d, i32 a, i32 b);
/* The operation d = a OP b in the form that suits b. a lies in a slot; b does too or is a constant. */
struct op *trace_emit_family(struct trace *t, unsigned family, i32 d, u16 a, u16 b);
/* The field, in the operation just emitted, gets the gas that was prepaid and is not yet due here. */
void trace_fix_rest(struct trace *t, i32 *field);
/* The field gets the slot above all temporaries. */
void trace_fix_top(struct trace *t, i32 *field);
/* Memory that lives as long as the translation, 16-aligned. */
void *trace_alloc(struct trace *t, size_t size);

/* Neighbouring free temporaries, now taken. */
i32 trace_temp(struct trace *t, unsigned count);
void trace_temp_free(struct trace *t, i32 slot); /* other slots are left alone */

/* New values, not yet referred to. */
u16 value_slot(struct trace *t, i32 slot, unsigned bits);
u16 value_const(struct trace *t, u256 k);
u16 value_sum(struct trace *t, u16 a, u256 k);
u16 value_compare(struct trace *t, unsigned family, bool is_negated, u16 a, u16 b);
/* One reference less. The temporary of a value without any may be taken by the next result: operands
 * are dropped after their slots were read out and before the result's slot is chosen. */
void value_drop(struct trace *t, u16 id);
/* The slot where the value lies, put there if need be. */
i32 value_in_slot(struct trace *t, u16 id);
/* Emits what puts the value into slot d; the value itself stays as it is. */
void value_emit_to(struct trace *t, u16 id, i32 d);
const u256 *value_pooled(struct trace *t, u16 id);

/* The entry that many words below the top. */
u16 *stack_at(struct trace *t, unsigned depth);
u16 stack_pop(struct trace *t); /* with the reference the stack had */
void stack_push(struct trace *t, u16 id);

static inline const struct value *value_of(const struct trace *t, u16 id)
{
    return &t->values[id];
}

static inline bool value_is_const(const struct trace *t, u16 id)
{
    return t->values[id].kind == VALUE_CONST;
}

/* Is it the constant k? */
bool value_is(const struct trace *t, u16 id, u64 k);
void value_drop2(struct trace *t, u16 a, u16 b);

/* Pushes a value below 2^bits that the operation emitted now puts into the slot returned. */
i32 trace_target(struct trace *t, unsigned bits);
void trace_push_const(struct trace *t, u256 k);
/* Pushes a popped value again; its reference goes back to the stack. */
void trace_push_again(struct trace *t, u16 id);

/* These emit an operation on popped operands, drop those, and push its result: on slots ... */
struct op *trace_emit_slots(struct trace *t, unsigned id, u16 a, u16 b, unsigned bits);
struct op *trace_emit_slot(struct trace *t, unsigned id, u16 a, unsigned bits);
/* ... by a family, where b may be a constant ... */
void trace_emit_binary(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits);
/* ... and the same, on the low limbs alone when the result has no more. */
void trace_emit_short(struct trace *t, unsigned family, u16 a, u16 b, unsigned bits);
/* The handler that does a family's RR form on low limbs, masked by imm; 0 if there is none. */
unsigned family_low(unsigned family);

/* Does an instruction that only computes (fast_compute.c); false when the opcode is another one. */
bool trace_compute(struct trace *t, u8 opcode);

/* Puts the stack in order and goes on at pc by operation `id` (jump_cold, plain, ...). */
void trace_leave(struct trace *t, unsigned id, u32 pc);
/* Goes on where the value, which lies in a slot, says. */
void trace_leave_to(struct trace *t, u16 target);
/* The jump has no destination. */
void trace_leave_badly(struct trace *t);
/* Begins and ends the side exit of a branch that was just emitted: between them, leave. */
void trace_exit_begin(struct trace *t, const struct op *branch);
void trace_exit_end(struct trace *t);
