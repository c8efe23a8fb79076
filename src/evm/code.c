#include "base/mem.h"
#include "evm/evm_int.h"
#include "evm/fast.h"

#if defined(__SSE2__)
#    include <emmintrin.h>
#endif

enum { OP_PUSH_BEFORE_FIRST = 0x5f, BLOCK = 64 };

/* --- jump destinations ----------------------------------------------------------------------- */

/* In 64 bytes of code: which are PUSH1 to PUSH32, and which are JUMPDEST? One bit a byte. */
static void block_masks(const u8 *bytes, u64 *pushes, u64 *dests)
{
    u64 push = 0, dest = 0;
#if defined(__SSE2__)
    for (int i = 0; i < BLOCK / 16; i++) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
        /* Signed, the 32 pushes are the greatest bytes there are: 0x60 to 0x7f. */
        __m128i is_push = _mm_cmpgt_epi8(b, _mm_set1_epi8(OP_PUSH_BEFORE_FIRST));
        __m128i is_dest = _mm_cmpeq_epi8(b, _mm_set1_epi8(OP_JUMPDEST));
        push |= (u64)(u32)_mm_movemask_epi8(is_push) << 16 * i;
        dest |= (u64)(u32)_mm_movemask_epi8(is_dest) << 16 * i;
    }
#else
    for (int i = 0; i < BLOCK; i++) {
        push |= (u64)((i8)bytes[i] > OP_PUSH_BEFORE_FIRST) << i;
        dest |= (u64)(bytes[i] == OP_JUMPDEST) << i;
    }
#endif
    *pushes = push;
    *dests = dest;
}

/* The low n bits, for n up to 64. */
static u64 low_bits(unsigned n)
{
    return n >= 64 ? ~(u64)0 : ((u64)1 << n) - 1;
}

/* bytes: padded to whole blocks, with zeroes. */
static void find_jumpdests(u64 *jumpdests, const u8 *bytes, size_t len)
{
    unsigned data = 0; /* push data that reaches into this block */
    for (size_t at = 0; at < len; at += BLOCK) {
        u64 pushes, dests;
        block_masks(bytes + at, &pushes, &dests);
        pushes &= ~low_bits(data);
        dests &= ~low_bits(data);
        data = 0;
        while (pushes) {
            unsigned i = (unsigned)__builtin_ctzll(pushes);
            unsigned end = i + 1 + (unsigned)(bytes[at + i] - OP_PUSH_BEFORE_FIRST);
            u64 covered = low_bits(end);
            pushes &= ~covered;
            dests &= ~covered | low_bits(i);
            data = end > BLOCK ? end - BLOCK : 0;
        }
        jumpdests[at / BLOCK] = dests;
    }
}

static size_t padded_len(size_t len)
{
    return (len + BLOCK - 1) / BLOCK * BLOCK + CODE_PADDING;
}

size_t code_prepared_size(size_t len)
{
    return padded_len(len) + (len + BLOCK - 1) / BLOCK * sizeof(u64);
}

void code_prepare(struct code *code, void *room, const u8 *bytes, size_t len)
{
    u8 *copy = room;
    u64 *jumpdests = (u64 *)(void *)(copy + padded_len(len));
    if (len)
        memcpy(copy, bytes, len);
    memset(copy + len, 0, padded_len(len) - len);
    find_jumpdests(jumpdests, copy, len);
    code->bytes = copy;
    code->len = (u32)len;
    code->jumpdests = jumpdests;
}

/* --- the cache ------------------------------------------------------------------------------- */

enum { CACHE_SLOTS_FIRST = 64 };

void code_cache_init(struct code_cache *cache, size_t bytes_max)
{
    *cache = (struct code_cache){.bytes_max = bytes_max, .capacity = CACHE_SLOTS_FIRST};
    cache->slots = NEW_ARRAY(struct code *, cache->capacity);
}

static size_t code_size(const struct code *code)
{
    return sizeof *code + code_prepared_size(code->len) + fast_code_size(code);
}

static void code_free(struct code *code)
{
    fast_code_free(code);
    mem_free(code);
}

void code_cache_fini(struct code_cache *cache)
{
    for (size_t i = 0; i < cache->capacity; i++)
        if (cache->slots[i])
            code_free(cache->slots[i]);
    mem_free(cache->slots);
}

/* Hashes are uniform already. */
static size_t slot_of(const struct code_cache *cache, const hash32 *hash)
{
    u64 head;
    memcpy(&head, hash->b, sizeof head);
    return head & (cache->capacity - 1);
}

/* The slot that holds the hash, or the empty one where it belongs. */
static size_t cache_find(const struct code_cache *cache, const hash32 *hash)
{
    size_t i = slot_of(cache, hash);
    while (cache->slots[i] && !hash32_eq(&cache->slots[i]->hash, hash))
        i = (i + 1) & (cache->capacity - 1);
    return i;
}

static void cache_grow(struct code_cache *cache)
{
    struct code **old = cache->slots;
    size_t old_capacity = cache->capacity;
    cache->capacity *= 2;
    cache->slots = NEW_ARRAY(struct code *, cache->capacity);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i])
            cache->slots[cache_find(cache, &old[i]->hash)] = old[i];
    mem_free(old);
}

/* Empties slot i and moves up what had been pushed past it. */
static void cache_drop(struct code_cache *cache, size_t i)
{
    size_t mask = cache->capacity - 1;
    cache->bytes -= code_size(cache->slots[i]);
    cache->count--;
    code_free(cache->slots[i]);
    cache->slots[i] = NULL;
    for (size_t j = (i + 1) & mask; cache->slots[j]; j = (j + 1) & mask) {
        size_t home = slot_of(cache, &cache->slots[j]->hash);
        if (((j - home) & mask) < ((j - i) & mask))
            continue;
        cache->slots[i] = cache->slots[j];
        cache->slots[j] = NULL;
        i = j;
    }
}

/* Makes room for `bytes` more, as far as entries are idle. */
static void cache_evict(struct code_cache *cache, size_t bytes)
{
    /* Two rounds: the first may only take away second chances. */
    for (size_t left = 2 * cache->capacity; left && cache->bytes + bytes > cache->bytes_max;
         left--) {
        cache->hand = (cache->hand + 1) & (cache->capacity - 1);
        struct code *code = cache->slots[cache->hand];
        if (!code || code->users)
            continue;
        if (code->is_used)
            code->is_used = false;
        else
            cache_drop(cache, cache->hand);
    }
}

static struct code *cache_add(struct code_cache *cache, const struct evm_code_view *view)
{
    size_t size = sizeof(struct code) + code_prepared_size(view->len);
    cache_evict(cache, size);
    if (2 * (cache->count + 1) > cache->capacity)
        cache_grow(cache);
    struct code *code = mem_alloc(size);
    *code = (struct code){.hash = view->hash, .is_cached = true};
    code_prepare(code, code + 1, view->bytes, view->len);
    cache->slots[cache_find(cache, &view->hash)] = code;
    cache->count++;
    cache->bytes += size;
    return code;
}

struct code *code_cache_take(struct code_cache *cache, const struct evm_code_view *view)
{
    struct code *code = cache->slots[cache_find(cache, &view->hash)];
    if (!code)
        code = cache_add(cache, view);
    code->users++;
    code->is_used = true;
    return code;
}

void code_cache_put(struct code *code)
{
    code->users--;
}
