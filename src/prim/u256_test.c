#include "base/test.h"
#include "prim/u256.h"

static u256 parse(const char *text)
{
    u256 value = U256_ZERO;
    CHECK(u256_parse(&value, text));
    return value;
}

static void check_eq(u256 got, u256 want, int line)
{
    char a[U256_HEX_MAX], b[U256_HEX_MAX];
    u256_format_hex(a, got);
    u256_format_hex(b, want);
    if (strcmp(a, b) != 0)
        test_fail(__FILE__, line, "%s is not %s", a, b);
}
#define CHECK_U256(got, want) check_eq(got, want, __LINE__)

/* xorshift64*: numbers for the laws below, the same on every run. */
static u64 random_u64(u64 *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1d;
}

/* Words of every length, with runs of ones and zeroes, where carries and estimates go wrong. */
static u256 random_word(u64 *seed)
{
    u256 r;
    for (int i = 0; i < 4; i++) {
        u64 kind = random_u64(seed) % 6;
        r.w[i] = kind == 0 ? 0 : kind == 1 ? ~(u64)0 : kind == 2 ? (u64)1 << 63 : random_u64(seed);
    }
    return u256_shr(r, (unsigned)(random_u64(seed) % 4 ? 0 : random_u64(seed) % 256));
}

TEST(u256_text)
{
    char text[U256_DEC_MAX];
    u256_format_dec(text, U256_MAX);
    CHECK_STR(text,
              "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    CHECK_U256(parse(text), U256_MAX);
    CHECK_EQ(u256_format_hex(text, U256_MAX), 66);
    CHECK_U256(parse(text), U256_MAX);
    CHECK_EQ(u256_format_hex(text, U256_ZERO), 3);
    CHECK_STR(text, "0x0");
    u256_format_dec(text, U256_ZERO);
    CHECK_STR(text, "0");
    CHECK_U256(parse("0x00000000000000000000000000000000000000000000000000000000000000000001"),
               U256_ONE);
    u256 kept = U256_MAX;
    static const char *const bad[] = {
        "",
        "0x",
        "x1",
        "-1",
        "+1",
        " 1",
        "1 ",
        "12a",
        "0xg",
        "1e3",
        "0x10000000000000000000000000000000000000000000000000000000000000000",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!u256_parse(&kept, bad[i]));
    CHECK_U256(kept, U256_MAX);
}

TEST(u256_bytes)
{
    u64 seed = 1;
    for (int i = 0; i < 1000; i++) {
        u256 a = random_word(&seed);
        u8 bytes[32];
        u256_store_be(bytes, a);
        CHECK_U256(u256_load_be(bytes), a);
        hash32 hash = u256_to_hash(a);
        CHECK_U256(u256_from_hash(&hash), a);
        size_t len = (u256_bits(a) + 7) / 8;
        CHECK_U256(u256_load_be_n(bytes + 32 - len, len), a);
        for (unsigned j = 0; j < 32; j++)
            CHECK_U256(u256_byte(u256_from_u64(j), a), u256_from_u64(bytes[j]));
        CHECK_U256(u256_byte(u256_from_u64(32), a), U256_ZERO);
        CHECK_U256(u256_byte(U256_MAX, a), U256_ZERO);
    }
}

TEST(u256_shifts)
{
    u64 seed = 2;
    for (unsigned n = 0; n < 300; n++) {
        u256 a = random_word(&seed), left = a, right = a, arith = a;
        for (unsigned i = 0; i < n; i++) {
            left = u256_add(left, left);
            right = u256_shr(right, 1);
            u256 half = u256_shr(arith, 1);
            half.w[3] |= arith.w[3] & (u64)1 << 63;
            arith = half;
        }
        CHECK_U256(u256_shl(a, n), left);
        CHECK_U256(u256_shr(a, n), right);
        CHECK_U256(u256_sar(a, n), arith);
        CHECK_U256(u256_sar_by(a, u256_from_u64(n)), arith);
    }
    CHECK_U256(u256_shl_by(U256_ONE, parse("0x10000000000000001")), U256_ZERO);
    CHECK_U256(u256_sar_by(U256_MAX, U256_MAX), U256_MAX);
    CHECK_EQ(u256_clz(U256_ZERO), 256);
    CHECK_EQ(u256_clz(U256_ONE), 255);
    CHECK_EQ(u256_clz(U256_MAX), 0);
}

TEST(u256_signs)
{
    CHECK_U256(u256_signextend(U256_ZERO, parse("0x1280")), u256_neg(u256_from_u64(128)));
    CHECK_U256(u256_signextend(U256_ZERO, parse("0x12ff7f")), parse("0x7f"));
    CHECK_U256(u256_signextend(u256_from_u64(31), parse("0x80")), parse("0x80"));
    CHECK_U256(u256_signextend(U256_MAX, parse("0x80")), parse("0x80"));
    u256 min = u256_shl(U256_ONE, 255), minus_one = U256_MAX, seven = u256_from_u64(7);
    CHECK(u256_slt(min, U256_ZERO) && u256_slt(minus_one, U256_ZERO) && u256_slt(min, minus_one));
    CHECK(!u256_slt(U256_ZERO, min) && u256_lt(U256_ZERO, min) && !u256_slt(min, min));
    CHECK_U256(u256_sdiv(min, minus_one), min);
    CHECK_U256(u256_smod(min, minus_one), U256_ZERO);
    CHECK_U256(u256_sdiv(u256_neg(seven), u256_from_u64(2)), u256_neg(u256_from_u64(3)));
    CHECK_U256(u256_smod(u256_neg(seven), u256_from_u64(2)), u256_neg(U256_ONE));
    CHECK_U256(u256_smod(seven, u256_neg(u256_from_u64(2))), U256_ONE);
    CHECK_U256(u256_sdiv(seven, U256_ZERO), U256_ZERO);
    CHECK_U256(u256_smod(seven, U256_ZERO), U256_ZERO);
}

/* a = q * b + r with r < b, whatever the lengths of a and b. */
TEST(u256_division_law)
{
    u64 seed = 3;
    for (int i = 0; i < 200000; i++) {
        u256 a = random_word(&seed), b = random_word(&seed), q, r;
        u256_divmod(&q, &r, a, b);
        if (u256_is_zero(b)) {
            CHECK(u256_is_zero(q) && u256_is_zero(r));
            continue;
        }
        CHECK(u256_lt(r, b));
        u256 product, sum;
        CHECK(!u256_mul_overflow(&product, q, b));
        CHECK(!u256_add_carry(&sum, product, r));
        CHECK_U256(sum, a);
        CHECK_U256(product, u256_mul(q, b));
        struct u256_divisor by;
        u256_divisor_init(&by, b);
        CHECK_U256(u256_div_prepared(a, &by), q);
        CHECK_U256(u256_mod_prepared(a, &by), r);
    }
}

/* a * b mod m by doubling and adding, one bit at a time. */
static u256 slow_mulmod(u256 a, u256 b, u256 m)
{
    u256 r = U256_ZERO;
    a = u256_mod(a, m);
    for (int i = 255; i >= 0; i--) {
        r = u256_addmod(r, r, m);
        if (b.w[i / 64] >> i % 64 & 1)
            r = u256_addmod(r, a, m);
    }
    return r;
}

TEST(u256_modular)
{
    u64 seed = 4;
    for (int i = 0; i < 5000; i++) {
        u256 a = random_word(&seed), b = random_word(&seed), m = random_word(&seed);
        struct u256_divisor by;
        u256_divisor_init(&by, m);
        u256 product = u256_mulmod(a, b, m), sum = u256_addmod(a, b, m);
        CHECK_U256(u256_mulmod_prepared(a, b, &by), product);
        CHECK_U256(u256_addmod_prepared(a, b, &by), sum);
        CHECK_U256(product, slow_mulmod(a, b, m));
        u256_divisor_widen(&by);
        CHECK_U256(u256_mulmod_prepared(a, b, &by), product);
        u256 wrapped;
        if (!u256_add_carry(&wrapped, a, b))
            CHECK_U256(sum, u256_mod(wrapped, m));
        else if (!u256_is_zero(m))
            CHECK_U256(sum, u256_addmod(u256_mod(a, m), u256_mod(b, m), m));
    }
    CHECK_U256(u256_addmod(U256_MAX, U256_MAX, u256_from_u64(2)), U256_ZERO);
    CHECK_U256(u256_mulmod(U256_MAX, U256_MAX, U256_MAX), U256_ZERO);
    CHECK_U256(u256_mulmod(U256_MAX, U256_MAX, U256_ZERO), U256_ZERO);
}

TEST(u256_powers)
{
    CHECK_U256(u256_exp(U256_ZERO, U256_ZERO), U256_ONE);
    CHECK_U256(u256_exp(u256_from_u64(2), u256_from_u64(255)), u256_shl(U256_ONE, 255));
    CHECK_U256(u256_exp(u256_from_u64(2), u256_from_u64(256)), U256_ZERO);
    CHECK_U256(u256_exp(u256_from_u64(10), u256_from_u64(18)), parse("1000000000000000000"));
    CHECK_U256(u256_exp(u256_from_u64(3), U256_MAX),
               parse("0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}
