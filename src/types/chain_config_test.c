#include "base/test.h"
#include "types/chain_config.h"

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
