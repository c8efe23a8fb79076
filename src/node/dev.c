/* `ashlar dev`: reads the command line, joins chain, JSON-RPC and HTTP server, and runs the loop. */
#include <stdio.h>

#include "args/args.h"
#include "node/banner.h"
#include "node/dev_options.h"
#include "node/node.h"
#include "node/service.h"

struct node {
    struct daemon daemon;
    struct loop *loop;
    struct dev *dev;
    struct service *service;
};

static enum status node_open(struct node *node, const struct dev_command *command, struct err *err)
{
    enum status status = daemon_open(&node->daemon, &command->daemon, err);
    if (status == STATUS_OK)
        status = loop_new(&node->loop, err);
    if (status == STATUS_OK)
        status = dev_open(&node->dev, node->loop, &command->dev, err);
    if (status != STATUS_OK)
        return status;
    struct rpc_options rpc = command->rpc;
    struct http_options http = command->http;
    daemon_watch(&node->daemon, node->dev, &rpc, &http);
    status = service_open(&node->service, node->loop, node->dev, &rpc, &http, err);
    if (status == STATUS_OK)
        status = daemon_enter(&node->daemon, node->loop, NULL, err);
    return status;
}

static void node_close(struct node *node)
{
    service_close(node->service);
    dev_close(node->dev);
    daemon_close(&node->daemon);
    loop_free(node->loop);
}

int node_dev_main(int argc, char **argv)
{
    struct err err;
    int exit_code;
    struct dev_command command;
    struct node node = {.daemon.notify.socket = -1};
    if (!dev_command_read(&command, argc, argv, &exit_code))
        return exit_code;
    enum status status = node_open(&node, &command, &err);
    if (status == STATUS_OK) {
        banner_print(stdout, node.dev, &command, service_port(node.service));
        loop_run(node.loop);
        daemon_stopping(&node.daemon);
    } else {
        fprintf(stderr, "ashlar dev: %s%s\n", err.text,
                status == STATUS_EXISTS ? " (--port chooses another)" : "");
    }
    node_close(&node);
    dev_command_fini(&command);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}
