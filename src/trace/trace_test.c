#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "evm/toy_host.h"
#include "prim/hex.h"
#include "trace/eip3155.h"
#include "trace/trace.h"

/* --- a small world, watched ------------------------------------------------------------------ */

static const addr20 SENDER = {{[0] = 0xca, [19] = 0x11}};
static const addr20 SELF = {{[18] = 0xc0, [19] = 0xde}};
static const addr20 OTHER = {{[18] = 0x0b, [19] = 0x0b}};

struct scene {
    struct toy_host *world;
    struct evm *evm;
    struct evm_host door;
    struct evm_block block;
    struct evm_tx tx;
};

static void scene_put(struct scene *scene, const addr20 *addr, const char *hex)
{
    u8 code[256];
    size_t len = strlen(hex) / 2;
    CHECK(len <= sizeof code && hex_decode_bare(code, hex, strlen(hex)) == HEX_OK);
    toy_host_put(scene->world, addr, u256_from_u64(1000), 1, code, len);
}

static void scene_init(struct scene *scene, const char *self, const char *other)
{
    *scene = (struct scene){.world = toy_host_new(), .evm = evm_new()};
    scene->door = toy_host_door(scene->world);
    toy_host_put(scene->world, &SENDER, u256_from_u64(1000000), 1, NULL, 0);
    scene_put(scene, &SELF, self);
    scene_put(scene, &OTHER, other);
}

static void scene_fini(struct scene *scene)
{
    evm_free(scene->evm);
    toy_host_free(scene->world);
}

static void scene_run(struct scene *scene, const struct evm_tracer *hooks,
                      struct evm_result *result)
{
    struct evm_msg msg = {
        .kind = EVM_CALL, .gas = 50000, .sender = SENDER, .recipient = SELF, .code_addr = SELF};
    evm_begin(scene->evm, FORK_OSAKA, &scene->door, &scene->block, &scene->tx);
    evm_set_tracer(scene->evm, hooks);
    evm_call(scene->evm, &msg, result);
    evm_set_tracer(scene->evm, NULL);
}

/* What a tracer says of SELF's code being called; frees it. */
static void scene_watch(struct scene *scene, struct trace *trace, struct buf *out)
{
    struct evm_result result;
    struct trace_tx tx = {.fork = FORK_OSAKA,
                          .from = SENDER,
                          .to = SELF,
                          .coinbase = SENDER,
                          .gas_limit = 71000,
                          .block_number = 7,
                          .index = 3};
    trace_begin(trace, &scene->door, &tx);
    scene_run(scene, trace_hooks(trace), &result);
    toy_host_end_tx(scene->world, FORK_OSAKA);
    trace_end(trace, 71000 - (u64)result.gas_left);
    if (!trace_result(out, NULL, trace))
        buf_add_text(out, "too large");
    buf_add_byte(out, 0);
    trace_free(trace);
}

/* The same of the tracer that config asks for. */
static void scene_trace(struct scene *scene, const char *config, size_t bytes_max, struct buf *out)
{
    struct json_doc *doc = NULL;
    struct trace *trace = NULL;
    CHECK_EQ(json_parse(&doc, config, strlen(config), 8, NULL), STATUS_OK);
    CHECK_EQ(trace_new(&trace, json_root(doc), bytes_max, NULL), STATUS_OK);
    scene_watch(scene, trace, out);
    json_free(doc);
}

static void expect(const char *self, const char *other, const char *config, const char *want)
{
    struct scene scene;
    struct buf out;
    buf_init(&out, 1 << 20);
    scene_init(&scene, self, other);
    scene_trace(&scene, config, 1 << 20, &out);
    CHECK_STR((const char *)out.data, want);
    scene_fini(&scene);
    buf_fini(&out);
}

/* --- the tracers ----------------------------------------------------------------------------- */

TEST(struct_logs)
{
    expect(
        "600160005500", "", "{}",
        "{\"gas\":43106,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":["
        "{\"pc\":0,\"op\":\"PUSH1\",\"gas\":50000,\"gasCost\":3,\"depth\":1,\"stack\":[]},"
        "{\"pc\":2,\"op\":\"PUSH1\",\"gas\":49997,\"gasCost\":3,\"depth\":1,\"stack\":[\"0x1\"]},"
        "{\"pc\":4,\"op\":\"SSTORE\",\"gas\":49994,\"gasCost\":22100,\"depth\":1,"
        "\"stack\":[\"0x1\",\"0x0\"],\"storage\":{"
        "\"0x0000000000000000000000000000000000000000000000000000000000000000\":"
        "\"0x0000000000000000000000000000000000000000000000000000000000000001\"}},"
        "{\"pc\":5,\"op\":\"STOP\",\"gas\":27894,\"gasCost\":0,\"depth\":1,\"stack\":[]}]}");
}

TEST(struct_logs_as_asked)
{
    expect("600160005200", "", "{\"disableStack\":true,\"enableMemory\":true,\"limit\":900}",
           "{\"gas\":21012,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":["
           "{\"pc\":0,\"op\":\"PUSH1\",\"gas\":50000,\"gasCost\":3,\"depth\":1},"
           "{\"pc\":2,\"op\":\"PUSH1\",\"gas\":49997,\"gasCost\":3,\"depth\":1},"
           "{\"pc\":4,\"op\":\"MSTORE\",\"gas\":49994,\"gasCost\":6,\"depth\":1},"
           "{\"pc\":5,\"op\":\"STOP\",\"gas\":49988,\"gasCost\":0,\"depth\":1,\"memory\":["
           "\"0x0000000000000000000000000000000000000000000000000000000000000001\"]}]}");
}

/* As geth counts: none follows once there are more bytes than that. */
TEST(struct_logs_within_a_limit)
{
    expect("600160005200", "", "{\"disableStack\":true,\"limit\":60}",
           "{\"gas\":21012,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":["
           "{\"pc\":0,\"op\":\"PUSH1\",\"gas\":50000,\"gasCost\":3,\"depth\":1},"
           "{\"pc\":2,\"op\":\"PUSH1\",\"gas\":49997,\"gasCost\":3,\"depth\":1}]}");
}

TEST(struct_logs_name_what_failed)
{
    expect(
        "6001600101500c", "", "{\"disableStack\":true,\"limit\":900}",
        "{\"gas\":71000,\"failed\":true,\"returnValue\":\"0x\",\"structLogs\":["
        "{\"pc\":0,\"op\":\"PUSH1\",\"gas\":50000,\"gasCost\":3,\"depth\":1},"
        "{\"pc\":2,\"op\":\"PUSH1\",\"gas\":49997,\"gasCost\":3,\"depth\":1},"
        "{\"pc\":4,\"op\":\"ADD\",\"gas\":49994,\"gasCost\":3,\"depth\":1},"
        "{\"pc\":5,\"op\":\"POP\",\"gas\":49991,\"gasCost\":2,\"depth\":1},"
        "{\"pc\":6,\"op\":\"opcode 0xc not defined\",\"gas\":49989,\"gasCost\":0,\"depth\":1}]}");
    expect("01", "", "{}",
           "{\"gas\":71000,\"failed\":true,\"returnValue\":\"0x\",\"structLogs\":["
           "{\"pc\":0,\"op\":\"ADD\",\"gas\":50000,\"gasCost\":3,\"depth\":1,"
           "\"error\":\"stack underflow (0 <=> 2)\",\"stack\":[]}]}");
}

/* SELF calls OTHER with 5 wei, all gas. */
#define CALLS_OTHER "60006000600060006005610b0b5af100"

TEST(call_tracer)
{
    expect(CALLS_OTHER, "60006000a0",
           "{\"tracer\":\"callTracer\",\"tracerConfig\":{\"withLog\":true}}",
           "{\"from\":\"0xca00000000000000000000000000000000000011\",\"gas\":\"0x11558\","
           "\"gasUsed\":\"0x77ed\",\"to\":\"0x000000000000000000000000000000000000c0de\","
           "\"input\":\"0x\",\"calls\":["
           "{\"from\":\"0x000000000000000000000000000000000000c0de\",\"gas\":\"0x9c91\","
           "\"gasUsed\":\"0x17d\",\"to\":\"0x0000000000000000000000000000000000000b0b\","
           "\"input\":\"0x\",\"logs\":["
           "{\"address\":\"0x0000000000000000000000000000000000000b0b\",\"topics\":[],"
           "\"data\":\"0x\",\"index\":\"0x0\",\"position\":\"0x0\"}],"
           "\"value\":\"0x5\",\"type\":\"CALL\"}],\"value\":\"0x0\",\"type\":\"CALL\"}");
}

TEST(a_full_trace_says_so)
{
    struct scene scene;
    struct buf out;
    buf_init(&out, 1 << 20);
    scene_init(&scene, "5b600056", "");
    scene_trace(&scene, "{}", 10000, &out);
    CHECK_STR((const char *)out.data, "too large");
    scene_fini(&scene);
    buf_fini(&out);
}

TEST(several_at_once)
{
    expect(CALLS_OTHER, "00",
           "{\"tracer\":\"muxTracer\",\"tracerConfig\":{\"noopTracer\":null,\"4byteTracer\":null}}",
           "{\"noopTracer\":{},\"4byteTracer\":{}}");
}

TEST(prestate_difference)
{
    expect("600160005500", "",
           "{\"tracer\":\"prestateTracer\",\"tracerConfig\":{\"diffMode\":true}}",
           "{\"post\":{\"0x000000000000000000000000000000000000c0de\":{\"storage\":{"
           "\"0x0000000000000000000000000000000000000000000000000000000000000000\":"
           "\"0x0000000000000000000000000000000000000000000000000000000000000001\"}}},"
           "\"pre\":{\"0x000000000000000000000000000000000000c0de\":{\"balance\":\"0x3e8\","
           "\"code\":\"0x600160005500\",\"codeHash\":"
           "\"0x0dd9fc23b9e0972b48f0c93ebb805660239a90ba27a337a9f24333a8703975cd\","
           "\"nonce\":1}}}");
}

/* --- trace_* ---------------------------------------------------------------------------------- */

static void expect_of(struct trace *trace, const char *self, const char *other, const char *want)
{
    struct scene scene;
    struct buf out;
    buf_init(&out, 1 << 20);
    scene_init(&scene, self, other);
    scene_watch(&scene, trace, &out);
    CHECK_STR((const char *)out.data, want);
    scene_fini(&scene);
    buf_fini(&out);
}

#define SELF_HEX  "0x000000000000000000000000000000000000c0de"
#define OTHER_HEX "0x0000000000000000000000000000000000000b0b"
#define INNER_ACTION                                                                   \
    "{\"action\":{\"callType\":\"call\",\"from\":\"" SELF_HEX "\",\"gas\":\"0x9c91\"," \
    "\"input\":\"0x\",\"to\":\"" OTHER_HEX "\",\"value\":\"0x5\"},"

/* A call that reverts has a result, one that fails otherwise has none; the transaction's own gas is left out. */
TEST(filed_calls)
{
    expect_of(trace_new_filed(1 << 20), CALLS_OTHER, "fe",
              "{\"action\":{\"callType\":\"call\","
              "\"from\":\"0xca00000000000000000000000000000000000011\",\"gas\":\"0xc350\","
              "\"input\":\"0x\",\"to\":\"" SELF_HEX "\",\"value\":\"0x0\"},"
              "\"blockHash\":null,\"blockNumber\":7,"
              "\"result\":{\"gasUsed\":\"0xc0f9\",\"output\":\"0x\"},\"subtraces\":1,"
              "\"traceAddress\":[],\"transactionHash\":null,\"transactionPosition\":3,"
              "\"type\":\"call\"}," INNER_ACTION
              "\"blockHash\":null,\"blockNumber\":7,\"error\":\"invalid opcode: INVALID\","
              "\"result\":null,\"subtraces\":0,\"traceAddress\":[0],"
              "\"transactionHash\":null,\"transactionPosition\":3,\"type\":\"call\"}");
    u32 path[] = {0, 1};
    expect_of(trace_new_filed_one(path, 1, 1 << 20), CALLS_OTHER, "60006000fd",
              INNER_ACTION "\"blockHash\":null,\"blockNumber\":7,\"error\":\"Reverted\","
                           "\"result\":{\"gasUsed\":\"0x6\",\"output\":\"0x\"},"
                           "\"subtraces\":0,\"traceAddress\":[0],\"transactionHash\":null,"
                           "\"transactionPosition\":3,\"type\":\"call\"}");
    expect_of(trace_new_filed_one(path, 2, 1 << 20), CALLS_OTHER, "00", "null");
}

TEST(a_replay_answers_what_is_asked)
{
    expect_of(trace_new_replay(0, 1 << 20), "00", "",
              "{\"output\":\"0x\",\"stateDiff\":null,\"trace\":[],\"vmTrace\":null}");
    expect_of(trace_new_replay(TRACE_REPLAY_STATE, 1 << 20), "6001600055600060005260206000f3", "",
              "{\"output\":\"0x0000000000000000000000000000000000000000000000000000000000000000\","
              "\"stateDiff\":{\"" SELF_HEX "\":{\"balance\":\"=\",\"code\":\"=\","
              "\"nonce\":\"=\",\"storage\":{"
              "\"0x0000000000000000000000000000000000000000000000000000000000000000\":{\"*\":{"
              "\"from\":\"0x0000000000000000000000000000000000000000000000000000000000000000\","
              "\"to\":\"0x0000000000000000000000000000000000000000000000000000000000000001\"}}}}},"
              "\"trace\":[],\"vmTrace\":null}");
    expect_of(trace_new_replay(TRACE_REPLAY_VM, 200), CALLS_OTHER, "00", "too large");
}

/* PUSH1 shows what it pushed, MSTORE8 its byte; what there is no gas for shows nothing. */
TEST(instructions_as_a_tree)
{
    expect_of(trace_new_replay(TRACE_REPLAY_VM, 1 << 20), "60076000536000195100", "",
              "{\"output\":\"0x\",\"stateDiff\":null,\"trace\":[],"
              "\"vmTrace\":{\"code\":\"0x60076000536000195100\",\"ops\":["
              "{\"pc\":0,\"op\":\"PUSH1\",\"idx\":\"3-0\",\"cost\":3,\"sub\":null,"
              "\"ex\":{\"mem\":null,\"push\":[\"0x7\"],\"store\":null,\"used\":49997}},"
              "{\"pc\":2,\"op\":\"PUSH1\",\"idx\":\"3-1\",\"cost\":3,\"sub\":null,"
              "\"ex\":{\"mem\":null,\"push\":[\"0x0\"],\"store\":null,\"used\":49994}},"
              "{\"pc\":4,\"op\":\"MSTORE8\",\"idx\":\"3-2\",\"cost\":6,\"sub\":null,"
              "\"ex\":{\"mem\":{\"data\":\"0x07\",\"off\":0},\"push\":[],\"store\":null,"
              "\"used\":49988}},"
              "{\"pc\":5,\"op\":\"PUSH1\",\"idx\":\"3-3\",\"cost\":3,\"sub\":null,"
              "\"ex\":{\"mem\":null,\"push\":[\"0x0\"],\"store\":null,\"used\":49985}},"
              "{\"pc\":7,\"op\":\"NOT\",\"idx\":\"3-4\",\"cost\":3,\"sub\":null,"
              "\"ex\":{\"mem\":null,\"push\":[\"0xffffffffffffffffffffffffffffffffffffffffffff"
              "ffffffffffffffffffff\"],\"store\":null,\"used\":49982}},"
              "{\"pc\":8,\"op\":\"MLOAD\",\"idx\":\"3-5\",\"cost\":3,\"sub\":null,"
              "\"ex\":null}]}}");
}

/* What a call left of the gas is known when it has come back; what it was given is part of its cost. */
TEST(instructions_of_a_callee)
{
    struct scene scene;
    struct buf out;
    buf_init(&out, 1 << 20);
    scene_init(&scene, "610b0b5f5f5f5f5f855af100", "3d");
    scene_watch(&scene, trace_new_replay(TRACE_REPLAY_VM, 1 << 20), &out);
    const char *call = strstr((const char *)out.data, "{\"pc\":10,");
    CHECK_STR(call, "{\"pc\":10,\"op\":\"CALL\",\"idx\":\"3-8\",\"sub\":{\"code\":\"0x3d\","
                    "\"ops\":[{\"pc\":0,\"op\":\"RETURNDATASIZE\",\"idx\":\"3-8-0\",\"cost\":2,"
                    "\"sub\":null,\"ex\":{\"mem\":null,\"push\":[\"0x0\"],\"store\":null,"
                    "\"used\":46640}},{\"pc\":1,\"op\":\"STOP\",\"idx\":\"3-8-1\",\"cost\":0,"
                    "\"sub\":null,\"ex\":{\"mem\":null,\"push\":[],\"store\":null,"
                    "\"used\":46640}}]},\"cost\":49242,\"ex\":{\"mem\":null,\"push\":[\"0x1\"],"
                    "\"store\":null,\"used\":47380}},"
                    "{\"pc\":11,\"op\":\"STOP\",\"idx\":\"3-9\",\"cost\":0,\"sub\":null,"
                    "\"ex\":{\"mem\":null,\"push\":[],\"store\":null,\"used\":47380}}]}}");
    scene_fini(&scene);
    buf_fini(&out);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void expect_refused(const char *config, enum status status, const char *words)
{
    struct json_doc *doc = NULL;
    struct trace *trace = NULL;
    struct err err;
    CHECK_EQ(json_parse(&doc, config, strlen(config), 8, NULL), STATUS_OK);
    CHECK_EQ(trace_new(&trace, json_root(doc), 1000, &err), status);
    CHECK(trace == NULL);
    CHECK_STR(err.text, words);
    json_free(doc);
}

TEST(refuses_what_it_does_not_know)
{
    expect_refused("{\"tracer\":\"noTracer\"}", STATUS_NOT_FOUND, "no tracer is named noTracer");
    expect_refused("{\"tracer\":5}", STATUS_INVALID, "tracer must be a string, not a number");
    expect_refused("[]", STATUS_INVALID, "trace options must be an object, not an array");
    expect_refused("{\"disableStack\":1}", STATUS_INVALID,
                   "disableStack must be true or false, not a number");
    expect_refused("{\"tracer\":\"callTracer\",\"tracerConfig\":{\"withLog\":\"yes\"}}",
                   STATUS_INVALID, "withLog must be true or false, not a string");
    expect_refused("{\"tracer\":\"muxTracer\",\"tracerConfig\":{\"muxTracer\":{}}}",
                   STATUS_NOT_FOUND, "no tracer is named muxTracer");
}

/* --- lines ----------------------------------------------------------------------------------- */

static void add_line(void *ctx, const char *line, size_t len)
{
    buf_add(ctx, line, len);
}

TEST(eip3155_lines)
{
    struct scene scene;
    struct evm_result result;
    struct buf out;
    struct eip3155_options options = {.call_frames = true};
    buf_init(&out, 1 << 16);
    scene_init(&scene, "60016000526020600cfd", "");
    struct eip3155 *trace = eip3155_new(&options, add_line, &out);
    scene_run(&scene, eip3155_hooks(trace), &result);
    buf_add_byte(&out, 0);
    CHECK_STR(
        (const char *)out.data,
        "{\"from\":\"0xca00000000000000000000000000000000000011\","
        "\"to\":\"0x000000000000000000000000000000000000c0de\",\"gas\":\"0xc350\",\"value\":"
        "\"0x0\","
        "\"type\":\"CALL\"}\n"
        "{\"pc\":0,\"op\":96,\"gas\":\"0xc350\",\"gasCost\":\"0x3\",\"memSize\":0,\"stack\":[],"
        "\"depth\":1,\"refund\":0,\"opName\":\"PUSH1\"}\n"
        "{\"pc\":2,\"op\":96,\"gas\":\"0xc34d\",\"gasCost\":\"0x3\",\"memSize\":0,"
        "\"stack\":[\"0x1\"],\"depth\":1,\"refund\":0,\"opName\":\"PUSH1\"}\n"
        "{\"pc\":4,\"op\":82,\"gas\":\"0xc34a\",\"gasCost\":\"0x6\",\"memSize\":0,"
        "\"stack\":[\"0x1\",\"0x0\"],\"depth\":1,\"refund\":0,\"opName\":\"MSTORE\"}\n"
        "{\"pc\":5,\"op\":96,\"gas\":\"0xc344\",\"gasCost\":\"0x3\",\"memSize\":32,\"stack\":[],"
        "\"depth\":1,\"refund\":0,\"opName\":\"PUSH1\"}\n"
        "{\"pc\":7,\"op\":96,\"gas\":\"0xc341\",\"gasCost\":\"0x3\",\"memSize\":32,"
        "\"stack\":[\"0x20\"],\"depth\":1,\"refund\":0,\"opName\":\"PUSH1\"}\n"
        "{\"pc\":9,\"op\":253,\"gas\":\"0xc33e\",\"gasCost\":\"0x3\",\"memSize\":32,"
        "\"stack\":[\"0x20\",\"0xc\"],\"depth\":1,\"refund\":0,\"opName\":\"REVERT\"}\n"
        "{\"pc\":9,\"op\":253,\"gas\":\"0xc33e\",\"gasCost\":\"0x3\",\"memSize\":64,\"stack\":[],"
        "\"depth\":1,\"refund\":0,\"opName\":\"REVERT\",\"error\":\"execution reverted\"}\n"
        "{\"output\":\"0000000000000000000000000000000000000001000000000000000000000000\","
        "\"gasUsed\":\"0x15\",\"error\":\"execution reverted\"}\n");
    eip3155_free(trace);
    scene_fini(&scene);
    buf_fini(&out);
}

/* --- reasons --------------------------------------------------------------------------------- */

static void expect_reason(const char *hex, const char *want)
{
    u8 data[256];
    char text[64];
    size_t len = strlen(hex) / 2;
    CHECK(hex_decode_bare(data, hex, strlen(hex)) == HEX_OK);
    bool found = revert_reason(text, sizeof text, data, len);
    CHECK_EQ(found, want != NULL);
    if (want)
        CHECK_STR(text, want);
}

#define WORD(digits) "000000000000000000000000000000000000000000000000" digits

TEST(reasons_in_words)
{
    expect_reason("08c379a0" WORD("0000000000000020") WORD("0000000000000003") "6e6f210000", "no!");
    expect_reason("08c379a0" WORD("0000000000000020") WORD("0000000000000000"), "");
    expect_reason("08c379a0" WORD("0000000000000020") WORD("0000000000000004") "6e6f21", NULL);
    expect_reason("08c379a0" WORD("ffffffffffffffff") WORD("0000000000000000"), NULL);
    expect_reason("08c379a0", NULL);
    expect_reason("4e487b71" WORD("0000000000000011"), "arithmetic underflow or overflow");
    expect_reason("4e487b71" WORD("0000000000000099"), "unknown panic code: 0x99");
    expect_reason("4e487b71", NULL);
    expect_reason("deadbeef", NULL);
    expect_reason("", NULL);
}
