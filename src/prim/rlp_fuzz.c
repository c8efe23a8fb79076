/*
 * Both laws of RLP: what is accepted encodes to the bytes it came from, and what is encoded is accepted
 * and decodes to what it was.
 */
#include <string.h>

#include "base/assert.h"
#include "prim/rlp.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { INPUT_MAX = 4096 };

/* Encodes again all values under a cursor. */
static void copy_values(struct buf *out, struct rlp from)
{
    while (!rlp_at_end(&from)) {
        struct rlp_item item;
        enum rlp_verdict verdict = rlp_item(&from, &item);
        assert(verdict == RLP_OK);
        if (!item.is_list) {
            rlp_put_bytes(out, item.payload, item.len);
            continue;
        }
        size_t mark = rlp_list_begin(out);
        copy_values(out, rlp_open(item.payload, item.len));
        rlp_list_end(out, mark);
    }
}

/* Numbers that are accepted are those that encode to the same bytes. */
static void check_numbers(const u8 *data, size_t size)
{
    struct rlp rlp = rlp_open(data, size);
    u256 word;
    if (rlp_u256(&rlp, &word) != RLP_OK)
        return;
    struct buf out;
    buf_init(&out, 64);
    rlp_put_u256(&out, word);
    size_t len = (size_t)(rlp.p - data);
    assert(out.len == len && len == rlp_size_u256(word) && memcmp(out.data, data, len) == 0);
    buf_fini(&out);
}

static void check_decoding(const u8 *data, size_t size)
{
    struct rlp_item item;
    struct rlp all = rlp_open(data, size);
    enum rlp_verdict first = rlp_item(&all, &item);
    if (rlp_check(data, size) != RLP_OK)
        return;
    assert(first == RLP_OK && rlp_at_end(&all));
    struct buf out;
    buf_init(&out, INPUT_MAX);
    copy_values(&out, rlp_open(data, size));
    assert(!out.full && out.len == size && memcmp(out.data, data, size) == 0);
    buf_fini(&out);
}

/* The input as a recipe: a byte opens a list, closes one, or says how many of the next are a string. */
static void check_encoding(const u8 *data, size_t size)
{
    struct buf out;
    buf_init(&out, 16 * INPUT_MAX);
    size_t marks[64], depth = 0;
    marks[depth++] = rlp_list_begin(&out);
    for (size_t at = 0; at < size;) {
        u8 code = data[at++];
        if (code == 0xff && depth < ARRAY_LEN(marks)) {
            marks[depth++] = rlp_list_begin(&out);
        } else if (code == 0xfe && depth > 1) {
            rlp_list_end(&out, marks[--depth]);
        } else {
            size_t len = code < size - at ? code : size - at, before = out.len;
            rlp_put_bytes(&out, data + at, len);
            assert(out.len - before == rlp_size_bytes(data + at, len));
            struct rlp back = rlp_open(out.data + before, out.len - before);
            const u8 *bytes;
            size_t got;
            enum rlp_verdict verdict = rlp_bytes(&back, &bytes, &got);
            assert(verdict == RLP_OK && got == len && memcmp(bytes, data + at, len) == 0);
            at += len;
        }
    }
    while (depth)
        rlp_list_end(&out, marks[--depth]);
    assert(!out.full && rlp_check(out.data, out.len) == RLP_OK);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    check_decoding(data, size);
    check_numbers(data, size);
    check_encoding(data, size);
    return 0;
}
