/* Texts of numbers come back, and division, with its prepared forms, keeps its law. */
#include "base/assert.h"
#include "prim/u256.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_text(const u8 *data, size_t size)
{
    u256 value, back;
    if (!u256_parse_n(&value, (const char *)data, size))
        return;
    char text[U256_DEC_MAX];
    size_t len = u256_format_hex(text, value);
    bool ok = u256_parse_n(&back, text, len);
    assert(ok && u256_eq(back, value));
    len = u256_format_dec(text, value);
    ok = u256_parse_n(&back, text, len);
    assert(ok && u256_eq(back, value));
}

static void check_division(u256 a, u256 b, u256 m)
{
    u256 q, r, product;
    u256_divmod(&q, &r, a, b);
    bool overflow = u256_mul_overflow(&product, q, b);
    assert(u256_is_zero(b) || (!overflow && u256_lt(r, b) && u256_eq(u256_add(product, r), a)));

    struct u256_divisor by;
    u256_divisor_init(&by, m);
    u256 ab = u256_mulmod(a, b, m);
    assert(u256_eq(ab, u256_mulmod_prepared(a, b, &by)) && u256_eq(ab, u256_mulmod(b, a, m)));
    u256_divisor_widen(&by);
    assert(u256_eq(ab, u256_mulmod_prepared(a, b, &by)));
    u256 sum = u256_addmod(a, b, m);
    assert(u256_eq(sum, u256_addmod(u256_mod(a, m), u256_mod(b, m), m)));
    /* a * b + a = a * (b + 1), where b + 1 does not wrap. */
    if (!u256_eq(b, U256_MAX))
        assert(u256_eq(u256_addmod(ab, a, m), u256_mulmod(a, u256_add(b, U256_ONE), m)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    check_text(data, size);
    if (size >= 96)
        check_division(u256_load_be(data), u256_load_be(data + 32), u256_load_be(data + 64));
    return 0;
}
