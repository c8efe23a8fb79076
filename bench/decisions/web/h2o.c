/* libh2o on libuv (the build that Debian packages). */
#include <h2o.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_context;

static int on_request(h2o_handler_t *handler, h2o_req_t *request)
{
    (void)handler;
    static h2o_generator_t generator;
    request->res.status = 200;
    request->res.reason = "OK";
    request->res.content_length = strlen(ANSWER);
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_start_response(request, &generator);
    h2o_iovec_t body = h2o_iovec_init(ANSWER, strlen(ANSWER));
    h2o_send(request, &body, 1, 1);
    return 0;
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status)
        return;
    uv_tcp_t *conn = h2o_mem_alloc(sizeof *conn);
    uv_tcp_init(listener->loop, conn);
    if (uv_accept(listener, (uv_stream_t *)conn)) {
        uv_close((uv_handle_t *)conn, (uv_close_cb)free);
        return;
    }
    h2o_accept(&accept_context, h2o_uv_socket_create((uv_stream_t *)conn, (uv_close_cb)free));
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_tcp_t listener;
    struct sockaddr_in addr;
    uv_loop_init(&loop);
    h2o_config_init(&config);
    h2o_hostconf_t *host =
        h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
    h2o_context_init(&context, &loop, &config);
    accept_context.ctx = &context;
    accept_context.hosts = config.hosts;
    uv_tcp_init(&loop, &listener);
    uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 8600, &addr);
    uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0);
    if (uv_listen((uv_stream_t *)&listener, 128, on_connection))
        return 1;
    return uv_run(&loop, UV_RUN_DEFAULT);
}
