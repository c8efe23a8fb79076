/* libwebsockets, its own loop. */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static int answer(struct lws *wsi)
{
    unsigned char room[LWS_PRE + 512], *start = room + LWS_PRE, *p = start,
                                       *end = room + sizeof room;
    if (lws_add_http_common_headers(wsi, 200, "application/json", strlen(ANSWER), &p, end) ||
        lws_finalize_write_http_header(wsi, start, &p, end))
        return 1;
    memcpy(start, ANSWER, strlen(ANSWER));
    if (lws_write(wsi, start, strlen(ANSWER), LWS_WRITE_HTTP_FINAL) < 0)
        return 1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in,
                    size_t len)
{
    (void)user, (void)in, (void)len;
    switch ((int)why) {
    case LWS_CALLBACK_HTTP: return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: lws_callback_on_writable(wsi); return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE: return answer(wsi);
    default: return lws_callback_http_dummy(wsi, why, user, in, len);
    }
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {{.name = "http", .callback = on_event},
                                                     {.name = NULL}};
    struct lws_context_creation_info info = {.port = argc > 1 ? atoi(argv[1]) : 8600,
                                             .iface = "127.0.0.1",
                                             .protocols = protocols,
                                             .gid = -1,
                                             .uid = -1};
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (!context)
        return 1;
    while (lws_service(context, 0) >= 0)
        ;
    return 0;
}
