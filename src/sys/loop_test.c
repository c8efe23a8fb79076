#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "sys/loop.h"
#include "sys/thread.h"
#include "sys/usage.h"

enum { LARGE = 3 << 20 };

/* A server that sends back what it gets and ends with its first connection; a client in another thread. */
struct echo {
    struct loop *loop;
    struct listener *listener;
    struct conn *conn;
    u16 port;
    size_t returned;
    int ticks;
    struct timer *timer;
};

static void on_data(void *ctx, const u8 *bytes, size_t len)
{
    struct echo *echo = ctx;
    conn_write(echo->conn, bytes, len);
}

static void on_drained(void *ctx)
{
    (void)ctx;
}

static void on_ended(void *ctx)
{
    struct echo *echo = ctx;
    conn_close(echo->conn);
    listener_close(echo->listener);
}

static const struct conn_handler echo_handler = {on_data, on_drained, on_ended};

static void on_accepted(void *ctx, struct conn *conn)
{
    struct echo *echo = ctx;
    echo->conn = conn;
    conn_start(conn, &echo_handler, echo);
}

/* Writes everything before it reads anything, so that the echo has to wait in the loop. */
static void run_client(void *ctx)
{
    struct echo *echo = ctx;
    static u8 bytes[65536];
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(echo->port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
        size_t sent = 0;
        while (sent < LARGE) {
            ssize_t n = send(fd, bytes, sizeof bytes, 0);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
        while (echo->returned < sent) {
            ssize_t n = recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0)
                break;
            echo->returned += (size_t)n;
        }
    }
    close(fd);
}

TEST(loop_serves_a_connection_and_ends_when_nothing_is_left)
{
    struct err err;
    struct echo echo = {0};
    struct thread *client;
    CHECK_EQ(loop_new(&echo.loop, &err), STATUS_OK);
    CHECK_EQ(listener_open(&echo.listener, echo.loop, "localhost", 0, on_accepted, &echo, &err),
             STATUS_OK);
    echo.port = listener_port(echo.listener);
    CHECK(echo.port != 0);
    CHECK_EQ(thread_start(&client, run_client, &echo, 0, &err), STATUS_OK);
    loop_run(echo.loop);
    thread_join(client);
    CHECK(echo.returned >= LARGE);
    loop_free(echo.loop);
}

/* A server that writes much to a peer which reads nothing, and closes the line. */
struct deaf {
    struct loop *loop;
    struct listener *listener;
    u64 written,
        closed; /* the process's memory when all had been written, and when the line was closed */
};

/* Sanitizers keep what was freed for a while. */
static bool frees_at_once(void)
{
#if defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#    endif
#endif
    return true;
}

static u64 resident(void)
{
    struct usage usage;
    u64 all, bytes = 0;
    usage_open(&usage);
    bool told = usage_memory(&usage, &all, &bytes);
    usage_close(&usage);
    return told ? bytes : 0;
}

static void on_deaf(void *ctx, struct conn *conn)
{
    enum { TIMES = 16 };
    struct deaf *deaf = ctx;
    u8 *bytes = mem_alloc(LARGE);
    memset(bytes, 1, LARGE);
    for (int i = 0; i < TIMES; i++)
        conn_write(conn, bytes, LARGE);
    deaf->written = resident();
    CHECK(conn_unsent(conn) > (size_t)(TIMES / 2) * LARGE);
    conn_close(conn);
    deaf->closed = resident();
    mem_free(bytes);
    listener_close(deaf->listener);
}

TEST(loop_gives_back_what_is_unsent_when_the_line_is_closed)
{
    struct err err;
    struct deaf deaf = {0};
    CHECK_EQ(loop_new(&deaf.loop, &err), STATUS_OK);
    CHECK_EQ(listener_open(&deaf.listener, deaf.loop, "localhost", 0, on_deaf, &deaf, &err),
             STATUS_OK);
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(listener_port(deaf.listener))};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    loop_run(deaf.loop);
    close(fd);
    loop_free(deaf.loop);
    if (frees_at_once())
        CHECK(deaf.written > deaf.closed + 7 * (u64)LARGE);
}

static void on_tick(void *ctx)
{
    struct echo *echo = ctx;
    if (++echo->ticks == 3)
        timer_free(echo->timer);
}

TEST(loop_timers_repeat_until_they_are_freed)
{
    struct err err;
    struct echo echo = {0};
    CHECK_EQ(loop_new(&echo.loop, &err), STATUS_OK);
    echo.timer = timer_new(echo.loop, on_tick, &echo);
    timer_start(echo.timer, 1, 1);
    loop_run(echo.loop);
    CHECK_EQ(echo.ticks, 3);
    loop_free(echo.loop);
}

TEST(loop_says_what_cannot_be_listened_on)
{
    struct err err;
    struct echo echo = {0};
    struct listener *second;
    CHECK_EQ(loop_new(&echo.loop, &err), STATUS_OK);
    CHECK_EQ(listener_open(&second, echo.loop, "nowhere", 0, on_accepted, &echo, &err),
             STATUS_INVALID);
    CHECK_STR(err.text, "\"nowhere\" is not an IP address to listen on");
    CHECK(!listener_takes_host("nowhere") && !listener_takes_host("127.0.0.1:80"));
    CHECK(listener_takes_host("localhost") && listener_takes_host("::1"));
    CHECK_EQ(listener_open(&echo.listener, echo.loop, "127.0.0.1", 0, on_accepted, &echo, &err),
             STATUS_OK);
    u16 port = listener_port(echo.listener);
    CHECK_EQ(listener_open(&second, echo.loop, "127.0.0.1", port, on_accepted, &echo, &err),
             STATUS_EXISTS);
    listener_close(echo.listener);
    loop_free(echo.loop);
}
