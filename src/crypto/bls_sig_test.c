#include <string.h>

#include "base/test.h"
#include "crypto/bls_sig.h"
#include "prim/hex.h"

static const struct bls_message hello = {(const u8 *)"hello", 5}, world = {(const u8 *)"world", 5};

/* Of the published vectors of ethereum/bls12-381-tests, sign. */
TEST(bls_sign_vector)
{
    static const char want[] = "b23c46be3a001c63ca711f87a005c200cc550b9429d5f4eb38d74322144f1b63926"
                               "da3388979e5321012fb1a0526bcd1"
                               "00b5ef5fe72628ce4cd5e904aeaa3279527843fae5ca9ca675f4f51ed8f83bbf715"
                               "5da9ecc9663100a885d5dc6df96d9";
    hash32 secret, message = {{0}};
    CHECK(hex_decode_bare(secret.b,
                          "47b8192d77bf871b62e87859d653922725724a5c031afeabc60bcef5ff665138",
                          64) == HEX_OK);
    bls_sig sig, expected;
    CHECK(hex_decode_bare(expected.b, want, strlen(want)) == HEX_OK);
    CHECK(bls_sign(&sig, &secret, &(struct bls_message){message.b, 32}));
    CHECK_MEM(sig.b, expected.b, sizeof sig.b);
    CHECK(bls_sig_check(&sig));
}

TEST(bls_verify)
{
    hash32 secrets[2] = {{{[31] = 7}}, {{[31] = 9}}}, zero = {{0}};
    const struct bls_message messages[2] = {hello, world};
    bls_key keys[2];
    bls_sig own[2], same[2], sum;
    for (int i = 0; i < 2; i++) {
        CHECK(bls_public(&keys[i], &secrets[i]) && bls_key_check(&keys[i]));
        CHECK(bls_sign(&own[i], &secrets[i], &messages[i]));
        CHECK(bls_sign(&same[i], &secrets[i], &hello));
        CHECK(bls_verify(&keys[i], &messages[i], &own[i]));
        CHECK(!bls_verify(&keys[1 - i], &messages[i], &own[i]));
    }
    CHECK(!bls_verify(&keys[0], &world, &own[0]));
    CHECK(bls_sig_sum(&sum, own, 2));
    CHECK(bls_verify_each(keys, messages, 2, &sum));
    CHECK(!bls_verify_each(keys, messages, 1, &sum));
    CHECK(bls_sig_sum(&sum, same, 2));
    CHECK(bls_verify_same(keys, 2, &hello, &sum));
    CHECK(!bls_verify_same(keys, 2, &world, &sum));

    bls_key infinity = {{0xc0}};
    bls_sig nothing = {{0xc0}};
    CHECK(bls_key_check(&infinity) && bls_sig_check(&nothing));
    CHECK(!bls_verify(&infinity, &hello, &nothing));
    CHECK(!bls_verify_each(keys, messages, 0, &nothing));
    CHECK(!bls_verify_same(keys, 0, &hello, &nothing));
    CHECK(!bls_sig_sum(&sum, own, 0));
    CHECK(!bls_sign(&sum, &zero, &hello) && !bls_public(&keys[0], &zero));
    keys[1].b[5] ^= 1;
    CHECK(!bls_verify(&keys[1], &world, &own[1]));
}
