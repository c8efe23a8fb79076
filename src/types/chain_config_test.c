#include <string.h>

#include "base/test.h"
#include "types/chain_config.h"
#include "types/genesis.h"

static enum fork fork_at(const char *network, u64 number, u64 timestamp, u64 td)
{
    struct chain_config config;
    CHECK(chain_config_named(&config, network));
    return chain_config_fork(&config, number, timestamp, u256_from_u64(td));
}

TEST(chain_config_knows_the_networks_of_the_official_tests)
{
    CHECK_EQ(fork_at("Frontier", 1, 1, 0), FORK_FRONTIER);
    CHECK_EQ(fork_at("EIP158", 1, 1, 0), FORK_SPURIOUS);
    CHECK_EQ(fork_at("ConstantinopleFix", 0, 0, 0), FORK_PETERSBURG);
    CHECK_EQ(fork_at("BPO4", 1, 1, 0), FORK_OSAKA);
    CHECK_EQ(fork_at("HomesteadToEIP150At5", 4, 9, 0), FORK_HOMESTEAD);
    CHECK_EQ(fork_at("HomesteadToEIP150At5", 5, 9, 0), FORK_TANGERINE);
    CHECK_EQ(fork_at("ByzantiumToConstantinopleFixAt5", 5, 9, 0), FORK_PETERSBURG);
    CHECK_EQ(fork_at("PragueToOsakaAtTime15k", 5, 14999, 0), FORK_PRAGUE);
    CHECK_EQ(fork_at("PragueToOsakaAtTime15k", 5, 15000, 0), FORK_OSAKA);
    CHECK_EQ(fork_at("ArrowGlacierToParisAtDiffC0000", 5, 9, 0xbffff), FORK_LONDON);
    CHECK_EQ(fork_at("ArrowGlacierToParisAtDiffC0000", 5, 9, 0xc0000), FORK_PARIS);
    CHECK_EQ(fork_at("Cancun", 1, UINT64_MAX, 0), FORK_CANCUN);
    struct chain_config config;
    CHECK(!chain_config_named(&config, "Atlantis"));
    CHECK(!chain_config_named(&config, "LondonToAtlantisAt5"));
    CHECK(!chain_config_named(&config, "LondonToParisAt5x"));
}

TEST(chain_config_gives_the_blob_schedules_row)
{
    struct chain_config config;
    CHECK(chain_config_named(&config, "BPO1ToBPO2AtTime15k"));
    CHECK_EQ(chain_config_blob_params(&config, 14999)->max, 15);
    CHECK_EQ(chain_config_blob_params(&config, 15000)->max, 21);
    CHECK_EQ(chain_config_tx_blobs_max(&config, FORK_OSAKA, 15000), 6);
    CHECK(chain_config_set_blob(&config, "BPO2", 1, 2, 3));
    CHECK_EQ(chain_config_blob_params(&config, 15000)->max, 2);
    CHECK(!chain_config_set_blob(&config, "BPO9", 1, 2, 3));
    chain_config_init(&config, FORK_SHANGHAI);
    CHECK(!chain_config_blob_params(&config, 15000));
}

static const char GENESIS[] =
    "{\"config\": {\"chainId\": 5, \"homesteadBlock\": 0, \"eip150Block\": 0, \"eip155Block\": 0,"
    "\"eip158Block\": 0, \"byzantiumBlock\": 0, \"constantinopleBlock\": 0, \"istanbulBlock\": 0,"
    "\"berlinBlock\": 0, \"londonBlock\": 0, \"terminalTotalDifficulty\": 0, \"shanghaiTime\": 0,"
    "\"cancunTime\": 10, \"blobSchedule\": {\"cancun\": {\"target\": 1, \"max\": 2, "
    "\"baseFeeUpdateFraction\": 3}}},"
    "\"gasLimit\": \"0x1000\", \"extraData\": \"0x0102\", \"nonce\": \"0x42\","
    "\"alloc\": {\"00000000000000000000000000000000000000aa\": {\"balance\": \"12\","
    "\"code\": \"0x6001\", \"storage\": {\"0x01\": \"0x02\"}}}}";

TEST(genesis_is_read)
{
    struct arena arena;
    struct genesis genesis;
    struct err err;
    arena_init(&arena);
    CHECK_EQ(genesis_parse(&genesis, &arena, GENESIS, sizeof GENESIS - 1, &err), STATUS_OK);
    CHECK_EQ(genesis.config.chain_id, 5);
    CHECK_EQ(genesis.config.fork_at[FORK_PETERSBURG], 0);
    CHECK_EQ(genesis.config.blob[BLOB_UPGRADE_CANCUN].update_fraction, 3);
    CHECK_EQ(chain_config_fork(&genesis.config, 1, 9, U256_ZERO), FORK_SHANGHAI);
    CHECK_EQ(chain_config_fork(&genesis.config, 1, 10, U256_ZERO), FORK_CANCUN);
    CHECK_EQ(genesis.header.fields, HEADER_FIELDS_SHANGHAI);
    CHECK_EQ(genesis.header.nonce[7], 0x42);
    CHECK_EQ(genesis.header.extra_len, 2);
    CHECK_EQ(genesis.account_count, 1);
    CHECK_EQ(u256_low(genesis.accounts[0].balance), 12);
    CHECK_EQ(genesis.accounts[0].slots[0].value.b[31], 2);
    arena_fini(&arena);
}

/* Each mistake, and the words that must name it. */
TEST(genesis_mistakes_are_named)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", "object"},
        {"{\"gasLimit\": 1}", "config is missing"},
        {"{\"config\": {}}", "gasLimit is missing"},
        {"{\"config\": {}, \"gasLimit\": \"five\"}", "gasLimit"},
        {"{\"config\": {}, \"gasLimit\": 1, \"gaslimit\": 1}", "gaslimit is not a key"},
        {"{\"config\": {\"londonblock\": 0}, \"gasLimit\": 1}", "config: londonblock"},
        {"{\"config\": {\"londonBlock\": 0}, \"gasLimit\": 1}", "londonBlock is earlier"},
        {"{\"config\": {\"chainId\": \"0x10000000000000000\"}, \"gasLimit\": 1}", "64 bits"},
        {"{\"config\": {}, \"gasLimit\": 1, \"alloc\": {\"0x12\": {}}}", "alloc.0x12"},
        {"{\"config\": {}, \"gasLimit\": 1, \"extraData\": \"0x1\"}", "extraData"},
        {"{\"config\": {\"blobSchedule\": {\"cancun\": {\"max\": 1}}}}", "blobSchedule.cancun"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        struct genesis genesis;
        struct err err = {""};
        arena_init(&arena);
        CHECK_EQ(genesis_parse(&genesis, &arena, cases[i].text, strlen(cases[i].text), &err),
                 STATUS_INVALID);
        if (!strstr(err.text, cases[i].words))
            CHECK_STR(err.text, cases[i].words);
        arena_fini(&arena);
    }
}

TEST(fork_names_in_common_use_are_understood)
{
    enum fork fork = FORK_FRONTIER;
    CHECK(fork_parse(&fork, "merge"));
    CHECK_EQ(fork, FORK_PARIS);
    CHECK(fork_parse(&fork, "SPURIOUSDRAGON"));
    CHECK_EQ(fork, FORK_SPURIOUS);
    CHECK(!fork_parse(&fork, "nofork"));
    CHECK_EQ(fork, FORK_SPURIOUS);
    for (enum fork f = FORK_FRONTIER; f < FORK_COUNT; f++) {
        CHECK(fork_parse(&fork, fork_name(f)));
        CHECK_EQ(fork, f);
    }
}
