#include <stdio.h>

#include "prim/u256.h"
#include "trace/trace.h"

enum { SELECTOR = 4, WORD = 32 };

/* The codes of Solidity's Panic(uint256) with the words geth has for them. */
static const struct {
    u8 code;
    const char *text;
} panics[] = {
    {0x00, "generic panic"},
    {0x01, "assert(false)"},
    {0x11, "arithmetic underflow or overflow"},
    {0x12, "division or modulo by zero"},
    {0x21, "enum overflow"},
    {0x22, "invalid encoded storage byte array accessed"},
    {0x31, "out-of-bounds array access; popping on an empty array"},
    {0x32, "out-of-bounds access of an array or bytesN"},
    {0x41, "out of memory"},
    {0x51, "uninitialized function"},
};

static bool panic_text(char *out, size_t out_size, const u8 *args, size_t len)
{
    if (len < WORD)
        return false;
    u256 code = u256_load_be(args);
    for (size_t i = 0; i < ARRAY_LEN(panics); i++)
        if (u256_eq(code, u256_from_u64(panics[i].code))) {
            snprintf(out, out_size, "%s", panics[i].text);
            return true;
        }
    char hex[U256_HEX_MAX];
    u256_format_hex(hex, code);
    snprintf(out, out_size, "unknown panic code: %s", hex);
    return true;
}

/* ABI: the offset of the string, then there its length and bytes. */
static bool error_text(char *out, size_t out_size, const u8 *args, size_t len)
{
    if (len < 2 * WORD)
        return false;
    u64 at = u256_to_u64_sat(u256_load_be(args));
    if (at > len - WORD)
        return false;
    u64 n = u256_to_u64_sat(u256_load_be(args + at));
    if (n > len - WORD - at)
        return false;
    if (n >= out_size)
        n = out_size - 1;
    memcpy(out, args + at + WORD, n);
    out[n] = '\0';
    return true;
}

bool revert_reason(char *out, size_t out_size, const u8 *data, size_t len)
{
    static const u8 error[SELECTOR] = {0x08, 0xc3, 0x79, 0xa0};
    static const u8 panic[SELECTOR] = {0x4e, 0x48, 0x7b, 0x71};
    if (len < SELECTOR)
        return false;
    if (memcmp(data, error, SELECTOR) == 0)
        return error_text(out, out_size, data + SELECTOR, len - SELECTOR);
    if (memcmp(data, panic, SELECTOR) == 0)
        return panic_text(out, out_size, data + SELECTOR, len - SELECTOR);
    return false;
}
