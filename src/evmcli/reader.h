/*
 * Reads fields of test files and of t8n's inputs: named members of JSON objects, in every way that
 * numbers and bytes are written there. The first thing wrong is kept in err, with the field's name, and
 * everything after it reads as zero, so that a caller looks once, at the end.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/json.h"
#include "prim/u256.h"

struct reader {
    struct arena *arena; /* owns the bytes read */
    struct err err;
    bool failed;
};

void reader_init(struct reader *reader, struct arena *arena);

/* Notes a failure, unless there is one already. */
void reader_fail(struct reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct bytes {
    const u8 *data;
    size_t len;
};

/* True when the member is there and not null. */
bool reader_has(json object, const char *key);

/* Members that must be there. Numbers: "0x" with any zeroes before, decimal text, or a JSON number. */
u64 reader_u64(struct reader *reader, json object, const char *key);
u256 reader_u256(struct reader *reader, json object, const char *key);
hash32 reader_hash(struct reader *reader, json object, const char *key);
addr20 reader_addr(struct reader *reader, json object, const char *key);
struct bytes reader_bytes(struct reader *reader, json object, const char *key);
json reader_object(struct reader *reader, json object, const char *key);
json reader_array(struct reader *reader, json object, const char *key);

/* Members that may be missing or null: the default then. */
u64 reader_u64_or(struct reader *reader, json object, const char *key, u64 otherwise);
u256 reader_u256_or(struct reader *reader, json object, const char *key, u256 otherwise);

/* Values by themselves; what is how a message names them. Hashes shorter than 32 bytes are refused. */
u64 value_u64(struct reader *reader, json value, const char *what);
u256 value_u256(struct reader *reader, json value, const char *what);
hash32 value_hash(struct reader *reader, json value, const char *what);
addr20 value_addr(struct reader *reader, json value, const char *what);
struct bytes value_bytes(struct reader *reader, json value, const char *what);

/* The same of text; bytes with or without 0x. */
bool text_u256(u256 *out, const char *text, size_t len);
addr20 text_addr(struct reader *reader, const char *text);
struct bytes text_bytes(struct reader *reader, const char *text, size_t len, const char *what);

/* A storage slot or value: hex of up to 32 bytes with or without zeroes before it. */
u256 text_word(struct reader *reader, const char *text, size_t len, const char *what);
