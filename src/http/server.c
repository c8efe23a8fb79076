#include "http/server.h"

#include <http_parser.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/mem.h"
#include "http/request.h"
#include "http/websocket_int.h"

enum {
    VALUE_MAX = 256, /* bytes of a header value that we look at */
    PAGE_MAX = 1 << 20,
    KEEP_MAX = 65536, /* bytes of buffers an idle connection keeps */
    TICK_MS = 1000,   /* how often deadlines are looked at */
    LINGER_MS = 2000, /* after an error, for the peer to read why */
};

/* The headers that matter, and where their values go. */
enum field {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_ORIGIN,
    FIELD_TYPE,
    FIELD_EXPECT,
    FIELD_PRIVATE,
    FIELD_UPGRADE,
    FIELD_WS_KEY,
    FIELD_WS_VERSION,
    FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_OTHER] = "",
    [FIELD_HOST] = "host",
    [FIELD_ORIGIN] = "origin",
    [FIELD_TYPE] = "content-type",
    [FIELD_EXPECT] = "expect",
    [FIELD_PRIVATE] = "access-control-request-private-network",
    [FIELD_UPGRADE] = "upgrade",
    [FIELD_WS_KEY] = "sec-websocket-key",
    [FIELD_WS_VERSION] = "sec-websocket-version",
};

enum mode {
    MODE_READING,   /* requests are parsed as they come */
    MODE_ANSWERING, /* one is with the handler; what comes after it waits */
    MODE_LINGERING, /* an error was sent; what comes is thrown away */
    MODE_LEAVING,   /* the line becomes a WebSocket */
};

/* One connection, and the one exchange it may have going on. */
struct http_exchange {
    struct http_server *server; /* NULL once that is closed */
    struct conn *conn;          /* NULL once the line is gone */
    struct http_exchange *prev, *next;
    http_parser parser;
    enum mode mode;
    bool is_in_message; /* a request has begun and is not complete */
    bool is_executing;  /* the parser is on the stack */
    bool keep_alive;
    u64 deadline_ms;
    u32 header_bytes;
    unsigned refusal; /* a status to answer instead of asking the handler; 0: none */
    enum field field;
    char name[48];
    size_t name_len;
    char values[FIELD_COUNT][VALUE_MAX];
    size_t url_len;
    char url_first;   /* first byte of the target */
    char url[48];     /* the target, when it fits */
    const char *body; /* in the input while it came in one piece, in body_buf after */
    size_t body_len;
    struct buf body_buf;
    size_t body_counted; /* of body_buf, in the server's bodies */
    struct buf waiting;  /* input behind a request that is being answered */
    struct buf out;      /* answers, until the input at hand is used up */
};

struct http_server {
    struct loop *loop;
    struct listener *listener;
    struct timer *ticker;
    struct http_options options;
    http_handler *handler;
    void *ctx;
    struct websockets websockets;
    struct http_exchange *first;
    u32 count;  /* exchanges */
    u64 bodies; /* bytes that bodies on their way take */
    bool is_ticking;
};

struct http_options http_options_default(void)
{
    return (struct http_options){
        .host = "127.0.0.1",
        .cors_origins = "*",
        .hosts = "",
        .connections_max = 1024,
        .header_max = 16 * 1024,
        .body_max = 10 * 1024 * 1024,
        .request_ms = 30 * 1000,
        .idle_ms = 120 * 1000,
        .unsent_max = 4 * 1024 * 1024,
        .pipeline_max = 1024 * 1024,
        .websocket_options = websocket_options_default(),
    };
}

/* --- answering ------------------------------------------------------------------------------ */

static const char *reason_of(unsigned status)
{
    switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 426: return "Upgrade Required";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    default: return "Service Unavailable";
    }
}

static const char *words_of(unsigned status)
{
    switch (status) {
    case 400: return "the request is not valid HTTP/1.1\n";
    case 403: return "the Host or Origin header names one that is not served here\n";
    case 404: return "requests are taken at / only\n";
    case 405: return "JSON-RPC requests are sent with POST\n";
    case 408: return "the request took too long to arrive\n";
    case 413: return "the request body is larger than this server takes\n";
    case 415: return "send JSON-RPC with the header Content-Type: application/json\n";
    case 417: return "only the expectation 100-continue can be met\n";
    case 426: return "WebSocket is spoken here in version 13\n";
    case 431: return "the request headers are larger than this server takes\n";
    case 501: return "WebSocket is not offered here\n";
    case 503: return "too much is being sent at a time: try again\n";
    default: return "";
    }
}

static void put_cors(struct http_exchange *exchange)
{
    const char *origin = exchange->values[FIELD_ORIGIN],
               *origins = exchange->server->options.cors_origins;
    if (!*origin || !http_origin_is_allowed(origin, origins))
        return;
    if (strcmp(origins, "*") == 0)
        buf_add_text(&exchange->out, "Access-Control-Allow-Origin: *\r\n");
    else
        buf_add_format(&exchange->out, "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n",
                       origin);
}

static void put_preflight(struct http_exchange *exchange)
{
    if (exchange->parser.method != HTTP_OPTIONS)
        return;
    buf_add_text(&exchange->out, "Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
                                 "Access-Control-Allow-Headers: *, Content-Type, Authorization\r\n"
                                 "Access-Control-Max-Age: 600\r\n");
    if (strcasecmp(exchange->values[FIELD_PRIVATE], "true") == 0)
        buf_add_text(&exchange->out, "Access-Control-Allow-Private-Network: true\r\n");
}

static void put_length(struct buf *out, size_t len)
{
    char text[24];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + len % 10);
    while (len /= 10);
    buf_add(out, text + at, sizeof text - at);
}

static void put_answer(struct http_exchange *exchange, unsigned status, const char *type,
                       const void *body, size_t len)
{
    struct buf *out = &exchange->out;
    if (status == 200)
        buf_add_text(out, "HTTP/1.1 200 OK\r\n");
    else
        buf_add_format(out, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
    put_cors(exchange);
    put_preflight(exchange);
    if (status == 405)
        buf_add_text(out, "Allow: POST, GET, OPTIONS\r\n");
    if (status == 426)
        buf_add_text(out, "Sec-WebSocket-Version: 13\r\n");
    if (!exchange->keep_alive)
        buf_add_text(out, "Connection: close\r\n");
    if (status != 204) {
        buf_add_text(out, "Content-Type: ");
        buf_add_text(out, type);
        buf_add_text(out, "\r\nContent-Length: ");
        put_length(out, len);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, "\r\n");
    if (status != 204 && exchange->parser.method != HTTP_HEAD)
        buf_add(out, body, len);
}

static void put_words(struct http_exchange *exchange, unsigned status)
{
    const char *words = words_of(status);
    put_answer(exchange, status, "text/plain; charset=utf-8", words, strlen(words));
}

/* The owner's page at the target, or else words. */
static void put_page(struct http_exchange *exchange)
{
    const struct http_options *options = &exchange->server->options;
    struct http_page page = {.status = 200, .type = "text/plain; charset=utf-8"};
    buf_init(&page.body, PAGE_MAX);
    if (options->page && options->page(options->page_ctx, exchange->url, &page))
        put_answer(exchange, page.status, page.type, page.body.data, page.body.len);
    else
        put_words(exchange, 200);
    buf_fini(&page.body);
}

/* --- a connection's life -------------------------------------------------------------------- */

static void exchange_free(struct http_exchange *exchange)
{
    buf_fini(&exchange->body_buf);
    buf_fini(&exchange->waiting);
    buf_fini(&exchange->out);
    mem_free(exchange);
}

static void exchange_unlink(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (!server)
        return;
    server->bodies -= exchange->body_counted;
    exchange->body_counted = 0;
    if (exchange->prev)
        exchange->prev->next = exchange->next;
    else
        server->first = exchange->next;
    if (exchange->next)
        exchange->next->prev = exchange->prev;
    exchange->server = NULL;
    server->count--;
}

/* The line is given up. The memory stays while the handler or the parser still has it. */
static void exchange_drop(struct http_exchange *exchange, bool send_first)
{
    if (exchange->conn && send_first)
        conn_close_soon(exchange->conn);
    else if (exchange->conn)
        conn_close(exchange->conn);
    exchange->conn = NULL;
    exchange_unlink(exchange);
    if (exchange->mode != MODE_ANSWERING && !exchange->is_executing)
        exchange_free(exchange);
}

static void exchange_flush(struct http_exchange *exchange)
{
    if (exchange->conn && exchange->out.len)
        conn_write(exchange->conn, exchange->out.data, exchange->out.len);
    if (exchange->out.cap > KEEP_MAX)
        buf_fini(&exchange->out);
    else
        buf_reset(&exchange->out);
}

static void count_body(struct http_exchange *exchange)
{
    if (exchange->server)
        exchange->server->bodies += exchange->body_buf.cap - exchange->body_counted;
    exchange->body_counted = exchange->server ? exchange->body_buf.cap : 0;
}

/* Says what was wrong and stays a moment: closing at once would make the peer lose the words. */
static void exchange_refuse(struct http_exchange *exchange, unsigned status)
{
    exchange->keep_alive = false;
    /* What was read of malformed headers is not to be trusted. */
    if (status == 400 || status == 431)
        exchange->values[FIELD_ORIGIN][0] = 0;
    buf_fini(&exchange->body_buf);
    count_body(exchange);
    put_words(exchange, status);
    exchange_flush(exchange);
    exchange->mode = MODE_LINGERING;
    exchange->deadline_ms = loop_now_ms(exchange->server->loop) + LINGER_MS;
}

static void on_tick(void *ctx)
{
    struct http_server *server = ctx;
    u64 now = loop_now_ms(server->loop);
    struct http_exchange *next;
    for (struct http_exchange *exchange = server->first; exchange; exchange = next) {
        next = exchange->next;
        if (now < exchange->deadline_ms || exchange->mode == MODE_ANSWERING)
            continue;
        if (exchange->mode == MODE_READING && exchange->is_in_message)
            exchange_refuse(exchange, 408);
        else
            exchange_drop(exchange, false);
    }
    websockets_tick(&server->websockets);
    if (!server->count && !server->websockets.count) {
        timer_stop(server->ticker);
        server->is_ticking = false;
    }
}

/* --- parsing -------------------------------------------------------------------------------- */

static int refuse(struct http_exchange *exchange, unsigned status)
{
    if (!exchange->refusal)
        exchange->refusal = status;
    return 1; /* stops the parser */
}

static int count_header(struct http_exchange *exchange, size_t len)
{
    exchange->header_bytes += (u32)len;
    return exchange->header_bytes > exchange->server->options.header_max ? refuse(exchange, 431)
                                                                         : 0;
}

static int on_begin(http_parser *parser)
{
    struct http_exchange *exchange = parser->data;
    exchange->is_in_message = true;
    exchange->deadline_ms =
        loop_now_ms(exchange->server->loop) + exchange->server->options.request_ms;
    exchange->header_bytes = 0;
    exchange->refusal = 0;
    exchange->field = FIELD_OTHER;
    exchange->name_len = 0;
    exchange->url_len = 0;
    for (int i = 0; i < FIELD_COUNT; i++)
        exchange->values[i][0] = 0;
    exchange->body = NULL;
    exchange->body_len = 0;
    buf_reset(&exchange->body_buf);
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct http_exchange *exchange = parser->data;
    if (!exchange->url_len && len)
        exchange->url_first = *at;
    if (exchange->url_len + len < sizeof exchange->url) {
        memcpy(exchange->url + exchange->url_len, at, len);
        exchange->url[exchange->url_len + len] = 0;
    } else {
        exchange->url[0] = 0;
    }
    exchange->url_len += len;
    return count_header(exchange, len);
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
    struct http_exchange *exchange = parser->data;
    if (exchange->field != FIELD_COUNT) { /* the last call was for a value, or there was none */
        exchange->field = FIELD_COUNT;
        exchange->name_len = 0;
    }
    if (exchange->name_len + len < sizeof exchange->name)
        memcpy(exchange->name + exchange->name_len, at, len);
    exchange->name_len += len;
    return count_header(exchange, len + 2);
}

static enum field field_of(const struct http_exchange *exchange)
{
    for (int i = 1; i < FIELD_COUNT; i++)
        if (exchange->name_len == strlen(field_names[i]) &&
            strncasecmp(exchange->name, field_names[i], exchange->name_len) == 0)
            return (enum field)i;
    return FIELD_OTHER;
}

/* RFC 9110, 5.5: no control characters. The parser looks for them only where input happens to be cut. */
static bool is_field_text(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((u8)at[i] < 0x20 && at[i] != '\t') || at[i] == 0x7f)
            return false;
    return true;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct http_exchange *exchange = parser->data;
    if (!is_field_text(at, len))
        return refuse(exchange, 400);
    if (exchange->field == FIELD_COUNT) {
        exchange->field = field_of(exchange);
        if (exchange->field != FIELD_OTHER && exchange->values[exchange->field][0])
            return refuse(exchange, 400); /* given twice */
    }
    if (exchange->field != FIELD_OTHER) {
        char *value = exchange->values[exchange->field];
        size_t used = strlen(value);
        if (used + len >= VALUE_MAX)
            return refuse(exchange, 431);
        memcpy(value + used, at, len);
        value[used + len] = 0;
    }
    return count_header(exchange, len + 2);
}

/* RFC 6455, 4.2.1. A browser asks for no leave before it opens a WebSocket: its Origin is judged here. */
static unsigned verdict_of_upgrade(const struct http_exchange *exchange)
{
    const struct http_server *server = exchange->server;
    const char *origin = exchange->values[FIELD_ORIGIN];
    if (!server->websockets.handler)
        return 501;
    if (*origin && !http_origin_is_allowed(origin, server->options.cors_origins))
        return 403;
    if (exchange->url_len != 1 || exchange->url_first != '/')
        return 404;
    if (strcmp(exchange->values[FIELD_WS_VERSION], "13") != 0)
        return 426;
    return websocket_key_is_valid(exchange->values[FIELD_WS_KEY]) ? 101 : 400;
}

/* What the headers alone decide; 0 when the handler may be asked. */
static unsigned verdict_of(const struct http_exchange *exchange)
{
    const struct http_options *options = &exchange->server->options;
    if (!http_host_is_allowed(exchange->values[FIELD_HOST], options->hosts) &&
        (*exchange->values[FIELD_HOST] || exchange->parser.http_minor))
        return 403;
    switch (exchange->parser.method) {
    case HTTP_OPTIONS: return 204;
    case HTTP_GET:
        if (exchange->parser.upgrade)
            return verdict_of_upgrade(exchange);
        return 200;
    case HTTP_HEAD: return 200;
    case HTTP_POST: break;
    default: return 405;
    }
    if (exchange->url_len != 1 || exchange->url_first != '/')
        return 404;
    if (!http_content_type_is_json(exchange->values[FIELD_TYPE]))
        return 415;
    const char *expect = exchange->values[FIELD_EXPECT];
    return *expect && strcasecmp(expect, "100-continue") != 0 ? 417 : 0;
}

static int on_headers(http_parser *parser)
{
    struct http_exchange *exchange = parser->data;
    u64 length = parser->content_length; /* all ones when it is not known */
    /* RFC 9110, 7.8: an upgrade that is not understood is passed over. */
    if (parser->method != HTTP_GET || strcasecmp(exchange->values[FIELD_UPGRADE], "websocket") != 0)
        parser->upgrade = 0;
    unsigned verdict = verdict_of(exchange);
    if (verdict >= 400)
        return refuse(exchange, verdict) * 3; /* any value above 2 stops the parser */
    exchange->refusal = verdict;
    if (length != UINT64_MAX && length > exchange->server->options.body_max)
        return refuse(exchange, 413) * 3;
    if (*exchange->values[FIELD_EXPECT])
        buf_add_text(&exchange->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct http_exchange *exchange = parser->data;
    if (!exchange->body && http_body_is_final(parser)) {
        exchange->body = at;
        exchange->body_len = len;
        return 0;
    }
    buf_add(&exchange->body_buf, at, len);
    if (exchange->body_buf.full)
        return refuse(exchange, 413);
    count_body(exchange);
    u64 most = exchange->server->options.bodies_max;
    if (most && exchange->server->bodies > most)
        return refuse(exchange, 503);
    exchange->body = (const char *)exchange->body_buf.data;
    exchange->body_len = exchange->body_buf.len;
    return 0;
}

static void put_upgrade(struct http_exchange *exchange)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    websocket_accept(accept, exchange->values[FIELD_WS_KEY]);
    buf_add_format(&exchange->out,
                   "HTTP/1.1 101 %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n",
                   reason_of(101), accept);
    exchange->mode = MODE_LEAVING;
}

static void hand_over(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->mode = MODE_ANSWERING;
    server->handler(server->ctx, exchange, exchange->body ? exchange->body : "",
                    exchange->body_len);
}

static int on_complete(http_parser *parser)
{
    struct http_exchange *exchange = parser->data;
    exchange->is_in_message = false;
    exchange->keep_alive = http_should_keep_alive(parser);
    exchange->deadline_ms = loop_now_ms(exchange->server->loop) + exchange->server->options.idle_ms;
    if (exchange->refusal == 101)
        put_upgrade(exchange);
    else if (exchange->refusal == 200)
        put_page(exchange);
    else if (exchange->refusal)
        put_words(exchange, exchange->refusal);
    else
        hand_over(exchange);
    if (exchange->body_buf.cap > KEEP_MAX)
        buf_fini(&exchange->body_buf);
    count_body(exchange);
    /* Anything but the next request stops here: an answer not given yet, a line to be closed, answers enough. */
    if (exchange->mode != MODE_READING || !exchange->keep_alive || !exchange->conn ||
        exchange->out.len > exchange->server->options.unsent_max)
        http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* Keeps input for later; false when there is more than a peer may send ahead. */
static bool wait_with(struct http_exchange *exchange, const u8 *bytes, size_t len)
{
    buf_add(&exchange->waiting, bytes, len);
    return !exchange->waiting.full;
}

/* What the parser stopped for. True when it is to go on. */
static bool after_stop(struct http_exchange *exchange)
{
    enum http_errno code = HTTP_PARSER_ERRNO(&exchange->parser);
    if (code == HPE_PAUSED) {
        http_parser_pause(&exchange->parser, 0);
        return exchange->keep_alive && exchange->out.len <= exchange->server->options.unsent_max;
    }
    if (code == HPE_OK)
        return true;
    unsigned status = code == HPE_HEADER_OVERFLOW ? 431 : 400;
    exchange_refuse(exchange, exchange->refusal >= 400 ? exchange->refusal : status);
    return false;
}

/* Parses until the input is used up, an answer or an end has to be waited for, or there are answers enough. */
static size_t parse(struct http_exchange *exchange, const u8 *bytes, size_t len)
{
    size_t used = 0;
    bool goes_on = true;
    exchange->is_executing = true;
    while (goes_on && used < len && exchange->mode == MODE_READING && exchange->conn) {
        used += http_parser_execute(&exchange->parser, &settings, (const char *)bytes + used,
                                    len - used);
        goes_on = !exchange->conn || after_stop(exchange);
    }
    exchange->is_executing = false;
    return used;
}

/* Keeps what was not used until there is leave to go on; drops a peer that sends too far ahead. */
static void put_off(struct http_exchange *exchange, const u8 *bytes, size_t len)
{
    if (!wait_with(exchange, bytes, len))
        exchange_drop(exchange, false);
}

/* The line's next words are a WebSocket's. The exchange is freed. */
static void leave(struct http_exchange *exchange, const u8 *bytes, size_t len)
{
    struct conn *conn = exchange->conn;
    struct websockets *websockets = &exchange->server->websockets;
    exchange->conn = NULL;
    exchange_unlink(exchange);
    exchange_free(exchange);
    websockets_add(websockets, conn, bytes, len);
}

/* Takes input as far as possible; exchange may be freed. */
static void take_input(struct http_exchange *exchange, const u8 *bytes, size_t len)
{
    size_t used = 0;
    for (;;) {
        used += parse(exchange, bytes + used, len - used);
        if (!exchange->conn) {
            if (exchange->mode != MODE_ANSWERING)
                exchange_free(exchange);
            return;
        }
        exchange_flush(exchange);
        if (exchange->mode == MODE_LEAVING) {
            leave(exchange, bytes + used, len - used);
            return;
        }
        bool is_choked = conn_unsent(exchange->conn) > exchange->server->options.unsent_max;
        if (is_choked && exchange->mode != MODE_LINGERING)
            conn_pause(exchange->conn);
        if (exchange->mode == MODE_ANSWERING ||
            (is_choked && exchange->mode == MODE_READING && exchange->keep_alive && used < len)) {
            put_off(exchange, bytes + used, len - used);
            return;
        }
        if (exchange->mode == MODE_READING && !exchange->keep_alive && !exchange->is_in_message) {
            exchange_drop(exchange, true);
            return;
        }
        if (used == len || exchange->mode != MODE_READING)
            return;
    }
}

static void on_data(void *ctx, const u8 *bytes, size_t len)
{
    struct http_exchange *exchange = ctx;
    if (exchange->mode == MODE_LINGERING)
        return;
    if (exchange->mode == MODE_ANSWERING)
        put_off(exchange, bytes, len);
    else
        take_input(exchange, bytes, len);
}

static void take_waiting(struct http_exchange *exchange);

static void on_drained(void *ctx)
{
    struct http_exchange *exchange = ctx;
    if (exchange->mode == MODE_LINGERING)
        return;
    conn_resume(exchange->conn);
    if (exchange->mode == MODE_READING && exchange->waiting.len)
        take_waiting(exchange);
}

static void on_ended(void *ctx)
{
    exchange_drop(ctx, false);
}

static const struct conn_handler handler = {on_data, on_drained, on_ended};

/* Input that had to wait. */
static void take_waiting(struct http_exchange *exchange)
{
    size_t len;
    u8 *bytes = buf_take(&exchange->waiting, &len);
    take_input(exchange, bytes, len);
    mem_free(bytes);
}

void http_answer(struct http_exchange *exchange, const void *json, size_t len)
{
    assert(exchange->mode == MODE_ANSWERING);
    exchange->mode = MODE_READING;
    if (!exchange->conn) {
        if (!exchange->is_executing)
            exchange_free(exchange);
        return;
    }
    put_answer(exchange, len ? 200 : 204, "application/json", json, len);
    if (exchange->is_executing)
        return; /* the parser goes on by itself */
    exchange_flush(exchange);
    if (!exchange->keep_alive)
        exchange_drop(exchange, true);
    else if (exchange->waiting.len)
        take_waiting(exchange);
}

/* --- the server ----------------------------------------------------------------------------- */

static void on_accepted(void *ctx, struct conn *conn)
{
    struct http_server *server = ctx;
    if (server->count + server->websockets.count >= server->options.connections_max) {
        static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                   "Content-Type: text/plain\r\nContent-Length: 21\r\n\r\n"
                                   "too many connections\n";
        conn_write(conn, busy, sizeof busy - 1);
        conn_close_soon(conn);
        return;
    }
    struct http_exchange *exchange = NEW(struct http_exchange);
    exchange->server = server;
    exchange->conn = conn;
    exchange->next = server->first;
    if (server->first)
        server->first->prev = exchange;
    server->first = exchange;
    server->count++;
    buf_init(&exchange->body_buf, server->options.body_max);
    buf_init(&exchange->waiting, server->options.pipeline_max);
    buf_init(&exchange->out, SIZE_MAX / 2);
    http_parser_init(&exchange->parser, HTTP_REQUEST);
    exchange->parser.data = exchange;
    exchange->keep_alive = true;
    exchange->deadline_ms = loop_now_ms(server->loop) + server->options.request_ms;
    if (!server->is_ticking) {
        timer_start(server->ticker, TICK_MS, TICK_MS);
        server->is_ticking = true;
    }
    conn_start(conn, &handler, exchange);
}

enum status http_server_open(struct http_server **server, struct loop *loop,
                             const struct http_options *options, http_handler *fn, void *ctx,
                             struct err *err)
{
    struct http_server *made = NEW(struct http_server);
    made->loop = loop;
    made->options = *options;
    made->handler = fn;
    made->ctx = ctx;
    made->websockets = (struct websockets){
        .loop = loop,
        .handler = options->websocket,
        .ctx = ctx,
        .options = options->websocket_options,
    };
    enum status status =
        listener_open(&made->listener, loop, options->host, options->port, on_accepted, made, err);
    if (status != STATUS_OK) {
        mem_free(made);
        return status;
    }
    made->ticker = timer_new(loop, on_tick, made);
    *server = made;
    return STATUS_OK;
}

u16 http_server_port(const struct http_server *server)
{
    return listener_port(server->listener);
}

static u64 waiting_on(const struct http_exchange *exchange)
{
    return exchange->waiting.cap + exchange->out.cap + conn_unsent(exchange->conn);
}

void http_server_shed(struct http_server *server, u64 bytes_max)
{
    u64 all = websockets_waiting(&server->websockets);
    for (const struct http_exchange *at = server->first; at; at = at->next)
        all += waiting_on(at);
    while (all > bytes_max) {
        struct http_exchange *most = NULL;
        for (struct http_exchange *at = server->first; at; at = at->next)
            if (!at->is_executing && at->mode != MODE_ANSWERING &&
                (!most || waiting_on(at) > waiting_on(most)))
                most = at;
        u64 bytes = most ? waiting_on(most) : 0;
        u64 shed = websockets_shed(&server->websockets, bytes);
        if (!shed && !bytes)
            return;
        if (!shed)
            exchange_drop(most, false);
        all -= shed ? shed : bytes;
    }
}

void http_server_close(struct http_server *server)
{
    if (!server)
        return;
    while (server->first)
        exchange_drop(server->first, conn_unsent(server->first->conn) == 0);
    websockets_close(&server->websockets);
    listener_close(server->listener);
    timer_free(server->ticker);
    mem_free(server);
}
