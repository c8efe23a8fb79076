/* t8n --trace: one file of EIP-3155 lines a transaction, named as geth names them. */
#include "evmcli/t8n.h"
#include "prim/hex.h"
#include "sys/file.h"
#include "trace/eip3155.h"

enum { TRACE_MAX = 1 << 30 };

struct t8n_tracer {
    struct eip3155 *lines;
    struct buf out;
};

static void keep_line(void *ctx, const char *line, size_t len)
{
    struct t8n_tracer *tracer = ctx;
    buf_add(&tracer->out, line, len);
}

void t8n_trace_begin(struct t8n *t8n)
{
    const struct t8n_flags *flags = &t8n->flags;
    if (!flags->trace)
        return;
    const struct eip3155_options options = {.memory = flags->trace_memory,
                                            .return_data = flags->trace_returndata,
                                            .no_stack = flags->trace_nostack,
                                            .call_frames = flags->trace_callframes};
    t8n->tracer = arena_zalloc(&t8n->arena, sizeof *t8n->tracer);
    buf_init(&t8n->tracer->out, TRACE_MAX);
    t8n->tracer->lines = eip3155_new(&options, keep_line, t8n->tracer);
    evm_set_tracer(t8n->evm, eip3155_hooks(t8n->tracer->lines));
}

enum t8n_exit t8n_trace_end(struct t8n *t8n, const struct tx *tx)
{
    struct t8n_tracer *tracer = t8n->tracer;
    struct err err;
    char hash[67];
    if (!tracer)
        return T8N_OK;
    evm_set_tracer(t8n->evm, NULL);
    eip3155_free(tracer->lines);
    t8n->tracer = NULL;
    hex_encode(hash, tx->hash.b, 32);
    const char *base = t8n->flags.basedir;
    const char *path = arena_format(&t8n->arena, "%s%strace-%u-%s.jsonl", base ? base : "",
                                    base && *base ? "/" : "", t8n->traced++, hash);
    enum status status = file_write(path, tracer->out.data, tracer->out.len, &err);
    buf_fini(&tracer->out);
    return status == STATUS_OK ? T8N_OK : t8n_fail(T8N_IO, "%s", err.text);
}
