/* Official RLP tests: a value and its encoding, or bytes that are or are not the encoding of something. */
#include "prim/rlp.h"

#include <string.h>

#include "base/buf.h"
#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"

enum { ENCODING_MAX = 1 << 20, BIG_MAX = 256 };

/* "#123": a number of any size, in as few bytes as it needs. False when it is none or too large. */
static bool encode_big(struct buf *out, const char *digits)
{
    u8 bytes[BIG_MAX] = {0}; /* big-endian, right-aligned */
    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9')
            return false;
        unsigned carry = (unsigned)(*digits - '0');
        for (size_t i = BIG_MAX; i-- > 0;) {
            carry += bytes[i] * 10u;
            bytes[i] = (u8)carry;
            carry >>= 8;
        }
        if (carry)
            return false;
    }
    size_t skip = 0;
    while (skip < BIG_MAX && !bytes[skip])
        skip++;
    rlp_put_bytes(out, bytes + skip, BIG_MAX - skip);
    return true;
}

static bool encode_text(struct buf *out, const char *text, size_t len)
{
    if (len && text[0] == '#')
        return encode_big(out, text + 1);
    rlp_put_bytes(out, text, len);
    return true;
}

static bool encode_value(struct buf *out, json value)
{
    size_t len;
    u64 number;
    const char *text = json_text_len(value, &len);
    if (text)
        return encode_text(out, text, len);
    if (json_u64(value, &number)) {
        rlp_put_uint(out, number);
        return true;
    }
    if (json_kind(value) != JSON_KIND_ARRAY)
        return false;
    size_t mark = rlp_list_begin(out);
    struct json_iter iter = json_iter(value);
    bool ok = true;
    while (ok && json_next(&iter))
        ok = encode_value(out, iter.value);
    rlp_list_end(out, mark);
    return ok;
}

static void check_encoding(struct report *report, json in, struct bytes want)
{
    struct buf got;
    buf_init(&got, ENCODING_MAX);
    if (!encode_value(&got, in))
        report_fail(report, "in: cannot be encoded as RLP");
    else if (got.len != want.len || memcmp(got.data, want.data, want.len) != 0)
        report_fail(report, "the encoding of in differs from out");
    else if (rlp_check(want.data, want.len) != RLP_OK)
        report_fail(report, "out does not decode: %s",
                    rlp_verdict_text(rlp_check(want.data, want.len)));
    else
        report_pass(report);
    buf_fini(&got);
}

/*
 * One item and nothing behind it, or (pyRlpInvalidCases of nim-eth calls that valid too) several, each
 * well-formed by itself.
 */
static enum rlp_verdict check_items(const u8 *bytes, size_t len)
{
    struct rlp rest = rlp_open(bytes, len);
    struct rlp_item item;
    enum rlp_verdict verdict = len ? RLP_OK : rlp_check(bytes, len);
    while (verdict == RLP_OK && rest.p < rest.end) {
        const u8 *begin = rest.p;
        verdict = rlp_item(&rest, &item);
        if (verdict == RLP_OK)
            verdict = rlp_check(begin, (size_t)(rest.p - begin));
    }
    return verdict;
}

static void run_case(void *worker, struct report *report, const char *name, json value)
{
    (void)worker;
    if (!report_begin(report, "%s", name))
        return;
    struct arena arena;
    struct reader reader;
    arena_init(&arena);
    reader_init(&reader, &arena);
    json in = json_get(value, "in");
    struct bytes out = reader_bytes(&reader, value, "out");
    const char *text = json_text(in);
    bool must_fail = text && strcmp(text, "INVALID") == 0;
    bool must_pass = text && strcmp(text, "VALID") == 0;
    if (reader.failed && must_fail)
        report_pass(report); /* Bytes that are not even hex are no RLP either. */
    else if (reader.failed)
        report_fail(report, "%s", reader.err.text);
    else if (must_fail || must_pass) {
        enum rlp_verdict verdict =
            must_pass ? check_items(out.data, out.len) : rlp_check(out.data, out.len);
        if ((verdict == RLP_OK) == must_pass)
            report_pass(report);
        else
            report_fail(report, "decoding %s, but the bytes are %s", rlp_verdict_text(verdict),
                        text);
    } else {
        check_encoding(report, in, out);
    }
    arena_fini(&arena);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

int rlptest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm rlptest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs official RLP tests: {name: {in, out}}.", NULL};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
