#include <string.h>

#include "base/test.h"
#include "crypto/secp256k1.h"
#include "prim/hex.h"
#include "types/tx.h"

/* Source of the typed ones: `txbytes` of execution-spec-tests v5.4.0; of the first: EIP-155. */
static const struct {
    const char *hex, *sender;
    enum tx_type type;
    enum fork fork;
} VECTORS[] = {
    {"0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
     "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b"
     "3800ccf555c9f3dc64214b297fb1966a3b6d83",
     "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", TX_LEGACY, FORK_SPURIOUS},
    {"0x01f87b01800a83061a80944d6941c06873d50c3bdf68634f37c8e0a6723d32830186a000d7d6940000000000000"
     "0"
     "00000000000000000000000102c001a085a604e52638ca12e06aa7783cd4db2629d24082ec18f962896aeb99a0084"
     "a"
     "819f4698909694ee99dd11c3e34df5b99e77253ef7e66e6e31cc09ed9fc7362062",
     "0x3b16f11c417a75e378a1430f88df969bd66d0482", TX_ACCESS_LIST, FORK_BERLIN},
    {"0x02f86301800107830186a094ef5d8525b90f834e9b84a59351846383049035d48080c080a050b0296997589bfd4"
     "2"
     "4b094c3c7f39a89f518699fbe6f13c4d511ee5abe97438a06c7e63ab4d87efe9548c65d9c87fb64ac316f0d0e6bc2"
     "9"
     "b3e230e479d9a653f1",
     "0xdf2207ace5b8d892315d3e572bc5bfbe450a36d5", TX_DYNAMIC_FEE, FORK_LONDON},
    {"0x03f886018080078307a120946fa8475a296e7ce0b82ab24734f2f1141179884c8080c001e1a0010000000000000"
     "0"
     "00000000000000000000000000000000000000000000000001a0fb6fa835e15bbd4897870abc6ce2c44ddd856cfbd"
     "4"
     "2131824f435f5679ecffe7a016c6a4f1c0d26a906a8ca9f2814a1eec9959f2a50366e1880c8959e42cd5e7b4",
     "0x35b359077288c9d21c3b0aeb56237a383c17f4b6", TX_BLOB, FORK_CANCUN},
    {"0x04f87f01808007830186a094f2e2f5536371833fd4debc3adc7ff9a23cbaace48080c0dbda01940000000000000"
     "0"
     "000000000000000000000000008001800180a0703325024f0014ea3b3df8759cc95c60824c529ffb6998ca2623d0c"
     "c"
     "93a7c38da0651cf0320f38fa0bf770f9502541e373f3f93ef799c7df88974918083a634257",
     "0x66707e28fc0c0b45c98ba9b6f3f43572faa7a52f", TX_SET_CODE, FORK_PRAGUE},
};

static size_t from_hex(u8 *out, size_t max, const char *hex)
{
    size_t len = 0;
    CHECK_EQ(hex_decode(out, &len, max, hex, strlen(hex)), HEX_OK);
    return len;
}

static addr20 addr_of(const char *hex)
{
    addr20 addr;
    CHECK_EQ(hex_decode_exact(addr.b, sizeof addr.b, hex, strlen(hex)), HEX_OK);
    return addr;
}

TEST(tx_of_every_type_is_read_written_and_its_sender_found)
{
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        u8 bytes[512];
        size_t len = from_hex(bytes, sizeof bytes, VECTORS[i].hex);
        struct arena arena;
        struct buf out;
        struct tx tx, again;
        arena_init(&arena);
        buf_init(&out, 4096);
        CHECK_EQ(tx_decode(&tx, &arena, bytes, len), TX_OK);
        CHECK_EQ(tx.type, VECTORS[i].type);
        CHECK_EQ(tx_check_type(&tx, VECTORS[i].fork), TX_OK);
        if (tx.type != TX_LEGACY)
            CHECK_EQ(tx_check_type(&tx, VECTORS[i].fork - 1), TX_TYPE_NOT_SUPPORTED);
        CHECK_EQ(tx_recover(&tx, VECTORS[i].fork, 2), TX_WRONG_CHAIN_ID);
        CHECK_EQ(tx_recover(&tx, VECTORS[i].fork, 1), TX_OK);
        addr20 sender = addr_of(VECTORS[i].sender);
        CHECK_MEM(tx.sender.b, sender.b, sizeof sender);
        tx_encode(&out, &tx);
        CHECK_EQ(out.len, len);
        CHECK_MEM(out.data, bytes, len);
        again = tx;
        tx_hash_update(&again);
        CHECK_MEM(again.hash.b, tx.hash.b, sizeof tx.hash);
        buf_fini(&out);
        arena_fini(&arena);
    }
}

TEST(tx_cut_short_anywhere_is_malformed_and_nothing_is_written)
{
    for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
        u8 bytes[512];
        size_t len = from_hex(bytes, sizeof bytes, VECTORS[i].hex);
        struct arena arena;
        arena_init(&arena);
        for (size_t cut = 0; cut < len; cut++) {
            struct tx tx, untouched;
            memset(&tx, 0x5a, sizeof tx);
            memset(&untouched, 0x5a, sizeof untouched);
            CHECK_EQ(tx_decode(&tx, &arena, bytes, cut), TX_MALFORMED);
            CHECK_MEM(&tx, &untouched, sizeof tx);
        }
        bytes[len] = 0;
        struct tx tx;
        CHECK_EQ(tx_decode(&tx, &arena, bytes, len + 1), TX_MALFORMED);
        arena_fini(&arena);
    }
}

TEST(tx_types_nobody_knows_are_named_so)
{
    struct arena arena;
    struct tx tx;
    arena_init(&arena);
    for (int type = 0; type < 0xc0; type++) {
        u8 bytes[] = {(u8)type, 0xc0};
        bool is_known = type >= TX_ACCESS_LIST && type <= TX_SET_CODE;
        CHECK_EQ(tx_decode(&tx, &arena, bytes, sizeof bytes),
                 is_known ? TX_MALFORMED : TX_TYPE_NOT_SUPPORTED);
    }
    arena_fini(&arena);
}

TEST(tx_signed_here_has_the_signature_of_the_eip)
{
    u8 bytes[512], seed[32] = {1};
    size_t len = from_hex(bytes, sizeof bytes, VECTORS[0].hex);
    hash32 secret;
    memset(secret.b, 0x46, sizeof secret.b);
    struct arena arena;
    struct tx wanted, tx;
    arena_init(&arena);
    CHECK_EQ(tx_decode(&wanted, &arena, bytes, len), TX_OK);
    tx = wanted;
    tx.r = tx.s = U256_ZERO;
    tx.v = 0;
    struct secp256k1_signer *signer = secp256k1_signer_new(seed);
    CHECK(tx_sign(&tx, signer, &secret));
    CHECK(u256_eq(tx.r, wanted.r));
    CHECK(u256_eq(tx.s, wanted.s));
    CHECK_EQ(tx.v, wanted.v);
    CHECK_MEM(tx.hash.b, wanted.hash.b, sizeof tx.hash);
    hash32 none = {{0}};
    CHECK(!tx_sign(&tx, signer, &none));
    secp256k1_signer_free(signer);
    arena_fini(&arena);
}

TEST(tx_gas_follows_the_forks)
{
    const u8 data[40] = {1, 2, 3};
    struct tx tx = {.type = TX_LEGACY, .data = data, .data_len = sizeof data, .gas = 100000};
    CHECK_EQ(tx_gas_of(&tx, FORK_FRONTIER).intrinsic, 21000 + 37 * 4 + 3 * 68);
    CHECK_EQ(tx_gas_of(&tx, FORK_ISTANBUL).intrinsic, 21000 + 37 * 4 + 3 * 16);
    CHECK_EQ(tx_gas_of(&tx, FORK_CANCUN).floor, 0);
    CHECK_EQ(tx_gas_of(&tx, FORK_PRAGUE).floor, 21000 + (37 + 3 * 4) * 10);
    tx.is_create = true;
    CHECK_EQ(tx_gas_of(&tx, FORK_HOMESTEAD).intrinsic, 53000 + 37 * 4 + 3 * 68);
    CHECK_EQ(tx_gas_of(&tx, FORK_SHANGHAI).intrinsic, 53000 + 37 * 4 + 3 * 16 + 2 * 2);
    CHECK_EQ(tx_check(&tx, FORK_SHANGHAI, 0), TX_OK);
    tx.gas = 53000;
    CHECK_EQ(tx_check(&tx, FORK_SHANGHAI, 0), TX_INTRINSIC_GAS);
    tx.gas = (1 << 24) + 1;
    CHECK_EQ(tx_check(&tx, FORK_PRAGUE, 0), TX_OK);
    CHECK_EQ(tx_check(&tx, FORK_OSAKA, 0), TX_GAS_ABOVE_CAP);
}

TEST(tx_lists_are_checked)
{
    hash32 blobs[2] = {{{1}}, {{2}}};
    struct tx tx = {.type = TX_BLOB, .gas = 100000, .blob_hashes = blobs, .blob_count = 2};
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 6), TX_BLOB_HASH_VERSION);
    blobs[1].b[0] = 1;
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 6), TX_OK);
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 1), TX_BLOB_TOO_MANY);
    tx.max_priority_fee = U256_ONE;
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 6), TX_TIP_ABOVE_FEE);
    tx.max_fee = U256_ONE;
    tx.is_create = true;
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 6), TX_BLOB_CREATE);
    tx.is_create = false;
    tx.blob_count = 0;
    CHECK_EQ(tx_check(&tx, FORK_CANCUN, 6), TX_BLOB_NONE);
    tx.type = TX_SET_CODE;
    CHECK_EQ(tx_check(&tx, FORK_PRAGUE, 6), TX_SET_CODE_EMPTY);
    tx.nonce = UINT64_MAX;
    CHECK_EQ(tx_check(&tx, FORK_PRAGUE, 6), TX_NONCE_MAX);
}

TEST(tx_price_is_capped_by_what_the_sender_offers)
{
    struct tx tx = {.max_fee = u256_from_u64(100), .max_priority_fee = u256_from_u64(7)};
    CHECK_EQ(u256_low(tx_effective_gas_price(&tx, u256_from_u64(50))), 57);
    CHECK_EQ(u256_low(tx_effective_gas_price(&tx, u256_from_u64(95))), 100);
    CHECK_EQ(u256_low(tx_effective_gas_price(&tx, U256_MAX)), 100);
}
