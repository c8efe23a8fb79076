/*
 * sys/loop.h without a system, for tests and fuzzing of the server: time stands until it is moved, a connection's
 * input is what it is given, and its output is kept. One file of a program defines SIM_LOOP_BODY before including it;
 * the program then does not take the real loop from its library.
 */
#pragma once

#include "base/buf.h"
#include "base/mem.h"
#include "sys/loop.h"

struct loop {
    u64 now_ms;
    struct listener *listener;
    struct timer *timer;
};

struct timer {
    struct loop *loop;
    void (*fn)(void *ctx);
    void *ctx;
    bool is_armed;
};

struct listener {
    struct loop *loop;
    void (*accepted)(void *ctx, struct conn *conn);
    void *ctx;
};

/* Owned by who made it, so that it can be looked at after it was closed. */
struct conn {
    const struct conn_handler *handler;
    void *ctx;
    struct buf sent;
    bool is_closed, is_paused;
    bool is_stuck; /* the peer does not read */
};

#ifdef SIM_LOOP_BODY

u64 loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct timer *timer = NEW(struct timer);
    *timer = (struct timer){loop, fn, ctx, false};
    loop->timer = timer;
    return timer;
}

void timer_start(struct timer *timer, u64 after_ms, u64 repeat_ms)
{
    (void)after_ms;
    (void)repeat_ms;
    timer->is_armed = true;
}

void timer_stop(struct timer *timer)
{
    timer->is_armed = false;
}

void timer_free(struct timer *timer)
{
    timer->loop->timer = NULL;
    mem_free(timer);
}

enum status listener_open(struct listener **listener, struct loop *loop, const char *host, u16 port,
                          void (*accepted)(void *ctx, struct conn *conn), void *ctx,
                          struct err *err)
{
    (void)host;
    (void)port;
    (void)err;
    *listener = loop->listener = NEW(struct listener);
    **listener = (struct listener){loop, accepted, ctx};
    return STATUS_OK;
}

u16 listener_port(const struct listener *listener)
{
    (void)listener;
    return 1;
}

void listener_close(struct listener *listener)
{
    listener->loop->listener = NULL;
    mem_free(listener);
}

void conn_start(struct conn *conn, const struct conn_handler *handler, void *ctx)
{
    conn->handler = handler;
    conn->ctx = ctx;
}

void conn_pause(struct conn *conn)
{
    conn->is_paused = true;
}

void conn_resume(struct conn *conn)
{
    conn->is_paused = false;
}

void conn_write(struct conn *conn, const void *bytes, size_t len)
{
    buf_add(&conn->sent, bytes, len);
}

size_t conn_unsent(const struct conn *conn)
{
    return conn->is_stuck ? conn->sent.len : 0;
}

void conn_close(struct conn *conn)
{
    conn->is_closed = true;
    conn->handler = NULL;
}

void conn_close_soon(struct conn *conn)
{
    conn_close(conn);
}

#endif

/* --- for the test ----------------------------------------------------------------------------- */

static inline void sim_connect(struct loop *loop, struct conn *conn)
{
    *conn = (struct conn){0};
    buf_init(&conn->sent, (size_t)1 << 26);
    loop->listener->accepted(loop->listener->ctx, conn);
}

static inline void sim_input(struct conn *conn, const void *bytes, size_t len)
{
    if (conn->handler)
        conn->handler->data(conn->ctx, bytes, len);
}

/* The same cut into pieces whose lengths follow from the seed; 0: whole. */
static inline void sim_input_cut(struct conn *conn, const u8 *data, size_t size, u32 seed)
{
    for (size_t at = 0; at < size;) {
        size_t n = size;
        if (seed) {
            seed = seed * 1664525 + 1013904223;
            n = 1 + (seed >> 24) % 64;
        }
        n = n < size - at ? n : size - at;
        sim_input(conn, data + at, n);
        at += n;
    }
}

static inline void sim_hang_up(struct conn *conn)
{
    if (conn->handler)
        conn->handler->ended(conn->ctx);
}

/* The peer reads everything there is. */
static inline void sim_drain(struct conn *conn)
{
    buf_reset(&conn->sent);
    if (conn->handler)
        conn->handler->drained(conn->ctx);
}

static inline void sim_pass_time(struct loop *loop, u64 ms)
{
    loop->now_ms += ms;
    if (loop->timer && loop->timer->is_armed)
        loop->timer->fn(loop->timer->ctx);
}
