#include "prim/rlp.h"

#include "base/assert.h"

const char *rlp_verdict_text(enum rlp_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, sentence) sentence,
        RLP_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

/* --- decoding ------------------------------------------------------------------------------- */

/* Payloads below 56 bytes have their length in the first byte; longer ones have it after that. */
enum { SHORT_MAX = 55 };

/* The length of a long form: size bytes at p. */
static enum rlp_verdict long_length(const u8 *p, const u8 *end, size_t size, size_t *out)
{
    if ((size_t)(end - p) < size)
        return RLP_TRUNCATED;
    if (p[0] == 0)
        return RLP_LONG_FORM;
    u64 len = 0;
    for (size_t i = 0; i < size; i++)
        len = len << 8 | p[i];
    if (len <= SHORT_MAX)
        return RLP_LONG_FORM;
    *out = len;
    return RLP_OK;
}

enum rlp_verdict rlp_item(struct rlp *rlp, struct rlp_item *out)
{
    const u8 *p = rlp->p, *end = rlp->end;
    if (p == end)
        return RLP_END;
    u8 first = *p;
    if (first < 0x80) {
        *out = (struct rlp_item){.payload = p, .len = 1, .start = p};
        rlp->p = p + 1;
        return RLP_OK;
    }
    bool is_list = first >= 0xc0;
    size_t len = first - (is_list ? 0xc0u : 0x80u);
    const u8 *payload = p + 1;
    if (len > SHORT_MAX) {
        size_t size = len - SHORT_MAX;
        enum rlp_verdict verdict = long_length(payload, end, size, &len);
        if (verdict != RLP_OK)
            return verdict;
        payload += size;
    }
    if ((size_t)(end - payload) < len)
        return RLP_TRUNCATED;
    if (!is_list && len == 1 && *payload < 0x80)
        return RLP_BYTE_WRAPPED;
    *out = (struct rlp_item){.payload = payload, .len = len, .start = p, .is_list = is_list};
    rlp->p = payload + len;
    return RLP_OK;
}

enum rlp_verdict rlp_list(struct rlp *rlp, struct rlp *out)
{
    struct rlp next = *rlp;
    struct rlp_item item;
    enum rlp_verdict verdict = rlp_item(&next, &item);
    if (verdict != RLP_OK)
        return verdict;
    if (!item.is_list)
        return RLP_NOT_LIST;
    *rlp = next;
    *out = (struct rlp){item.payload, item.payload + item.len};
    return RLP_OK;
}

enum rlp_verdict rlp_bytes(struct rlp *rlp, const u8 **out, size_t *len)
{
    struct rlp next = *rlp;
    struct rlp_item item;
    enum rlp_verdict verdict = rlp_item(&next, &item);
    if (verdict != RLP_OK)
        return verdict;
    if (item.is_list)
        return RLP_NOT_BYTES;
    *rlp = next;
    *out = item.payload;
    *len = item.len;
    return RLP_OK;
}

enum rlp_verdict rlp_fixed(struct rlp *rlp, u8 *out, size_t len)
{
    struct rlp next = *rlp;
    const u8 *bytes;
    size_t got;
    enum rlp_verdict verdict = rlp_bytes(&next, &bytes, &got);
    if (verdict != RLP_OK)
        return verdict;
    if (got != len)
        return RLP_BAD_LENGTH;
    memcpy(out, bytes, len);
    *rlp = next;
    return RLP_OK;
}

enum rlp_verdict rlp_hash(struct rlp *rlp, hash32 *out)
{
    return rlp_fixed(rlp, out->b, sizeof out->b);
}

enum rlp_verdict rlp_addr(struct rlp *rlp, addr20 *out)
{
    return rlp_fixed(rlp, out->b, sizeof out->b);
}

enum rlp_verdict rlp_addr_opt(struct rlp *rlp, addr20 *out, bool *present)
{
    if (rlp->p < rlp->end && *rlp->p == RLP_EMPTY_BYTES) {
        rlp->p++;
        *out = (addr20){{0}};
        *present = false;
        return RLP_OK;
    }
    enum rlp_verdict verdict = rlp_addr(rlp, out);
    if (verdict == RLP_OK)
        *present = true;
    return verdict;
}

/* The bytes of a number of at most max of them. */
static enum rlp_verdict number(struct rlp *rlp, size_t max, const u8 **out, size_t *len)
{
    struct rlp next = *rlp;
    const u8 *bytes;
    size_t got;
    enum rlp_verdict verdict = rlp_bytes(&next, &bytes, &got);
    if (verdict != RLP_OK)
        return verdict;
    if (got && bytes[0] == 0)
        return RLP_LEADING_ZERO;
    if (got > max)
        return RLP_TOO_LARGE;
    *rlp = next;
    *out = bytes;
    *len = got;
    return RLP_OK;
}

enum rlp_verdict rlp_uint(struct rlp *rlp, u64 *out)
{
    const u8 *bytes;
    size_t len;
    enum rlp_verdict verdict = number(rlp, sizeof *out, &bytes, &len);
    if (verdict != RLP_OK)
        return verdict;
    u64 value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    *out = value;
    return RLP_OK;
}

enum rlp_verdict rlp_u256(struct rlp *rlp, u256 *out)
{
    const u8 *bytes;
    size_t len;
    enum rlp_verdict verdict = number(rlp, 32, &bytes, &len);
    if (verdict == RLP_OK)
        *out = u256_load_be_n(bytes, len);
    return verdict;
}

enum rlp_verdict rlp_finish(const struct rlp *rlp)
{
    return rlp_at_end(rlp) ? RLP_OK : RLP_TRAILING;
}

enum rlp_verdict rlp_count(struct rlp rlp, size_t *out)
{
    size_t n = 0;
    struct rlp_item item;
    while (!rlp_at_end(&rlp)) {
        enum rlp_verdict verdict = rlp_item(&rlp, &item);
        if (verdict != RLP_OK)
            return verdict;
        n++;
    }
    *out = n;
    return RLP_OK;
}

/*
 * Values inside a list must end exactly where the list does. Instead of a stack of list ends, every
 * list is walked at its own level first (rlp_count), which shows that its values tile it; then the
 * walk goes on into the first of them. Reading every header inside once more per level would be
 * quadratic in the depth, so a value is only counted by the list that directly holds it.
 */
enum rlp_verdict rlp_check(const void *bytes, size_t len)
{
    struct rlp all = rlp_open(bytes, len);
    struct rlp_item item;
    enum rlp_verdict verdict = rlp_item(&all, &item);
    if (verdict != RLP_OK)
        return verdict;
    if (!rlp_at_end(&all))
        return RLP_TRAILING;
    /* In the walk below the end of the enclosing list is known to be sound already. */
    struct rlp walk = rlp_open(bytes, len);
    while (!rlp_at_end(&walk)) {
        verdict = rlp_item(&walk, &item);
        if (verdict != RLP_OK)
            return verdict;
        if (!item.is_list)
            continue;
        size_t count;
        verdict = rlp_count((struct rlp){item.payload, item.payload + item.len}, &count);
        if (verdict != RLP_OK)
            return verdict;
        walk.p = item.payload;
    }
    return RLP_OK;
}

/* --- encoding ------------------------------------------------------------------------------- */

/* Writes the big-endian bytes of value without leading zeroes; 0 bytes for zero. */
static size_t write_minimal(u8 *out, u64 value)
{
    size_t n = value ? (71 - (size_t)__builtin_clzll(value)) / 8 : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (u8)(value >> 8 * (n - 1 - i));
    return n;
}

static size_t write_header(u8 out[RLP_HEADER_MAX], u8 base, size_t len)
{
    if (len <= SHORT_MAX) {
        out[0] = (u8)(base + len);
        return 1;
    }
    size_t n = write_minimal(out + 1, len);
    out[0] = (u8)(base + SHORT_MAX + n);
    return 1 + n;
}

static size_t header_size(size_t len)
{
    u8 header[RLP_HEADER_MAX];
    return write_header(header, 0, len);
}

size_t rlp_write_list_header(u8 out[RLP_HEADER_MAX], size_t payload_len)
{
    return write_header(out, RLP_EMPTY_LIST, payload_len);
}

size_t rlp_write_bytes_header(u8 out[RLP_HEADER_MAX], size_t len)
{
    assert(len != 1);
    return write_header(out, RLP_EMPTY_BYTES, len);
}

void rlp_put_bytes(struct buf *out, const void *bytes, size_t len)
{
    if (len != 1 || *(const u8 *)bytes >= 0x80) {
        u8 header[RLP_HEADER_MAX];
        buf_add(out, header, write_header(header, RLP_EMPTY_BYTES, len));
    }
    buf_add(out, bytes, len);
}

void rlp_put_uint(struct buf *out, u64 value)
{
    u8 bytes[8];
    rlp_put_bytes(out, bytes, write_minimal(bytes, value));
}

void rlp_put_u256(struct buf *out, u256 value)
{
    u8 bytes[32];
    u256_store_be(bytes, value);
    size_t len = (u256_bits(value) + 7) / 8;
    rlp_put_bytes(out, bytes + 32 - len, len);
}

void rlp_put_hash(struct buf *out, const hash32 *hash)
{
    rlp_put_bytes(out, hash->b, sizeof hash->b);
}

void rlp_put_addr(struct buf *out, const addr20 *addr)
{
    rlp_put_bytes(out, addr->b, sizeof addr->b);
}

void rlp_put_addr_opt(struct buf *out, const addr20 *addr)
{
    if (addr)
        rlp_put_addr(out, addr);
    else
        buf_add_byte(out, RLP_EMPTY_BYTES);
}

void rlp_put_raw(struct buf *out, const void *value, size_t len)
{
    buf_add(out, value, len);
}

void rlp_put_list_header(struct buf *out, size_t payload_len)
{
    u8 header[RLP_HEADER_MAX];
    buf_add(out, header, rlp_write_list_header(header, payload_len));
}

size_t rlp_list_begin(struct buf *out)
{
    buf_add_byte(out, RLP_EMPTY_LIST);
    return out->len;
}

void rlp_list_end(struct buf *out, size_t mark)
{
    if (out->full)
        return;
    size_t payload_len = out->len - mark;
    u8 header[RLP_HEADER_MAX];
    size_t n = rlp_write_list_header(header, payload_len);
    /* One byte was put by begin; a longer header needs the payload moved up. */
    if (n > 1) {
        if (!buf_extend(out, n - 1))
            return;
        memmove(out->data + mark + n - 1, out->data + mark, payload_len);
    }
    memcpy(out->data + mark - 1, header, n);
}

size_t rlp_size_bytes(const void *bytes, size_t len)
{
    if (len == 1 && *(const u8 *)bytes < 0x80)
        return 1;
    return header_size(len) + len;
}

size_t rlp_size_uint(u64 value)
{
    return value < 0x80 ? 1 : 1 + (71 - (size_t)__builtin_clzll(value)) / 8;
}

size_t rlp_size_u256(u256 value)
{
    unsigned bits = u256_bits(value);
    return bits <= 7 ? 1 : 1 + (bits + 7) / 8;
}

size_t rlp_size_list(size_t payload_len)
{
    return header_size(payload_len) + payload_len;
}
