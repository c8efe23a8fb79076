#include "prim/hex.h"

const char *hex_verdict_text(enum hex_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, sentence) sentence,
        HEX_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

/* One more than the digit's value, so that the zeroes of the table mean "no digit". */
static const u8 digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c)
{
    return digits[(u8)c] - 1;
}

static enum hex_verdict check(const char *text, size_t len)
{
    if (len % 2)
        return HEX_ODD;
    for (size_t i = 0; i < len; i++)
        if (!digits[(u8)text[i]])
            return HEX_BAD_DIGIT;
    return HEX_OK;
}

/* The text has been checked. */
static void decode(u8 *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i += 2)
        out[i / 2] = (u8)((digits[(u8)text[i]] - 1) << 4 | (digits[(u8)text[i + 1]] - 1));
}

enum hex_verdict hex_decode_bare(u8 *out, const char *text, size_t len)
{
    enum hex_verdict verdict = check(text, len);
    if (verdict == HEX_OK)
        decode(out, text, len);
    return verdict;
}

/* Checks all of "0x..." and passes the prefix. */
static enum hex_verdict check_prefixed(const char **text, size_t *len)
{
    if (*len < 2 || (*text)[0] != '0' || ((*text)[1] != 'x' && (*text)[1] != 'X'))
        return HEX_NO_PREFIX;
    *text += 2;
    *len -= 2;
    return check(*text, *len);
}

enum hex_verdict hex_decode(u8 *out, size_t *out_len, size_t max, const char *text, size_t len)
{
    enum hex_verdict verdict = check_prefixed(&text, &len);
    if (verdict != HEX_OK)
        return verdict;
    if (len / 2 > max)
        return HEX_BAD_LENGTH;
    decode(out, text, len);
    *out_len = len / 2;
    return HEX_OK;
}

enum hex_verdict hex_decode_exact(u8 *out, size_t size, const char *text, size_t len)
{
    enum hex_verdict verdict = check_prefixed(&text, &len);
    if (verdict != HEX_OK)
        return verdict;
    if (len / 2 != size)
        return HEX_BAD_LENGTH;
    decode(out, text, len);
    return HEX_OK;
}

enum hex_verdict hex_decode_buf(struct buf *out, const char *text, size_t len)
{
    enum hex_verdict verdict = check_prefixed(&text, &len);
    if (verdict != HEX_OK)
        return verdict;
    u8 *room = buf_extend(out, len / 2);
    if (room)
        decode(room, text, len);
    return HEX_OK;
}

static void encode(char *out, const u8 *bytes, size_t len)
{
    static const char letters[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = letters[bytes[i] >> 4];
        out[2 * i + 1] = letters[bytes[i] & 15];
    }
}

size_t hex_encode_bare(char *out, const u8 *bytes, size_t len)
{
    encode(out, bytes, len);
    out[2 * len] = 0;
    return 2 * len;
}

size_t hex_encode(char *out, const u8 *bytes, size_t len)
{
    out[0] = '0';
    out[1] = 'x';
    return 2 + hex_encode_bare(out + 2, bytes, len);
}

void hex_encode_buf(struct buf *out, const u8 *bytes, size_t len)
{
    u8 *room = buf_extend(out, 2 + 2 * len);
    if (!room)
        return;
    room[0] = '0';
    room[1] = 'x';
    encode((char *)room + 2, bytes, len);
}
