#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "prim/hex.h"
#include "types/fork_id.h"
#include "types/genesis.h"

static const char GENESIS[] =
    "{\"config\": {\"chainId\": 5, \"homesteadBlock\": 0, \"eip150Block\": 0, \"eip155Block\": 0,"
    "\"eip158Block\": 0, \"byzantiumBlock\": 0, \"constantinopleBlock\": 0, \"istanbulBlock\": 0,"
    "\"berlinBlock\": 0, \"londonBlock\": 0, \"terminalTotalDifficulty\": 0, \"shanghaiTime\": 0,"
    "\"terminalTotalDifficultyPassed\": true, \"ethash\": {},"
    "\"cancunTime\": 10, \"blobSchedule\": {\"cancun\": {\"target\": 1, \"max\": 2, "
    "\"baseFeeUpdateFraction\": 3}}},"
    "\"gasLimit\": \"0x2000\", \"difficulty\": \"0\", \"extraData\": \"0x0102\", \"nonce\": "
    "\"0x42\","
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

/* What is found, one "LINE:COLUMN text" a line; warnings begin with '~'. */
struct report {
    struct buf text;
};

static void note(void *ctx, const struct genesis_finding *finding)
{
    struct report *report = ctx;
    buf_add_format(&report->text, "%s%u:%u %s\n", finding->is_mistake ? "" : "~", finding->line,
                   finding->column, finding->text);
}

static void check_file(const char *text, const char *want)
{
    struct arena arena;
    struct genesis genesis;
    struct report report;
    struct err err;
    arena_init(&arena);
    buf_init(&report.text, 1 << 20);
    enum status status = genesis_check(&genesis, &arena, text, strlen(text), note, &report);
    buf_add_byte(&report.text, 0);
    CHECK_STR((char *)report.text.data, want);
    CHECK_EQ(genesis_parse(&genesis, &arena, text, strlen(text), &err), status);
    buf_fini(&report.text);
    arena_fini(&arena);
}

#define REST "\"gasLimit\": 5000, \"difficulty\": 1, \"alloc\": {}}"

/* Every mistake of a file is named with its place. */
TEST(genesis_mistakes_are_named_and_placed)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", "1:1 must be an object, but is an array\n"},
        {"[1,\n 2", "2:3 parse error: premature EOF\n"},
        {"{}", "1:1 config is missing\n1:1 gasLimit is missing\n1:1 difficulty is missing\n"
               "1:1 alloc is missing\n"},
        {"{\"config\": {\"chainId\": 1}, \"number\": \"0x5\",\n" REST,
         "1:38 number: a chain begins with block 0\n"},
        {"{\"config\": {\"chainId\": 0},\n \"gasLimit\": \"five\", \"difficulty\": 1, \"alloc\": "
         "{}}",
         "1:24 config.chainId: must not be zero\n"
         "2:14 gasLimit: \"five\" is not a decimal or 0x number below 2^256\n"},
        {"{\"config\": {\"chainId\": 1}, \"gaslimits\": 1, \"gasLimit\": 4999, \"gaslimit\": 1,\n"
         "\"difficulty\": 1, \"alloc\": {}}",
         "1:28 gaslimits: is not a key known here; did you mean \"gasLimit\"?\n"
         "1:62 gaslimit: is given twice\n"
         "1:56 gasLimit: no block may have a gas limit below 5000\n"},
        {"{\"config\": {\"chainId\": 1, \"londonBlock\": 0}," REST,
         "1:42 config.londonBlock: comes at block 0, but berlinBlock, which must come before it, "
         "is missing\n"},
        {"{\"config\": {\"chainId\": 1, \"homesteadBlock\": 5,\n\"eip150Block\": 4, "
         "\"eip158Block\": "
         "3}," REST,
         "2:16 config.eip150Block: comes at block 4, but homesteadBlock, which must not be later, "
         "at 5\n"
         "2:34 config.eip158Block: comes at block 3, but eip150Block, which must not be later, at "
         "4\n"},
        {"{\"config\": {\"chainID\": \"0x10000000000000000\"}," REST,
         "~1:13 config.chainID: is written \"chainId\"\n"
         "1:24 config.chainID: does not fit 64 bits\n"},
        {"{\"config\": {\"chainId\": 1, \"amsterdamTime\": 3, \"consensus\": {\"pbft\": {}}}," REST,
         "1:61 config.consensus.pbft: is not a consensus engine that this program has\n"
         "1:27 config.amsterdamTime: Amsterdam's rules are not known here\n"},
        {"{\"config\": {\"chainId\": 1, \"clique\": {\"period\": 5}}," REST,
         "1:27 config.clique: Clique's seals are not known here: a network must begin after the "
         "merge (terminalTotalDifficulty 0) or with ethash\n"},
        {"{\"config\": {\"chainId\": 1}, \"extraData\": \"0x1\"," REST,
         "1:41 extraData: hex text has an odd number of digits\n"},
        {"{\"config\": {\"chainId\": 1, \"blobSchedule\": {\"cancun\": {\"max\": 1}}}," REST,
         "1:44 config.blobSchedule.cancun: target is missing\n"
         "1:44 config.blobSchedule.cancun: baseFeeUpdateFraction is missing\n"},
        {"{\"config\": {\"chainId\": 1}, \"gasLimit\": 5000, \"difficulty\": 1, \"alloc\": {\n"
         "\"0x12\": {},\n"
         "\"0x00000000000000000000000000000000000000aA\": {\"balance\": 1},\n"
         "\"00000000000000000000000000000000000000ag\": {\"balance\": 1},\n"
         "\"00000000000000000000000000000000000000aa\": {\"balance\": \"1\"},\n"
         "\"00000000000000000000000000000000000000ab\": {\"nonce\": 1},\n"
         "\"00000000000000000000000000000000000000ac\": {\"balance\": 1, \"storage\": "
         "{\"0x1\": \"0x2\", \"0x01\": \"\", \"g\": \"\", \"2\": 3}}}}",
         "2:9 alloc.0x12: must be 20 bytes in hex, 40 digits, but has 2\n"
         "4:45 alloc.00000000000000000000000000000000000000ag: has a character that is not a "
         "hexadecimal digit\n"
         "6:1 alloc.00000000000000000000000000000000000000ab: the account has no balance\n"
         "7:103 alloc.00000000000000000000000000000000000000ac.storage.g: \"g\" is not a word of "
         "up to 32 bytes in hex\n"
         "7:112 alloc.00000000000000000000000000000000000000ac.storage.2: must be a string, but is "
         "a number\n"
         "7:86 alloc.00000000000000000000000000000000000000ac.storage.0x01: the slot is given "
         "twice\n"
         "5:1 alloc.00000000000000000000000000000000000000aa: the address is given twice\n"},
        {"{\"config\": {\"chainId\": 1, \"londonBlock\": null, \"londonBlock\": null}," REST,
         "1:48 config.londonBlock: is given twice\n"},
        {"{\"con\\u001bfig\": 1}",
         "1:2 con?fig: is not a key known here; did you mean \"config\"?\n1:1 config is missing\n"
         "1:1 gasLimit is missing\n1:1 difficulty is missing\n1:1 alloc is missing\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_file(cases[i].text, cases[i].words);
}

TEST(genesis_times_need_what_comes_before_them)
{
    static const char *const common =
        "{\"config\": {\"chainId\": 1, \"homesteadBlock\": 0, \"eip150Block\": 0, \"eip155Block\": "
        "0, \"eip158Block\": 0, \"byzantiumBlock\": 0, \"constantinopleBlock\": 0, "
        "\"istanbulBlock\": 0, \"berlinBlock\": 0, \"londonBlock\": 0, \"mergeNetsplitBlock\": "
        "7,\n";
    static const struct {
        const char *more, *words;
    } cases[] = {
        {"\"shanghaiTime\": 1}," REST,
         "2:17 config.shanghaiTime: is set, but terminalTotalDifficulty is missing\n"},
        {"\"terminalTotalDifficulty\": 0, \"cancunTime\": 1}," REST,
         "2:45 config.cancunTime: comes at time 1, but shanghaiTime, which must come before it, is "
         "missing\n"
         "2:31 config.cancunTime: blobSchedule has no entry \"cancun\", such as {\"target\": 3, "
         "\"max\": 6, \"baseFeeUpdateFraction\": 3338477}\n"},
        {"\"terminalTotalDifficulty\": 0, \"shanghaiTime\": 5, \"bpo1Time\": 4}," REST,
         "2:62 config.bpo1Time: comes at time 4, but osakaTime, which must come before it, is "
         "missing\n"
         "2:50 config.bpo1Time: blobSchedule has no entry \"bpo1\", such as {\"target\": 10, "
         "\"max\": 15, \"baseFeeUpdateFraction\": 8346193}\n"},
        {"\"terminalTotalDifficulty\": 0, \"shanghaiTime\": 1}," REST, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s%s", common, cases[i].more);
        check_file(text, cases[i].words);
    }
}

TEST(genesis_stops_after_many_mistakes)
{
    struct arena arena;
    struct genesis genesis;
    struct report report;
    struct buf text;
    size_t lines = 0;
    arena_init(&arena);
    buf_init(&text, 1 << 20);
    buf_init(&report.text, 1 << 20);
    buf_add_text(&text, "{");
    for (int i = 0; i < 1000; i++)
        buf_add_format(&text, "\"key%d\": 1, ", i);
    buf_add_text(&text, "\"x\": 1}");
    CHECK_EQ(genesis_check(&genesis, &arena, (char *)text.data, text.len, note, &report),
             STATUS_INVALID);
    for (size_t i = 0; i < report.text.len; i++)
        lines += report.text.data[i] == '\n';
    CHECK_EQ(lines, GENESIS_FINDINGS_MAX);
    buf_fini(&report.text);
    buf_fini(&text);
    arena_fini(&arena);
}

/* Mainnet's, as EIP-2124, EIP-6122 and the clients' tests list them. */
TEST(fork_ids_are_mainnets)
{
    static const struct {
        u64 number, timestamp;
        u32 hash;
        u64 next;
    } cases[] = {
        {0, 0, 0xfc64ec04, 1150000},
        {1150000, 0, 0x97c2c34c, 1920000},
        {1920000, 0, 0x91d1f948, 2463000},
        {2675000, 0, 0x3edd5b10, 4370000},
        {7280000, 0, 0x668db0af, 9069000},
        {9200000, 0, 0xe029e991, 12244000},
        {15050000, 0, 0xf0afd0e3, 1681338455},
        {20000000, 1681338455, 0xdce96c2d, 1710338135},
        {30000000, 1746612311, 0xc376cf8b, 1764798551},
        {30000000, 1765290071, 0xcba2a1c0, 1767747671},
        {50000000, 2000000000, 0x07c9462e, 0},
    };
    struct chain_config config;
    hash32 hash;
    chain_config_init(&config, FORK_FRONTIER);
    static const u64 at[FORK_COUNT] = {0,       1150000,    2463000,    2675000,    4370000,
                                       7280000, 7280000,    9069000,    12244000,   12965000,
                                       0,       1681338455, 1710338135, 1746612311, 1764798551};
    memcpy(config.fork_at, at, sizeof at);
    config.dao_block = 1920000;
    config.muir_glacier = 9200000;
    config.arrow_glacier = 13773000;
    config.gray_glacier = 15050000;
    config.blob_at[BLOB_UPGRADE_BPO1] = 1765290071;
    config.blob_at[BLOB_UPGRADE_BPO2] = 1767747671;
    static const char *const genesis =
        "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
    CHECK_EQ(hex_decode_exact(hash.b, sizeof hash.b, genesis, strlen(genesis)), HEX_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fork_id id = fork_id_at(&config, &hash, 0, cases[i].number, cases[i].timestamp);
        CHECK_EQ(id.hash, cases[i].hash);
        CHECK_EQ(id.next, cases[i].next);
    }
}
