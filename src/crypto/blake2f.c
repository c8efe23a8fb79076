#include "crypto/blake2f.h"

#include <string.h>
#if defined(__x86_64__)
#    include <immintrin.h>
#endif

static const u64 iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

#define ROTR(x, n) ((x) >> (n) | (x) << (64 - (n)))

#define MIX(a, b, c, d, x, y) \
    do {                      \
        a += b + (x);         \
        d = ROTR(d ^ a, 32);  \
        c += d;               \
        b = ROTR(b ^ c, 24);  \
        a += b + (y);         \
        d = ROTR(d ^ a, 16);  \
        c += d;               \
        b = ROTR(b ^ c, 63);  \
    } while (0)

/* One round under one permutation of the message words: columns, then diagonals. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
    do {                                                                      \
        MIX(v0, v4, v8, vc, m[s0], m[s1]);                                    \
        MIX(v1, v5, v9, vd, m[s2], m[s3]);                                    \
        MIX(v2, v6, va, ve, m[s4], m[s5]);                                    \
        MIX(v3, v7, vb, vf, m[s6], m[s7]);                                    \
        MIX(v0, v5, va, vf, m[s8], m[s9]);                                    \
        MIX(v1, v6, vb, vc, m[sa], m[sb]);                                    \
        MIX(v2, v7, v8, vd, m[sc], m[sd]);                                    \
        MIX(v3, v4, v9, ve, m[se], m[sf]);                                    \
    } while (0)

/* A turn of the loop does up to ten rounds, one under each permutation SIGMA, with constant indices. */
#define STEP(n, ...) \
    if (left == (n)) \
        break;       \
    ROUND(__VA_ARGS__)

static inline __attribute__((always_inline)) void compress(u64 h[8], const u64 m[16],
                                                           const u64 t[2], bool final, u32 rounds)
{
    u64 v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    u64 v8 = iv[0], v9 = iv[1], va = iv[2], vb = iv[3], vc = iv[4] ^ t[0], vd = iv[5] ^ t[1],
        ve = final ? ~iv[6] : iv[6], vf = iv[7];
    for (u32 left = rounds; left; left -= 10) {
        ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        STEP(1, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
        STEP(2, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
        STEP(3, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
        STEP(4, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
        STEP(5, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
        STEP(6, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
        STEP(7, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
        STEP(8, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
        STEP(9, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    }
    h[0] ^= v0 ^ v8;
    h[1] ^= v1 ^ v9;
    h[2] ^= v2 ^ va;
    h[3] ^= v3 ^ vb;
    h[4] ^= v4 ^ vc;
    h[5] ^= v5 ^ vd;
    h[6] ^= v6 ^ ve;
    h[7] ^= v7 ^ vf;
}

#if defined(__x86_64__)
/* With three-operand rotates; on AMD's processors, what else is made of rotates can be slow. */
__attribute__((target("bmi2"))) static void compress_bmi2(u64 h[8], const u64 m[16], const u64 t[2],
                                                          bool final, u32 rounds)
{
    compress(h, m, t, final, rounds);
}

/* RFC 7693, section 2.7. */
static const u8 SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* The message words of a round as its two halves add them. In the second half lane j holds the diagonal that
 * begins at v[j + 3 mod 4]: the row b, on which everything waits, stays where it is, and the others turn. */
__attribute__((target("avx2"))) static void order_message(__m256i out[4], const u64 m[16],
                                                          const u8 s[16])
{
    const u64 words[4][4] = {
        {m[s[0]], m[s[2]], m[s[4]], m[s[6]]},
        {m[s[1]], m[s[3]], m[s[5]], m[s[7]]},
        {m[s[14]], m[s[8]], m[s[10]], m[s[12]]},
        {m[s[15]], m[s[9]], m[s[11]], m[s[13]]},
    };
    memcpy(out, words, sizeof words);
}

#    define MIX_ROWS(x, y)                                                         \
        do {                                                                       \
            a = _mm256_add_epi64(_mm256_add_epi64(a, x), b);                       \
            d = _mm256_shuffle_epi32(_mm256_xor_si256(d, a), 0xb1);                \
            c = _mm256_add_epi64(c, d);                                            \
            b = _mm256_shuffle_epi8(_mm256_xor_si256(b, c), by24);                 \
            a = _mm256_add_epi64(_mm256_add_epi64(a, y), b);                       \
            d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), by16);                 \
            c = _mm256_add_epi64(c, d);                                            \
            b = _mm256_xor_si256(b, c);                                            \
            b = _mm256_or_si256(_mm256_add_epi64(b, b), _mm256_srli_epi64(b, 63)); \
        } while (0)

/* Lanes by one place down or up. vpermq could do it, but takes six cycles on AMD's processors, these two four. */
#    define SWAP_HALVES(x) _mm256_permute2x128_si256(x, x, 1)
#    define TURN_LEFT(x)   _mm256_alignr_epi8(SWAP_HALVES(x), x, 8)
#    define TURN_RIGHT(x)  _mm256_alignr_epi8(x, SWAP_HALVES(x), 8)

/* Four columns or diagonals side by side. The message is put in order once for all rounds. */
__attribute__((target("avx2"))) static void compress_avx2(u64 h[8], const u64 m[16], const u64 t[2],
                                                          bool final, u32 rounds)
{
    const __m256i by24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3,
                                          4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    const __m256i by16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2,
                                          3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    const u64 last[4] = {iv[4] ^ t[0], iv[5] ^ t[1], final ? ~iv[6] : iv[6], iv[7]};
    __m256i words[10][4];
    for (int i = 0; i < 10; i++)
        order_message(words[i], m, SIGMA[i]);
    __m256i first_a = _mm256_loadu_si256((const __m256i *)&h[0]);
    __m256i first_b = _mm256_loadu_si256((const __m256i *)&h[4]);
    __m256i a = first_a, b = first_b;
    __m256i c = _mm256_loadu_si256((const __m256i *)&iv[0]);
    __m256i d = _mm256_loadu_si256((const __m256i *)last);
    for (u32 i = 0, row = 0; i < rounds; i++, row = row == 9 ? 0 : row + 1) {
        MIX_ROWS(words[row][0], words[row][1]);
        a = TURN_RIGHT(a);
        c = TURN_LEFT(c);
        d = SWAP_HALVES(d);
        MIX_ROWS(words[row][2], words[row][3]);
        a = TURN_LEFT(a);
        c = TURN_RIGHT(c);
        d = SWAP_HALVES(d);
    }
    _mm256_storeu_si256((__m256i *)&h[0], _mm256_xor_si256(first_a, _mm256_xor_si256(a, c)));
    _mm256_storeu_si256((__m256i *)&h[4], _mm256_xor_si256(first_b, _mm256_xor_si256(b, d)));
}
#endif

/* From so many rounds on it pays to put the message in order beforehand. */
enum { MANY_ROUNDS = 64 };

void blake2f(u64 h[8], const u64 m[16], const u64 t[2], bool final, u32 rounds)
{
#if defined(__x86_64__)
    if (rounds >= MANY_ROUNDS && __builtin_cpu_supports("avx2")) {
        compress_avx2(h, m, t, final, rounds);
        return;
    }
    if (LIKELY(__builtin_cpu_supports("bmi2"))) {
        compress_bmi2(h, m, t, final, rounds);
        return;
    }
#endif
    compress(h, m, t, final, rounds);
}
