/*
 * Keccak-256 as Ethereum uses it: the Keccak submission with its original padding (0x01), not
 * SHA3-256 as FIPS 202 standardised it later. Rate 136 bytes. Nothing here allocates.
 */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

enum { KECCAK256_RATE = 136 };

void keccak256(hash32 *out, const void *data, size_t len);

/* Four independent messages at once, on the vector unit where there is one (AVX2). */
void keccak256_x4(hash32 out[4], const void *const data[4], const size_t len[4]);

/* The same for a message that comes in pieces: init, any number of updates, final. */
struct keccak {
    u64 state[25];
    unsigned filled; /* bytes of the block absorbed so far, below the rate */
};

void keccak_init(struct keccak *keccak);
void keccak_update(struct keccak *keccak, const void *data, size_t len);
void keccak_final(struct keccak *keccak, hash32 *out); /* init again before further use */

/* Keccak-512, which ethash needs. */
void keccak512(u8 out[64], const void *data, size_t len);

/* The hash of no bytes: the code hash of an account without code. */
extern const hash32 KECCAK256_EMPTY;
