#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "dev/dev.h"
#include "prim/hex.h"
#include "sys/file.h"

static struct dev *dev_made(struct loop **loop, u32 history)
{
    struct err err;
    struct dev *dev;
    struct dev_options options = dev_options_default();
    options.history = history;
    options.accounts = 2;
    CHECK_EQ(loop_new(loop, &err), STATUS_OK);
    CHECK_EQ(dev_open(&dev, *loop, &options, &err), STATUS_OK);
    return dev;
}

static void dev_gone(struct dev *dev, struct loop *loop)
{
    dev_close(dev);
    loop_free(loop);
}

static void check_hex(const u8 *bytes, size_t size, const char *want)
{
    u8 expected[32];
    CHECK_EQ(hex_decode_exact(expected, size, want, strlen(want)), HEX_OK);
    CHECK_MEM(bytes, expected, size);
}

TEST(dev_has_the_accounts_everybody_knows)
{
    struct loop *loop;
    struct dev *dev = dev_made(&loop, 0);
    const struct dev_account *list = dev->accounts.list;
    check_hex(list[0].addr.b, 20, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    check_hex(list[0].secret.b, 32,
              "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    check_hex(list[1].addr.b, 20, "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    CHECK(dev_accounts_find(&dev->accounts, &list[1].addr) == &list[1]);
    dev_gone(dev, loop);
}

static u64 number_of(const struct dev *dev)
{
    return chain_head(dev->chain)->block.header.number;
}

static u64 timestamp_of(const struct dev *dev)
{
    return chain_head(dev->chain)->block.header.timestamp;
}

/* A transfer of one wei, signed by the first account. */
static enum status send_one(struct dev *dev, u64 nonce, u64 fee, struct err *err)
{
    struct tx tx = {
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = dev->options.chain_id,
        .nonce = nonce,
        .gas = 21000,
        .max_fee = u256_from_u64(fee),
        .to = dev->accounts.list[1].addr,
        .value = u256_from_u64(1),
    };
    CHECK(tx_sign(&tx, dev->accounts.signer, &dev->accounts.list[0].secret));
    struct buf wire;
    hash32 hash;
    buf_init(&wire, 1000);
    tx_encode(&wire, &tx);
    enum status status = dev_send(dev, wire.data, wire.len, NULL, &hash, err);
    buf_fini(&wire);
    return status;
}

TEST(dev_seals_each_transaction_and_fills_gaps)
{
    struct loop *loop;
    struct err err;
    struct dev *dev = dev_made(&loop, 0);
    CHECK_EQ(send_one(dev, 1, 2000000000, &err), STATUS_OK);
    CHECK_EQ(number_of(dev), 0);
    CHECK_EQ(send_one(dev, 0, 2000000000, &err), STATUS_OK);
    CHECK_EQ(number_of(dev), 2);
    CHECK_EQ(txpool_count(dev->pool), 0);
    CHECK_EQ(send_one(dev, 2, 1, &err), STATUS_INVALID);
    CHECK(strncmp(err.text, "max fee per gas less than block base fee", 40) == 0);
    CHECK_EQ(txpool_count(dev->pool), 0);
    dev_gone(dev, loop);
}

TEST(dev_clock_is_exact_and_only_goes_forward)
{
    struct loop *loop;
    struct err err;
    struct dev *dev = dev_made(&loop, 0);
    u64 start = timestamp_of(dev);
    CHECK_EQ(dev_set_next_timestamp(dev, start + 1000, &err), STATUS_OK);
    CHECK_EQ(dev_mine(dev, 1, 0, &err), STATUS_OK);
    CHECK_EQ(timestamp_of(dev), start + 1000);
    CHECK_EQ(dev_set_next_timestamp(dev, start + 1000, &err), STATUS_INVALID);
    CHECK_EQ(dev_mine(dev, 5, 60, &err), STATUS_OK);
    CHECK_EQ(number_of(dev), 6);
    CHECK(timestamp_of(dev) >= start + 1000 + 4 * 60 + 1);
    u64 before = timestamp_of(dev);
    CHECK_EQ(dev_increase_time(dev, 500, &err), STATUS_OK);
    CHECK_EQ(dev_mine(dev, 1, 0, &err), STATUS_OK);
    CHECK(timestamp_of(dev) >= before + 500);
    CHECK_EQ(dev_increase_time(dev, UINT64_MAX, &err), STATUS_INVALID);
    CHECK_EQ(dev_mine(dev, DEV_MINE_MAX + 1, 0, &err), STATUS_TOO_LARGE);
    dev_gone(dev, loop);
}

TEST(dev_goes_back_as_far_as_history_reaches)
{
    struct loop *loop;
    struct err err;
    u64 id;
    struct dev *dev = dev_made(&loop, 4);
    CHECK_EQ(dev_snapshot_take(dev, &id, &err), STATUS_OK);
    CHECK_EQ(dev_mine(dev, 10, 0, &err), STATUS_OK);
    CHECK_EQ(chain_oldest(dev->chain), 6);
    CHECK(!dev_snapshot_revert(dev, id));
    CHECK_EQ(dev_rollback(dev, 4, &err), STATUS_OK);
    CHECK_EQ(number_of(dev), 6);
    CHECK_EQ(dev_rollback(dev, 1, &err), STATUS_INVALID);
    dev_gone(dev, loop);
}

static u32 ready_count(struct dev *dev)
{
    struct tx picked[8];
    struct header next;
    dev_next_header(dev, &next);
    return txpool_pick(dev->pool, chain_state_look(dev->chain), next.base_fee, picked, 8);
}

TEST(dev_pool_follows_a_head_that_goes_back)
{
    struct loop *loop;
    struct err err;
    u64 id;
    struct dev *dev = dev_made(&loop, 0);
    dev_set_sealing(dev, (struct dev_sealing){0});
    for (int way = 0; way < 2; way++) {
        CHECK_EQ(dev_snapshot_take(dev, &id, &err), STATUS_OK);
        CHECK_EQ(send_one(dev, 0, 2000000000, &err), STATUS_OK);
        CHECK_EQ(dev_mine(dev, 1, 0, &err), STATUS_OK);
        CHECK_EQ(send_one(dev, 1, 2000000000, &err), STATUS_OK);
        CHECK_EQ(ready_count(dev), 1);
        if (way)
            CHECK(dev_snapshot_revert(dev, id));
        else
            CHECK_EQ(dev_rollback(dev, 1, &err), STATUS_OK);
        CHECK_EQ(txpool_count(dev->pool), 1);
        CHECK_EQ(ready_count(dev), 0);
        CHECK_EQ(send_one(dev, 0, 2000000000, &err), STATUS_OK);
        CHECK_EQ(ready_count(dev), 2);
        txpool_clear(dev->pool);
    }
    /* What can no longer be paid when its sender has nothing again goes. */
    const addr20 *sender = &dev->accounts.list[0].addr;
    u256 rich = u256_shl(U256_ONE, 100);
    u256 poor = u256_from_u64(1000);
    state_set_balance(chain_state_edit(dev->chain), sender, &poor);
    chain_state_commit(dev->chain);
    CHECK_EQ(dev_snapshot_take(dev, &id, &err), STATUS_OK);
    state_set_balance(chain_state_edit(dev->chain), sender, &rich);
    chain_state_commit(dev->chain);
    CHECK_EQ(send_one(dev, 0, 2000000000, &err), STATUS_OK);
    CHECK(dev_snapshot_revert(dev, id));
    CHECK_EQ(txpool_count(dev->pool), 0);
    dev_gone(dev, loop);
}

/* However far it goes back, of a store's transaction no more than the bound and a block is in memory. */
TEST(dev_goes_back_in_steps_that_are_made_durable)
{
    enum { BLOCKS = 200, BOUND = 100000, OF_A_BLOCK = 30000 };
    struct loop *loop;
    struct err err;
    struct dev *dev;
    struct db_options how = {.volatile_commits = true};
    struct dev_options options = dev_options_default();
    char folder[] = "/tmp/ashlar-dev-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    options.unsynced_max = BOUND;
    CHECK_EQ(db_open(&options.db, folder, &how, &err), STATUS_OK);
    CHECK_EQ(loop_new(&loop, &err), STATUS_OK);
    CHECK_EQ(dev_open(&dev, loop, &options, &err), STATUS_OK);
    CHECK_EQ(dev_mine(dev, BLOCKS, 0, &err), STATUS_OK);
    CHECK(chain_unsynced(dev->chain) <= BOUND + OF_A_BLOCK);
    hash32 tenth = chain_by_number(dev->chain, 10)->block.hash;
    CHECK_EQ(dev_rollback(dev, BLOCKS - 10, &err), STATUS_OK);
    CHECK(chain_unsynced(dev->chain) <= BOUND + OF_A_BLOCK);
    CHECK_EQ(dev_sync(dev, &err), STATUS_OK);
    dev_gone(dev, loop);
    db_close(options.db);
    CHECK_EQ(db_open(&options.db, folder, &how, &err), STATUS_OK);
    CHECK_EQ(loop_new(&loop, &err), STATUS_OK);
    CHECK_EQ(dev_open(&dev, loop, &options, &err), STATUS_OK);
    CHECK_EQ(number_of(dev), 10);
    CHECK_MEM(chain_head(dev->chain)->block.hash.b, tenth.b, sizeof tenth);
    CHECK_EQ(dev_mine(dev, 1, 0, &err), STATUS_OK);
    CHECK_EQ(dev_sync(dev, &err), STATUS_OK);
    dev_gone(dev, loop);
    db_close(options.db);
    file_remove_folder(folder);
}

TEST(dev_refuses_what_it_cannot_be)
{
    struct err err;
    struct dev *dev;
    struct dev_options options = dev_options_default();
    options.fork = FORK_BERLIN;
    CHECK_EQ(dev_open(&dev, NULL, &options, &err), STATUS_UNSUPPORTED);
    options = dev_options_default();
    options.gas_limit = 1;
    CHECK_EQ(dev_open(&dev, NULL, &options, &err), STATUS_INVALID);
    options = dev_options_default();
    options.mnemonic = "test test";
    CHECK_EQ(dev_open(&dev, NULL, &options, &err), STATUS_INVALID);
    CHECK(strncmp(err.text, "--mnemonic: ", 12) == 0);
}
