/* Handlers that compute: operands and results are slots, nothing fails, nothing else is touched. */
#include "evm/fast_int.h"

#define INLINE inline __attribute__((always_inline))

static INLINE u256 slot_get(const u8 *sp, i32 slot)
{
    u256 v;
    memcpy(&v, sp + slot, sizeof v);
    return in_limbs(v);
}

/* A second operand may stay in memory: the first one keeps both out of vector registers. */
static INLINE u256 slot_see(const u8 *sp, i32 slot)
{
    u256 v;
    memcpy(&v, sp + slot, sizeof v);
    return v;
}

static INLINE u64 slot_low(const u8 *sp, i32 slot)
{
    u64 v;
    memcpy(&v, sp + slot, sizeof v);
    return v;
}

static INLINE void slot_put(u8 *sp, i32 slot, u256 v)
{
    memcpy(sp + slot, &v, sizeof v);
}

#define A      slot_get(SP, op->a)
#define B      slot_see(SP, op->b)
#define IMM    u256_from_u64(op->imm)
#define K      (*op->word)
#define PUT(v) slot_put(SP, op->d, v)

/* d = a OP b, in the three forms of a family. */
#define COMPUTE(id, calc)  \
    OP(id)                 \
    {                      \
        PUT(calc(A, B));   \
        NEXT;              \
    }                      \
    OP(id##_ri)            \
    {                      \
        PUT(calc(A, IMM)); \
        NEXT;              \
    }                      \
    OP(id##_rk)            \
    {                      \
        PUT(calc(A, K));   \
        NEXT;              \
    }

COMPUTE(add, u256_add)
COMPUTE(sub, u256_sub)
COMPUTE(mul, u256_mul)

static INLINE u256 limbs_and(u256 a, u256 b)
{
    return in_limbs(u256_and(a, b));
}

static INLINE u256 limbs_or(u256 a, u256 b)
{
    return in_limbs(u256_or(a, b));
}

static INLINE u256 limbs_xor(u256 a, u256 b)
{
    return in_limbs(u256_xor(a, b));
}

COMPUTE(and, limbs_and)
COMPUTE(or, limbs_or)
COMPUTE(xor, limbs_xor)

static inline bool u256_gt(u256 a, u256 b)
{
    return u256_lt(b, a);
}

static inline bool u256_sgt(u256 a, u256 b)
{
    return u256_slt(b, a);
}

/* d = (a ? b) ^ c, where c is 1 when the comparison is negated. */
#define COMPARE(id, holds)                                   \
    OP(id)                                                   \
    {                                                        \
        PUT(u256_from_u64((u64)holds(A, B) ^ (u64)op->c));   \
        NEXT;                                                \
    }                                                        \
    OP(id##_ri)                                              \
    {                                                        \
        PUT(u256_from_u64((u64)holds(A, IMM) ^ (u64)op->c)); \
        NEXT;                                                \
    }                                                        \
    OP(id##_rk)                                              \
    {                                                        \
        PUT(u256_from_u64((u64)holds(A, K) ^ (u64)op->c));   \
        NEXT;                                                \
    }

COMPARE(lt, u256_lt)
COMPARE(gt, u256_gt)
COMPARE(slt, u256_slt)
COMPARE(sgt, u256_sgt)
static INLINE bool limbs_eq(u256 a, u256 b)
{
    u64 x = a.w[0] ^ b.w[0], y = a.w[1] ^ b.w[1];
    __asm__("" : "+r"(x), "+r"(y));
    return (x | y | (a.w[2] ^ b.w[2]) | (a.w[3] ^ b.w[3])) == 0;
}

COMPARE(eq, limbs_eq)

/* Leaves for the side exit c operations further on when (a ? b) ^ d; else goes on. */
#define BRANCH(id, holds)          \
    OP(br_##id)                    \
    {                              \
        if (holds(A, B) ^ op->d)   \
            GOTO(op + op->c);      \
        NEXT;                      \
    }                              \
    OP(br_##id##_ri)               \
    {                              \
        if (holds(A, IMM) ^ op->d) \
            GOTO(op + op->c);      \
        NEXT;                      \
    }                              \
    OP(br_##id##_rk)               \
    {                              \
        if (holds(A, K) ^ op->d)   \
            GOTO(op + op->c);      \
        NEXT;                      \
    }

BRANCH(lt, u256_lt)
BRANCH(gt, u256_gt)
BRANCH(slt, u256_slt)
BRANCH(sgt, u256_sgt)
BRANCH(eq, limbs_eq)

/* SIGNEXTEND without a branch on where the sign lies. */
static INLINE u256 signextend(u256 i, u256 x)
{
    if (!u256_fits_u64(i) || i.w[0] >= 31)
        return x;
    unsigned limb = (unsigned)i.w[0] >> 3, n = 56 - ((unsigned)i.w[0] & 7) * 8;
    u64 top = limb == 0 ? x.w[0] : limb == 1 ? x.w[1] : limb == 2 ? x.w[2] : x.w[3];
    top = (u64)((i64)(top << n) >> n);
    u64 fill = (u64)((i64)top >> 63);
    return (u256){{limb > 0 ? x.w[0] : top,
                   limb > 1    ? x.w[1]
                   : limb == 1 ? top
                               : fill,
                   limb > 2    ? x.w[2]
                   : limb == 2 ? top
                               : fill,
                   limb == 3 ? top : fill}};
}

#define HANDLER(id, value) \
    OP(id)                 \
    {                      \
        PUT(value);        \
        NEXT;              \
    }

HANDLER(move, A)
HANDLER(const64, IMM)
HANDLER(const256, K)
HANDLER(rsub_rk, u256_sub(K, A))
HANDLER(not, in_limbs(u256_not(A)))
HANDLER(clz, u256_from_u64(u256_clz(A)))
HANDLER(byte_rr, u256_byte(A, B))
HANDLER(signextend_rr, signextend(A, B))
HANDLER(shl_rr, u256_shl_by(B, A))
HANDLER(shr_rr, u256_shr_by(B, A))
HANDLER(sar_rr, u256_sar_by(B, A))
HANDLER(sar_ri, u256_sar(A, (unsigned)op->imm))

/* d = a, then b = c, then (move3) the low half of imm = its high half. */
OP(move2)
{
    PUT(A);
    slot_put(SP, op->b, slot_get(SP, op->c));
    NEXT;
}

OP(move3)
{
    PUT(A);
    slot_put(SP, op->b, slot_get(SP, op->c));
    slot_put(SP, (i32)op->imm, slot_get(SP, (i32)(op->imm >> 32)));
    NEXT;
}

/* The byte that is imm places above the least significant one. */
OP(byte_ri)
{
    PUT(u256_from_u64(SP[op->a + (i64)op->imm]));
    NEXT;
}

/* Widens from imm bits (8 to 248). */
OP(signextend_ri)
{
    unsigned bits = (unsigned)op->imm;
    if (bits <= 64) {
        u64 low = (u64)((i64)(slot_low(SP, op->a) << (64 - bits)) >> (64 - bits));
        u64 fill = (u64)((i64)low >> 63);
        PUT(((u256){{low, fill, fill, fill}}));
    } else {
        PUT(u256_sar(u256_shl(A, 256 - bits), 256 - bits));
    }
    NEXT;
}

/* Two limbs as one, shifted: what falls into the high or the low limb. n is 0 to 63. */
static inline u64 limbs_shl(u64 high, u64 low, unsigned n)
{
    return (u64)(((u128)high << 64 | low) << n >> 64);
}

static inline u64 limbs_shr(u64 high, u64 low, unsigned n)
{
    return (u64)(((u128)high << 64 | low) >> n);
}

/* Shifts by 64 times the digit in the name, plus imm, which is below 64. */
#define SHIFT(id, w0, w1, w2, w3)        \
    OP(id)                               \
    {                                    \
        u256 a = A;                      \
        unsigned n = op->imm & 63;       \
        PUT(((u256){{w0, w1, w2, w3}})); \
        NEXT;                            \
    }
#define L(i, j) limbs_shl(a.w[i], a.w[j], n)
#define R(i, j) limbs_shr(a.w[i], a.w[j], n)
SHIFT(shl_0, a.w[0] << n, L(1, 0), L(2, 1), L(3, 2))
SHIFT(shl_1, 0, a.w[0] << n, L(1, 0), L(2, 1))
SHIFT(shl_2, 0, 0, a.w[0] << n, L(1, 0))
SHIFT(shl_3, 0, 0, 0, a.w[0] << n)
SHIFT(shr_0, R(1, 0), R(2, 1), R(3, 2), a.w[3] >> n)
SHIFT(shr_1, R(2, 1), R(3, 2), a.w[3] >> n, 0)
SHIFT(shr_2, R(3, 2), a.w[3] >> n, 0, 0)
SHIFT(shr_3, a.w[3] >> n, 0, 0, 0)
#undef L
#undef R

/* d = imm AND (the limb at byte b of a, shifted right by c). */
OP(extract)
{
    PUT(u256_from_u64(slot_low(SP, op->a + op->b) >> op->c & op->imm));
    NEXT;
}

/* One limb is all that is wanted of the result, or all that the operands have: d = imm AND (a OP b). */
#define ONE_LIMB(id, operator)                                                            \
    OP(id)                                                                                \
    {                                                                                     \
        PUT(u256_from_u64((slot_low(SP, op->a) operator slot_low(SP, op->b)) & op->imm)); \
        NEXT;                                                                             \
    }

ONE_LIMB(add_low, +)
ONE_LIMB(sub_low, -)
ONE_LIMB(mul_low, *)
ONE_LIMB(and_low, &)
ONE_LIMB(or_low, |)
ONE_LIMB(xor_low, ^)
HANDLER(shl_low, u256_from_u64(slot_low(SP, op->a) << op->c & op->imm))

/* --- dividing --------------------------------------------------------------------------------- */

/* (high:low) / d, with high < d. */
static INLINE u64 divide_2by1(u64 *remainder, u64 high, u64 low, u64 d)
{
#if defined(__x86_64__)
    u64 q;
    __asm__("divq %4" : "=a"(q), "=d"(*remainder) : "a"(low), "d"(high), "r"(d) : "cc");
    return q;
#else
    u128 n = (u128)high << 64 | low;
    *remainder = (u64)(n % d);
    return (u64)(n / d);
#endif
}

/* a / d for a of at most two limbs; d is not zero. */
static INLINE u256 divide_limb(u64 *remainder, u256 a, u64 d)
{
    u64 high = 0, r = a.w[1];
    if (r >= d) {
        high = r / d;
        r %= d;
    }
    u64 low = divide_2by1(remainder, r, a.w[0], d);
    return (u256){{low, high, 0, 0}};
}

/* Is this a division that divide_limb can do? */
static INLINE bool is_short(u256 a, u256 b)
{
    return (a.w[2] | a.w[3] | b.w[1] | b.w[2] | b.w[3]) == 0 && b.w[0] != 0;
}

static INLINE u256 magnitude(u256 a)
{
    return u256_is_negative(a) ? u256_neg(a) : a;
}

static INLINE u256 negate_if(u256 a, bool negative)
{
    return negative ? u256_neg(a) : a;
}

/* The divisor of an operation, prepared anew when it is another one than last time. */
static inline const struct u256_divisor *divisor_of(struct op *op, u256 value)
{
    if (!u256_eq(op->divisor->value, value))
        u256_divisor_init(op->divisor, value);
    return op->divisor;
}

/* The same for MULMOD: a modulus used a second time is widened. */
static inline const struct u256_divisor *modulus_of(struct op *op, u256 value)
{
    if (!u256_eq(op->divisor->value, value))
        u256_divisor_init(op->divisor, value);
    else if (UNLIKELY(op->divisor->limbs == 4 && !op->divisor->is_wide))
        u256_divisor_widen(op->divisor);
    return op->divisor;
}

/* Long divisions stand apart, so that short ones need no stack frame. */
#define LONG(id, value)       \
    static OP(id##_long)      \
    {                         \
        PUT(in_limbs(value)); \
        NEXT;                 \
    }

/* d = a / b or a % b; the unsigned ones. b comes from a slot or (k) was prepared. */
#define DIVIDE(id, by, long_value, short_value) \
    LONG(id, long_value)                        \
    OP(id)                                      \
    {                                           \
        u256 a = A, b = by;                     \
        if (UNLIKELY(!is_short(a, b)))          \
            TAIL(op_##id##_long);               \
        u64 r;                                  \
        u256 q = divide_limb(&r, a, b.w[0]);    \
        PUT(short_value);                       \
        NEXT;                                   \
    }

DIVIDE(div_rr, B, u256_div_prepared(A, divisor_of(op, B)), ((void)r, q))
DIVIDE(div_rk, op->divisor->value, u256_div_prepared(A, op->divisor), ((void)r, q))
DIVIDE(mod_rr, B, u256_mod_prepared(A, divisor_of(op, B)), ((void)q, u256_from_u64(r)))
DIVIDE(mod_rk, op->divisor->value, u256_mod_prepared(A, op->divisor), ((void)q, u256_from_u64(r)))

static u256 divide_signed(struct op *op, u256 a, u256 b)
{
    u256 q = u256_div_prepared(magnitude(a), divisor_of(op, magnitude(b)));
    return negate_if(q, u256_is_negative(a) != u256_is_negative(b));
}

static u256 modulo_signed(struct op *op, u256 a, u256 b)
{
    u256 r = u256_mod_prepared(magnitude(a), divisor_of(op, magnitude(b)));
    return negate_if(r, u256_is_negative(a));
}

LONG(sdiv_rr, divide_signed(op, A, B))
LONG(smod_rr, modulo_signed(op, A, B))

OP(sdiv_rr)
{
    u256 a = A, b = B, x = magnitude(a), y = magnitude(b);
    if (UNLIKELY(!is_short(x, y)))
        TAIL(op_sdiv_rr_long);
    u64 r;
    u256 q = divide_limb(&r, x, y.w[0]);
    PUT(negate_if(q, u256_is_negative(a) != u256_is_negative(b)));
    NEXT;
}

OP(smod_rr)
{
    u256 a = A, x = magnitude(a), y = magnitude(B);
    if (UNLIKELY(!is_short(x, y)))
        TAIL(op_smod_rr_long);
    u64 r;
    divide_limb(&r, x, y.w[0]);
    PUT(negate_if(u256_from_u64(r), u256_is_negative(a)));
    NEXT;
}

/* By a magnitude that was prepared; c is 1 when the divisor is negative. */
LONG(sdiv_rk,
     negate_if(u256_div_prepared(magnitude(A), op->divisor), u256_is_negative(A) != (bool)op->c))

OP(sdiv_rk)
{
    u256 a = A, x = magnitude(a), y = op->divisor->value;
    if (UNLIKELY(!is_short(x, y)))
        TAIL(op_sdiv_rk_long);
    u64 r;
    u256 q = divide_limb(&r, x, y.w[0]);
    PUT(negate_if(q, u256_is_negative(a) != (bool)op->c));
    NEXT;
}

/* Operands handed over in memory are copied once; results in memory not by vector registers. */
#define SEEN_A            slot_see(SP, op->a)
#define CALLED(id, value) HANDLER(id, in_limbs(value))

CALLED(addmod, u256_addmod_prepared(SEEN_A, B, divisor_of(op, slot_get(SP, op->c))))
CALLED(mulmod, u256_mulmod_prepared(SEEN_A, B, modulus_of(op, slot_get(SP, op->c))))
CALLED(addmod_k, u256_addmod_prepared(SEEN_A, B, op->divisor))
CALLED(mulmod_k, u256_mulmod_prepared(SEEN_A, B, op->divisor))
