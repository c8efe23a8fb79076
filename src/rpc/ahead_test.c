#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "prim/hex.h"
#include "rpc/ahead.h"
#include "sys/workers.h"

enum { TXS = 40, PART = 3 };

/* A chain that holds what is sent until it is told to make a block. */
struct stage {
    struct loop *loop;
    struct dev *dev;
    struct rpc *rpc;
    struct buf out;
};

static void stage_open(struct stage *stage)
{
    struct err err;
    CHECK_EQ(loop_new(&stage->loop, &err), STATUS_OK);
    struct dev_options dev = dev_options_default();
    dev.accounts = 2;
    dev.block_time_ms = 3600 * 1000;
    CHECK_EQ(dev_open(&stage->dev, stage->loop, &dev, &err), STATUS_OK);
    struct rpc_options options = rpc_options_default();
    stage->rpc = rpc_new(stage->dev, &options);
    buf_init(&stage->out, 0);
}

static void stage_close(struct stage *stage)
{
    buf_fini(&stage->out);
    rpc_free(stage->rpc);
    dev_close(stage->dev);
    loop_free(stage->loop);
}

static void put_transfer(struct buf *text, const struct dev *dev, u64 nonce)
{
    struct buf wire;
    struct tx tx = {
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = 31337,
        .nonce = nonce,
        .gas = 21000,
        .max_fee = u256_from_u64(5000000000),
        .max_priority_fee = u256_from_u64(1),
        .to = dev->accounts.list[1].addr,
        .value = u256_from_u64(1),
    };
    CHECK(tx_sign(&tx, dev->accounts.signer, &dev->accounts.list[0].secret));
    buf_init(&wire, 1000);
    tx_encode(&wire, &tx);
    buf_add_text(
        text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"");
    hex_encode_buf(text, wire.data, wire.len);
    buf_add_text(text, "\"]}");
    buf_fini(&wire);
}

/* A batch of transfers; every fifth text is spoilt: the last byte of its signature, or a digit. */
static void put_batch(struct buf *text, const struct dev *dev)
{
    for (u64 i = 0; i < TXS; i++) {
        buf_add_text(text, i ? "," : "[");
        put_transfer(text, dev, i);
        if (i % 5 == 4)
            text->data[text->len - 5] = i % 2 ? '7' : 'x';
    }
    buf_add_text(text, "]");
}

struct part {
    struct job job;
    struct rpc_ahead *ahead;
    u32 from, to;
};

static void part_run(struct job *job)
{
    struct part *part = (struct part *)job;
    rpc_ahead_recover(part->ahead, part->from, part->to);
}

static void part_done(struct job *job)
{
    (void)job;
}

static void recover_on_threads(struct rpc_ahead *ahead)
{
    static struct part parts[TXS];
    struct workers *workers = workers_new(NULL, 3);
    u32 count = rpc_ahead_count(ahead);
    for (u32 i = 0; i * PART < count; i++) {
        u32 to = (i + 1) * PART < count ? (i + 1) * PART : count;
        parts[i] = (struct part){{part_run, part_done, NULL}, ahead, i * PART, to};
        workers_add(workers, &parts[i].job);
    }
    workers_finish(workers);
    workers_free(workers);
}

TEST(looking_ahead_changes_no_answer)
{
    struct stage plain, looked;
    struct buf text;
    stage_open(&plain);
    stage_open(&looked);
    buf_init(&text, 1 << 20);
    put_batch(&text, plain.dev);
    rpc_handle(plain.rpc, (char *)text.data, text.len, &plain.out);
    struct rpc_ahead *ahead = rpc_ahead_new(looked.rpc, (char *)text.data, text.len);
    CHECK(ahead != NULL);
    CHECK_EQ(rpc_ahead_count(ahead), TXS);
    recover_on_threads(ahead);
    static const struct rpc_asker over_http;
    CHECK(rpc_ahead_handle(looked.rpc, ahead, &over_http, &looked.out));
    CHECK_EQ(plain.out.len, looked.out.len);
    CHECK(memcmp(plain.out.data, looked.out.data, plain.out.len) == 0);
    CHECK_EQ(txpool_count(plain.dev->pool), txpool_count(looked.dev->pool));
    CHECK(txpool_count(looked.dev->pool) >= TXS - TXS / 5);
    rpc_ahead_free(ahead);
    buf_fini(&text);
    stage_close(&plain);
    stage_close(&looked);
}

TEST(a_sender_is_given_for_the_very_same_bytes_only)
{
    struct stage stage;
    struct buf text;
    u8 bytes[200];
    size_t len;
    stage_open(&stage);
    buf_init(&text, 10000);
    put_transfer(&text, stage.dev, 0);
    struct rpc_ahead *ahead = rpc_ahead_new(stage.rpc, (char *)text.data, text.len);
    const char *digits = strstr((char *)text.data, "\"0x") + 1;
    CHECK_EQ(hex_decode(bytes, &len, sizeof bytes, digits, strcspn(digits, "\"")), HEX_OK);
    CHECK(!rpc_ahead_sender(ahead, bytes, len)); /* not looked for yet */
    rpc_ahead_recover(ahead, 0, 1);
    CHECK(!rpc_ahead_sender(ahead, bytes, len - 1));
    bytes[len - 1] ^= 1;
    CHECK(!rpc_ahead_sender(ahead, bytes, len));
    bytes[len - 1] ^= 1;
    const addr20 *sender = rpc_ahead_sender(ahead, bytes, len);
    CHECK(sender && addr20_eq(sender, &stage.dev->accounts.list[0].addr));
    CHECK(!rpc_ahead_sender(ahead, bytes, len)); /* it was asked for already */
    CHECK(!rpc_ahead_sender(NULL, bytes, len));
    rpc_ahead_free(ahead);
    buf_fini(&text);
    stage_close(&stage);
}

TEST(texts_without_transactions_are_not_looked_at)
{
    static const char *const texts[] = {
        "",
        "{\"method\":\"eth_chainId\"}",
        "{\"method\":\"eth_sendRawTransaction\"}",
        "{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x02\"]}",
        "\"eth_sendRawTransaction\"\"0x",
    };
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK(!rpc_ahead_new(stage.rpc, texts[i], strlen(texts[i])));
    stage_close(&stage);
}
