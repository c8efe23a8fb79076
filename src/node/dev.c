/* `ashlar dev`: reads the command line, joins chain, JSON-RPC and HTTP server, and runs the loop. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "args/version.h"
#include "base/mem.h"
#include "node/banner.h"
#include "node/dev_options.h"
#include "node/node.h"
#include "rpc/ahead.h"
#include "sys/random.h"
#include "sys/workers.h"

#if defined(__clang__)
#    define COMPILER "clang"
#else
#    define COMPILER "gcc"
#endif

/* An answer this large is rare; its memory is given back. */
enum { ANSWER_KEEP = 1 << 20, PART_TXS = 4 };

struct node {
    struct loop *loop;
    struct dev *dev;
    struct rpc *rpc;
    struct workers *workers;
    struct http_server *server;
    struct buf answer;
};

static void drop_large_answer(struct node *node)
{
    if (node->answer.cap > ANSWER_KEEP)
        buf_fini(&node->answer);
}

static void answer_later(void *exchange, const void *json, size_t len)
{
    http_answer(exchange, json, len);
}

/* --- requests that bring transactions --------------------------------------------------------- */

/* Such a request waits until the senders are found, which goes on beside the loop; some at a time in one job. */
struct part {
    struct job job;
    struct delayed *delayed;
    u32 from, to;
};

struct delayed {
    struct node *node;
    struct http_exchange *exchange;
    struct rpc_ahead *ahead;
    u32 parts_left;
    struct part parts[];
};

static void part_run(struct job *job)
{
    struct part *part = (struct part *)job;
    rpc_ahead_recover(part->delayed->ahead, part->from, part->to);
}

static void part_done(struct job *job)
{
    struct delayed *delayed = ((struct part *)job)->delayed;
    if (--delayed->parts_left)
        return;
    struct node *node = delayed->node;
    struct rpc_asker asker = {.answer = answer_later, .ctx = delayed->exchange};
    if (rpc_ahead_handle(node->rpc, delayed->ahead, &asker, &node->answer))
        http_answer(delayed->exchange, node->answer.data, node->answer.len);
    drop_large_answer(node);
    rpc_ahead_free(delayed->ahead);
    mem_free(delayed);
}

static void look_ahead(struct node *node, struct http_exchange *exchange, struct rpc_ahead *ahead)
{
    u32 txs = rpc_ahead_count(ahead), count = (txs + PART_TXS - 1) / PART_TXS;
    struct delayed *delayed = mem_alloc(sizeof *delayed + count * sizeof delayed->parts[0]);
    *delayed = (struct delayed){node, exchange, ahead, count};
    for (u32 i = 0; i < count; i++) {
        u32 from = i * PART_TXS, to = i + 1 == count ? txs : from + PART_TXS;
        struct part *part = &delayed->parts[i];
        *part = (struct part){{.run = part_run, .done = part_done}, delayed, from, to};
        workers_add(node->workers, &part->job);
    }
}

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    struct node *node = ctx;
    struct rpc_ahead *ahead =
        workers_are_many(node->workers) ? rpc_ahead_new(node->rpc, body, len) : NULL;
    if (ahead) {
        look_ahead(node, exchange, ahead);
        return;
    }
    struct rpc_asker asker = {.answer = answer_later, .ctx = exchange};
    if (rpc_handle_for(node->rpc, &asker, body, len, &node->answer))
        http_answer(exchange, node->answer.data, node->answer.len);
    drop_large_answer(node);
}

/* --- WebSocket ------------------------------------------------------------------------------ */

static void session_send(void *ws, const void *json, size_t len)
{
    websocket_send(ws, json, len);
}

static size_t session_unsent(void *ws)
{
    return websocket_unsent(ws);
}

static void session_end(void *ws, const char *why)
{
    websocket_close(ws, WEBSOCKET_POLICY, why);
}

static const struct rpc_session_ops session_ops = {session_send, session_unsent, session_end};

static void on_opened(void *ctx, struct websocket *ws)
{
    struct node *node = ctx;
    websocket_set_user(ws, rpc_session_new(node->rpc, &session_ops, ws));
}

static void on_message(void *ctx, struct websocket *ws, const char *text, size_t len)
{
    struct node *node = ctx;
    struct rpc_asker asker = {websocket_user(ws), session_send, ws};
    if (rpc_handle_for(node->rpc, &asker, text, len, &node->answer) && node->answer.len)
        websocket_send(ws, node->answer.data, node->answer.len);
    drop_large_answer(node);
}

static void on_drained(void *ctx, struct websocket *ws)
{
    (void)ctx;
    rpc_session_resume(websocket_user(ws));
}

static void on_closed(void *ctx, struct websocket *ws)
{
    (void)ctx;
    rpc_session_free(websocket_user(ws));
}

static const struct websocket_handler websocket_handler = {on_opened, on_message, on_drained,
                                                           on_closed};

/* --- life ------------------------------------------------------------------------------------- */

static void on_end(void *ctx)
{
    struct node *node = ctx;
    http_server_close(node->server);
    node->server = NULL;
    loop_stop(node->loop);
}

static enum status node_open(struct node *node, const struct dev_command *command, struct err *err)
{
    enum status status = loop_new(&node->loop, err);
    if (status == STATUS_OK)
        status = loop_on_end(node->loop, on_end, node, err);
    if (status == STATUS_OK)
        status = dev_open(&node->dev, node->loop, &command->dev, err);
    if (status != STATUS_OK)
        return status;
    struct rpc_options rpc = command->rpc;
    rpc.client = "ashlar/v" ASHLAR_VERSION "/linux/" COMPILER;
    rpc.seed = random_u64();
    node->rpc = rpc_new(node->dev, &rpc);
    node->workers = workers_new(node->loop, 0);
    struct http_options http = command->http;
    http.websocket = &websocket_handler;
    return http_server_open(&node->server, node->loop, &http, on_request, node, err);
}

static void node_close(struct node *node)
{
    http_server_close(node->server);
    workers_free(node->workers);
    rpc_free(node->rpc);
    dev_close(node->dev);
    loop_free(node->loop);
    buf_fini(&node->answer);
}

int node_dev_main(int argc, char **argv)
{
    struct err err;
    int exit_code;
    struct dev_command command;
    struct node node = {0};
    if (!dev_command_read(&command, argc, argv, &exit_code))
        return exit_code;
    buf_init(&node.answer, 0);
    enum status status = node_open(&node, &command, &err);
    if (status == STATUS_OK) {
        banner_print(stdout, node.dev, &command, http_server_port(node.server));
        loop_run(node.loop);
    } else {
        fprintf(stderr, "ashlar dev: %s%s\n", err.text,
                status == STATUS_EXISTS ? " (--port chooses another)" : "");
    }
    node_close(&node);
    dev_command_fini(&command);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}
