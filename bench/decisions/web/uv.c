/* libuv's loop with http_parser: keep-alive, pipelining, one write a read. */
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "answer.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s"

struct conn {
    uv_tcp_t tcp;
    http_parser parser;
    char in[65536];
    char out[65536];
    size_t out_len;
};

static int on_complete(http_parser *parser)
{
    struct conn *conn = parser->data;
    conn->out_len += (size_t)snprintf(conn->out + conn->out_len, sizeof conn->out - conn->out_len,
                                      HEAD, strlen(ANSWER), ANSWER);
    return 0;
}

static const http_parser_settings settings = {.on_message_complete = on_complete};

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    (void)hint;
    struct conn *conn = handle->data;
    *buf = uv_buf_init(conn->in, sizeof conn->in);
}

static void on_close(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (len < 0 ||
        http_parser_execute(&conn->parser, &settings, buf->base, (size_t)len) != (size_t)len) {
        uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    uv_buf_t out = uv_buf_init(conn->out, (unsigned)conn->out_len);
    if (conn->out_len)
        uv_try_write(stream, &out, 1);
    conn->out_len = 0;
}

static void on_connection(uv_stream_t *server, int status)
{
    if (status < 0)
        return;
    struct conn *conn = calloc(1, sizeof *conn);
    conn->tcp.data = conn->parser.data = conn;
    http_parser_init(&conn->parser, HTTP_REQUEST);
    conn->parser.data = conn;
    uv_tcp_init(server->loop, &conn->tcp);
    conn->tcp.data = conn;
    uv_accept(server, (uv_stream_t *)&conn->tcp);
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_tcp_t server;
    struct sockaddr_in addr;
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &server);
    uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 8600, &addr);
    uv_tcp_bind(&server, (struct sockaddr *)&addr, 0);
    if (uv_listen((uv_stream_t *)&server, 128, on_connection))
        return 1;
    return uv_run(&loop, UV_RUN_DEFAULT);
}
