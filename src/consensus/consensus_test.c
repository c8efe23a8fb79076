#include <string.h>

#include "base/test.h"
#include "consensus/difficulty.h"
#include "consensus/ethash.h"
#include "consensus/fee.h"
#include "consensus/reward.h"
#include "consensus/rules.h"
#include "prim/hex.h"

static hash32 hash_of(const char *hex)
{
    hash32 hash;
    CHECK_EQ(hex_decode_bare(hash.b, hex, strlen(hex)), HEX_OK);
    return hash;
}

TEST(difficulty_moves_as_each_fork_says)
{
    struct difficulty_parent parent = {u256_from_u64(20480000), 1000, false};
    CHECK_EQ(u256_low(difficulty_next(FORK_FRONTIER, 0, 1, 1012, &parent)), 20490000);
    CHECK_EQ(u256_low(difficulty_next(FORK_FRONTIER, 0, 1, 1013, &parent)), 20470000);
    CHECK_EQ(u256_low(difficulty_next(FORK_HOMESTEAD, 0, 1, 1009, &parent)), 20490000);
    CHECK_EQ(u256_low(difficulty_next(FORK_HOMESTEAD, 0, 1, 1025, &parent)), 20470000);
    CHECK_EQ(u256_low(difficulty_next(FORK_HOMESTEAD, 0, 1, 900000, &parent)),
             20480000 - 99 * 10000);
    parent.has_ommers = true;
    CHECK_EQ(u256_low(difficulty_next(FORK_BYZANTIUM, 3000000, 1, 1001, &parent)), 20500000);
    /* The bomb: 2 to the power of its period less two. */
    CHECK_EQ(u256_low(difficulty_next(FORK_HOMESTEAD, 0, 400000, 1010, &parent)), 20480004);
    CHECK_EQ(u256_low(difficulty_next(FORK_BYZANTIUM, 3000000, 3400000, 1010, &parent)), 20490004);
    parent.difficulty = u256_from_u64(131072);
    CHECK_EQ(u256_low(difficulty_next(FORK_HOMESTEAD, 0, 1, 5000, &parent)), 131072);
}

/* The steps of EIP-1559's reference and of go-ethereum's table: at, below and above the target. */
TEST(fee_follows_how_full_the_parent_was)
{
    u256 billion = u256_from_u64(1000000000);
    CHECK_EQ(u256_low(fee_base_next(20000000, 10000000, billion)), 1000000000);
    CHECK_EQ(u256_low(fee_base_next(20000000, 9000000, billion)), 987500000);
    CHECK_EQ(u256_low(fee_base_next(20000000, 11000000, billion)), 1012500000);
    CHECK_EQ(u256_low(fee_base_next(20000000, 20000000, U256_ONE)), 2);
}

TEST(fee_of_blobs_grows_with_the_excess)
{
    CHECK_EQ(u256_low(fee_blob_base(0, 3338477)), 1);
    CHECK_EQ(u256_low(fee_blob_base(2314057, 3338477)), 1);
    CHECK_EQ(u256_low(fee_blob_base(2314058, 3338477)), 2);
    CHECK_EQ(u256_low(fee_blob_base(10 * 1024 * 1024, 3338477)), 23);
    CHECK(u256_eq(fee_blob_base(UINT64_MAX, 1), U256_MAX));
    struct blob_params params = {3, 6, 3338477};
    u256 fee = u256_from_u64(7);
    CHECK_EQ(fee_excess_blob_gas(FORK_CANCUN, &params, 0, 3 * TX_BLOB_GAS, fee), 0);
    CHECK_EQ(fee_excess_blob_gas(FORK_CANCUN, &params, 0, 4 * TX_BLOB_GAS, fee), TX_BLOB_GAS);
    /* EIP-7918: with execution gas this dear the excess does not fall. */
    fee = u256_from_u64(1000000000);
    CHECK_EQ(fee_excess_blob_gas(FORK_OSAKA, &params, 3 * TX_BLOB_GAS, 0, fee), 3 * TX_BLOB_GAS);
    CHECK_EQ(fee_excess_blob_gas(FORK_PRAGUE, &params, 3 * TX_BLOB_GAS, 0, fee), 0);
}

TEST(reward_is_shared_with_ommers)
{
    u256 five = reward_block(FORK_HOMESTEAD);
    CHECK_EQ(u256_low(five), 5000000000000000000);
    CHECK_EQ(u256_low(reward_block(FORK_PETERSBURG)), 2000000000000000000);
    CHECK(u256_is_zero(reward_block(FORK_PARIS)));
    CHECK_EQ(u256_low(reward_ommer(five, 10, 9)), 4375000000000000000);
    CHECK_EQ(u256_low(reward_nephew(five)), 156250000000000000);
    CHECK_EQ(u256_low(reward_sealer(five, 0)), 5000000000000000000);
    CHECK_EQ(u256_low(reward_sealer(five, 2)), 5312500000000000000);
}

TEST(rules_let_the_gas_limit_step_only_so_far)
{
    CHECK(rules_gas_limit_follows(1024000 + 999, 1024000));
    CHECK(!rules_gas_limit_follows(1024000 + 1000, 1024000));
    CHECK(!rules_gas_limit_follows(1024000 - 1000, 1024000));
    CHECK_EQ(rules_gas_limit_towards(60000000, 1024000), 1024000 + 999);
    CHECK_EQ(rules_gas_limit_towards(5000, 1024000), 1024000 - 999);
    CHECK_EQ(rules_gas_limit_towards(1024000 + 999, 1024000), 1024000 + 999);
    CHECK_EQ(rules_gas_limit_towards(1024000 - 999, 1024000), 1024000 - 999);
    CHECK_EQ(rules_gas_limit_towards(1024000, 1024000), 1024000);
}

TEST(rules_name_what_is_wrong_with_a_header)
{
    struct chain_config config;
    chain_config_init(&config, FORK_PRAGUE);
    struct header parent = {
        .fields = HEADER_FIELDS_PRAGUE,
        .ommers_hash = HEADER_NO_OMMERS,
        .number = 9,
        .gas_limit = 30000000,
        .gas_used = 15000000,
        .timestamp = 100,
        .base_fee = u256_from_u64(7),
    };
    struct header good = parent, bad;
    good.number = 10;
    good.timestamp = 101;
    CHECK_EQ(rules_check_header(&config, &good, &parent, U256_ZERO), BLOCK_OK);
#define REFUSED(change, verdict)                                                  \
    do {                                                                          \
        bad = good;                                                               \
        change;                                                                   \
        CHECK_EQ(rules_check_header(&config, &bad, &parent, U256_ZERO), verdict); \
    } while (0)
    REFUSED(bad.number = 11, BLOCK_NUMBER);
    REFUSED(bad.timestamp = 100, BLOCK_TIMESTAMP);
    REFUSED(bad.fields = HEADER_FIELDS_CANCUN, BLOCK_HEADER_FIELDS);
    REFUSED(bad.gas_limit = 31000000, BLOCK_GAS_LIMIT);
    REFUSED(bad.gas_used = 30000001, BLOCK_GAS_ABOVE_LIMIT);
    REFUSED(bad.extra_len = 33, BLOCK_EXTRA_DATA);
    REFUSED(bad.difficulty = U256_ONE, BLOCK_TERMINAL);
    REFUSED(bad.nonce[0] = 1, BLOCK_NONCE);
    REFUSED(bad.ommers_hash = (hash32){{0}}, BLOCK_OMMERS_HASH);
    REFUSED(bad.base_fee = u256_from_u64(8), BLOCK_BASE_FEE);
    REFUSED(bad.blob_gas_used = 10 * TX_BLOB_GAS, BLOCK_BLOB_GAS_USED);
    REFUSED(bad.blob_gas_used = 1, BLOCK_BLOB_GAS_USED);
    REFUSED(bad.excess_blob_gas = 1, BLOCK_EXCESS_BLOB_GAS);
#undef REFUSED
}

/* Source: ethereum/tests, PoWTests/ethash_tests.json. */
TEST(ethash_agrees_with_the_official_proofs)
{
    static const struct {
        const char *nonce, *mix, *seal_hash, *result;
    } cases[] = {
        {"4242424242424242", "58f759ede17a706c93f13030328bcea40c1d1341fb26f2facd21ceb0dae57017",
         "2a8de2adf89af77358250bf908bf04ba94a6e8c3ba87775564a41d269a05e4ce",
         "dd47fd2d98db51078356852d7c4014e6a5d6c387c35f40e2875b74a256ed7906"},
        {"307692cf71b12f6d", "e55d02c555a7969361cf74a9ec6211d8c14e4517930a00442f171bdb1698d175",
         "100cbec5e5ef82991290d0d93d758f19082e71f234cf479192a8b94df6da6bfe",
         "ab9b13423cface72cbec8424221651bc2e384ef0f7a560e038fc68c8d8684829"},
    };
    struct ethash *ethash = ethash_new();
    CHECK_EQ(ethash_cache_size(0), 16776896);
    CHECK_EQ(ethash_dataset_size(0), 1073739904);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        u8 nonce[8];
        hash32 mix, result, seal = hash_of(cases[i].seal_hash);
        hash32 wanted = hash_of(cases[i].mix), wanted_result = hash_of(cases[i].result);
        CHECK_EQ(hex_decode_bare(nonce, cases[i].nonce, 16), HEX_OK);
        ethash_hash(ethash, 0, &seal, nonce, &mix, &result);
        CHECK_MEM(mix.b, wanted.b, sizeof mix);
        CHECK_MEM(result.b, wanted_result.b, sizeof result);
        CHECK(ethash_verify(ethash, 0, &seal, nonce, &mix, U256_ONE));
        CHECK(!ethash_verify(ethash, 0, &seal, nonce, &mix, U256_MAX));
        mix.b[0] ^= 1;
        CHECK(!ethash_verify(ethash, 0, &seal, nonce, &mix, U256_ONE));
    }
    ethash_free(ethash);
}
