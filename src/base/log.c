#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const char *const level_names[] = {
#define X(id, name) name,
    LOG_LEVELS(X)
#undef X
};
static const char *const room_names[] = {
#define X(id, name) name,
    LOG_ROOMS(X)
#undef X
};
static const char *const format_names[] = {
#define X(id, name) name,
    LOG_FORMATS(X)
#undef X
};

void log_init(struct logger *log, const struct log_options *options)
{
    *log = (struct logger){.options = *options};
    memset(log->levels, LOG_INFO, sizeof log->levels);
}

/* --- levels ----------------------------------------------------------------------------------- */

static int find(const char *const *names, size_t count, const char *text, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0)
            return (int)i;
    return -1;
}

bool log_format_parse(enum log_format *format, const char *name)
{
    int i = find(format_names, LOG_FORMAT_COUNT, name, strlen(name));
    if (i >= 0)
        *format = (enum log_format)i;
    return i >= 0;
}

static enum status unknown(const char *what, const char *const *names, size_t count,
                           const char *text, size_t len, struct err *err)
{
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)(len < 31 ? len : 31), text);
    const char *near = nearest_word(word, names, count);
    return err_set(err, STATUS_INVALID, "\"%s\" is not a %s%s%s%s", word, what,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static enum status set_one(u8 *levels, const char *text, size_t len, struct err *err)
{
    const char *equals = memchr(text, '=', len);
    size_t room_len = equals ? (size_t)(equals - text) : 0;
    const char *name = equals ? equals + 1 : text;
    size_t name_len = equals ? len - room_len - 1 : len;
    int level = find(level_names, LOG_LEVEL_COUNT, name, name_len);
    int room = find(room_names, LOG_ROOM_COUNT, text, room_len);
    if (equals && room < 0)
        return unknown("room that writes to the log", room_names, LOG_ROOM_COUNT, text, room_len,
                       err);
    if (level < 0)
        return unknown("log level", level_names, LOG_LEVEL_COUNT, name, name_len, err);
    if (equals)
        levels[room] = (u8)level;
    else
        memset(levels, level, LOG_ROOM_COUNT);
    return STATUS_OK;
}

enum status log_set_levels(struct logger *log, const char *text, struct err *err)
{
    u8 levels[LOG_ROOM_COUNT];
    memcpy(levels, log->levels, sizeof levels);
    for (;;) {
        size_t len = strcspn(text, ",");
        enum status status = set_one(levels, text, len, err);
        if (status != STATUS_OK)
            return status;
        if (!text[len])
            break;
        text += len + 1;
    }
    memcpy(log->levels, levels, sizeof levels);
    return STATUS_OK;
}

void log_put_levels(const struct logger *log, struct buf *out)
{
    for (int i = 0; i < LOG_ROOM_COUNT; i++)
        buf_add_format(out, "%s%s=%s", i ? "," : "", room_names[i], level_names[log->levels[i]]);
}

/* --- putting bytes into the line -------------------------------------------------------------- */

/* The last byte is kept for the newline. */
static void put(struct logger *log, const char *text, size_t len)
{
    size_t room = LOG_LINE_MAX - 1 - log->len;
    if (len > room)
        len = room;
    memcpy(log->line + log->len, text, len);
    log->len += len;
}

static void put_text(struct logger *log, const char *text)
{
    put(log, text, strlen(text));
}

/* Length of the UTF-8 character at text, 0 where there is none; *code is the character. */
static size_t utf8_take(u32 *code, const u8 *text, size_t len)
{
    static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    u8 first = text[0];
    size_t n = first < 0x80       ? 1
               : first >> 5 == 6  ? 2
               : first >> 4 == 14 ? 3
               : first >> 3 == 30 ? 4
                                  : 0;
    if (n == 0 || n > len)
        return 0;
    u32 value = n == 1 ? first : first & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *code = value;
    return n;
}

/* Control characters of both sets, separators of lines, and marks that turn the direction of writing. */
static bool is_hostile(u32 code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void put_escape(struct logger *log, u32 code, bool is_json)
{
    char text[16];
    if (code == '"' || code == '\\')
        snprintf(text, sizeof text, "\\%c", (char)code);
    else if (code == '\n')
        snprintf(text, sizeof text, "\\n");
    else if (code == '\t')
        snprintf(text, sizeof text, "\\t");
    else if (is_json || code > 0xff)
        snprintf(text, sizeof text, "\\u%04x", code);
    else
        snprintf(text, sizeof text, "\\x%02x", code);
    put_text(log, text);
}

/* In quotes; at most LOG_VALUE_MAX bytes of it. */
static void put_quoted(struct logger *log, const u8 *text, size_t len, bool is_json)
{
    size_t shown = len > LOG_VALUE_MAX ? LOG_VALUE_MAX : len;
    put_text(log, "\"");
    for (size_t i = 0; i < shown;) {
        u32 code = text[i];
        size_t n = utf8_take(&code, text + i, len - i);
        if (!n && is_json)
            put_text(log, "\\ufffd"); /* JSON has no way to say a byte */
        else if (!n || is_hostile(code) || code == '"' || code == '\\')
            put_escape(log, code, is_json);
        else
            put(log, (const char *)text + i, n);
        i += n ? n : 1;
    }
    put_text(log, shown < len ? "...\"" : "\"");
}

static bool needs_quotes(const u8 *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '"' || text[i] == '=' ||
            text[i] == '\\')
            return true;
    return !len || len > LOG_VALUE_MAX;
}

static void put_number(struct logger *log, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put_number(struct logger *log, const char *fmt, ...)
{
    char text[48];
    __builtin_va_list args;
    __builtin_va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    __builtin_va_end(args);
    put_text(log, text);
}

static void put_hex(struct logger *log, const u8 *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    put_text(log, "0x");
    for (size_t i = 0; i < len && i < LOG_VALUE_MAX / 2; i++)
        put(log, (char[]){digits[bytes[i] >> 4], digits[bytes[i] & 15]}, 2);
}

static void put_value(struct logger *log, const struct log_field *field, bool is_json)
{
    const u8 *bytes = field->bytes;
    size_t len = (size_t)field->number;
    switch (field->kind) {
    case LOG_END_OF_FIELDS: break;
    case LOG_TEXT_FIELD:
        if (is_json || needs_quotes(bytes, len))
            put_quoted(log, bytes, len, is_json);
        else
            put(log, field->bytes, len);
        break;
    case LOG_U64_FIELD: put_number(log, "%llu", (unsigned long long)field->number); break;
    case LOG_I64_FIELD: put_number(log, "%lld", (long long)field->number); break;
    case LOG_BOOL_FIELD: put_text(log, field->number ? "true" : "false"); break;
    case LOG_HEX_FIELD:
        put_text(log, is_json ? "\"" : "");
        put_hex(log, bytes, len);
        put_text(log, is_json ? "\"" : "");
        break;
    case LOG_SECONDS_FIELD:
        put_number(log, "%llu.%06llu", (unsigned long long)(field->number / 1000000000),
                   (unsigned long long)(field->number % 1000000000 / 1000));
        break;
    }
}

/* --- lines ------------------------------------------------------------------------------------ */

/* RFC 3339 in UTC. Days to dates after the proleptic Gregorian calendar, years beginning in March. */
static void put_time(struct logger *log, u64 ns)
{
    u64 ms = ns / 1000000, seconds = ms / 1000, days = seconds / 86400 + 719468;
    u64 era = days / 146097, day = days % 146097;
    u64 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    u64 in_year = day - (365 * year + year / 4 - year / 100);
    u64 month = (5 * in_year + 2) / 153;
    u64 in_month = in_year - (153 * month + 2) / 5 + 1;
    u64 number = month < 10 ? month + 3 : month - 9;
    put_number(log, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
               (unsigned)(era * 400 + year + (number <= 2)), (unsigned)number, (unsigned)in_month,
               (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
               (unsigned)(seconds % 60), (unsigned)(ms % 1000));
}

static void put_as_text(struct logger *log, u64 now, enum log_level level, enum log_room room,
                        const char *words, const struct log_field *fields)
{
    static const char *const colors[] = {"\033[31m", "\033[33m", "\033[32m", "\033[36m", "\033[2m"};
    bool has_color = log->options.has_color;
    put_time(log, now);
    put_text(log, has_color ? colors[level] : "");
    put_number(log, " %-5s", level_names[level]);
    put_text(log, has_color ? "\033[0m" : "");
    put_number(log, " %-6s ", room_names[room]);
    put_text(log, words);
    for (; fields && fields->kind; fields++) {
        put_text(log, has_color ? "  \033[2m" : "  ");
        put_text(log, fields->name);
        put_text(log, has_color ? "=\033[0m" : "=");
        put_value(log, fields, false);
    }
}

static void put_as_logfmt(struct logger *log, u64 now, enum log_level level, enum log_room room,
                          const char *words, const struct log_field *fields)
{
    put_text(log, "time=");
    put_time(log, now);
    put_number(log, " level=%s room=%s msg=", level_names[level], room_names[room]);
    put_quoted(log, (const u8 *)words, strlen(words), false);
    for (; fields && fields->kind; fields++) {
        put_text(log, " ");
        put_text(log, fields->name);
        put_text(log, "=");
        put_value(log, fields, false);
    }
}

static void put_as_json(struct logger *log, u64 now, enum log_level level, enum log_room room,
                        const char *words, const struct log_field *fields)
{
    put_text(log, "{\"time\":\"");
    put_time(log, now);
    put_number(log, "\",\"level\":\"%s\",\"room\":\"%s\",\"msg\":", level_names[level],
               room_names[room]);
    put_quoted(log, (const u8 *)words, strlen(words), true);
    for (; fields && fields->kind; fields++) {
        size_t before = log->len;
        put_text(log, ",\"");
        put_text(log, fields->name);
        put_text(log, "\":");
        put_value(log, fields, true);
        if (log->len >= LOG_LINE_MAX - 2) { /* a line cut in the middle would not be JSON */
            log->len = before;
            break;
        }
    }
    put_text(log, "}");
}

static void write_line(struct logger *log, u64 now, enum log_level level, enum log_room room,
                       const char *words, const struct log_field *fields)
{
    log->len = 0;
    switch (log->options.format) {
    case LOG_AS_TEXT: put_as_text(log, now, level, room, words, fields); break;
    case LOG_AS_LOGFMT: put_as_logfmt(log, now, level, room, words, fields); break;
    case LOG_AS_JSON: put_as_json(log, now, level, room, words, fields); break;
    case LOG_FORMAT_COUNT: break;
    }
    log->line[log->len++] = '\n';
    log->options.write(log->options.ctx, log->line, log->len);
}

/* Is there room for one more line in this second? */
static bool admit(struct logger *log, u64 now, enum log_level level)
{
    u32 most = log->options.lines_max;
    if (now / 1000000000 != log->second) {
        u64 dropped = log->dropped;
        log->second = now / 1000000000;
        log->lines = 0;
        log->dropped = 0;
        if (dropped)
            write_line(log, now, LOG_WARN, LOG_NODE,
                       "there was too much to say; lines were left out",
                       (struct log_field[]){log_u64("lines", dropped), {0}});
    }
    if (!most || log->lines < (level == LOG_ERROR ? 2 * (u64)most : most)) {
        log->lines++;
        return true;
    }
    log->dropped++;
    return false;
}

struct log_field log_text(const char *name, const char *text)
{
    return log_bytes(name, text ? text : "", text ? strlen(text) : 0);
}

void log_line(struct logger *log, enum log_level level, enum log_room room, const char *words,
              const struct log_field *fields)
{
    if (!log_is_on(log, level, room))
        return;
    u64 now = log->options.now_ns();
    if (admit(log, now, level))
        write_line(log, now, level, room, words, fields);
}

void log_say(struct logger *log, enum log_level level, enum log_room room, const char *words)
{
    log_line(log, level, room, words, NULL);
}
