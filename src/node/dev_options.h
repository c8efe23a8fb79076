/* The command line of `ashlar dev`. */
#pragma once

#include "base/status.h"
#include "dev/dev.h"
#include "http/server.h"
#include "node/config.h"
#include "node/daemon.h"
#include "node/memory.h"
#include "rpc/rpc.h"

struct dev_command {
    struct dev_options dev;
    struct http_options http;
    struct rpc_options rpc;
    bool is_silent;
    const char *folder;        /* NULL: in memory */
    struct memory_plan memory; /* with a folder */
    struct daemon_words daemon;
    struct config config; /* owns the texts */
};

/* False when main is to return *exit_code at once. Texts are borrowed from argv, or owned until fini. */
bool dev_command_read(struct dev_command *command, int argc, char **argv, int *exit_code);
void dev_command_fini(struct dev_command *command);
