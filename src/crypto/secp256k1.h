/*
 * ECDSA on secp256k1 as Ethereum signs: through libsecp256k1, with public-key recovery. Verifying and
 * recovering need no context of our own; signing needs the library's tables, made by secp256k1_signer_new.
 */
#pragma once

#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"

/* r and s big-endian; parity is the low bit of the y coordinate of the nonce point (v - 27). */
struct signature {
    hash32 r, s;
    u8 parity;
};

/*
 * The address whose key made this signature of this hash. False when there is none: r or s is zero or
 * not below the group's order, r is no x coordinate, or the key is the point at infinity. s may be in
 * the upper half: EIP-2 forbids that for transactions, and their decoder checks it, but not for
 * contracts.
 */
MUST_READ bool secp256k1_recover(addr20 *out, const hash32 *hash, const struct signature *sig);

/* The same, giving the key: x and y, 32 bytes each. */
MUST_READ bool secp256k1_recover_key(u8 out[64], const hash32 *hash, const struct signature *sig);

/* The last twenty bytes of the hash of the key. */
addr20 secp256k1_key_addr(const u8 key[64]);

/* True when s is at most half the group's order (EIP-2). */
bool secp256k1_is_low_s(const hash32 *s);

/* A handle for what needs a secret; randomised by the seed against side channels, if one is given.
 * One may be shared by threads. From the heap; free it. */
struct secp256k1_signer;
struct secp256k1_signer *secp256k1_signer_new(const u8 seed[32]);
void secp256k1_signer_free(struct secp256k1_signer *signer);

/* Deterministic nonce (RFC 6979), low s. False when the secret is zero or not below the order. */
MUST_READ bool secp256k1_sign(const struct secp256k1_signer *signer, struct signature *out,
                              const hash32 *hash, const hash32 *secret);

/* The public key, and the address, of a secret key; false as above. */
MUST_READ bool secp256k1_public(const struct secp256k1_signer *signer, u8 out[64],
                                const hash32 *secret);
MUST_READ bool secp256k1_addr(const struct secp256k1_signer *signer, addr20 *out,
                              const hash32 *secret);

/* The 33-byte compressed form of a public key. */
MUST_READ bool secp256k1_public_compressed(const struct secp256k1_signer *signer, u8 out[33],
                                           const hash32 *secret);

/* secret + tweak modulo the order, as BIP-32 derives; false when that is no valid key. */
MUST_READ bool secp256k1_tweak(hash32 *secret, const hash32 *tweak);
