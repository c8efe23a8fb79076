/* What the tracers share. */
#pragma once

#include "base/arena.h"
#include "base/assert.h"
#include "base/mem.h"
#include "prim/json_out.h"
#include "trace/trace.h"

/* One kind of tracer. Unset functions are skipped. */
struct trace_kind {
    const char *name;
    size_t size; /* of its struct, which begins with a struct trace; zeroed when made */
    /* config: the whole options object; own: its tracerConfig. */
    enum status (*configure)(struct trace *trace, json config, json own, struct err *err);
    void (*begin)(struct trace *trace);
    void (*end)(struct trace *trace);
    void (*result)(struct buf *out, const char *key, const struct trace *trace);
    void (*fini)(struct trace *trace);
};

struct trace {
    const struct trace_kind *kind;
    struct evm_tracer hooks; /* set by configure; ctx is the trace */
    struct evm_host host;
    struct trace_tx tx; /* tx.to is the new contract's address for a creation */
    u64 gas_used;
    size_t bytes_max;
    bool is_full;       /* bytes_max was passed: nothing more is recorded */
    struct arena arena; /* for what is recorded */
    size_t arena_bytes; /* taken of it so far */
};

extern const struct trace_kind TRACE_STRUCT_LOG, TRACE_CALL, TRACE_FLAT_CALL, TRACE_PRESTATE,
    TRACE_4BYTE, TRACE_NOOP, TRACE_MUX;
/* What a replay is asked for; each is named as its member of the answer. */
extern const struct trace_kind TRACE_REPLAYED_CALLS, TRACE_STATE_DIFF, TRACE_VM;

/* NULL when there is none of that name. */
const struct trace_kind *trace_kind_find(const char *name);
enum status trace_make(struct trace **trace, const struct trace_kind *kind, json config, json own,
                       size_t bytes_max, struct err *err);

/* The same of a kind that has no options. */
struct trace *trace_make_fixed(const struct trace_kind *kind, size_t bytes_max);

/* Memory that lives as long as the trace; NULL, and is_full, when bytes_max is passed. */
void *trace_keep(struct trace *trace, size_t size);
const u8 *trace_keep_bytes(struct trace *trace, const void *bytes, size_t len);

/* Reads a member that must be a boolean; absent and null leave *out. */
enum status trace_option_bool(bool *out, json config, const char *name, struct err *err);

/* Opens an object under an address as its key. */
void trace_open_addr(struct buf *out, const addr20 *addr);

/* A word as keys show it: all 32 bytes. */
enum { WORD_TEXT_MAX = 2 + 2 * 32 + 1 };
const char *trace_word_text(char text[WORD_TEXT_MAX], const u256 *word);

/* A word of the state, read through the host. Does not disturb warmth that counts. */
static inline u256 trace_slot(const struct trace *trace, const addr20 *addr, const u256 *key)
{
    bool was_cold;
    return trace->host.ops->storage_get(trace->host.ctx, addr, key, &was_cold);
}

/* What is seen on top of a step's stack; i counts from the top. */
static inline const u256 *step_top(const struct evm_step *step, u32 i)
{
    return &step->stack[step->stack_len - 1 - i];
}

static inline addr20 word_addr(const u256 *word)
{
    u8 bytes[32];
    addr20 addr;
    u256_store_be(bytes, *word);
    memcpy(addr.b, bytes + 12, 20);
    return addr;
}
