/*
 * Bytes as hexadecimal text, "0x" and two digits a byte, as JSON-RPC "data" is written. Decoding is
 * strict: it takes both cases of digits, and nothing else. Encoding writes lower case.
 */
#pragma once

#include "base/buf.h"
#include "base/types.h"

/* What a text is found to be, from one list of name and sentence. */
#define HEX_VERDICTS(X)                                                          \
    X(HEX_OK, "is well-formed")                                                  \
    X(HEX_NO_PREFIX, "hex text does not begin with 0x")                          \
    X(HEX_ODD, "hex text has an odd number of digits")                           \
    X(HEX_BAD_DIGIT, "hex text has a character that is not a hexadecimal digit") \
    X(HEX_BAD_LENGTH, "hex text is longer or shorter than it must be")

enum hex_verdict {
#define X(name, sentence) name,
    HEX_VERDICTS(X)
#undef X
};

const char *hex_verdict_text(enum hex_verdict verdict);

/* The value of one digit; -1 when it is none. */
int hex_digit(char c);

/*
 * Decodes text of len characters without "0x" into len / 2 bytes. out may be the text itself.
 * On any verdict but HEX_OK the bytes at out are unspecified when out is the text, else untouched.
 */
MUST_READ enum hex_verdict hex_decode_bare(u8 *out, const char *text, size_t len);

/* Decodes "0x..." into at most max bytes; *out_len is how many there were. */
MUST_READ enum hex_verdict hex_decode(u8 *out, size_t *out_len, size_t max, const char *text,
                                      size_t len);

/* Decodes "0x..." that must be exactly size bytes: hashes, addresses, words. */
MUST_READ enum hex_verdict hex_decode_exact(u8 *out, size_t size, const char *text, size_t len);

/* Appends the bytes that "0x..." names; out->full says when its bound was passed. */
MUST_READ enum hex_verdict hex_decode_buf(struct buf *out, const char *text, size_t len);

/* Writes 2 * len digits and a NUL; the second form writes "0x" first and needs two more. Both return the length. */
size_t hex_encode_bare(char *out, const u8 *bytes, size_t len);
size_t hex_encode(char *out, const u8 *bytes, size_t len);

/* Appends "0x" and the digits, without a NUL. */
void hex_encode_buf(struct buf *out, const u8 *bytes, size_t len);
