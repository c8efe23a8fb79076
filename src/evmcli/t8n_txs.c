/* The transactions of t8n: JSON, some with the key to sign them, or the RLP of a block body. */
#include <string.h>

#include "crypto/secp256k1.h"
#include "evmcli/t8n.h"
#include "evmcli/txjson.h"

/* Signs a transaction that brings its key and no signature. */
static enum t8n_exit sign(struct t8n *t8n, struct tx *tx, u32 index, json value,
                          const struct secp256k1_signer *signer)
{
    bool is_protected = true;
    hash32 secret = reader_hash(&t8n->reader, value, "secretKey");
    json_bool(json_get(value, "protected"), &is_protected);
    if (tx->type == TX_LEGACY) {
        tx->has_chain_id = is_protected;
        tx->chain_id = is_protected ? t8n->config.chain_id : 0;
    } else if (tx->chain_id != t8n->config.chain_id) {
        return t8n_fail(T8N_JSON, "tx %u: failed to sign tx: invalid chain id for signer", index);
    }
    if (!tx_sign(tx, signer, &secret))
        return t8n_fail(T8N_JSON, "tx %u: failed to sign tx: secretKey is no valid key", index);
    tx->has_sender = false; /* The rules of the fork decide on the signature, as on any other. */
    return T8N_OK;
}

static enum t8n_exit read_one(struct t8n *t8n, u32 index, json value,
                              const struct secp256k1_signer *signer)
{
    struct reader *reader = &t8n->reader;
    struct t8n_tx *slot = &t8n->txs[index];
    struct tx *tx = &slot->tx;
    txjson_read(reader, tx, value);
    slot->verdict = TX_OK;
    if (reader->failed)
        return t8n_fail(T8N_JSON, "failed unmarshalling txs-file: tx %u: %s", index,
                        reader->err.text);
    bool is_signed = tx->v != 0 || !u256_is_zero(tx->r) || !u256_is_zero(tx->s);
    if (!is_signed && reader_has(value, "secretKey"))
        return sign(t8n, tx, index, value, signer);
    tx_hash_update(tx);
    return T8N_OK;
}

enum t8n_exit t8n_read_txs(struct t8n *t8n, json list)
{
    static const u8 seed[32] = {1}; /* The keys are in the input: there is nothing to hide. */
    size_t count = json_count(list);
    enum t8n_exit code = T8N_OK;
    struct secp256k1_signer *signer = secp256k1_signer_new(seed);
    t8n->txs = arena_zalloc(&t8n->arena, (count + 1) * sizeof *t8n->txs);
    t8n->tx_count = (u32)count;
    for (u32 i = 0; code == T8N_OK && i < count; i++)
        code = read_one(t8n, i, json_at(list, i), signer);
    secp256k1_signer_free(signer);
    return code;
}

enum t8n_exit t8n_read_txs_rlp(struct t8n *t8n, struct bytes rlp)
{
    struct rlp outer = rlp_open(rlp.data, rlp.len), list;
    size_t count;
    if (!rlp.len)
        return T8N_OK;
    if (rlp_list(&outer, &list) != RLP_OK || rlp_count(list, &count) != RLP_OK)
        return t8n_fail(T8N_RLP, "the transactions are not an RLP list");
    t8n->txs = arena_zalloc(&t8n->arena, (count + 1) * sizeof *t8n->txs);
    for (size_t i = 0; i < count; i++) {
        struct t8n_tx *slot = &t8n->txs[t8n->tx_count++];
        struct rlp before = list;
        struct rlp_item skipped;
        slot->verdict = tx_decode_item(&slot->tx, &t8n->arena, &list);
        if (slot->verdict == TX_OK)
            continue;
        /* A bad one is reported and the next is tried. */
        list = before;
        if (rlp_item(&list, &skipped) != RLP_OK)
            break;
    }
    return T8N_OK;
}
