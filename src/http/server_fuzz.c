/*
 * The server takes any bytes, cut anywhere: the first byte of the input seeds where it is cut. What is answered is the
 * same however the input is cut, up to an error; which of several errors is found first may differ.
 */
#include <string.h>

#include "base/assert.h"
#include "http/server.h"
#define SIM_LOOP_BODY
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
    sim_input_cut(&conn, data, size, seed);
    sim_pass_time(&loop, 31000);
    sim_pass_time(&loop, 200000);
    http_server_close(server);
    *sent = conn.sent;
}

/* How much was answered before an error, which is always the last answer. */
static size_t good_len(const struct buf *sent)
{
    static const char error[] = "HTTP/1.1 4";
    const u8 *found = sent->len ? memmem(sent->data, sent->len, error, sizeof error - 1) : NULL;
    return found ? (size_t)(found - sent->data) : sent->len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buf whole, cut;
    if (!size)
        return 0;
    serve(&whole, data + 1, size - 1, 0);
    serve(&cut, data + 1, size - 1, data[0] + 1u);
    size_t len = good_len(&whole);
    assert(len == good_len(&cut) && (!len || memcmp(whole.data, cut.data, len) == 0));
    assert((whole.len > len) == (cut.len > len));
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
