/*
 * Any bytes after a handshake, cut anywhere: the first byte of the input seeds where it is cut. Messages that reach
 * the handler are UTF-8 and within the bound, what is answered is the same however the input is cut, and every
 * connection that was opened is closed once.
 */
#include <string.h>

#include "base/assert.h"
#include "http/server.h"
#include "prim/utf8.h"
#define SIM_LOOP_BODY
#include "http/sim_loop.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { MESSAGE_MAX = 4096 };

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    (void)ctx;
    (void)body;
    (void)len;
    http_answer(exchange, "[]", 2);
}

static void on_opened(void *ctx, struct websocket *ws)
{
    (void)ws;
    ++*(int *)ctx;
}

static void on_message(void *ctx, struct websocket *ws, const char *text, size_t len)
{
    (void)ctx;
    assert(len <= MESSAGE_MAX && utf8_valid_len(text, len) == len);
    websocket_send(ws, text, len);
    if (len == 3)
        websocket_close(ws, WEBSOCKET_POLICY, "three");
}

static void on_drained(void *ctx, struct websocket *ws)
{
    (void)ctx;
    (void)ws;
}

static void on_closed(void *ctx, struct websocket *ws)
{
    (void)ws;
    --*(int *)ctx;
}

static void serve(struct buf *sent, const u8 *data, size_t size, u32 seed)
{
    static const struct websocket_handler handler = {on_opened, on_message, on_drained, on_closed};
    static const char upgrade[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct err err;
    struct loop loop = {0};
    struct conn conn;
    struct http_server *server;
    struct http_options options = http_options_default();
    int open = 0;
    options.websocket = &handler;
    options.websocket_options.message_max = MESSAGE_MAX;
    enum status status = http_server_open(&server, &loop, &options, on_request, &open, &err);
    assert(status == STATUS_OK);
    sim_connect(&loop, &conn);
    sim_input(&conn, upgrade, sizeof upgrade - 1);
    assert(open == 1);
    sim_input_cut(&conn, data, size, seed);
    sim_pass_time(&loop, 31000);
    sim_pass_time(&loop, 200000);
    http_server_close(server);
    assert(open == 0);
    *sent = conn.sent;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buf whole, cut;
    if (!size)
        return 0;
    serve(&whole, data + 1, size - 1, 0);
    serve(&cut, data + 1, size - 1, data[0] + 1u);
    assert(whole.len == cut.len && memcmp(whole.data, cut.data, whole.len) == 0);
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
