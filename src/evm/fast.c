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
    JUMPS_FIRST = 600, /* jumps of one frame before it is watched */
    HEAT_MIN = 3,      /* times a place is reached before it is translated */
    WORK_FACTOR = 8,   /* instructions looked at while translating, per byte of code */
    WORK_BASE = 2000,
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

struct op *fast_entry(const struct frame *frame, u32 pc, bool is_hot)
{
    struct fast_code *fast = frame->code->fast;
    if (pc >= frame->code->len)
        return NULL;
    struct op *entry = fast->entries[pc];
    if (entry || !fast->work_left || fast->heat[pc] == HEAT_NEVER)
        return entry;
    if (frame->evm->engine == EVM_ENGINE_FAST)
        is_hot = true;
    if (!is_hot && ++fast->heat[pc] < HEAT_MIN)
        return NULL;
    fast->heat[pc] = 0;
    return fast_translate(frame->evm, frame->code, pc);
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

static void run_mixed(struct frame *frame)
{
    for (;;) {
        struct op *entry = fast_entry(frame, frame->pc, false);
        enum run_end end = entry ? fast_run(frame, entry) : RUN_COLD;
        if (end == RUN_DONE)
            return;
        if (end == RUN_TO_PLAIN) {
            finish_plain(frame);
            return;
        }
        if (run_plain(frame, frame->code->fast->work_left ? 1 : JUMPS_FIRST))
            return;
    }
}

void frame_run_fast(struct frame *frame)
{
    struct code *code = frame->code;
    enum fork fork = frame->evm->fork;
    if (code->fast && code->fast->fork != fork)
        fast_code_free(code);
    if (!code->fast) {
        bool is_eager = frame->evm->engine == EVM_ENGINE_FAST || ++code->entries >= ENTRIES_MIN;
        if (!is_eager && run_plain(frame, JUMPS_FIRST))
            return;
        code->fast = fast_code_new(code, fork);
    }
    run_mixed(frame);
    if (!code->is_cached)
        fast_code_free(code);
}
