#include "evm/precompile.h"

#include <string.h>

#include "base/assert.h"
#include "crypto/blake2f.h"
#include "crypto/bls12381.h"
#include "crypto/bn254.h"
#include "crypto/kzg.h"
#include "crypto/modexp.h"
#include "crypto/p256.h"
#include "crypto/ripemd160.h"
#include "crypto/secp256k1.h"
#include "crypto/sha256.h"
#include "prim/u256.h"

static const u64 GAS_NEVER = ~(u64)0;

/* --- input and output ----------------------------------------------------------------------- */

/* The len bytes of the input from offset on; where the input has ended, zeroes. */
static void take(u8 *out, u64 offset, size_t len, const u8 *in, size_t in_len)
{
    size_t have = offset < in_len ? in_len - (size_t)offset : 0;
    have = have < len ? have : len;
    if (have)
        memcpy(out, in + offset, have);
    memset(out + have, 0, len - have);
}

static bool answer(const u8 **out, size_t *out_len, const u8 *bytes, size_t len)
{
    *out = bytes;
    *out_len = len;
    return true;
}

/* Success without a word: what some of these say of a bad signature. */
static bool answer_nothing(const u8 **out, size_t *out_len)
{
    return answer(out, out_len, NULL, 0);
}

static bool answer_bool(const u8 **out, size_t *out_len, bool value)
{
    static const u8 words[2][32] = {[1] = {[31] = 1}};
    return answer(out, out_len, words[value], 32);
}

/* base + a word's price for each 32 bytes begun. */
static u64 gas_by_word(u64 base, u64 word, size_t len)
{
    return base + word * ((len + 31) / 32);
}

/* --- 0x01 to 0x04: Yellow Paper, appendix E ---------------------------------------------------- */

static u64 ecrecover_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 3000;
}

static bool ecrecover_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena)
{
    u8 padded[128];
    take(padded, 0, sizeof padded, in, len);
    hash32 hash;
    struct signature sig;
    memcpy(hash.b, padded, 32);
    memcpy(sig.r.b, padded + 64, 32);
    memcpy(sig.s.b, padded + 96, 32);
    u256 v = u256_load_be(padded + 32);
    if (!u256_fits_u64(v) || v.w[0] < 27 || v.w[0] > 28)
        return answer_nothing(out, out_len);
    sig.parity = (u8)(v.w[0] - 27);
    addr20 addr;
    if (!secp256k1_recover(&addr, &hash, &sig))
        return answer_nothing(out, out_len);
    u8 *word = arena_zalloc(arena, 32);
    memcpy(word + 12, addr.b, 20);
    return answer(out, out_len, word, 32);
}

static u64 sha256_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return gas_by_word(60, 12, len);
}

static bool sha256_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                       struct arena *arena)
{
    hash32 *hash = arena_alloc(arena, sizeof *hash);
    sha256(hash, in, len);
    return answer(out, out_len, hash->b, 32);
}

static u64 ripemd160_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return gas_by_word(600, 120, len);
}

static bool ripemd160_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena)
{
    u8 *word = arena_zalloc(arena, 32);
    ripemd160(word + 12, in, len);
    return answer(out, out_len, word, 32);
}

static u64 identity_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return gas_by_word(15, 3, len);
}

static bool identity_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                         struct arena *arena)
{
    (void)arena;
    return answer(out, out_len, in, len);
}

/* --- 0x05: modular exponentiation ----------------------------------------------------------- */

enum { MODEXP_HEADER = 96 };

/* The lengths of the three numbers; 2^64 - 1 stands for everything above. */
struct modexp_lengths {
    u64 base, exponent, modulus;
};

static struct modexp_lengths modexp_lengths(const u8 *in, size_t len)
{
    u8 header[MODEXP_HEADER];
    take(header, 0, sizeof header, in, len);
    return (struct modexp_lengths){
        .base = u256_to_u64_sat(u256_load_be(header)),
        .exponent = u256_to_u64_sat(u256_load_be(header + 32)),
        .modulus = u256_to_u64_sat(u256_load_be(header + 64)),
    };
}

/*
 * About how many squarings the exponent asks for: the position of its highest bit, exact within its
 * first 32 bytes; each byte after those counts as byte_weight.
 */
static u128 modexp_iterations(struct modexp_lengths lens, unsigned byte_weight, const u8 *in,
                              size_t len)
{
    u64 head_len = lens.exponent < 32 ? lens.exponent : 32;
    u8 head[32];
    u64 offset = lens.base > GAS_NEVER - MODEXP_HEADER ? GAS_NEVER : MODEXP_HEADER + lens.base;
    take(head, offset, (size_t)head_len, in, len);
    unsigned bits = u256_bits(u256_load_be_n(head, (size_t)head_len));
    u128 n = bits ? bits - 1 : 0;
    n += (u128)byte_weight * (lens.exponent - head_len);
    return n ? n : 1;
}

/* EIP-198: the work of one multiplication of numbers of x bytes. */
static u64 modexp_work_198(u64 x)
{
    if (x <= 64)
        return x * x;
    if (x <= 1024)
        return x * x / 4 + 96 * x - 3072;
    return x * x / 16 + 480 * x - 199680;
}

/* EIP-2565 counts in words; EIP-7883 doubles that and has a floor. */
static u64 modexp_work_2565(u64 x)
{
    u64 words = (x + 7) / 8;
    return words * words;
}

static u64 modexp_work_7883(u64 x)
{
    return x <= 32 ? 16 : 2 * modexp_work_2565(x);
}

static u64 modexp_gas(enum fork fork, const u8 *in, size_t len)
{
    struct modexp_lengths lens = modexp_lengths(in, len);
    u64 longest = lens.base > lens.modulus ? lens.base : lens.modulus;
    /* EIP-7823: no number may have more than 1024 bytes. */
    if (fork >= FORK_OSAKA && (longest > 1024 || lens.exponent > 1024))
        return GAS_NEVER;
    /* Beyond this one multiplication alone is dearer than any block, and its square would not fit. */
    if (longest > (u64)1 << 32)
        return GAS_NEVER;
    u128 gas, least = 0;
    if (fork >= FORK_OSAKA) {
        /* EIP-7883 */
        gas = modexp_work_7883(longest) * modexp_iterations(lens, 16, in, len);
        least = 500;
    } else if (fork >= FORK_BERLIN) {
        /* EIP-2565 */
        gas = modexp_work_2565(longest) * modexp_iterations(lens, 8, in, len) / 3;
        least = 200;
    } else {
        gas = modexp_work_198(longest) * modexp_iterations(lens, 8, in, len) / 20;
    }
    gas = gas < least ? least : gas;
    return gas > GAS_NEVER ? GAS_NEVER : (u64)gas;
}

static bool modexp_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                       struct arena *arena)
{
    struct modexp_lengths lens = modexp_lengths(in, len);
    if (lens.modulus == 0)
        return answer_nothing(out, out_len);
    u8 *base = arena_alloc(arena, lens.base);
    u8 *exponent = arena_alloc(arena, lens.exponent);
    u8 *modulus = arena_alloc(arena, lens.modulus);
    u8 *result = arena_alloc(arena, lens.modulus);
    u64 at = MODEXP_HEADER;
    take(base, at, lens.base, in, len);
    take(exponent, at += lens.base, lens.exponent, in, len);
    take(modulus, at += lens.exponent, lens.modulus, in, len);
    modexp(result, base, lens.base, exponent, lens.exponent, modulus, lens.modulus);
    return answer(out, out_len, result, lens.modulus);
}

/* --- 0x06 to 0x08: bn254, EIP-196 and EIP-197; prices since Istanbul from EIP-1108 ---------------- */

static u64 bn254_add_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)in, (void)len;
    return fork >= FORK_ISTANBUL ? 150 : 500;
}

static bool bn254_add_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena)
{
    u8 padded[2 * BN254_G1_SIZE];
    take(padded, 0, sizeof padded, in, len);
    u8 *sum = arena_alloc(arena, BN254_G1_SIZE);
    return bn254_add(sum, padded) && answer(out, out_len, sum, BN254_G1_SIZE);
}

static u64 bn254_mul_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)in, (void)len;
    return fork >= FORK_ISTANBUL ? 6000 : 40000;
}

static bool bn254_mul_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena)
{
    u8 padded[BN254_G1_SIZE + 32];
    take(padded, 0, sizeof padded, in, len);
    u8 *product = arena_alloc(arena, BN254_G1_SIZE);
    return bn254_mul(product, padded) && answer(out, out_len, product, BN254_G1_SIZE);
}

static u64 bn254_pairing_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)in;
    u64 pairs = len / BN254_PAIR_SIZE;
    return fork >= FORK_ISTANBUL ? 45000 + 34000 * pairs : 100000 + 80000 * pairs;
}

static bool bn254_pairing_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                              struct arena *arena)
{
    (void)arena;
    bool is_one;
    return len % BN254_PAIR_SIZE == 0 && bn254_pairing(&is_one, in, len / BN254_PAIR_SIZE) &&
           answer_bool(out, out_len, is_one);
}

/* --- 0x09: EIP-152 -------------------------------------------------------------------------- */

enum { BLAKE2F_SIZE = 213 };

static u32 blake2f_rounds(const u8 *in)
{
    return (u32)in[0] << 24 | (u32)in[1] << 16 | (u32)in[2] << 8 | in[3];
}

static u64 blake2f_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork;
    return len == BLAKE2F_SIZE ? blake2f_rounds(in) : 0;
}

/* Its words are little-endian. */
static void blake2f_words(u64 *out, size_t count, const u8 *in)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = 0;
        for (int j = 7; j >= 0; j--)
            out[i] = out[i] << 8 | in[8 * i + (size_t)j];
    }
}

static bool blake2f_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                        struct arena *arena)
{
    if (len != BLAKE2F_SIZE || in[212] > 1)
        return false;
    u64 h[8], m[16], t[2];
    blake2f_words(h, 8, in + 4);
    blake2f_words(m, 16, in + 68);
    blake2f_words(t, 2, in + 196);
    blake2f(h, m, t, in[212], blake2f_rounds(in));
    u8 *bytes = arena_alloc(arena, 64);
    for (int i = 0; i < 64; i++)
        bytes[i] = (u8)(h[i / 8] >> i % 8 * 8);
    return answer(out, out_len, bytes, 64);
}

/* --- 0x0a: EIP-4844 ------------------------------------------------------------------------- */

static u64 point_evaluation_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 50000;
}

static bool point_evaluation_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                                 struct arena *arena)
{
    /* The number of field elements of a blob, and the order of their field. */
    static const u8 result[64] = {
        [30] = 0x10, [32] = 0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39,
        0xd8,        0x08,        0x09, 0xa1, 0xd8, 0x05, 0x53, 0xbd, 0xa4, 0x02, 0xff,
        0xfe,        0x5b,        0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01};
    (void)arena;
    if (len != 192)
        return false;
    hash32 versioned, z, y;
    kzg48 commitment, proof;
    memcpy(versioned.b, in, 32);
    memcpy(z.b, in + 32, 32);
    memcpy(y.b, in + 64, 32);
    memcpy(commitment.b, in + 96, 48);
    memcpy(proof.b, in + 144, 48);
    hash32 expected = kzg_versioned_hash(&commitment);
    return hash32_eq(&versioned, &expected) &&
           kzg_verify_point(&commitment, &z, &y, &proof) == KZG_OK &&
           answer(out, out_len, result, sizeof result);
}

/* --- 0x0b to 0x11: EIP-2537 ----------------------------------------------------------------- */

enum {
    G1_TERM = BLS_G1_SIZE + BLS_SCALAR_SIZE,
    G2_TERM = BLS_G2_SIZE + BLS_SCALAR_SIZE,
    BLS_PAIR_SIZE = BLS_G1_SIZE + BLS_G2_SIZE,
    MSM_TABLE = 128,
};

/* Thousandths of the price of a multiplication that each of 1, 2, ... 128 terms of a sum costs. */
static const u16 g1_discounts[MSM_TABLE] = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665,
    661,  658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615,
    613,  611, 609, 608, 606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585,
    584,  582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563,
    562,  561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545,
    544,  543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529,
    528,  528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519};
static const u16 g2_discounts[MSM_TABLE] = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699,
    693,  688,  683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629,
    627,  624,  622, 620, 618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592,
    590,  589,  587, 586, 584, 583, 582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567,
    566,  565,  563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548,
    547,  546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533,
    532,  532,  531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524};

static u64 msm_gas(const u16 discounts[MSM_TABLE], u64 multiplication, u64 terms)
{
    if (terms == 0)
        return 0;
    u64 row = terms < MSM_TABLE ? terms : MSM_TABLE;
    return terms * multiplication * discounts[row - 1] / 1000;
}

static u64 bls_g1_add_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 375;
}

static bool bls_g1_add_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                           struct arena *arena)
{
    u8 *sum = arena_alloc(arena, BLS_G1_SIZE);
    return len == 2 * BLS_G1_SIZE && bls_g1_add(sum, in) && answer(out, out_len, sum, BLS_G1_SIZE);
}

static u64 bls_g1_msm_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return msm_gas(g1_discounts, 12000, len / G1_TERM);
}

static bool bls_g1_msm_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                           struct arena *arena)
{
    if (len == 0 || len % G1_TERM)
        return false;
    u8 *sum = arena_alloc(arena, BLS_G1_SIZE);
    return bls_g1_msm(sum, in, len / G1_TERM, arena) && answer(out, out_len, sum, BLS_G1_SIZE);
}

static u64 bls_g2_add_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 600;
}

static bool bls_g2_add_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                           struct arena *arena)
{
    u8 *sum = arena_alloc(arena, BLS_G2_SIZE);
    return len == 2 * BLS_G2_SIZE && bls_g2_add(sum, in) && answer(out, out_len, sum, BLS_G2_SIZE);
}

static u64 bls_g2_msm_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return msm_gas(g2_discounts, 22500, len / G2_TERM);
}

static bool bls_g2_msm_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                           struct arena *arena)
{
    if (len == 0 || len % G2_TERM)
        return false;
    u8 *sum = arena_alloc(arena, BLS_G2_SIZE);
    return bls_g2_msm(sum, in, len / G2_TERM, arena) && answer(out, out_len, sum, BLS_G2_SIZE);
}

static u64 bls_pairing_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in;
    return 37700 + 32600 * (u64)(len / BLS_PAIR_SIZE);
}

static bool bls_pairing_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                            struct arena *arena)
{
    bool is_one;
    return len != 0 && len % BLS_PAIR_SIZE == 0 &&
           bls_pairing(&is_one, in, len / BLS_PAIR_SIZE, arena) &&
           answer_bool(out, out_len, is_one);
}

static u64 bls_map_fp_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 5500;
}

static bool bls_map_fp_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                           struct arena *arena)
{
    u8 *point = arena_alloc(arena, BLS_G1_SIZE);
    return len == BLS_FP_SIZE && bls_map_fp(point, in) && answer(out, out_len, point, BLS_G1_SIZE);
}

static u64 bls_map_fp2_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 23800;
}

static bool bls_map_fp2_run(const u8 **out, size_t *out_len, const u8 *in, size_t len,
                            struct arena *arena)
{
    u8 *point = arena_alloc(arena, BLS_G2_SIZE);
    return len == 2 * BLS_FP_SIZE && bls_map_fp2(point, in) &&
           answer(out, out_len, point, BLS_G2_SIZE);
}

/* --- 0x100: EIP-7951 ------------------------------------------------------------------------ */

static u64 p256_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 6900;
}

static bool p256_run(const u8 **out, size_t *out_len, const u8 *in, size_t len, struct arena *arena)
{
    (void)arena;
    hash32 fields[5]; /* hash, r, s, x, y */
    if (len != sizeof fields)
        return answer_nothing(out, out_len);
    memcpy(fields, in, sizeof fields);
    if (!p256_verify(&fields[0], &fields[1], &fields[2], &fields[3], &fields[4]))
        return answer_nothing(out, out_len);
    return answer_bool(out, out_len, true);
}

/* --- the table ------------------------------------------------------------------------------ */

#define ROW(address, fork, name) {address, FORK_##fork, #name, name##_gas, name##_run}

const struct precompile PRECOMPILES[PRECOMPILE_COUNT] = {
    ROW(0x01, FRONTIER, ecrecover),  ROW(0x02, FRONTIER, sha256),
    ROW(0x03, FRONTIER, ripemd160),  ROW(0x04, FRONTIER, identity),
    ROW(0x05, BYZANTIUM, modexp),    ROW(0x06, BYZANTIUM, bn254_add),
    ROW(0x07, BYZANTIUM, bn254_mul), ROW(0x08, BYZANTIUM, bn254_pairing),
    ROW(0x09, ISTANBUL, blake2f),    ROW(0x0a, CANCUN, point_evaluation),
    ROW(0x0b, PRAGUE, bls_g1_add),   ROW(0x0c, PRAGUE, bls_g1_msm),
    ROW(0x0d, PRAGUE, bls_g2_add),   ROW(0x0e, PRAGUE, bls_g2_msm),
    ROW(0x0f, PRAGUE, bls_pairing),  ROW(0x10, PRAGUE, bls_map_fp),
    ROW(0x11, PRAGUE, bls_map_fp2),  ROW(0x100, OSAKA, p256),
};

const struct precompile *precompile_find(enum fork fork, const addr20 *addr)
{
    static const u8 zeroes[18];
    if (LIKELY(memcmp(addr->b, zeroes, sizeof zeroes) != 0))
        return NULL;
    unsigned low = (unsigned)addr->b[18] << 8 | addr->b[19];
    /* The first seventeen stand in the row before their address. */
    unsigned row = low == 0x100 ? PRECOMPILE_COUNT - 1 : low - 1;
    if (row >= PRECOMPILE_COUNT || PRECOMPILES[row].address != low || PRECOMPILES[row].since > fork)
        return NULL;
    return &PRECOMPILES[row];
}

const struct precompile *precompile_find_among(const struct precompile_overrides *overrides,
                                               enum fork fork, const addr20 *addr)
{
    for (u32 i = 0; overrides && i < overrides->count; i++)
        if (addr20_eq(&overrides->rows[i].addr, addr))
            return overrides->rows[i].precompile;
    return precompile_find(fork, addr);
}

void precompile_override(struct precompile_overrides *overrides, const addr20 *addr,
                         const struct precompile *precompile)
{
    u32 at = 0;
    while (at < overrides->count && !addr20_eq(&overrides->rows[at].addr, addr))
        at++;
    assert(at < ARRAY_LEN(overrides->rows));
    overrides->rows[at].addr = *addr;
    overrides->rows[at].precompile = precompile;
    if (at == overrides->count)
        overrides->count++;
}

addr20 precompile_addr(const struct precompile *precompile)
{
    addr20 addr = {{0}};
    addr.b[18] = (u8)(precompile->address >> 8);
    addr.b[19] = (u8)precompile->address;
    return addr;
}
