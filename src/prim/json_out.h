/*
 * JSON, written into a byte buffer. There is no writer object: the comma before a value is decided by the
 * last byte written, so that parts of one document may be written by functions that know nothing of each
 * other. Every function takes the key first: a plain name inside an object, NULL inside an array or at
 * the top. The buffer's `full` says at the end whether its bound was passed.
 * Formats: execution-apis, "quantity" and "data".
 */
#pragma once

#include "base/buf.h"
#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"

void json_out_object(struct buf *out, const char *key); /* opens one */
void json_out_object_end(struct buf *out);
void json_out_array(struct buf *out, const char *key); /* opens one */
void json_out_array_end(struct buf *out);

void json_out_null(struct buf *out, const char *key);
void json_out_bool(struct buf *out, const char *key, bool value);
void json_out_u64(struct buf *out, const char *key, u64 value);         /* a decimal number */
void json_out_i64(struct buf *out, const char *key, i64 value);         /* a decimal number */
void json_out_number(struct buf *out, const char *key, double value);   /* finite */
void json_out_text(struct buf *out, const char *key, const char *text); /* escaped */
/* Bytes that are not valid UTF-8 are written as U+FFFD, so that the document stays valid. */
void json_out_text_len(struct buf *out, const char *key, const char *text, size_t len);
void json_out_raw(struct buf *out, const char *key, const void *value,
                  size_t len); /* JSON already */

/* Quantities: "0x" and digits without leading zeroes. */
void json_out_quantity(struct buf *out, const char *key, u64 value);
void json_out_quantity_u256(struct buf *out, const char *key, u256 value);

/* Data: "0x" and two digits a byte. */
void json_out_data(struct buf *out, const char *key, const void *bytes, size_t len);
void json_out_hash(struct buf *out, const char *key, const hash32 *hash);
void json_out_addr(struct buf *out, const char *key, const addr20 *addr);
void json_out_word(struct buf *out, const char *key, u256 value); /* all 32 bytes */
