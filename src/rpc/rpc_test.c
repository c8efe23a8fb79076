#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "db/db.h"
#include "prim/json.h"
#include "rpc/call.h"
#include "rpc/typed_data_fixture.h"
#include "sys/file.h"

/* A chain with its RPC, spoken to in texts. */
struct bench {
    struct loop *loop;
    struct dev *dev;
    struct rpc *rpc;
    struct buf out;
    size_t most; /* bytes of its arena, as far as noted */
};

#define ALICE "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define BOB   "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"

static struct rpc_options small_options(void)
{
    struct rpc_options options = rpc_options_default();
    options.batch_max = 3;
    options.seed = 1;
    return options;
}

static void bench_open_with(struct bench *bench, const struct dev_options *dev,
                            const struct rpc_options *options)
{
    struct err err;
    CHECK_EQ(loop_new(&bench->loop, &err), STATUS_OK);
    CHECK_EQ(dev_open(&bench->dev, bench->loop, dev, &err), STATUS_OK);
    bench->rpc = rpc_new(bench->dev, options);
    buf_init(&bench->out, 0);
}

static void bench_open_as(struct bench *bench, const struct dev_options *dev)
{
    struct rpc_options options = small_options();
    bench_open_with(bench, dev, &options);
}

static void bench_open(struct bench *bench, u64 block_time_ms)
{
    struct dev_options dev = dev_options_default();
    dev.accounts = 2;
    dev.block_time_ms = block_time_ms;
    bench_open_as(bench, &dev);
}

static void bench_close(struct bench *bench)
{
    buf_fini(&bench->out);
    rpc_free(bench->rpc);
    dev_close(bench->dev);
    loop_free(bench->loop);
}

static const char *ask(struct bench *bench, const char *request)
{
    rpc_handle(bench->rpc, request, strlen(request), &bench->out);
    buf_add_byte(&bench->out, 0);
    return (const char *)bench->out.data;
}

static const char *call(struct bench *bench, const char *method, const char *params)
{
    char text[8192];
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method, params);
    return ask(bench, text);
}

#define OK(value) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" value "}"

static void check_error(struct bench *bench, const char *method, const char *params,
                        const char *code_and_message)
{
    char want[600];
    snprintf(want, sizeof want, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":%s}", code_and_message);
    CHECK_STR(call(bench, method, params), want);
}

TEST(rpc_answers_the_envelope_exactly)
{
    struct bench bench;
    bench_open(&bench, 0);
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0001\",\"method\":\"eth_chainId\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":\"a\\u0001\",\"result\":\"0x7a69\"}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":-1.50,\"method\":\"eth_chainId\",\"params\":null}",
         "{\"jsonrpc\":\"2.0\",\"id\":-1.50,\"result\":\"0x7a69\"}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"eth_chainId\",\"params\":[]}",
         "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":\"0x7a69\"}"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}", ""},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\"}]", ""},
        {"[{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"x\"},7,"
         "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_chainId\"}]",
         "[{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,\"message\":"
         "\"the method x does not exist/is not available\"}},"
         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
         "\"invalid request: not an object\"}},"
         "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":\"0x7a69\"}]"},
        {"[]", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
               "\"message\":\"empty batch\"}}"},
        {"[1,1,1,1]", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
                      "\"message\":\"batch too large: 4 requests, limit 3\"}}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"eth_chainId\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
         "\"invalid request: \\\"id\\\" must be a string, a number or null\"}}"},
        {"{\"id\":1,\"method\":\"eth_chainId\"}",
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600,\"message\":"
         "\"invalid request: \\\"jsonrpc\\\" must be \\\"2.0\\\"\"}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(ask(&bench, cases[i].request), cases[i].answer);
    CHECK(strstr(ask(&bench, "{\"jsonrpc\":"), "-32700"));
    CHECK(strstr(ask(&bench, ""), "-32700"));
    CHECK(strstr(ask(&bench, "\xff"), "-32700"));
    bench_close(&bench);
}

TEST(rpc_checks_parameters_in_one_voice)
{
    struct bench bench;
    bench_open(&bench, 0);
    check_error(&bench, "eth_getBalance", "[]",
                "{\"code\":-32602,\"message\":\"missing value for required argument 0\"}");
    check_error(&bench, "eth_getBalance", "[\"0x12\"]",
                "{\"code\":-32602,\"message\":\"invalid argument 0: hex string has length 2, want "
                "40\"}");
    check_error(&bench, "eth_getBalance", "[7]",
                "{\"code\":-32602,\"message\":\"invalid argument 0: a number where a string was "
                "expected\"}");
    check_error(&bench, "eth_getBlockByNumber", "[\"0x01\",false]",
                "{\"code\":-32602,\"message\":\"invalid block number: hex number with leading zero "
                "digits\"}");
    check_error(&bench, "eth_getBlockByNumber", "[\"0x10000000000000000\",false]",
                "{\"code\":-32602,\"message\":\"invalid block number: hex number > 64 bits\"}");
    check_error(&bench, "eth_chainId", "[1]",
                "{\"code\":-32602,\"message\":\"too many arguments, want at most 0\"}");
    check_error(&bench, "eth_chainId", "{}",
                "{\"code\":-32602,\"message\":\"params must be an array, not an object\"}");
    check_error(&bench, "eth_getBalance", "[\"" ALICE "\",\"0x99\"]",
                "{\"code\":-32000,\"message\":\"header not found\"}");
    bench_close(&bench);
}

TEST(rpc_seals_a_transfer_at_once_and_keeps_the_past)
{
    struct bench bench;
    bench_open(&bench, 0);
    CHECK(strstr(call(&bench, "eth_sendTransaction",
                      "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x5\"}]"),
                 "\"result\":\"0x"));
    CHECK_STR(call(&bench, "eth_blockNumber", "[]"), OK("\"0x1\""));
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\",\"0x0\"]"),
              OK("\"0x21e19e0c9bab2400000\""));
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\"]"), OK("\"0x21e19e0c9bab2400005\""));
    CHECK_STR(call(&bench, "eth_getTransactionCount", "[\"" ALICE "\",\"pending\"]"),
              OK("\"0x1\""));
    bench_close(&bench);
}

/* PUSH1 5, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, then RETURN or REVERT. */
#define ANSWER_FIVE "0x600560005260206000f3"
#define FAIL_FIVE   "0x600560005260206000fd"

TEST(rpc_calls_with_overrides_and_tells_of_reverts)
{
    struct bench bench;
    bench_open(&bench, 0);
    CHECK_STR(call(&bench, "eth_call",
                   "[{\"to\":\"" BOB "\"},\"latest\",{\"" BOB "\":{\"code\":\"" ANSWER_FIVE
                   "\"}}]"),
              OK("\"0x0000000000000000000000000000000000000000000000000000000000000005\""));
    check_error(&bench, "eth_call",
                "[{\"to\":\"" BOB "\"},\"latest\",{\"" BOB "\":{\"code\":\"" FAIL_FIVE "\"}}]",
                "{\"code\":3,\"message\":\"execution reverted\",\"data\":"
                "\"0x0000000000000000000000000000000000000000000000000000000000000005\"}");
    check_error(&bench, "eth_call", "[{\"to\":\"" BOB "\"},\"latest\",{\"" BOB "\":{\"cod\":1}}]",
                "{\"code\":-32602,\"message\":\"state override: there is no field \\\"cod\\\" "
                "(balance, nonce, code, state, stateDiff, movePrecompileToAddress)\"}");
    CHECK_STR(call(&bench, "eth_getCode", "[\"" BOB "\"]"), OK("\"0x\""));
    CHECK_STR(call(&bench, "eth_estimateGas",
                   "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x1\"}]"),
              OK("\"0x5208\""));
    bench_close(&bench);
}

/* An address where nothing is, and one that a hash is asked of. */
#define EMPTY "0x0000000000000000000000000000000000001234"
#define SHA   "0x0000000000000000000000000000000000000002"
#define HASH  "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TEST(rpc_calls_a_precompile_that_was_moved)
{
    struct bench bench;
    bench_open(&bench, 0);
#define MOVED "\"latest\",{\"" SHA "\":{\"movePrecompileToAddress\":\"" EMPTY "\"}}]"
    CHECK_STR(call(&bench, "eth_call", "[{\"to\":\"" EMPTY "\"}," MOVED), OK("\"" HASH "\""));
    CHECK_STR(call(&bench, "eth_call", "[{\"to\":\"" SHA "\"}," MOVED), OK("\"0x\""));
    CHECK_STR(call(&bench, "eth_call", "[{\"to\":\"" SHA "\"}]"), OK("\"" HASH "\""));
    CHECK(strstr(call(&bench, "eth_estimateGas", "[{\"to\":\"" EMPTY "\"}," MOVED), "0x"));
    CHECK_STR(call(&bench, "eth_call",
                   "[{\"to\":\"" SHA "\"},\"latest\",{\"" SHA "\":{\"code\":\"" ANSWER_FIVE
                   "\"}}]"),
              OK("\"0x0000000000000000000000000000000000000000000000000000000000000005\""));
    check_error(&bench, "eth_call",
                "[{\"to\":\"" SHA "\"},\"latest\",{\"" BOB
                "\":{\"movePrecompileToAddress\":\"" EMPTY "\"}}]",
                "{\"code\":-32000,\"message\":\"account " BOB " is not a precompile\"}");
    check_error(&bench, "eth_call",
                "[{\"to\":\"" SHA "\"},\"latest\",{\"" SHA "\":{\"movePrecompileToAddress\":\"" SHA
                "\"}}]",
                "{\"code\":-32000,\"message\":\"account " SHA " is already overridden\"}");
    check_error(&bench, "eth_call", "[{},\"latest\",{},{\"withdrawals\":[]}]",
                "{\"code\":-32000,\"message\":\"block override \\\"withdrawals\\\" is not "
                "supported for this RPC method\"}");
    bench_close(&bench);
}

/* The first value of a member in the latest answer. */
static void member_of(struct bench *bench, const char *name, char out[80])
{
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *found = strstr((const char *)bench->out.data, quoted);
    CHECK(found);
    found += strlen(quoted);
    size_t len = strcspn(found, "\"");
    CHECK(len < 80);
    memcpy(out, found, len);
    out[len] = 0;
}

TEST(rpc_simulates_the_same_on_a_block_whether_or_not_it_is_the_newest)
{
    struct bench bench;
    char before[80], after[80], root[80], request[1000];
    bench_open(&bench, 0);
    static const char simulation[] =
        "[{\"blockStateCalls\":[{\"blockOverrides\":{\"number\":\"0x4\"},\"stateOverrides\":"
        "{\"" BOB "\":{\"code\":\"" ANSWER_FIVE "\",\"balance\":\"0x9\"}},\"calls\":"
        "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x1\"}]}]},\"0x0\"]";
    call(&bench, "eth_simulateV1", simulation);
    CHECK(strstr((const char *)bench.out.data, "\"number\":\"0x4\""));
    member_of(&bench, "hash", before);
    for (int i = 0; i < 3; i++)
        call(&bench, "eth_sendTransaction",
             "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x5\"}]");
    call(&bench, "eth_simulateV1", simulation);
    member_of(&bench, "hash", after);
    CHECK_STR(after, before);
    /* The head is as it was. */
    call(&bench, "eth_getBlockByNumber", "[\"latest\",false]");
    member_of(&bench, "hash", after);
    member_of(&bench, "stateRoot", root);
    snprintf(request, sizeof request,
             "[\"%s\",{\"timestamp\":\"0xffffffff\",\"prevRandao\":\"%s\","
             "\"suggestedFeeRecipient\":\"" BOB "\",\"withdrawals\":[],"
             "\"parentBeaconBlockRoot\":\"%s\"},[]]",
             after, after, after);
    CHECK(strstr(call(&bench, "testing_buildBlockV1", request), "\"blockNumber\":\"0x4\""));
    CHECK(strstr((const char *)bench.out.data, "\"blockValue\":\"0x0\""));
    call(&bench, "eth_getBlockByNumber", "[\"latest\",false]");
    member_of(&bench, "stateRoot", before);
    CHECK_STR(before, root);
    bench_close(&bench);
}

#define MOST "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\""

TEST(rpc_survives_more_ether_than_there_is)
{
    struct bench bench;
    bench_open(&bench, 0);
    CHECK_STR(call(&bench, "eth_call",
                   "[{\"from\":\"" ALICE "\",\"to\":\"" BOB
                   "\",\"value\":\"0x5\"},\"latest\",{\"" ALICE "\":{\"balance\":" MOST "},\"" BOB
                   "\":{\"balance\":" MOST "}}]"),
              OK("\"0x\""));
    call(&bench, "anvil_setBalance", "[\"" BOB "\"," MOST "]");
    call(&bench, "eth_sendTransaction",
         "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x3\"}]");
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\"]"), OK("\"0x2\""));
    bench_close(&bench);
}

/* The first filter's id, as the parameters of a poll. */
static void made_filter(const char *answer, char params[64])
{
    const char *id = strstr(answer, "\"result\":");
    CHECK(id);
    snprintf(params, 64, "[%.*s]", (int)strcspn(id + 9, "}"), id + 9);
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

TEST(rpc_filter_tells_again_of_blocks_that_came_in_the_place_of_others)
{
    struct bench bench;
    char filter[64];
    bench_open(&bench, 0);
    made_filter(call(&bench, "eth_newBlockFilter", "[]"), filter);
    call(&bench, "anvil_mine", "[10]");
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"0x"), 10);
    call(&bench, "anvil_rollback", "[5]");
    call(&bench, "anvil_mine", "[7]");
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"0x"), 7);
    CHECK_STR(call(&bench, "eth_getFilterChanges", filter), OK("[]"));
    bench_close(&bench);
}

/* A transaction with one log. */
static const char log_sent[] = "[{\"from\":\"" ALICE "\",\"data\":\"0x60006000a0\"}]";

TEST(rpc_filter_takes_back_logs_of_blocks_that_left)
{
    struct bench bench;
    char filter[64];
    bench_open(&bench, 0);
    made_filter(call(&bench, "eth_newFilter", "[{}]"), filter);
    for (int i = 0; i < 3; i++)
        call(&bench, "eth_sendTransaction", log_sent);
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"removed\":false"), 3);
    call(&bench, "eth_sendTransaction", log_sent); /* not told of, and never will be */
    call(&bench, "anvil_rollback", "[3]");
    call(&bench, "eth_sendTransaction", log_sent);
    const char *changes = call(&bench, "eth_getFilterChanges", filter);
    CHECK_EQ(count_of(changes, "\"removed\":true"), 2);
    CHECK_EQ(count_of(changes, "\"removed\":false"), 1);
    const char *third = strstr(changes, "\"blockNumber\":\"0x3\"");
    CHECK(third && strstr(third, "\"blockNumber\":\"0x2\""));
    CHECK(strstr(changes, "\"removed\":false") > strstr(third, "\"removed\":true"));
    CHECK_STR(call(&bench, "eth_getFilterChanges", filter), OK("[]"));
    bench_close(&bench);
}

TEST(rpc_filter_is_dropped_when_more_was_taken_back_than_is_kept)
{
    struct dev_options dev = dev_options_default();
    struct rpc_options options = small_options();
    struct bench bench;
    char filter[64];
    options.answer_max = 16 * 1024; /* of which a sixteenth */
    bench_open_with(&bench, &dev, &options);
    made_filter(call(&bench, "eth_newFilter", "[{}]"), filter);
    for (int i = 0; i < 5; i++)
        call(&bench, "eth_sendTransaction", log_sent);
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"removed\":false"), 5);
    call(&bench, "anvil_rollback", "[5]");
    check_error(&bench, "eth_getFilterChanges", filter,
                "{\"code\":-32005,\"message\":\"more logs were taken back than filters keep; the "
                "filter is gone, install another\"}");
    check_error(&bench, "eth_getFilterChanges", filter,
                "{\"code\":-32000,\"message\":\"filter not found\"}");
    bench_close(&bench);
}

TEST(rpc_filter_tells_in_parts_what_is_more_than_an_answer_takes)
{
    struct dev_options dev = dev_options_default();
    struct rpc_options options = small_options();
    struct bench bench;
    char filter[64];
    options.logs_max = 2;
    bench_open_with(&bench, &dev, &options);
    made_filter(call(&bench, "eth_newFilter", "[{}]"), filter);
    for (int i = 0; i < 5; i++)
        call(&bench, "eth_sendTransaction", log_sent);
    for (unsigned told = 0; told < 5; told += 2)
        CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"removed\":false"),
                 told < 4 ? 2 : 1);
    CHECK_STR(call(&bench, "eth_getFilterChanges", filter), OK("[]"));
    bench_close(&bench);
}

TEST(rpc_filter_passes_a_block_whose_logs_fit_in_no_answer)
{
    /* A log of 4,096 bytes. */
    static const char large[] = "[{\"from\":\"" ALICE "\",\"data\":\"0x6110006000a0\"}]";
    struct dev_options dev = dev_options_default();
    struct rpc_options options = small_options();
    struct bench bench;
    char filter[64];
    options.answer_max = 4096;
    bench_open_with(&bench, &dev, &options);
    made_filter(call(&bench, "eth_newFilter", "[{}]"), filter);
    call(&bench, "eth_sendTransaction", log_sent);
    call(&bench, "eth_sendTransaction", large);
    call(&bench, "eth_sendTransaction", log_sent);
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"removed\":false"), 1);
    check_error(&bench, "eth_getFilterChanges", filter,
                "{\"code\":-32003,\"message\":\"the logs of block 2 do not fit into an answer; the "
                "next poll goes on after it\"}");
    CHECK_EQ(count_of(call(&bench, "eth_getFilterChanges", filter), "\"blockNumber\":\"0x3\""), 1);
    bench_close(&bench);
}

TEST(rpc_filter_begins_where_it_was_told_to)
{
    struct bench bench;
    char filter[64];
    bench_open(&bench, 0);
    made_filter(call(&bench, "eth_newFilter", "[{\"fromBlock\":\"0x3\"}]"), filter);
    call(&bench, "eth_sendTransaction", log_sent);
    CHECK_STR(call(&bench, "eth_getFilterChanges", filter), OK("[]"));
    call(&bench, "eth_sendTransaction", log_sent);
    call(&bench, "eth_sendTransaction", log_sent);
    const char *changes = call(&bench, "eth_getFilterChanges", filter);
    CHECK_EQ(count_of(changes, "\"blockNumber\":"), 1);
    CHECK(strstr(changes, "\"blockNumber\":\"0x3\""));
    bench_close(&bench);
}

TEST(rpc_reset_leaves_no_snapshot_and_a_snapshot_all_that_was_set)
{
    static const char lot[] = "0x00000000000000000000000000000000000000000000000000000000000000aa";
    struct bench bench;
    char mix[80];
    bench_open(&bench, 0);
    CHECK_STR(call(&bench, "evm_snapshot", "[]"), OK("\"0x0\""));
    call(&bench, "hardhat_setPrevRandao", "[\"0xaa\"]");
    CHECK_STR(call(&bench, "evm_revert", "[\"0x0\"]"), OK("true"));
    call(&bench, "evm_mine", "[]");
    call(&bench, "eth_getBlockByNumber", "[\"latest\",false]");
    member_of(&bench, "mixHash", mix);
    CHECK(strcmp(mix, lot) != 0);
    call(&bench, "anvil_reset", "[]");
    call(&bench, "anvil_setBalance", "[\"" BOB "\",\"0x5\"]");
    CHECK_STR(call(&bench, "evm_snapshot", "[]"), OK("\"0x1\""));
    call(&bench, "hardhat_setPrevRandao", "[\"0xaa\"]");
    CHECK_STR(call(&bench, "anvil_reset", "[]"), OK("true"));
    CHECK_STR(call(&bench, "evm_revert", "[\"0x1\"]"), OK("false"));
    call(&bench, "evm_mine", "[]");
    call(&bench, "eth_getBlockByNumber", "[\"latest\",false]");
    member_of(&bench, "mixHash", mix);
    CHECK(strcmp(mix, lot) != 0);
    bench_close(&bench);
}

TEST(rpc_estimates_nothing_for_who_has_but_what_is_sent)
{
    struct bench bench;
    bench_open(&bench, 0);
    call(&bench, "anvil_setBalance", "[\"" BOB "\",\"0x5\"]");
    check_error(&bench, "eth_estimateGas",
                "[{\"from\":\"" BOB "\",\"to\":\"" ALICE
                "\",\"value\":\"0x5\",\"gasPrice\":\"0x77359400\"}]",
                "{\"code\":-32000,\"message\":\"insufficient funds for transfer\"}");
    bench_close(&bench);
}

/* A list of so many values of so many bytes. */
static void put_list(struct buf *out, unsigned count, unsigned bytes)
{
    for (unsigned i = 0; i < count; i++)
        buf_add_format(out, "%s\"0x%0*x\"", i ? "," : "[", (int)(2 * bytes), i);
    buf_add_text(out, "]");
}

TEST(rpc_filters_are_bounded_in_bytes)
{
    struct bench bench;
    struct buf text;
    char filter[64], last[64];
    bench_open(&bench, 0);
    buf_init(&text, SIZE_MAX / 2);
    buf_add_text(
        &text,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_newFilter\",\"params\":[{\"address\":");
    put_list(&text, 1000, 20);
    for (int place = 0; place < 4; place++) {
        buf_add_text(&text, place ? "," : ",\"topics\":[");
        put_list(&text, 1000, 32);
    }
    buf_add_text(&text, "]}]}");
    buf_add_byte(&text, 0);
    made_filter(ask(&bench, (const char *)text.data), filter);
    unsigned count = 1;
    while (count < 100 && strstr(ask(&bench, (const char *)text.data), "\"result\""))
        count++;
    CHECK(count > 10 && count < 50);
    CHECK(strstr((const char *)bench.out.data, "-32005"));
    made_filter(call(&bench, "eth_newBlockFilter", "[]"), last); /* which has no choice */
    CHECK_STR(call(&bench, "eth_uninstallFilter", filter), OK("true"));
    made_filter(ask(&bench, (const char *)text.data), filter);
    buf_fini(&text);
    bench_close(&bench);
}

TEST(rpc_tells_otterscan_of_code_errors_and_nonces)
{
    struct bench bench;
    char params[128];
    bench_open(&bench, 0);
    /* A creation whose code ends with REVERT of one byte, 0xaa. */
    const char *sent = call(&bench, "eth_sendTransaction",
                            "[{\"from\":\"" ALICE "\",\"gas\":\"0x186a0\",\"data\":"
                            "\"0x60aa60005360016000fd\"}]");
    const char *hash = strstr(sent, "\"result\":\"");
    CHECK(hash);
    snprintf(params, sizeof params, "[\"%.66s\"]", hash + 10);
    CHECK_STR(call(&bench, "ots_getTransactionError", params), OK("\"0xaa\""));
    char expected[128];
    snprintf(expected, sizeof expected, OK("%.*s"), (int)strlen(params) - 2, params + 1);
    CHECK_STR(call(&bench, "ots_getTransactionBySenderAndNonce", "[\"" ALICE "\",0]"), expected);
    CHECK_STR(call(&bench, "ots_getTransactionBySenderAndNonce", "[\"" ALICE "\",1]"), OK("null"));
    CHECK_STR(call(&bench, "ots_hasCode", "[\"" ALICE "\",\"latest\"]"), OK("false"));
    CHECK_STR(
        call(&bench, "ots_hasCode", "[\"0x0000f90827f1c53a10cb7a02335b175320002935\",\"0x0\"]"),
        OK("true"));
    CHECK_STR(call(&bench, "ots_getApiLevel", "[]"), OK("8"));
    CHECK_STR(call(&bench, "ots_getInternalOperations", params), OK("[]"));
    const char *trace = call(&bench, "ots_traceTransaction", params);
    CHECK(strstr(trace, "\"type\":\"CREATE\",\"depth\":0,\"from\":\"" ALICE "\""));
    CHECK(strstr(trace, "\"output\":\"0xaa\""));
    bench_close(&bench);
}

TEST(rpc_traces_calls_and_changes)
{
    struct bench bench;
    char params[128];
    bench_open(&bench, 0);
    const char *sent = call(&bench, "eth_sendTransaction",
                            "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x3\"}]");
    const char *hash = strstr(sent, "\"result\":\"");
    CHECK(hash);
    snprintf(params, sizeof params, "[\"%.66s\",[]]", hash + 10);
    CHECK(strstr(call(&bench, "trace_get", params), "\"result\":{\"action\":{\"callType\""));
    CHECK(strstr(call(&bench, "trace_replayTransaction", params), "\"stateDiff\":null"));
    snprintf(params + 69, sizeof params - 69, "]");
    CHECK(strstr(call(&bench, "trace_transaction", params), "\"traceAddress\":[]"));
    CHECK(strstr(call(&bench, "trace_replayBlockTransactions", "[1,[\"stateDiff\"]]"),
                 "\"" BOB "\":{\"balance\":{\"*\":{\"from\":"));
    CHECK(strstr(call(&bench, "trace_replayBlockTransactions", "[1,[\"all\"]]"), "-32602"));
    CHECK_STR(call(&bench, "trace_block", "[\"0x0\"]"), OK("[]"));
    CHECK(strstr(call(&bench, "trace_block", "[\"0x2\"]"), "header not found"));
    bench_close(&bench);
}

static void read_blocks(struct bench *bench, unsigned first, unsigned count)
{
    char params[48];
    for (unsigned number = first; number < first + count; number++) {
        snprintf(params, sizeof params, "[\"0x%x\",false]", number);
        CHECK(strstr(call(bench, "eth_getBlockByNumber", params), "\"transactions\":[\"0x"));
    }
}

/* Of an archive, blocks that are not held: what is looked at, and what it stands on, are read from the store one after the
 * other, and many others were before. */
TEST(rpc_looks_at_old_blocks_whatever_was_read_before)
{
    enum { BLOCKS = 60, OLD = 4, OTHERS = 6, OTHER_COUNT = 32, LAST = OTHERS + OTHER_COUNT };
    static const char *const methods[] = {"trace_block", "debug_traceBlockByNumber",
                                          "debug_getModifiedAccountsByNumber"};
    struct err err;
    struct bench bench;
    char *folder, want[4096];
    struct dev_options dev = dev_options_default();
    const struct db_options store = {.volatile_commits = true};
    dev.accounts = 2;
    dev.states = 1;
    dev.archive = true;
    CHECK_EQ(file_make_temporary(&folder, &err), STATUS_OK);
    CHECK_EQ(db_open(&dev.db, folder, &store, &err), STATUS_OK);
    bench_open_as(&bench, &dev);
    for (int i = 0; i < BLOCKS; i++)
        CHECK(strstr(call(&bench, "eth_sendTransaction",
                          "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x3\"}]"),
                     "result"));
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        const char *params = m == 2 ? "[\"0x4\",\"0x5\"]" : "[\"0x4\"]";
        snprintf(want, sizeof want, "%s", call(&bench, methods[m], params));
        CHECK(strstr(want, "result"));
        for (unsigned between = 0; between <= 16; between++) {
            read_blocks(&bench, OTHERS, OTHER_COUNT);
            read_blocks(&bench, OLD, 1);
            read_blocks(&bench, LAST, between);
            CHECK_STR(call(&bench, methods[m], params), want);
        }
    }
    bench_close(&bench);
    db_close(dev.db);
    file_remove_folder(folder);
    mem_free(folder);
}

/* In memory there is always an index; a number may be a number. */
TEST(rpc_finds_transactions_for_otterscan)
{
    struct bench bench;
    bench_open(&bench, 0);
    call(&bench, "eth_sendTransaction",
         "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"value\":\"0x3\"}]");
    const char *page = call(&bench, "ots_searchTransactionsBefore", "[\"" BOB "\",0,1]");
    CHECK(strstr(page, "\"firstPage\":true,\"lastPage\":true"));
    CHECK(strstr(page, "\"value\":\"0x3\""));
    page = call(&bench, "ots_searchTransactionsAfter", "[\"" BOB "\",\"0x1\",1]");
    CHECK(strstr(page, "\"firstPage\":true,\"lastPage\":false"));
    CHECK(!strstr(page, "\"value\""));
    CHECK(strstr(call(&bench, "ots_searchTransactionsAfter", "[\"" BOB "\",0,101]"), "-32602"));
    CHECK_STR(call(&bench, "ots_getContractCreator", "[\"" BOB "\"]"), OK("null"));
    CHECK(strstr(call(&bench, "ots_getBlockTransactions", "[1,0,5]"), "\"transactionCount\":1"));
    CHECK_STR(call(&bench, "ots_getBlockDetails", "[2]"), OK("null"));
    CHECK(strstr(call(&bench, "erigon_getHeaderByNumber", "[1]"), "\"number\":\"0x1\""));
    bench_close(&bench);
}

TEST(rpc_snapshots_take_back_blocks_and_edits)
{
    struct bench bench;
    bench_open(&bench, 0);
    call(&bench, "anvil_setBalance", "[\"" BOB "\",\"0x7\"]");
    CHECK_STR(call(&bench, "evm_snapshot", "[]"), OK("\"0x0\""));
    call(&bench, "anvil_setBalance", "[\"" BOB "\",\"0x8\"]");
    call(&bench, "evm_mine", "[]");
    call(&bench, "anvil_setBalance", "[\"" BOB "\",\"0x9\"]");
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\"]"), OK("\"0x9\""));
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\",\"0x0\"]"), OK("\"0x8\""));
    CHECK_STR(call(&bench, "evm_revert", "[\"0x0\"]"), OK("true"));
    CHECK_STR(call(&bench, "eth_getBalance", "[\"" BOB "\"]"), OK("\"0x7\""));
    CHECK_STR(call(&bench, "eth_blockNumber", "[]"), OK("\"0x0\""));
    CHECK_STR(call(&bench, "evm_revert", "[\"0x0\"]"), OK("false"));
    bench_close(&bench);
}

TEST(rpc_pool_waits_for_blocks_when_they_come_by_the_clock)
{
    struct bench bench;
    bench_open(&bench, 1000000);
    const char *later = "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"nonce\":\"0x1\"}]";
    const char *first = "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"nonce\":\"0x0\"}]";
    CHECK(strstr(call(&bench, "eth_sendTransaction", later), "result"));
    CHECK_STR(call(&bench, "txpool_status", "[]"), OK("{\"pending\":\"0x0\",\"queued\":\"0x1\"}"));
    CHECK_STR(call(&bench, "eth_getBlockTransactionCountByNumber", "[\"pending\"]"), OK("\"0x0\""));
    CHECK(strstr(call(&bench, "eth_sendTransaction", first), "result"));
    CHECK(strstr(call(&bench, "eth_sendTransaction", first), "already known"));
    CHECK_STR(call(&bench, "txpool_status", "[]"), OK("{\"pending\":\"0x2\",\"queued\":\"0x0\"}"));
    CHECK(strstr(call(&bench, "eth_sendTransaction",
                      "[{\"from\":\"" ALICE "\",\"to\":\"" BOB
                      "\",\"nonce\":\"0x0\",\"value\":\"0x1\"}]"),
                 "replacement transaction underpriced"));
    CHECK_STR(call(&bench, "eth_getTransactionCount", "[\"" ALICE "\",\"pending\"]"),
              OK("\"0x2\""));
    call(&bench, "evm_mine", "[]");
    CHECK_STR(call(&bench, "eth_getBlockTransactionCountByNumber", "[\"0x1\"]"), OK("\"0x2\""));
    CHECK_STR(call(&bench, "txpool_status", "[]"), OK("{\"pending\":\"0x0\",\"queued\":\"0x0\"}"));
    bench_close(&bench);
}

TEST(rpc_signs_typed_data_as_the_specification_does)
{
    struct bench bench;
    bench_open(&bench, 0);
    /* EIP-712's own example, and the signature by the first test key that other implementations give. */
    char params[4096];
    snprintf(params, sizeof params, "[\"" ALICE "\",%s]", TYPED_MAIL);
    const char *answer = call(&bench, "eth_signTypedData_v4", params);
    CHECK(strstr(answer, "\"result\":\"0x"));
    CHECK_EQ(strlen(answer), strlen(OK("\"0x\"")) + 130);
    bench_close(&bench);
}

TEST(rpc_looks_at_no_message_for_a_stranger)
{
    struct bench bench;
    bench_open(&bench, 0);
    check_error(&bench, "eth_signTypedData_v4",
                "[\"0x00000000000000000000000000000000000000aa\",\"{\"]",
                "{\"code\":-32000,\"message\":\"unknown account\"}");
    bench_close(&bench);
}

static void note_size(void *ctx, const char *method, u64 ns, bool has_failed)
{
    struct bench *bench = ctx;
    (void)method;
    (void)ns;
    (void)has_failed;
    size_t size = arena_size(&bench->rpc->arena);
    bench->most = size > bench->most ? size : bench->most;
}

TEST(rpc_gives_back_between_the_requests_of_a_batch)
{
    enum { DIGITS = 1 << 20 };
    struct bench bench = {0};
    bench_open(&bench, 0);
    bench.rpc->options.observe = note_size;
    bench.rpc->options.observe_ctx = &bench;
    struct buf batch;
    buf_init(&batch, SIZE_MAX / 2);
    for (int i = 0; i < 3; i++) {
        buf_add_format(&batch,
                       "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"web3_sha3\",\"params\":[\"0x",
                       i ? "," : "[", i);
        memset(buf_extend(&batch, DIGITS), '0', DIGITS);
        buf_add_text(&batch, "\"]}");
    }
    buf_add_text(&batch, "]");
    rpc_handle(bench.rpc, (const char *)batch.data, batch.len, &bench.out);
    CHECK(bench.most >= DIGITS / 2 && bench.most < DIGITS);
    buf_fini(&batch);
    bench_close(&bench);
}

static void never(void *ctx, const void *text, size_t len)
{
    (void)ctx;
    (void)text;
    CHECK_EQ(len, 0);
}

TEST(rpc_keeps_no_long_ids_of_requests_that_wait)
{
    enum { DIGITS = 5 << 20 };
    struct bench bench;
    struct rpc_asker asker = {.answer = never};
    struct buf text;
    bench_open(&bench, 3600000);
    const char *raw =
        strstr(call(&bench, "eth_signTransaction", "[{\"from\":\"" ALICE "\",\"to\":\"" BOB "\"}]"),
               "\"raw\":");
    CHECK(raw);
    buf_init(&text, SIZE_MAX / 2);
    buf_add_text(&text,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"eth_sendRawTransactionSync\",\"params\":[");
    buf_add(&text, raw + 6, strcspn(raw + 6, ","));
    buf_add_text(&text, "],\"id\":\"");
    memset(buf_extend(&text, DIGITS), 'x', DIGITS);
    buf_add_text(&text, "\"}");
    CHECK(rpc_handle_for(bench.rpc, &asker, (const char *)text.data, text.len, &bench.out));
    buf_add_byte(&bench.out, 0);
    CHECK(strstr((const char *)bench.out.data, "too many requests wait"));
    buf_fini(&text);
    bench_close(&bench);
}

TEST(rpc_touches_no_heap_once_it_is_warm)
{
    struct bench bench;
    bench_open(&bench, 0);
    for (int i = 0; i < 3; i++)
        call(&bench, "eth_blockNumber", "[]");
    u64 before = mem_allocations();
    for (int i = 0; i < 100; i++)
        call(&bench, "eth_blockNumber", "[]");
    CHECK_EQ(mem_allocations() - before, 0);
    bench_close(&bench);
}
