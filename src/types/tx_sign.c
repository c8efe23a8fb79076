#include "crypto/secp256k1.h"
#include "prim/keccak.h"
#include "types/tx.h"

/* The parity that v stands for; false when v is none of those its type allows. */
static bool v_parity(const struct tx *tx, u8 *parity)
{
    u64 base = tx->type != TX_LEGACY ? 0 : tx->has_chain_id ? 35 + 2 * tx->chain_id : 27;
    if (tx->v < base || tx->v - base > 1)
        return false;
    *parity = (u8)(tx->v - base);
    return true;
}

static enum tx_verdict recover(struct tx *tx, const hash32 *hash, u8 parity)
{
    struct signature signature = {u256_to_hash(tx->r), u256_to_hash(tx->s), parity};
    if (!secp256k1_recover(&tx->sender, hash, &signature))
        return TX_BAD_SIGNATURE;
    tx->has_sender = true;
    return TX_OK;
}

enum tx_verdict tx_recover(struct tx *tx, enum fork fork, u64 chain_id)
{
    u8 parity;
    if (tx->has_sender)
        return TX_OK;
    if (tx->type == TX_LEGACY && tx->has_chain_id && fork < FORK_SPURIOUS)
        return TX_BAD_SIGNATURE; /* EIP-155: such a v had no meaning before */
    if (tx->has_chain_id && tx->chain_id != chain_id)
        return TX_WRONG_CHAIN_ID;
    if (!v_parity(tx, &parity))
        return TX_BAD_SIGNATURE;
    hash32 s = u256_to_hash(tx->s);
    if (fork >= FORK_HOMESTEAD && !secp256k1_is_low_s(&s)) /* EIP-2 */
        return TX_BAD_SIGNATURE;
    hash32 hash = tx_signing_hash(tx);
    return recover(tx, &hash, parity);
}

bool tx_sign(struct tx *tx, const struct secp256k1_signer *signer, const hash32 *secret)
{
    struct signature signature;
    addr20 sender;
    hash32 hash = tx_signing_hash(tx);
    if (!secp256k1_addr(signer, &sender, secret) ||
        !secp256k1_sign(signer, &signature, &hash, secret))
        return false;
    u64 base = tx->type != TX_LEGACY ? 0 : tx->has_chain_id ? 35 + 2 * tx->chain_id : 27;
    tx->v = base + signature.parity;
    tx->r = u256_from_hash(&signature.r);
    tx->s = u256_from_hash(&signature.s);
    tx->sender = sender;
    tx->has_sender = true;
    tx_hash_update(tx);
    return true;
}

hash32 authorization_signing_hash(const struct authorization *authorization)
{
    enum { MAGIC = 0x05 }; /* EIP-7702 */
    /* Contracts are executing: the buffer stands on the stack, and its maximum keeps it from
     * moving to the heap. */
    u8 room[128];
    struct buf out = {.data = room, .cap = sizeof room, .max = sizeof room};
    buf_add_byte(&out, MAGIC);
    size_t mark = rlp_list_begin(&out);
    rlp_put_u256(&out, authorization->chain_id);
    rlp_put_addr(&out, &authorization->addr);
    rlp_put_uint(&out, authorization->nonce);
    rlp_list_end(&out, mark);
    hash32 hash;
    keccak256(&hash, out.data, out.len);
    return hash;
}

bool authorization_recover(const struct authorization *authorization, addr20 *authority)
{
    struct signature signature = {u256_to_hash(authorization->r), u256_to_hash(authorization->s),
                                  authorization->y_parity};
    if (authorization->y_parity > 1 || !secp256k1_is_low_s(&signature.s))
        return false;
    hash32 hash = authorization_signing_hash(authorization);
    return secp256k1_recover(authority, &hash, &signature);
}
