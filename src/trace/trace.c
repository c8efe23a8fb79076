#include <stdio.h>

#include "evm/opcode.h"
#include "prim/hex.h"
#include "trace/trace_int.h"

/* --- the registry ---------------------------------------------------------------------------- */

static const struct trace_kind *const kinds[] = {
    &TRACE_STRUCT_LOG, &TRACE_CALL, &TRACE_FLAT_CALL, &TRACE_PRESTATE,
    &TRACE_4BYTE,      &TRACE_NOOP, &TRACE_MUX,
};

const struct trace_kind *trace_kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

static enum status kind_choose(const struct trace_kind **kind, json config, struct err *err)
{
    json value = json_get(config, "tracer");
    const char *name = json_text(value);
    enum json_kind is = json_kind(value);
    if (is != JSON_KIND_ABSENT && is != JSON_KIND_NULL && !name)
        return err_set(err, STATUS_INVALID, "tracer must be a string, not %s", json_kind_name(is));
    const struct trace_kind *found = name && *name ? trace_kind_find(name) : &TRACE_STRUCT_LOG;
    if (!found)
        return err_set(err, STATUS_NOT_FOUND, "no tracer is named %.40s", name);
    *kind = found;
    return STATUS_OK;
}

enum status trace_new(struct trace **trace, json config, size_t bytes_max, struct err *err)
{
    enum json_kind is = json_kind(config);
    const struct trace_kind *kind = NULL;
    if (is != JSON_KIND_ABSENT && is != JSON_KIND_NULL && is != JSON_KIND_OBJECT)
        return err_set(err, STATUS_INVALID, "trace options must be an object, not %s",
                       json_kind_name(is));
    enum status status = kind_choose(&kind, config, err);
    if (status != STATUS_OK)
        return status;
    return trace_make(trace, kind, config, json_get(config, "tracerConfig"), bytes_max, err);
}

enum status trace_make(struct trace **trace, const struct trace_kind *kind, json config, json own,
                       size_t bytes_max, struct err *err)
{
    struct trace *made = mem_zalloc(kind->size);
    made->kind = kind;
    made->bytes_max = bytes_max;
    made->hooks.ctx = made;
    arena_init(&made->arena);
    enum status status = kind->configure ? kind->configure(made, config, own, err) : STATUS_OK;
    if (status != STATUS_OK) {
        trace_free(made);
        return status;
    }
    *trace = made;
    return STATUS_OK;
}

struct trace *trace_make_fixed(const struct trace_kind *kind, size_t bytes_max)
{
    struct err err;
    struct trace *trace = NULL;
    enum status status = trace_make(&trace, kind, NULL, NULL, bytes_max, &err);
    assert(status == STATUS_OK);
    return trace;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    if (trace->kind->fini)
        trace->kind->fini(trace);
    arena_fini(&trace->arena);
    mem_free(trace);
}

void trace_begin(struct trace *trace, const struct evm_host *host, const struct trace_tx *tx)
{
    trace->host = *host;
    trace->tx = *tx;
    if (tx->is_create)
        trace->tx.to = evm_create_address(&tx->from, host->ops->nonce(host->ctx, &tx->from));
    if (trace->kind->begin)
        trace->kind->begin(trace);
}

const struct evm_tracer *trace_hooks(const struct trace *trace)
{
    return &trace->hooks;
}

void trace_end(struct trace *trace, u64 gas_used)
{
    trace->gas_used = gas_used;
    if (trace->kind->end)
        trace->kind->end(trace);
}

bool trace_result(struct buf *out, const char *key, const struct trace *trace)
{
    if (trace->is_full)
        return false;
    trace->kind->result(out, key, trace);
    return true;
}

/* --- shared ---------------------------------------------------------------------------------- */

void *trace_keep(struct trace *trace, size_t size)
{
    if (size > trace->bytes_max - trace->arena_bytes) {
        trace->is_full = true;
        return NULL;
    }
    trace->arena_bytes += size;
    return arena_zalloc(&trace->arena, size);
}

const u8 *trace_keep_bytes(struct trace *trace, const void *bytes, size_t len)
{
    u8 *copy = len ? trace_keep(trace, len) : NULL;
    if (copy)
        memcpy(copy, bytes, len);
    return copy;
}

enum status trace_option_bool(bool *out, json config, const char *name, struct err *err)
{
    json value = json_get(config, name);
    enum json_kind is = json_kind(value);
    if (is == JSON_KIND_ABSENT || is == JSON_KIND_NULL || json_bool(value, out))
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "%s must be true or false, not %s", name,
                   json_kind_name(is));
}

void trace_open_addr(struct buf *out, const addr20 *addr)
{
    char key[2 + 2 * 20 + 1];
    hex_encode(key, addr->b, sizeof addr->b);
    json_out_object(out, key);
}

const char *trace_word_text(char text[WORD_TEXT_MAX], const u256 *word)
{
    hash32 bytes = u256_to_hash(*word);
    hex_encode(text, bytes.b, sizeof bytes.b);
    return text;
}

const char *opcode_text(char room[OPCODE_TEXT_MAX], u8 opcode)
{
    const char *name = opcode_name(opcode);
    if (opcode == OP_PREVRANDAO)
        return "DIFFICULTY"; /* the name tools know; geth kept it through the merge */
    if (name)
        return name;
    snprintf(room, OPCODE_TEXT_MAX, "opcode 0x%x not defined", opcode);
    return room;
}

/* EIP-2537: may the input of the precompile at this address have this length? */
static bool bls_length_fits(u8 which, size_t len)
{
    static const struct {
        u16 size;
        bool repeats;
    } inputs[] = {{256, false}, {160, true}, {512, false}, {288, true},
                  {384, true},  {64, false}, {128, false}};
    size_t row = which - 0x0bu;
    if (row >= ARRAY_LEN(inputs))
        return true;
    return inputs[row].repeats ? len && len % inputs[row].size == 0 : len == inputs[row].size;
}

/* What a precompile found wrong, where the input's length tells. */
static const char *precompile_error(const struct evm_msg *msg)
{
    u8 which = msg->code_addr.b[19];
    size_t len = msg->input_len;
    if (which == 0x08 && len % 192)
        return "bad elliptic curve pairing size";
    if (which == 0x09 && len == 213)
        return "invalid final flag";
    if (which == 0x09 || (which == 0x0a && len != 192) || !bls_length_fits(which, len))
        return "invalid input length";
    return evm_status_text(EVM_PRECOMPILE_FAILURE);
}

void trace_error_text(char out[EVM_ERROR_TEXT_MAX], const struct evm_msg *msg,
                      const struct evm_result *result)
{
    if (result->status == EVM_PRECOMPILE_FAILURE)
        snprintf(out, EVM_ERROR_TEXT_MAX, "%s", precompile_error(msg));
    else
        evm_error_text(out, result->status, result->opcode, result->stack_len);
}

/* --- noopTracer ------------------------------------------------------------------------------ */

static void noop_result(struct buf *out, const char *key, const struct trace *trace)
{
    (void)trace;
    json_out_object(out, key);
    json_out_object_end(out);
}

const struct trace_kind TRACE_NOOP = {
    .name = "noopTracer",
    .size = sizeof(struct trace),
    .result = noop_result,
};
