/*
 * Engine-format tests: blocks as the engine API's execution payloads. Each is put together as a block, held
 * against its block hash, and imported.
 */
#include <string.h>

#include "evmcli/blocktest.h"

enum { BLOCK_SIZE_MAX = 64 << 20 };

static void read_withdrawals(struct reader *reader, struct block *block, json list)
{
    size_t count = json_count(list);
    struct withdrawal *made = arena_zalloc(reader->arena, (count + 1) * sizeof *made);
    for (size_t i = 0; i < count; i++) {
        json value = json_at(list, i);
        made[i] = (struct withdrawal){.index = reader_u64(reader, value, "index"),
                                      .validator = reader_u64(reader, value, "validatorIndex"),
                                      .addr = reader_addr(reader, value, "address"),
                                      .amount_gwei = reader_u64(reader, value, "amount")};
    }
    block->has_withdrawals = true;
    block->withdrawals = made;
    block->withdrawal_count = (u32)count;
    block->header.withdrawals_root = process_withdrawals_root(made, (u32)count);
    block->header.fields = HEADER_FIELDS_SHANGHAI;
}

static void read_txs(struct reader *reader, struct block *block, json list)
{
    size_t count = json_count(list);
    block->txs = arena_zalloc(reader->arena, (count + 1) * sizeof *block->txs);
    block->tx_count = (u32)count;
    for (size_t i = 0; !reader->failed && i < count; i++) {
        struct bytes bytes = value_bytes(reader, json_at(list, i), "transactions");
        enum tx_verdict verdict = tx_decode(&block->txs[i], reader->arena, bytes.data, bytes.len);
        if (verdict != TX_OK)
            reader_fail(reader, "transaction %zu: %s", i, tx_verdict_text(verdict));
    }
    if (!reader->failed)
        block->header.tx_root = process_tx_root(block->txs, block->tx_count);
}

/* The blob hashes beside the payload are those of its transactions, in order. */
static void check_blob_hashes(struct reader *reader, const struct block *block, json hashes)
{
    size_t at = 0;
    for (u32 i = 0; i < block->tx_count; i++) {
        for (u32 j = 0; j < block->txs[i].blob_count; j++) {
            hash32 want = value_hash(reader, json_at(hashes, at++), "blob versioned hash");
            if (!hash32_eq(&want, &block->txs[i].blob_hashes[j]))
                reader_fail(reader, "blob versioned hashes are not the transactions'");
        }
    }
    if (at != json_count(hashes))
        reader_fail(reader, "there are %zu blob versioned hashes, not %zu", json_count(hashes), at);
}

/* EIP-7685. Each entry is a type byte and data. */
static hash32 requests_hash(struct reader *reader, json list)
{
    struct request requests[REQUEST_TYPES];
    u32 count = 0;
    struct json_iter iter = json_iter(list);
    while (json_next(&iter)) {
        struct bytes bytes = value_bytes(reader, iter.value, "executionRequests");
        if (bytes.len < 2 || count == REQUEST_TYPES) {
            reader_fail(reader, "executionRequests: an entry is empty, or there are too many");
            break;
        }
        requests[count++] = (struct request){bytes.data[0], bytes.data + 1, bytes.len - 1};
    }
    return request_list_hash(requests, count);
}

static void read_header(struct reader *reader, struct header *header, json payload)
{
    static const struct header_keys keys = {.coinbase = "feeRecipient",
                                            .receipts_root = "receiptsRoot",
                                            .number = "blockNumber",
                                            .logs_bloom = "logsBloom",
                                            .mix_hash = "prevRandao"};
    blocktest_read_common(reader, header, payload, &keys);
    header->fields = HEADER_FIELDS_LONDON;
    header->ommers_hash = HEADER_NO_OMMERS;
    header->base_fee = reader_u256(reader, payload, "baseFeePerGas");
}

static void read_payload(struct reader *reader, struct block *block, json params)
{
    json payload = json_at(params, 0);
    struct header *header = &block->header;
    *block = (struct block){0};
    read_header(reader, header, payload);
    read_txs(reader, block, reader_array(reader, payload, "transactions"));
    if (reader_has(payload, "withdrawals"))
        read_withdrawals(reader, block, json_get(payload, "withdrawals"));
    if (reader_has(payload, "excessBlobGas")) {
        header->fields = HEADER_FIELDS_CANCUN;
        header->blob_gas_used = reader_u64(reader, payload, "blobGasUsed");
        header->excess_blob_gas = reader_u64(reader, payload, "excessBlobGas");
        header->parent_beacon_root =
            value_hash(reader, json_at(params, 2), "parentBeaconBlockRoot");
        check_blob_hashes(reader, block, json_at(params, 1));
    }
    if (json_count(params) > 3) {
        header->fields = HEADER_FIELDS_PRAGUE;
        header->requests_hash = requests_hash(reader, json_at(params, 3));
    }
    block_seal(block);
    hash32 want = reader_hash(reader, payload, "blockHash");
    if (!hash32_eq(&block->hash, &want))
        reader_fail(reader, "blockHash is not the hash of the block");
}

static void import_payload(struct block_test *test, size_t index, json entry)
{
    struct reader *reader = &test->reader;
    bool must_fail = reader_has(entry, "validationError") || reader_has(entry, "errorCode");
    struct reader own;
    struct block block;
    struct buf rlp;
    struct chain_report why = {.tx_verdict = TX_OK};
    reader_init(&own, reader->arena);
    read_payload(&own, &block, reader_array(reader, entry, "params"));
    if (own.failed) {
        if (!must_fail)
            reader_fail(reader, "payload %zu: %s", index, own.err.text);
        return;
    }
    buf_init(&rlp, BLOCK_SIZE_MAX);
    block_encode(&rlp, &block);
    enum block_verdict verdict = chain_import(test->chain, rlp.data, rlp.len, &why);
    bool accepted = verdict == BLOCK_OK || verdict == BLOCK_KNOWN;
    if (accepted == must_fail)
        reader_fail(reader, "payload %zu was %s: %s; %s", index,
                    accepted ? "accepted, but is bad" : "refused", block_verdict_text(verdict),
                    why.text);
    buf_fini(&rlp);
}

bool enginetest_import_payloads(struct block_test *test, json payloads)
{
    struct json_iter iter = json_iter(payloads);
    size_t index = 0;
    while (!test->reader.failed && json_next(&iter)) {
        import_payload(test, index++, iter.value);
        blocktest_settle(test);
    }
    return !test->reader.failed;
}
