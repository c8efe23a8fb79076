/* How the server keeps its WebSocket connections. Private to the room. */
#pragma once

#include "http/websocket.h"
#include "sys/loop.h"

/* All of one server's. */
struct websockets {
    struct loop *loop;
    const struct websocket_handler *handler; /* NULL: not offered */
    void *ctx;
    struct websocket_options options;
    struct websocket *first;
    u32 count;
};

/* RFC 6455, 4.2.1: sixteen bytes in base64. */
bool websocket_key_is_valid(const char *key);

/* RFC 6455, 4.2.2: what proves that the request was understood; with the terminating zero. */
enum { WEBSOCKET_ACCEPT_SIZE = 29 };
void websocket_accept(char out[WEBSOCKET_ACCEPT_SIZE], const char *key);

/* Takes over a line whose upgrade was answered, with the bytes that came behind the request. */
void websockets_add(struct websockets *all, struct conn *conn, const u8 *bytes, size_t len);

/* Looks at deadlines; call about once a second while count is not 0. */
void websockets_tick(struct websockets *all);

/* Bytes that wait on all lines. */
u64 websockets_waiting(const struct websockets *all);
/* Drops the line on which most waits, if that is more than so many bytes and nobody looks at it; returns how many. */
u64 websockets_shed(struct websockets *all, u64 more_than);

/* Tells every peer that the server goes (1001) and lets go of the lines. */
void websockets_close(struct websockets *all);
