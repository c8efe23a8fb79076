/*
 * The plain interpreter: one instruction after the other. It is the judge of the fast one, and what
 * tracers watch: plain_traced.c compiles this file a second time, with steps reported.
 *
 * The instructions stand in plain_ops.h and are compiled in one of two ways. Where the compiler
 * guarantees tail calls, each is a function that ends by calling the next one, all with the machine's
 * registers as arguments. Elsewhere each is a label in one function, which jumps on through a table.
 */
#include "evm/ops.h"

#ifndef TRACED
#    define TRACED 0
#endif

#if defined(__has_attribute)
#    if __has_attribute(musttail)
#        define TAIL_CALLS 1
#    endif
#endif
#ifndef TAIL_CALLS
#    define TAIL_CALLS 0
#endif

/* Keeps the registers in registers across calls; Clang 19 cannot combine it with sanitizers. */
#if TAIL_CALLS && defined(__has_feature)
#    if __has_attribute(preserve_none) && !__has_feature(address_sanitizer) && \
        !__has_feature(thread_sanitizer)
#        define HANDLER_CALL __attribute__((preserve_none))
#    endif
#endif
#ifndef HANDLER_CALL
#    define HANDLER_CALL
#endif

#if TRACED
#    define RUN frame_run_traced
#else
#    define RUN frame_run_plain
#endif

/* What the list says of each opcode, as constants: words in and out, gas at the first and last fork. */
enum {
#define X(F, code, id, in, out, since, gas) \
    IN_##id = (in), OUT_##id = (out), GAS_FIRST_##id = (gas),
    OPCODE_LIST(X, FORK_FRONTIER)
#undef X
#define X(F, code, id, in, out, since, gas) GAS_LAST_##id = (gas),
        OPCODE_LIST(X, FORK_COUNT - 1)
#undef X
};

/* The code of PUSHn's operand: n bytes, big-endian. n is a constant. */
static inline u256 push_load(const u8 *bytes, unsigned n)
{
    if (n > 8)
        return u256_shr(u256_load_be(bytes), 256 - 8 * n);
    u64 head;
    memcpy(&head, bytes, sizeof head);
    return u256_from_u64(__builtin_bswap64(head) >> (64 - 8 * n));
}

/* EIP-4399 gave DIFFICULTY's place to the beacon chain's randomness. */
static inline u256 block_prevrandao(const struct evm *evm)
{
    const struct evm_block *block = evm->block;
    return evm->fork >= FORK_PARIS ? u256_from_hash(&block->prev_randao) : block->difficulty;
}

/* Puts the registers back into the frame. */
static inline void frame_sync(struct frame *frame, const u8 *pc, const u256 *sp, i64 gas)
{
    frame->pc = (u32)(pc - frame->code->bytes);
    frame->stack_len = (u32)(sp - frame->stack);
    frame->gas = gas;
}

#if TRACED
/* What the tracer will be told of an instruction, as things stand before it. */
static void step_begin(struct frame *frame, const u8 *pc, const u256 *sp, i64 gas)
{
    frame_sync(frame, pc, sp, gas);
    frame->is_reported = false;
    *frame->step = (struct evm_step){
        .pc = frame->pc,
        .opcode = *pc,
        .depth = frame->msg->depth,
        .gas = gas,
        .refund = frame->evm->refund,
        .stack = frame->stack,
        .stack_len = frame->stack_len,
        .memory = frame->memory.bytes,
        .memory_len = frame->memory.len,
        .return_data = frame->return_data,
        .return_data_len = frame->return_data_len,
        .msg = frame->msg,
    };
}
#endif

/* --- what instructions are written with ------------------------------------------------------ */

#define REGISTERS       struct frame *frame, const u8 *pc, u256 *sp, i64 gas, const void *const *table
#define REGISTER_VALUES frame, pc, sp, gas, table

#if TAIL_CALLS
#    define HANDLER static HANDLER_CALL void
typedef HANDLER_CALL void handler_fn(REGISTERS);
#    define INSTR(id) HANDLER run_##id(REGISTERS)
#    define DISPATCH(target) \
        __attribute__((musttail)) return ((handler_fn *)(target))(REGISTER_VALUES)
#    define LABEL(id) ((const void *)run_##id)
#else
#    define INSTR(id)        run_##id:
#    define DISPATCH(target) goto *(target)
#    define LABEL(id)        &&run_##id
#endif

#define NEXT(n)               \
    do {                      \
        pc += (n);            \
        DISPATCH(table[*pc]); \
    } while (0)

#define FAIL(why)                 \
    do {                          \
        frame->status = (why);    \
        DISPATCH(LABEL(FAILURE)); \
    } while (0)

#if TRACED
#    define STEP_BEGIN() step_begin(frame, pc, sp, gas)
#    define STEP_REPORT()             \
        do {                          \
            frame->gas = gas;         \
            frame_report_step(frame); \
        } while (0)
#else
#    define STEP_BEGIN()  ((void)0)
#    define STEP_REPORT() ((void)0)
#endif

#define STATIC_GAS(id)                                              \
    ((int)GAS_FIRST_##id == (int)GAS_LAST_##id ? (i64)GAS_LAST_##id \
                                               : (i64)frame->evm->ops[OP_##id].gas)

/* What every instruction begins with: is the stack fit for it, and is there gas? */
#define ENTER(id)                                                                 \
    STEP_BEGIN();                                                                 \
    if (IN_##id > 0 && UNLIKELY(sp - frame->stack < (ptrdiff_t)IN_##id))          \
        FAIL(EVM_STACK_UNDERFLOW);                                                \
    if ((int)OUT_##id > (int)IN_##id && UNLIKELY(sp - frame->stack >= STACK_MAX)) \
        FAIL(EVM_STACK_OVERFLOW);                                                 \
    gas -= STATIC_GAS(id);                                                        \
    if (UNLIKELY(gas < 0))                                                        \
    FAIL(EVM_OUT_OF_GAS)

/* ENTER for instructions whose static gas is all their gas. */
#define ENTER_STATIC(id) \
    ENTER(id);           \
    STEP_REPORT()

/* An instruction that stands in ops.h. */
#define SHARED(id, function)                          \
    INSTR(id)                                         \
    {                                                 \
        ENTER(id);                                    \
        frame_sync(frame, pc, sp, gas);               \
        enum evm_status status = function(frame, sp); \
        gas = frame->gas;                             \
        if (UNLIKELY(status != EVM_SUCCESS))          \
            FAIL(status);                             \
        sp += OUT_##id - IN_##id;                     \
        NEXT(1);                                      \
    }

/* --- compiled ---------------------------------------------------------------------------------- */

#define ENTRY(F, code, id, in, out, since, gas) \
    [code] = (F) >= FORK_##since ? LABEL(id) : LABEL(UNDEFINED),
static inline const void *const *table_of(const struct frame *frame,
                                          const void *const tables[FORK_COUNT][256])
{
    const struct evm *evm = frame->evm;
    if (UNLIKELY(evm->extra != NULL))
        return extra_handlers(evm->extra, evm->fork, tables);
    return tables[evm->fork];
}

/* Every entry is first UNDEFINED, then what the list says. */
#if defined(__clang__)
#    pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#    pragma GCC diagnostic ignored "-Woverride-init"
#endif
#define TABLE(id, test_name, name) \
    [FORK_##id] = {[0 ... 255] = LABEL(UNDEFINED), OPCODE_LIST(ENTRY, FORK_##id)},

#if TAIL_CALLS

#    define X(F, code, id, in, out, since, gas) HANDLER run_##id(REGISTERS);
OPCODE_LIST(X, 0)
#    undef X
HANDLER run_UNDEFINED(REGISTERS);
HANDLER run_FAILURE(REGISTERS);

#    include "evm/plain_ops.h"

static const void *const tables[FORK_COUNT][256] = {FORK_LIST(TABLE)};

void RUN(struct frame *frame)
{
    const void *const *table = table_of(frame, tables);
    const u8 *pc = frame->code->bytes + frame->pc;
    frame->is_paused = false;
    ((handler_fn *)table[*pc])(frame, pc, frame->stack + frame->stack_len, frame->gas, table);
}

#else

void RUN(struct frame *frame)
{
    static const void *const tables[FORK_COUNT][256] = {FORK_LIST(TABLE)};
    const void *const *table = table_of(frame, tables);
    const u8 *pc = frame->code->bytes + frame->pc;
    u256 *sp = frame->stack + frame->stack_len;
    i64 gas = frame->gas;
    frame->is_paused = false;
    DISPATCH(table[*pc]);
#    include "evm/plain_ops.h"
}

#endif
