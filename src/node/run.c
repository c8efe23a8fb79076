/* ashlar-node run: serves JSON-RPC on the chain of a data folder. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "node/config.h"
#include "node/daemon.h"
#include "node/data.h"
#include "node/node.h"
#include "node/service.h"

static const struct args_command about = {
    .program = "ashlar-node run",
    .usage = "--data DIR [--genesis FILE] [options]",
    .summary = "Serves JSON-RPC on the chain in a data folder.",
    .details = "Transactions that are sent to it wait in a pool, which is kept in the folder; no "
               "blocks are made.",
};

/* What the command line says. */
struct wanted {
    struct data_options where;
    struct http_options http;
    struct daemon_words daemon;
    bool has_testing;
    const char *memory;
    struct memory_plan plan;
};

struct node {
    struct daemon daemon;
    struct loop *loop;
    struct data data;
    struct dev *dev;
    struct service *service;
};

static struct dev *follow(const struct node *node, const struct memory_plan *plan)
{
    struct dev_options options = {.db = node->data.db};
    memory_bound_dev(plan, &options);
    return dev_follow(node->loop, node->data.chain, &options);
}

static enum status node_open(struct node *node, const struct wanted *wanted, struct err *err)
{
    struct rpc_options rpc = rpc_options_default();
    rpc.has_testing = wanted->has_testing;
    enum status status = daemon_open(&node->daemon, &wanted->daemon, err);
    if (status == STATUS_OK)
        status = loop_new(&node->loop, err);
    if (status == STATUS_OK)
        status = data_open(&node->data, &wanted->where, err);
    if (status != STATUS_OK)
        return status;
    node->dev = follow(node, &wanted->plan);
    struct http_options http = wanted->http;
    daemon_watch(&node->daemon, node->dev, &rpc, &http);
    status = service_open(&node->service, node->loop, node->dev, &rpc, &http, &wanted->plan, err);
    if (status == STATUS_OK)
        status = daemon_enter(&node->daemon, node->loop, wanted->where.folder, err);
    return status;
}

static void node_close(struct node *node)
{
    service_close(node->service);
    dev_close(node->dev);
    data_close(&node->data);
    daemon_close(&node->daemon);
    loop_free(node->loop);
}

static void print_ready(const struct node *node, const struct http_options *http)
{
    bool is_ipv6 = strchr(http->host, ':') != NULL;
    const struct header *head = &chain_head(node->data.chain)->block.header;
    printf("Chain %llu at block %llu\n",
           (unsigned long long)chain_config(node->data.chain)->chain_id,
           (unsigned long long)head->number);
    data_print_whole(chain_oldest(node->data.chain));
    printf("Listening on http://%s%s%s:%u\n", is_ipv6 ? "[" : "", http->host, is_ipv6 ? "]" : "",
           service_port(node->service));
    fflush(stdout);
}

static int serve(const struct wanted *wanted)
{
    struct err err;
    struct node node = {.daemon.notify.socket = -1};
    memory_tighten(&wanted->plan);
    enum status status = node_open(&node, wanted, &err);
    if (status == STATUS_OK) {
        print_ready(&node, &wanted->http);
        loop_run(node.loop);
        daemon_stopping(&node.daemon);
        service_close(node.service);
        node.service = NULL;
        status = dev_sync(node.dev, &err);
    }
    if (status != STATUS_OK)
        fprintf(stderr, "ashlar-node run: %s%s\n", err.text,
                status == STATUS_EXISTS && node.dev ? " (--http.port chooses another)" : "");
    node_close(&node);
    return status == STATUS_OK ? EXIT_OK : EXIT_FAILED;
}

int node_run_main(int argc, char **argv)
{
    int rest, exit_code;
    u64 port = 8545;
    const char *state = NULL, *history = NULL, *profile = NULL;
    struct wanted wanted = {
        .http = http_options_default(), .memory = MEMORY_DEFAULT, .daemon = DAEMON_WORDS_DEFAULT};
    struct data_options *where = &wanted.where;
    struct http_options *http = &wanted.http;
    http->host = "127.0.0.1";
    const struct args_option options[] = {
        {"data", ARGS_TEXT, &where->folder, "DIR", "the data folder"},
        {"genesis", ARGS_TEXT, &where->genesis, "FILE",
         "how the chain begins; may be left out once it has begun"},
        STATE_OPTION(&state),
        HISTORY_OPTION(&history),
        ADDRESS_INDEX_OPTION(&where->addresses),
        PROFILE_OPTION(&profile),
        {"http.host", ARGS_TEXT, &http->host, "IP", "address to listen on (127.0.0.1)"},
        {"http.port", ARGS_U64, &port, "N", "port to listen on, 0 for any that is free (8545)"},
        {"http.cors", ARGS_TEXT, &http->cors_origins, "LIST",
         "origins that browsers may call from"},
        {"http.vhosts", ARGS_TEXT, &http->hosts, "LIST",
         "names accepted in Host besides localhost and IP addresses; * for any"},
        {"testing", ARGS_FLAG, &wanted.has_testing, NULL,
         "serve the namespace testing, which is for test environments only"},
        MEMORY_OPTION(&wanted.memory),
        DAEMON_OPTIONS(&wanted.daemon),
        {0},
    };
    struct config config;
    struct err err;
    if (!config_begin(&config, &about, options, argc, argv, &rest, &exit_code))
        return exit_code;
    if (!where->folder || rest)
        exit_code = args_fail(&about, "--data DIR is needed, and no words besides options");
    else if (port > 65535)
        exit_code = args_fail(&about, "--http.port: at most 65535");
    else if (data_read_states(where, state, &err) != STATUS_OK ||
             data_read_history(where, history, &err) != STATUS_OK ||
             daemon_check(&wanted.daemon, http->host, &err) != STATUS_OK)
        exit_code = args_fail(&about, "%s", err.text);
    else {
        http->port = (u16)port;
        where->memory = &wanted.plan;
        exit_code = memory_divide(&wanted.plan, wanted.memory, where->states, &err) == STATUS_OK
                        ? serve(&wanted)
                        : config_fail(&config, &about, "memory", &err);
    }
    config_fini(&config);
    return exit_code;
}
