#include "base/mem.h"
#include "chain/chain_fixture.h"
#include "chain/senders.h"

enum { TXS = 400 }; /* enough for the state's hashing to be shared as well */

static const struct chain_block *build_transfers(struct fixture *f)
{
    struct tx *txs = NEW_ARRAY(struct tx, TXS);
    enum tx_verdict *verdicts = NEW_ARRAY(enum tx_verdict, TXS);
    struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
    for (u32 i = 0; i < TXS; i++) {
        txs[i] = call_counter(f, i);
        txs[i].to = (addr20){{0x55, (u8)(i >> 8), (u8)i}};
        txs[i].gas = 21000;
        txs[i].value = u256_from_u64(i + 1);
        txs[i].has_sender = false;
        CHECK(tx_sign(&txs[i], f->signer, &f->secret));
    }
    const struct chain_block *block = chain_build(f->chain, &attributes, txs, TXS, verdicts);
    CHECK(block);
    CHECK_EQ(block->block.tx_count, TXS);
    mem_free(txs);
    mem_free(verdicts);
    return block;
}

/* Of a block as it comes from outside. */
static void decode(struct block *block, struct arena *arena, const struct chain_block *built)
{
    struct buf rlp;
    const char *reason;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &built->block);
    const u8 *bytes = arena_dup(arena, rlp.data, rlp.len);
    CHECK_EQ(block_decode(block, arena, bytes, rlp.len, &reason), BLOCK_OK);
    buf_fini(&rlp);
}

TEST(senders_are_found_by_several_threads)
{
    struct fixture f;
    struct block block;
    fixture_open(&f, FORK_PRAGUE, 0);
    struct workers *workers = workers_new(NULL, 3);
    decode(&block, &f.arena, build_transfers(&f));
    senders_find(&block, FORK_PRAGUE, 1, NULL);
    CHECK(!block.txs[0].has_sender);
    /* One that has none keeps nobody but its neighbours from theirs. */
    block.txs[200].s = U256_ZERO;
    senders_find(&block, FORK_PRAGUE, 1, workers);
    u32 missing = 0;
    for (u32 i = 0; i < TXS; i++) {
        missing += !block.txs[i].has_sender;
        if (block.txs[i].has_sender)
            CHECK_MEM(block.txs[i].sender.b, f.rich.b, sizeof f.rich.b);
    }
    CHECK(!block.txs[200].has_sender && missing < 16);
    workers_free(workers);
    fixture_close(&f);
}

TEST(a_chain_with_threads_comes_to_the_same_head)
{
    struct fixture maker, taker;
    struct buf rlp;
    struct err err;
    struct chain_report report;
    struct chain *chain;
    fixture_open(&maker, FORK_PRAGUE, 0);
    fixture_open(&taker, FORK_PRAGUE, 0);
    struct chain_options options = {.seed = 3, .workers = workers_new(NULL, 3)};
    CHECK_EQ(chain_open(&chain, &taker.genesis, &options, &err), STATUS_OK);
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &build_transfers(&maker)->block);
    CHECK_EQ(chain_import(chain, rlp.data, rlp.len, &report), BLOCK_OK);
    CHECK_MEM(chain_head(chain)->block.hash.b, chain_head(maker.chain)->block.hash.b, 32);
    buf_fini(&rlp);
    chain_close(chain);
    workers_free(options.workers);
    fixture_close(&maker);
    fixture_close(&taker);
}
