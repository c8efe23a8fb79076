#include "trace/mux.h"

#define EACH(mux, part) \
    for (unsigned i_ = 0; i_ < (mux)->count && ((part) = (mux)->parts[i_], true); i_++)

static void mux_step(void *ctx, const struct evm_step *step)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.step)
        part->hooks.step(part, step);
}

static void mux_fault(void *ctx, const struct evm_step *step)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.fault)
        part->hooks.fault(part, step);
}

static void mux_enter(void *ctx, const struct evm_msg *msg)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.enter)
        part->hooks.enter(part, msg);
}

static void mux_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.exit)
        part->hooks.exit(part, msg, result);
}

static void mux_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                             const u256 *wei, u16 depth)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.selfdestruct)
        part->hooks.selfdestruct(part, addr, beneficiary, wei, depth);
}

static void mux_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                    const u8 *data, size_t len, u16 depth)
{
    struct mux_trace *mux = ctx;
    struct trace *part;
    EACH(mux, part)
    if (part->hooks.log)
        part->hooks.log(part, addr, topics, topic_count, data, len, depth);
}

void mux_init(struct mux_trace *mux)
{
    mux->trace.hooks = (struct evm_tracer){
        .ctx = mux,
        .step = mux_step,
        .fault = mux_fault,
        .enter = mux_enter,
        .exit = mux_exit,
        .selfdestruct = mux_selfdestruct,
        .log = mux_log,
    };
}

void mux_add(struct mux_trace *mux, struct trace *part)
{
    assert(mux->count < MUX_MAX);
    mux->parts[mux->count++] = part;
}

/* A part is configured as if it had been asked for alone. */
static enum status mux_add_named(struct mux_trace *mux, const char *name, json own, struct err *err)
{
    const struct trace_kind *kind = trace_kind_find(name);
    if (!kind || kind == &TRACE_MUX)
        return err_set(err, STATUS_NOT_FOUND, "no tracer is named %.40s", name);
    if (mux->count == MUX_MAX)
        return err_set(err, STATUS_TOO_LARGE, "more than %d tracers at once", MUX_MAX);
    struct trace *part;
    enum status status = trace_make(&part, kind, NULL, own, mux->trace.bytes_max, err);
    if (status == STATUS_OK)
        mux_add(mux, part);
    return status;
}

/* tracerConfig maps each one's name to its own configuration. */
static enum status mux_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct mux_trace *mux = (struct mux_trace *)trace;
    (void)config;
    mux_init(mux);
    enum status status = STATUS_OK;
    struct json_iter iter = json_iter(own);
    while (status == STATUS_OK && json_next(&iter))
        status = mux_add_named(mux, iter.key, iter.value, err);
    return status;
}

void mux_begin(struct trace *trace)
{
    struct mux_trace *mux = (struct mux_trace *)trace;
    struct trace *part;
    EACH(mux, part)
    {
        part->host = trace->host;
        part->tx = trace->tx;
        if (part->kind->begin)
            part->kind->begin(part);
    }
}

void mux_end(struct trace *trace)
{
    struct mux_trace *mux = (struct mux_trace *)trace;
    struct trace *part;
    EACH(mux, part)
    {
        trace_end(part, trace->gas_used);
        trace->is_full = trace->is_full || part->is_full;
    }
}

static void mux_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct mux_trace *mux = (const struct mux_trace *)trace;
    const struct trace *part;
    json_out_object(out, key);
    EACH(mux, part)
    part->kind->result(out, part->kind->name, part);
    json_out_object_end(out);
}

void mux_fini(struct trace *trace)
{
    struct mux_trace *mux = (struct mux_trace *)trace;
    struct trace *part;
    EACH(mux, part)
    trace_free(part);
}

const struct trace_kind TRACE_MUX = {
    .name = "muxTracer",
    .size = sizeof(struct mux_trace),
    .configure = mux_configure,
    .begin = mux_begin,
    .end = mux_end,
    .result = mux_result,
    .fini = mux_fini,
};
