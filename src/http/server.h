/*
 * An HTTP/1.1 server that takes requests with a body and gives answers: what JSON-RPC needs. Keep-alive and
 * pipelining, bounded sizes and times, CORS with its preflight, a check of the Host header against DNS
 * rebinding. One loop, no globals: any number of servers in a process.
 * Sources: RFC 9110, RFC 9112, the Fetch standard (CORS), Private Network Access.
 */
#pragma once

#include "base/buf.h"
#include "http/websocket.h"
#include "sys/loop.h"

struct http_server;
struct http_exchange;

/*
 * Answers one POST. body is borrowed for the call. Calls http_answer now or later, exactly once; the exchange is
 * valid until then, also when the peer has gone. Requests of one connection come one at a time.
 */
typedef void http_handler(void *ctx, struct http_exchange *exchange, const char *body, size_t len);

/* What GET of a target is answered with. */
struct http_page {
    unsigned status;
    const char *type; /* static */
    struct buf body;
};
/* Fills the page for the target ("/metrics?x=y"); false: there is no page of its own there. */
typedef bool http_page_fn(void *ctx, const char *target, struct http_page *page);

struct http_options {
    const char *host; /* an IP address or "localhost" */
    u16 port;         /* 0: the system chooses */
    const char
        *cors_origins; /* "*", or origins separated by commas; empty: other origins get no leave */
    const char *hosts; /* names accepted in Host besides localhost and IP addresses; "*": any */
    u32 connections_max;
    u32 header_max;   /* bytes of one request's line and headers */
    u32 body_max;     /* bytes of one request's body */
    u32 request_ms;   /* from a request's first byte to its last */
    u32 idle_ms;      /* between requests */
    u32 unsent_max;   /* bytes of answers a peer may leave unread before its requests wait */
    u64 bodies_max;   /* bytes of bodies on their way, all together: 503 past them; 0: any */
    u32 pipeline_max; /* bytes of requests waiting behind one that is not answered yet */
    const struct websocket_handler *websocket; /* borrowed, with the server's ctx; NULL: none */
    struct websocket_options websocket_options;
    http_page_fn *page; /* NULL: none */
    void *page_ctx;
};

struct http_options http_options_default(void);

/* options is copied, its texts are borrowed for the server's life. */
MUST_READ enum status http_server_open(struct http_server **server, struct loop *loop,
                                       const struct http_options *options, http_handler *handler,
                                       void *ctx, struct err *err);
u16 http_server_port(const struct http_server *server);

/*
 * What waits on all lines together, answers that peers do not read above all, is brought below so many bytes: the
 * lines with most are dropped, but for those whose request is with the handler. May be called from there.
 */
void http_server_shed(struct http_server *server, u64 bytes_max);

/* Accepts nothing more and closes every connection, at once where a peer does not read; exchanges not answered yet
 * may still be. */
void http_server_close(struct http_server *server);

/* Status 200 and JSON, or, with len 0, no content (204). The bytes are copied. */
void http_answer(struct http_exchange *exchange, const void *json, size_t len);
