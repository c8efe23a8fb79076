/* civetweb: a thread a connection, 17 of them so that 16 connections are served at once. */
#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"

static int on_request(struct mg_connection *conn, void *ctx)
{
    (void)ctx;
    char body[4096];
    while (mg_read(conn, body, sizeof body) > 0)
        ;
    mg_printf(conn,
              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
              strlen(ANSWER), ANSWER);
    return 200;
}

int main(int argc, char **argv)
{
    char port[32];
    snprintf(port, sizeof port, "127.0.0.1:%s", argc > 1 ? argv[1] : "8600");
    const char *options[] = {
        "listening_ports", port, "num_threads", "17", "enable_keep_alive", "yes",
        "tcp_nodelay",     "1",  NULL};
    struct mg_context *context = mg_start(NULL, NULL, options);
    if (!context)
        return 1;
    mg_set_request_handler(context, "/", on_request, NULL);
    for (;;)
        pause();
}
