/* Official blockchain tests: a genesis, blocks good and bad, and the head and state they lead to. */
#include "evmcli/blocktest.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "evmcli/commands.h"
#include "evmcli/exception.h"
#include "evmcli/prestate.h"
#include "evmcli/statetest.h"
#include "prim/hex.h"

static void read_fixed(struct reader *reader, u8 *out, size_t size, json object, const char *key)
{
    struct bytes bytes = reader_bytes(reader, object, key);
    if (bytes.len == size)
        memcpy(out, bytes.data, size);
    else
        reader_fail(reader, "%s has %zu bytes, not %zu", key, bytes.len, size);
}

static void read_later_fields(struct reader *reader, struct header *header, json object)
{
    if (reader_has(object, "baseFeePerGas")) {
        header->fields = HEADER_FIELDS_LONDON;
        header->base_fee = reader_u256(reader, object, "baseFeePerGas");
    }
    if (reader_has(object, "withdrawalsRoot")) {
        header->fields = HEADER_FIELDS_SHANGHAI;
        header->withdrawals_root = reader_hash(reader, object, "withdrawalsRoot");
    }
    if (reader_has(object, "parentBeaconBlockRoot")) {
        header->fields = HEADER_FIELDS_CANCUN;
        header->blob_gas_used = reader_u64(reader, object, "blobGasUsed");
        header->excess_blob_gas = reader_u64(reader, object, "excessBlobGas");
        header->parent_beacon_root = reader_hash(reader, object, "parentBeaconBlockRoot");
    }
    if (reader_has(object, "requestsHash")) {
        header->fields = HEADER_FIELDS_PRAGUE;
        header->requests_hash = reader_hash(reader, object, "requestsHash");
    }
}

void blocktest_read_common(struct reader *reader, struct header *header, json object,
                           const struct header_keys *keys)
{
    struct bytes extra = reader_bytes(reader, object, "extraData");
    *header = (struct header){
        .parent_hash = reader_hash(reader, object, "parentHash"),
        .coinbase = reader_addr(reader, object, keys->coinbase),
        .state_root = reader_hash(reader, object, "stateRoot"),
        .receipts_root = reader_hash(reader, object, keys->receipts_root),
        .number = reader_u64(reader, object, keys->number),
        .gas_limit = reader_u64(reader, object, "gasLimit"),
        .gas_used = reader_u64(reader, object, "gasUsed"),
        .timestamp = reader_u64(reader, object, "timestamp"),
        .extra = extra.data,
        .extra_len = extra.len,
        .mix_hash = reader_hash(reader, object, keys->mix_hash),
    };
    read_fixed(reader, header->logs_bloom.b, sizeof header->logs_bloom.b, object, keys->logs_bloom);
}

void blocktest_read_header(struct reader *reader, struct header *header, json object)
{
    static const struct header_keys keys = {.coinbase = "coinbase",
                                            .receipts_root = "receiptTrie",
                                            .number = "number",
                                            .logs_bloom = "bloom",
                                            .mix_hash = "mixHash"};
    blocktest_read_common(reader, header, object, &keys);
    header->fields = HEADER_FIELDS_FRONTIER;
    header->ommers_hash = reader_hash(reader, object, "uncleHash");
    header->tx_root = reader_hash(reader, object, "transactionsTrie");
    header->difficulty = reader_u256(reader, object, "difficulty");
    read_fixed(reader, header->nonce, sizeof header->nonce, object, "nonce");
    read_later_fields(reader, header, object);
}

static void read_slots(struct reader *reader, struct genesis_account *account, json storage)
{
    struct genesis_slot *slots =
        arena_alloc(reader->arena, (json_count(storage) + 1) * sizeof *slots);
    struct json_iter iter = json_iter(storage);
    u32 count = 0;
    while (json_next(&iter)) {
        size_t len = 0;
        const char *text = json_text_len(iter.value, &len);
        slots[count].key = u256_to_hash(text_word(reader, iter.key, iter.key_len, "storage key"));
        slots[count++].value =
            u256_to_hash(text_word(reader, text ? text : "", len, "storage value"));
    }
    account->slots = slots;
    account->slot_count = count;
}

static void read_accounts(struct reader *reader, struct genesis *genesis, json pre)
{
    struct genesis_account *accounts =
        arena_zalloc(reader->arena, (json_count(pre) + 1) * sizeof *accounts);
    struct json_iter iter = json_iter(pre);
    u32 count = 0;
    while (json_next(&iter)) {
        struct genesis_account *account = &accounts[count++];
        struct bytes code = reader_bytes(reader, iter.value, "code");
        account->addr = text_addr(reader, iter.key);
        account->nonce = reader_u64(reader, iter.value, "nonce");
        account->balance = reader_u256(reader, iter.value, "balance");
        account->code = code.data;
        account->code_len = code.len;
        read_slots(reader, account, json_get(iter.value, "storage"));
    }
    genesis->accounts = accounts;
    genesis->account_count = count;
}

static void check_hash(struct reader *reader, const char *what, const hash32 *got,
                       const hash32 *want)
{
    char a[67], b[67];
    hex_encode(a, got->b, 32);
    hex_encode(b, want->b, 32);
    if (!hash32_eq(got, want))
        reader_fail(reader, "%s is %s, not %s", what, a, b);
}

/* The genesis block as RLP must be the one that the header and `pre` describe. */
static void check_genesis(struct block_test *test)
{
    struct reader *reader = &test->reader;
    const struct chain_block *head = chain_head(test->chain);
    json header = json_get(test->test, "genesisBlockHeader");
    hash32 want = reader_hash(reader, header, "hash");
    hash32 root = reader_hash(reader, header, "stateRoot");
    check_hash(reader, "genesis state root", &head->block.header.state_root, &root);
    check_hash(reader, "genesis hash", &head->block.hash, &want);
    if (!reader_has(test->test, "genesisRLP"))
        return;
    struct bytes rlp = reader_bytes(reader, test->test, "genesisRLP");
    struct block block;
    const char *reason = "";
    if (block_decode(&block, reader->arena, rlp.data, rlp.len, &reason) != BLOCK_OK)
        reader_fail(reader, "genesisRLP: %s", reason);
    else
        check_hash(reader, "hash of genesisRLP", &block.hash, &want);
}

static bool open_chain(struct block_test *test)
{
    struct reader *reader = &test->reader;
    struct genesis genesis = {0};
    test->network = json_text(json_get(test->test, "network"));
    if (!test->network ||
        !statetest_read_config(reader, &genesis.config, test->network, test->test))
        reader_fail(reader, "there is no network %s", test->network ? test->network : "(missing)");
    const char *seal = json_text(json_get(test->test, "sealEngine"));
    bool is_engine = reader_has(test->test, "engineNewPayloads");
    genesis.config.real_proof_of_work = !is_engine && (!seal || strcmp(seal, "NoProof") != 0);
    blocktest_read_header(reader, &genesis.header,
                          reader_object(reader, test->test, "genesisBlockHeader"));
    read_accounts(reader, &genesis, reader_object(reader, test->test, "pre"));
    if (!reader->failed && blocktest_open_chain(test, &genesis))
        check_genesis(test);
    return !reader->failed;
}

/* What the file says about a bad block, under its older names too. */
static const char *expected_exception(struct block_test *test, json block)
{
    char own[64];
    snprintf(own, sizeof own, "expectException%.40s", test->network);
    const char *keys[] = {"expectException", "expectExceptionALL", own};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (json_text(json_get(block, keys[i])))
            return json_text(json_get(block, keys[i]));
    return "";
}

static void check_bad_block(struct block_test *test, size_t index, json block,
                            enum block_verdict verdict, const struct chain_report *why)
{
    const char *expected = expected_exception(test, block);
    if (verdict == BLOCK_OK || verdict == BLOCK_KNOWN)
        reader_fail(&test->reader, "block %zu was accepted, but is bad: %s", index, expected);
    else if (test->report->options->reasons && !exception_fits(expected, verdict, why->tx_verdict))
        reader_fail(&test->reader, "block %zu was refused for another reason than %s: %s; %s",
                    index, expected, block_verdict_text(verdict), why->text);
}

static void import_block(struct block_test *test, size_t index, json block)
{
    struct reader *reader = &test->reader;
    struct chain_report why = {.tx_verdict = TX_OK};
    json header = json_get(block, "blockHeader");
    struct reader bytes_reader;
    reader_init(&bytes_reader, reader->arena);
    struct bytes rlp = reader_bytes(&bytes_reader, block, "rlp");
    if (bytes_reader.failed) {
        if (header)
            reader_fail(reader, "block %zu: %s", index, bytes_reader.err.text);
        return; /* A bad block that is not even hex has been refused. */
    }
    enum block_verdict verdict = chain_import(test->chain, rlp.data, rlp.len, &why);
    if (!header) {
        check_bad_block(test, index, block, verdict, &why);
        return;
    }
    hash32 hash = reader_hash(reader, header, "hash");
    if (verdict != BLOCK_OK && verdict != BLOCK_KNOWN)
        reader_fail(reader, "block %zu was refused: %s; %s", index, block_verdict_text(verdict),
                    why.text);
    else if (!chain_by_hash(test->chain, &hash))
        reader_fail(reader, "block %zu has another hash than its header says", index);
}

bool blocktest_import_blocks(struct block_test *test, json blocks)
{
    struct json_iter iter = json_iter(blocks);
    size_t index = 0;
    while (!test->reader.failed && json_next(&iter)) {
        import_block(test, index++, iter.value);
        blocktest_settle(test);
    }
    return !test->reader.failed;
}

static void check_end(struct block_test *test)
{
    struct reader *reader = &test->reader;
    struct err why;
    const struct chain_block *head = chain_head(test->chain);
    hash32 want = reader_hash(reader, test->test, "lastblockhash");
    struct state *state;
    check_hash(reader, "head", &head->block.hash, &want);
    if (reader_has(test->test, "postStateHash")) {
        want = reader_hash(reader, test->test, "postStateHash");
        check_hash(reader, "state root", &head->block.header.state_root, &want);
    }
    if (!reader_has(test->test, "postState"))
        return;
    if (!chain_state_at(test->chain, head->block.header.number, &state)) {
        reader_fail(reader, "the head's state cannot be had");
        return;
    }
    if (prestate_differs(reader, state, json_get(test->test, "postState"), &why))
        reader_fail(reader, "%s", why.text);
    chain_state_release(test->chain, state);
}

static void run_case(void *worker, struct report *report, const char *name, json value)
{
    struct block_worker *block_worker = worker;
    struct arena *arena = &block_worker->arena;
    struct block_test test = {.worker = block_worker, .report = report, .test = value};
    const char *network = json_text(json_get(value, "network"));
    if (network && !report_wants_network(report, network))
        return;
    if (!report_begin(report, "%s", name))
        return;
    arena_reset(arena);
    reader_init(&test.reader, arena);
    if (open_chain(&test)) {
        bool is_engine = reader_has(value, "engineNewPayloads");
        bool imported =
            is_engine ? enginetest_import_payloads(&test, json_get(value, "engineNewPayloads"))
                      : blocktest_import_blocks(&test, reader_array(&test.reader, value, "blocks"));
        if (imported)
            check_end(&test);
    }
    if (test.chain)
        chain_close(test.chain);
    report_end(report, !test.reader.failed, &test.reader.err);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

int blocktest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm blocktest",
        "PATH... [--fork NETWORK] [--run REGEX] [--jobs N] [--json] [--store [--reopen]]",
        "Runs official blockchain tests, and those that bring their blocks as engine API payloads.",
        NULL};
    static const struct suite suite = {&command,          suffixes, block_worker_new,
                                       block_worker_free, run_file, .has_store = true};
    return suite_main(&suite, argc, argv);
}
