/*
 * Lines for people and for machines about what a program does. A log is a value: two nodes in one process have
 * two. It reads no clock and opens no file: both are given to it. Nothing is allocated; a line is put together in
 * the log's own memory and handed on whole. Not thread-safe.
 *
 *   log_say(log, LOG_INFO, LOG_NODE, "stopping");
 *   LOG(log, LOG_WARN, LOG_HTTP, "a connection was refused", log_text("from", addr), log_u64("open", n));
 *
 * Whatever values hold, a line stays one line and obeys nobody: control characters, marks that turn the
 * direction of writing and bytes that are not UTF-8 are written as escapes, long values are cut.
 */
#pragma once

#include "base/buf.h"
#include "base/status.h"
#include "base/types.h"

/* X(enumerator, name): from the least to the most talkative. */
#define LOG_LEVELS(X) \
    X(ERROR, "error") X(WARN, "warn") X(INFO, "info") X(DEBUG, "debug") X(TRACE, "trace")

/* X(enumerator, name): the rooms that speak. */
#define LOG_ROOMS(X)    \
    X(NODE, "node")     \
    X(RPC, "rpc")       \
    X(HTTP, "http")     \
    X(DEV, "dev")       \
    X(TXPOOL, "txpool") \
    X(CHAIN, "chain")   \
    X(STATE, "state")   \
    X(DB, "db")         \
    X(SYS, "sys")

#define LOG_FORMATS(X) X(TEXT, "text") X(LOGFMT, "logfmt") X(JSON, "json")

enum log_level {
#define X(id, name) LOG_##id,
    LOG_LEVELS(X)
#undef X
        LOG_LEVEL_COUNT,
};

enum log_room {
#define X(id, name) LOG_##id,
    LOG_ROOMS(X)
#undef X
        LOG_ROOM_COUNT,
};

enum log_format {
#define X(id, name) LOG_AS_##id,
    LOG_FORMATS(X)
#undef X
        LOG_FORMAT_COUNT,
};

struct log_options {
    enum log_format format;
    bool has_color; /* LOG_AS_TEXT on a terminal */
    u32 lines_max; /* in a second; errors may be twice as many; what is left out is counted and said. 0: no bound */
    u64 (*now_ns)(void); /* since 1970 */
    void (*write)(void *ctx, const char *line,
                  size_t len); /* ends with a newline; lent for the call */
    void *ctx;
};

enum { LOG_LINE_MAX = 4096, LOG_VALUE_MAX = 512 };

struct logger {
    struct log_options options;
    u8 levels[LOG_ROOM_COUNT]; /* what is said: up to this one */
    u64 second;                /* in which `lines` have been written and `dropped` left out */
    u32 lines;
    u64 dropped;
    size_t len;
    char line[LOG_LINE_MAX];
};

/* Every room at LOG_INFO. */
void log_init(struct logger *log, const struct log_options *options);

/* --- levels ------------------------------------------------------------------------------------ */

/*
 * "debug" for all rooms, "rpc=debug" for one, or a list with commas, read from the left: "warn,rpc=debug,db=trace".
 * All of it takes effect or, when there is a mistake, nothing.
 */
MUST_READ enum status log_set_levels(struct logger *log, const char *text, struct err *err);
void log_put_levels(const struct logger *log, struct buf *out); /* "node=info,rpc=debug,..." */
MUST_READ bool log_format_parse(enum log_format *format, const char *name);

static inline bool log_is_on(const struct logger *log, enum log_level level, enum log_room room)
{
    return log && level <= log->levels[room];
}

/* --- lines ------------------------------------------------------------------------------------- */

enum log_kind {
    LOG_END_OF_FIELDS,
    LOG_TEXT_FIELD,
    LOG_U64_FIELD,
    LOG_I64_FIELD,
    LOG_BOOL_FIELD,
    LOG_HEX_FIELD,
    LOG_SECONDS_FIELD
};

struct log_field {
    enum log_kind kind;
    const char *name; /* lower case, with underscores */
    const void *bytes;
    u64 number; /* or the length of bytes */
};

static inline struct log_field log_bytes(const char *name, const void *text, size_t len)
{
    return (struct log_field){LOG_TEXT_FIELD, name, text, len};
}
struct log_field log_text(const char *name, const char *text);
static inline struct log_field log_u64(const char *name, u64 number)
{
    return (struct log_field){LOG_U64_FIELD, name, NULL, number};
}
static inline struct log_field log_i64(const char *name, i64 number)
{
    return (struct log_field){LOG_I64_FIELD, name, NULL, (u64)number};
}
static inline struct log_field log_bool(const char *name, bool truth)
{
    return (struct log_field){LOG_BOOL_FIELD, name, NULL, truth};
}
/* Hashes and addresses, as 0x text. */
static inline struct log_field log_hex(const char *name, const void *bytes, size_t len)
{
    return (struct log_field){LOG_HEX_FIELD, name, bytes, len};
}
/* A duration in nanoseconds, written in seconds. */
static inline struct log_field log_seconds(const char *name, u64 ns)
{
    return (struct log_field){LOG_SECONDS_FIELD, name, NULL, ns};
}

/* words: a sentence without a full stop, not made of input. log may be NULL: nothing is said. */
void log_say(struct logger *log, enum log_level level, enum log_room room, const char *words);
void log_line(struct logger *log, enum log_level level, enum log_room room, const char *words,
              const struct log_field *fields);

/* With one field or more. Fields are evaluated only when the line is written. */
#define LOG(log, level, room, words, ...)                                                    \
    do {                                                                                     \
        if (log_is_on(log, level, room))                                                     \
            log_line(log, level, room, words, (const struct log_field[]){__VA_ARGS__, {0}}); \
    } while (0)
