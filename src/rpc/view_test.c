#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "rpc/run.h"

static const char ALICE[] = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

static void ask(struct rpc *rpc, struct buf *out, const char *method, const char *params)
{
    char text[300];
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}",
             method, params);
    rpc_handle(rpc, text, strlen(text), out);
    buf_add_byte(out, 0);
    CHECK(strstr((const char *)out->data, "\"result\""));
}

/* What waits stores the time of the block that it is in: a contract made by it, at slot 0. */
static u64 stored_time(struct dev *dev, struct state *state)
{
    u256 slot = U256_ZERO;
    addr20 made = evm_create_address(&dev->accounts.list[0].addr, 0);
    return u256_low(state_storage_peek(state, &made, &slot));
}

TEST(view_of_the_block_to_come_is_of_one_moment)
{
    struct err err;
    struct loop *loop;
    struct dev *dev;
    struct buf out;
    struct rpc_call call;
    struct run run;
    struct header header;
    char params[120];
    CHECK_EQ(loop_new(&loop, &err), STATUS_OK);
    struct dev_options options = dev_options_default();
    CHECK_EQ(dev_open(&dev, loop, &options, &err), STATUS_OK);
    struct rpc_options rpc_options = rpc_options_default();
    struct rpc *rpc = rpc_new(dev, &rpc_options);
    buf_init(&out, 0);
    ask(rpc, &out, "evm_setAutomine", "false");
    snprintf(params, sizeof params, "{\"from\":\"%s\",\"data\":\"0x42600055\"}", ALICE);
    ask(rpc, &out, "eth_sendTransaction", params);
    rpc_call_init(&call, rpc, &out);
    struct block_ref ref = view_pending(&call);
    CHECK(run_open(&call, &run, &ref, NULL, NULL));
    u64 time = run.header.timestamp;
    CHECK_EQ(run.exec.block.timestamp, time);
    CHECK_EQ(stored_time(dev, run.state), time);
    CHECK_EQ(dev_increase_time(dev, 1000, &err), STATUS_OK);
    run_reset(&call, &run);
    CHECK_EQ(stored_time(dev, run.state), time);
    CHECK(view_header(&call, &ref, &header));
    CHECK_EQ(header.timestamp, time);
    run_close(&call, &run);
    CHECK(dev_timestamp(dev) > time);
    buf_fini(&out);
    rpc_free(rpc);
    dev_close(dev);
    loop_free(loop);
}
