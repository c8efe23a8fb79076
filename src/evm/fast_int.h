/*
 * Inside the fast interpreter: operations, the registers their handlers run on, and the list of
 * handlers. fast_translate.c makes operations out of bytecode; fast_alu.c, fast_mem.c and
 * fast_flow.c hold the handlers.
 *
 * A *trace* is one array of operations: a header (`enter`), the operations of the path the
 * translator followed, and behind them the stubs of its side exits. It is entered only at its header.
 * Slots are byte offsets from SP, which is the stack's top when the trace is entered and does not
 * move inside it: the word on top is slot -32, words pushed begin at slot 0, temporaries lie at
 * TEMP_FIRST and above. Words of the stack stay where they are until the trace is left; only
 * then are they moved to the slots where the next trace expects them.
 *
 * Gas is charged for the whole trace at its header. An operation that charges more, or needs to
 * know what is left, carries `rest`: what was prepaid and is not yet due. GAS + rest is then the
 * exact gas, and GAS alone may be below zero without anything being wrong yet: whoever leaves the
 * trace gives the rest back and looks again.
 */
#pragma once

#include "base/arena.h"
#include "evm/evm_int.h"
#include "evm/fast.h"
#include "evm/ops.h"

/* Handlers pass their registers on by tail calls where the compiler promises them. */
#if defined(__has_attribute)
#    if __has_attribute(musttail)
#        define FAST_TAIL_CALLS 1
#    endif
#endif
#ifndef FAST_TAIL_CALLS
#    define FAST_TAIL_CALLS 0
#endif

/* Keeps them in registers across calls; Clang 19 cannot combine it with sanitizers. */
#if FAST_TAIL_CALLS && defined(__has_feature)
#    if __has_attribute(preserve_none) && !__has_feature(address_sanitizer) && \
        !__has_feature(thread_sanitizer)
#        define FAST_CALL __attribute__((preserve_none))
#    endif
#endif
#ifndef FAST_CALL
#    define FAST_CALL
#endif

struct op;
struct run;

#define MAYBE __attribute__((unused))
#if FAST_TAIL_CALLS
#    define OP_ARGS                                                                             \
        MAYBE struct op *op, MAYBE u8 *SP, MAYBE i64 GAS, MAYBE struct run *RUN, MAYBE u8 *MEM, \
            MAYBE u64 MEM_LEN
#    define OP_RESULT FAST_CALL void
#    define TAIL(fn)  __attribute__((musttail)) return fn(op, SP, GAS, RUN, MEM, MEM_LEN)
#    define GOTO(to)      \
        do {              \
            op = (to);    \
            TAIL(op->fn); \
        } while (0)
#    define LEAVE return
#else
/* Without tail calls each handler returns the next operation, and one loop calls them. */
struct registers {
    u8 *sp;
    i64 gas;
    struct run *run;
    u8 *mem;
    u64 mem_len;
};
#    define OP_ARGS   MAYBE struct op *op, MAYBE struct registers *registers
#    define OP_RESULT struct op *
#    define SP        (registers->sp)
#    define GAS       (registers->gas)
#    define RUN       (registers->run)
#    define MEM       (registers->mem)
#    define MEM_LEN   (registers->mem_len)
#    define TAIL(fn)  return fn(op, registers)
#    define GOTO(to)  return (to)
#    define LEAVE     return NULL
#endif
#define OP(id) OP_RESULT op_##id(OP_ARGS)
#define NEXT   GOTO(op + 1)

typedef OP_RESULT op_fn(OP_ARGS);

/*
 * Words are read, computed and written limb by limb. A 16-byte load of limbs that were just stored one
 * at a time waits until the stores have left the store buffer; this keeps compilers from making
 * such loads of four limbs.
 */
static inline __attribute__((always_inline)) u256 in_limbs(u256 v)
{
    __asm__("" : "+r"(v.w[0]), "+r"(v.w[1]), "+r"(v.w[2]), "+r"(v.w[3]));
    return v;
}

/* One operation. What the fields mean is said at each handler; d is mostly where the result goes. */
struct op {
    op_fn *fn;
    i32 d, a, b, c;
    union {
        u64 imm;
        const u256 *word;
        const u8 *bytes; /* a word as memory has it */
        struct u256_divisor *divisor;
        instr_fn *instr;
        struct op *link; /* header of the trace to go on with */
    };
};

/* How a run of translated code came back to its caller. */
enum run_end {
    RUN_DONE, /* the frame ended: status and output are set */
    RUN_COLD, /* the code at frame->pc is not translated, or its trace does not suit this stack */
    RUN_TO_PLAIN, /* gas does not suffice for the trace at frame->pc: the plain interpreter takes over */
};

enum { HEAT_NEVER = 255 };

enum { PAGE_SHIFT = 6, PAGE_LEN = 1 << PAGE_SHIFT, CACHE_LINE = 64 };

/* What is known of so many neighbouring bytes of code. */
struct entry_page {
    struct op *entries[PAGE_LEN]; /* the header of the trace that begins there, or NULL */
    u8 heat[PAGE_LEN];            /* how often it was reached untranslated, or HEAT_NEVER */
};

/*
 * The translation of one piece of code for one fork. Each step of the translator's work is paid for out of
 * code->credit, so that it never takes more than a fraction of the time spent running the code.
 */
struct fast_code {
    enum fork fork;
    struct entry_page **pages; /* by pc >> PAGE_SHIFT; &blank until something is written */
    struct entry_page blank;
    struct arena arena; /* pages, traces and their constants */
    size_t size;        /* bytes taken from the arena */
    u64 work_least;     /* a trace that could not be paid for cost so much; credit must exceed it */
    u64 work_left;      /* instructions to look at and operations to make that this code has left */
};

static inline struct op *fast_trace_at(const struct fast_code *fast, u64 pc)
{
    return fast->pages[pc >> PAGE_SHIFT]->entries[pc & (PAGE_LEN - 1)];
}

/* The page of pc, to be written. */
struct entry_page *fast_page(struct fast_code *fast, u32 pc);

/* Memory that lives as long as the translation. */
void *fast_alloc(struct fast_code *fast, size_t size, size_t align);

/* What handlers reach through one register. Lives in the C frame of fast_run. */
struct run {
    struct frame *frame;
    struct fast_code *code;
    u8 *floor, *ceiling; /* the stack's bottom, and its bottom plus 1,024 words */
    struct entry_page *const *pages;
    u64 code_len;
    u64 target; /* of the dynamic jump under way; 2^64 - 1 for what is no u64 */
    u8 *sp;     /* the registers as they were when the run ended */
    i64 gas;
    u64 at; /* the address in memory that memory_open found */
    enum run_end end;
};

enum {
    WORD = 32,
    GROWTH_MAX = 64,                /* words that a trace may add to the stack */
    TEMP_FIRST = GROWTH_MAX * WORD, /* slot of the first temporary */
    TEMP_MAX = 256,
};
_Static_assert(GROWTH_MAX + TEMP_MAX <= STACK_ROOM, "temporaries fit above the stack");

/*
 * Families come in forms: RR two slots, RI slot and 64-bit immediate, RK slot and pointer to a word.
 * The order inside a family is fixed: the translator adds the form to the family's first.
 */
/* clang-format off */
#define FAST_FAMILIES(X) \
    X(add) X(mul) X(and) X(or) X(xor) X(sub) \
    X(lt) X(gt) X(slt) X(sgt) X(eq) \
    X(br_lt) X(br_gt) X(br_slt) X(br_sgt) X(br_eq)

#define FAST_SINGLES(X) \
    X(enter) X(jump) X(jump_inside) X(jump_cold) X(jump_dynamic) X(jump_saved) X(jump_bad) X(target) \
    X(plain) X(stop) X(step) X(step_end) \
    X(move) X(move2) X(move3) X(const64) X(const256) \
    X(rsub_rk) X(not) X(clz) X(byte_rr) X(byte_ri) X(signextend_rr) X(signextend_ri) \
    X(shl_rr) X(shr_rr) X(sar_rr) X(sar_ri) \
    X(shl_0) X(shl_1) X(shl_2) X(shl_3) X(shr_0) X(shr_1) X(shr_2) X(shr_3) X(extract) \
    X(add_low) X(sub_low) X(mul_low) X(and_low) X(or_low) X(xor_low) X(shl_low) \
    X(div_rr) X(mod_rr) X(sdiv_rr) X(smod_rr) X(div_rk) X(sdiv_rk) X(mod_rk) \
    X(addmod) X(mulmod) X(addmod_k) X(mulmod_k) \
    X(mload_r) X(mload_i) X(mload_u) X(mstore_rr) X(mstore_rk) X(mstore_ir) X(mstore_ik) \
    X(mstore_ur) X(mstore_uk) X(mstore8) X(msize) \
    X(calldataload) X(gas) X(env) X(address) X(caller) X(callvalue) X(calldatasize) X(returndatasize)
/* clang-format on */

enum fast_id {
#define X(id) FAST_##id, FAST_##id##_ri, FAST_##id##_rk,
    FAST_FAMILIES(X)
#undef X
#define X(id) FAST_##id,
        FAST_SINGLES(X)
#undef X
            FAST_ID_COUNT,
};

#define X(id) op_fn op_##id, op_##id##_ri, op_##id##_rk;
FAST_FAMILIES(X)
#undef X
#define X(id) op_fn op_##id;
FAST_SINGLES(X)
#undef X

extern op_fn *const fast_handlers[FAST_ID_COUNT];

/*
 * Translates the trace that begins at pc and enters it in code->fast. NULL when nothing can be gained
 * there, or when it is given up after so much work. *work becomes what was done.
 */
struct op *fast_translate(struct evm *evm, const struct code *code, u32 pc, u64 *work);

/* The trace at pc: translated before, or now because it is (known to be) hot. NULL: not yet, or never. */
struct op *fast_entry(const struct frame *frame, u32 pc, bool is_hot);
