/*
 * The event loop of one thread, and what hangs on it: timers, signals, TCP listeners and connections. A thin
 * door on libuv. Everything here belongs to the loop's thread; callbacks run from loop_run. What is made
 * from a loop is closed before the loop is freed. Two loops in one process know nothing of each other.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct loop;

MUST_READ enum status loop_new(struct loop **loop, struct err *err);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_stop, or until nothing is left to wait for */
void loop_stop(struct loop *loop);
void loop_turn(struct loop *loop);        /* does what is due and returns at once */
u64 loop_now_ms(const struct loop *loop); /* monotonic, as of the round's beginning; cheap */

/* Calls fn, once, when the process is told to end: see sys/ending.h, which is watched from here on. One callback a loop. */
MUST_READ enum status loop_on_end(struct loop *loop, void (*fn)(void *ctx), void *ctx,
                                  struct err *err);

/* --- timers --------------------------------------------------------------------------------- */

struct timer;
struct timer *timer_new(struct loop *loop, void (*fn)(void *ctx), void *ctx); /* stopped */
void timer_start(struct timer *timer, u64 after_ms, u64 repeat_ms); /* repeat 0: once; restarts */
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer);

/* --- TCP ------------------------------------------------------------------------------------ */

struct conn;
struct listener;

/* An IP address or "localhost". */
bool listener_takes_host(const char *host);

/* host is one that is taken; port 0 lets the system choose. accepted owns the conn. */
MUST_READ enum status listener_open(struct listener **listener, struct loop *loop, const char *host,
                                    u16 port, void (*accepted)(void *ctx, struct conn *conn),
                                    void *ctx, struct err *err);
u16 listener_port(const struct listener *listener);
void listener_close(struct listener *listener);

struct conn_handler {
    void (*data)(void *ctx, const u8 *bytes, size_t len); /* borrowed for the call */
    void (*drained)(void *ctx); /* everything written has been handed to the system */
    void (*ended)(
        void *ctx); /* the peer closed or the line broke; conn_close is still to be called */
};

/* Sets the callbacks (borrowed) and begins reading. */
void conn_start(struct conn *conn, const struct conn_handler *handler, void *ctx);
void conn_pause(struct conn *conn); /* reads nothing until resumed */
void conn_resume(struct conn *conn);

/* Writes what fits at once; the rest is copied and follows in order. */
void conn_write(struct conn *conn, const void *bytes, size_t len);
size_t conn_unsent(const struct conn *conn);

/* No callback runs after it. What is unsent is dropped; conn_close_soon sends it first. */
void conn_close(struct conn *conn);
void conn_close_soon(struct conn *conn);
