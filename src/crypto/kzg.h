/*
 * KZG commitments to blobs (EIP-4844) and to their cells (EIP-7594), under the public trusted setup of
 * the KZG ceremony.
 *
 * The setup is embedded in the program as text. kzg_verify_point needs one point of it, which it has at
 * hand. Verifying blobs and cells needs a few, which are made when first asked for, by any thread: about
 * 5 ms and 1.2 MiB. Committing and proving need all of it: seconds of one core the first time (3.8 at
 * 2 GHz) and 4.3 MiB. What is made stays, once a process: it is the same constant for everybody.
 */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

enum {
    KZG_BLOB_SIZE = 131072,
    KZG_CELLS = 128, /* a blob, extended to twice its length, in cells */
    KZG_CELL_SIZE = 2048,
};

typedef struct {
    u8 b[48];
} kzg48; /* a commitment or a proof: a compressed point */

#define KZG_VERDICTS(X)                     \
    X(KZG_OK, "the proof holds")            \
    X(KZG_WRONG, "the proof does not hold") \
    X(KZG_MALFORMED, "a field element, point or index of the proof is out of range")

enum kzg_verdict {
#define X(name, sentence) name,
    KZG_VERDICTS(X)
#undef X
};

const char *kzg_verdict_text(enum kzg_verdict verdict);

/* EIP-4844: 0x01 and the last 31 bytes of the SHA-256 of a commitment. */
hash32 kzg_versioned_hash(const kzg48 *commitment);

/* Whether the polynomial committed to has the value y at z. */
MUST_READ enum kzg_verdict kzg_verify_point(const kzg48 *commitment, const hash32 *z,
                                            const hash32 *y, const kzg48 *proof);

/* Blobs are count * KZG_BLOB_SIZE bytes; one commitment and one proof belong to each. */
MUST_READ enum kzg_verdict kzg_verify_blobs(const u8 *blobs, const kzg48 *commitments,
                                            const kzg48 *proofs, size_t count);

/* Cells are count * KZG_CELL_SIZE bytes, each with its commitment, its index in its blob and its proof. */
MUST_READ enum kzg_verdict kzg_verify_cells(const kzg48 *commitments, const u64 *indices,
                                            const u8 *cells, const kzg48 *proofs, size_t count);

/* The making of what is verified above. KZG_MALFORMED when a blob has an element out of range. */
MUST_READ enum kzg_verdict kzg_commit(kzg48 *commitment, const u8 *blob);
MUST_READ enum kzg_verdict kzg_prove_blob(kzg48 *proof, const u8 *blob, const kzg48 *commitment);
MUST_READ enum kzg_verdict kzg_prove_point(kzg48 *proof, hash32 *y, const u8 *blob,
                                           const hash32 *z);

/* All KZG_CELLS cells and their proofs; either output may be NULL. */
MUST_READ enum kzg_verdict kzg_cells(u8 *cells, kzg48 *proofs, const u8 *blob);

/* All of them again from at least half of them, given with rising indices. */
MUST_READ enum kzg_verdict kzg_recover_cells(u8 *cells, kzg48 *proofs, const u64 *indices,
                                             const u8 *known, size_t count);
