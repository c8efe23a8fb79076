#include "types/block.h"

#include "prim/keccak.h"
#include "types/rlp_try.h"

/* The shortest encodings, by which a list's length bounds how many values it can hold. */
enum { TX_SIZE_MIN = 10, WITHDRAWAL_SIZE_MIN = 25, HEADER_SIZE_MIN = 400 };

struct block_reader {
    struct block *block;
    struct arena *arena;
    enum tx_verdict tx_verdict;
};

static enum rlp_verdict list_room(struct rlp *fields, struct rlp *list, size_t item_size_min,
                                  size_t *count)
{
    RLP_TRY(rlp_list(fields, list));
    RLP_TRY(rlp_count(*list, count));
    return *count > (size_t)(list->end - list->p) / item_size_min ? RLP_TRUNCATED : RLP_OK;
}

static enum rlp_verdict decode_txs(struct block_reader *reader, struct rlp *fields)
{
    struct rlp list;
    size_t count;
    RLP_TRY(list_room(fields, &list, TX_SIZE_MIN, &count));
    struct tx *txs = arena_alloc(reader->arena, count * sizeof *txs);
    for (size_t i = 0; i < count; i++) {
        reader->tx_verdict = tx_decode_item(&txs[i], reader->arena, &list);
        if (reader->tx_verdict != TX_OK)
            return RLP_OK;
    }
    reader->block->txs = txs;
    reader->block->tx_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode_ommers(struct block_reader *reader, struct rlp *fields)
{
    struct rlp list;
    size_t count;
    RLP_TRY(list_room(fields, &list, HEADER_SIZE_MIN, &count));
    struct header *ommers = arena_alloc(reader->arena, count * sizeof *ommers);
    for (size_t i = 0; i < count; i++)
        RLP_TRY(header_decode(&list, &ommers[i]));
    reader->block->ommers = ommers;
    reader->block->ommer_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode_withdrawals(struct block_reader *reader, struct rlp *fields)
{
    struct rlp list;
    size_t count;
    if (rlp_at_end(fields))
        return RLP_OK;
    RLP_TRY(list_room(fields, &list, WITHDRAWAL_SIZE_MIN, &count));
    struct withdrawal *withdrawals = arena_alloc(reader->arena, count * sizeof *withdrawals);
    for (size_t i = 0; i < count; i++)
        RLP_TRY(withdrawal_decode(&list, &withdrawals[i]));
    reader->block->has_withdrawals = true;
    reader->block->withdrawals = withdrawals;
    reader->block->withdrawal_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode(struct block_reader *reader, const u8 *bytes, size_t len)
{
    struct rlp rlp = rlp_open(bytes, len), fields;
    RLP_TRY(rlp_list(&rlp, &fields));
    RLP_TRY(rlp_finish(&rlp));
    const u8 *header = fields.p;
    RLP_TRY(header_decode(&fields, &reader->block->header));
    keccak256(&reader->block->hash, header, (size_t)(fields.p - header));
    RLP_TRY(decode_txs(reader, &fields));
    if (reader->tx_verdict != TX_OK)
        return RLP_OK;
    RLP_TRY(decode_ommers(reader, &fields));
    RLP_TRY(decode_withdrawals(reader, &fields));
    return rlp_finish(&fields);
}

enum block_verdict block_decode(struct block *block, struct arena *arena, const u8 *bytes,
                                size_t len, const char **reason)
{
    struct block found = {.size = len};
    struct block_reader reader = {&found, arena, TX_OK};
    const char *words = NULL;
    enum block_verdict verdict = BLOCK_OK;
    enum rlp_verdict rlp = decode(&reader, bytes, len);
    if (rlp != RLP_OK) {
        verdict = BLOCK_MALFORMED;
        words = rlp_verdict_text(rlp);
    } else if (reader.tx_verdict != TX_OK) {
        verdict = BLOCK_TX;
        words = tx_verdict_text(reader.tx_verdict);
    } else {
        *block = found;
    }
    if (reason && words)
        *reason = words;
    return verdict;
}

static void put_ommers(struct buf *out, const struct header *ommers, u32 count)
{
    size_t mark = rlp_list_begin(out);
    for (u32 i = 0; i < count; i++)
        header_encode(out, &ommers[i]);
    rlp_list_end(out, mark);
}

void block_encode(struct buf *out, const struct block *block)
{
    size_t whole = rlp_list_begin(out);
    header_encode(out, &block->header);
    size_t txs = rlp_list_begin(out);
    for (u32 i = 0; i < block->tx_count; i++)
        tx_encode_item(out, &block->txs[i]);
    rlp_list_end(out, txs);
    put_ommers(out, block->ommers, block->ommer_count);
    if (block->has_withdrawals) {
        size_t withdrawals = rlp_list_begin(out);
        for (u32 i = 0; i < block->withdrawal_count; i++)
            withdrawal_encode(out, &block->withdrawals[i]);
        rlp_list_end(out, withdrawals);
    }
    rlp_list_end(out, whole);
}

void block_seal(struct block *block)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    block_encode(&out, block);
    block->size = out.len;
    block->hash = header_hash(&block->header);
    buf_fini(&out);
}

hash32 block_ommers_hash(const struct header *ommers, u32 count)
{
    if (!count)
        return HEADER_NO_OMMERS;
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    put_ommers(&out, ommers, count);
    hash32 hash;
    keccak256(&hash, out.data, out.len);
    buf_fini(&out);
    return hash;
}
