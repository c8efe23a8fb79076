#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "db/db.h"
#include "rpc/rpc.h"
#include "sys/file.h"

/* A chain in a store, and somebody on a line who has subscribed. */
struct listener_bench {
    char *folder;
    struct db *db;
    struct loop *loop;
    struct dev *dev;
    struct rpc *rpc;
    struct rpc_session *session;
    struct buf out;
    unsigned said;
    char ended[200]; /* why; empty: it has not */
};

static void on_said(void *ctx, const void *json, size_t len)
{
    struct listener_bench *bench = ctx;
    (void)json;
    bench->said += len != 0;
}

static size_t on_unsent(void *ctx)
{
    (void)ctx;
    return 0;
}

static void on_ended(void *ctx, const char *why)
{
    struct listener_bench *bench = ctx;
    snprintf(bench->ended, sizeof bench->ended, "%s", why);
}

static void ask(struct listener_bench *bench, const char *method, const char *params)
{
    char text[300];
    struct rpc_asker asker = {.session = bench->session};
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":[%s]}",
             method, params);
    CHECK(rpc_handle_for(bench->rpc, &asker, text, strlen(text), &bench->out));
    buf_add_byte(&bench->out, 0);
    CHECK(strstr((const char *)bench->out.data, "\"result\""));
}

static void bench_open(struct listener_bench *bench)
{
    static const struct rpc_session_ops ops = {on_said, on_unsent, on_ended};
    struct err err;
    *bench = (struct listener_bench){0};
    CHECK_EQ(file_make_temporary(&bench->folder, &err), STATUS_OK);
    CHECK_EQ(db_open(&bench->db, bench->folder, &(struct db_options){0}, &err), STATUS_OK);
    CHECK_EQ(loop_new(&bench->loop, &err), STATUS_OK);
    struct dev_options dev = dev_options_default();
    dev.accounts = 1;
    dev.db = bench->db;
    CHECK_EQ(dev_open(&bench->dev, bench->loop, &dev, &err), STATUS_OK);
    struct rpc_options options = rpc_options_default();
    bench->rpc = rpc_new(bench->dev, &options);
    bench->session = rpc_session_new(bench->rpc, &ops, bench);
    buf_init(&bench->out, 0);
}

static void bench_close(struct listener_bench *bench)
{
    rpc_session_free(bench->session);
    buf_fini(&bench->out);
    rpc_free(bench->rpc);
    dev_close(bench->dev);
    db_close(bench->db);
    loop_free(bench->loop);
    file_remove_folder(bench->folder);
    mem_free(bench->folder);
}

TEST(session_tells_of_blocks_and_of_nothing_once_the_store_is_damaged)
{
    static const char *const kinds[] = {"\"newHeads\"", "\"logs\"",
                                        "\"newPendingTransactions\",true"};
    struct listener_bench bench;
    bench_open(&bench);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        ask(&bench, "eth_subscribe", kinds[i]);
    ask(&bench, "evm_mine", "");
    loop_turn(bench.loop);
    CHECK_EQ(bench.said, 1);
    CHECK_STR(bench.ended, "");
    ask(&bench, "evm_mine", "");
    db_set_damaged(bench.db, DB_META, "x", 1);
    loop_turn(bench.loop);
    CHECK_EQ(bench.said, 1);
    CHECK(strstr(bench.ended, "damaged"));
    bench_close(&bench);
}
