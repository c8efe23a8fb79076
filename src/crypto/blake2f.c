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
static void order_message(__m128i out[8], const u64 m[16], const u8 s[16])
{
    const u64 words[4][4] = {
        {m[s[0]], m[s[2]], m[s[4]], m[s[6]]},
        {m[s[1]], m[s[3]], m[s[5]], m[s[7]]},
        {m[s[14]], m[s[8]], m[s[10]], m[s[12]]},
        {m[s[15]], m[s[9]], m[s[11]], m[s[13]]},
    };
    memcpy(out, words, sizeof words);
}

/* The compiler must take x as it stands here. Without this it adds b before the message, on which nothing waits, and
 * makes two instructions of a shuffle whose pattern it knows: a fifth more time. */
#    define SETTLED(x) __asm__("" : "+x"(x))

/* The steps of MIX on register i of each row. Both registers go through them abreast: each step waits for the one
 * before it. */
#    define ADD_WORDS(i, words)                     \
        do {                                        \
            a##i = _mm_add_epi64(a##i, (words)[i]); \
            SETTLED(a##i);                          \
        } while (0)
#    define ADD_B(i)    a##i = _mm_add_epi64(a##i, b##i)
#    define TURN_D32(i) d##i = _mm_shuffle_epi32(_mm_xor_si128(d##i, a##i), 0xb1)
#    define TURN_D16(i) d##i = _mm_shuffle_epi8(_mm_xor_si128(d##i, a##i), by16)
#    define ADD_D(i)    c##i = _mm_add_epi64(c##i, d##i), b##i = _mm_xor_si128(b##i, c##i)
#    define TURN_B24(i) b##i = _mm_shuffle_epi8(b##i, by24)
#    define TURN_B63(i) b##i = _mm_or_si128(_mm_add_epi64(b##i, b##i), _mm_srli_epi64(b##i, 63))
#    define MIX_ROWS(words)            \
        do {                           \
            ADD_WORDS(0, words);       \
            ADD_B(0);                  \
            ADD_WORDS(1, words);       \
            ADD_B(1);                  \
            TURN_D32(0), TURN_D32(1);  \
            ADD_D(0), ADD_D(1);        \
            ADD_WORDS(0, (words) + 2); \
            TURN_B24(0), ADD_B(0);     \
            ADD_WORDS(1, (words) + 2); \
            TURN_B24(1), ADD_B(1);     \
            TURN_D16(0), TURN_D16(1);  \
            ADD_D(0), ADD_D(1);        \
            TURN_B63(0), TURN_B63(1);  \
        } while (0)

/* The four lanes of a row by one place: down is 1 2 3 0, up 3 0 1 2. */
#    define TURN_DOWN(x)                            \
        do {                                        \
            __m128i first = x##0;                   \
            x##0 = _mm_alignr_epi8(x##1, x##0, 8);  \
            x##1 = _mm_alignr_epi8(first, x##1, 8); \
        } while (0)
#    define TURN_UP(x)                              \
        do {                                        \
            __m128i first = x##0;                   \
            x##0 = _mm_alignr_epi8(x##0, x##1, 8);  \
            x##1 = _mm_alignr_epi8(x##1, first, 8); \
        } while (0)
#    define SWAP(x)               \
        do {                      \
            __m128i first = x##0; \
            x##0 = x##1;          \
            x##1 = first;         \
        } while (0)

#    define LOAD(words)     _mm_loadu_si128((const __m128i *)(words))
#    define STORE(words, x) _mm_storeu_si128((__m128i *)(words), x)

/* Four columns or diagonals side by side, each row in two registers of 128 bits: turning a row of 256 bits takes
 * three cycles on some of AMD's processors, and swapping two registers none. The message is put in order once for
 * all rounds. */
__attribute__((target("avx"))) static void compress_avx(u64 h[8], const u64 m[16], const u64 t[2],
                                                        bool final, u32 rounds)
{
    const __m128i by24 = _mm_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    __m128i by16 = _mm_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    SETTLED(by16);
    const u64 last[4] = {iv[4] ^ t[0], iv[5] ^ t[1], final ? ~iv[6] : iv[6], iv[7]};
    __m128i words[10][8];
    for (int i = 0; i < 10; i++)
        order_message(words[i], m, SIGMA[i]);
    __m128i a0 = LOAD(&h[0]), a1 = LOAD(&h[2]), b0 = LOAD(&h[4]), b1 = LOAD(&h[6]);
    __m128i c0 = LOAD(&iv[0]), c1 = LOAD(&iv[2]), d0 = LOAD(&last[0]), d1 = LOAD(&last[2]);
    for (u32 i = 0, row = 0; i < rounds; i++, row = row == 9 ? 0 : row + 1) {
        MIX_ROWS(&words[row][0]);
        TURN_UP(a);
        TURN_DOWN(c);
        SWAP(d);
        MIX_ROWS(&words[row][4]);
        TURN_DOWN(a);
        TURN_UP(c);
        SWAP(d);
    }
    STORE(&h[0], _mm_xor_si128(LOAD(&h[0]), _mm_xor_si128(a0, c0)));
    STORE(&h[2], _mm_xor_si128(LOAD(&h[2]), _mm_xor_si128(a1, c1)));
    STORE(&h[4], _mm_xor_si128(LOAD(&h[4]), _mm_xor_si128(b0, d0)));
    STORE(&h[6], _mm_xor_si128(LOAD(&h[6]), _mm_xor_si128(b1, d1)));
}
#endif

/* From so many rounds on it pays to put the message in order beforehand. */
enum { MANY_ROUNDS = 64 };

void blake2f(u64 h[8], const u64 m[16], const u64 t[2], bool final, u32 rounds)
{
#if defined(__x86_64__)
    if (rounds >= MANY_ROUNDS && __builtin_cpu_supports("avx")) {
        compress_avx(h, m, t, final, rounds);
        return;
    }
    if (LIKELY(__builtin_cpu_supports("bmi2"))) {
        compress_bmi2(h, m, t, final, rounds);
        return;
    }
#endif
    compress(h, m, t, final, rounds);
}
