/* Handlers that move between traces. */
#include "evm/fast_int.h"

/* Hands the registers back; the frame goes on at pc elsewhere. */
#define HAND_BACK(at, how)     \
    do {                       \
        RUN->frame->pc = (at); \
        RUN->sp = SP;          \
        RUN->gas = GAS;        \
        RUN->end = (how);      \
    } while (0)

/* Are there gas and stack enough for the trace of this header? */
static inline bool is_fit(const struct run *run, const u8 *sp, i64 gas, const struct op *header)
{
    return gas >= (i64)header->imm && sp - run->floor >= header->a &&
           run->ceiling - sp >= header->b;
}

/*
 * Header: charges imm, and looks whether the stack holds a bytes and has room for b more. When it
 * does not, or gas is short, that is no verdict yet, as the path may leave the trace before the
 * instruction that would fail: the plain interpreter finds out. Gas only gets less, so then it goes on to
 * the frame's end; a stack may be fit again after the next jump. d is the pc.
 */
OP(enter)
{
    if (UNLIKELY(!is_fit(RUN, SP, GAS, op))) {
        HAND_BACK((u32)op->d, GAS < (i64)op->imm ? RUN_TO_PLAIN : RUN_COLD);
        LEAVE;
    }
    GAS -= (i64)op->imm;
    NEXT;
}

/* Leaves the trace for the one at link: the stack's top moves by d, the rest b is given back. */
OP(jump)
{
    SP += op->d;
    GAS += op->b;
    struct op *to = op->link;
    if (UNLIKELY(!is_fit(RUN, SP, GAS, to)))
        GOTO(to);
    GAS -= (i64)to->imm;
    GOTO(to + 1);
}

/* The same where this trace's own check of the stack covers the other's. */
OP(jump_inside)
{
    SP += op->d;
    GAS += op->b;
    struct op *to = op->link;
    if (UNLIKELY(GAS < (i64)to->imm))
        GOTO(to);
    GAS -= (i64)to->imm;
    GOTO(to + 1);
}

/* A jump not linked yet, to pc a. Its own header is c operations before it. imm: a is as hot as this. */
OP(jump_cold)
{
    struct op *to = fast_entry(RUN->frame, (u32)op->a, op->imm);
    if (!to) {
        SP += op->d;
        GAS += op->b;
        HAND_BACK((u32)op->a, RUN_COLD);
        LEAVE;
    }
    const struct op *from = op - op->c;
    bool covered = to->a <= from->a + op->d && op->d + to->b <= from->b;
    op->link = to;
    op->fn = covered ? op_jump_inside : op_jump;
    TAIL(op->fn);
}

/* Keeps the target of a jump while the stack is put in order: low bits of slot a. */
OP(target)
{
    const u256 *word = (const u256 *)(SP + op->a);
    RUN->target = u256_to_u64_sat(*word);
    NEXT;
}

static OP(jump_missed)
{
    u64 target = RUN->target;
    if (GAS >= 0 && code_is_jumpdest(RUN->frame->code, target)) {
        struct op *to = fast_entry(RUN->frame, (u32)target, false);
        if (to)
            GOTO(to);
        HAND_BACK((u32)target, RUN_COLD);
        LEAVE;
    }
    RUN->frame->status = GAS < 0 ? EVM_OUT_OF_GAS : EVM_INVALID_JUMP;
    HAND_BACK(RUN->frame->pc, RUN_DONE);
    LEAVE;
}

/*
 * Goes where `target` says. c is the pc it went to the last time and link the trace there (NULL: none yet). A
 * header's c tells that its trace begins at no jump destination.
 */
static OP(jump_elsewhere)
{
    u64 target = RUN->target;
    if (UNLIKELY(target >= RUN->code_len))
        TAIL(op_jump_missed);
    struct op *to = RUN->pages[target >> PAGE_SHIFT]->entries[target % PAGE_LEN];
    if (UNLIKELY(!to || to->c))
        TAIL(op_jump_missed);
    op->c = (i32)target;
    op->link = to;
    if (UNLIKELY(!is_fit(RUN, SP, GAS, to)))
        GOTO(to);
    GAS -= (i64)to->imm;
    GOTO(to + 1);
}

/* Jumps where `target` said. */
OP(jump_saved)
{
    SP += op->d;
    GAS += op->b;
    struct op *to = op->link;
    if (RUN->target != (u32)op->c || !to)
        TAIL(op_jump_elsewhere);
    if (UNLIKELY(!is_fit(RUN, SP, GAS, to)))
        GOTO(to);
    GAS -= (i64)to->imm;
    GOTO(to + 1);
}

/* Jumps where slot a says. */
OP(jump_dynamic)
{
    u64 target = u256_to_u64_sat(*(const u256 *)(SP + op->a));
    struct op *to = op->link;
    SP += op->d;
    GAS += op->b;
    if (target != (u32)op->c || !to) {
        RUN->target = target;
        TAIL(op_jump_elsewhere);
    }
    if (UNLIKELY(!is_fit(RUN, SP, GAS, to)))
        GOTO(to);
    GAS -= (i64)to->imm;
    GOTO(to + 1);
}

/* A jump to what is no destination. */
OP(jump_bad)
{
    GAS += op->b;
    RUN->frame->status = GAS < 0 ? EVM_OUT_OF_GAS : EVM_INVALID_JUMP;
    HAND_BACK(RUN->frame->pc, RUN_DONE);
    LEAVE;
}

/* Leaves the instruction at pc a to the plain interpreter. */
OP(plain)
{
    SP += op->d;
    GAS += op->b;
    HAND_BACK((u32)op->a, RUN_COLD);
    LEAVE;
}

OP(stop)
{
    GAS += op->b;
    RUN->frame->status = GAS < 0 ? EVM_OUT_OF_GAS : EVM_SUCCESS;
    RUN->frame->output_len = 0;
    HAND_BACK(RUN->frame->pc, RUN_DONE);
    LEAVE;
}
