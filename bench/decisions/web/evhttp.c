/* libevent's evhttp. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static void on_request(struct evhttp_request *request, void *ctx)
{
    (void)ctx;
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, ANSWER, strlen(ANSWER));
    evhttp_send_reply(request, 200, "OK", body);
    evbuffer_free(body);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct evhttp *server = evhttp_new(base);
    if (evhttp_bind_socket(server, "127.0.0.1", (unsigned short)(argc > 1 ? atoi(argv[1]) : 8600)))
        return 1;
    evhttp_set_gencb(server, on_request, NULL);
    return event_base_dispatch(base);
}
