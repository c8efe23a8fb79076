#include "base/test.h"
#include "crypto/secp256k1.h"
#include "prim/u256.h"

/* The group's order (SEC 2, section 2.4.1). */
static const u256 order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};

TEST(secp256k1_sign_and_recover)
{
    struct secp256k1_signer *signer = secp256k1_signer_new((const u8[32]){1, 2, 3});
    hash32 secret = {{0}}, hash = {{0}};
    for (u8 i = 1; i < 40; i++) {
        secret.b[31] = hash.b[0] = i;
        struct signature sig, high;
        addr20 addr, got;
        CHECK(secp256k1_addr(signer, &addr, &secret));
        CHECK(secp256k1_sign(signer, &sig, &hash, &secret));
        CHECK(secp256k1_is_low_s(&sig.s));
        CHECK(secp256k1_recover(&got, &hash, &sig));
        CHECK_MEM(got.b, addr.b, 20);
        /* The twin with a high s and the other parity is of the same key. */
        high = sig;
        high.s = u256_to_hash(u256_sub(order, u256_from_hash(&sig.s)));
        high.parity ^= 1;
        CHECK(!secp256k1_is_low_s(&high.s));
        CHECK(secp256k1_recover(&got, &hash, &high));
        CHECK_MEM(got.b, addr.b, 20);
        hash32 other = hash;
        other.b[5] ^= 1;
        CHECK(!secp256k1_recover(&got, &other, &sig) || !addr20_eq(&got, &addr));
    }
    secp256k1_signer_free(signer);
}

TEST(secp256k1_out_of_range)
{
    struct secp256k1_signer *signer = secp256k1_signer_new(NULL);
    hash32 zero = {{0}}, n = u256_to_hash(order), one = u256_to_hash(U256_ONE);
    struct signature sig;
    addr20 addr = {{9}};
    CHECK(!secp256k1_sign(signer, &sig, &one, &zero));
    CHECK(!secp256k1_sign(signer, &sig, &one, &n));
    CHECK(!secp256k1_addr(signer, &addr, &n));
    CHECK(!secp256k1_recover(&addr, &one, &(struct signature){zero, one, 0}));
    CHECK(!secp256k1_recover(&addr, &one, &(struct signature){one, zero, 0}));
    CHECK(!secp256k1_recover(&addr, &one, &(struct signature){n, one, 0}));
    CHECK(!secp256k1_recover(&addr, &one, &(struct signature){one, n, 0}));
    CHECK(!secp256k1_recover(&addr, &one, &(struct signature){one, one, 2}));
    CHECK_EQ(addr.b[0], 9);
    secp256k1_signer_free(signer);
}
