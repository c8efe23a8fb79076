/*
 * WebSocket connections of an HTTP server: text messages in both directions on the server's own port. A request to
 * "/" that asks for the upgrade becomes one when the Host and Origin headers pass the server's rules. Frames are
 * read and written by libwslay; the rules about them stand here.
 *
 * Hostile peers: frames without a mask, reserved bits and opcodes, oversized or fragmented control frames close with
 * 1002, text that is not UTF-8 with 1007, binary messages with 1003, messages over the bound with 1009. Fragments are
 * gathered in one buffer, so that many small ones cost no more than their bytes.
 *
 * Peers that do not read: while `unsent_max` bytes wait, nothing more is read from the peer. One that takes nothing
 * for `stall_ms` is closed with 1008. A peer silent for `ping_ms` is asked for a sign of life, and dropped when it
 * gives none for as long again.
 *
 * Source: RFC 6455. Belongs to the server's thread.
 */
#pragma once

#include "base/types.h"

struct websocket;

enum websocket_code { /* RFC 6455, 7.4.1 */
                      WEBSOCKET_NORMAL = 1000,
                      WEBSOCKET_GOING_AWAY = 1001,
                      WEBSOCKET_PROTOCOL = 1002,
                      WEBSOCKET_NOT_TEXT = 1003,
                      WEBSOCKET_NOT_UTF8 = 1007,
                      WEBSOCKET_POLICY = 1008,
                      WEBSOCKET_TOO_BIG = 1009,
};

struct websocket_handler {
    void (*opened)(void *ctx, struct websocket *ws);
    /* text is borrowed for the call */
    void (*message)(void *ctx, struct websocket *ws, const char *text, size_t len);
    /* everything written has been handed to the system, after some of it had to wait */
    void (*drained)(void *ctx, struct websocket *ws);
    /* the last callback; ws is gone when it returns */
    void (*closed)(void *ctx, struct websocket *ws);
};

struct websocket_options {
    u32 message_max; /* bytes of a message */
    u32 unsent_max;  /* bytes a peer may leave unread before its messages wait */
    u32 ping_ms;     /* silence after which a peer is asked whether it lives */
    u32 stall_ms;    /* how long a peer may take nothing of what waits for it */
    u32 close_ms;    /* for a peer to read why it is closed */
};

struct websocket_options websocket_options_default(void);

/* What the handler keeps with a connection; NULL at first. */
void websocket_set_user(struct websocket *ws, void *user);
void *websocket_user(const struct websocket *ws);

/* One text message; the bytes are copied. Nothing happens once it is closing. */
void websocket_send(struct websocket *ws, const void *text, size_t len);

/* Bytes that wait for the peer to read. */
size_t websocket_unsent(const struct websocket *ws);

/* Says why (at most 123 bytes are kept) and closes when that is read, or after close_ms. */
void websocket_close(struct websocket *ws, enum websocket_code code, const char *reason);
