#include "base/test.h"
#include "crypto/mnemonic.h"
#include "prim/hex.h"

static void check_hex(const u8 *got, size_t len, const char *want)
{
    u8 bytes[64];
    CHECK_EQ(strlen(want), 2 * len);
    CHECK(hex_decode_bare(bytes, want, strlen(want)) == HEX_OK);
    CHECK_MEM(got, bytes, len);
}

/* Vectors of BIP-39's reference implementation (trezor/python-mnemonic). */
TEST(mnemonic_reference)
{
    static const char *const words[] = {
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        "about",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
    };
    static const char *const seeds[] = {
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f"
        "2cf141630c7a3c4ab7c81b2f001698e7463b04",
        "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f1"
        "5b11c61dee327651a14c34e18231052e48c069",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        u8 seed[MNEMONIC_SEED_SIZE];
        CHECK_EQ(mnemonic_check(words[i]), MNEMONIC_OK);
        mnemonic_seed(seed, words[i], "TREZOR");
        check_hex(seed, sizeof seed, seeds[i]);
    }
}

TEST(mnemonic_malformed)
{
    CHECK_EQ(mnemonic_check(""), MNEMONIC_BAD_COUNT);
    CHECK_EQ(mnemonic_check("test test test"), MNEMONIC_BAD_COUNT);
    CHECK_EQ(mnemonic_check("test  test"), MNEMONIC_BAD_COUNT);
    CHECK_EQ(mnemonic_check("test test test test test test test test test test test tset"),
             MNEMONIC_UNKNOWN_WORD);
    CHECK_EQ(mnemonic_check("test test test test test test test test test test test test"),
             MNEMONIC_BAD_CHECKSUM);
}

/* The accounts every Ethereum development chain has. */
TEST(mnemonic_accounts)
{
    static const char words[] = "test test test test test test test test test test test junk";
    CHECK_EQ(mnemonic_check(words), MNEMONIC_OK);
    u8 seed[MNEMONIC_SEED_SIZE];
    mnemonic_seed(seed, words, "");
    struct secp256k1_signer *signer = secp256k1_signer_new(NULL);
    struct hd_key root, key;
    CHECK(hd_root(&root, seed, sizeof seed));
    CHECK(hd_derive(&key, &root, "m/44'/60'/0'/0/0", signer));
    check_hex(key.secret.b, 32, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    addr20 addr;
    CHECK(secp256k1_addr(signer, &addr, &key.secret));
    check_hex(addr.b, 20, "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    CHECK(hd_derive(&key, &root, "m/44'/60'/0'/0/1", signer));
    CHECK(secp256k1_addr(signer, &addr, &key.secret));
    check_hex(addr.b, 20, "70997970c51812dc3a010c7d01b50e0d17dc79c8");
    static const char *const bad[] = {"",    "44'",    "m44",          "m/",
                                      "m/x", "m/1//2", "m/2147483648", "m/1''"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!hd_derive(&key, &root, bad[i], signer));
    secp256k1_signer_free(signer);
}

/* BIP-32, test vector 1. */
TEST(hd_vector_1)
{
    u8 seed[16];
    for (u8 i = 0; i < 16; i++)
        seed[i] = i;
    struct secp256k1_signer *signer = secp256k1_signer_new(NULL);
    struct hd_key root, key;
    CHECK(hd_root(&root, seed, sizeof seed));
    check_hex(root.secret.b, 32,
              "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35");
    CHECK(hd_derive(&key, &root, "m/0'/1/2h", signer));
    check_hex(key.secret.b, 32, "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca");
    secp256k1_signer_free(signer);
}
