#include "types/tx.h"

#include "crypto/sha256.h"
#include "prim/keccak.h"
#include "types/rlp_try.h"

/* The shortest encodings, by which a list's length bounds how many values it can hold. */
enum { ACCESS_SIZE_MIN = 23, AUTHORIZATION_SIZE_MIN = 27, HASH_SIZE = 33 };

static enum rlp_verdict list_room(struct rlp *fields, struct rlp *list, size_t item_size_min,
                                  size_t *count)
{
    RLP_TRY(rlp_list(fields, list));
    RLP_TRY(rlp_count(*list, count));
    return *count > (size_t)(list->end - list->p) / item_size_min ? RLP_TRUNCATED : RLP_OK;
}

/* --- decoding --------------------------------------------------------------------------------- */

static enum rlp_verdict decode_hashes(struct rlp *fields, struct arena *arena, const hash32 **out,
                                      u32 *out_count)
{
    struct rlp list;
    size_t count;
    RLP_TRY(list_room(fields, &list, HASH_SIZE, &count));
    hash32 *hashes = arena_alloc(arena, count * sizeof *hashes);
    for (size_t i = 0; i < count; i++)
        RLP_TRY(rlp_hash(&list, &hashes[i]));
    *out = hashes;
    *out_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode_access_list(struct rlp *fields, struct arena *arena, struct tx *tx)
{
    struct rlp list, entry;
    size_t count;
    RLP_TRY(list_room(fields, &list, ACCESS_SIZE_MIN, &count));
    struct access_entry *entries = arena_alloc(arena, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        RLP_TRY(rlp_list(&list, &entry));
        RLP_TRY(rlp_addr(&entry, &entries[i].addr));
        RLP_TRY(decode_hashes(&entry, arena, &entries[i].keys, &entries[i].key_count));
        RLP_TRY(rlp_finish(&entry));
    }
    tx->access_list = entries;
    tx->access_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode_authorization(struct rlp *list, struct authorization *out)
{
    struct rlp fields;
    u64 y_parity;
    RLP_TRY(rlp_list(list, &fields));
    RLP_TRY(rlp_u256(&fields, &out->chain_id));
    RLP_TRY(rlp_addr(&fields, &out->addr));
    RLP_TRY(rlp_uint(&fields, &out->nonce));
    RLP_TRY(rlp_uint(&fields, &y_parity));
    if (y_parity > 255) /* EIP-7702: y_parity < 2^8 */
        return RLP_TOO_LARGE;
    out->y_parity = (u8)y_parity;
    RLP_TRY(rlp_u256(&fields, &out->r));
    RLP_TRY(rlp_u256(&fields, &out->s));
    return rlp_finish(&fields);
}

static enum rlp_verdict decode_authorizations(struct rlp *fields, struct arena *arena,
                                              struct tx *tx)
{
    struct rlp list;
    size_t count;
    RLP_TRY(list_room(fields, &list, AUTHORIZATION_SIZE_MIN, &count));
    struct authorization *items = arena_alloc(arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        RLP_TRY(decode_authorization(&list, &items[i]));
    tx->authorizations = items;
    tx->authorization_count = (u32)count;
    return RLP_OK;
}

static enum rlp_verdict decode_fees(struct rlp *fields, struct tx *tx)
{
    if (tx->type >= TX_DYNAMIC_FEE) {
        RLP_TRY(rlp_u256(fields, &tx->max_priority_fee));
        RLP_TRY(rlp_u256(fields, &tx->max_fee));
        tx->gas_price = tx->max_fee;
    } else {
        RLP_TRY(rlp_u256(fields, &tx->gas_price));
        tx->max_fee = tx->max_priority_fee = tx->gas_price;
    }
    return RLP_OK;
}

static enum rlp_verdict decode_call(struct rlp *fields, struct tx *tx)
{
    bool has_to;
    RLP_TRY(rlp_uint(fields, &tx->gas));
    RLP_TRY(rlp_addr_opt(fields, &tx->to, &has_to));
    tx->is_create = !has_to;
    RLP_TRY(rlp_u256(fields, &tx->value));
    return rlp_bytes(fields, &tx->data, &tx->data_len);
}

static enum rlp_verdict decode_signature(struct rlp *fields, struct tx *tx)
{
    RLP_TRY(rlp_uint(fields, &tx->v));
    RLP_TRY(rlp_u256(fields, &tx->r));
    return rlp_u256(fields, &tx->s);
}

static enum rlp_verdict decode_fields(struct rlp *fields, struct arena *arena, struct tx *tx)
{
    if (tx->type != TX_LEGACY) {
        RLP_TRY(rlp_uint(fields, &tx->chain_id));
        tx->has_chain_id = true;
    }
    RLP_TRY(rlp_uint(fields, &tx->nonce));
    RLP_TRY(decode_fees(fields, tx));
    RLP_TRY(decode_call(fields, tx));
    if (tx->type != TX_LEGACY)
        RLP_TRY(decode_access_list(fields, arena, tx));
    if (tx->type == TX_BLOB) {
        RLP_TRY(rlp_u256(fields, &tx->max_blob_fee));
        RLP_TRY(decode_hashes(fields, arena, &tx->blob_hashes, &tx->blob_count));
    }
    if (tx->type == TX_SET_CODE)
        RLP_TRY(decode_authorizations(fields, arena, tx));
    RLP_TRY(decode_signature(fields, tx));
    if (tx->type == TX_LEGACY && tx->v >= 35) { /* EIP-155 */
        tx->has_chain_id = true;
        tx->chain_id = (tx->v - 35) / 2;
    }
    return rlp_finish(fields);
}

/* bytes begin with the list, after the type byte if there is one. */
static enum rlp_verdict decode_payload(struct tx *tx, struct arena *arena, const u8 *bytes,
                                       size_t len)
{
    struct rlp rlp = rlp_open(bytes, len), fields;
    RLP_TRY(rlp_list(&rlp, &fields));
    RLP_TRY(rlp_finish(&rlp));
    return decode_fields(&fields, arena, tx);
}

enum tx_verdict tx_decode(struct tx *tx, struct arena *arena, const u8 *bytes, size_t len)
{
    struct tx found = {.type = TX_LEGACY};
    if (!len)
        return TX_MALFORMED;
    bool is_typed = bytes[0] < RLP_EMPTY_LIST;
    if (is_typed) {
        if (bytes[0] < TX_ACCESS_LIST || bytes[0] > TX_SET_CODE)
            return TX_TYPE_NOT_SUPPORTED;
        found.type = (enum tx_type)bytes[0];
    }
    if (decode_payload(&found, arena, bytes + is_typed, len - is_typed) != RLP_OK)
        return TX_MALFORMED;
    keccak256(&found.hash, bytes, len);
    *tx = found;
    return TX_OK;
}

enum tx_verdict tx_decode_item(struct tx *tx, struct arena *arena, struct rlp *body)
{
    struct rlp at = *body;
    struct rlp_item item;
    if (rlp_item(&at, &item) != RLP_OK)
        return TX_MALFORMED;
    enum tx_verdict verdict;
    if (item.is_list)
        verdict = tx_decode(tx, arena, item.start, (size_t)(at.p - item.start));
    else if (item.len && item.payload[0] >= RLP_EMPTY_LIST)
        verdict = TX_MALFORMED; /* EIP-2718: a legacy transaction is not wrapped */
    else
        verdict = tx_decode(tx, arena, item.payload, item.len);
    if (verdict == TX_OK)
        *body = at;
    return verdict;
}

/* --- the network form of blob transactions ---------------------------------------------------- */

enum { COMMITMENT_SIZE = 48, PROOF_SIZE = 48 };

/* A list of count strings of size bytes each, copied side by side. */
static enum rlp_verdict decode_points(struct rlp *fields, struct arena *arena, const u8 **out,
                                      size_t *count, size_t size)
{
    struct rlp list;
    RLP_TRY(list_room(fields, &list, size + 1, count));
    u8 *points = arena_alloc(arena, *count * size);
    for (size_t i = 0; i < *count; i++)
        RLP_TRY(rlp_fixed(&list, points + i * size, size));
    *out = points;
    return RLP_OK;
}

static enum rlp_verdict decode_blobs(struct rlp *fields, struct arena *arena,
                                     struct tx_sidecar *sidecar)
{
    struct rlp list;
    size_t count, len;
    RLP_TRY(list_room(fields, &list, TX_BLOB_SIZE, &count));
    sidecar->blobs = arena_alloc(arena, count * sizeof *sidecar->blobs);
    sidecar->count = (u32)count;
    for (size_t i = 0; i < count; i++) {
        RLP_TRY(rlp_bytes(&list, &sidecar->blobs[i], &len));
        if (len != TX_BLOB_SIZE)
            return RLP_BAD_LENGTH;
    }
    return RLP_OK;
}

/* After the transaction's own list: (version,) blobs, commitments, proofs. */
static enum rlp_verdict decode_sidecar(struct rlp *fields, struct arena *arena,
                                       struct tx_sidecar *sidecar)
{
    size_t commitments, proofs;
    u64 version = 0;
    if (!rlp_is_list(fields)) {
        RLP_TRY(rlp_uint(fields, &version));
        if (version != 1) /* EIP-7594 */
            return RLP_TOO_LARGE;
    }
    sidecar->version = (u8)version;
    RLP_TRY(decode_blobs(fields, arena, sidecar));
    RLP_TRY(decode_points(fields, arena, &sidecar->commitments, &commitments, COMMITMENT_SIZE));
    RLP_TRY(decode_points(fields, arena, &sidecar->proofs, &proofs, PROOF_SIZE));
    RLP_TRY(rlp_finish(fields));
    size_t proofs_per_blob = version ? TX_CELLS_PER_BLOB : 1;
    return commitments == sidecar->count && proofs == sidecar->count * proofs_per_blob
               ? RLP_OK
               : RLP_BAD_LENGTH;
}

/* EIP-4844: a versioned hash is 0x01 and the last 31 bytes of the commitment's sha256. */
static bool sidecar_fits(const struct tx_sidecar *sidecar, const struct tx *tx)
{
    if (sidecar->count != tx->blob_count)
        return false;
    for (u32 i = 0; i < sidecar->count; i++) {
        hash32 hash;
        sha256(&hash, sidecar->commitments + (size_t)i * COMMITMENT_SIZE, COMMITMENT_SIZE);
        hash.b[0] = 1;
        if (!hash32_eq(&hash, &tx->blob_hashes[i]))
            return false;
    }
    return true;
}

static enum tx_verdict decode_wrapped(struct tx *tx, struct tx_sidecar *sidecar,
                                      struct arena *arena, struct rlp fields)
{
    struct rlp_item item;
    struct tx_sidecar found = {.present = true};
    if (rlp_item(&fields, &item) != RLP_OK || !item.is_list)
        return TX_MALFORMED;
    /* The hash covers the type byte and the transaction's list, which are not neighbours here. */
    struct tx decoded = {.type = TX_BLOB};
    size_t len = (size_t)(item.payload + item.len - item.start);
    if (decode_payload(&decoded, arena, item.start, len) != RLP_OK ||
        decode_sidecar(&fields, arena, &found) != RLP_OK)
        return TX_MALFORMED;
    if (!sidecar_fits(&found, &decoded))
        return TX_BLOB_SIDECAR;
    struct keccak keccak;
    u8 type = TX_BLOB;
    keccak_init(&keccak);
    keccak_update(&keccak, &type, 1);
    keccak_update(&keccak, item.start, len);
    keccak_final(&keccak, &decoded.hash);
    *tx = decoded;
    *sidecar = found;
    return TX_OK;
}

enum tx_verdict tx_decode_network(struct tx *tx, struct tx_sidecar *sidecar, struct arena *arena,
                                  const u8 *bytes, size_t len)
{
    if (len && bytes[0] == TX_BLOB) {
        struct rlp rlp = rlp_open(bytes + 1, len - 1), fields;
        if (rlp_list(&rlp, &fields) != RLP_OK || rlp_finish(&rlp) != RLP_OK)
            return TX_MALFORMED;
        if (rlp_is_list(&fields))
            return decode_wrapped(tx, sidecar, arena, fields);
    }
    enum tx_verdict verdict = tx_decode(tx, arena, bytes, len);
    if (verdict == TX_OK)
        *sidecar = (struct tx_sidecar){0};
    return verdict;
}

/* --- encoding --------------------------------------------------------------------------------- */

static void put_access_list(struct buf *out, const struct tx *tx)
{
    size_t mark = rlp_list_begin(out);
    for (u32 i = 0; i < tx->access_count; i++) {
        const struct access_entry *entry = &tx->access_list[i];
        size_t inner = rlp_list_begin(out);
        rlp_put_addr(out, &entry->addr);
        rlp_put_list_header(out, (size_t)entry->key_count * HASH_SIZE);
        for (u32 k = 0; k < entry->key_count; k++)
            rlp_put_hash(out, &entry->keys[k]);
        rlp_list_end(out, inner);
    }
    rlp_list_end(out, mark);
}

static void put_authorizations(struct buf *out, const struct tx *tx)
{
    size_t mark = rlp_list_begin(out);
    for (u32 i = 0; i < tx->authorization_count; i++) {
        const struct authorization *item = &tx->authorizations[i];
        size_t inner = rlp_list_begin(out);
        rlp_put_u256(out, item->chain_id);
        rlp_put_addr(out, &item->addr);
        rlp_put_uint(out, item->nonce);
        rlp_put_uint(out, item->y_parity);
        rlp_put_u256(out, item->r);
        rlp_put_u256(out, item->s);
        rlp_list_end(out, inner);
    }
    rlp_list_end(out, mark);
}

/* All fields before the signature. */
static void put_unsigned(struct buf *out, const struct tx *tx)
{
    if (tx->type != TX_LEGACY)
        rlp_put_uint(out, tx->chain_id);
    rlp_put_uint(out, tx->nonce);
    if (tx->type >= TX_DYNAMIC_FEE) {
        rlp_put_u256(out, tx->max_priority_fee);
        rlp_put_u256(out, tx->max_fee);
    } else {
        rlp_put_u256(out, tx->gas_price);
    }
    rlp_put_uint(out, tx->gas);
    rlp_put_addr_opt(out, tx->is_create ? NULL : &tx->to);
    rlp_put_u256(out, tx->value);
    rlp_put_bytes(out, tx->data, tx->data_len);
    if (tx->type != TX_LEGACY)
        put_access_list(out, tx);
    if (tx->type == TX_BLOB) {
        rlp_put_u256(out, tx->max_blob_fee);
        rlp_put_list_header(out, (size_t)tx->blob_count * HASH_SIZE);
        for (u32 i = 0; i < tx->blob_count; i++)
            rlp_put_hash(out, &tx->blob_hashes[i]);
    }
    if (tx->type == TX_SET_CODE)
        put_authorizations(out, tx);
}

void tx_encode(struct buf *out, const struct tx *tx)
{
    if (tx->type != TX_LEGACY)
        buf_add_byte(out, (u8)tx->type);
    size_t mark = rlp_list_begin(out);
    put_unsigned(out, tx);
    rlp_put_uint(out, tx->v);
    rlp_put_u256(out, tx->r);
    rlp_put_u256(out, tx->s);
    rlp_list_end(out, mark);
}

void tx_encode_item(struct buf *out, const struct tx *tx)
{
    if (tx->type == TX_LEGACY) {
        tx_encode(out, tx);
        return;
    }
    struct buf inner;
    buf_init(&inner, out->max);
    tx_encode(&inner, tx);
    rlp_put_bytes(out, inner.data, inner.len);
    out->full |= inner.full;
    buf_fini(&inner);
}

static hash32 buf_hash(struct buf *out)
{
    hash32 hash;
    keccak256(&hash, out->data, out->len);
    buf_fini(out);
    return hash;
}

void tx_hash_update(struct tx *tx)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    tx_encode(&out, tx);
    tx->hash = buf_hash(&out);
}

hash32 tx_signing_hash(const struct tx *tx)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    if (tx->type != TX_LEGACY)
        buf_add_byte(&out, (u8)tx->type);
    size_t mark = rlp_list_begin(&out);
    put_unsigned(&out, tx);
    if (tx->type == TX_LEGACY && tx->has_chain_id) { /* EIP-155 */
        rlp_put_uint(&out, tx->chain_id);
        rlp_put_uint(&out, 0);
        rlp_put_uint(&out, 0);
    }
    rlp_list_end(&out, mark);
    return buf_hash(&out);
}

/* --- copying ---------------------------------------------------------------------------------- */

void tx_copy(struct tx *copy, const struct tx *tx, struct arena *arena)
{
    *copy = *tx;
    copy->data = arena_dup(arena, tx->data, tx->data_len);
    copy->blob_hashes = arena_dup(arena, tx->blob_hashes, tx->blob_count * sizeof(hash32));
    copy->authorizations = arena_dup(arena, tx->authorizations,
                                     tx->authorization_count * sizeof(struct authorization));
    struct access_entry *entries =
        arena_dup(arena, tx->access_list, tx->access_count * sizeof(struct access_entry));
    for (u32 i = 0; i < tx->access_count; i++)
        entries[i].keys = arena_dup(arena, entries[i].keys, entries[i].key_count * sizeof(hash32));
    copy->access_list = entries;
}
