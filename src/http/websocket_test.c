#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "http/server.h"
#include "http/sim_loop.h"
#include "http/websocket_int.h"

#define UPGRADE                                                                         \
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: " \
    "websocket\r\n"                                                                     \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* A server with one connection, which has become a WebSocket, and what came over it. */
struct stage {
    struct loop loop;
    struct http_server *server;
    struct conn conn;
    struct websocket *ws;
    struct buf heard;
    int messages, drained, closed;
};

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    (void)ctx;
    (void)body;
    (void)len;
    http_answer(exchange, "{}", 2);
}

static void on_opened(void *ctx, struct websocket *ws)
{
    struct stage *stage = ctx;
    stage->ws = ws;
    websocket_set_user(ws, stage);
}

static void on_message(void *ctx, struct websocket *ws, const char *text, size_t len)
{
    struct stage *stage = ctx;
    CHECK(websocket_user(ws) == stage);
    stage->messages++;
    buf_reset(&stage->heard);
    buf_add(&stage->heard, text, len);
    if (len < 100)
        websocket_send(ws, text, len);
}

static void on_drained(void *ctx, struct websocket *ws)
{
    (void)ws;
    ((struct stage *)ctx)->drained++;
}

static void on_closed(void *ctx, struct websocket *ws)
{
    struct stage *stage = ctx;
    CHECK(ws == stage->ws);
    stage->ws = NULL;
    stage->closed++;
}

static const struct websocket_handler handler = {on_opened, on_message, on_drained, on_closed};

static void stage_open(struct stage *stage)
{
    struct err err;
    *stage = (struct stage){0};
    struct http_options options = http_options_default();
    options.cors_origins = "https://remix.example";
    options.websocket = &handler;
    options.websocket_options.message_max = 70000;
    options.websocket_options.unsent_max = 1000;
    buf_init(&stage->heard, 1 << 20);
    CHECK_EQ(http_server_open(&stage->server, &stage->loop, &options, on_request, stage, &err),
             STATUS_OK);
    sim_connect(&stage->loop, &stage->conn);
}

static void stage_close(struct stage *stage)
{
    http_server_close(stage->server);
    CHECK(!stage->ws);
    buf_fini(&stage->heard);
    buf_fini(&stage->conn.sent);
}

static void upgrade(struct stage *stage)
{
    stage_open(stage);
    sim_input(&stage->conn, UPGRADE "\r\n", sizeof UPGRADE + 1);
    CHECK(stage->ws != NULL);
    buf_reset(&stage->conn.sent);
}

static void put_frame(struct buf *out, u8 first, const void *bytes, size_t len, bool is_masked)
{
    static const u8 mask[4] = {1, 2, 3, 4};
    u8 flag = is_masked ? 0x80 : 0;
    buf_add_byte(out, first);
    if (len < 126) {
        buf_add_byte(out, (u8)(flag | len));
    } else if (len < 65536) {
        u8 size[] = {flag | 126, (u8)(len >> 8), (u8)len};
        buf_add(out, size, sizeof size);
    } else {
        u8 size[] = {flag | 127,     0,      0, 0, 0, (u8)(len >> 24), (u8)(len >> 16),
                     (u8)(len >> 8), (u8)len};
        buf_add(out, size, sizeof size);
    }
    if (is_masked)
        buf_add(out, mask, sizeof mask);
    for (size_t i = 0; i < len; i++)
        buf_add_byte(out, ((const u8 *)bytes)[i] ^ (is_masked ? mask[i % 4] : 0));
}

static void send_frame(struct stage *stage, u8 first, const void *bytes, size_t len)
{
    struct buf frame;
    buf_init(&frame, 1 << 20);
    put_frame(&frame, first, bytes, len, true);
    sim_input(&stage->conn, frame.data, frame.len);
    buf_fini(&frame);
}

static void check_sent(struct stage *stage, const void *bytes, size_t len)
{
    CHECK_EQ(stage->conn.sent.len, len);
    if (stage->conn.sent.len == len)
        CHECK_MEM(stage->conn.sent.data, bytes, len);
    buf_reset(&stage->conn.sent);
}

/* The last frame sent is a close with this code; then the peer closes too, and the line goes. */
static void check_closing(struct stage *stage, u32 code)
{
    const struct buf *sent = &stage->conn.sent;
    CHECK(sent->len >= 4 && sent->data[0] == 0x88);
    if (sent->len >= 4)
        CHECK_EQ((u32)sent->data[2] << 8 | sent->data[3], code);
}

TEST(websocket_shakes_hands_as_the_specification_shows)
{
    struct stage stage;
    char accept[WEBSOCKET_ACCEPT_SIZE];
    websocket_accept(accept, "dGhlIHNhbXBsZSBub25jZQ==");
    CHECK_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    stage_open(&stage);
    static const char text[] = UPGRADE "Origin: https://remix.example\r\n\r\n";
    for (size_t i = 0; i + 1 < sizeof text; i++)
        sim_input(&stage.conn, text + i, 1);
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    check_sent(&stage, answer, sizeof answer - 1);
    CHECK(stage.ws != NULL);
    stage_close(&stage);
}

TEST(websocket_refuses_bad_handshakes)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        {UPGRADE "Origin: https://evil.example\r\n\r\n", "403 "},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: "
         "websocket\r\n\r\n",
         "403 "},
        {"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "404 "},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         "426 "},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
         "400 "},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
         "200 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage stage;
        stage_open(&stage);
        sim_input(&stage.conn, cases[i].request, strlen(cases[i].request));
        CHECK(stage.conn.sent.len > 13 &&
              memcmp(stage.conn.sent.data + strlen("HTTP/1.1 "), cases[i].status, 4) == 0);
        CHECK(!stage.ws);
        stage_close(&stage);
    }
}

TEST(websocket_takes_messages_of_all_lengths)
{
    struct stage stage;
    static char text[70001];
    memset(text, 'x', sizeof text);
    upgrade(&stage);
    send_frame(&stage, 0x81, "hello", 5);
    check_sent(&stage, "\x81\x05hello", 7);
    send_frame(&stage, 0x81, "", 0);
    check_sent(&stage, "\x81\x00", 2);
    static const size_t lens[] = {125, 126, 4096, 65535, 65536, 70000};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        send_frame(&stage, 0x81, text, lens[i]);
        CHECK_EQ(stage.heard.len, lens[i]);
        CHECK(!memcmp(stage.heard.data, text, lens[i]));
    }
    CHECK_EQ(stage.messages, 8);
    send_frame(&stage, 0x81, text, 70001);
    CHECK_EQ(stage.messages, 8);
    check_closing(&stage, 1009);
    stage_close(&stage);
}

TEST(websocket_joins_fragments_around_control_frames)
{
    struct stage stage;
    upgrade(&stage);
    send_frame(&stage, 0x01, "he", 2);
    send_frame(&stage, 0x89, "now", 3);
    check_sent(&stage, "\x8a\x03now", 5);
    send_frame(&stage, 0x00, "", 0);
    send_frame(&stage, 0x8a, "", 0);
    send_frame(&stage, 0x80, "llo", 3);
    check_sent(&stage, "\x81\x05hello", 7);
    CHECK_EQ(stage.messages, 1);
    stage_close(&stage);
}

TEST(websocket_takes_input_a_byte_at_a_time)
{
    struct stage stage;
    struct buf frames;
    static char text[300];
    memset(text, 'y', sizeof text);
    upgrade(&stage);
    buf_init(&frames, 10000);
    put_frame(&frames, 0x81, "abc", 3, true);
    put_frame(&frames, 0x89, "", 0, true);
    put_frame(&frames, 0x81, text, sizeof text, true);
    for (size_t i = 0; i < frames.len; i++)
        sim_input(&stage.conn, frames.data + i, 1);
    CHECK_EQ(stage.messages, 2);
    CHECK_EQ(stage.heard.len, 300);
    check_sent(&stage,
               "\x81\x03"
               "abc\x8a\x00",
               7);
    buf_fini(&frames);
    stage_close(&stage);
}

TEST(websocket_answers_hostile_frames_with_the_right_code)
{
    static const char bad_text[] = "caf\xe9";
    static const struct {
        const char *bytes;
        size_t len;
        u32 code;
    } cases[] = {
        {"\x81\x03"
         "abc",
         5, 1002}, /* no mask */
        {"\xc1\x80"
         "abcd",
         6, 1002}, /* a reserved bit */
        {"\x83\x80"
         "abcd",
         6, 1002}, /* opcodes that do not exist */
        {"\x8b\x80"
         "abcd",
         6, 1002},
        {"\x09\x80"
         "abcd",
         6, 1002}, /* a control frame in fragments */
        {"\x89\xfe\x00\x7e"
         "abcd",
         8, 1002}, /* a control frame of 126 bytes */
        {"\x80\x80"
         "abcd",
         6, 1002}, /* nothing to continue */
        {"\x01\x80"
         "abcd\x81\x80"
         "abcd",
         12, 1002}, /* a message inside another */
        {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"
         "abcd",
         14, 1002}, /* a length of 64 bits */
        {"\x81\xff\x00\x00\x7f\xff\xff\xff\xff\xff"
         "abcdx",
         15, 1009},
        {"\x82\x80"
         "abcd",
         6, 1003}, /* binary */
    };
    struct stage stage;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        upgrade(&stage);
        sim_input(&stage.conn, cases[i].bytes, cases[i].len);
        CHECK_EQ(stage.messages, 0);
        check_closing(&stage, cases[i].code);
        CHECK(!stage.conn.is_closed);
        sim_pass_time(&stage.loop, 9000);
        sim_input(&stage.conn, "more", 4);
        CHECK(!stage.conn.is_closed);
        sim_pass_time(&stage.loop, 2000);
        CHECK(stage.conn.is_closed && stage.closed == 1);
        stage_close(&stage);
    }
    upgrade(&stage);
    send_frame(&stage, 0x81, bad_text, sizeof bad_text - 1);
    check_closing(&stage, 1007);
    stage_close(&stage);
}

TEST(websocket_closes_as_agreed)
{
    static const struct {
        const char *body;
        size_t len;
        u32 code; /* of the answer; 0: none */
    } cases[] = {
        {"", 0, 0},
        {"\x03\xe8", 2, 1000},
        {"\x0f\xa0"
         "bye",
         5, 4000},
        {"\x03", 1, 1002},
        {"\x03\xed", 2, 1002}, /* 1005 may not be sent */
        {"\x03\xe8\xff", 3, 1007},
    };
    struct stage stage;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        upgrade(&stage);
        send_frame(&stage, 0x88, cases[i].body, cases[i].len);
        if (cases[i].code)
            check_closing(&stage, cases[i].code);
        else
            check_sent(&stage, "\x88\x00", 2);
        CHECK(stage.conn.is_closed && stage.closed == 1);
        stage_close(&stage);
    }
    upgrade(&stage);
    websocket_close(stage.ws, WEBSOCKET_POLICY, "enough");
    check_sent(&stage,
               "\x88\x08\x03\xf0"
               "enough",
               10);
    websocket_send(stage.ws, "late", 4);
    CHECK_EQ(stage.conn.sent.len, 0);
    send_frame(&stage, 0x81, "on its way", 10);
    CHECK_EQ(stage.messages, 0);
    send_frame(&stage, 0x88, "\x03\xf0", 2);
    CHECK(stage.conn.is_closed && stage.closed == 1);
    stage_close(&stage);
}

TEST(websocket_bounds_fragments_and_gives_their_memory_back)
{
    struct stage stage;
    upgrade(&stage);
    send_frame(&stage, 0x01, "", 0);
    for (int i = 0; i < 5000 && !stage.conn.sent.len; i++)
        send_frame(&stage, 0x00, "", 0);
    check_closing(&stage, 1008);
    stage_close(&stage);
}

TEST(websocket_waits_for_peers_that_do_not_read_and_then_closes)
{
    struct stage stage;
    upgrade(&stage);
    stage.conn.is_stuck = true;
    for (int i = 0; i < 20; i++)
        send_frame(&stage, 0x81,
                   "0123456789012345678901234567890123456789012345678901234567890123456789", 70);
    CHECK(stage.conn.is_paused);
    CHECK_EQ(websocket_unsent(stage.ws), stage.conn.sent.len);
    sim_drain(&stage.conn);
    CHECK(!stage.conn.is_paused);
    CHECK_EQ(stage.drained, 1);
    send_frame(&stage, 0x81, "x", 1);
    sim_pass_time(&stage.loop, 1000);
    sim_pass_time(&stage.loop, 28000);
    CHECK_EQ(stage.conn.sent.len, 3);
    buf_reset(&stage.conn.sent);
    websocket_send(stage.ws, "yz", 2);
    sim_pass_time(&stage.loop, 1000);
    sim_pass_time(&stage.loop, 31000);
    CHECK(stage.conn.sent.len > 8 && stage.conn.sent.data[4] == 0x88);
    CHECK_EQ((u32)stage.conn.sent.data[6] << 8 | stage.conn.sent.data[7], 1008);
    sim_pass_time(&stage.loop, 11000);
    CHECK(stage.conn.is_closed && stage.closed == 1);
    stage_close(&stage);
}

TEST(websocket_asks_silent_peers_for_a_sign_of_life)
{
    struct stage stage;
    upgrade(&stage);
    sim_pass_time(&stage.loop, 29000);
    CHECK_EQ(stage.conn.sent.len, 0);
    sim_pass_time(&stage.loop, 2000);
    check_sent(&stage, "\x89\x00", 2);
    send_frame(&stage, 0x8a, "", 0);
    sim_pass_time(&stage.loop, 29000);
    CHECK_EQ(stage.conn.sent.len, 0);
    sim_pass_time(&stage.loop, 2000);
    check_sent(&stage, "\x89\x00", 2);
    sim_pass_time(&stage.loop, 30000);
    CHECK(stage.conn.is_closed && stage.closed == 1);
    stage_close(&stage);
}

TEST(websocket_says_that_the_server_goes)
{
    struct stage stage;
    upgrade(&stage);
    http_server_close(stage.server);
    check_closing(&stage, 1001);
    CHECK(stage.conn.is_closed && stage.closed == 1);
    buf_fini(&stage.heard);
    buf_fini(&stage.conn.sent);
}
