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
    JUMPS_FIRST = 256, /* jumps of one frame between looks at whether its code is to be watched */
    JUMPS_MAX = 64,    /* at most so many jumps pass unwatched afterwards */
    HEAT_MIN = 2,      /* times a place is reached before it is translated */
    WORK_FACTOR = 12,  /* instructions looked at and operations made, per byte of code */
    WORK_BASE = 2000,
    WORK_PRICE = 128,  /* gas that must have been used for each of them */
    WORK_LEAST = 60,   /* what the translator must be able to do before it begins */
    OPEN_PRICE = 2000, /* gas for a table of translations */
};

/* --- tables of translations ------------------------------------------------------------------ */

void *fast_alloc(struct fast_code *fast, size_t size, size_t align)
{
    size += align - 1;
    fast->size += size;
    uintptr_t at = (uintptr_t)arena_alloc(&fast->arena, size);
    return (void *)((at + align - 1) & ~(uintptr_t)(align - 1));
}

struct entry_page *fast_page(struct fast_code *fast, u32 pc)
{
    struct entry_page **page = &fast->pages[pc >> PAGE_SHIFT];
    if (*page == &fast->blank) {
        *page = fast_alloc(fast, sizeof **page, CACHE_LINE);
        **page = (struct entry_page){0};
    }
    return *page;
}

static size_t page_count(const struct code *code)
{
    return (code->len >> PAGE_SHIFT) + 1;
}

static struct fast_code *fast_code_new(const struct code *code, enum fork fork)
{
    struct fast_code *fast = NEW(struct fast_code);
    fast->fork = fork;
    fast->pages = NEW_ARRAY(struct entry_page *, page_count(code));
    for (size_t i = 0; i < page_count(code); i++)
        fast->pages[i] = &fast->blank;
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
    mem_free(fast->pages);
    mem_free(fast);
    code->fast = NULL;
}

size_t fast_code_size(const struct code *code)
{
    if (!code->fast)
        return 0;
    return sizeof *code->fast + code->fast->size + page_count(code) * sizeof(struct entry_page *);
}

/* Tells the code cache by how much a code has grown or shrunk. */
static void account(const struct frame *frame, size_t before)
{
    if (frame->code->is_cached)
        frame->evm->codes.bytes += fast_code_size(frame->code) - before;
}

/* --- what translating may cost --------------------------------------------------------------- */

/* Gas as it was when a frame's own use of it was last put to its code's credit. */
struct meter {
    i64 gas;
    u64 metered; /* by all frames until then */
};

static struct meter meter_begin(const struct frame *frame)
{
    return (struct meter){frame->gas, frame->evm->gas_metered};
}

/* What the frame has used since; others have metered the rest. */
static i64 meter_take(struct meter *meter, const struct frame *frame)
{
    i64 all = meter->gas - (frame->gas > 0 ? frame->gas : 0);
    i64 own = all - (i64)(frame->evm->gas_metered - meter->metered);
    if (own < 0)
        own = 0;
    frame->evm->gas_metered += (u64)own;
    *meter = meter_begin(frame);
    return own;
}

/* Credits the code with what its frame has used. */
static void meter_read(struct meter *meter, const struct frame *frame)
{
    frame->code->credit += meter_take(meter, frame);
}

/* ... but the last stretch of a frame that fails may be gas that was burnt. */
static void meter_end(struct meter *meter, const struct frame *frame)
{
    i64 own = meter_take(meter, frame);
    if (frame->status == EVM_SUCCESS || frame->status == EVM_REVERT)
        frame->code->credit += own;
}

/* The trace at pc, if it can be paid for. What was spent on one that could not stays spent. */
static struct op *translate_paid(const struct frame *frame, u32 pc)
{
    struct code *code = frame->code;
    struct fast_code *fast = code->fast;
    if (code->credit < (i64)(WORK_LEAST + fast->work_least) * WORK_PRICE)
        return NULL;
    u64 most = (u64)code->credit / WORK_PRICE, work = most;
    struct op *entry = fast_translate(frame->evm, code, pc, &work);
    code->credit -= (i64)work * WORK_PRICE;
    if (work > most) {
        fast->work_least = 2 * work;
        return NULL;
    }
    fast->work_least /= 2;
    fast->work_left -= work < fast->work_left ? work : fast->work_left;
    return entry;
}

static struct op *translate_free(const struct frame *frame, u32 pc)
{
    struct fast_code *fast = frame->code->fast;
    u64 work = UINT64_MAX;
    struct op *entry = fast_translate(frame->evm, frame->code, pc, &work);
    fast->work_left -= work < fast->work_left ? work : fast->work_left;
    return entry;
}

struct op *fast_entry(const struct frame *frame, u32 pc, bool is_hot)
{
    struct fast_code *fast = frame->code->fast;
    if (pc >= frame->code->len)
        return NULL;
    struct entry_page *page = fast->pages[pc >> PAGE_SHIFT];
    struct op *entry = page->entries[pc % PAGE_LEN];
    if (entry || !fast->work_left || page->heat[pc % PAGE_LEN] == HEAT_NEVER)
        return entry;
    size_t before = fast_code_size(frame->code);
    if (frame->evm->engine == EVM_ENGINE_FAST) {
        entry = translate_free(frame, pc);
    } else {
        u8 *heat = &fast_page(fast, pc)->heat[pc % PAGE_LEN];
        *heat += *heat < HEAT_MIN;
        if (*heat >= HEAT_MIN || is_hot)
            entry = translate_paid(frame, pc);
    }
    account(frame, before);
    return entry;
}

/* --- running --------------------------------------------------------------------------------- */

static enum run_end fast_run(struct frame *frame, struct op *entry)
{
    struct run run;
    run.frame = frame;
    run.code = frame->code->fast;
    run.pages = run.code->pages;
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
 */
static void run_mixed(struct frame *frame, struct meter *meter)
{
    u32 colds = 0, jumps = 1;
    for (;;) {
        meter_read(meter, frame);
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

/* Has the code earned a table of translations? */
static bool can_open(const struct frame *frame)
{
    return frame->evm->engine == EVM_ENGINE_FAST || frame->code->credit >= OPEN_PRICE;
}

/* Makes the code's table of translations, if there is none for this fork yet. */
static void fast_code_open(const struct frame *frame)
{
    struct code *code = frame->code;
    enum fork fork = frame->evm->fork;
    size_t before = fast_code_size(code);
    if (code->fast && code->fast->fork != fork)
        fast_code_free(code);
    if (!code->fast) {
        code->fast = fast_code_new(code, fork);
        code->credit -= OPEN_PRICE;
    }
    account(frame, before);
}

static void frame_run_metered(struct frame *frame, struct meter *meter)
{
    /* Looked at anew each time: an inner frame may have run the same code and made the table. */
    while (!frame->code->fast && !can_open(frame)) {
        if (run_plain(frame, JUMPS_FIRST))
            return;
        meter_read(meter, frame);
    }
    fast_code_open(frame);
    run_mixed(frame, meter);
}

void frame_run_fast(struct frame *frame)
{
    struct meter meter = meter_begin(frame);
    frame_run_metered(frame, &meter);
    meter_end(&meter, frame);
    if (!frame->code->is_cached)
        fast_code_free(frame->code);
}
