/* JSON-RPC by HTTP and WebSocket, in front of a chain, until the process is told to end. */
#pragma once

#include "dev/dev.h"
#include "http/server.h"
#include "node/memory.h"
#include "rpc/rpc.h"

struct service;

/* Listens when it returns STATUS_OK; loop_run serves, and returns when the process is told to end. dev is borrowed.
 * Of the options the client's name and the seed are filled in here. memory: what is to be kept to; NULL: no ceiling. */
MUST_READ enum status service_open(struct service **service, struct loop *loop, struct dev *dev,
                                   const struct rpc_options *rpc, const struct http_options *http,
                                   const struct memory_plan *memory, struct err *err);
void service_close(struct service *service); /* before dev and loop; NULL is fine */
u16 service_port(const struct service *service);
