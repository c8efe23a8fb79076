#include "sys/loop.h"

#include <signal.h>
#include <string.h>
#include <uv.h>

#include "base/assert.h"
#include "base/mem.h"
#include "sys/linux/ending_int.h"
#include "sys/linux/loop_int.h"

enum { READ_SIZE = 64 * 1024, BACKLOG = 511 };

struct loop {
    uv_loop_t uv;
    uv_poll_t ending;
    bool has_ending;
    void (*on_end)(void *ctx);
    void *end_ctx;
    u8 *in; /* READ_SIZE bytes, lent to one read at a time */
};

enum status loop_new(struct loop **loop, struct err *err)
{
    struct loop *made = NEW(struct loop);
    int code = uv_loop_init(&made->uv);
    if (code) {
        mem_free(made);
        return err_set(err, STATUS_IO, "cannot make an event loop: %s", uv_strerror(code));
    }
    /* A peer that has gone shows as an error of the write. */
    signal(SIGPIPE, SIG_IGN);
    *loop = made;
    return STATUS_OK;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->has_ending)
        uv_close((uv_handle_t *)&loop->ending, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets the closings finish */
    int code = uv_loop_close(&loop->uv);
    assert(code == 0);
    mem_free(loop->in);
    mem_free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void loop_turn(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_NOWAIT);
}

u64 loop_now_ms(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

static void on_ending(uv_poll_t *ending, int status, int events)
{
    (void)status;
    (void)events;
    struct loop *loop = ending->data;
    uv_poll_stop(ending); /* the wish stays */
    loop->on_end(loop->end_ctx);
}

enum status loop_on_end(struct loop *loop, void (*fn)(void *ctx), void *ctx, struct err *err)
{
    assert(!loop->has_ending);
    enum status status = ending_watch(err);
    if (status != STATUS_OK)
        return status;
    loop->on_end = fn;
    loop->end_ctx = ctx;
    int code = uv_poll_init(&loop->uv, &loop->ending, ending_fd());
    loop->has_ending = !code;
    loop->ending.data = loop;
    if (!code)
        code = uv_poll_start(&loop->ending, UV_READABLE, on_ending);
    if (code)
        return err_set(err, STATUS_IO, "cannot watch for signals: %s", uv_strerror(code));
    uv_unref((uv_handle_t *)&loop->ending);
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

/* --- timers --------------------------------------------------------------------------------- */

struct timer {
    uv_timer_t uv;
    void (*fn)(void *ctx);
    void *ctx;
};

static void on_timer(uv_timer_t *uv)
{
    struct timer *timer = uv->data;
    timer->fn(timer->ctx);
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct timer *timer = NEW(struct timer);
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->fn = fn;
    timer->ctx = ctx;
    return timer;
}

void timer_start(struct timer *timer, u64 after_ms, u64 repeat_ms)
{
    uv_timer_start(&timer->uv, on_timer, after_ms, repeat_ms);
}

void timer_stop(struct timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void timer_free(struct timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, on_closed);
}

/* --- connections ---------------------------------------------------------------------------- */

struct conn {
    uv_tcp_t uv;
    struct loop *loop;
    const struct conn_handler *handler; /* NULL once closing */
    void *ctx;
    size_t unsent;
    struct rest *first, *last; /* what is unsent, in its order */
    bool is_closing;
    bool close_when_sent;
};

/* What did not fit. */
struct rest {
    uv_write_t uv;
    struct conn *conn;
    struct rest *next;
    size_t len;
    u8 *bytes;
};

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    (void)hint;
    struct conn *conn = handle->data;
    if (!conn->loop->in)
        conn->loop->in = mem_alloc(READ_SIZE);
    *buf = uv_buf_init((char *)conn->loop->in, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (len == 0 || !conn->handler)
        return;
    if (len > 0) {
        conn->handler->data(conn->ctx, (const u8 *)buf->base, (size_t)len);
        return;
    }
    uv_read_stop(stream);
    conn->handler->ended(conn->ctx);
}

void conn_start(struct conn *conn, const struct conn_handler *handler, void *ctx)
{
    conn->handler = handler;
    conn->ctx = ctx;
    conn_resume(conn);
}

void conn_pause(struct conn *conn)
{
    uv_read_stop((uv_stream_t *)&conn->uv);
}

void conn_resume(struct conn *conn)
{
    if (!conn->is_closing)
        uv_read_start((uv_stream_t *)&conn->uv, on_alloc, on_read);
}

static void on_written(uv_write_t *uv, int code)
{
    struct rest *rest = uv->data;
    struct conn *conn = rest->conn;
    conn->first = rest->next;
    if (!conn->first)
        conn->last = NULL;
    conn->unsent -= rest->len;
    mem_free(rest->bytes);
    mem_free(rest);
    if (conn->is_closing)
        return;
    if (conn->close_when_sent && (code || !conn->unsent))
        conn_close(conn);
    else if (!conn->unsent && !code && conn->handler)
        conn->handler->drained(conn->ctx);
}

void conn_write(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->is_closing)
        return;
    if (!conn->unsent) {
        uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
        int sent = uv_try_write((uv_stream_t *)&conn->uv, &buf, 1);
        if (sent < 0 && sent != UV_EAGAIN)
            return; /* the line is broken; reading will say so */
        if (sent > 0) {
            bytes = (const u8 *)bytes + sent;
            len -= (size_t)sent;
        }
    }
    if (!len)
        return;
    struct rest *rest = NEW(struct rest);
    *rest = (struct rest){.conn = conn, .len = len, .bytes = mem_dup(bytes, len)};
    rest->uv.data = rest;
    uv_buf_t buf = uv_buf_init((char *)rest->bytes, (unsigned)len);
    if (uv_write(&rest->uv, (uv_stream_t *)&conn->uv, &buf, 1, on_written)) {
        mem_free(rest->bytes);
        mem_free(rest);
        return;
    }
    conn->unsent += len;
    *(conn->last ? &conn->last->next : &conn->first) = rest;
    conn->last = rest;
}

size_t conn_unsent(const struct conn *conn)
{
    return conn->unsent;
}

void conn_close(struct conn *conn)
{
    if (conn->is_closing)
        return;
    conn->is_closing = true;
    conn->handler = NULL;
    uv_close((uv_handle_t *)&conn->uv, on_closed);
    /* The library looks no more at bytes, but tells of each write at the end of its turn: in one with many large answers
     * to peers that do not read, all would be there until then. */
    for (struct rest *rest = conn->first; rest; rest = rest->next) {
        mem_free(rest->bytes);
        rest->bytes = NULL;
    }
}

void conn_close_soon(struct conn *conn)
{
    conn->handler = NULL;
    if (!conn->unsent) {
        conn_close(conn);
        return;
    }
    conn->close_when_sent = true;
    uv_read_stop((uv_stream_t *)&conn->uv);
}

/* --- listeners ------------------------------------------------------------------------------ */

struct listener {
    uv_tcp_t uv;
    struct loop *loop;
    void (*accepted)(void *ctx, struct conn *conn);
    void *ctx;
};

static void on_connection(uv_stream_t *server, int code)
{
    struct listener *listener = server->data;
    if (code)
        return;
    struct conn *conn = NEW(struct conn);
    uv_tcp_init(&listener->loop->uv, &conn->uv);
    conn->uv.data = conn;
    conn->loop = listener->loop;
    if (uv_accept(server, (uv_stream_t *)&conn->uv)) {
        conn_close(conn);
        return;
    }
    uv_tcp_nodelay(&conn->uv, 1);
    listener->accepted(listener->ctx, conn);
}

static int address_of(struct sockaddr_storage *addr, const char *host, u16 port)
{
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)addr) == 0)
        return 0;
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)addr);
}

bool listener_takes_host(const char *host)
{
    struct sockaddr_storage addr;
    return address_of(&addr, host, 0) == 0;
}

enum status listener_open(struct listener **listener, struct loop *loop, const char *host, u16 port,
                          void (*accepted)(void *ctx, struct conn *conn), void *ctx,
                          struct err *err)
{
    struct sockaddr_storage addr;
    if (address_of(&addr, host, port))
        return err_set(err, STATUS_INVALID, "\"%s\" is not an IP address to listen on", host);
    struct listener *made = NEW(struct listener);
    uv_tcp_init(&loop->uv, &made->uv);
    made->uv.data = made;
    made->loop = loop;
    made->accepted = accepted;
    made->ctx = ctx;
    int code = uv_tcp_bind(&made->uv, (struct sockaddr *)&addr, 0);
    if (!code)
        code = uv_listen((uv_stream_t *)&made->uv, BACKLOG, on_connection);
    if (code) {
        listener_close(made);
        return err_set(err, code == UV_EADDRINUSE ? STATUS_EXISTS : STATUS_IO,
                       "cannot listen on %s port %u: %s", host, port, uv_strerror(code));
    }
    *listener = made;
    return STATUS_OK;
}

u16 listener_port(const struct listener *listener)
{
    struct sockaddr_storage addr;
    int len = sizeof addr;
    int code = uv_tcp_getsockname(&listener->uv, (struct sockaddr *)&addr, &len);
    assert(code == 0);
    /* The port stands at the same place for both families. */
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

void listener_close(struct listener *listener)
{
    if (listener)
        uv_close((uv_handle_t *)&listener->uv, on_closed);
}
