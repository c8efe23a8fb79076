#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/test.h"

static const u64 start = 1600000000123456789; /* 2020-09-13T12:26:40.123Z */
static u64 now;

static u64 test_now(void)
{
    return now;
}

struct sink {
    char text[32768];
    size_t len;
};

static void sink_write(void *ctx, const char *line, size_t len)
{
    struct sink *sink = ctx;
    CHECK(sink->len + len < sizeof sink->text);
    memcpy(sink->text + sink->len, line, len);
    sink->len += len;
    sink->text[sink->len] = 0;
}

static void setup(struct logger *log, struct sink *sink, enum log_format format)
{
    memset(sink, 0, sizeof *sink);
    now = start;
    struct log_options options = {
        .format = format, .now_ns = test_now, .write = sink_write, .ctx = sink};
    log_init(log, &options);
}

static void say_something(struct logger *log)
{
    LOG(log, LOG_WARN, LOG_RPC, "a request failed", log_text("method", "eth_call"),
        log_u64("id", 7), log_i64("code", -32000), log_bool("is_batch", false),
        log_hex("hash", "\xab\x01", 2), log_seconds("took", 1500000), log_text("why", "no \"x\""));
}

TEST(log_lines_in_three_formats)
{
    static const char *const want[] = {
        "2020-09-13T12:26:40.123Z warn  rpc    a request failed  method=eth_call  id=7  "
        "code=-32000  is_batch=false  hash=0xab01  took=0.001500  why=\"no \\\"x\\\"\"\n",
        "time=2020-09-13T12:26:40.123Z level=warn room=rpc msg=\"a request failed\" "
        "method=eth_call id=7 code=-32000 is_batch=false hash=0xab01 took=0.001500 "
        "why=\"no \\\"x\\\"\"\n",
        "{\"time\":\"2020-09-13T12:26:40.123Z\",\"level\":\"warn\",\"room\":\"rpc\",\"msg\":\"a "
        "request failed\",\"method\":\"eth_call\",\"id\":7,\"code\":-32000,\"is_batch\":false,"
        "\"hash\":\"0xab01\",\"took\":0.001500,\"why\":\"no \\\"x\\\"\"}\n",
    };
    for (int format = 0; format < LOG_FORMAT_COUNT; format++) {
        struct logger log;
        struct sink sink;
        setup(&log, &sink, (enum log_format)format);
        say_something(&log);
        CHECK_STR(sink.text, want[format]);
    }
}

TEST(log_dates)
{
    static const struct {
        u64 seconds;
        const char *want;
    } cases[] = {{0, "1970-01-01T00:00:00"},
                 {951782400, "2000-02-29T00:00:00"},
                 {1709251199, "2024-02-29T23:59:59"},
                 {4107542400, "2100-03-01T00:00:00"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct logger log;
        struct sink sink;
        setup(&log, &sink, LOG_AS_TEXT);
        now = cases[i].seconds * 1000000000;
        log_say(&log, LOG_INFO, LOG_NODE, "x");
        sink.text[strlen(cases[i].want)] = 0;
        CHECK_STR(sink.text, cases[i].want);
    }
}

/* Terminal escapes, line breaks, turned writing and bytes that are no text stay harmless. */
TEST(log_values_obey_nobody)
{
    static const char evil[] = "a\033[2Jb\nc\xe2\x80\xae"
                               "d\xff\xc2\x9b\"\\\xc3\xa9";
    struct logger log;
    struct sink sink;
    setup(&log, &sink, LOG_AS_LOGFMT);
    LOG(&log, LOG_INFO, LOG_RPC, "x", log_text("v", evil));
    CHECK_STR(strstr(sink.text, "v="), "v=\"a\\x1b[2Jb\\nc\\u202ed\\xff\\x9b\\\"\\\\\xc3\xa9\"\n");
    setup(&log, &sink, LOG_AS_JSON);
    LOG(&log, LOG_INFO, LOG_RPC, "x", log_text("v", evil));
    CHECK_STR(strstr(sink.text, "\"v\":"),
              "\"v\":\"a\\u001b[2Jb\\nc\\u202ed\\ufffd\\u009b\\\"\\\\\xc3\xa9\"}\n");
}

TEST(log_long_values_are_cut_and_lines_stay_whole)
{
    struct logger log;
    struct sink sink;
    char *long_text = mem_alloc(5001);
    memset(long_text, '\n', 5000);
    long_text[5000] = 0;
    for (int format = 0; format < LOG_FORMAT_COUNT; format++) {
        setup(&log, &sink, (enum log_format)format);
        LOG(&log, LOG_INFO, LOG_RPC, "x", log_text("a", long_text), log_text("b", long_text),
            log_text("c", long_text), log_text("d", long_text), log_text("e", long_text));
        CHECK(sink.len <= LOG_LINE_MAX);
        CHECK(strchr(sink.text, '\n') == sink.text + sink.len - 1);
        CHECK(format != LOG_AS_JSON || sink.text[sink.len - 2] == '}');
    }
    mem_free(long_text);
}

TEST(log_levels_change_by_room)
{
    struct logger log;
    struct sink sink;
    struct err err;
    struct buf buf;
    setup(&log, &sink, LOG_AS_TEXT);
    log_say(&log, LOG_DEBUG, LOG_RPC, "unheard");
    CHECK_EQ(sink.len, 0);
    CHECK_EQ(log_set_levels(&log, "warn,rpc=debug", &err), STATUS_OK);
    log_say(&log, LOG_INFO, LOG_NODE, "unheard");
    CHECK_EQ(sink.len, 0);
    log_say(&log, LOG_DEBUG, LOG_RPC, "heard");
    CHECK(strstr(sink.text, "heard"));
    CHECK_EQ(log_set_levels(&log, "error,rcp=debug", &err), STATUS_INVALID);
    CHECK_STR(err.text, "\"rcp\" is not a room that writes to the log; did you mean \"rpc\"?");
    CHECK_EQ(log_set_levels(&log, "inf", &err), STATUS_INVALID);
    CHECK_STR(err.text, "\"inf\" is not a log level; did you mean \"info\"?");
    buf_init(&buf, 1000);
    log_put_levels(&log, &buf);
    buf_add_byte(&buf, 0);
    CHECK_STR((char *)buf.data, "node=warn,rpc=debug,http=warn,dev=warn,txpool=warn,chain=warn,"
                                "state=warn,db=warn,sys=warn");
    buf_fini(&buf);
}

TEST(log_is_bounded_in_a_second_and_allocates_nothing)
{
    struct logger log;
    struct sink sink;
    setup(&log, &sink, LOG_AS_TEXT);
    log.options.lines_max = 3;
    u64 before = mem_allocations();
    for (int i = 0; i < 10; i++)
        say_something(&log);
    log_say(&log, LOG_ERROR, LOG_NODE, "an error");
    size_t lines = 0;
    for (size_t i = 0; i < sink.len; i++)
        lines += sink.text[i] == '\n';
    CHECK_EQ(lines, 4);
    now += 1000000000;
    sink.len = 0;
    log_say(&log, LOG_INFO, LOG_NODE, "next");
    CHECK(strstr(sink.text, "lines were left out  lines=7\n"));
    CHECK(strstr(sink.text, "next\n"));
    CHECK_EQ(mem_allocations(), before);
    log_say(NULL, LOG_ERROR, LOG_NODE, "to nobody");
}
