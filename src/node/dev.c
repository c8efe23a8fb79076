/* `ashlar dev`: reads the command line, joins chain, JSON-RPC and HTTP server, and runs the loop. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "args/version.h"
#include "node/banner.h"
#include "node/dev_options.h"
#include "node/node.h"
#include "sys/random.h"

#if defined(__clang__)
#    define COMPILER "clang"
#else
#    define COMPILER "gcc"
#endif

/* An answer this large is rare; its memory is given back. */
enum { ANSWER_KEEP = 1 << 20 };

struct node {
    struct loop *loop;
    struct dev *dev;
    struct rpc *rpc;
    struct http_server *server;
    struct buf answer;
};

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    struct node *node = ctx;
    rpc_handle(node->rpc, body, len, &node->answer);
    http_answer(exchange, node->answer.data, node->answer.len);
    if (node->answer.cap > ANSWER_KEEP)
        buf_fini(&node->answer);
}

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
    return http_server_open(&node->server, node->loop, &command->http, on_request, node, err);
}

static void node_close(struct node *node)
{
    http_server_close(node->server);
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
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}
