/*
 * The permutation Keccak-f[1600] of the Keccak reference, version 3.0. One body serves three
 * functions: C's operators work alike on a u64 and on a vector of four of them, so the four-message
 * form is the same text on wider words.
 */
#include "prim/keccak.h"

#include <string.h>

const hash32 KECCAK256_EMPTY = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                 0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

static const u64 round_constants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))

/* Theta's column parities of a, as d0 to d4: what each column is to be xored with. */
#define THETA(word, a)                                                        \
    word c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];                            \
    word c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];                            \
    word c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];                            \
    word c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];                            \
    word c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];                            \
    word d0 = c4 ^ ROTL(c1, 1), d1 = c0 ^ ROTL(c2, 1), d2 = c1 ^ ROTL(c3, 1), \
         d3 = c2 ^ ROTL(c4, 1), d4 = c3 ^ ROTL(c0, 1)

/* One row of e from five rotated lanes of a (rho and pi), mixed by chi. */
#define ROW(word, e, y, b0_, b1_, b2_, b3_, b4_)               \
    do {                                                       \
        word b0 = b0_, b1 = b1_, b2 = b2_, b3 = b3_, b4 = b4_; \
        e[5 * y + 0] = b0 ^ (~b1 & b2);                        \
        e[5 * y + 1] = b1 ^ (~b2 & b3);                        \
        e[5 * y + 2] = b2 ^ (~b3 & b4);                        \
        e[5 * y + 3] = b3 ^ (~b4 & b0);                        \
        e[5 * y + 4] = b4 ^ (~b0 & b1);                        \
    } while (0)

#define ROUND(word, e, a, constant)                                                     \
    do {                                                                                \
        THETA(word, a);                                                                 \
        ROW(word, e, 0, a[0] ^ d0, ROTL(a[6] ^ d1, 44), ROTL(a[12] ^ d2, 43),           \
            ROTL(a[18] ^ d3, 21), ROTL(a[24] ^ d4, 14));                                \
        e[0] ^= constant;                                                               \
        ROW(word, e, 1, ROTL(a[3] ^ d3, 28), ROTL(a[9] ^ d4, 20), ROTL(a[10] ^ d0, 3),  \
            ROTL(a[16] ^ d1, 45), ROTL(a[22] ^ d2, 61));                                \
        ROW(word, e, 2, ROTL(a[1] ^ d1, 1), ROTL(a[7] ^ d2, 6), ROTL(a[13] ^ d3, 25),   \
            ROTL(a[19] ^ d4, 8), ROTL(a[20] ^ d0, 18));                                 \
        ROW(word, e, 3, ROTL(a[4] ^ d4, 27), ROTL(a[5] ^ d0, 36), ROTL(a[11] ^ d1, 10), \
            ROTL(a[17] ^ d2, 15), ROTL(a[23] ^ d3, 56));                                \
        ROW(word, e, 4, ROTL(a[2] ^ d2, 62), ROTL(a[8] ^ d3, 55), ROTL(a[14] ^ d4, 39), \
            ROTL(a[15] ^ d0, 41), ROTL(a[21] ^ d1, 2));                                 \
    } while (0)

/* Twenty-four rounds, two a turn, so that the state goes to a second copy and back. */
#define DEFINE_PERMUTE(name, word, attributes)         \
    attributes static void name(word state[25])        \
    {                                                  \
        word a[25], e[25];                             \
        memcpy(a, state, sizeof a);                    \
        for (int i = 0; i < 24; i += 2) {              \
            ROUND(word, e, a, round_constants[i]);     \
            ROUND(word, a, e, round_constants[i + 1]); \
        }                                              \
        memcpy(state, a, sizeof a);                    \
    }

DEFINE_PERMUTE(permute_plain, u64, )

#if defined(__x86_64__)

typedef u64 u64x4 __attribute__((vector_size(32)));

/* and-not and three-operand rotates are worth a copy of the function. */
DEFINE_PERMUTE(permute_bmi, u64, __attribute__((target("bmi,bmi2"))))
DEFINE_PERMUTE(permute_x4, u64x4, __attribute__((target("avx2"))))

static inline void permute(u64 state[25])
{
    if (LIKELY(__builtin_cpu_supports("bmi2")))
        permute_bmi(state);
    else
        permute_plain(state);
}

#else

static inline void permute(u64 state[25])
{
    permute_plain(state);
}

#endif

/* --- the sponge ----------------------------------------------------------------------------- */

enum { RATE_LANES = KECCAK256_RATE / 8 };

static inline u64 load_le(const u8 *p)
{
    u64 v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void absorb_block(u64 state[25], const u8 *p)
{
    for (int i = 0; i < RATE_LANES; i++)
        state[i] ^= load_le(p + 8 * i);
    permute(state);
}

/* The last block: what is left of the message, the bit that ends it, and the sponge's last bit. */
static inline void pad_block(u8 block[KECCAK256_RATE], const u8 *p, size_t len)
{
    memset(block, 0, KECCAK256_RATE);
    if (len)
        memcpy(block, p, len);
    block[len] = 0x01;
    block[KECCAK256_RATE - 1] |= 0x80;
}

static inline void squeeze(hash32 *out, const u64 state[25])
{
    for (int i = 0; i < 4; i++) {
        u64 lane = load_le((const u8 *)&state[i]);
        memcpy(out->b + 8 * i, &lane, 8);
    }
}

void keccak256(hash32 *out, const void *data, size_t len)
{
    u64 state[25] = {0};
    const u8 *p = (const u8 *)data;
    for (; len >= KECCAK256_RATE; p += KECCAK256_RATE, len -= KECCAK256_RATE)
        absorb_block(state, p);
    u8 last[KECCAK256_RATE];
    pad_block(last, p, len);
    absorb_block(state, last);
    squeeze(out, state);
}

void keccak_init(struct keccak *keccak)
{
    memset(keccak, 0, sizeof *keccak);
}

static void absorb_bytes(struct keccak *keccak, const u8 *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned at = keccak->filled + (unsigned)i;
        keccak->state[at / 8] ^= (u64)p[i] << at % 8 * 8;
    }
    keccak->filled += (unsigned)len;
    if (keccak->filled == KECCAK256_RATE) {
        permute(keccak->state);
        keccak->filled = 0;
    }
}

void keccak_update(struct keccak *keccak, const void *data, size_t len)
{
    const u8 *p = (const u8 *)data;
    if (keccak->filled) {
        size_t room = KECCAK256_RATE - keccak->filled, n = len < room ? len : room;
        absorb_bytes(keccak, p, n);
        p += n;
        len -= n;
    }
    for (; len >= KECCAK256_RATE; p += KECCAK256_RATE, len -= KECCAK256_RATE)
        absorb_block(keccak->state, p);
    if (len)
        absorb_bytes(keccak, p, len);
}

void keccak_final(struct keccak *keccak, hash32 *out)
{
    unsigned at = keccak->filled;
    keccak->state[at / 8] ^= (u64)0x01 << at % 8 * 8;
    keccak->state[RATE_LANES - 1] ^= (u64)0x80 << 56;
    permute(keccak->state);
    squeeze(out, keccak->state);
}

/* --- four at once --------------------------------------------------------------------------- */

#if defined(__x86_64__)

/*
 * The four run in step for as many blocks as the longest has. A message that is done earlier has its
 * hash taken then; what its lanes do afterwards means nothing.
 */
__attribute__((target("avx2"))) static void hash_x4(hash32 out[4], const void *const data[4],
                                                    const size_t len[4])
{
    static const u8 nothing[KECCAK256_RATE];
    u64x4 state[25] = {0};
    u8 last[4][KECCAK256_RATE];
    size_t blocks[4], most = 0;
    for (int k = 0; k < 4; k++) {
        size_t full = len[k] / KECCAK256_RATE;
        pad_block(last[k], (const u8 *)data[k] + full * KECCAK256_RATE, len[k] % KECCAK256_RATE);
        blocks[k] = full + 1;
        most = blocks[k] > most ? blocks[k] : most;
    }
    for (size_t n = 0; n < most; n++) {
        const u8 *p[4];
        for (int k = 0; k < 4; k++)
            p[k] = n + 1 < blocks[k]    ? (const u8 *)data[k] + n * KECCAK256_RATE
                   : n + 1 == blocks[k] ? last[k]
                                        : nothing;
        for (int i = 0; i < RATE_LANES; i++)
            state[i] ^= (u64x4){load_le(p[0] + 8 * i), load_le(p[1] + 8 * i), load_le(p[2] + 8 * i),
                                load_le(p[3] + 8 * i)};
        permute_x4(state);
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < 4 && n + 1 == blocks[k]; i++) {
                u64 lane = state[i][k];
                memcpy(out[k].b + 8 * i, &lane, 8);
            }
    }
}

#endif

void keccak256_x4(hash32 out[4], const void *const data[4], const size_t len[4])
{
#if defined(__x86_64__)
    if (LIKELY(__builtin_cpu_supports("avx2"))) {
        hash_x4(out, data, len);
        return;
    }
#endif
    for (int k = 0; k < 4; k++)
        keccak256(&out[k], data[k], len[k]);
}

void keccak512(u8 out[64], const void *data, size_t len)
{
    enum { RATE = 72 };
    u64 state[25] = {0};
    const u8 *p = data;
    u8 last[RATE] = {0};
    for (; len >= RATE; p += RATE, len -= RATE) {
        for (int i = 0; i < RATE / 8; i++)
            state[i] ^= load_le(p + (ptrdiff_t)8 * i);
        permute(state);
    }
    if (len)
        memcpy(last, p, len);
    last[len] = 0x01;
    last[RATE - 1] |= 0x80;
    for (int i = 0; i < RATE / 8; i++)
        state[i] ^= load_le(last + (ptrdiff_t)8 * i);
    permute(state);
    for (int i = 0; i < 8; i++) {
        u64 word = load_le((const u8 *)&state[i]);
        memcpy(out + (ptrdiff_t)8 * i, &word, sizeof word);
    }
}
