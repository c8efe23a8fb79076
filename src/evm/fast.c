/* Which interpreter runs what: frames start on the plain one and move over where they are hot. */
#include "evm/fast.h"

#include "base/mem.h"
#include "evm/fast_int.h"

op_fn *const fast_handlers[FAST_ID_COUNT] = {
#define X(id) \
    [FAST_##id] = op_##id, [FAST_##id##_ri] = op_##id##_ri, [FAST_##id##_rk] = op_##id##_rk,
    FAST_FAMILIES(X)
#undef X
#define X(id) [FAST_##id] = op_##id,
        FAST_SINGLES(X)
#undef X
};

enum {
    ENTRIES_MIN = 4,   /* frames of a code before it is watched from their start */
    JUMPS_FIRST = 256, /* jumps of one frame before it is watched */
    JUMPS_MAX = 64,    /* at most so many jumps pass unwatched afterwards */
    HEAT_MIN = 2,      /* times a place is reached before it is translated */
    WORK_FACTOR = 12,  /* instructions looked at and operations made, per byte of code */
    WORK_BASE = 2000,
    WORK_PRICE = 128, /* gas that must have been used for each of them: see fast_code.credit */
};

static struct fast_code *fast_code_new(const struct code *code, enum fork fork)
{
    struct fast_code *fast = NEW(struct fast_code);
    fast->fork = fork;
    fast->entries = NEW_ARRAY(struct op *, code->len + 1);
    fast->heat = NEW_ARRAY(u8, code->len + 1);
    fast->work_left = (u64)code->len * WORK_FACTOR + WORK_BASE;
    arena_init(&fast->arena);
    return fast;
}

void fast_code_free(struct code *code)
{
    struct fast_code *fast = code->fast;
    if (!fast)
        return;
    arena_fini(&fast->arena);
    mem_free(fast->entries);
    mem_free(fast->heat);
    mem_free(fast);
    code->fast = NULL;
}

size_t fast_code_size(const struct code *code)
{
    if (!code->fast)
        return 0;
    return code->fast->size + (code->len + 1) * (sizeof(struct op *) + 1);
}

/* Tells the code cache by how much a code has grown or shrunk. */
static void account(const struct frame *frame, size_t before)
{
    if (frame->code->is_cached)
        frame->evm->codes.bytes += fast_code_size(frame->code) - before;
}

struct op *fast_entry(const struct frame *frame, u32 pc, bool is_hot)
{
    struct fast_code *fast = frame->code->fast;
    if (pc >= frame->code->len)
        return NULL;
    struct op *entry = fast->entries[pc];
    if (entry || !fast->work_left || fast->heat[pc] == HEAT_NEVER)
        return entry;
    if (frame->evm->engine != EVM_ENGINE_FAST) {
        if (fast->heat[pc] < HEAT_MIN)
            fast->heat[pc]++;
        if (fast->credit < 0 || (fast->heat[pc] < HEAT_MIN && !is_hot))
            return NULL;
    }
    size_t before = fast_code_size(frame->code);
    u64 work = fast->work_left;
    entry = fast_translate(frame->evm, frame->code, pc);
    fast->credit -= (i64)(work - fast->work_left) * WORK_PRICE;
    account(frame, before);
    return entry;
}

static enum run_end fast_run(struct frame *frame, struct op *entry)
{
    struct run run;
    run.frame = frame;
    run.code = frame->code->fast;
    run.entries = run.code->entries;
    run.code_len = frame->code->len;
    run.floor = (u8 *)frame->stack;
    run.ceiling = (u8 *)(frame->stack + STACK_MAX);
    u8 *sp = (u8 *)(frame->stack + frame->stack_len);
#if FAST_TAIL_CALLS
    entry->fn(entry, sp, frame->gas, &run, frame->memory.bytes, frame->memory.len);
#else
    struct registers registers = {sp, frame->gas, &run, frame->memory.bytes, frame->memory.len};
    while (entry)
        entry = entry->fn(entry, &registers);
#endif
    frame->stack_len = (u32)((u256 *)run.sp - frame->stack);
    frame->gas = run.gas;
    if (run.end != RUN_DONE && frame->gas < 0) {
        frame->status = EVM_OUT_OF_GAS;
        run.end = RUN_DONE;
    }
    return run.end;
}

/* Runs on the plain interpreter up to a jump's target after so many jumps; true when the frame ended. */
static bool run_plain(struct frame *frame, u32 jumps)
{
    frame->jumps_left = jumps;
    frame->is_paused = false;
    frame_run_plain(frame);
    return !frame->is_paused;
}

static void finish_plain(struct frame *frame)
{
    while (!run_plain(frame, UINT32_MAX))
        ;
}

/*
 * From translated code to where it ends, on the plain interpreter to a jump, and so on. Changing over
 * takes as long as some ten instructions; so the more often it led nowhere, the longer the plain one runs.
 * gas is what the frame had when it was last credited to its code.
 */
static void run_mixed(struct frame *frame, i64 *gas)
{
    struct fast_code *fast = frame->code->fast;
    u32 colds = 0, jumps = 1;
    for (;;) {
        fast->credit += *gas - frame->gas;
        *gas = frame->gas;
        struct op *entry = fast_entry(frame, frame->pc, false);
        if (entry) {
            enum run_end end = fast_run(frame, entry);
            if (end == RUN_DONE)
                return;
            if (end == RUN_TO_PLAIN) {
                finish_plain(frame);
                return;
            }
            jumps = 1 + colds++ / 4;
        } else {
            jumps *= 2;
        }
        if (jumps > JUMPS_MAX)
            jumps = JUMPS_MAX;
        if (run_plain(frame, jumps))
            return;
    }
}

/* Makes the code's table of translations, if there is none for this fork yet. */
static void fast_code_open(const struct frame *frame)
{
    struct code *code = frame->code;
    enum fork fork = frame->evm->fork;
    size_t before = fast_code_size(code);
    if (code->fast && code->fast->fork != fork)
        fast_code_free(code);
    if (!code->fast)
        code->fast = fast_code_new(code, fork);
    account(frame, before);
}

void frame_run_fast(struct frame *frame)
{
    struct code *code = frame->code;
    i64 gas = frame->gas;
    if (!code->fast) {
        bool is_eager = frame->evm->engine == EVM_ENGINE_FAST || ++code->entries >= ENTRIES_MIN;
        if (!is_eager && run_plain(frame, JUMPS_FIRST))
            return;
    }
    /* Only now: an inner frame may have run the same code and made the table. */
    fast_code_open(frame);
    run_mixed(frame, &gas);
    code->fast->credit += gas - frame->gas;
    if (!code->is_cached)
        fast_code_free(code);
}
