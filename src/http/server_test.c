#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "http/request.h"
#include "http/server.h"
#define SIM_LOOP_BODY
#include "http/sim_loop.h"

enum { UNSENT_MAX = 2000 };

/* A server with one connection, and what its handler was given. */
struct stage {
    struct loop loop;
    struct http_server *server;
    struct conn conn;
    struct http_exchange *pending;
    char body[256];
    int requests;
    bool answers_later;
};

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    struct stage *stage = ctx;
    stage->requests++;
    snprintf(stage->body, sizeof stage->body, "%.*s", (int)len, body);
    if (stage->answers_later)
        stage->pending = exchange;
    else
        http_answer(exchange, "{}", 2);
}

static void stage_open_with(struct stage *stage, u32 body_max, u64 bodies_max)
{
    struct err err;
    *stage = (struct stage){0};
    struct http_options options = http_options_default();
    options.body_max = body_max;
    options.bodies_max = bodies_max;
    options.hosts = "example.org";
    options.unsent_max = UNSENT_MAX;
    CHECK_EQ(http_server_open(&stage->server, &stage->loop, &options, on_request, stage, &err),
             STATUS_OK);
    sim_connect(&stage->loop, &stage->conn);
}

static void stage_open(struct stage *stage, u32 body_max)
{
    stage_open_with(stage, body_max, 0);
}

static void stage_close(struct stage *stage)
{
    http_server_close(stage->server);
    buf_fini(&stage->conn.sent);
}

static void send_text(struct stage *stage, const char *text)
{
    sim_input(&stage->conn, text, strlen(text));
}

static const char *sent(struct stage *stage)
{
    buf_add_byte(&stage->conn.sent, 0);
    stage->conn.sent.len--;
    return (const char *)stage->conn.sent.data;
}

#define POST(body_len, body)                                                        \
    "POST / HTTP/1.1\r\nHost: localhost:8545\r\nContent-Type: application/json\r\n" \
    "Content-Length: " body_len "\r\n\r\n" body
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

TEST(http_answers_and_keeps_the_line)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, POST("3", "abc"));
    CHECK_STR(stage.body, "abc");
    CHECK_STR(sent(&stage), ANSWER);
    CHECK(!stage.conn.is_closed);
    send_text(&stage, POST("4", "abcd") POST("2", "xy"));
    CHECK_EQ(stage.requests, 3);
    CHECK_STR(stage.body, "xy");
    CHECK_STR(sent(&stage), ANSWER ANSWER ANSWER);
    stage_close(&stage);
}

TEST(http_takes_input_a_byte_at_a_time)
{
    struct stage stage;
    stage_open(&stage, 1000);
    static const char text[] = POST("3", "abc") POST("4", "defg");
    for (size_t i = 0; i + 1 < sizeof text; i++)
        sim_input(&stage.conn, text + i, 1);
    CHECK_EQ(stage.requests, 2);
    CHECK_STR(stage.body, "defg");
    CHECK_STR(sent(&stage), ANSWER ANSWER);
    stage_close(&stage);
}

TEST(http_reads_chunked_bodies)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHost: [::1]:8545\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    CHECK_STR(stage.body, "abcde");
    stage_close(&stage);
}

TEST(http_answers_later_in_order)
{
    struct stage stage;
    stage_open(&stage, 1000);
    stage.answers_later = true;
    send_text(&stage, POST("1", "1") POST("1", "2"));
    CHECK_EQ(stage.requests, 1);
    CHECK_EQ(stage.conn.sent.len, 0);
    send_text(&stage, POST("1", "3"));
    http_answer(stage.pending, "{}", 2);
    CHECK_EQ(stage.requests, 2);
    stage.answers_later = false;
    http_answer(stage.pending, "{}", 2);
    CHECK_EQ(stage.requests, 3);
    CHECK_STR(stage.body, "3");
    CHECK_STR(sent(&stage), ANSWER ANSWER ANSWER);
    stage_close(&stage);
}

TEST(http_survives_a_peer_that_leaves_before_its_answer)
{
    struct stage stage;
    stage_open(&stage, 1000);
    stage.answers_later = true;
    send_text(&stage, POST("1", "1"));
    sim_hang_up(&stage.conn);
    CHECK(stage.conn.is_closed);
    http_answer(stage.pending, "{}", 2);
    CHECK_EQ(stage.conn.sent.len, 0);
    stage_close(&stage);
}

TEST(http_closes_when_asked)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      "Content-Length: 1\r\n\r\nx");
    CHECK(strstr(sent(&stage), "Connection: close\r\n"));
    CHECK(stage.conn.is_closed);
    stage_close(&stage);
}

TEST(http_refuses_with_the_right_status)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"nonsense\r\n\r\n", "400 "},
        {POST("1001", ""), "413 "},
        {"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "404 "},
        {"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "405 "},
        {"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", "403 "},
        {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "403 "},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
         "Content-Length: 0\r\n\r\n",
         "415 "},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nContent-Length: 0\r\n\r\n",
         "417 "},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "501 "},
        {"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "200 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage stage;
        stage_open(&stage, 1000);
        send_text(&stage, cases[i].request);
        if (strcmp(cases[i].status, "200") != 0)
            CHECK(strncmp(sent(&stage) + strlen("HTTP/1.1 "), cases[i].status, 4) == 0);
        CHECK_EQ(stage.requests, 0);
        stage_close(&stage);
    }
}

TEST(http_bounds_headers_and_chunked_bodies)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 2000 && !stage.conn.sent.len; i++)
        send_text(&stage, "X-Something: of no interest\r\n");
    CHECK(strstr(sent(&stage), "431 "));
    stage_close(&stage);
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2000 && !stage.conn.sent.len; i++)
        send_text(&stage, "2\r\nxx\r\n");
    CHECK(strstr(sent(&stage), "413 "));
    stage_close(&stage);
}

TEST(http_bounds_what_all_lines_take)
{
    struct stage stage;
    struct conn other = {0};
    static const char begin[] = "POST / HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n";
    char some[2000];
    memset(some, 'x', sizeof some);
    stage_open_with(&stage, 10000, 6000);
    sim_connect(&stage.loop, &other);
    send_text(&stage, begin);
    sim_input(&other, begin, sizeof begin - 1);
    for (int i = 0; i < 4 && !stage.conn.sent.len; i++) {
        sim_input(&other, some, sizeof some / 2);
        sim_input(&stage.conn, some, sizeof some);
    }
    CHECK(strstr(sent(&stage), "503 "));
    CHECK_EQ(other.sent.len, 0);
    /* What the refused one took is free again. */
    sim_input(&other, some, sizeof some);
    CHECK_EQ(other.sent.len, 0);
    stage_close(&stage);
    buf_fini(&other.sent);
}

TEST(http_sheds_the_line_with_most)
{
    struct stage stage;
    struct conn other = {0};
    stage_open(&stage, 1000);
    sim_connect(&stage.loop, &other);
    stage.conn.is_stuck = other.is_stuck = true;
    for (int i = 0; i < 15; i++)
        send_text(&stage, POST("1", "x"));
    sim_input(&other, POST("1", "x"), strlen(POST("1", "x")));
    http_server_shed(stage.server, 1 << 20);
    CHECK(!stage.conn.is_closed && !other.is_closed);
    http_server_shed(stage.server, other.sent.len + 1200);
    CHECK(stage.conn.is_closed && !other.is_closed);
    http_server_shed(stage.server, 0);
    CHECK(other.is_closed);
    stage_close(&stage);
    buf_fini(&other.sent);
}

TEST(http_gives_up_on_slow_senders_and_idle_lines)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHo");
    sim_pass_time(&stage.loop, 29000);
    CHECK_EQ(stage.conn.sent.len, 0);
    send_text(&stage, "s");
    sim_pass_time(&stage.loop, 2000);
    CHECK(strstr(sent(&stage), "408 "));
    CHECK(!stage.conn.is_closed);
    sim_pass_time(&stage.loop, 3000);
    CHECK(stage.conn.is_closed);
    stage_close(&stage);
    stage_open(&stage, 1000);
    send_text(&stage, POST("1", "x"));
    sim_pass_time(&stage.loop, 119000);
    CHECK(!stage.conn.is_closed);
    sim_pass_time(&stage.loop, 2000);
    CHECK(stage.conn.is_closed);
    stage_close(&stage);
}

TEST(http_waits_for_peers_that_do_not_read)
{
    struct stage stage;
    struct buf many;
    stage_open(&stage, 1000);
    stage.conn.is_stuck = true;
    buf_init(&many, 1 << 20);
    for (int i = 0; i < 200; i++)
        buf_add_text(&many, POST("1", "x"));
    sim_input(&stage.conn, many.data, many.len);
    int first = stage.requests;
    CHECK(first > 0 && first < 200 && stage.conn.is_paused);
    CHECK(stage.conn.sent.len < UNSENT_MAX + 200);
    while (stage.requests < 200) {
        int before = stage.requests;
        sim_drain(&stage.conn);
        CHECK(stage.requests > before);
    }
    sim_drain(&stage.conn);
    CHECK(!stage.conn.is_paused && stage.requests == 200);
    buf_fini(&many);
    stage_close(&stage);
}

TEST(http_lets_browsers_ask_first)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://remix.example\r\n"
                      "Access-Control-Request-Method: POST\r\n"
                      "Access-Control-Request-Private-Network: true\r\n\r\n");
    CHECK(strstr(sent(&stage), "HTTP/1.1 204 No Content\r\n"));
    CHECK(strstr(sent(&stage), "Access-Control-Allow-Origin: *\r\n"));
    CHECK(strstr(sent(&stage), "Access-Control-Allow-Private-Network: true\r\n"));
    CHECK(!strstr(sent(&stage), "Content-Length"));
    stage_close(&stage);
}

TEST(http_tells_large_requests_to_go_on)
{
    struct stage stage;
    stage_open(&stage, 1000);
    send_text(&stage, "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                      "Content-Length: 1\r\n\r\n");
    CHECK_STR(sent(&stage), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(&stage, "x");
    CHECK_EQ(stage.requests, 1);
    stage_close(&stage);
}

TEST(http_knows_hosts_and_origins)
{
    CHECK(http_host_is_allowed("localhost", ""));
    CHECK(http_host_is_allowed("LOCALHOST:1", ""));
    CHECK(http_host_is_allowed("127.0.0.1:8545", ""));
    CHECK(http_host_is_allowed("[::1]:8545", ""));
    CHECK(http_host_is_allowed("a.example:1", "b.example, a.example"));
    CHECK(http_host_is_allowed("anything", "*"));
    CHECK(!http_host_is_allowed("a.example.evil", "a.example"));
    CHECK(!http_host_is_allowed("", ""));
    CHECK(http_origin_is_allowed("https://a.example", "https://a.example"));
    CHECK(!http_origin_is_allowed("https://b.example", "https://a.example"));
    CHECK(http_content_type_is_json("application/json; charset=utf-8"));
    CHECK(!http_content_type_is_json("text/plain"));
}
