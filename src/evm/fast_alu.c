/* Handlers that compute: operands and results are slots, nothing fails, nothing else is touched. */
#include "evm/fast_int.h"

/*
 * Slots are read limb by limb. A 16-byte load of limbs that were just stored one at a time waits
 * until the stores have left the store buffer; the empty asm keeps compilers from making such loads.
 */
static inline u256 slot_get(const u8 *sp, i32 slot)
{
    u256 v;
    memcpy(&v, sp + slot, sizeof v);
    __asm__("" : "+r"(v.w[0]), "+r"(v.w[1]), "+r"(v.w[2]), "+r"(v.w[3]));
    return v;
}

/* The same for a second operand, which may stay in memory: the first one already prevents it. */
static inline u256 slot_see(const u8 *sp, i32 slot)
{
    u256 v;
    memcpy(&v, sp + slot, sizeof v);
    return v;
}

static inline u64 slot_low(const u8 *sp, i32 slot)
{
    u64 v;
    memcpy(&v, sp + slot, sizeof v);
    return v;
}

static inline void slot_put(u8 *sp, i32 slot, u256 v)
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
COMPUTE(and, u256_and)
COMPUTE(or, u256_or)
COMPUTE(xor, u256_xor)

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
COMPARE(eq, u256_eq)

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
BRANCH(eq, u256_eq)

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
HANDLER(not, u256_not(A))
HANDLER(clz, u256_from_u64(u256_clz(A)))
HANDLER(byte_rr, u256_byte(A, B))
HANDLER(signextend_rr, u256_signextend(A, B))
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

/* The divisor of an operation, prepared anew when it is another one than last time. */
static inline const struct u256_divisor *divisor_of(struct op *op, u256 value)
{
    if (!u256_eq(op->divisor->value, value))
        u256_divisor_init(op->divisor, value);
    return op->divisor;
}

static inline u256 divide(struct op *op, u256 a, u256 b)
{
    if (u256_fits_u64(a) && u256_fits_u64(b))
        return u256_from_u64(b.w[0] ? a.w[0] / b.w[0] : 0);
    return u256_div_prepared(a, divisor_of(op, b));
}

static inline u256 modulo(struct op *op, u256 a, u256 b)
{
    if (u256_fits_u64(a) && u256_fits_u64(b))
        return u256_from_u64(b.w[0] ? a.w[0] % b.w[0] : 0);
    return u256_mod_prepared(a, divisor_of(op, b));
}

static inline u256 magnitude(u256 a)
{
    return u256_is_negative(a) ? u256_neg(a) : a;
}

static inline u256 divide_signed(struct op *op, u256 a, u256 b)
{
    u256 q = divide(op, magnitude(a), magnitude(b));
    return u256_is_negative(a) != u256_is_negative(b) ? u256_neg(q) : q;
}

static inline u256 modulo_signed(struct op *op, u256 a, u256 b)
{
    u256 r = modulo(op, magnitude(a), magnitude(b));
    return u256_is_negative(a) ? u256_neg(r) : r;
}

/* Divides by a prepared magnitude; c is 1 when the divisor is negative. */
static inline u256 divide_signed_by(const struct op *op, u256 a)
{
    u256 q = u256_div_prepared(magnitude(a), op->divisor);
    return u256_is_negative(a) != (bool)op->c ? u256_neg(q) : q;
}

HANDLER(div_rr, divide(op, A, B))
HANDLER(mod_rr, modulo(op, A, B))
HANDLER(sdiv_rr, divide_signed(op, A, B))
HANDLER(smod_rr, modulo_signed(op, A, B))
HANDLER(div_rk, u256_div_prepared(A, op->divisor))
HANDLER(sdiv_rk, divide_signed_by(op, A))
HANDLER(mod_rk, u256_mod_prepared(A, op->divisor))
HANDLER(addmod, u256_addmod_prepared(A, B, divisor_of(op, slot_get(SP, op->c))))
HANDLER(mulmod, u256_mulmod_prepared(A, B, divisor_of(op, slot_get(SP, op->c))))
HANDLER(addmod_k, u256_addmod_prepared(A, B, op->divisor))
HANDLER(mulmod_k, u256_mulmod_prepared(A, B, op->divisor))
