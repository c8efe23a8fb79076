/*
 * Makes the chains of the import benchmark, offline and the same on every machine.
 *   make_chain predeploys FORK            prints the system contracts as a genesis alloc
 *   make_chain build GENESIS SCENARIO OUT.rlp     builds the scenario's blocks, one after the other
 * GENESIS is a genesis file, a scenario is {perBlock, transactions}; see bench/import/chains.mjs, which writes them.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "chain/chain.h"
#include "chain/predeploy.h"
#include "crypto/secp256k1.h"
#include "evmcli/reader.h"
#include "evmcli/txjson.h"
#include "prim/hex.h"
#include "sys/file.h"

enum { SECONDS_A_BLOCK = 12 };

static int fail(const char *what)
{
    fprintf(stderr, "make_chain: %s\n", what);
    return 1;
}

static int print_predeploys(const char *network)
{
    struct chain_config config;
    u32 count;
    if (!chain_config_named(&config, network))
        return fail("there is no such fork");
    enum fork fork = chain_config_fork(&config, 0, 0, U256_ZERO);
    const struct genesis_account *accounts = predeploy_list(fork, &count);
    puts("{");
    for (u32 i = 0; i < count; i++) {
        char addr[2 * sizeof(addr20) + 3];
        char *code = mem_alloc(2 * accounts[i].code_len + 3);
        hex_encode(addr, accounts[i].addr.b, sizeof accounts[i].addr.b);
        hex_encode(code, accounts[i].code, accounts[i].code_len);
        printf("\"%s\": {\"balance\": \"0x0\", \"nonce\": \"0x%llx\", \"code\": \"%s\"}%s\n", addr,
               (unsigned long long)accounts[i].nonce, code, i + 1 < count ? "," : "");
        mem_free(code);
    }
    puts("}");
    return 0;
}

struct maker {
    struct reader reader;
    struct chain *chain;
    struct tx *txs;
    enum tx_verdict *verdicts;
    u32 count, per_block;
    u64 gas; /* of all blocks */
    FILE *out;
};

static void read_txs(struct maker *maker, json list)
{
    static const u8 seed[32] = {1}; /* the keys are in the file: there is nothing to hide */
    struct secp256k1_signer *signer = secp256k1_signer_new(seed);
    maker->count = (u32)json_count(list);
    maker->txs = mem_zalloc((maker->count + 1) * sizeof *maker->txs);
    maker->verdicts = mem_zalloc((maker->count + 1) * sizeof *maker->verdicts);
    for (u32 i = 0; i < maker->count && !maker->reader.failed; i++) {
        json value = json_at(list, i);
        struct tx *tx = &maker->txs[i];
        txjson_read(&maker->reader, tx, value);
        hash32 secret = reader_hash(&maker->reader, value, "secretKey");
        if (!tx_sign(tx, signer, &secret))
            reader_fail(&maker->reader, "transaction %u: secretKey is no valid key", i);
    }
    secp256k1_signer_free(signer);
}

/* All of a block's transactions must go in and succeed: a benchmark of failures would be another one. */
static bool check_block(struct maker *maker, const struct chain_block *block, u32 first, u32 count)
{
    if (block && block->block.tx_count == count) {
        for (u32 i = 0; i < count; i++)
            if (!block->receipts[i].succeeded)
                reader_fail(&maker->reader, "transaction %u fails", first + i);
        return !maker->reader.failed;
    }
    for (u32 i = 0; i < count; i++)
        if (maker->verdicts[first + i] != TX_OK)
            reader_fail(&maker->reader, "transaction %u: %s", first + i,
                        tx_verdict_text(maker->verdicts[first + i]));
    return false;
}

static bool build_block(struct maker *maker, u32 first)
{
    u32 left = maker->count - first;
    u32 count = left < maker->per_block ? left : maker->per_block;
    const struct header *head = &chain_head(maker->chain)->block.header;
    struct chain_attributes attributes = {
        .timestamp = head->timestamp + SECONDS_A_BLOCK,
        .coinbase = {{0x0c, 0x0f, 0xfe}},
        .gas_limit = head->gas_limit,
    };
    const struct chain_block *block =
        chain_build(maker->chain, &attributes, maker->txs + first, count, maker->verdicts + first);
    if (!check_block(maker, block, first, count))
        return false;
    maker->gas += block->block.header.gas_used;
    struct buf rlp;
    buf_init(&rlp, SIZE_MAX / 2);
    block_encode(&rlp, &block->block);
    bool written = fwrite(rlp.data, 1, rlp.len, maker->out) == rlp.len;
    buf_fini(&rlp);
    return written;
}

static bool open_chain(struct maker *maker, const char *path)
{
    u8 *text;
    size_t len;
    struct genesis genesis;
    struct chain_options options = {.history = 2, .seed = 1};
    struct err *err = &maker->reader.err;
    return file_read(&text, &len, path, SIZE_MAX / 2, err) == STATUS_OK &&
           genesis_parse(&genesis, maker->reader.arena, (const char *)text, len, err) ==
               STATUS_OK &&
           chain_open(&maker->chain, &genesis, &options, err) == STATUS_OK;
}

static bool make(struct maker *maker, const char *genesis, json root)
{
    if (!open_chain(maker, genesis))
        return false;
    maker->per_block = (u32)reader_u64(&maker->reader, root, "perBlock");
    read_txs(maker, reader_array(&maker->reader, root, "transactions"));
    if (!maker->per_block)
        reader_fail(&maker->reader, "perBlock is 0");
    for (u32 first = 0; !maker->reader.failed && first < maker->count; first += maker->per_block)
        if (!build_block(maker, first))
            return false;
    return !maker->reader.failed;
}

static int build(const char *genesis, const char *scenario, const char *out)
{
    u8 *text;
    size_t len;
    json root;
    struct arena arena;
    struct maker maker = {.out = fopen(out, "wb")};
    if (!maker.out)
        return fail("cannot write the chain");
    arena_init(&arena);
    reader_init(&maker.reader, &arena);
    bool made =
        file_read(&text, &len, scenario, SIZE_MAX / 2, &maker.reader.err) == STATUS_OK &&
        json_parse_in(&root, &arena, (const char *)text, len, 64, &maker.reader.err) == STATUS_OK &&
        make(&maker, genesis, root);
    if (made)
        printf("%u transactions, %llu blocks, %llu gas\n", maker.count,
               (unsigned long long)chain_head(maker.chain)->block.header.number,
               (unsigned long long)maker.gas);
    else
        fail(maker.reader.err.text);
    return fclose(maker.out) || !made;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "predeploys") == 0)
        return print_predeploys(argv[2]);
    if (argc == 5 && strcmp(argv[1], "build") == 0)
        return build(argv[2], argv[3], argv[4]);
    return fail("predeploys FORK, or build GENESIS SCENARIO OUT.rlp");
}
