/*
 * BLS signatures on BLS12-381 as Ethereum's consensus uses them: public keys in G1 (48 bytes compressed),
 * signatures in G2 (96 bytes), ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ of
 * draft-irtf-cfrg-bls-signature-04. Through blst. Points are checked to be on the curve and in the
 * subgroup; a public key at infinity is refused.
 */
#pragma once

#include "base/types.h"
#include "crypto/bls12381.h"
#include "prim/hash32.h"

typedef struct {
    u8 b[48];
} bls_key;

typedef struct {
    u8 b[96];
} bls_sig;

/* A message, borrowed. */
struct bls_message {
    const u8 *bytes;
    size_t len;
};

/* Whether the bytes are a point of the subgroup, which may be infinity (no verification takes a key that
 * is). */
MUST_READ bool bls_key_check(const bls_key *key);
MUST_READ bool bls_sig_check(const bls_sig *sig);

/* False when the secret is zero or not below the group's order. */
MUST_READ bool bls_public(bls_key *out, const hash32 *secret);
MUST_READ bool bls_sign(bls_sig *out, const hash32 *secret, const struct bls_message *message);

/* The sum of count signatures. False when there are none or one is malformed. */
MUST_READ bool bls_sig_sum(bls_sig *out, const bls_sig *sigs, size_t count);

MUST_READ bool bls_verify(const bls_key *key, const struct bls_message *message,
                          const bls_sig *sig);

/* One signature for count keys, each of which signed its own message. False for a count of zero. */
MUST_READ bool bls_verify_each(const bls_key *keys, const struct bls_message *messages,
                               size_t count, const bls_sig *sig);

/* The same where all signed one message; their possession of the keys must be proven elsewhere. */
MUST_READ bool bls_verify_same(const bls_key *keys, size_t count, const struct bls_message *message,
                               const bls_sig *sig);

/* RFC 9380's hash_to_curve with SHA-256 and the SSWU map, under any domain separation tag, in
 * EIP-2537's encoding. */
void bls_hash_to_g1(u8 out[BLS_G1_SIZE], const struct bls_message *message, const char *tag);
void bls_hash_to_g2(u8 out[BLS_G2_SIZE], const struct bls_message *message, const char *tag);

/* RFC 9380's encode_to_curve, the cheaper one whose points are not evenly spread. */
void bls_encode_to_g1(u8 out[BLS_G1_SIZE], const struct bls_message *message, const char *tag);
void bls_encode_to_g2(u8 out[BLS_G2_SIZE], const struct bls_message *message, const char *tag);

/* RFC 9380's expand_message_xmd with SHA-256: len bytes, at most 8,160. */
void bls_expand_message(u8 *out, size_t len, const struct bls_message *message, const char *tag);
