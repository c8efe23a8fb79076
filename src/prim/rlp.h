/*
 * RLP, the Recursive Length Prefix encoding (Yellow Paper, appendix B): a value is a string of bytes
 * or a list of values. Decoding is strict: of the many byte strings that would mean the same value
 * only the shortest is accepted, so that a decoded value encodes to the bytes it came from.
 */
#pragma once

#include "base/buf.h"
#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"

/* What a value is found to be, from one list of name and sentence. */
#define RLP_VERDICTS(X)                                                                \
    X(RLP_OK, "is well-formed")                                                        \
    X(RLP_END, "the input ends where a value should begin")                            \
    X(RLP_TRUNCATED, "a value is longer than the input that holds it")                 \
    X(RLP_LONG_FORM, "a length is written in more bytes than it needs")                \
    X(RLP_BYTE_WRAPPED, "a single byte below 0x80 is written with a length before it") \
    X(RLP_NOT_BYTES, "a list stands where bytes should")                               \
    X(RLP_NOT_LIST, "bytes stand where a list should")                                 \
    X(RLP_LEADING_ZERO, "a number begins with a zero byte")                            \
    X(RLP_TOO_LARGE, "a number is larger than its field allows")                       \
    X(RLP_BAD_LENGTH, "a field has the wrong number of bytes")                         \
    X(RLP_TRAILING, "bytes follow where the value should have ended")

enum rlp_verdict {
#define X(name, sentence) name,
    RLP_VERDICTS(X)
#undef X
};

const char *rlp_verdict_text(enum rlp_verdict verdict);

/* --- decoding ------------------------------------------------------------------------------- */

/*
 * A cursor over consecutive values: the input or a list's payload. Every function below reads the
 * value at p and moves p past it; on any verdict but RLP_OK the cursor and the outputs are
 * untouched. Byte outputs point into the input and live as long as it does.
 */
struct rlp {
    const u8 *p, *end;
};

/* One value as found: payload is the bytes, or the values of the list. */
struct rlp_item {
    const u8 *payload;
    size_t len;
    const u8 *start; /* of the whole value with its header, which ends with the payload */
    bool is_list;
};

static inline struct rlp rlp_open(const void *bytes, size_t len)
{
    const u8 *p = (const u8 *)bytes;
    return (struct rlp){p, len ? p + len : p};
}

static inline bool rlp_at_end(const struct rlp *rlp)
{
    return rlp->p == rlp->end;
}

/* True when another value begins here and it is a list. */
static inline bool rlp_is_list(const struct rlp *rlp)
{
    return rlp->p < rlp->end && *rlp->p >= 0xc0;
}

/* Either kind. The values inside a list are not looked at. */
MUST_READ enum rlp_verdict rlp_item(struct rlp *rlp, struct rlp_item *out);

/* A list; *out becomes a cursor over its values. */
MUST_READ enum rlp_verdict rlp_list(struct rlp *rlp, struct rlp *out);

/* A string of any length. */
MUST_READ enum rlp_verdict rlp_bytes(struct rlp *rlp, const u8 **out, size_t *len);

/* A string of exactly len bytes, copied to out. */
MUST_READ enum rlp_verdict rlp_fixed(struct rlp *rlp, u8 *out, size_t len);

MUST_READ enum rlp_verdict rlp_hash(struct rlp *rlp, hash32 *out);
MUST_READ enum rlp_verdict rlp_addr(struct rlp *rlp, addr20 *out);

/* An address or nothing (the `to` of a creation): *present says which; out is zero when absent. */
MUST_READ enum rlp_verdict rlp_addr_opt(struct rlp *rlp, addr20 *out, bool *present);

/* Numbers: big-endian, no leading zero byte, zero is the empty string. */
MUST_READ enum rlp_verdict rlp_uint(struct rlp *rlp, u64 *out);
MUST_READ enum rlp_verdict rlp_u256(struct rlp *rlp, u256 *out);

/* RLP_TRAILING unless the cursor is at its end. */
MUST_READ enum rlp_verdict rlp_finish(const struct rlp *rlp);

/* How many values are left; each one's header is checked. */
MUST_READ enum rlp_verdict rlp_count(struct rlp rlp, size_t *out);

/* Everything: one value, nested to any depth, each header canonical, nothing after it. Uses no recursion. */
MUST_READ enum rlp_verdict rlp_check(const void *bytes, size_t len);

/* --- encoding ------------------------------------------------------------------------------- */

/* Appended to out; its `full` says when its bound was passed. */
void rlp_put_bytes(struct buf *out, const void *bytes, size_t len);
void rlp_put_uint(struct buf *out, u64 value);
void rlp_put_u256(struct buf *out, u256 value);
void rlp_put_hash(struct buf *out, const hash32 *hash);
void rlp_put_addr(struct buf *out, const addr20 *addr);
void rlp_put_addr_opt(struct buf *out, const addr20 *addr);       /* the empty string when NULL */
void rlp_put_raw(struct buf *out, const void *value, size_t len); /* a value encoded already */
void rlp_put_list_header(struct buf *out, size_t payload_len);

/*
 * A list whose payload length is not known beforehand: what is put between the two belongs to it.
 * Lists nest; begin returns the mark that its end needs.
 */
size_t rlp_list_begin(struct buf *out);
void rlp_list_end(struct buf *out, size_t mark);

/* The encoded size, header included, of what the functions above would put. */
size_t rlp_size_bytes(const void *bytes, size_t len);
size_t rlp_size_uint(u64 value);
size_t rlp_size_u256(u256 value);
size_t rlp_size_list(size_t payload_len);

/* The longest header, and the header of a list alone: writes 1 to 9 bytes and returns how many. */
enum { RLP_HEADER_MAX = 9 };
size_t rlp_write_list_header(u8 out[RLP_HEADER_MAX], size_t payload_len);
size_t rlp_write_bytes_header(u8 out[RLP_HEADER_MAX], size_t len); /* for len other than 1 */

/* The encoding of the empty string and of the empty list. */
enum { RLP_EMPTY_BYTES = 0x80, RLP_EMPTY_LIST = 0xc0 };
