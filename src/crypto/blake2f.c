#include "crypto/blake2f.h"

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
#endif

void blake2f(u64 h[8], const u64 m[16], const u64 t[2], bool final, u32 rounds)
{
#if defined(__x86_64__)
    if (LIKELY(__builtin_cpu_supports("bmi2"))) {
        compress_bmi2(h, m, t, final, rounds);
        return;
    }
#endif
    compress(h, m, t, final, rounds);
}
