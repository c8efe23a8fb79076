#include <stdio.h>

#include "base/mem.h"
#include "evm/evm_int.h"

enum {
    CODE_CACHE_BYTES = 64 << 20,
    CHUNK_FIRST = 256 << 10,
    CODE_MAX = 24576,     /* EIP-170 */
    INITCODE_MAX = 49152, /* EIP-3860 */
};

const char *evm_status_text(enum evm_status status)
{
    static const char *const texts[] = {
#define X(id, sentence) [EVM_##id] = sentence,
        EVM_STATUS_LIST(X)
#undef X
    };
    return texts[status];
}

/* An opcode without a name goes by its number. */
static void invalid_opcode_text(char out[EVM_ERROR_TEXT_MAX], u8 opcode)
{
    const char *name = opcode_name(opcode);
    if (name)
        snprintf(out, EVM_ERROR_TEXT_MAX, "invalid opcode: %s", name);
    else
        snprintf(out, EVM_ERROR_TEXT_MAX, "invalid opcode: opcode 0x%x not defined", opcode);
}

void evm_error_text(char out[EVM_ERROR_TEXT_MAX], enum evm_status status, u8 opcode, u32 stack_len)
{
    const struct opcode_info *info = &opcodes(FORK_COUNT - 1)[opcode];
    if (status == EVM_INVALID_OPCODE)
        invalid_opcode_text(out, opcode);
    else if (status == EVM_STACK_UNDERFLOW)
        snprintf(out, EVM_ERROR_TEXT_MAX, "stack underflow (%u <=> %u)", stack_len, info->in);
    else if (status == EVM_STACK_OVERFLOW)
        snprintf(out, EVM_ERROR_TEXT_MAX, "stack limit reached %u (%u)", stack_len,
                 STACK_MAX + info->in - info->out);
    else
        snprintf(out, EVM_ERROR_TEXT_MAX, "%s", evm_status_text(status));
}

/* Address space only: a page becomes memory when a frame first reaches it. */
static u256 *stack_new(void)
{
    return NEW_ARRAY(u256, (size_t)(DEPTH_MAX + 1) * (STACK_MAX + STACK_ROOM));
}

struct evm *evm_new(void)
{
    struct evm *evm = NEW(struct evm);
    code_cache_init(&evm->codes, CODE_CACHE_BYTES);
    arena_init(&evm->scratch);
    evm->hashes = NEW(struct hash_memo);
    evm->stack = stack_new();
    evm->chunks[0] = (struct memory_chunk){mem_zalloc(CHUNK_FIRST), CHUNK_FIRST};
    return evm;
}

void evm_free(struct evm *evm)
{
    if (!evm)
        return;
    for (int i = 0; i < MEMORY_CHUNKS; i++)
        mem_free(evm->chunks[i].bytes);
    mem_free(evm->stack);
    mem_free(evm->returned);
    mem_free(evm->translator);
    arena_fini(&evm->scratch);
    precompile_cache_fini(&evm->answers);
    mem_free(evm->hashes);
    mem_free(evm->extra);
    code_cache_fini(&evm->codes);
    mem_free(evm);
}

void evm_rest(struct evm *evm)
{
    for (int i = 1; i < MEMORY_CHUNKS; i++) {
        mem_free(evm->chunks[i].bytes);
        evm->chunks[i] = (struct memory_chunk){0};
    }
    mem_free(evm->stack);
    evm->stack = stack_new();
    mem_free(evm->returned);
    evm->returned = NULL;
    evm->returned_cap = 0;
    arena_reset(&evm->scratch);
}

void evm_settle(struct evm *evm)
{
    enum { USUAL_CHUNKS = 3 };
    if (evm->chunks[USUAL_CHUNKS].bytes)
        evm_rest(evm);
}

void evm_begin(struct evm *evm, enum fork fork, const struct evm_host *host,
               const struct evm_block *block, const struct evm_tx *tx)
{
    evm->fork = fork;
    evm->ops = evm->extra ? extra_opcodes(evm->extra, fork) : opcodes(fork);
    evm->host = host->ops;
    evm->host_ctx = host->ctx;
    evm->block = block;
    evm->tx = tx;
    evm->precompiles = NULL;
    evm->refund = 0;
    evm->top = NULL;
    evm->code_max = fork >= FORK_SPURIOUS ? CODE_MAX : SIZE_MAX;
    evm->initcode_max = fork >= FORK_SHANGHAI ? INITCODE_MAX : SIZE_MAX;
    if (evm->code_max_config)
        evm->code_max = evm->code_max_config;
    if (evm->initcode_max_config)
        evm->initcode_max = evm->initcode_max_config;
}

void evm_override_precompiles(struct evm *evm, const struct precompile_overrides *overrides)
{
    evm->precompiles = overrides;
}

i64 evm_refund(const struct evm *evm)
{
    return evm->refund;
}

void evm_set_refund(struct evm *evm, i64 refund)
{
    evm->refund = refund;
}

void evm_set_tracer(struct evm *evm, const struct evm_tracer *tracer)
{
    evm->tracer = tracer;
}

void evm_set_visitor(struct evm *evm, evm_visit_fn *fn, void *ctx)
{
    evm->visitor = fn;
    evm->visitor_ctx = ctx;
}

void evm_set_engine(struct evm *evm, enum evm_engine engine)
{
    evm->engine = evm->extra ? EVM_ENGINE_PLAIN : engine;
}

void evm_set_code_cache(struct evm *evm, size_t bytes_max)
{
    evm->codes.bytes_max = bytes_max ? bytes_max : CODE_CACHE_BYTES;
}

void evm_forget_codes(struct evm *evm)
{
    size_t bytes_max = evm->codes.bytes_max;
    code_cache_fini(&evm->codes);
    code_cache_init(&evm->codes, bytes_max);
}

void evm_set_memo(struct evm *evm, bool on)
{
    precompile_cache_fini(&evm->answers);
    mem_free(evm->hashes);
    evm->answers = (struct precompile_cache){.is_off = !on};
    evm->hashes = on ? NEW(struct hash_memo) : NULL;
}

void evm_set_code_limits(struct evm *evm, size_t code_max, size_t initcode_max)
{
    evm->code_max_config = code_max;
    evm->initcode_max_config = initcode_max;
}

/* --- memory ---------------------------------------------------------------------------------- */

void memory_begin(struct evm *evm, struct memory *memory, const struct memory *parent)
{
    *memory = (struct memory){.bytes = evm->chunks[0].bytes, .cap = evm->chunks[0].size};
    if (parent)
        *memory = (struct memory){
            .bytes = parent->bytes + parent->len,
            .cap = parent->cap - parent->len,
            .chunk = parent->chunk,
        };
}

/* Moves the window to the next chunk, made to hold at least len bytes. */
static void memory_move(struct evm *evm, struct memory *memory, u64 len)
{
    u32 next = memory->chunk + 1;
    assert(next < MEMORY_CHUNKS);
    struct memory_chunk *chunk = &evm->chunks[next];
    size_t size = 2 * evm->chunks[memory->chunk].size;
    while (size < 2 * len)
        size *= 2;
    /* Nothing lies in a chunk above the newest frame's, so that it may be replaced. */
    if (chunk->size < size) {
        mem_free(chunk->bytes);
        *chunk = (struct memory_chunk){mem_alloc(size), size};
    }
    if (memory->len)
        memcpy(chunk->bytes, memory->bytes, memory->len);
    memory->bytes = chunk->bytes;
    memory->cap = chunk->size;
    memory->chunk = next;
}

void memory_widen(struct evm *evm, struct memory *memory, u64 len)
{
    if (len > memory->cap)
        memory_move(evm, memory, len);
    memset(memory->bytes + memory->len, 0, len - memory->len);
    memory->len = len;
}

u8 *memory_reserve(struct evm *evm, struct memory *memory, u64 len)
{
    len = (len + 31) / 32 * 32;
    if (len > memory->cap)
        memory_move(evm, memory, len);
    u8 *bytes = memory->bytes;
    memory->bytes += len;
    memory->cap -= len;
    return bytes;
}

u8 *evm_returned_room(struct evm *evm, size_t len)
{
    if (len > evm->returned_cap) {
        mem_free(evm->returned);
        evm->returned_cap = 2 * len;
        evm->returned = mem_alloc(evm->returned_cap);
    }
    return evm->returned;
}
