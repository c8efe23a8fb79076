#include "crypto/kzg.h"

#include <ckzg.h>
#include <pthread.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/sha256.h"
#include "prim/hex.h"

const char *kzg_verdict_text(enum kzg_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, sentence) sentence,
        KZG_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

hash32 kzg_versioned_hash(const kzg48 *commitment)
{
    hash32 hash;
    sha256(&hash, commitment->b, sizeof commitment->b);
    hash.b[0] = 0x01;
    return hash;
}

/* --- one point ------------------------------------------------------------------------------ */

static bool scalar_decode(blst_scalar *out, const hash32 *in)
{
    blst_scalar_from_bendian(out, in->b);
    return blst_scalar_fr_check(out);
}

static bool point_decode(blst_p1_affine *out, const kzg48 *in)
{
    return blst_p1_uncompress(out, in->b) == BLST_SUCCESS && blst_p1_affine_in_g1(out);
}

/* s * G, s being the ceremony's secret and G the generator of G2: the second of the setup's points of
 * G2, compressed. */
static const u8 setup_g2[96] = {
    0xb5, 0xbf, 0xd7, 0xdd, 0x8c, 0xde, 0xb1, 0x28, 0x84, 0x3b, 0xc2, 0x87, 0x23, 0x0a, 0xf3, 0x89,
    0x26, 0x18, 0x70, 0x75, 0xcb, 0xfb, 0xef, 0xa8, 0x10, 0x09, 0xa2, 0xce, 0x61, 0x5a, 0xc5, 0x3d,
    0x29, 0x14, 0xe5, 0x87, 0x0c, 0xb4, 0x52, 0xd2, 0xaf, 0xaa, 0xab, 0x24, 0xf3, 0x49, 0x9f, 0x72,
    0x18, 0x5c, 0xbf, 0xee, 0x53, 0x49, 0x27, 0x14, 0x73, 0x44, 0x29, 0xb7, 0xb3, 0x86, 0x08, 0xe2,
    0x39, 0x26, 0xc9, 0x11, 0xcc, 0xec, 0xea, 0xc9, 0xa3, 0x68, 0x51, 0x47, 0x7b, 0xa4, 0xc6, 0x0b,
    0x08, 0x70, 0x41, 0xde, 0x62, 0x10, 0x00, 0xed, 0xc9, 0x8e, 0xda, 0xda, 0x20, 0xc1, 0xde, 0xf2,
};

/*
 * The claim is e(C - y, G) = e(proof, s - z) with G the generator of G2. Moving z to the other side,
 * e(C - y + z * proof, G) = e(proof, s), spares a multiplication in G2.
 */
enum kzg_verdict kzg_verify_point(const kzg48 *commitment, const hash32 *z, const hash32 *y,
                                  const kzg48 *proof)
{
    blst_scalar zs, ys;
    blst_p1_affine points[2];
    if (!scalar_decode(&zs, z) || !scalar_decode(&ys, y) || !point_decode(&points[0], commitment) ||
        !point_decode(&points[1], proof))
        return KZG_MALFORMED;
    blst_p1 left, term;
    blst_p1_from_affine(&left, &points[1]);
    blst_p1_mult(&left, &left, zs.b, 255);
    blst_p1_add_or_double_affine(&left, &left, &points[0]);
    blst_p1_mult(&term, blst_p1_generator(), ys.b, 255);
    blst_p1_cneg(&term, true);
    blst_p1_add_or_double(&left, &left, &term);
    blst_p1_to_affine(&points[0], &left);

    blst_p2_affine setup;
    BLST_ERROR decoded = blst_p2_uncompress(&setup, setup_g2);
    assert(decoded == BLST_SUCCESS);
    blst_fp12 f, g;
    blst_miller_loop(&f, &BLS12_381_G2, &points[0]);
    blst_miller_loop(&g, &setup, &points[1]);
    return blst_fp12_finalverify(&f, &g) ? KZG_OK : KZG_WRONG;
}

/* --- the setup ------------------------------------------------------------------------------ */

/* The text file of the setup, as c-kzg-4844's package has it. */
__asm__(".section .rodata\n"
        ".globl kzg_setup_text, kzg_setup_text_end\n"
        ".hidden kzg_setup_text, kzg_setup_text_end\n"
        "kzg_setup_text:\n"
        ".incbin \"node_modules/c-kzg/deps/c-kzg/trusted_setup.txt\"\n"
        "kzg_setup_text_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const char kzg_setup_text[], kzg_setup_text_end[];

/*
 * The file is lines of hexadecimal: the two counts, the points of G1 in Lagrange form, those of G2, and
 * those of G1 again as powers of the secret.
 */
enum {
    G1_COUNT = 4096,
    G2_COUNT = 65,
    G1_LINE = 2 * 48 + 1,
    G2_LINE = 2 * 96 + 1,
    G2_START = sizeof "4096\n65\n" - 1 + G1_COUNT * G1_LINE,
    POWERS_START = G2_START + G2_COUNT * G2_LINE,
    ROOTS = 2 * G1_COUNT, /* of unity, for a blob extended to twice its length */
    CELL_POINTS = 64,     /* field elements in a cell */
};

static void setup_g1(blst_p1 *out, int line)
{
    u8 bytes[48];
    blst_p1_affine point;
    const char *text = kzg_setup_text + POWERS_START + line * G1_LINE;
    enum hex_verdict verdict = hex_decode_bare(bytes, text, 2 * sizeof bytes);
    assert(verdict == HEX_OK && blst_p1_uncompress(&point, bytes) == BLST_SUCCESS);
    blst_p1_from_affine(out, &point);
}

static void setup_g2_point(blst_p2 *out, int line)
{
    u8 bytes[96];
    blst_p2_affine point;
    const char *text = kzg_setup_text + G2_START + line * G2_LINE;
    enum hex_verdict verdict = hex_decode_bare(bytes, text, 2 * sizeof bytes);
    assert(verdict == HEX_OK && blst_p2_uncompress(&point, bytes) == BLST_SUCCESS);
    blst_p2_from_affine(out, &point);
}

/*
 * Verifying needs the roots of unity and a few points: making all of that takes milliseconds. The
 * library's settings are filled with it and the rest left empty, so nothing that proves may use them.
 */
static struct {
    KZGSettings settings;
    blst_fr roots[ROOTS + 1], reversed[ROOTS + 1], permuted[ROOTS];
    blst_p1 powers[CELL_POINTS];
    blst_p2 g2[G2_COUNT];
} verifier;

static void make_roots(void)
{
    /* 7 to (order - 1) / 8192. */
    static const u64 root_value[4] = {0x6fdd00bfc78c8967, 0x146b58bc434906ac, 0x2ccddea2972e89ed,
                                      0x485d512737b1da3d};
    static const u64 one_value[4] = {1};
    blst_fr root;
    blst_fr_from_uint64(&root, root_value);
    blst_fr_from_uint64(&verifier.roots[0], one_value);
    for (unsigned i = 0; i < ROOTS; i++) {
        blst_fr_mul(&verifier.roots[i + 1], &verifier.roots[i], &root);
        unsigned mirrored = 0; /* the thirteen bits of i in reverse */
        for (unsigned bit = 0; bit < 13; bit++)
            mirrored |= (i >> bit & 1) << (12 - bit);
        verifier.permuted[mirrored] = verifier.roots[i];
    }
    for (unsigned i = 0; i <= ROOTS; i++)
        verifier.reversed[i] = verifier.roots[ROOTS - i];
}

static void make_verifier(void)
{
    make_roots();
    for (int i = 0; i < CELL_POINTS; i++)
        setup_g1(&verifier.powers[i], i);
    setup_g2_point(&verifier.g2[1], 1);
    setup_g2_point(&verifier.g2[CELL_POINTS], CELL_POINTS);
    verifier.settings = (KZGSettings){
        .roots_of_unity = verifier.roots,
        .brp_roots_of_unity = verifier.permuted,
        .reverse_roots_of_unity = verifier.reversed,
        .g1_values_monomial = verifier.powers,
        .g2_values_monomial = verifier.g2,
    };
}

static const KZGSettings *verifying(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_verifier);
    return &verifier.settings;
}

static KZGSettings whole;

/* The table of multiples that would speed up proving costs 96 MiB. */
enum { NO_PRECOMPUTATION = 0 };

static void load(void)
{
    size_t len = (size_t)(kzg_setup_text_end - kzg_setup_text);
    FILE *text = fmemopen((void *)(uintptr_t)kzg_setup_text, len, "r");
    assert(text);
    C_KZG_RET ret = load_trusted_setup_file(&whole, text, NO_PRECOMPUTATION);
    assert(ret == C_KZG_OK);
    fclose(text);
}

static const KZGSettings *proving(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return &whole;
}

/* Running out of memory is the library's only complaint that is not about its input. */
static enum kzg_verdict verdict_of(C_KZG_RET ret, bool holds)
{
    assert(ret == C_KZG_OK || ret == C_KZG_BADARGS);
    if (ret != C_KZG_OK)
        return KZG_MALFORMED;
    return holds ? KZG_OK : KZG_WRONG;
}

enum kzg_verdict kzg_verify_blobs(const u8 *blobs, const kzg48 *commitments, const kzg48 *proofs,
                                  size_t count)
{
    bool holds = false;
    C_KZG_RET ret =
        verify_blob_kzg_proof_batch(&holds, (const Blob *)blobs, (const Bytes48 *)commitments,
                                    (const Bytes48 *)proofs, count, verifying());
    return verdict_of(ret, holds);
}

enum kzg_verdict kzg_verify_cells(const kzg48 *commitments, const u64 *indices, const u8 *cells,
                                  const kzg48 *proofs, size_t count)
{
    bool holds = false;
    C_KZG_RET ret = verify_cell_kzg_proof_batch(&holds, (const Bytes48 *)commitments, indices,
                                                (const Cell *)cells, (const Bytes48 *)proofs, count,
                                                verifying());
    return verdict_of(ret, holds);
}

enum kzg_verdict kzg_commit(kzg48 *commitment, const u8 *blob)
{
    KZGCommitment result;
    C_KZG_RET ret = blob_to_kzg_commitment(&result, (const Blob *)blob, proving());
    if (ret == C_KZG_OK)
        memcpy(commitment->b, result.bytes, sizeof commitment->b);
    return verdict_of(ret, true);
}

enum kzg_verdict kzg_prove_blob(kzg48 *proof, const u8 *blob, const kzg48 *commitment)
{
    KZGProof result;
    C_KZG_RET ret =
        compute_blob_kzg_proof(&result, (const Blob *)blob, (const Bytes48 *)commitment, proving());
    if (ret == C_KZG_OK)
        memcpy(proof->b, result.bytes, sizeof proof->b);
    return verdict_of(ret, true);
}

enum kzg_verdict kzg_prove_point(kzg48 *proof, hash32 *y, const u8 *blob, const hash32 *z)
{
    KZGProof result;
    Bytes32 value;
    C_KZG_RET ret =
        compute_kzg_proof(&result, &value, (const Blob *)blob, (const Bytes32 *)z, proving());
    if (ret == C_KZG_OK) {
        memcpy(proof->b, result.bytes, sizeof proof->b);
        memcpy(y->b, value.bytes, sizeof y->b);
    }
    return verdict_of(ret, true);
}

enum kzg_verdict kzg_cells(u8 *cells, kzg48 *proofs, const u8 *blob)
{
    C_KZG_RET ret = compute_cells_and_kzg_proofs((Cell *)cells, (KZGProof *)proofs,
                                                 (const Blob *)blob, proving());
    return verdict_of(ret, true);
}

enum kzg_verdict kzg_recover_cells(u8 *cells, kzg48 *proofs, const u64 *indices, const u8 *known,
                                   size_t count)
{
    /* The specification asks for rising indices; the library would take them in any order. */
    for (size_t i = 1; i < count; i++)
        if (indices[i] <= indices[i - 1])
            return KZG_MALFORMED;
    C_KZG_RET ret = recover_cells_and_kzg_proofs((Cell *)cells, (KZGProof *)proofs, indices,
                                                 (const Cell *)known, count, proving());
    return verdict_of(ret, true);
}
