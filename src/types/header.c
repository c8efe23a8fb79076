#include "types/header.h"

#include "prim/keccak.h"
#include "types/rlp_try.h"

const hash32 HEADER_NO_OMMERS = {{0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                                  0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                                  0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47}};
const hash32 HEADER_EMPTY_ROOT = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                   0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                   0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};
const hash32 HEADER_NO_REQUESTS = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

u32 header_fields_of(enum fork fork)
{
    if (fork >= FORK_PRAGUE)
        return HEADER_FIELDS_PRAGUE;
    if (fork >= FORK_CANCUN)
        return HEADER_FIELDS_CANCUN;
    if (fork >= FORK_SHANGHAI)
        return HEADER_FIELDS_SHANGHAI;
    return fork >= FORK_LONDON ? HEADER_FIELDS_LONDON : HEADER_FIELDS_FRONTIER;
}

/* The thirteen fields that ethash seals and every header begins with. */
static void put_sealed(struct buf *out, const struct header *header)
{
    rlp_put_hash(out, &header->parent_hash);
    rlp_put_hash(out, &header->ommers_hash);
    rlp_put_addr(out, &header->coinbase);
    rlp_put_hash(out, &header->state_root);
    rlp_put_hash(out, &header->tx_root);
    rlp_put_hash(out, &header->receipts_root);
    rlp_put_bytes(out, header->logs_bloom.b, sizeof header->logs_bloom.b);
    rlp_put_u256(out, header->difficulty);
    rlp_put_uint(out, header->number);
    rlp_put_uint(out, header->gas_limit);
    rlp_put_uint(out, header->gas_used);
    rlp_put_uint(out, header->timestamp);
    rlp_put_bytes(out, header->extra, header->extra_len);
}

static void put_later(struct buf *out, const struct header *header)
{
    if (header->fields >= HEADER_FIELDS_LONDON)
        rlp_put_u256(out, header->base_fee);
    if (header->fields >= HEADER_FIELDS_SHANGHAI)
        rlp_put_hash(out, &header->withdrawals_root);
    if (header->fields >= HEADER_FIELDS_CANCUN) {
        rlp_put_uint(out, header->blob_gas_used);
        rlp_put_uint(out, header->excess_blob_gas);
        rlp_put_hash(out, &header->parent_beacon_root);
    }
    if (header->fields >= HEADER_FIELDS_PRAGUE)
        rlp_put_hash(out, &header->requests_hash);
}

void header_encode(struct buf *out, const struct header *header)
{
    size_t mark = rlp_list_begin(out);
    put_sealed(out, header);
    rlp_put_hash(out, &header->mix_hash);
    rlp_put_bytes(out, header->nonce, sizeof header->nonce);
    put_later(out, header);
    rlp_list_end(out, mark);
}

static enum rlp_verdict decode_later(struct rlp *fields, struct header *header)
{
    if (header->fields >= HEADER_FIELDS_LONDON)
        RLP_TRY(rlp_u256(fields, &header->base_fee));
    if (header->fields >= HEADER_FIELDS_SHANGHAI)
        RLP_TRY(rlp_hash(fields, &header->withdrawals_root));
    if (header->fields >= HEADER_FIELDS_CANCUN) {
        RLP_TRY(rlp_uint(fields, &header->blob_gas_used));
        RLP_TRY(rlp_uint(fields, &header->excess_blob_gas));
        RLP_TRY(rlp_hash(fields, &header->parent_beacon_root));
    }
    if (header->fields >= HEADER_FIELDS_PRAGUE)
        RLP_TRY(rlp_hash(fields, &header->requests_hash));
    return RLP_OK;
}

static bool fields_are_known(size_t count)
{
    return count == HEADER_FIELDS_FRONTIER || count == HEADER_FIELDS_LONDON ||
           count == HEADER_FIELDS_SHANGHAI || count == HEADER_FIELDS_CANCUN ||
           count == HEADER_FIELDS_PRAGUE;
}

enum rlp_verdict header_decode(struct rlp *rlp, struct header *header)
{
    struct rlp at = *rlp, fields;
    struct header found = {0};
    size_t count;
    RLP_TRY(rlp_list(&at, &fields));
    RLP_TRY(rlp_count(fields, &count));
    if (!fields_are_known(count))
        return RLP_BAD_LENGTH;
    found.fields = (u32)count;
    RLP_TRY(rlp_hash(&fields, &found.parent_hash));
    RLP_TRY(rlp_hash(&fields, &found.ommers_hash));
    RLP_TRY(rlp_addr(&fields, &found.coinbase));
    RLP_TRY(rlp_hash(&fields, &found.state_root));
    RLP_TRY(rlp_hash(&fields, &found.tx_root));
    RLP_TRY(rlp_hash(&fields, &found.receipts_root));
    RLP_TRY(rlp_fixed(&fields, found.logs_bloom.b, sizeof found.logs_bloom.b));
    RLP_TRY(rlp_u256(&fields, &found.difficulty));
    RLP_TRY(rlp_uint(&fields, &found.number));
    RLP_TRY(rlp_uint(&fields, &found.gas_limit));
    RLP_TRY(rlp_uint(&fields, &found.gas_used));
    RLP_TRY(rlp_uint(&fields, &found.timestamp));
    RLP_TRY(rlp_bytes(&fields, &found.extra, &found.extra_len));
    RLP_TRY(rlp_hash(&fields, &found.mix_hash));
    RLP_TRY(rlp_fixed(&fields, found.nonce, sizeof found.nonce));
    RLP_TRY(decode_later(&fields, &found));
    *header = found;
    *rlp = at;
    return RLP_OK;
}

static hash32 buf_hash(struct buf *out)
{
    hash32 hash;
    keccak256(&hash, out->data, out->len);
    buf_fini(out);
    return hash;
}

hash32 header_hash(const struct header *header)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    header_encode(&out, header);
    return buf_hash(&out);
}

hash32 header_seal_hash(const struct header *header)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    size_t mark = rlp_list_begin(&out);
    put_sealed(&out, header);
    put_later(&out, header);
    rlp_list_end(&out, mark);
    return buf_hash(&out);
}
