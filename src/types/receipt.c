#include "types/receipt.h"

#include "types/rlp_try.h"

void receipt_encode(struct buf *out, const struct receipt *receipt)
{
    if (receipt->type != TX_LEGACY)
        buf_add_byte(out, (u8)receipt->type);
    size_t mark = rlp_list_begin(out);
    if (receipt->has_root)
        rlp_put_hash(out, &receipt->root);
    else
        rlp_put_uint(out, receipt->succeeded); /* EIP-658 */
    rlp_put_uint(out, receipt->cumulative_gas);
    rlp_put_bytes(out, receipt->bloom.b, sizeof receipt->bloom.b);
    size_t logs = rlp_list_begin(out);
    for (u32 i = 0; i < receipt->log_count; i++)
        log_encode(out, &receipt->logs[i]);
    rlp_list_end(out, logs);
    rlp_list_end(out, mark);
}

static enum rlp_verdict decode_outcome(struct rlp *fields, struct receipt *receipt)
{
    const u8 *bytes;
    size_t len;
    RLP_TRY(rlp_bytes(fields, &bytes, &len));
    receipt->has_root = len == sizeof receipt->root.b;
    if (receipt->has_root)
        memcpy(receipt->root.b, bytes, len);
    else if (len > 1 || (len == 1 && bytes[0] != 1))
        return RLP_BAD_LENGTH;
    receipt->succeeded = len == 1;
    return RLP_OK;
}

static enum rlp_verdict decode_logs(struct rlp *fields, struct receipt *receipt,
                                    struct arena *arena)
{
    enum { LOG_SIZE_MIN = 24 };
    struct rlp list;
    size_t count;
    RLP_TRY(rlp_list(fields, &list));
    RLP_TRY(rlp_count(list, &count));
    if (count > (size_t)(list.end - list.p) / LOG_SIZE_MIN)
        return RLP_TRUNCATED;
    struct log *logs = arena_alloc(arena, count * sizeof *logs);
    for (size_t i = 0; i < count; i++)
        RLP_TRY(log_decode(&list, &logs[i]));
    receipt->logs = logs;
    receipt->log_count = (u32)count;
    return RLP_OK;
}

enum rlp_verdict receipt_decode(struct receipt *receipt, struct arena *arena, const u8 *bytes,
                                size_t len)
{
    struct receipt found = {0};
    if (len && bytes[0] > TX_LEGACY && bytes[0] <= TX_SET_CODE) {
        found.type = (enum tx_type)bytes[0];
        bytes++;
        len--;
    }
    struct rlp rlp = rlp_open(bytes, len), fields;
    RLP_TRY(rlp_list(&rlp, &fields));
    RLP_TRY(rlp_finish(&rlp));
    RLP_TRY(decode_outcome(&fields, &found));
    RLP_TRY(rlp_uint(&fields, &found.cumulative_gas));
    RLP_TRY(rlp_fixed(&fields, found.bloom.b, sizeof found.bloom.b));
    RLP_TRY(decode_logs(&fields, &found, arena));
    RLP_TRY(rlp_finish(&fields));
    *receipt = found;
    return RLP_OK;
}
