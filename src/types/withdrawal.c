#include "types/withdrawal.h"

#include "types/rlp_try.h"

void withdrawal_encode(struct buf *out, const struct withdrawal *withdrawal)
{
    size_t mark = rlp_list_begin(out);
    rlp_put_uint(out, withdrawal->index);
    rlp_put_uint(out, withdrawal->validator);
    rlp_put_addr(out, &withdrawal->addr);
    rlp_put_uint(out, withdrawal->amount_gwei);
    rlp_list_end(out, mark);
}

enum rlp_verdict withdrawal_decode(struct rlp *rlp, struct withdrawal *withdrawal)
{
    struct rlp at = *rlp, fields;
    struct withdrawal found;
    RLP_TRY(rlp_list(&at, &fields));
    RLP_TRY(rlp_uint(&fields, &found.index));
    RLP_TRY(rlp_uint(&fields, &found.validator));
    RLP_TRY(rlp_addr(&fields, &found.addr));
    RLP_TRY(rlp_uint(&fields, &found.amount_gwei));
    RLP_TRY(rlp_finish(&fields));
    *withdrawal = found;
    *rlp = at;
    return RLP_OK;
}
