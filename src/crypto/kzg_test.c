#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "crypto/kzg.h"

TEST(kzg_round_trip)
{
    u8 *blob = mem_zalloc(KZG_BLOB_SIZE);
    for (size_t i = 0; i < KZG_BLOB_SIZE; i++)
        blob[i] = i % 32 ? (u8)(i * 31 + i / 7) : 0;
    kzg48 commitment, proof, proofs[KZG_CELLS];
    CHECK_EQ(kzg_commit(&commitment, blob), KZG_OK);
    CHECK_EQ(kzg_prove_blob(&proof, blob, &commitment), KZG_OK);
    CHECK_EQ(kzg_verify_blobs(blob, &commitment, &proof, 1), KZG_OK);
    hash32 z = {{3, 2, 1}}, y;
    CHECK_EQ(kzg_prove_point(&proof, &y, blob, &z), KZG_OK);
    CHECK_EQ(kzg_verify_point(&commitment, &z, &y, &proof), KZG_OK);
    y.b[31] ^= 1;
    CHECK_EQ(kzg_verify_point(&commitment, &z, &y, &proof), KZG_WRONG);
    memset(y.b, 0xff, 32);
    CHECK_EQ(kzg_verify_point(&commitment, &z, &y, &proof), KZG_MALFORMED);
    CHECK_EQ(kzg_verify_blobs(blob, &commitment, &proof, 1), KZG_WRONG);

    u8 *cells = mem_alloc((size_t)KZG_CELLS * KZG_CELL_SIZE);
    CHECK_EQ(kzg_cells(cells, proofs, blob), KZG_OK);
    const u64 indices[2] = {5, 127};
    kzg48 commitments[2] = {commitment, commitment}, chosen[2] = {proofs[5], proofs[127]};
    u8 known[2 * KZG_CELL_SIZE];
    memcpy(known, cells + 5 * KZG_CELL_SIZE, KZG_CELL_SIZE);
    memcpy(known + KZG_CELL_SIZE, cells + 127 * KZG_CELL_SIZE, KZG_CELL_SIZE);
    CHECK_EQ(kzg_verify_cells(commitments, indices, known, chosen, 2), KZG_OK);
    known[40] ^= 1;
    CHECK_EQ(kzg_verify_cells(commitments, indices, known, chosen, 2), KZG_WRONG);

    const u64 falling[2] = {127, 5};
    CHECK_EQ(kzg_recover_cells(cells, proofs, falling, known, 2), KZG_MALFORMED);

    memset(blob, 0xff, 32);
    kzg48 kept = commitment;
    CHECK_EQ(kzg_commit(&commitment, blob), KZG_MALFORMED);
    CHECK_MEM(commitment.b, kept.b, 48);
    mem_free(cells);
    mem_free(blob);
}

/* The polynomial that is zero everywhere: commitment and proof are infinity. */
TEST(kzg_infinity)
{
    kzg48 infinity = {{0xc0}}, broken = {{0xc0, 1}};
    hash32 z = {{1}}, y = {{0}};
    CHECK_EQ(kzg_verify_point(&infinity, &z, &y, &infinity), KZG_OK);
    y.b[31] = 1;
    CHECK_EQ(kzg_verify_point(&infinity, &z, &y, &infinity), KZG_WRONG);
    CHECK_EQ(kzg_verify_point(&infinity, &z, &y, &broken), KZG_MALFORMED);
    CHECK_EQ(kzg_versioned_hash(&infinity).b[0], 1);
}
