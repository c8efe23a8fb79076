/* t8n: a file for each transaction that is traced, named as geth names them; and instructions counted. */
#include <stdlib.h>
#include <string.h>

#include "evmcli/t8n.h"
#include "prim/hex.h"
#include "prim/json_out.h"
#include "sys/file.h"
#include "trace/eip3155.h"
#include "trace/trace.h"

enum { TRACE_MAX = 1 << 30, CONFIG_MAX = 1 << 20, CONFIG_DEPTH_MAX = 64 };

/* --- counting -------------------------------------------------------------------------------- */

/* Stands before the transaction's tracer, if there is one. */
struct opcode_counter {
    struct evm_tracer hooks;
    const struct evm_tracer *inner;
    u64 counts[256];
};

static void count_step(void *ctx, const struct evm_step *step)
{
    struct opcode_counter *counter = ctx;
    const struct evm_tracer *inner = counter->inner;
    counter->counts[step->opcode]++;
    if (inner && inner->step)
        inner->step(inner->ctx, step);
}

static void count_fault(void *ctx, const struct evm_step *step)
{
    const struct evm_tracer *inner = ((struct opcode_counter *)ctx)->inner;
    if (inner && inner->fault)
        inner->fault(inner->ctx, step);
}

static void count_enter(void *ctx, const struct evm_msg *msg)
{
    const struct evm_tracer *inner = ((struct opcode_counter *)ctx)->inner;
    if (inner && inner->enter)
        inner->enter(inner->ctx, msg);
}

static void count_exit(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    const struct evm_tracer *inner = ((struct opcode_counter *)ctx)->inner;
    if (inner && inner->exit)
        inner->exit(inner->ctx, msg, result);
}

static void count_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                               const u256 *wei, u16 depth)
{
    const struct evm_tracer *inner = ((struct opcode_counter *)ctx)->inner;
    if (inner && inner->selfdestruct)
        inner->selfdestruct(inner->ctx, addr, beneficiary, wei, depth);
}

static void count_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                      const u8 *data, size_t len, u16 depth)
{
    const struct evm_tracer *inner = ((struct opcode_counter *)ctx)->inner;
    if (inner && inner->log)
        inner->log(inner->ctx, addr, topics, topic_count, data, len, depth);
}

void t8n_count_begin(struct t8n *t8n)
{
    if (!t8n->flags.opcode_count)
        return;
    struct opcode_counter *counter = arena_zalloc(&t8n->arena, sizeof *counter);
    counter->hooks = (struct evm_tracer){.ctx = counter,
                                         .step = count_step,
                                         .enter = count_enter,
                                         .exit = count_exit,
                                         .selfdestruct = count_selfdestruct,
                                         .log = count_log,
                                         .fault = count_fault};
    t8n->counter = counter;
    evm_set_tracer(t8n->evm, &counter->hooks);
}

struct named_count {
    char name[OPCODE_TEXT_MAX];
    u64 count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct named_count *)a)->name, ((const struct named_count *)b)->name);
}

enum t8n_exit t8n_count_end(struct t8n *t8n)
{
    struct named_count list[256];
    size_t count = 0;
    struct buf out;
    struct err err;
    if (!t8n->counter)
        return T8N_OK;
    evm_set_tracer(t8n->evm, NULL);
    for (unsigned op = 0; op < 256; op++) {
        struct named_count *one = &list[count];
        if (!t8n->counter->counts[op])
            continue;
        one->count = t8n->counter->counts[op];
        /* The text may be a constant rather than in the room it was given. */
        const char *text = opcode_text(one->name, (u8)op);
        memmove(one->name, text, strlen(text) + 1);
        count++;
    }
    qsort(list, count, sizeof *list, compare_names);
    buf_init(&out, 1 << 20);
    json_out_object(&out, NULL);
    for (size_t i = 0; i < count; i++)
        json_out_u64(&out, list[i].name, list[i].count);
    json_out_object_end(&out);
    enum status status =
        file_write(t8n_path(t8n, t8n->flags.opcode_count), out.data, out.len, &err);
    buf_fini(&out);
    return status == STATUS_OK ? T8N_OK : t8n_fail(T8N_IO, "%s", err.text);
}

/* --- tracing --------------------------------------------------------------------------------- */

/* Lines of EIP-3155, or the tracer that --trace.tracer named. */
struct t8n_tracer {
    struct eip3155 *lines;
    struct trace *named;
    struct buf out;
};

static void keep_line(void *ctx, const char *line, size_t len)
{
    struct t8n_tracer *tracer = ctx;
    buf_add(&tracer->out, line, len);
}

static void watch(struct t8n *t8n, const struct evm_tracer *hooks)
{
    if (t8n->counter)
        t8n->counter->inner = hooks;
    else
        evm_set_tracer(t8n->evm, hooks);
}

static void begin_lines(struct t8n *t8n)
{
    const struct t8n_flags *flags = &t8n->flags;
    const struct eip3155_options options = {.memory = flags->trace_memory,
                                            .return_data = flags->trace_returndata,
                                            .no_stack = flags->trace_nostack,
                                            .call_frames = flags->trace_callframes};
    t8n->tracer->lines = eip3155_new(&options, keep_line, t8n->tracer);
    watch(t8n, eip3155_hooks(t8n->tracer->lines));
}

/* The request that makes the named tracer: its name and its options. */
static bool parse_config(struct t8n *t8n, json *config, struct err *err)
{
    const struct t8n_flags *flags = &t8n->flags;
    struct buf text;
    buf_init(&text, CONFIG_MAX);
    json_out_object(&text, NULL);
    json_out_text(&text, "tracer", flags->tracer);
    if (flags->tracer_config)
        json_out_raw(&text, "tracerConfig", flags->tracer_config, strlen(flags->tracer_config));
    json_out_object_end(&text);
    enum status status = json_parse_in(config, &t8n->arena, (const char *)text.data, text.len,
                                       CONFIG_DEPTH_MAX, err);
    buf_fini(&text);
    return status == STATUS_OK;
}

static struct trace_tx describe(struct t8n *t8n, const struct tx *tx)
{
    const struct process *process = &t8n->process;
    addr20 *authorities =
        arena_alloc(&t8n->arena, (tx->authorization_count + 1) * sizeof *authorities);
    size_t count = 0;
    for (u32 i = 0; i < tx->authorization_count; i++)
        count += authorization_recover(&tx->authorizations[i], &authorities[count]);
    return (struct trace_tx){.fork = t8n->fork,
                             .from = tx->sender,
                             .to = tx->to,
                             .is_create = tx->is_create,
                             .gas_limit = tx->gas,
                             .coinbase = t8n->env.block.coinbase,
                             .authorities = authorities,
                             .authority_count = count,
                             .log_index = process->log_count,
                             .hash = &tx->hash,
                             .block_number = t8n->env.block.number,
                             .index = t8n->included_count};
}

static enum t8n_exit begin_named(struct t8n *t8n, const struct tx *tx)
{
    struct t8n_tracer *tracer = t8n->tracer;
    struct err err;
    json config;
    if (!parse_config(t8n, &config, &err) ||
        trace_new(&tracer->named, config, TRACE_MAX, &err) != STATUS_OK) {
        buf_fini(&tracer->out);
        return t8n_fail(T8N_CONFIG, "failed instantiating tracer: %s", err.text);
    }
    struct trace_tx about = describe(t8n, tx);
    trace_begin(tracer->named, &t8n->process.exec.host, &about);
    watch(t8n, trace_hooks(tracer->named));
    return T8N_OK;
}

enum t8n_exit t8n_trace_begin(struct t8n *t8n, const struct tx *tx)
{
    if (!t8n->flags.trace && !t8n->flags.tracer)
        return T8N_OK;
    t8n->tracer = arena_zalloc(&t8n->arena, sizeof *t8n->tracer);
    buf_init(&t8n->tracer->out, TRACE_MAX);
    if (t8n->flags.tracer)
        return begin_named(t8n, tx);
    begin_lines(t8n);
    return T8N_OK;
}

/* The named tracer's result; false when it is too large. */
static bool end_named(struct t8n_tracer *tracer, u64 gas_used)
{
    trace_end(tracer->named, gas_used);
    bool fits = trace_result(&tracer->out, NULL, tracer->named);
    buf_add_byte(&tracer->out, '\n');
    trace_free(tracer->named);
    return fits;
}

enum t8n_exit t8n_trace_end(struct t8n *t8n, const struct tx *tx, u64 gas_used)
{
    struct t8n_tracer *tracer = t8n->tracer;
    struct err err;
    char hash[67];
    bool fits = true;
    if (!tracer)
        return T8N_OK;
    watch(t8n, NULL);
    if (tracer->named)
        fits = end_named(tracer, gas_used);
    eip3155_free(tracer->lines);
    t8n->tracer = NULL;
    hex_encode(hash, tx->hash.b, 32);
    const char *name = arena_format(&t8n->arena, "trace-%u-%s.json%s", t8n->traced++, hash,
                                    t8n->flags.tracer ? "" : "l");
    enum status status =
        fits ? file_write(t8n_path(t8n, name), tracer->out.data, tracer->out.len, &err)
             : err_set(&err, STATUS_INVALID, "%s: the result is too large", name);
    buf_fini(&tracer->out);
    return status == STATUS_OK ? T8N_OK : t8n_fail(T8N_IO, "%s", err.text);
}
