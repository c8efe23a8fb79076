/* Prints "name nanoseconds" for the dearer primitives; each figure is the best of several batches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/blake2f.h"
#include "crypto/bls12381.h"
#include "crypto/bn254.h"
#include "crypto/kzg.h"
#include "crypto/modexp.h"
#include "crypto/p256.h"
#include "crypto/secp256k1.h"
#include "crypto/sha256.h"
#include "prim/hex.h"

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* What all measured functions work on; filled by prepare(). */
static struct {
    struct arena arena;
    struct secp256k1_signer *signer;
    hash32 hash, secret;
    struct signature sig;
    addr20 addr;
    u8 g1[2 * BN254_G1_SIZE], scaled[BN254_G1_SIZE + 32], pairs[2 * BN254_PAIR_SIZE];
    u8 bls_g1[64 * (BLS_G1_SIZE + BLS_SCALAR_SIZE)], bls_pairs[2 * (BLS_G1_SIZE + BLS_G2_SIZE)];
    u8 out[256], number[3][256];
    hash32 p256[5];
} b;

static const char g2_generator[] =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
static const char *const p256_valid[5] = {
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d",
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac",
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60",
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3",
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
};

static void must(bool ok)
{
    if (!ok) {
        fprintf(stderr, "crypto_bench: a primitive refused its input\n");
        exit(1);
    }
}

static void prepare_bn254(void)
{
    static const u8 generator[BN254_G1_SIZE] = {[31] = 1, [63] = 2};
    for (int i = 0; i < 2; i++) {
        memcpy(b.scaled, generator, BN254_G1_SIZE);
        for (int j = 0; j < 32; j++)
            b.scaled[BN254_G1_SIZE + j] = (u8)(171 * j + 29 * i + 37);
        must(bn254_mul(b.g1 + i * BN254_G1_SIZE, b.scaled));
        memcpy(b.pairs + i * BN254_PAIR_SIZE, b.g1 + i * BN254_G1_SIZE, BN254_G1_SIZE);
        must(hex_decode_bare(b.pairs + i * BN254_PAIR_SIZE + BN254_G1_SIZE, g2_generator,
                             2 * BN254_G2_SIZE) == HEX_OK);
    }
    memcpy(b.scaled, b.g1, BN254_G1_SIZE);
}

static void prepare_bls(void)
{
    for (int i = 0; i < 64; i++) {
        u8 *term = b.bls_g1 + i * (BLS_G1_SIZE + BLS_SCALAR_SIZE);
        must(bls_map_fp(term, (u8[BLS_FP_SIZE]){[63] = (u8)(i + 1)}));
        for (int j = 0; j < BLS_SCALAR_SIZE; j++)
            term[BLS_G1_SIZE + j] = (u8)(151 * j + 31 * i + 7);
    }
    for (int i = 0; i < 2; i++) {
        u8 *pair = b.bls_pairs + i * (BLS_G1_SIZE + BLS_G2_SIZE);
        memcpy(pair, b.bls_g1, BLS_G1_SIZE);
        must(bls_map_fp2(pair + BLS_G1_SIZE, (u8[2 * BLS_FP_SIZE]){[127] = (u8)(i + 1)}));
    }
}

static void prepare(void)
{
    arena_init(&b.arena);
    b.signer = secp256k1_signer_new(NULL);
    memset(b.hash.b, 0x5a, 32);
    memset(b.secret.b, 0x11, 32);
    must(secp256k1_sign(b.signer, &b.sig, &b.hash, &b.secret));
    prepare_bn254();
    prepare_bls();
    for (int i = 0; i < 5; i++)
        must(hex_decode_bare(b.p256[i].b, p256_valid[i], 64) == HEX_OK);
    for (int i = 0; i < 256; i++)
        b.number[0][i] = b.number[1][i] = b.number[2][i] = (u8)(i * 73 + 41);
}

static void run_recover(void)
{
    must(secp256k1_recover(&b.addr, &b.hash, &b.sig));
}
static void run_sign(void)
{
    must(secp256k1_sign(b.signer, &b.sig, &b.hash, &b.secret));
}
static void run_p256(void)
{
    must(p256_verify(b.p256, b.p256 + 1, b.p256 + 2, b.p256 + 3, b.p256 + 4));
}
static void run_bn_add(void)
{
    must(bn254_add(b.out, b.g1));
}
static void run_bn_mul(void)
{
    must(bn254_mul(b.out, b.scaled));
}
static void run_sha256(void)
{
    sha256(&b.hash, b.number, 136);
}

static void bn_pairing(size_t count)
{
    bool is_one;
    must(bn254_pairing(&is_one, b.pairs, count));
}
static void run_bn_pairing_1(void)
{
    bn_pairing(1);
}
static void run_bn_pairing_2(void)
{
    bn_pairing(2);
}

static void run_bls_pairing_2(void)
{
    bool is_one;
    must(bls_pairing(&is_one, b.bls_pairs, 2, &b.arena));
    arena_reset(&b.arena);
}

static void bls_msm(size_t count)
{
    must(bls_g1_msm(b.out, b.bls_g1, count, &b.arena));
    arena_reset(&b.arena);
}
static void run_bls_msm_1(void)
{
    bls_msm(1);
}
static void run_bls_msm_2(void)
{
    bls_msm(2);
}
static void run_bls_msm_8(void)
{
    bls_msm(8);
}
static void run_bls_msm_64(void)
{
    bls_msm(64);
}

static void run_kzg_point(void)
{
    kzg48 infinity = {{0xc0}};
    hash32 z = {{1}}, y = {{0}};
    must(kzg_verify_point(&infinity, &z, &y, &infinity) == KZG_OK);
}

static void run_blake2f(void)
{
    u64 h[8] = {1}, m[16] = {2}, t[2] = {3};
    blake2f(h, m, t, true, 1000);
    b.out[0] ^= (u8)h[0];
}

static void run_modexp(void)
{
    modexp(b.out, b.number[0], 256, b.number[1], 32, b.number[2], 256);
}

static const struct {
    const char *name;
    void (*run)(void);
    int calls;
} benches[] = {
    {"ecrecover", run_recover, 100},
    {"ecdsa_sign", run_sign, 100},
    {"p256_verify", run_p256, 20},
    {"sha256_136", run_sha256, 10000},
    {"bn254_add", run_bn_add, 500},
    {"bn254_mul", run_bn_mul, 100},
    {"bn254_pairing_1", run_bn_pairing_1, 10},
    {"bn254_pairing_2", run_bn_pairing_2, 10},
    {"bls12381_pairing_2", run_bls_pairing_2, 5},
    {"bls12381_g1_msm_1", run_bls_msm_1, 20},
    {"bls12381_g1_msm_2", run_bls_msm_2, 10},
    {"bls12381_g1_msm_8", run_bls_msm_8, 5},
    {"bls12381_g1_msm_64", run_bls_msm_64, 2},
    {"kzg_verify_point", run_kzg_point, 5},
    {"blake2f_1000_rounds", run_blake2f, 100},
    {"modexp_256_32_256", run_modexp, 20},
};

enum { BATCHES = 20 };

int main(void)
{
    prepare();
    for (size_t i = 0; i < ARRAY_LEN(benches); i++) {
        double best = 1e18;
        for (int j = 0; j < BATCHES; j++) {
            u64 start = now_ns();
            for (int k = 0; k < benches[i].calls; k++)
                benches[i].run();
            double ns = (double)(now_ns() - start) / benches[i].calls;
            best = ns < best ? ns : best;
        }
        printf("%s %.1f\n", benches[i].name, best);
    }
    secp256k1_signer_free(b.signer);
    arena_fini(&b.arena);
    return 0;
}
