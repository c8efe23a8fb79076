#include "trace/mux.h"

/* What trace_replay* answer: up to three views of one run, and what it returned. */
struct replay_trace {
    struct mux_trace mux;
    void (*parts_exit)(void *ctx, const struct evm_msg *msg, const struct evm_result *result);
    const u8 *output;
    size_t output_len;
};

static const struct {
    enum trace_replay what;
    const struct trace_kind *kind;
} views[] = {
    {TRACE_REPLAY_STATE, &TRACE_STATE_DIFF},
    {TRACE_REPLAY_CALLS, &TRACE_REPLAYED_CALLS},
    {TRACE_REPLAY_VM, &TRACE_VM},
};

static void replay_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct replay_trace *replay = ctx;
    replay->parts_exit(ctx, msg, result);
    if (msg->depth)
        return;
    replay->output = trace_keep_bytes(&replay->mux.trace, result->output, result->output_len);
    replay->output_len = replay->output ? result->output_len : 0;
}

static enum status replay_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct replay_trace *replay = (struct replay_trace *)trace;
    (void)config;
    (void)own;
    (void)err;
    mux_init(&replay->mux);
    replay->parts_exit = trace->hooks.exit;
    trace->hooks.exit = replay_exit;
    return STATUS_OK;
}

static const struct trace *part_of(const struct mux_trace *mux, const struct trace_kind *kind)
{
    for (unsigned i = 0; i < mux->count; i++)
        if (mux->parts[i]->kind == kind)
            return mux->parts[i];
    return NULL;
}

/* What was not asked for is null, but no calls are an empty list, as in Erigon. */
static void replay_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct replay_trace *replay = (const struct replay_trace *)trace;
    json_out_object(out, key);
    json_out_data(out, "output", replay->output, replay->output_len);
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        const struct trace_kind *kind = views[i].kind;
        const struct trace *part = part_of(&replay->mux, kind);
        if (part) {
            kind->result(out, kind->name, part);
        } else if (views[i].what == TRACE_REPLAY_CALLS) {
            json_out_array(out, kind->name);
            json_out_array_end(out);
        } else {
            json_out_null(out, kind->name);
        }
    }
    if (trace->tx.hash)
        json_out_hash(out, "transactionHash", trace->tx.hash);
    json_out_object_end(out);
}

static const struct trace_kind REPLAY = {
    .name = "replay",
    .size = sizeof(struct replay_trace),
    .configure = replay_configure,
    .begin = mux_begin,
    .end = mux_end,
    .result = replay_result,
    .fini = mux_fini,
};

struct trace *trace_new_replay(unsigned what, size_t bytes_max)
{
    struct trace *trace = trace_make_fixed(&REPLAY, bytes_max);
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        if (what & views[i].what)
            mux_add((struct mux_trace *)trace, trace_make_fixed(views[i].kind, bytes_max));
    return trace;
}
