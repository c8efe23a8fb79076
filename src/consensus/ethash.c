#include "consensus/ethash.h"

#include "base/mem.h"
#include "prim/keccak.h"

/* Yellow Paper, appendix J.2. */
enum {
    DATASET_INIT = 1 << 30,
    DATASET_GROWTH = 1 << 23,
    CACHE_INIT = 1 << 24,
    CACHE_GROWTH = 1 << 17,
    HASH_SIZE = 64,
    HASH_WORDS = HASH_SIZE / 4,
    MIX_SIZE = 128,
    MIX_WORDS = MIX_SIZE / 4,
    CACHE_ROUNDS = 3,
    DATASET_PARENTS = 256,
    ACCESSES = 64,
};

/* Words are little-endian; all machines that this is built for are, too. */
union item {
    u8 bytes[HASH_SIZE];
    u32 words[HASH_WORDS];
};

struct ethash {
    u64 epoch;
    union item *cache; /* NULL: none yet */
    u32 items;
};

struct ethash *ethash_new(void)
{
    return NEW(struct ethash);
}

void ethash_free(struct ethash *ethash)
{
    if (!ethash)
        return;
    mem_free(ethash->cache);
    mem_free(ethash);
}

/* --- sizes ------------------------------------------------------------------------------------ */

static bool is_prime(u64 n)
{
    if (n % 2 == 0)
        return n == 2;
    for (u64 d = 3; d * d <= n; d += 2)
        if (n % d == 0)
            return false;
    return n > 1;
}

/* The largest size up to the bound whose number of units is prime. */
static u64 prime_size(u64 bound, u64 unit)
{
    u64 size = bound - unit;
    while (!is_prime(size / unit))
        size -= 2 * unit;
    return size;
}

u64 ethash_cache_size(u64 number)
{
    return prime_size(CACHE_INIT + CACHE_GROWTH * (number / ETHASH_EPOCH), HASH_SIZE);
}

u64 ethash_dataset_size(u64 number)
{
    return prime_size(DATASET_INIT + DATASET_GROWTH * (number / ETHASH_EPOCH), MIX_SIZE);
}

hash32 ethash_seed(u64 number)
{
    hash32 seed = {{0}};
    for (u64 i = 0; i < number / ETHASH_EPOCH; i++)
        keccak256(&seed, &seed, sizeof seed);
    return seed;
}

/* --- the cache -------------------------------------------------------------------------------- */

static void cache_mix(union item *cache, u32 items)
{
    for (u32 i = 0; i < items; i++) {
        const union item *before = &cache[(i + items - 1) % items];
        const union item *other = &cache[cache[i].words[0] % items];
        union item mixed;
        for (int w = 0; w < HASH_WORDS; w++)
            mixed.words[w] = before->words[w] ^ other->words[w];
        keccak512(cache[i].bytes, mixed.bytes, sizeof mixed);
    }
}

static void cache_make(struct ethash *ethash, u64 number)
{
    hash32 seed = ethash_seed(number);
    u32 items = (u32)(ethash_cache_size(number) / HASH_SIZE);
    union item *cache = mem_alloc(items * sizeof *cache);
    keccak512(cache[0].bytes, seed.b, sizeof seed);
    for (u32 i = 1; i < items; i++)
        keccak512(cache[i].bytes, cache[i - 1].bytes, HASH_SIZE);
    for (int round = 0; round < CACHE_ROUNDS; round++)
        cache_mix(cache, items);
    mem_free(ethash->cache);
    *ethash = (struct ethash){number / ETHASH_EPOCH, cache, items};
}

/* --- the proof -------------------------------------------------------------------------------- */

static u32 fnv(u32 a, u32 b)
{
    return a * 0x01000193u ^ b;
}

static void dataset_item(const struct ethash *ethash, union item *item, u32 index)
{
    *item = ethash->cache[index % ethash->items];
    item->words[0] ^= index;
    keccak512(item->bytes, item->bytes, HASH_SIZE);
    for (u32 i = 0; i < DATASET_PARENTS; i++) {
        u32 parent = fnv(index ^ i, item->words[i % HASH_WORDS]) % ethash->items;
        for (int w = 0; w < HASH_WORDS; w++)
            item->words[w] = fnv(item->words[w], ethash->cache[parent].words[w]);
    }
    keccak512(item->bytes, item->bytes, HASH_SIZE);
}

static void mix_dataset(const struct ethash *ethash, u64 number, const union item *seed,
                        u32 mix[MIX_WORDS])
{
    u32 rows = (u32)(ethash_dataset_size(number) / MIX_SIZE);
    for (int w = 0; w < MIX_WORDS; w++)
        mix[w] = seed->words[w % HASH_WORDS];
    for (u32 i = 0; i < ACCESSES; i++) {
        u32 row = fnv(i ^ seed->words[0], mix[i % MIX_WORDS]) % rows;
        for (u32 half = 0; half < 2; half++) {
            union item item;
            dataset_item(ethash, &item, 2 * row + half);
            for (u32 w = 0; w < HASH_WORDS; w++)
                mix[half * HASH_WORDS + w] = fnv(mix[half * HASH_WORDS + w], item.words[w]);
        }
    }
}

void ethash_hash(struct ethash *ethash, u64 number, const hash32 *seal_hash, const u8 nonce[8],
                 hash32 *mix, hash32 *result)
{
    if (!ethash->cache || ethash->epoch != number / ETHASH_EPOCH)
        cache_make(ethash, number);
    u8 input[40], last[HASH_SIZE + 32];
    union item seed;
    u32 words[MIX_WORDS], folded[8];
    memcpy(input, seal_hash->b, 32);
    for (int i = 0; i < 8; i++) /* the header holds the nonce big-endian */
        input[32 + i] = nonce[7 - i];
    keccak512(seed.bytes, input, sizeof input);
    mix_dataset(ethash, number, &seed, words);
    for (int i = 0; i < 8; i++)
        folded[i] =
            fnv(fnv(fnv(words[4 * i], words[4 * i + 1]), words[4 * i + 2]), words[4 * i + 3]);
    memcpy(mix->b, folded, sizeof folded);
    memcpy(last, seed.bytes, HASH_SIZE);
    memcpy(last + HASH_SIZE, mix->b, sizeof mix->b);
    keccak256(result, last, sizeof last);
}

bool ethash_verify(struct ethash *ethash, u64 number, const hash32 *seal_hash, const u8 nonce[8],
                   const hash32 *mix, u256 difficulty)
{
    hash32 found, result;
    if (u256_is_zero(difficulty))
        return false;
    ethash_hash(ethash, number, seal_hash, nonce, &found, &result);
    if (!hash32_eq(&found, mix))
        return false;
    /* result <= 2^256 / difficulty, without the 257th bit: for a difficulty of one everything
     * passes. */
    u256 bound = u256_add(u256_div(u256_sub(U256_ZERO, difficulty), difficulty), U256_ONE);
    return u256_eq(difficulty, U256_ONE) || !u256_lt(bound, u256_from_hash(&result));
}
