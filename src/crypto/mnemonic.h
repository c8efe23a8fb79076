/*
 * Keys from words: BIP-39 (words to a seed), BIP-32 (a seed to a tree of keys) and BIP-44 (which of its
 * branches are Ethereum's: m/44'/60'/0'/0/i). English words only; texts are ASCII, and no Unicode
 * normalisation is done.
 */
#pragma once

#include "base/types.h"
#include "crypto/secp256k1.h"
#include "prim/hash32.h"

enum { MNEMONIC_SEED_SIZE = 64 };

#define MNEMONIC_VERDICTS(X)                                                                      \
    X(MNEMONIC_OK, "is well-formed")                                                              \
    X(MNEMONIC_BAD_COUNT, "a mnemonic has 12, 15, 18, 21 or 24 words with one space between")     \
    X(MNEMONIC_UNKNOWN_WORD, "the mnemonic has a word that is not in the English list of BIP-39") \
    X(MNEMONIC_BAD_CHECKSUM, "the mnemonic's last word does not match the others")

enum mnemonic_verdict {
#define X(name, sentence) name,
    MNEMONIC_VERDICTS(X)
#undef X
};

const char *mnemonic_verdict_text(enum mnemonic_verdict verdict);

MUST_READ enum mnemonic_verdict mnemonic_check(const char *words);

/* The seed of any text; takes some milliseconds, as it is meant to. */
void mnemonic_seed(u8 seed[MNEMONIC_SEED_SIZE], const char *words, const char *passphrase);

/* A key of the tree and what its children derive from. */
struct hd_key {
    hash32 secret, chain;
};

/* The tree's root. False for the one seed in 2^127 that gives no key. */
MUST_READ bool hd_root(struct hd_key *out, const u8 *seed, size_t len);

/* A child: index and above HD_HARDENED are derived from the secret, others from the public key. */
#define HD_HARDENED 0x80000000u
MUST_READ bool hd_child(struct hd_key *out, const struct hd_key *parent, u32 index,
                        const struct secp256k1_signer *signer);

/* Follows a path such as "m/44'/60'/0'/0/0" from the root. False when it is not written like that. */
MUST_READ bool hd_derive(struct hd_key *out, const struct hd_key *root, const char *path,
                         const struct secp256k1_signer *signer);
