#include <string.h>

#include "base/test.h"
#include "prim/json.h"
#include "prim/json_out.h"

static const char *text_of(struct buf *out)
{
    buf_add_byte(out, 0);
    CHECK(!out->full);
    return (const char *)out->data;
}

TEST(json_out_nests_and_separates)
{
    struct buf out;
    buf_init(&out, 4096);
    json_out_object(&out, NULL);
    json_out_quantity(&out, "a", 0);
    json_out_array(&out, "b");
    json_out_quantity(&out, NULL, 0x1f);
    json_out_object(&out, NULL);
    json_out_object_end(&out);
    json_out_null(&out, NULL);
    json_out_array_end(&out);
    json_out_bool(&out, "c", true);
    json_out_u64(&out, "d", UINT64_MAX);
    json_out_i64(&out, "e", -1);
    json_out_number(&out, "f", 0.5);
    json_out_quantity_u256(&out, "g", u256_from_u64(256));
    json_out_data(&out, "h", "\x00\xff", 2);
    json_out_object_end(&out);
    CHECK_STR(text_of(&out), "{\"a\":\"0x0\",\"b\":[\"0x1f\",{},null],\"c\":true,"
                             "\"d\":18446744073709551615,\"e\":-1,\"f\":0.5,\"g\":\"0x100\","
                             "\"h\":\"0x00ff\"}");
    buf_fini(&out);
}

TEST(json_out_quantities_have_no_leading_zero)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        struct buf out;
        buf_init(&out, 64);
        json_out_quantity(&out, NULL, 1ull << bit);
        char want[U256_HEX_MAX];
        size_t len = u256_format_hex(want, u256_from_u64(1ull << bit));
        CHECK_EQ(out.len, len + 2);
        CHECK_MEM(out.data + 1, want, len);
        buf_fini(&out);
    }
}

TEST(json_out_escapes_text)
{
    struct buf out;
    buf_init(&out, 4096);
    json_out_text(&out, NULL, "a\"b\\c\n\x01\x0b\xc3\xa9\xff\xed\xa0\x80z");
    CHECK_STR(text_of(&out), "\"a\\\"b\\\\c\\n\\u0001\\u000b\xc3\xa9\xef\xbf\xbd"
                             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
    struct json_doc *doc;
    CHECK(json_parse(&doc, (const char *)out.data, out.len - 1, 4, NULL) == STATUS_OK);
    json_free(doc);
    buf_fini(&out);
}

TEST(json_out_stays_within_the_bound)
{
    struct buf out;
    buf_init(&out, 10);
    json_out_data(&out, "key", "0123456789", 10);
    CHECK(out.full);
    CHECK(out.len <= 10);
    buf_fini(&out);
}
