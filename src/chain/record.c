/*
 * A block as one record:
 *   rlp([total difficulty, block, senders, [receipt, ...], [request, ...]])
 *   senders  20 bytes each, in the order of the transactions
 *   receipt  [state root or nothing, succeeded, cumulative gas, [log, ...]]
 *   request  type byte and data
 * What follows from these (blooms, gas of each, prices, created addresses) is worked out when it is read. Of a pruned
 * block there is:
 *   rlp([total difficulty, header])
 */
#include "chain/store.h"
#include "evm/evm.h"
#include "types/rlp_try.h"

/* --- encoding --------------------------------------------------------------------------------- */

static void put_receipt(struct buf *out, const struct receipt *receipt)
{
    size_t mark = rlp_list_begin(out);
    if (receipt->has_root)
        rlp_put_hash(out, &receipt->root);
    else
        rlp_put_bytes(out, NULL, 0);
    rlp_put_uint(out, receipt->succeeded);
    rlp_put_uint(out, receipt->cumulative_gas);
    size_t logs = rlp_list_begin(out);
    for (u32 i = 0; i < receipt->log_count; i++)
        log_encode(out, &receipt->logs[i]);
    rlp_list_end(out, logs);
    rlp_list_end(out, mark);
}

static void put_senders(struct buf *out, const struct block *block)
{
    u8 header[RLP_HEADER_MAX];
    size_t len = block->tx_count * sizeof(addr20);
    if (!len)
        rlp_put_bytes(out, NULL, 0);
    else
        buf_add(out, header, rlp_write_bytes_header(header, len));
    for (u32 i = 0; i < block->tx_count; i++)
        buf_add(out, block->txs[i].sender.b, sizeof(addr20));
}

static void put_requests(struct buf *out, const struct chain_block *block)
{
    size_t mark = rlp_list_begin(out);
    for (u32 i = 0; i < block->request_count; i++) {
        size_t request = rlp_list_begin(out);
        rlp_put_uint(out, block->requests[i].type);
        rlp_put_bytes(out, block->requests[i].data, block->requests[i].len);
        rlp_list_end(out, request);
    }
    rlp_list_end(out, mark);
}

void record_encode(struct buf *out, const struct chain_block *block, const u8 *rlp, size_t len)
{
    size_t mark = rlp_list_begin(out);
    rlp_put_u256(out, block->total_difficulty);
    if (rlp)
        rlp_put_raw(out, rlp, len);
    else
        block_encode(out, &block->block);
    put_senders(out, &block->block);
    size_t receipts = rlp_list_begin(out);
    for (u32 i = 0; i < block->block.tx_count; i++)
        put_receipt(out, &block->receipts[i]);
    rlp_list_end(out, receipts);
    put_requests(out, block);
    rlp_list_end(out, mark);
}

/* --- decoding --------------------------------------------------------------------------------- */

static enum rlp_verdict get_logs(struct rlp *fields, struct receipt *receipt, struct arena *arena)
{
    struct rlp list;
    size_t count;
    RLP_TRY(rlp_list(fields, &list));
    RLP_TRY(rlp_count(list, &count));
    struct log *logs = arena_alloc(arena, count * sizeof *logs);
    for (size_t i = 0; i < count; i++) {
        RLP_TRY(log_decode(&list, &logs[i]));
        bloom_add_log(&receipt->bloom, &logs[i]);
    }
    receipt->logs = logs;
    receipt->log_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict get_receipt(struct rlp *list, struct receipt *receipt, struct arena *arena)
{
    struct rlp fields;
    const u8 *root;
    size_t root_len;
    u64 succeeded;
    RLP_TRY(rlp_list(list, &fields));
    RLP_TRY(rlp_bytes(&fields, &root, &root_len));
    if (root_len && root_len != sizeof receipt->root.b)
        return RLP_BAD_LENGTH;
    receipt->has_root = root_len != 0;
    if (receipt->has_root)
        memcpy(receipt->root.b, root, root_len);
    RLP_TRY(rlp_uint(&fields, &succeeded));
    if (succeeded > 1)
        return RLP_TOO_LARGE;
    receipt->succeeded = succeeded != 0;
    RLP_TRY(rlp_uint(&fields, &receipt->cumulative_gas));
    RLP_TRY(get_logs(&fields, receipt, arena));
    return rlp_finish(&fields);
}

/* What is not written, as it follows from the transaction and from the receipt before. */
static void derive(struct receipt *receipt, const struct receipt *before, const struct tx *tx,
                   const struct header *header)
{
    receipt->type = tx->type;
    receipt->gas_used = receipt->cumulative_gas - (before ? before->cumulative_gas : 0);
    receipt->log_index_base = before ? before->log_index_base + before->log_count : 0;
    receipt->blob_gas_used = (u64)tx->blob_count * TX_BLOB_GAS;
    receipt->effective_gas_price = tx_effective_gas_price(tx, header->base_fee);
    receipt->has_created = tx->is_create;
    if (receipt->has_created)
        receipt->created = evm_create_address(&tx->sender, tx->nonce);
}

static enum rlp_verdict get_senders(struct rlp *fields, struct block *block)
{
    const u8 *senders;
    size_t len;
    RLP_TRY(rlp_bytes(fields, &senders, &len));
    if (len != block->tx_count * sizeof(addr20))
        return RLP_BAD_LENGTH;
    for (u32 i = 0; i < block->tx_count; i++) {
        memcpy(block->txs[i].sender.b, senders + i * sizeof(addr20), sizeof(addr20));
        block->txs[i].has_sender = true;
    }
    return RLP_OK;
}

static enum rlp_verdict get_receipts(struct rlp *fields, struct chain_block *made,
                                     struct arena *arena)
{
    struct rlp list;
    u32 count = made->block.tx_count;
    struct receipt *receipts = arena_zalloc(arena, count * sizeof *receipts);
    RLP_TRY(rlp_list(fields, &list));
    for (u32 i = 0; i < count; i++) {
        RLP_TRY(get_receipt(&list, &receipts[i], arena));
        derive(&receipts[i], i ? &receipts[i - 1] : NULL, &made->block.txs[i], &made->block.header);
    }
    made->receipts = receipts;
    return rlp_finish(&list);
}

static enum rlp_verdict get_requests(struct rlp *fields, struct chain_block *made,
                                     struct arena *arena)
{
    struct rlp list, request;
    size_t count;
    u64 type;
    RLP_TRY(rlp_list(fields, &list));
    RLP_TRY(rlp_count(list, &count));
    struct request *requests = arena_alloc(arena, count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        RLP_TRY(rlp_list(&list, &request));
        RLP_TRY(rlp_uint(&request, &type));
        if (type > UINT8_MAX)
            return RLP_TOO_LARGE;
        requests[i].type = (u8)type;
        RLP_TRY(rlp_bytes(&request, &requests[i].data, &requests[i].len));
        RLP_TRY(rlp_finish(&request));
    }
    made->requests = requests;
    made->request_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode(struct chain_block *made, struct arena *arena, const u8 *bytes,
                               size_t len)
{
    struct rlp all = rlp_open(bytes, len), fields;
    struct rlp_item block;
    RLP_TRY(rlp_list(&all, &fields));
    RLP_TRY(rlp_finish(&all));
    RLP_TRY(rlp_u256(&fields, &made->total_difficulty));
    RLP_TRY(rlp_item(&fields, &block));
    size_t block_len = (size_t)(block.payload + block.len - block.start);
    if (block_decode(&made->block, arena, block.start, block_len, NULL) != BLOCK_OK)
        return RLP_BAD_LENGTH;
    RLP_TRY(get_senders(&fields, &made->block));
    RLP_TRY(get_receipts(&fields, made, arena));
    RLP_TRY(get_requests(&fields, made, arena));
    return rlp_finish(&fields);
}

bool record_decode(struct chain_block *block, struct arena *arena, const hash32 *hash,
                   const u8 *bytes, size_t len)
{
    struct chain_block made = {0};
    if (decode(&made, arena, bytes, len) != RLP_OK || !hash32_eq(&made.block.hash, hash))
        return false;
    *block = made;
    return true;
}

/* --- pruned blocks ---------------------------------------------------------------------------- */

/* The two fields of such a record, out of a whole one. */
static enum rlp_verdict cut(u256 *total_difficulty, struct rlp_item *header, const u8 *bytes,
                            size_t len)
{
    struct rlp all = rlp_open(bytes, len), fields, block;
    RLP_TRY(rlp_list(&all, &fields));
    RLP_TRY(rlp_u256(&fields, total_difficulty));
    RLP_TRY(rlp_list(&fields, &block));
    return rlp_item(&block, header);
}

bool record_cut(struct buf *out, const u8 *bytes, size_t len)
{
    u256 total_difficulty;
    struct rlp_item header;
    if (cut(&total_difficulty, &header, bytes, len) != RLP_OK)
        return false;
    size_t mark = rlp_list_begin(out);
    rlp_put_u256(out, total_difficulty);
    rlp_put_raw(out, header.start, (size_t)(header.payload + header.len - header.start));
    rlp_list_end(out, mark);
    return true;
}

static enum rlp_verdict decode_cut(struct chain_block *made, const u8 *bytes, size_t len)
{
    struct rlp all = rlp_open(bytes, len), fields;
    RLP_TRY(rlp_list(&all, &fields));
    RLP_TRY(rlp_finish(&all));
    RLP_TRY(rlp_u256(&fields, &made->total_difficulty));
    RLP_TRY(header_decode(&fields, &made->block.header));
    return rlp_finish(&fields);
}

bool record_decode_cut(struct chain_block *block, const hash32 *hash, const u8 *bytes, size_t len)
{
    struct chain_block made = {.is_pruned = true};
    if (decode_cut(&made, bytes, len) != RLP_OK)
        return false;
    made.block.hash = header_hash(&made.block.header);
    if (!hash32_eq(&made.block.hash, hash))
        return false;
    *block = made;
    return true;
}
