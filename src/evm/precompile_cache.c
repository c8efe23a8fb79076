#include "evm/precompile_cache.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"

/* Copying is all it does: looking for an answer would cost as much. */
enum { IDENTITY = 0x04 };

void precompile_cache_fini(struct precompile_cache *cache)
{
    for (size_t i = 0; i < PRECOMPILE_COUNT; i++)
        mem_free(cache->answers[i].bytes);
}

static void answer_keep(struct precompile_answer *answer, const u8 *in, size_t len, const u8 *out,
                        size_t out_len, bool ok)
{
    answer->is_set = len <= PRECOMPILE_KEPT_INPUT && out_len <= PRECOMPILE_KEPT_OUTPUT;
    if (!answer->is_set)
        return;
    if (len + out_len > answer->cap) {
        mem_free(answer->bytes);
        answer->cap = 2 * (len + out_len);
        answer->bytes = mem_alloc(answer->cap);
    }
    if (len)
        memcpy(answer->bytes, in, len);
    if (out_len)
        memcpy(answer->bytes + len, out, out_len);
    answer->in_len = len;
    answer->out_len = out_len;
    answer->ok = ok;
}

bool precompile_cache_run(struct precompile_cache *cache, const struct precompile *precompile,
                          const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena)
{
    ptrdiff_t row = precompile - PRECOMPILES;
    assert(row >= 0 && row < PRECOMPILE_COUNT);
    struct precompile_answer *answer = &cache->answers[row];
    if (cache->is_off || precompile->address == IDENTITY)
        return precompile->run(out, out_len, in, len, arena);
    if (answer->is_set && answer->in_len == len &&
        (len == 0 || memcmp(answer->bytes, in, len) == 0)) {
        *out = answer->out_len ? answer->bytes + len : NULL;
        *out_len = answer->out_len;
        return answer->ok;
    }
    *out_len = 0;
    bool ok = precompile->run(out, out_len, in, len, arena);
    if (!ok)
        *out_len = 0;
    answer_keep(answer, in, len, *out, *out_len, ok);
    return ok;
}
