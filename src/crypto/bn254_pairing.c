/*
 * The optimal ate pairing (Vercauteren 2008) on BN254, and the check that a product of pairings is one.
 * The tower is Fp6 = Fp2[v] / (v^3 - xi) and Fp12 = Fp6[w] / (w^2 - v), with xi = 9 + u; the curve's
 * sextic twist y^2 = x^3 + 3 / xi over Fp2 carries G2, and (x, y) -> (x * w^2, y * w^3) takes it back.
 */
#include "crypto/bn254.h"
#include "crypto/bn254_int.h"

/* xi^(i (p - 1) / 6) and xi^(i (p^2 - 1) / 6) for i = 1 to 5, and 3 / xi. */
static const fp2 FROBENIUS[5] = {
    {{{0xaf9ba69633144907, 0xca6b1d7387afb78a, 0x11bded5ef08a2087, 0x02f34d751a1f3a7c}},
     {{0xa222ae234c492d72, 0xd00f02a4565de15b, 0xdc2ff3a253dfc926, 0x10a75716b3899551}}},
    {{{0xb5773b104563ab30, 0x347f91c8a9aa6454, 0x7a007127242e0991, 0x1956bcd8118214ec}},
     {{0x6e849f1ea0aa4757, 0xaa1c7b6d89f89141, 0xb6e713cdfae0ca3a, 0x26694fbb4e82ebc3}}},
    {{{0xe4bbdd0c2936b629, 0xbb30f162e133bacb, 0x31a9d1b6f9645366, 0x253570bea500f8dd}},
     {{0xa1d77ce45ffe77c7, 0x07affd117826d1db, 0x6d16bd27bb7edc6b, 0x2c87200285defecc}}},
    {{{0x7361d77f843abe92, 0xa5bb2bd3273411fb, 0x9c941f314b3e2399, 0x15df9cddbb9fd3ec}},
     {{0x5dddfd154bd8c949, 0x62cb29a5a4445b60, 0x37bc870a0c7dd2b9, 0x24830a9d3171f0fd}}},
    {{{0xc970692f41690fe7, 0xe240342127694b0b, 0x32bee66b83c459e8, 0x12aabced0ab08841}},
     {{0x0d485d2340aebfa9, 0x05193418ab2fcc57, 0xd3b0a40b8a4910f5, 0x2f21ebb535d2925a}}},
};
static const fp FROBENIUS2[5] = {
    {{0xca8d800500fa1bf2, 0xf0c5d61468b39769, 0x0e201271ad0d4418, 0x04290f65bad856e6}},
    {{0x3350c88e13e80b9c, 0x7dce557cdb5e56b9, 0x6001b4b8b615564a, 0x2682e617020217e0}},
    {{0x68c3488912edefaa, 0x8d087f6872aabf4f, 0x51e1a24709081231, 0x2259d6b14729c0fa}},
    {{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943}},
    {{0x08cfc388c494f1ab, 0x19b315148d1373d4, 0x584e90fdcb6c0213, 0x09e1685bdf2f8849}},
};
static const fp2 TWIST_B = {
    {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d}},
    {{0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}}};

/* --- Fp6 ------------------------------------------------------------------------------------ */

typedef struct {
    fp2 c0, c1, c2;
} fp6;

static fp6 fp6_add(const fp6 *a, const fp6 *b)
{
    return (fp6){fp2_add(a->c0, b->c0), fp2_add(a->c1, b->c1), fp2_add(a->c2, b->c2)};
}

static fp6 fp6_sub(const fp6 *a, const fp6 *b)
{
    return (fp6){fp2_sub(a->c0, b->c0), fp2_sub(a->c1, b->c1), fp2_sub(a->c2, b->c2)};
}

static fp6 fp6_neg(const fp6 *a)
{
    return (fp6){fp2_neg(a->c0), fp2_neg(a->c1), fp2_neg(a->c2)};
}

/* Times v. */
static fp6 fp6_mul_v(const fp6 *a)
{
    return (fp6){fp2_mul_xi(a->c2), a->c0, a->c1};
}

static fp6 fp6_mul(const fp6 *a, const fp6 *b)
{
    fp2 t0 = fp2_mul(a->c0, b->c0), t1 = fp2_mul(a->c1, b->c1), t2 = fp2_mul(a->c2, b->c2);
    fp2 m12 = fp2_mul(fp2_add(a->c1, a->c2), fp2_add(b->c1, b->c2));
    fp2 m01 = fp2_mul(fp2_add(a->c0, a->c1), fp2_add(b->c0, b->c1));
    fp2 m02 = fp2_mul(fp2_add(a->c0, a->c2), fp2_add(b->c0, b->c2));
    return (fp6){
        fp2_add(t0, fp2_mul_xi(fp2_sub(fp2_sub(m12, t1), t2))),
        fp2_add(fp2_sub(fp2_sub(m01, t0), t1), fp2_mul_xi(t2)),
        fp2_add(fp2_sub(fp2_sub(m02, t0), t2), t1),
    };
}

/* Times b0 + b1 * v. */
static fp6 fp6_mul_01(const fp6 *a, fp2 b0, fp2 b1)
{
    fp2 t0 = fp2_mul(a->c0, b0), t1 = fp2_mul(a->c1, b1);
    fp2 m01 = fp2_mul(fp2_add(a->c0, a->c1), fp2_add(b0, b1));
    fp2 m12 = fp2_mul(fp2_add(a->c1, a->c2), b1);
    fp2 m02 = fp2_mul(fp2_add(a->c0, a->c2), b0);
    return (fp6){
        fp2_add(t0, fp2_mul_xi(fp2_sub(m12, t1))),
        fp2_sub(fp2_sub(m01, t0), t1),
        fp2_add(fp2_sub(m02, t0), t1),
    };
}

static fp6 fp6_mul_fp2(const fp6 *a, fp2 b)
{
    return (fp6){fp2_mul(a->c0, b), fp2_mul(a->c1, b), fp2_mul(a->c2, b)};
}

static fp6 fp6_inv(const fp6 *a)
{
    fp2 t0 = fp2_sub(fp2_sqr(a->c0), fp2_mul_xi(fp2_mul(a->c1, a->c2)));
    fp2 t1 = fp2_sub(fp2_mul_xi(fp2_sqr(a->c2)), fp2_mul(a->c0, a->c1));
    fp2 t2 = fp2_sub(fp2_sqr(a->c1), fp2_mul(a->c0, a->c2));
    fp2 norm =
        fp2_add(fp2_mul(a->c0, t0), fp2_mul_xi(fp2_add(fp2_mul(a->c2, t1), fp2_mul(a->c1, t2))));
    fp2 inv = fp2_inv(norm);
    return (fp6){fp2_mul(t0, inv), fp2_mul(t1, inv), fp2_mul(t2, inv)};
}

/* --- Fp12 ----------------------------------------------------------------------------------- */

typedef struct {
    fp6 c0, c1;
} fp12;

static const fp12 FP12_ONE = {
    .c0.c0.c0 = {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}}};

static bool fp12_is_one(const fp12 *a)
{
    return memcmp(a, &FP12_ONE, sizeof *a) == 0;
}

static fp12 fp12_mul(const fp12 *a, const fp12 *b)
{
    fp6 t0 = fp6_mul(&a->c0, &b->c0), t1 = fp6_mul(&a->c1, &b->c1);
    fp6 sa = fp6_add(&a->c0, &a->c1), sb = fp6_add(&b->c0, &b->c1);
    fp6 cross = fp6_mul(&sa, &sb), both = fp6_add(&t0, &t1), t1v = fp6_mul_v(&t1);
    return (fp12){fp6_add(&t0, &t1v), fp6_sub(&cross, &both)};
}

static fp12 fp12_sqr(const fp12 *a)
{
    fp6 t = fp6_mul(&a->c0, &a->c1), sum = fp6_add(&a->c0, &a->c1);
    fp6 c1v = fp6_mul_v(&a->c1), shifted = fp6_add(&a->c0, &c1v);
    fp6 square = fp6_mul(&sum, &shifted), tv = fp6_mul_v(&t), both = fp6_add(&t, &tv);
    return (fp12){fp6_sub(&square, &both), fp6_add(&t, &t)};
}

/* The p^6-th power; on the cyclotomic subgroup also the inverse. */
static fp12 fp12_conj(const fp12 *a)
{
    return (fp12){a->c0, fp6_neg(&a->c1)};
}

static fp12 fp12_inv(const fp12 *a)
{
    fp6 t0 = fp6_mul(&a->c0, &a->c0), t1 = fp6_mul(&a->c1, &a->c1), t1v = fp6_mul_v(&t1);
    fp6 norm = fp6_sub(&t0, &t1v), inv = fp6_inv(&norm), neg = fp6_neg(&inv);
    return (fp12){fp6_mul(&a->c0, &inv), fp6_mul(&a->c1, &neg)};
}

/* The p-th power: w^i goes to w^i * xi^(i (p - 1) / 6). */
static fp12 fp12_frobenius(const fp12 *a)
{
    return (fp12){
        {fp2_conj(a->c0.c0), fp2_mul(fp2_conj(a->c0.c1), FROBENIUS[1]),
         fp2_mul(fp2_conj(a->c0.c2), FROBENIUS[3])},
        {fp2_mul(fp2_conj(a->c1.c0), FROBENIUS[0]), fp2_mul(fp2_conj(a->c1.c1), FROBENIUS[2]),
         fp2_mul(fp2_conj(a->c1.c2), FROBENIUS[4])},
    };
}

/* The p^2-th power. */
static fp12 fp12_frobenius2(const fp12 *a)
{
    return (fp12){
        {a->c0.c0, fp2_mul_fp(a->c0.c1, FROBENIUS2[1]), fp2_mul_fp(a->c0.c2, FROBENIUS2[3])},
        {fp2_mul_fp(a->c1.c0, FROBENIUS2[0]), fp2_mul_fp(a->c1.c1, FROBENIUS2[2]),
         fp2_mul_fp(a->c1.c2, FROBENIUS2[4])},
    };
}

/* --- the cyclotomic subgroup ------------------------------------------------------------------ */

/* *square + *cross * s is (a + b * s)^2, where s^2 = xi. */
static void fp4_sqr(fp2 *square, fp2 *cross, fp2 a, fp2 b)
{
    fp2 aa = fp2_sqr(a), bb = fp2_sqr(b);
    *cross = fp2_sub(fp2_sub(fp2_sqr(fp2_add(a, b)), aa), bb);
    *square = fp2_add(aa, fp2_mul_xi(bb));
}

/* 3 * t - 2 * x and 3 * t + 2 * x */
static fp2 triple_minus(fp2 t, fp2 x)
{
    return fp2_add(fp2_double(fp2_sub(t, x)), t);
}

static fp2 triple_plus(fp2 t, fp2 x)
{
    return fp2_add(fp2_double(fp2_add(t, x)), t);
}

/* Granger and Scott (2010): squaring where a^(p^4 - p^2 + 1) = 1. */
static fp12 cyclotomic_sqr(const fp12 *a)
{
    fp2 s0, x0, s1, x1, s2, x2;
    fp4_sqr(&s0, &x0, a->c0.c0, a->c1.c1);
    fp4_sqr(&s1, &x1, a->c1.c0, a->c0.c2);
    fp4_sqr(&s2, &x2, a->c0.c1, a->c1.c2);
    return (fp12){
        {triple_minus(s0, a->c0.c0), triple_minus(s1, a->c0.c1), triple_minus(s2, a->c0.c2)},
        {triple_plus(fp2_mul_xi(x2), a->c1.c0), triple_plus(x0, a->c1.c1),
         triple_plus(x1, a->c1.c2)},
    };
}

/* The curve's parameter x = 4965661367192848881, of which p and the order are polynomials, most
 * significant digit first: odd digits of size up to 7, at least three zeroes after each. */
static const int PARAMETER_DIGITS[] = {
    1, 0, 0, 0,  0,  0, 5, 0,  0, 0, 0, -3, 0, 0, 0, 3, 0,  0, 0, 0, 5,
    0, 0, 0, -5, 0,  0, 0, -3, 0, 0, 0, 1,  0, 0, 0, 0, 5,  0, 0, 0, 0,
    7, 0, 0, 0,  -7, 0, 0, 0,  0, 0, 0, 5,  0, 0, 0, 0, -1, 0, 0, 0, 1,
};

/* a to the curve's parameter. */
static fp12 cyclotomic_pow(const fp12 *a)
{
    fp12 odd[4] = {*a}, square = cyclotomic_sqr(a); /* a, a^3, a^5, a^7 */
    for (int i = 1; i < 4; i++)
        odd[i] = fp12_mul(&odd[i - 1], &square);
    fp12 r = odd[PARAMETER_DIGITS[0] / 2];
    for (size_t i = 1; i < ARRAY_LEN(PARAMETER_DIGITS); i++) {
        int digit = PARAMETER_DIGITS[i];
        r = cyclotomic_sqr(&r);
        if (digit == 0)
            continue;
        fp12 inverse = fp12_conj(&odd[(digit < 0 ? -digit : digit) / 2]);
        r = fp12_mul(&r, digit < 0 ? &inverse : &odd[digit / 2]);
    }
    return r;
}

/*
 * To the power (p^12 - 1) / order, times a number prime to the order, which does not matter to a
 * comparison with one. First (p^6 - 1)(p^2 + 1); then Fuentes-Castaneda, Knapp and
 * Rodriguez-Henriquez (2011): with x the parameter, the sum of
 *     1 + 6x + 12x^2 + 12x^3,  (4x + 6x^2 + 12x^3) p,  (6x + 6x^2 + 12x^3) p^2,
 *     (-1 + 4x + 6x^2 + 12x^3) p^3.
 */
static fp12 final_exponentiation(const fp12 *in)
{
    fp12 f = fp12_conj(in), t = fp12_inv(in);
    f = fp12_mul(&f, &t);
    t = fp12_frobenius2(&f);
    f = fp12_mul(&t, &f);

    fp12 fx = cyclotomic_pow(&f);
    fp12 f2x = cyclotomic_sqr(&fx), f4x = cyclotomic_sqr(&f2x), f6x = fp12_mul(&f4x, &f2x);
    fp12 f6xx = cyclotomic_pow(&f6x), f12xx = cyclotomic_sqr(&f6xx);
    fp12 f12xxx = cyclotomic_pow(&f12xx);

    fp12 third = fp12_mul(&f12xxx, &f6xx); /* the factors of p^2, p, 1 and p^3 in turn */
    third = fp12_mul(&third, &f6x);
    fp12 less = fp12_conj(&f2x), second = fp12_mul(&third, &less);
    fp12 first = fp12_mul(&third, &f6xx);
    first = fp12_mul(&first, &f);
    fp12 inverse = fp12_conj(&f), fourth = fp12_mul(&second, &inverse);

    t = fp12_frobenius2(&fourth);
    t = fp12_mul(&t, &second);
    t = fp12_frobenius(&t);
    first = fp12_mul(&first, &t);
    t = fp12_frobenius2(&third);
    return fp12_mul(&first, &t);
}

/* --- G2 ------------------------------------------------------------------------------------- */

/* Affine; (0, 0) stands for infinity. */
struct g2 {
    fp2 x, y;
};

/* Homogeneous: the point (x / z, y / z). */
struct g2_projective {
    fp2 x, y, z;
};

/* The line through two points, as the coefficients of 1, w and w^3 once the first is multiplied by the
 * y and the second by the x of a point of G1. */
struct line {
    fp2 y, x, constant;
};

static bool g2_is_infinity(const struct g2 *q)
{
    return fp2_is_zero(q->x) && fp2_is_zero(q->y);
}

/* Costello, Lange and Naehrig (2010), section 5: t is doubled; the line is its tangent. */
static void double_step(struct g2_projective *t, struct line *line)
{
    fp2 a = fp2_half(fp2_mul(t->x, t->y)), b = fp2_sqr(t->y), c = fp2_sqr(t->z);
    fp2 e = fp2_mul(TWIST_B, fp2_add(fp2_double(c), c)), f = fp2_add(fp2_double(e), e);
    fp2 g = fp2_half(fp2_add(b, f));
    fp2 h = fp2_sub(fp2_sqr(fp2_add(t->y, t->z)), fp2_add(b, c));
    fp2 j = fp2_sqr(t->x), ee = fp2_sqr(e);
    t->x = fp2_mul(a, fp2_sub(b, f));
    t->y = fp2_sub(fp2_sqr(g), fp2_add(fp2_double(ee), ee));
    t->z = fp2_mul(b, h);
    *line = (struct line){h, fp2_neg(fp2_add(fp2_double(j), j)), fp2_sub(b, e)};
}

/* The same, section 5: q is added to t; the line goes through both. */
static void add_step(struct g2_projective *t, const struct g2 *q, struct line *line)
{
    fp2 theta = fp2_sub(t->y, fp2_mul(q->y, t->z)), lambda = fp2_sub(t->x, fp2_mul(q->x, t->z));
    fp2 c = fp2_sqr(theta), d = fp2_sqr(lambda), e = fp2_mul(lambda, d);
    fp2 f = fp2_mul(t->z, c), g = fp2_mul(t->x, d);
    fp2 h = fp2_sub(fp2_add(e, f), fp2_double(g));
    t->x = fp2_mul(lambda, h);
    t->y = fp2_sub(fp2_mul(theta, fp2_sub(g, h)), fp2_mul(e, t->y));
    t->z = fp2_mul(t->z, e);
    *line =
        (struct line){lambda, fp2_neg(theta), fp2_sub(fp2_mul(theta, q->x), fp2_mul(lambda, q->y))};
}

/* The p-th power map of the curve, seen on the twist. */
static struct g2 g2_frobenius(const struct g2 *q)
{
    return (struct g2){fp2_mul(fp2_conj(q->x), FROBENIUS[1]),
                       fp2_mul(fp2_conj(q->y), FROBENIUS[2])};
}

static bool g2_decode(struct g2 *out, const u8 bytes[BN254_G2_SIZE])
{
    struct g2 q;
    if (!fp_decode(&q.x.c1, bytes) || !fp_decode(&q.x.c0, bytes + 32) ||
        !fp_decode(&q.y.c1, bytes + 64) || !fp_decode(&q.y.c0, bytes + 96))
        return false;
    if (!g2_is_infinity(&q) && !fp2_eq(fp2_sqr(q.y), fp2_add(fp2_mul(fp2_sqr(q.x), q.x), TWIST_B)))
        return false;
    *out = q;
    return true;
}

/* --- Miller loop ---------------------------------------------------------------------------- */

/* One pair on its way through the loop, neither point of q being infinity. */
struct pair {
    struct g1 p;
    struct g2 q, minus_q;
    struct g2_projective t;
};

/* f times the line at p. Where p is infinity the pairing is one, and the line is left out. */
static void mul_by_line(fp12 *f, const struct line *line, const struct g1 *p)
{
    if (g1_is_infinity(p))
        return;
    fp2 y = fp2_mul_fp(line->y, p->y), x = fp2_mul_fp(line->x, p->x);
    fp6 a = fp6_mul_fp2(&f->c0, y), b = fp6_mul_01(&f->c1, x, line->constant);
    fp6 sum = fp6_add(&f->c0, &f->c1);
    fp6 cross = fp6_mul_01(&sum, fp2_add(y, x), line->constant);
    fp6 both = fp6_add(&a, &b), bv = fp6_mul_v(&b);
    f->c0 = fp6_add(&a, &bv);
    f->c1 = fp6_sub(&cross, &both);
}

static void step_double(fp12 *f, struct pair *pair)
{
    struct line line;
    double_step(&pair->t, &line);
    mul_by_line(f, &line, &pair->p);
}

static void step_add(fp12 *f, struct pair *pair, const struct g2 *q)
{
    struct line line;
    add_step(&pair->t, q, &line);
    mul_by_line(f, &line, &pair->p);
}

/*
 * The last two lines of the loop, and whether q is in the subgroup. With s the p-th power map, the loop
 * leaves t = [6x + 2] q + s(q) - s^2(q), and members are exactly the points with t + s^3(q) = 0:
 * the resultant of T^3 - T^2 + T + 6x + 2 and of the map's own polynomial T^2 - (6x^2 + 1) T + p is prime
 * to the cofactor 2p - r (the argument of Dai, Lin, Zhao and Zhou, 2022). A point of small order, for
 * which an addition met equal or opposite points, has z = 0 ever after and fails the comparison.
 */
static bool finish(fp12 *f, struct pair *pair)
{
    struct g2 q1 = g2_frobenius(&pair->q), q2 = g2_frobenius(&q1), q3 = g2_frobenius(&q2);
    q2.y = fp2_neg(q2.y);
    step_add(f, pair, &q1);
    step_add(f, pair, &q2);
    const struct g2_projective *t = &pair->t;
    return !fp2_is_zero(t->z) && fp2_eq(t->x, fp2_mul(q3.x, t->z)) &&
           fp2_eq(fp2_neg(t->y), fp2_mul(q3.y, t->z));
}

/* 6x + 2 without its highest bit, most significant digit first, each -1, 0 or 1 and few not 0. */
static const i8 LOOP_DIGITS[65] = {0,  -1, 0, 1,  0, 0,  0,  -1, 0, -1, 0, 0,  0,  -1, 0, 1, 0,
                                   -1, 0,  0, -1, 0, 0,  0,  0,  0, 1,  0, 0,  -1, 0,  1, 0, 0,
                                   -1, 0,  0, 0,  0, -1, 0,  1,  0, 0,  0, -1, 0,  -1, 0, 0, 1,
                                   0,  0,  0, -1, 0, 0,  -1, 0,  1, 0,  1, 0,  0,  0};

/* Multiplies f by the loop's value for each pair; the squarings are shared. False: a q is no member. */
static bool miller_loop(fp12 *f, struct pair *pairs, size_t count)
{
    fp12 product = FP12_ONE;
    for (size_t i = 0; i < ARRAY_LEN(LOOP_DIGITS); i++) {
        product = fp12_sqr(&product);
        for (size_t k = 0; k < count; k++) {
            step_double(&product, &pairs[k]);
            if (LOOP_DIGITS[i])
                step_add(&product, &pairs[k], LOOP_DIGITS[i] > 0 ? &pairs[k].q : &pairs[k].minus_q);
        }
    }
    bool members = true;
    for (size_t k = 0; k < count; k++)
        members &= finish(&product, &pairs[k]);
    *f = fp12_mul(f, &product);
    return members;
}

bool bn254_pairing(bool *is_one, const u8 *in, size_t count)
{
    struct pair pairs[8];
    size_t waiting = 0;
    fp12 f = FP12_ONE;
    for (size_t i = 0; i < count; i++, in += BN254_PAIR_SIZE) {
        struct pair *pair = &pairs[waiting];
        if (!g1_decode(&pair->p, in) || !g2_decode(&pair->q, in + BN254_G1_SIZE))
            return false;
        if (!g2_is_infinity(&pair->q)) {
            pair->minus_q = (struct g2){pair->q.x, fp2_neg(pair->q.y)};
            pair->t = (struct g2_projective){pair->q.x, pair->q.y, {FP_ONE, {{0}}}};
            waiting++;
        }
        if (waiting == ARRAY_LEN(pairs)) {
            if (!miller_loop(&f, pairs, waiting))
                return false;
            waiting = 0;
        }
    }
    if (waiting && !miller_loop(&f, pairs, waiting))
        return false;
    f = final_exponentiation(&f);
    *is_one = fp12_is_one(&f);
    return true;
}
