#include <string.h>

#include "base/test.h"
#include "prim/hex.h"
#include "types/block.h"
#include "types/receipt.h"

static void put_hex(u8 *out, size_t len, const char *hex)
{
    CHECK_EQ(hex_decode_exact(out, len, hex, strlen(hex)), HEX_OK);
}

/* Mainnet's first block. */
static struct header mainnet_genesis(u8 extra[32])
{
    struct header header = {
        .fields = HEADER_FIELDS_FRONTIER,
        .ommers_hash = HEADER_NO_OMMERS,
        .tx_root = HEADER_EMPTY_ROOT,
        .receipts_root = HEADER_EMPTY_ROOT,
        .difficulty = u256_from_u64(17179869184),
        .gas_limit = 5000,
        .extra = extra,
        .extra_len = 32,
        .nonce = {0, 0, 0, 0, 0, 0, 0, 0x42},
    };
    put_hex(header.state_root.b, 32,
            "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544");
    put_hex(extra, 32, "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa");
    return header;
}

TEST(header_of_mainnets_first_block_has_its_hash)
{
    u8 extra[32];
    hash32 wanted;
    struct header header = mainnet_genesis(extra);
    hash32 hash = header_hash(&header);
    put_hex(wanted.b, 32, "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
    CHECK_MEM(hash.b, wanted.b, sizeof hash);
}

TEST(header_of_every_shape_comes_back)
{
    const u32 shapes[] = {15, 16, 17, 20, 21};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        u8 extra[32];
        struct header header = mainnet_genesis(extra), again;
        header.fields = shapes[i];
        header.base_fee = u256_from_u64(7);
        header.excess_blob_gas = 131072;
        struct buf out, twice;
        buf_init(&out, 4096);
        buf_init(&twice, 4096);
        header_encode(&out, &header);
        struct rlp rlp = rlp_open(out.data, out.len);
        CHECK_EQ(header_decode(&rlp, &again), RLP_OK);
        CHECK(rlp_at_end(&rlp));
        CHECK_EQ(again.fields, shapes[i]);
        header_encode(&twice, &again);
        CHECK_EQ(twice.len, out.len);
        CHECK_MEM(twice.data, out.data, out.len);
        buf_fini(&out);
        buf_fini(&twice);
    }
}

TEST(block_comes_back_and_no_cut_of_it_is_a_block)
{
    u8 extra[32];
    struct header ommer = mainnet_genesis(extra);
    struct tx tx = {.gas = 21000, .gas_price = u256_from_u64(9), .v = 27, .r = U256_ONE};
    struct withdrawal withdrawal = {.index = 3, .validator = 4, .amount_gwei = 5};
    struct block block = {
        .header = ommer,
        .txs = &tx,
        .tx_count = 1,
        .ommers = &ommer,
        .ommer_count = 1,
        .has_withdrawals = true,
        .withdrawals = &withdrawal,
        .withdrawal_count = 1,
    };
    struct buf out, twice;
    struct arena arena;
    struct block again;
    const char *reason = NULL;
    arena_init(&arena);
    buf_init(&out, 8192);
    buf_init(&twice, 8192);
    block_encode(&out, &block);
    block_seal(&block);
    CHECK_EQ(block.size, out.len);
    CHECK_EQ(block_decode(&again, &arena, out.data, out.len, &reason), BLOCK_OK);
    CHECK_MEM(again.hash.b, block.hash.b, sizeof again.hash);
    CHECK_EQ(again.withdrawals[0].amount_gwei, 5);
    block_encode(&twice, &again);
    CHECK_EQ(twice.len, out.len);
    CHECK_MEM(twice.data, out.data, out.len);
    for (size_t cut = 0; cut < out.len; cut += 7) {
        CHECK(block_decode(&again, &arena, out.data, cut, &reason) != BLOCK_OK);
        CHECK(reason);
    }
    buf_fini(&out);
    buf_fini(&twice);
    arena_fini(&arena);
}

TEST(receipt_of_each_kind_comes_back)
{
    const u8 data[3] = {1, 2, 3};
    struct log log = {.topic_count = 2, .topics = {{{7}}, {{8}}}, .data = data, .data_len = 3};
    struct receipt receipts[] = {
        {.type = TX_LEGACY, .has_root = true, .root = {{9}}, .cumulative_gas = 21000},
        {.type = TX_LEGACY, .succeeded = true, .logs = &log, .log_count = 1},
        {.type = TX_SET_CODE, .cumulative_gas = 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(receipts); i++) {
        struct buf out, twice;
        struct arena arena;
        struct receipt again;
        arena_init(&arena);
        buf_init(&out, 4096);
        buf_init(&twice, 4096);
        receipt_encode(&out, &receipts[i]);
        CHECK_EQ(receipt_decode(&again, &arena, out.data, out.len), RLP_OK);
        CHECK_EQ(again.type, receipts[i].type);
        CHECK_EQ(again.succeeded, receipts[i].succeeded);
        receipt_encode(&twice, &again);
        CHECK_EQ(twice.len, out.len);
        CHECK_MEM(twice.data, out.data, out.len);
        buf_fini(&out);
        buf_fini(&twice);
        arena_fini(&arena);
    }
}

TEST(bloom_finds_what_was_added)
{
    struct bloom bloom = {{0}}, both = {{0}};
    struct log log = {.addr = {{1}}, .topic_count = 1, .topics = {{{2}}}};
    bloom_add_log(&bloom, &log);
    bloom_merge(&both, &bloom);
    CHECK(bloom_may_have(&both, log.addr.b, sizeof log.addr.b));
    CHECK(bloom_may_have(&both, log.topics[0].b, sizeof log.topics[0].b));
    CHECK(!bloom_may_have(&both, "other", 5));
}

TEST(log_list_hash_of_no_logs_is_that_of_the_empty_list)
{
    hash32 hash = log_list_hash(NULL, 0);
    CHECK_MEM(hash.b, HEADER_NO_OMMERS.b, sizeof hash);
}
