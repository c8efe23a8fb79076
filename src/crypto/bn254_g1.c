/* The group G1: y^2 = x^3 + 3 over Fp. Its order is prime, so every point of the curve is a member. */
#include "crypto/bn254.h"
#include "crypto/bn254_int.h"

/* --- affine points -------------------------------------------------------------------------- */

static fp three(void)
{
    return fp_add(fp_double(FP_ONE), FP_ONE);
}

bool g1_decode(struct g1 *out, const u8 bytes[64])
{
    struct g1 p;
    if (!fp_decode(&p.x, bytes) || !fp_decode(&p.y, bytes + 32))
        return false;
    if (!g1_is_infinity(&p) && !fp_eq(fp_sqr(p.y), fp_add(fp_mul(fp_sqr(p.x), p.x), three())))
        return false;
    *out = p;
    return true;
}

static void g1_encode(u8 bytes[64], const struct g1 *p)
{
    fp_encode(bytes, p->x);
    fp_encode(bytes + 32, p->y);
}

/* The chord or tangent rule; one inversion. */
static struct g1 g1_add(const struct g1 *p, const struct g1 *q)
{
    if (g1_is_infinity(p))
        return *q;
    if (g1_is_infinity(q))
        return *p;
    fp slope;
    if (!fp_eq(p->x, q->x)) {
        slope = fp_mul(fp_sub(q->y, p->y), fp_inv(fp_sub(q->x, p->x)));
    } else {
        /* The order being odd, no point has y = 0. */
        if (!fp_eq(p->y, q->y))
            return (struct g1){0};
        fp xx = fp_sqr(p->x);
        slope = fp_mul(fp_add(fp_double(xx), xx), fp_inv(fp_double(p->y)));
    }
    fp x = fp_sub(fp_sub(fp_sqr(slope), p->x), q->x);
    return (struct g1){x, fp_sub(fp_mul(slope, fp_sub(p->x, x)), p->y)};
}

bool bn254_add(u8 out[BN254_G1_SIZE], const u8 in[2 * BN254_G1_SIZE])
{
    struct g1 p, q;
    if (!g1_decode(&p, in) || !g1_decode(&q, in + BN254_G1_SIZE))
        return false;
    struct g1 sum = g1_add(&p, &q);
    g1_encode(out, &sum);
    return true;
}

/* --- multiplication ------------------------------------------------------------------------- */

/* Jacobian coordinates: the point (x / z^2, y / z^3); z = 0 is infinity. */
struct jacobian {
    fp x, y, z;
};

/* Formulas dbl-2009-l and add-2007-bl of the Explicit-Formulas Database, for a = 0. */
__attribute__((flatten)) static void jacobian_double(struct jacobian *p)
{
    fp a = fp_sqr(p->x), b = fp_sqr(p->y), c = fp_sqr(b);
    fp d = fp_double(fp_sub(fp_sub(fp_sqr(fp_add_lazy(p->x, b)), a), c));
    fp e = fp_add(fp_double(a), a), f = fp_sqr(e);
    fp z = fp_double(fp_mul(p->y, p->z));
    p->x = fp_sub(f, fp_double(d));
    p->y = fp_sub(fp_mul(e, fp_sub(d, p->x)), fp_double(fp_double(fp_double(c))));
    p->z = z;
}

static void jacobian_add(struct jacobian *p, const struct jacobian *q)
{
    if (fp_is_zero(q->z))
        return;
    if (fp_is_zero(p->z)) {
        *p = *q;
        return;
    }
    fp z1z1 = fp_sqr(p->z), z2z2 = fp_sqr(q->z);
    fp u1 = fp_mul(p->x, z2z2), u2 = fp_mul(q->x, z1z1);
    fp s1 = fp_mul(fp_mul(p->y, q->z), z2z2), s2 = fp_mul(fp_mul(q->y, p->z), z1z1);
    fp h = fp_sub(u2, u1), r = fp_double(fp_sub(s2, s1));
    if (fp_is_zero(h)) {
        if (fp_is_zero(r))
            jacobian_double(p);
        else
            *p = (struct jacobian){0};
        return;
    }
    fp i = fp_sqr(fp_double(h)), j = fp_mul(h, i), v = fp_mul(u1, i);
    fp x = fp_sub(fp_sub(fp_sqr(r), j), fp_double(v));
    fp y = fp_sub(fp_mul(r, fp_sub(v, x)), fp_double(fp_mul(s1, j)));
    fp zz = fp_sub(fp_sub(fp_sqr(fp_add(p->z, q->z)), z1z1), z2z2);
    *p = (struct jacobian){x, y, fp_mul(zz, h)};
}

/* The same for a q with z = 1, which is not infinity: madd-2007-bl. */
__attribute__((flatten)) static void jacobian_add_affine(struct jacobian *p, const struct g1 *q)
{
    if (fp_is_zero(p->z)) {
        *p = (struct jacobian){q->x, q->y, FP_ONE};
        return;
    }
    fp zz = fp_sqr(p->z);
    fp h = fp_sub(fp_mul(q->x, zz), p->x);
    fp r = fp_double(fp_sub(fp_mul(fp_mul(q->y, p->z), zz), p->y));
    if (fp_is_zero(h)) {
        if (fp_is_zero(r))
            jacobian_double(p);
        else
            *p = (struct jacobian){0};
        return;
    }
    fp hh = fp_sqr(h), i = fp_double(fp_double(hh)), j = fp_mul(h, i), v = fp_mul(p->x, i);
    p->z = fp_sub(fp_sub(fp_sqr(fp_add_lazy(p->z, h)), zz), hh);
    p->x = fp_sub(fp_sub(fp_sqr(r), j), fp_double(v));
    p->y = fp_sub(fp_mul(r, fp_sub(v, p->x)), fp_double(fp_mul(p->y, j)));
}

static struct g1 jacobian_to_affine(const struct jacobian *p, fp inverse_z)
{
    fp square = fp_sqr(inverse_z);
    return (struct g1){fp_mul(p->x, square), fp_mul(p->y, fp_mul(square, inverse_z))};
}

/*
 * Gallant, Lambert, Vanstone (2001): (x, y) -> (beta * x, y) multiplies by lambda, a cube root of one
 * modulo the order, so k * P is k1 * P + k2 * (lambda * P) with k1 and k2 of 128 bits. They come from
 * k by rounding in the lattice of all (a, b) with a + b * lambda = 0, whose short basis is
 * (A1, -B1), (A2, A1).
 */
static const fp beta = {
    {0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}};
static const u256 order = {
    {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};
#define A1 ((u256){{0x89d3256894d213e3, 0, 0, 0}})
#define B1 ((u256){{0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc, 0, 0}})
#define A2 ((u256){{0x0be4e1541221250b, 0x6f4d8248eeb859fd, 0, 0}})
/* 2^256 * A1 / order and 2^256 * B1 / order, rounded. */
#define G1 \
    ((u256){{0xd91d232ec7e0b3d7, 0x0000000000000002, 0x0000000000000000, 0x0000000000000000}})
#define G2 \
    ((u256){{0x7a7bd9d4391eb18e, 0x4ccef014a773d2cf, 0x0000000000000002, 0x0000000000000000}})

/* floor(a * b / 2^256) */
static u256 mul_high(u256 a, u256 b)
{
    fp_wide p =
        fp_mul_wide((fp){{a.w[0], a.w[1], a.w[2], a.w[3]}}, (fp){{b.w[0], b.w[1], b.w[2], b.w[3]}});
    return (u256){{p.w[4], p.w[5], p.w[6], p.w[7]}};
}

/* k = k1 + k2 * lambda; both halves are two's complement. */
static void split(u256 *k1, u256 *k2, u256 k)
{
    u256 c1 = mul_high(k, G1), c2 = mul_high(k, G2);
    *k1 = u256_sub(u256_sub(k, u256_mul(c1, A1)), u256_mul(c2, A2));
    *k2 = u256_sub(u256_mul(c1, B1), u256_mul(c2, A1));
}

enum { WINDOW = 5, TABLE = 1 << (WINDOW - 2), DIGITS = 132 };

/* Odd digits below 2^(WINDOW - 1) in size, at least WINDOW - 1 zeroes between them; returns how many. */
static int wnaf(i8 digits[DIGITS], u256 k)
{
    bool negative = u256_is_negative(k);
    if (negative)
        k = u256_neg(k);
    int n = 0;
    for (; !u256_is_zero(k); n++, k = u256_shr(k, 1)) {
        digits[n] = 0;
        if (!(k.w[0] & 1))
            continue;
        int digit = (int)(k.w[0] & ((1 << WINDOW) - 1));
        if (digit >= 1 << (WINDOW - 1)) {
            digit -= 1 << WINDOW;
            k = u256_add(k, u256_from_u64((u64)-digit));
        } else {
            k.w[0] -= (u64)digit;
        }
        digits[n] = (i8)(negative ? -digit : digit);
    }
    return n;
}

/* P, 3P, 5P, ... as affine points, by one inversion for all (Montgomery's trick). */
static void odd_multiples(struct g1 out[TABLE], const struct g1 *p)
{
    struct jacobian odd[TABLE], twice;
    odd[0] = twice = (struct jacobian){p->x, p->y, FP_ONE};
    jacobian_double(&twice);
    fp products[TABLE]; /* of the z so far */
    products[0] = FP_ONE;
    for (int i = 1; i < TABLE; i++) {
        odd[i] = odd[i - 1];
        jacobian_add(&odd[i], &twice);
        products[i] = fp_mul(products[i - 1], odd[i].z);
    }
    fp inverse = fp_inv(products[TABLE - 1]);
    for (int i = TABLE - 1; i > 0; i--) {
        out[i] = jacobian_to_affine(&odd[i], fp_mul(inverse, products[i - 1]));
        inverse = fp_mul(inverse, odd[i].z);
    }
    out[0] = *p;
}

static void add_digit(struct jacobian *sum, const struct g1 table[TABLE], int digit)
{
    if (digit == 0)
        return;
    struct g1 term = table[(digit < 0 ? -digit : digit) / 2];
    if (digit < 0)
        term.y = fp_neg(term.y);
    jacobian_add_affine(sum, &term);
}

static struct g1 g1_mul(const struct g1 *p, u256 scalar)
{
    u256 k = u256_mod(scalar, order), k1, k2;
    if (g1_is_infinity(p) || u256_is_zero(k))
        return (struct g1){0};
    split(&k1, &k2, k);
    struct g1 odd[TABLE], odd_lambda[TABLE]; /* of P, and of lambda * P */
    odd_multiples(odd, p);
    for (int i = 0; i < TABLE; i++)
        odd_lambda[i] = (struct g1){fp_mul(odd[i].x, beta), odd[i].y};

    i8 d1[DIGITS], d2[DIGITS];
    int n1 = wnaf(d1, k1), n2 = wnaf(d2, k2);
    struct jacobian sum = {0};
    for (int i = (n1 > n2 ? n1 : n2) - 1; i >= 0; i--) {
        jacobian_double(&sum);
        add_digit(&sum, odd, i < n1 ? d1[i] : 0);
        add_digit(&sum, odd_lambda, i < n2 ? d2[i] : 0);
    }
    return jacobian_to_affine(&sum, fp_inv(sum.z));
}

bool bn254_mul(u8 out[BN254_G1_SIZE], const u8 in[BN254_G1_SIZE + 32])
{
    struct g1 p;
    if (!g1_decode(&p, in))
        return false;
    struct g1 product = g1_mul(&p, u256_load_be(in + BN254_G1_SIZE));
    g1_encode(out, &product);
    return true;
}
