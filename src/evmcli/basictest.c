/*
 * The smaller official tests, told apart by shape: ethash vectors, genesis blocks, key and address pairs, one signed
 * transaction, and blocks as RLP that must decode and encode to the same bytes.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "consensus/ethash.h"
#include "crypto/secp256k1.h"
#include "evmcli/commands.h"
#include "evmcli/prestate.h"
#include "evmcli/suite.h"
#include "prim/keccak.h"
#include "types/block.h"

enum { BLOCK_MAX = 16 << 20 };

struct basic {
    struct arena arena;
    struct secp256k1_signer *signer;
    struct ethash *ethash;
};

static void check_hash(struct reader *reader, const char *what, const hash32 *got, json want)
{
    hash32 expected = value_hash(reader, want, what);
    if (!hash32_eq(got, &expected))
        reader_fail(reader, "%s differs", what);
}

/* --- {nonce, mixHash, header, seed, result, cache_size, full_size, header_hash} ---------------------- */

static void run_ethash(struct basic *basic, struct reader *reader, json value)
{
    struct bytes rlp = reader_bytes(reader, value, "header");
    struct bytes nonce = reader_bytes(reader, value, "nonce");
    struct rlp cursor = rlp_open(rlp.data, rlp.len);
    struct header header;
    hash32 mix, result;
    if (reader->failed || nonce.len != 8 || header_decode(&cursor, &header) != RLP_OK) {
        reader_fail(reader, "header or nonce is malformed");
        return;
    }
    hash32 seal = header_seal_hash(&header), seed = ethash_seed(header.number);
    check_hash(reader, "header_hash", &seal, json_get(value, "header_hash"));
    check_hash(reader, "seed", &seed, json_get(value, "seed"));
    if (ethash_cache_size(header.number) != reader_u64(reader, value, "cache_size") ||
        ethash_dataset_size(header.number) != reader_u64(reader, value, "full_size"))
        reader_fail(reader, "cache_size or full_size differs");
    ethash_hash(basic->ethash, header.number, &seal, nonce.data, &mix, &result);
    check_hash(reader, "mixHash", &mix, json_get(value, "mixHash"));
    check_hash(reader, "result", &result, json_get(value, "result"));
}

/* --- {alloc, nonce, timestamp, ..., result}: a genesis block and its RLP ------------------------------- */

static hash32 alloc_root(struct reader *reader, json alloc)
{
    struct prestate prestate;
    hash32 root;
    prestate_init(&prestate);
    prestate_fill(reader, prestate.state, alloc);
    state_root(prestate.state, &root);
    prestate_fini(&prestate);
    return root;
}

static void run_genesis(struct basic *basic, struct reader *reader, json value)
{
    struct bytes extra = reader_bytes(reader, value, "extraData");
    struct bytes nonce = reader_bytes(reader, value, "nonce");
    struct bytes want = reader_bytes(reader, value, "result");
    struct buf rlp;
    (void)basic;
    struct block block = {.header = {.fields = HEADER_FIELDS_FRONTIER,
                                     .parent_hash = reader_hash(reader, value, "parentHash"),
                                     .ommers_hash = HEADER_NO_OMMERS,
                                     .coinbase = reader_addr(reader, value, "coinbase"),
                                     .state_root = alloc_root(reader, json_get(value, "alloc")),
                                     .tx_root = HEADER_EMPTY_ROOT,
                                     .receipts_root = HEADER_EMPTY_ROOT,
                                     .difficulty = reader_u256(reader, value, "difficulty"),
                                     .gas_limit = reader_u64(reader, value, "gasLimit"),
                                     .timestamp = reader_u64(reader, value, "timestamp"),
                                     .extra = extra.data,
                                     .extra_len = extra.len,
                                     .mix_hash = reader_hash(reader, value, "mixHash")}};
    if (nonce.len != sizeof block.header.nonce) {
        reader_fail(reader, "nonce does not have 8 bytes");
        return;
    }
    memcpy(block.header.nonce, nonce.data, nonce.len);
    buf_init(&rlp, BLOCK_MAX);
    block_encode(&rlp, &block);
    if (!reader->failed && (rlp.len != want.len || memcmp(rlp.data, want.data, want.len) != 0))
        reader_fail(reader, "the genesis block's RLP differs from result");
    buf_fini(&rlp);
}

/* --- blocks as RLP ------------------------------------------------------------------------------- */

/* Decodes one block and encodes it again; *block is filled. */
static bool round_trip(struct reader *reader, struct block *block, struct bytes rlp)
{
    struct buf again;
    const char *reason = "";
    if (block_decode(block, reader->arena, rlp.data, rlp.len, &reason) != BLOCK_OK) {
        reader_fail(reader, "the block does not decode: %s", reason);
        return false;
    }
    buf_init(&again, BLOCK_MAX);
    block_encode(&again, block);
    if (again.len != rlp.len || memcmp(again.data, rlp.data, rlp.len) != 0)
        reader_fail(reader, "the block encodes to other bytes");
    buf_fini(&again);
    return !reader->failed;
}

static void run_genesis_hashes(struct basic *basic, struct reader *reader, json value)
{
    struct block block;
    (void)basic;
    if (!round_trip(reader, &block, reader_bytes(reader, value, "genesis_rlp_hex")))
        return;
    check_hash(reader, "genesis_hash", &block.hash, json_get(value, "genesis_hash"));
    check_hash(reader, "genesis_state_root", &block.header.state_root,
               json_get(value, "genesis_state_root"));
}

static void run_typed_block(struct basic *basic, struct reader *reader, json value)
{
    struct block block;
    (void)basic;
    if (!round_trip(reader, &block, reader_bytes(reader, value, "rlp")))
        return;
    json header = json_get(json_get(value, "json"), "header");
    if (reader_has(header, "hash"))
        check_hash(reader, "hash", &block.hash, json_get(header, "hash"));
}

/* A file of blocks one after another. */
static void run_rlp_file(struct basic *basic, struct report *report, const char *bytes, size_t len)
{
    struct rlp cursor = rlp_open(bytes, len);
    struct rlp_item item;
    size_t index = 0;
    while (!rlp_at_end(&cursor)) {
        struct reader reader;
        struct block block;
        enum rlp_verdict verdict = rlp_item(&cursor, &item);
        if (!report_begin(report, "block %zu", index++))
            continue;
        arena_reset(&basic->arena);
        reader_init(&reader, &basic->arena);
        if (verdict != RLP_OK) {
            report_fail(report, "%s", rlp_verdict_text(verdict));
            return;
        }
        size_t size = (size_t)(item.payload + item.len - item.start);
        round_trip(&reader, &block, (struct bytes){item.start, size});
        report_end(report, !reader.failed, &reader.err);
    }
}

/* --- keys, and a transaction ------------------------------------------------------------------------ */

/* What sig_of_emptystring signs is written nowhere; it is no hash of nothing. */
static void run_key_addr(struct basic *basic, struct reader *reader, json value)
{
    const char *seed = json_text(json_get(value, "seed"));
    hash32 key;
    addr20 addr = {0}, want = reader_addr(reader, value, "addr");
    keccak256(&key, seed ? seed : "", seed ? strlen(seed) : 0);
    check_hash(reader, "key", &key, json_get(value, "key"));
    if (!secp256k1_addr(basic->signer, &addr, &key) || !addr20_eq(&addr, &want))
        reader_fail(reader, "addr differs");
}

static void read_plain_tx(struct reader *reader, struct tx *tx, json value)
{
    const char *to = json_text(json_get(value, "to"));
    struct bytes data = reader_bytes(reader, value, "data");
    *tx = (struct tx){.nonce = reader_u64(reader, value, "nonce"),
                      .gas_price = reader_u256(reader, value, "gasprice"),
                      .gas = reader_u64(reader, value, "startgas"),
                      .is_create = !to || !*to,
                      .value = reader_u256(reader, value, "value"),
                      .data = data.data,
                      .data_len = data.len};
    tx->max_fee = tx->max_priority_fee = tx->gas_price;
    if (!tx->is_create)
        tx->to = reader_addr(reader, value, "to");
}

static void check_encoding(struct reader *reader, const struct tx *tx, json value, const char *key)
{
    struct bytes want = reader_bytes(reader, value, key);
    struct buf rlp;
    buf_init(&rlp, BLOCK_MAX);
    tx_encode(&rlp, tx);
    if (rlp.len != want.len || memcmp(rlp.data, want.data, want.len) != 0)
        reader_fail(reader, "the encoding differs from %s", key);
    buf_fini(&rlp);
}

static void run_tx(struct basic *basic, struct reader *reader, json value)
{
    struct tx plain, tx;
    addr20 addr = {0};
    hash32 key = reader_hash(reader, value, "key");
    struct bytes rlp = reader_bytes(reader, value, "signed");
    read_plain_tx(reader, &plain, value);
    check_encoding(reader, &plain, value, "unsigned");
    if (reader->failed)
        return;
    if (tx_decode(&tx, reader->arena, rlp.data, rlp.len) != TX_OK ||
        tx_recover(&tx, FORK_FRONTIER, 1) != TX_OK || !secp256k1_addr(basic->signer, &addr, &key) ||
        !addr20_eq(&addr, &tx.sender)) {
        reader_fail(reader, "signed is not signed by key");
        return;
    }
    plain.v = tx.v;
    plain.r = tx.r;
    plain.s = tx.s;
    check_encoding(reader, &plain, value, "signed");
}

/* --- which is which ---------------------------------------------------------------------------------- */

struct shape {
    const char *member; /* that tells it */
    void (*run)(struct basic *basic, struct reader *reader, json value);
};

static const struct shape SHAPES[] = {
    {"header_hash", run_ethash}, {"genesis_rlp_hex", run_genesis_hashes},
    {"alloc", run_genesis},      {"sig_of_emptystring", run_key_addr},
    {"unsigned", run_tx},        {"rlp", run_typed_block},
};

static void run_value(struct basic *basic, struct report *report, const char *name, json value)
{
    struct reader reader;
    if (!report_begin(report, "%s", name))
        return;
    arena_reset(&basic->arena);
    reader_init(&reader, &basic->arena);
    size_t i = 0;
    while (i < ARRAY_LEN(SHAPES) && !json_get(value, SHAPES[i].member))
        i++;
    if (i == ARRAY_LEN(SHAPES))
        report_skip(report, "a kind of test that is not run here");
    else {
        SHAPES[i].run(basic, &reader, value);
        report_end(report, !reader.failed, &reader.err);
    }
}

static bool is_one_case(json root)
{
    return json_get(root, "genesis_rlp_hex") || json_get(root, "rlp") || json_get(root, "config");
}

static void run_json_file(struct basic *basic, struct report *report, const char *bytes, size_t len)
{
    struct json_doc *doc = NULL;
    struct err err;
    if (json_parse(&doc, bytes, len, 100, &err) != STATUS_OK) {
        report_broken(report, &err);
        return;
    }
    json root = json_root(doc);
    struct json_iter iter = json_iter(root);
    bool is_list = json_kind(root) == JSON_KIND_ARRAY;
    char number[24];
    size_t index = 0;
    if (is_one_case(root)) {
        if (!json_get(root,
                      "config")) /* acl_genesis.json: only what the blocks beside it stand on */
            run_value(basic, report, "block", root);
    } else {
        while (json_next(&iter)) {
            snprintf(number, sizeof number, "%zu", index++);
            run_value(basic, report, is_list ? number : iter.key, iter.value);
        }
    }
    json_free(doc);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    size_t path_len = strlen(report->path);
    if (path_len > 4 && strcmp(report->path + path_len - 4, ".rlp") == 0)
        run_rlp_file(worker, report, bytes, len);
    else
        run_json_file(worker, report, bytes, len);
}

static void *worker_new(const struct suite_options *options)
{
    static const u8 seed[32] = {1}; /* Nothing is signed here that were secret. */
    struct basic *basic = NEW(struct basic);
    (void)options;
    arena_init(&basic->arena);
    basic->signer = secp256k1_signer_new(seed);
    basic->ethash = ethash_new();
    return basic;
}

static void worker_free(void *worker)
{
    struct basic *basic = worker;
    arena_fini(&basic->arena);
    secp256k1_signer_free(basic->signer);
    ethash_free(basic->ethash);
    mem_free(basic);
}

int basictest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", ".rlp", NULL};
    static const struct args_command command = {
        "ashlar-evm basictest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs the smaller official tests: proof of work, genesis blocks, keys, blocks as RLP.",
        NULL};
    static const struct suite suite = {&command, suffixes, worker_new, worker_free, run_file};
    return suite_main(&suite, argc, argv);
}
