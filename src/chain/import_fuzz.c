/* Any bytes as the next block of a chain, and the chain's own next block with bytes changed:
 * accepted or refused with words, and the head is what it was unless accepted. */
#include <string.h>

#include "base/assert.h"
#include "chain/chain.h"
#include "chain/predeploy.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { BLOCK_MAX = 1 << 16 };

static struct chain *open_chain(void)
{
    struct genesis genesis = {.header = {.gas_limit = 30000000}};
    struct chain_options options = {.seed = 1};
    struct chain *chain;
    chain_config_init(&genesis.config, FORK_OSAKA);
    genesis_complete_header(&genesis.header, &genesis.config);
    genesis.accounts = predeploy_list(FORK_OSAKA, &genesis.account_count);
    enum status status = chain_open(&chain, &genesis, &options, NULL);
    assert(status == STATUS_OK);
    return chain;
}

static void import(struct chain *chain, const u8 *rlp, size_t len)
{
    struct chain_report report;
    u64 before = chain_head(chain)->block.header.number;
    enum block_verdict verdict = chain_import(chain, rlp, len, &report);
    if (verdict == BLOCK_OK)
        return;
    assert(report.text[0]);
    assert(chain_head(chain)->block.header.number == before);
}

/* The input is a list of places and bytes to put there. */
static void import_changed(struct chain *chain, const struct buf *block, const u8 *data,
                           size_t size)
{
    u8 changed[BLOCK_MAX];
    if (block->len > sizeof changed)
        return;
    memcpy(changed, block->data, block->len);
    for (size_t i = 0; i + 3 <= size; i += 3)
        changed[(data[i] << 8 | data[i + 1]) % block->len] = data[i + 2];
    import(chain, changed, block->len);
}

/* Opening a chain takes longer than importing a block, so one chain takes all inputs and is
 * unwound after each. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct chain *taker;
    static struct buf block;
    if (!taker) {
        struct chain *maker = open_chain();
        struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
        const struct chain_block *built = chain_build(maker, &attributes, NULL, 0, NULL);
        assert(built);
        buf_init(&block, BLOCK_MAX);
        block_encode(&block, &built->block);
        chain_close(maker);
        taker = open_chain();
    }
    import(taker, data, size);
    import_changed(taker, &block, data, size);
    bool unwound = chain_unwind(taker, 0);
    assert(unwound);
    return 0;
}
