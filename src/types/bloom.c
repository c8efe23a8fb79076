#include "types/bloom.h"

#include "prim/keccak.h"

struct bloom_bits {
    u16 at[3]; /* counted from the last bit of the last byte */
};

static struct bloom_bits bits_of(const void *bytes, size_t len)
{
    hash32 hash;
    keccak256(&hash, bytes, len);
    struct bloom_bits bits;
    for (int i = 0; i < 3; i++)
        bits.at[i] = (u16)((hash.b[2 * i] << 8 | hash.b[2 * i + 1]) & 2047);
    return bits;
}

void bloom_add(struct bloom *bloom, const void *bytes, size_t len)
{
    struct bloom_bits bits = bits_of(bytes, len);
    for (int i = 0; i < 3; i++)
        bloom->b[255 - bits.at[i] / 8] |= (u8)(1 << bits.at[i] % 8);
}

void bloom_add_log(struct bloom *bloom, const struct log *log)
{
    bloom_add(bloom, log->addr.b, sizeof log->addr.b);
    for (u32 i = 0; i < log->topic_count; i++)
        bloom_add(bloom, log->topics[i].b, sizeof log->topics[i].b);
}

void bloom_merge(struct bloom *bloom, const struct bloom *other)
{
    for (size_t i = 0; i < sizeof bloom->b; i++)
        bloom->b[i] |= other->b[i];
}

bool bloom_may_have(const struct bloom *bloom, const void *bytes, size_t len)
{
    struct bloom_bits bits = bits_of(bytes, len);
    for (int i = 0; i < 3; i++)
        if (!(bloom->b[255 - bits.at[i] / 8] >> bits.at[i] % 8 & 1))
            return false;
    return true;
}
