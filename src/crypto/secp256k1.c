#include "crypto/secp256k1.h"

#include <secp256k1_recovery.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/keccak.h"
#include "prim/u256.h"

/* --- without secrets ------------------------------------------------------------------------ */

static bool recover(secp256k1_pubkey *key, const hash32 *hash, const struct signature *sig)
{
    u8 compact[64];
    memcpy(compact, sig->r.b, 32);
    memcpy(compact + 32, sig->s.b, 32);
    const secp256k1_context *ctx = secp256k1_context_static;
    secp256k1_ecdsa_recoverable_signature parsed;
    return sig->parity <= 1 &&
           secp256k1_ecdsa_recoverable_signature_parse_compact(ctx, &parsed, compact,
                                                               sig->parity) &&
           secp256k1_ecdsa_recover(ctx, key, &parsed, hash->b);
}

/* The library's serialised form has the byte 0x04 before x and y. */
static void key_bytes(u8 out[64], const secp256k1_pubkey *key)
{
    u8 bytes[65];
    size_t len = sizeof bytes;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, bytes, &len, key,
                                  SECP256K1_EC_UNCOMPRESSED);
    memcpy(out, bytes + 1, 64);
}

bool secp256k1_recover_key(u8 out[64], const hash32 *hash, const struct signature *sig)
{
    secp256k1_pubkey key;
    if (!recover(&key, hash, sig))
        return false;
    key_bytes(out, &key);
    return true;
}

bool secp256k1_recover(addr20 *out, const hash32 *hash, const struct signature *sig)
{
    u8 key[64];
    if (!secp256k1_recover_key(key, hash, sig))
        return false;
    *out = secp256k1_key_addr(key);
    return true;
}

addr20 secp256k1_key_addr(const u8 key[64])
{
    hash32 hash;
    keccak256(&hash, key, 64);
    addr20 addr;
    memcpy(addr.b, hash.b + 12, 20);
    return addr;
}

bool secp256k1_is_low_s(const hash32 *s)
{
    /* floor(n / 2), n being the group's order (SEC 2, section 2.4.1). */
    static const u256 half = {
        {0xdfe92f46681b20a0, 0x5d576e7357a4501d, 0xffffffffffffffff, 0x7fffffffffffffff}};
    return !u256_lt(half, u256_from_hash(s));
}

/* --- with secrets --------------------------------------------------------------------------- */

struct secp256k1_signer {
    secp256k1_context *ctx;
};

struct secp256k1_signer *secp256k1_signer_new(const u8 seed[32])
{
    struct secp256k1_signer *signer = NEW(struct secp256k1_signer);
    signer->ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    assert(signer->ctx);
    if (seed) {
        int randomised = secp256k1_context_randomize(signer->ctx, seed);
        assert(randomised);
    }
    return signer;
}

void secp256k1_signer_free(struct secp256k1_signer *signer)
{
    if (!signer)
        return;
    secp256k1_context_destroy(signer->ctx);
    mem_free(signer);
}

bool secp256k1_sign(const struct secp256k1_signer *signer, struct signature *out,
                    const hash32 *hash, const hash32 *secret)
{
    secp256k1_ecdsa_recoverable_signature sig;
    if (!secp256k1_ecdsa_sign_recoverable(signer->ctx, &sig, hash->b, secret->b, NULL, NULL))
        return false;
    u8 compact[64];
    int parity;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(signer->ctx, compact, &parity, &sig);
    /* Parity 2 and 3 mean an r above the order, which nobody can find. */
    assert(parity <= 1);
    memcpy(out->r.b, compact, 32);
    memcpy(out->s.b, compact + 32, 32);
    out->parity = (u8)parity;
    return true;
}

bool secp256k1_public(const struct secp256k1_signer *signer, u8 out[64], const hash32 *secret)
{
    secp256k1_pubkey key;
    if (!secp256k1_ec_pubkey_create(signer->ctx, &key, secret->b))
        return false;
    key_bytes(out, &key);
    return true;
}

bool secp256k1_addr(const struct secp256k1_signer *signer, addr20 *out, const hash32 *secret)
{
    u8 key[64];
    if (!secp256k1_public(signer, key, secret))
        return false;
    *out = secp256k1_key_addr(key);
    return true;
}

bool secp256k1_public_compressed(const struct secp256k1_signer *signer, u8 out[33],
                                 const hash32 *secret)
{
    secp256k1_pubkey key;
    if (!secp256k1_ec_pubkey_create(signer->ctx, &key, secret->b))
        return false;
    size_t len = 33;
    secp256k1_ec_pubkey_serialize(signer->ctx, out, &len, &key, SECP256K1_EC_COMPRESSED);
    return true;
}

bool secp256k1_tweak(hash32 *secret, const hash32 *tweak)
{
    hash32 sum = *secret;
    if (!secp256k1_ec_seckey_tweak_add(secp256k1_context_static, sum.b, tweak->b))
        return false;
    *secret = sum;
    return true;
}
