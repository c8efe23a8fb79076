#include "crypto/bls_sig.h"

#include <blst.h>
#include <blst_aux.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/bls12381_int.h"

static const char ciphersuite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

static bool member_decode(blst_p1_affine *out, const bls_key *key)
{
    return blst_p1_uncompress(out, key->b) == BLST_SUCCESS && blst_p1_affine_in_g1(out);
}

static bool key_decode(blst_p1_affine *out, const bls_key *key)
{
    return member_decode(out, key) && !blst_p1_affine_is_inf(out);
}

static bool sig_decode(blst_p2_affine *out, const bls_sig *sig)
{
    return blst_p2_uncompress(out, sig->b) == BLST_SUCCESS && blst_p2_affine_in_g2(out);
}

bool bls_key_check(const bls_key *key)
{
    blst_p1_affine point;
    return member_decode(&point, key);
}

bool bls_sig_check(const bls_sig *sig)
{
    blst_p2_affine point;
    return sig_decode(&point, sig);
}

static void hash_message(blst_p2 *out, const struct bls_message *message)
{
    blst_hash_to_g2(out, message->bytes, message->len, (const u8 *)ciphersuite,
                    sizeof ciphersuite - 1, NULL, 0);
}

static bool secret_decode(blst_scalar *out, const hash32 *secret)
{
    blst_scalar_from_bendian(out, secret->b);
    return blst_sk_check(out);
}

bool bls_public(bls_key *out, const hash32 *secret)
{
    blst_scalar scalar;
    if (!secret_decode(&scalar, secret))
        return false;
    blst_p1 point;
    blst_sk_to_pk_in_g1(&point, &scalar);
    blst_p1_compress(out->b, &point);
    return true;
}

bool bls_sign(bls_sig *out, const hash32 *secret, const struct bls_message *message)
{
    blst_scalar scalar;
    if (!secret_decode(&scalar, secret))
        return false;
    blst_p2 hash, point;
    hash_message(&hash, message);
    blst_sign_pk_in_g1(&point, &hash, &scalar);
    blst_p2_compress(out->b, &point);
    return true;
}

bool bls_sig_sum(bls_sig *out, const bls_sig *sigs, size_t count)
{
    blst_p2 sum = {0};
    for (size_t i = 0; i < count; i++) {
        blst_p2_affine point;
        if (!sig_decode(&point, &sigs[i]))
            return false;
        blst_p2_add_or_double_affine(&sum, &sum, &point);
    }
    if (count == 0)
        return false;
    blst_p2_compress(out->b, &sum);
    return true;
}

/* Multiplies f by the pairing of a key with the hash of its message, before final exponentiation. */
static void multiply_pair(blst_fp12 *f, const blst_p1_affine *key,
                          const struct bls_message *message)
{
    blst_p2 hash;
    blst_p2_affine affine;
    blst_fp12 loop;
    hash_message(&hash, message);
    blst_p2_to_affine(&affine, &hash);
    blst_miller_loop(&loop, &affine, key);
    blst_fp12_mul(f, f, &loop);
}

/* Whether f is the pairing of the generator with the signature. */
static bool matches(const blst_fp12 *f, const bls_sig *sig)
{
    blst_p2_affine point;
    if (!sig_decode(&point, sig))
        return false;
    blst_fp12 loop;
    blst_miller_loop(&loop, &point, &BLS12_381_G1);
    return blst_fp12_finalverify(f, &loop);
}

bool bls_verify_each(const bls_key *keys, const struct bls_message *messages, size_t count,
                     const bls_sig *sig)
{
    blst_fp12 f = *blst_fp12_one();
    for (size_t i = 0; i < count; i++) {
        blst_p1_affine key;
        if (!key_decode(&key, &keys[i]))
            return false;
        multiply_pair(&f, &key, &messages[i]);
    }
    return count && matches(&f, sig);
}

bool bls_verify(const bls_key *key, const struct bls_message *message, const bls_sig *sig)
{
    return bls_verify_each(key, message, 1, sig);
}

bool bls_verify_same(const bls_key *keys, size_t count, const struct bls_message *message,
                     const bls_sig *sig)
{
    blst_p1 sum = {0};
    for (size_t i = 0; i < count; i++) {
        blst_p1_affine key;
        if (!key_decode(&key, &keys[i]))
            return false;
        blst_p1_add_or_double_affine(&sum, &sum, &key);
    }
    if (count == 0)
        return false;
    blst_p1_affine affine;
    blst_p1_to_affine(&affine, &sum);
    blst_fp12 f = *blst_fp12_one();
    multiply_pair(&f, &affine, message);
    return matches(&f, sig);
}

void bls_hash_to_g1(u8 out[BLS_G1_SIZE], const struct bls_message *message, const char *tag)
{
    blst_p1 point;
    blst_hash_to_g1(&point, message->bytes, message->len, (const u8 *)tag, strlen(tag), NULL, 0);
    bls_g1_encode(out, &point);
}

void bls_hash_to_g2(u8 out[BLS_G2_SIZE], const struct bls_message *message, const char *tag)
{
    blst_p2 point;
    blst_hash_to_g2(&point, message->bytes, message->len, (const u8 *)tag, strlen(tag), NULL, 0);
    bls_g2_encode(out, &point);
}

void bls_encode_to_g1(u8 out[BLS_G1_SIZE], const struct bls_message *message, const char *tag)
{
    blst_p1 point;
    blst_encode_to_g1(&point, message->bytes, message->len, (const u8 *)tag, strlen(tag), NULL, 0);
    bls_g1_encode(out, &point);
}

void bls_encode_to_g2(u8 out[BLS_G2_SIZE], const struct bls_message *message, const char *tag)
{
    blst_p2 point;
    blst_encode_to_g2(&point, message->bytes, message->len, (const u8 *)tag, strlen(tag), NULL, 0);
    bls_g2_encode(out, &point);
}

void bls_expand_message(u8 *out, size_t len, const struct bls_message *message, const char *tag)
{
    assert(len <= 8160);
    blst_expand_message_xmd(out, len, message->bytes, message->len, (const u8 *)tag, strlen(tag));
}
