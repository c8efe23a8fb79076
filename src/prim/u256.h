/*
 * The EVM's word: an unsigned 256-bit integer as four 64-bit limbs, least significant first.
 * Values are passed by value; every operation wraps modulo 2^256 unless it says otherwise.
 * Operations named after an opcode (byte, signextend, sdiv, ...) have exactly its meaning and its
 * order of operands; division by zero gives zero (Yellow Paper, appendix H).
 * Running time depends on the operands: nothing here may touch a secret.
 */
#pragma once

#include <string.h>

#include "base/types.h"
#include "prim/hash32.h"

typedef struct {
    u64 w[4];
} u256;

#define U256_ZERO ((u256){{0, 0, 0, 0}})
#define U256_ONE  ((u256){{1, 0, 0, 0}})
#define U256_MAX  ((u256){{~(u64)0, ~(u64)0, ~(u64)0, ~(u64)0}})

/* Longest texts of the formats below, with the terminating NUL. */
enum { U256_HEX_MAX = 67, U256_DEC_MAX = 79 };

/* --- limbs ---------------------------------------------------------------------------------- */

/* a + b + *carry; *carry becomes the carry out. Spelt so that each compiler makes an adc chain. */
static inline u64 limb_add(u64 a, u64 b, u64 *carry)
{
#if defined(__clang__)
    unsigned long long out;
    u64 sum = __builtin_addcll(a, b, *carry, &out);
    *carry = out;
    return sum;
#elif defined(__x86_64__)
    unsigned long long sum;
    *carry = __builtin_ia32_addcarryx_u64((unsigned char)*carry, a, b, &sum);
    return sum;
#else
    u128 sum = (u128)a + b + *carry;
    *carry = (u64)(sum >> 64);
    return (u64)sum;
#endif
}

/* a - b - *borrow; *borrow becomes the borrow out. */
static inline u64 limb_sub(u64 a, u64 b, u64 *borrow)
{
#if defined(__clang__)
    unsigned long long out;
    u64 diff = __builtin_subcll(a, b, *borrow, &out);
    *borrow = out;
    return diff;
#elif defined(__x86_64__)
    unsigned long long diff;
    *borrow = __builtin_ia32_sbb_u64((unsigned char)*borrow, a, b, &diff);
    return diff;
#else
    u128 diff = (u128)a - b - *borrow;
    *borrow = (u64)(diff >> 64) & 1;
    return (u64)diff;
#endif
}

/* --- making and comparing ------------------------------------------------------------------- */

static inline u256 u256_from_u64(u64 v)
{
    return (u256){{v, 0, 0, 0}};
}

static inline u256 u256_from_u128(u128 v)
{
    return (u256){{(u64)v, (u64)(v >> 64), 0, 0}};
}

static inline u64 u256_low(u256 a)
{
    return a.w[0];
}

static inline bool u256_fits_u64(u256 a)
{
    return (a.w[1] | a.w[2] | a.w[3]) == 0;
}

/* The value, or 2^64 - 1 when it does not fit: for sizes and offsets that run out of gas anyway. */
static inline u64 u256_to_u64_sat(u256 a)
{
    return u256_fits_u64(a) ? a.w[0] : ~(u64)0;
}

static inline bool u256_is_zero(u256 a)
{
    return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0;
}

static inline bool u256_eq(u256 a, u256 b)
{
    return ((a.w[0] ^ b.w[0]) | (a.w[1] ^ b.w[1]) | (a.w[2] ^ b.w[2]) | (a.w[3] ^ b.w[3])) == 0;
}

#if defined(__clang__) && __BITINT_MAXWIDTH__ >= 256
/* Where Clang has integers as wide, it compares them by one chain of cmp and sbb, and limbs by three times that. */
typedef unsigned _BitInt(256) u256_wide;

static inline u256_wide u256_widen(u256 a)
{
    return (u256_wide)a.w[3] << 192 | (u256_wide)a.w[2] << 128 | (u256_wide)a.w[1] << 64 | a.w[0];
}

static inline bool u256_lt(u256 a, u256 b)
{
    return u256_widen(a) < u256_widen(b);
}
#else
static inline bool u256_lt(u256 a, u256 b)
{
    u64 borrow = 0;
    for (int i = 0; i < 4; i++)
        limb_sub(a.w[i], b.w[i], &borrow);
    return borrow;
}
#endif

/* Less than, both read as two's complement. */
static inline bool u256_slt(u256 a, u256 b)
{
    const u64 sign = (u64)1 << 63;
    a.w[3] ^= sign;
    b.w[3] ^= sign;
    return u256_lt(a, b);
}

/* Negative, zero or positive as a is less than, equal to or greater than b. */
static inline int u256_cmp(u256 a, u256 b)
{
    return u256_lt(b, a) - u256_lt(a, b);
}

static inline bool u256_is_negative(u256 a)
{
    return a.w[3] >> 63;
}

/* --- adding and multiplying ----------------------------------------------------------------- */

/* Returns the carry out of bit 255. */
static inline bool u256_add_carry(u256 *out, u256 a, u256 b)
{
    u64 carry = 0;
    u256 r;
    r.w[0] = limb_add(a.w[0], b.w[0], &carry);
    r.w[1] = limb_add(a.w[1], b.w[1], &carry);
    r.w[2] = limb_add(a.w[2], b.w[2], &carry);
    r.w[3] = limb_add(a.w[3], b.w[3], &carry);
    *out = r;
    return carry;
}

/* Returns whether b is greater than a. */
static inline bool u256_sub_borrow(u256 *out, u256 a, u256 b)
{
    u64 borrow = 0;
    u256 r;
    r.w[0] = limb_sub(a.w[0], b.w[0], &borrow);
    r.w[1] = limb_sub(a.w[1], b.w[1], &borrow);
    r.w[2] = limb_sub(a.w[2], b.w[2], &borrow);
    r.w[3] = limb_sub(a.w[3], b.w[3], &borrow);
    *out = r;
    return borrow;
}

static inline u256 u256_add(u256 a, u256 b)
{
    u256 r;
    u256_add_carry(&r, a, b);
    return r;
}

static inline u256 u256_sub(u256 a, u256 b)
{
    u256 r;
    u256_sub_borrow(&r, a, b);
    return r;
}

static inline u256 u256_neg(u256 a)
{
    return u256_sub(U256_ZERO, a);
}

/* a * b + c + d, which cannot pass 128 bits; *hi takes the upper half. */
static inline u64 limb_mul_add2(u64 a, u64 b, u64 c, u64 d, u64 *hi)
{
    u128 r = (u128)a * b + c + d;
    *hi = (u64)(r >> 64);
    return (u64)r;
}

static inline u256 u256_mul(u256 a, u256 b)
{
    u64 c;
    u256 r;
    r.w[0] = limb_mul_add2(a.w[0], b.w[0], 0, 0, &c);
    r.w[1] = limb_mul_add2(a.w[0], b.w[1], c, 0, &c);
    r.w[2] = limb_mul_add2(a.w[0], b.w[2], c, 0, &c);
    r.w[3] = a.w[0] * b.w[3] + c;
    r.w[1] = limb_mul_add2(a.w[1], b.w[0], r.w[1], 0, &c);
    r.w[2] = limb_mul_add2(a.w[1], b.w[1], r.w[2], c, &c);
    r.w[3] += a.w[1] * b.w[2] + c;
    r.w[2] = limb_mul_add2(a.w[2], b.w[0], r.w[2], 0, &c);
    r.w[3] += a.w[2] * b.w[1] + c;
    r.w[3] += a.w[3] * b.w[0];
    return r;
}

/* --- bits ----------------------------------------------------------------------------------- */

static inline u256 u256_and(u256 a, u256 b)
{
    return (u256){{a.w[0] & b.w[0], a.w[1] & b.w[1], a.w[2] & b.w[2], a.w[3] & b.w[3]}};
}

static inline u256 u256_or(u256 a, u256 b)
{
    return (u256){{a.w[0] | b.w[0], a.w[1] | b.w[1], a.w[2] | b.w[2], a.w[3] | b.w[3]}};
}

static inline u256 u256_xor(u256 a, u256 b)
{
    return (u256){{a.w[0] ^ b.w[0], a.w[1] ^ b.w[1], a.w[2] ^ b.w[2], a.w[3] ^ b.w[3]}};
}

static inline u256 u256_not(u256 a)
{
    return (u256){{~a.w[0], ~a.w[1], ~a.w[2], ~a.w[3]}};
}

/* The shifts by an unsigned take any count; 256 and more shift everything out. */
static inline u256 u256_shl(u256 a, unsigned n)
{
    if (n >= 256)
        return U256_ZERO;
    if (n & 128)
        a = (u256){{0, 0, a.w[0], a.w[1]}};
    if (n & 64)
        a = (u256){{0, a.w[0], a.w[1], a.w[2]}};
    unsigned s = n & 63, t = 63 - s;
    return (u256){{a.w[0] << s, a.w[1] << s | a.w[0] >> 1 >> t, a.w[2] << s | a.w[1] >> 1 >> t,
                   a.w[3] << s | a.w[2] >> 1 >> t}};
}

/* Shifts right and fills from the left with the bits of fill, which is 0 or ~0. */
static inline u256 u256_shift_in(u256 a, unsigned n, u64 fill)
{
    if (n >= 256)
        return (u256){{fill, fill, fill, fill}};
    if (n & 128)
        a = (u256){{a.w[2], a.w[3], fill, fill}};
    if (n & 64)
        a = (u256){{a.w[1], a.w[2], a.w[3], fill}};
    unsigned s = n & 63, t = 63 - s;
    return (u256){{a.w[0] >> s | a.w[1] << 1 << t, a.w[1] >> s | a.w[2] << 1 << t,
                   a.w[2] >> s | a.w[3] << 1 << t, a.w[3] >> s | fill << 1 << t}};
}

static inline u256 u256_shr(u256 a, unsigned n)
{
    return u256_shift_in(a, n, 0);
}

static inline u256 u256_sar(u256 a, unsigned n)
{
    return u256_shift_in(a, n, (u64)((i64)a.w[3] >> 63));
}

/* A shift count given as a word, for the functions above. */
static inline unsigned u256_shift_count(u256 n)
{
    return u256_fits_u64(n) && n.w[0] < 256 ? (unsigned)n.w[0] : 256;
}

static inline u256 u256_shl_by(u256 a, u256 n)
{
    return u256_shl(a, u256_shift_count(n));
}

static inline u256 u256_shr_by(u256 a, u256 n)
{
    return u256_shr(a, u256_shift_count(n));
}

static inline u256 u256_sar_by(u256 a, u256 n)
{
    return u256_sar(a, u256_shift_count(n));
}

/* BYTE: byte i of x, counted from the most significant; zero when i is 32 or more. */
static inline u256 u256_byte(u256 i, u256 x)
{
    if (!u256_fits_u64(i) || i.w[0] >= 32)
        return U256_ZERO;
    unsigned n = 31 - (unsigned)i.w[0];
    return u256_from_u64(x.w[n >> 3] >> (n & 7) * 8 & 0xff);
}

/* SIGNEXTEND: x, whose i + 1 low bytes are two's complement, widened to the whole word. */
static inline u256 u256_signextend(u256 i, u256 x)
{
    if (!u256_fits_u64(i) || i.w[0] >= 31)
        return x;
    unsigned n = 248 - 8 * (unsigned)i.w[0];
    return u256_sar(u256_shl(x, n), n);
}

/* Number of bits up to the highest set one; 0 for zero. */
static inline unsigned u256_bits(u256 a)
{
    for (int i = 3; i >= 0; i--)
        if (a.w[i])
            return 64 * (unsigned)i + 64 - (unsigned)__builtin_clzll(a.w[i]);
    return 0;
}

/* CLZ (EIP-7939): leading zero bits; 256 for zero. */
static inline unsigned u256_clz(u256 a)
{
    return 256 - u256_bits(a);
}

/* --- dividing ------------------------------------------------------------------------------- */

u256 u256_div(u256 a, u256 b);
u256 u256_mod(u256 a, u256 b);
void u256_divmod(u256 *quotient, u256 *remainder, u256 a, u256 b);
u256 u256_sdiv(u256 a, u256 b);
u256 u256_smod(u256 a, u256 b);
u256 u256_addmod(u256 a, u256 b, u256 m); /* the sum is not wrapped before the division */
u256 u256_mulmod(u256 a, u256 b, u256 m); /* nor is the product */
u256 u256_exp(u256 base, u256 exponent);

/* True when the product passes 2^256; *out is the wrapped product either way. */
bool u256_mul_overflow(u256 *out, u256 a, u256 b);

/*
 * A divisor prepared once and used often. Preparing costs about one division. Zero is a divisor
 * too: everything divided by it is zero. The fields are private; the struct may be copied.
 */
struct u256_divisor {
    u256 value;     /* as given */
    u256 shifted;   /* value << shift: its top limb has the top bit set */
    u64 reciprocal; /* of the top two limbs of shifted (the top one, when there is only one) */
    unsigned shift; /* 0 to 63 */
    unsigned limbs; /* 1 to 4; 0 for a divisor of zero */
    bool is_wide;
    u256 inverse; /* of shifted, to 256 bits; once widened */
};

void u256_divisor_init(struct u256_divisor *divisor, u256 value);

/* Makes mulmod by a divisor of four limbs about twice as fast, for the price of two divisions. */
void u256_divisor_widen(struct u256_divisor *divisor);

u256 u256_div_prepared(u256 a, const struct u256_divisor *divisor);
u256 u256_mod_prepared(u256 a, const struct u256_divisor *divisor);
u256 u256_addmod_prepared(u256 a, u256 b, const struct u256_divisor *divisor);
u256 u256_mulmod_prepared(u256 a, u256 b, const struct u256_divisor *divisor);

/* --- bytes and text ------------------------------------------------------------------------- */

static inline u256 u256_load_be(const u8 bytes[32])
{
    u64 w[4];
    memcpy(w, bytes, 32);
    return (u256){{__builtin_bswap64(w[3]), __builtin_bswap64(w[2]), __builtin_bswap64(w[1]),
                   __builtin_bswap64(w[0])}};
}

static inline void u256_store_be(u8 bytes[32], u256 a)
{
    u64 w[4] = {__builtin_bswap64(a.w[3]), __builtin_bswap64(a.w[2]), __builtin_bswap64(a.w[1]),
                __builtin_bswap64(a.w[0])};
    memcpy(bytes, w, 32);
}

/* A big-endian number of len <= 32 bytes. */
u256 u256_load_be_n(const u8 *bytes, size_t len);

static inline u256 u256_from_hash(const hash32 *hash)
{
    return u256_load_be(hash->b);
}

static inline hash32 u256_to_hash(u256 a)
{
    hash32 hash;
    u256_store_be(hash.b, a);
    return hash;
}

/*
 * Reads "0x" and hexadecimal digits, or decimal digits, and nothing else around them; leading
 * zeroes are fine. False (and *out untouched) on anything else and above 2^256 - 1.
 */
MUST_READ bool u256_parse(u256 *out, const char *text);
MUST_READ bool u256_parse_n(u256 *out, const char *text, size_t len);

/* "0x" and digits without leading zeroes, as JSON-RPC quantities are; "0x0" for zero. Returns the length. */
size_t u256_format_hex(char out[U256_HEX_MAX], u256 a);
size_t u256_format_dec(char out[U256_DEC_MAX], u256 a);
