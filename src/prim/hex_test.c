#include <string.h>

#include "base/test.h"
#include "prim/hex.h"

static enum hex_verdict decode(u8 *out, size_t *len, size_t max, const char *text)
{
    return hex_decode(out, len, max, text, strlen(text));
}

TEST(hex_round_trip)
{
    u8 all[256], back[256];
    for (int i = 0; i < 256; i++)
        all[i] = (u8)i;
    char text[2 * sizeof all + 3];
    CHECK_EQ(hex_encode(text, all, sizeof all), 2 + 2 * sizeof all);
    size_t len = 0;
    CHECK_EQ(decode(back, &len, sizeof back, text), HEX_OK);
    CHECK_EQ(len, sizeof all);
    CHECK_MEM(back, all, sizeof all);
    struct buf buf;
    buf_init(&buf, 1000);
    CHECK_EQ(hex_decode_buf(&buf, text, strlen(text)), HEX_OK);
    CHECK_EQ(buf.len, sizeof all);
    buf_reset(&buf);
    hex_encode_buf(&buf, all, sizeof all);
    CHECK_EQ(buf.len, strlen(text));
    CHECK_MEM(buf.data, text, buf.len);
    buf_fini(&buf);
}

TEST(hex_strict)
{
    u8 out[4] = {1, 2, 3, 4};
    size_t len = 99;
    CHECK_EQ(decode(out, &len, 4, "0x"), HEX_OK);
    CHECK_EQ(len, 0);
    CHECK_EQ(decode(out, &len, 4, ""), HEX_NO_PREFIX);
    CHECK_EQ(decode(out, &len, 4, "0"), HEX_NO_PREFIX);
    CHECK_EQ(decode(out, &len, 4, "1234"), HEX_NO_PREFIX);
    CHECK_EQ(decode(out, &len, 4, "0x123"), HEX_ODD);
    CHECK_EQ(decode(out, &len, 4, "0x12g4"), HEX_BAD_DIGIT);
    CHECK_EQ(decode(out, &len, 4, "0x12 4"), HEX_BAD_DIGIT);
    CHECK_EQ(decode(out, &len, 4, "0x1234567890"), HEX_BAD_LENGTH);
    CHECK_EQ(hex_decode_exact(out, 4, "0x123456", 8), HEX_BAD_LENGTH);
    CHECK_MEM(out, ((u8[]){1, 2, 3, 4}), 4);
    CHECK_EQ(hex_decode_exact(out, 4, "0XdeadBEEF", 10), HEX_OK);
    CHECK_MEM(out, ((u8[]){0xde, 0xad, 0xbe, 0xef}), 4);
    CHECK_EQ(hex_digit('f'), 15);
    CHECK_EQ(hex_digit('/'), -1);
    CHECK_STR(hex_verdict_text(HEX_ODD), "hex text has an odd number of digits");
}
