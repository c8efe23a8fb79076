/*
 * The server takes any bytes, cut anywhere: the first byte of the input seeds where it is cut. What is answered is the
 * same however the input is cut, up to where a line is dropped.
 */
#include <string.h>

#include "base/assert.h"
#include "http/server.h"
#include "http/sim_loop.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { BODY_MAX = 4096 };

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    (void)ctx;
    (void)body;
    assert(len <= BODY_MAX);
    http_answer(exchange, "[]", 2);
}

static void feed(struct conn *conn, const u8 *data, size_t size, u32 seed)
{
    for (size_t at = 0; at < size;) {
        seed = seed * 1664525 + 1013904223;
        size_t n = seed ? 1 + (seed >> 24) % 64 : size;
        n = n < size - at ? n : size - at;
        sim_input(conn, data + at, n);
        at += n;
    }
}

static void serve(struct buf *sent, const u8 *data, size_t size, u32 seed)
{
    struct err err;
    struct loop loop = {0};
    struct conn conn;
    struct http_server *server;
    struct http_options options = http_options_default();
    options.body_max = BODY_MAX;
    enum status status = http_server_open(&server, &loop, &options, on_request, NULL, &err);
    assert(status == STATUS_OK);
    sim_connect(&loop, &conn);
    if (seed)
        feed(&conn, data, size, seed);
    else
        sim_input(&conn, data, size);
    sim_pass_time(&loop, 31000);
    sim_pass_time(&loop, 200000);
    http_server_close(server);
    *sent = conn.sent;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buf whole, cut;
    if (!size)
        return 0;
    serve(&whole, data + 1, size - 1, 0);
    serve(&cut, data + 1, size - 1, data[0] + 1u);
    assert(whole.len == cut.len && (!whole.len || memcmp(whole.data, cut.data, whole.len) == 0));
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
