/* `ashlar dev`: reads the command line, joins chain, JSON-RPC and HTTP server, and runs the loop. */
#include <stdio.h>

#include "args/args.h"
#include "node/banner.h"
#include "node/data.h"
#include "node/dev_options.h"
#include "node/indexing.h"
#include "node/node.h"
#include "node/service.h"

struct node {
    struct daemon daemon;
    struct loop *loop;
    struct db *db; /* NULL: in memory */
    struct arena arena;
    struct dev *dev;
    struct service *service;
};

static enum status open_dev(struct node *node, const struct dev_command *command, struct err *err)
{
    struct dev_options options = command->dev;
    struct indexing indexing = {0};
    enum status status = STATUS_OK;
    arena_init(&node->arena);
    if (command->folder) {
        struct db_options store = {.mapped_max = command->memory.shares[MEMORY_MAPPED]};
        status = data_open_store(&node->db, command->folder, &store, err);
        options.db = node->db;
        options.segments = arena_format(&node->arena, "%s/segments", command->folder);
    }
    options.indexing = indexing_tell;
    options.indexing_ctx = &indexing;
    if (status == STATUS_OK)
        status = dev_open(&node->dev, node->loop, &options, err);
    indexing_end(&indexing);
    return status;
}

static enum status node_open(struct node *node, const struct dev_command *command, struct err *err)
{
    enum status status = daemon_open(&node->daemon, &command->daemon, err);
    if (status == STATUS_OK)
        status = loop_new(&node->loop, err);
    if (status == STATUS_OK)
        status = open_dev(node, command, err);
    if (status != STATUS_OK)
        return status;
    struct rpc_options rpc = command->rpc;
    struct http_options http = command->http;
    daemon_watch(&node->daemon, node->dev, &rpc, &http);
    status = service_open(&node->service, node->loop, node->dev, &rpc, &http,
                          command->folder ? &command->memory : NULL, err);
    if (status == STATUS_OK)
        status = daemon_enter(&node->daemon, node->loop, command->folder, err);
    return status;
}

static void node_close(struct node *node)
{
    service_close(node->service);
    dev_close(node->dev);
    db_close(node->db);
    arena_fini(&node->arena);
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
    if (command.folder)
        memory_tighten(&command.memory);
    enum status status = node_open(&node, &command, &err);
    if (status == STATUS_OK) {
        banner_print(stdout, node.dev, &command, service_port(node.service));
        loop_run(node.loop);
        daemon_stopping(&node.daemon);
        service_close(node.service);
        node.service = NULL;
        status = dev_sync(node.dev, &err);
    }
    if (status != STATUS_OK)
        fprintf(stderr, "ashlar dev: %s%s\n", err.text,
                status == STATUS_EXISTS && node.dev ? " (--port chooses another)" : "");
    node_close(&node);
    dev_command_fini(&command);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}
