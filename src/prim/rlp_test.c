#include "base/test.h"
#include "prim/rlp.h"

/* Official examples: ethereum/tests, RLPTests/rlptest.json and invalidRLPTest.json. */

static void check_buf(struct buf *got, const void *want, size_t len)
{
    CHECK_EQ(got->len, len);
    CHECK_MEM(got->data, want, len);
    CHECK_EQ(rlp_check(want, len), RLP_OK);
    buf_reset(got);
}

TEST(rlp_encode_known)
{
    struct buf buf;
    buf_init(&buf, 10000);
    rlp_put_bytes(&buf, "", 0);
    check_buf(&buf, "\x80", 1);
    rlp_put_bytes(&buf, "\0", 1);
    check_buf(&buf, "\0", 1);
    rlp_put_bytes(&buf, "\x7f", 1);
    check_buf(&buf, "\x7f", 1);
    rlp_put_bytes(&buf, "\x80", 1);
    check_buf(&buf, "\x81\x80", 2);
    rlp_put_bytes(&buf, "dog", 3);
    check_buf(&buf,
              "\x83"
              "dog",
              4);
    rlp_put_uint(&buf, 0);
    check_buf(&buf, "\x80", 1);
    rlp_put_uint(&buf, 1000);
    check_buf(&buf, "\x82\x03\xe8", 3);
    rlp_put_u256(&buf, u256_from_u64(100000));
    check_buf(&buf, "\x83\x01\x86\xa0", 4);
    rlp_put_addr_opt(&buf, NULL);
    check_buf(&buf, "\x80", 1);
    size_t list = rlp_list_begin(&buf);
    rlp_list_end(&buf, list);
    check_buf(&buf, "\xc0", 1);
    buf_fini(&buf);
}

/* The set-theoretic representation of three: [ [], [[]], [ [], [[]] ] ]. */
TEST(rlp_encode_nested)
{
    struct buf buf;
    buf_init(&buf, 100);
    size_t three = rlp_list_begin(&buf);
    rlp_put_list_header(&buf, 0);
    rlp_put_raw(&buf, "\xc1\xc0", 2);
    size_t two = rlp_list_begin(&buf);
    rlp_put_raw(&buf, "\xc0\xc1\xc0", 3);
    rlp_list_end(&buf, two);
    rlp_list_end(&buf, three);
    check_buf(&buf, "\xc7\xc0\xc1\xc0\xc3\xc0\xc1\xc0", 8);
    buf_fini(&buf);
}

/* Headers of every form, back-patched and foretold alike. */
TEST(rlp_list_sizes)
{
    static const size_t sizes[] = {0, 1, 54, 55, 56, 255, 256, 65535, 65536, 70000};
    struct buf patched, foretold;
    buf_init(&patched, 100000);
    buf_init(&foretold, 100000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        buf_reset(&patched);
        buf_reset(&foretold);
        size_t mark = rlp_list_begin(&patched);
        rlp_put_list_header(&foretold, sizes[i]);
        for (size_t j = 0; j < sizes[i]; j++) {
            rlp_put_uint(&patched, j % 127 + 1);
            rlp_put_uint(&foretold, j % 127 + 1);
        }
        rlp_list_end(&patched, mark);
        CHECK(!patched.full);
        CHECK_EQ(patched.len, rlp_size_list(sizes[i]));
        CHECK_EQ(patched.len, foretold.len);
        CHECK_MEM(patched.data, foretold.data, patched.len);
        struct rlp in = rlp_open(patched.data, patched.len), list;
        CHECK_EQ(rlp_list(&in, &list), RLP_OK);
        CHECK_EQ(rlp_finish(&in), RLP_OK);
        size_t count = 0;
        CHECK_EQ(rlp_count(list, &count), RLP_OK);
        CHECK_EQ(count, sizes[i]);
    }
    buf_fini(&patched);
    buf_fini(&foretold);
}

TEST(rlp_numbers)
{
    struct buf buf;
    buf_init(&buf, 100);
    for (unsigned bits = 0; bits <= 256; bits++) {
        u256 value = bits ? u256_shr(U256_MAX, 256 - bits) : U256_ZERO, got;
        buf_reset(&buf);
        rlp_put_u256(&buf, value);
        CHECK_EQ(buf.len, rlp_size_u256(value));
        struct rlp in = rlp_open(buf.data, buf.len);
        CHECK_EQ(rlp_u256(&in, &got), RLP_OK);
        CHECK(u256_eq(got, value) && rlp_at_end(&in));
        in = rlp_open(buf.data, buf.len);
        u64 small = 42;
        CHECK_EQ(rlp_uint(&in, &small), bits <= 64 ? RLP_OK : RLP_TOO_LARGE);
        CHECK(small == (bits <= 64 ? value.w[0] : 42));
        if (bits <= 64)
            CHECK_EQ(rlp_size_uint(small), buf.len);
    }
    buf_fini(&buf);
}

TEST(rlp_malformed)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum rlp_verdict verdict;
    } cases[] = {
        {"", 0, RLP_END},
        {"\x81", 1, RLP_TRUNCATED},
        {"\x81\x7f", 2, RLP_BYTE_WRAPPED},
        {"\x81\x00", 2, RLP_BYTE_WRAPPED},
        {"\x83"
         "do",
         3, RLP_TRUNCATED},
        {"\xb8\x01\x80", 3, RLP_LONG_FORM},
        {"\xb9\x00\x40", 3, RLP_LONG_FORM},
        {"\xb8", 1, RLP_TRUNCATED},
        {"\xbf\xff\xff\xff\xff\xff\xff\xff\xff", 9, RLP_TRUNCATED},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, RLP_TRUNCATED},
        {"\xff\x00\x00\x00\x00\x00\x00\x00\x01", 9, RLP_LONG_FORM},
        {"\xc1", 1, RLP_TRUNCATED},
        {"\xc2\xc2\x80\x80", 4, RLP_TRAILING},
        {"\xc2\xc1", 2, RLP_TRUNCATED},
        {"\xc2\x80\x82\x01\x02", 5, RLP_TRAILING},
        {"\xc3\x82\x01\x02\x00", 5, RLP_TRAILING},
        {"\xc2\x82\x01\x02", 4, RLP_TRAILING},
        {"\xc1\x82\x01", 3, RLP_TRAILING},
        {"\xc4\xc2\x82\x01\x02", 5, RLP_TRUNCATED},
        {"\x80\x80", 2, RLP_TRAILING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQ(rlp_check(cases[i].bytes, cases[i].len), cases[i].verdict);
}

TEST(rlp_fields)
{
    u8 in[34] = {0xa0};
    struct rlp rlp = rlp_open(in, 33);
    hash32 hash;
    addr20 addr = {{7}};
    bool present = true;
    const u8 *bytes;
    size_t len;
    struct rlp list;
    CHECK_EQ(rlp_addr(&rlp, &addr), RLP_BAD_LENGTH);
    CHECK_EQ(rlp_list(&rlp, &list), RLP_NOT_LIST);
    CHECK(rlp.p == in && addr.b[0] == 7);
    CHECK_EQ(rlp_hash(&rlp, &hash), RLP_OK);
    CHECK_EQ(rlp_hash(&rlp, &hash), RLP_END);
    rlp = rlp_open("\x80", 1);
    CHECK_EQ(rlp_addr_opt(&rlp, &addr, &present), RLP_OK);
    CHECK(!present && addr20_is_zero(&addr));
    rlp = rlp_open("\xc0", 1);
    CHECK(rlp_is_list(&rlp));
    CHECK_EQ(rlp_bytes(&rlp, &bytes, &len), RLP_NOT_BYTES);
    u64 value;
    rlp = rlp_open("\x82\x00\x01", 3);
    CHECK_EQ(rlp_uint(&rlp, &value), RLP_LEADING_ZERO);
    rlp = rlp_open("\0", 1);
    CHECK_EQ(rlp_uint(&rlp, &value), RLP_LEADING_ZERO);
    CHECK_STR(rlp_verdict_text(RLP_TRAILING), "bytes follow where the value should have ended");
}

/* Lists a hundred thousand deep, built from the inside out, need neither recursion nor long. */
TEST(rlp_deep)
{
    static u8 bytes[500000];
    u8 *start = bytes + sizeof bytes;
    for (int depth = 0; depth < 100000; depth++) {
        u8 header[RLP_HEADER_MAX];
        size_t n = rlp_write_list_header(header, (size_t)(bytes + sizeof bytes - start));
        start -= n;
        memcpy(start, header, n);
    }
    size_t len = (size_t)(bytes + sizeof bytes - start);
    CHECK_EQ(rlp_check(start, len), RLP_OK);
    bytes[sizeof bytes - 1] = 0xc1;
    CHECK_EQ(rlp_check(start, len), RLP_TRUNCATED);
}
