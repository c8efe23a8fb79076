/*
 * Division follows N. Möller and T. Granlund, "Improved Division by Invariant Integers" (2011):
 * a quotient limb costs two multiplications by a reciprocal and no divide instruction.
 */
#include "prim/u256.h"

#include "base/assert.h"

/* --- reciprocals ---------------------------------------------------------------------------- */

/* Table 2's seed: floor((2^19 - 3 * 2^8) / d9) for the nine top bits d9 = 256 + i of a divisor. */
#define SEED1(i)  (0x7fd00 / (256 + (i)))
#define SEED4(i)  SEED1(i), SEED1((i) + 1), SEED1((i) + 2), SEED1((i) + 3)
#define SEED16(i) SEED4(i), SEED4((i) + 4), SEED4((i) + 8), SEED4((i) + 12)
#define SEED64(i) SEED16(i), SEED16((i) + 16), SEED16((i) + 32), SEED16((i) + 48)
static const u16 reciprocal_seed[256] = {SEED64(0), SEED64(64), SEED64(128), SEED64(192)};

static inline u64 mul_hi(u64 a, u64 b)
{
    return (u64)((u128)a * b >> 64);
}

/* Algorithm 2: floor((2^128 - 1) / d) - 2^64 for d with its top bit set. */
static inline u64 reciprocal_2by1(u64 d)
{
    u64 d0 = d & 1, d40 = (d >> 24) + 1, d63 = (d >> 1) + d0;
    u64 v0 = reciprocal_seed[(d >> 55) - 256];
    u64 v1 = (v0 << 11) - (v0 * v0 * d40 >> 40) - 1;
    u64 v2 = (v1 << 13) + (v1 * (((u64)1 << 60) - v1 * d40) >> 47);
    u64 e = ((v2 >> 1) & (0 - d0)) - v2 * d63;
    u64 v3 = (v2 << 31) + (mul_hi(v2, e) >> 1);
    u128 p = (u128)v3 * d + d;
    return v3 - (u64)(p >> 64) - d;
}

/* Algorithm 6: floor((2^192 - 1) / (d1:d0)) - 2^64 for d1 with its top bit set. */
static inline u64 reciprocal_3by2(u64 d1, u64 d0)
{
    u64 v = reciprocal_2by1(d1);
    u64 p = d1 * v + d0;
    if (p < d0) {
        v--;
        if (p >= d1) {
            v--;
            p -= d1;
        }
        p -= d1;
    }
    u128 t = (u128)v * d0;
    u64 t1 = (u64)(t >> 64), t0 = (u64)t;
    p += t1;
    if (p < t1) {
        v--;
        if (p > d1 || (p == d1 && t0 >= d0))
            v--;
    }
    return v;
}

/* Algorithm 4: (u1:u0) / d with u1 < d; v is d's reciprocal. */
static inline u64 divide_2by1(u64 *remainder, u64 u1, u64 u0, u64 d, u64 v)
{
    u128 q = (u128)v * u1 + ((u128)u1 << 64 | u0);
    u64 q1 = (u64)(q >> 64) + 1, q0 = (u64)q;
    u64 r = u0 - q1 * d;
    if (r > q0) {
        q1--;
        r += d;
    }
    if (UNLIKELY(r >= d)) {
        q1++;
        r -= d;
    }
    *remainder = r;
    return q1;
}

/* Algorithm 5: (u2:u1:u0) / d with (u2:u1) < d; v is d's reciprocal. */
static inline u64 divide_3by2(u128 *remainder, u64 u2, u64 u1, u64 u0, u128 d, u64 v)
{
    u64 d1 = (u64)(d >> 64), d0 = (u64)d;
    u128 q = (u128)v * u2 + ((u128)u2 << 64 | u1);
    u64 q1 = (u64)(q >> 64), q0 = (u64)q;
    u64 r1 = u1 - q1 * d1;
    u128 r = ((u128)r1 << 64 | u0) - (u128)d0 * q1 - d;
    q1++;
    if ((u64)(r >> 64) >= q0) {
        q1--;
        r += d;
    }
    if (UNLIKELY(r >= d)) {
        q1++;
        r -= d;
    }
    *remainder = r;
    return q1;
}

/* --- long division -------------------------------------------------------------------------- */

/*
 * u has m + n limbs, its top n less than d; q takes the m limbs of the quotient and u's low n
 * limbs the remainder. Inlined with n constant.
 */
static inline __attribute__((always_inline)) void divide_limbs(u64 *q, u64 *u, int m, const u64 *d,
                                                               int n, u64 v)
{
    u128 top = (u128)d[n - 1] << 64 | d[n - 2];
    for (int j = m - 1; j >= 0; j--) {
        u64 *x = u + j;
        if (UNLIKELY(x[n] == d[n - 1] && x[n - 1] == d[n - 2])) {
            /* The estimate would be 2^64: the quotient limb is the largest there is. */
            u64 carry = 0, borrow = 0;
            for (int i = 0; i < n; i++)
                x[i] = limb_sub(x[i], limb_mul_add2(~(u64)0, d[i], carry, 0, &carry), &borrow);
            x[n] = limb_sub(x[n], carry, &borrow);
            q[j] = ~(u64)0;
            if (borrow) {
                carry = 0;
                for (int i = 0; i < n; i++)
                    x[i] = limb_add(x[i], d[i], &carry);
                q[j]--;
            }
            continue;
        }
        u128 r;
        u64 qj = divide_3by2(&r, x[n], x[n - 1], x[n - 2], top, v);
        u64 carry = 0, borrow = 0;
        for (int i = 0; i < n - 2; i++)
            x[i] = limb_sub(x[i], limb_mul_add2(qj, d[i], carry, 0, &carry), &borrow);
        u64 r0 = limb_sub((u64)r, carry, &borrow);
        u64 r1 = limb_sub((u64)(r >> 64), 0, &borrow);
        if (UNLIKELY(borrow)) {
            carry = 0;
            for (int i = 0; i < n - 2; i++)
                x[i] = limb_add(x[i], d[i], &carry);
            r0 = limb_add(r0, d[n - 2], &carry);
            r1 = limb_add(r1, d[n - 1], &carry);
            qj--;
        }
        x[n - 2] = r0;
        x[n - 1] = r1;
        q[j] = qj;
    }
}

/* Shifts len limbs left by s < 64 into out, which has one limb more. */
static inline void shift_up(u64 *out, const u64 *in, int len, unsigned s)
{
    u64 below = 0;
    for (int i = 0; i < len; i++) {
        out[i] = in[i] << s | below >> 1 >> (63 - s);
        below = in[i];
    }
    out[len] = below >> 1 >> (63 - s);
}

static inline int limbs_used(const u64 *w, int max)
{
    while (max > 0 && w[max - 1] == 0)
        max--;
    return max;
}

/*
 * Divides the len <= 8 limbs of num. quotient has room for len limbs or is NULL when only the
 * remainder is wanted; limbs above its top are the caller's to clear.
 */
static inline __attribute__((always_inline)) u256 divide(u64 *quotient, const u64 *num, int len,
                                                         const struct u256_divisor *by)
{
    u64 u[9], scratch[8];
    u64 *q = quotient ? quotient : scratch;
    unsigned s = by->shift;
    shift_up(u, num, len, s);
    u256 rem = U256_ZERO;
    switch (by->limbs) {
    case 1: {
        u64 r = u[len], d = by->shifted.w[0];
        for (int i = len - 1; i >= 0; i--)
            q[i] = divide_2by1(&r, r, u[i], d, by->reciprocal);
        rem.w[0] = r >> s;
        return rem;
    }
    case 2: divide_limbs(q, u, len - 1, by->shifted.w, 2, by->reciprocal); break;
    case 3: divide_limbs(q, u, len - 2, by->shifted.w, 3, by->reciprocal); break;
    case 4: divide_limbs(q, u, len - 3, by->shifted.w, 4, by->reciprocal); break;
    }
    for (unsigned i = 0; i < by->limbs; i++)
        rem.w[i] = u[i];
    return u256_shr(rem, s);
}

void u256_divisor_init(struct u256_divisor *divisor, u256 value)
{
    *divisor = (struct u256_divisor){.value = value};
    int n = limbs_used(value.w, 4);
    if (n == 0)
        return;
    divisor->limbs = (unsigned)n;
    divisor->shift = (unsigned)__builtin_clzll(value.w[n - 1]);
    divisor->shifted = u256_shl(value, divisor->shift);
    const u64 *d = divisor->shifted.w;
    divisor->reciprocal = n == 1 ? reciprocal_2by1(d[0]) : reciprocal_3by2(d[n - 1], d[n - 2]);
}

/* True, with the answer, when no long division is needed. */
static inline bool divide_small(u256 *quotient, u256 *remainder, u256 a, u256 b)
{
    if (u256_fits_u64(a) && u256_fits_u64(b) && b.w[0]) {
        u64 x = a.w[0], y = b.w[0];
        *quotient = u256_from_u64(x / y);
        *remainder = u256_from_u64(x % y);
        return true;
    }
    if (u256_is_zero(b)) {
        *quotient = *remainder = U256_ZERO;
        return true;
    }
    if (u256_lt(a, b)) {
        *quotient = U256_ZERO;
        *remainder = a;
        return true;
    }
    return false;
}

void u256_divmod(u256 *quotient, u256 *remainder, u256 a, u256 b)
{
    u256 q = U256_ZERO, r;
    if (!divide_small(&q, &r, a, b)) {
        struct u256_divisor by;
        u256_divisor_init(&by, b);
        r = divide(q.w, a.w, limbs_used(a.w, 4), &by);
    }
    *quotient = q;
    *remainder = r;
}

u256 u256_div(u256 a, u256 b)
{
    u256 q, r;
    u256_divmod(&q, &r, a, b);
    return q;
}

u256 u256_mod(u256 a, u256 b)
{
    u256 q, r;
    u256_divmod(&q, &r, a, b);
    return r;
}

u256 u256_div_prepared(u256 a, const struct u256_divisor *divisor)
{
    u256 q = U256_ZERO, r;
    if (!divide_small(&q, &r, a, divisor->value))
        divide(q.w, a.w, limbs_used(a.w, 4), divisor);
    return q;
}

u256 u256_mod_prepared(u256 a, const struct u256_divisor *divisor)
{
    u256 q, r;
    if (!divide_small(&q, &r, a, divisor->value))
        r = divide(NULL, a.w, limbs_used(a.w, 4), divisor);
    return r;
}

static inline u256 u256_abs(u256 a)
{
    return u256_is_negative(a) ? u256_neg(a) : a;
}

u256 u256_sdiv(u256 a, u256 b)
{
    bool negative = u256_is_negative(a) != u256_is_negative(b);
    u256 q = u256_div(u256_abs(a), u256_abs(b));
    return negative ? u256_neg(q) : q;
}

u256 u256_smod(u256 a, u256 b)
{
    u256 r = u256_mod(u256_abs(a), u256_abs(b));
    return u256_is_negative(a) ? u256_neg(r) : r;
}

/* --- modular -------------------------------------------------------------------------------- */

/* True, with the answer, when a and b are below m so that one subtraction does it. */
static inline bool addmod_small(u256 *out, u256 a, u256 b, u256 m)
{
    if (!u256_lt(a, m) || !u256_lt(b, m))
        return false;
    u256 sum, less;
    bool carry = u256_add_carry(&sum, a, b);
    bool borrow = u256_sub_borrow(&less, sum, m);
    *out = carry || !borrow ? less : sum;
    return true;
}

static u256 addmod_large(u256 a, u256 b, const struct u256_divisor *divisor)
{
    if (divisor->limbs == 0)
        return U256_ZERO;
    u256 sum;
    u64 carry = u256_add_carry(&sum, a, b);
    u64 num[5] = {sum.w[0], sum.w[1], sum.w[2], sum.w[3], carry};
    return divide(NULL, num, 5, divisor);
}

u256 u256_addmod_prepared(u256 a, u256 b, const struct u256_divisor *divisor)
{
    u256 r;
    return addmod_small(&r, a, b, divisor->value) ? r : addmod_large(a, b, divisor);
}

u256 u256_addmod(u256 a, u256 b, u256 m)
{
    u256 r;
    if (addmod_small(&r, a, b, m))
        return r;
    struct u256_divisor by;
    u256_divisor_init(&by, m);
    return addmod_large(a, b, &by);
}

static inline void mul_full(u64 p[8], u256 a, u256 b)
{
    u64 c;
    p[0] = limb_mul_add2(a.w[0], b.w[0], 0, 0, &c);
    p[1] = limb_mul_add2(a.w[0], b.w[1], c, 0, &c);
    p[2] = limb_mul_add2(a.w[0], b.w[2], c, 0, &c);
    p[3] = limb_mul_add2(a.w[0], b.w[3], c, 0, &p[4]);
    for (int i = 1; i < 4; i++) {
        p[i] = limb_mul_add2(a.w[i], b.w[0], p[i], 0, &c);
        p[i + 1] = limb_mul_add2(a.w[i], b.w[1], p[i + 1], c, &c);
        p[i + 2] = limb_mul_add2(a.w[i], b.w[2], p[i + 2], c, &c);
        p[i + 3] = limb_mul_add2(a.w[i], b.w[3], p[i + 3], c, &p[i + 4]);
    }
}

void u256_divisor_widen(struct u256_divisor *divisor)
{
    if (divisor->limbs != 4 || divisor->is_wide)
        return;
    /* floor((2^512 - 1) / d) - 2^256 for d the shifted divisor: its complement and ones, over d. */
    struct u256_divisor by = *divisor;
    by.shift = 0;
    u256 high = u256_not(by.shifted);
    u64 num[8] = {~(u64)0, ~(u64)0, ~(u64)0, ~(u64)0, high.w[0], high.w[1], high.w[2], high.w[3]};
    u64 quotient[8];
    divide(quotient, num, 8, &by);
    memcpy(divisor->inverse.w, quotient, sizeof divisor->inverse.w);
    divisor->is_wide = true;
}

/*
 * The product p, below value * 2^256, modulo a widened divisor: algorithm 4 once, with limbs of 256
 * bits.
 */
static u256 reduce_wide(const u64 p[8], const struct u256_divisor *by)
{
    u64 u[9], q[8];
    shift_up(u, p, 8, by->shift);
    u256 u0 = {{u[0], u[1], u[2], u[3]}}, u1 = {{u[4], u[5], u[6], u[7]}};
    mul_full(q, by->inverse, u1);
    u64 carry = 0;
    for (int i = 0; i < 8; i++)
        q[i] = limb_add(q[i], u[i], &carry);
    u256 q0 = {{q[0], q[1], q[2], q[3]}}, q1 = {{q[4], q[5], q[6], q[7]}};
    u256 r = u256_sub(u0, u256_mul(u256_add(q1, U256_ONE), by->shifted));
    if (u256_lt(q0, r))
        r = u256_add(r, by->shifted);
    if (UNLIKELY(!u256_lt(r, by->shifted)))
        r = u256_sub(r, by->shifted);
    return u256_shr(r, by->shift);
}

u256 u256_mulmod_prepared(u256 a, u256 b, const struct u256_divisor *divisor)
{
    u64 p[8];
    mul_full(p, a, b);
    if (divisor->is_wide && u256_lt((u256){{p[4], p[5], p[6], p[7]}}, divisor->value))
        return reduce_wide(p, divisor);
    int len = limbs_used(p, 8), n = (int)divisor->limbs;
    if (n == 0)
        return U256_ZERO;
    if (len < n)
        return (u256){{p[0], p[1], p[2], p[3]}};
    return divide(NULL, p, len, divisor);
}

u256 u256_mulmod(u256 a, u256 b, u256 m)
{
    struct u256_divisor by;
    u256_divisor_init(&by, m);
    return u256_mulmod_prepared(a, b, &by);
}

bool u256_mul_overflow(u256 *out, u256 a, u256 b)
{
    u64 p[8];
    mul_full(p, a, b);
    *out = (u256){{p[0], p[1], p[2], p[3]}};
    return (p[4] | p[5] | p[6] | p[7]) != 0;
}

u256 u256_exp(u256 base, u256 exponent)
{
    if (u256_eq(base, u256_from_u64(2)))
        return u256_shl_by(U256_ONE, exponent);
    unsigned bits = u256_bits(exponent);
    if (bits == 0)
        return U256_ONE;
    u256 result = base;
    for (unsigned i = bits - 1; i-- > 0;) {
        result = u256_mul(result, result);
        if (exponent.w[i >> 6] >> (i & 63) & 1)
            result = u256_mul(result, base);
    }
    return result;
}

/* --- bytes and text ------------------------------------------------------------------------- */

u256 u256_load_be_n(const u8 *bytes, size_t len)
{
    assert(len <= 32);
    u8 word[32] = {0};
    if (len)
        memcpy(word + 32 - len, bytes, len);
    return u256_load_be(word);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

bool u256_parse_n(u256 *out, const char *text, size_t len)
{
    int radix = 10;
    if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        radix = 16;
        text += 2;
        len -= 2;
    }
    if (len == 0)
        return false;
    u256 value = U256_ZERO;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_value(text[i]);
        if (digit >= radix)
            return false;
        u64 carry = (u64)digit;
        for (int j = 0; j < 4; j++)
            value.w[j] = limb_mul_add2(value.w[j], (u64)radix, carry, 0, &carry);
        if (carry)
            return false;
    }
    *out = value;
    return true;
}

bool u256_parse(u256 *out, const char *text)
{
    return u256_parse_n(out, text, strlen(text));
}

size_t u256_format_hex(char out[U256_HEX_MAX], u256 a)
{
    unsigned digits = (u256_bits(a) + 3) / 4;
    if (digits == 0)
        digits = 1;
    char *p = out;
    *p++ = '0';
    *p++ = 'x';
    for (unsigned i = digits; i-- > 0;)
        *p++ = "0123456789abcdef"[a.w[i >> 4] >> (i & 15) * 4 & 15];
    *p = 0;
    return (size_t)(p - out);
}

size_t u256_format_dec(char out[U256_DEC_MAX], u256 a)
{
    char text[U256_DEC_MAX];
    size_t n = 0;
    do {
        u64 rem = 0;
        for (int i = 3; i >= 0; i--) {
            u128 part = (u128)rem << 64 | a.w[i];
            a.w[i] = (u64)(part / 10);
            rem = (u64)(part % 10);
        }
        text[n++] = (char)('0' + rem);
    } while (!u256_is_zero(a));
    for (size_t i = 0; i < n; i++)
        out[i] = text[n - 1 - i];
    out[n] = 0;
    return n;
}
