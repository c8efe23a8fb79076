/*
 * go-ethereum's tracer fixtures: {genesis, context, input, tracerConfig, result}. The transaction is executed in
 * that context on the genesis state; the tracer that the folder's name tells must give that result.
 */
#include "trace/trace.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chain/exec.h"
#include "consensus/fee.h"
#include "evmcli/commands.h"
#include "evmcli/jsoncmp.h"
#include "evmcli/prestate.h"
#include "evmcli/suite.h"
#include "prim/json_out.h"

enum { RESULT_MAX = 256 << 20, AUTHORITIES_MAX = 256 };

struct folder {
    const char *name;
    const char *tracer; /* NULL: not one of ours */
};

static const struct folder FOLDERS[] = {
    {"/call_tracer/", "callTracer"},
    {"/call_tracer_withLog/", "callTracer"},
    {"/call_tracer_flat/", "flatCallTracer"},
    {"/prestate_tracer/", "prestateTracer"},
    {"/prestate_tracer_with_diff_mode/", "prestateTracer"},
    {"/call_tracer_legacy/", NULL},
    {"/prestate_tracer_legacy/", NULL},
    {"/erc7562_tracer/", NULL},
};

struct fork_key {
    const char *key;
    enum fork fork;
};

/* Spelled in any case, as Go's JSON reader takes them. */
static const struct fork_key FORK_KEYS[] = {
    {"homesteadBlock", FORK_HOMESTEAD},
    {"eip150Block", FORK_TANGERINE},
    {"eip158Block", FORK_SPURIOUS},
    {"byzantiumBlock", FORK_BYZANTIUM},
    {"petersburgBlock", FORK_PETERSBURG},
    {"constantinopleBlock", FORK_CONSTANTINOPLE},
    {"istanbulBlock", FORK_ISTANBUL},
    {"berlinBlock", FORK_BERLIN},
    {"londonBlock", FORK_LONDON},
    {"shanghaiTime", FORK_SHANGHAI},
    {"cancunTime", FORK_CANCUN},
    {"pragueTime", FORK_PRAGUE},
    {"osakaTime", FORK_OSAKA},
};

struct trace_case {
    struct reader reader;
    json test;
    struct chain_config config;
    enum fork fork;
    struct evm_block block;
    struct prestate prestate;
    struct evm *evm;
    struct exec exec;
    struct tx tx;
};

static void read_fork(struct reader *reader, struct chain_config *config, const char *key,
                      json value)
{
    for (size_t i = 0; i < ARRAY_LEN(FORK_KEYS); i++)
        if (strcasecmp(FORK_KEYS[i].key, key) == 0)
            config->fork_at[FORK_KEYS[i].fork] = value_u64(reader, value, key);
}

/* The configurations come from many networks; only what decides on rules is read. */
static void read_config(struct trace_case *test, json object)
{
    struct chain_config *config = &test->config;
    struct json_iter iter = json_iter(object);
    chain_config_init(config, FORK_FRONTIER);
    while (json_next(&iter))
        read_fork(&test->reader, config, iter.key, iter.value);
    config->chain_id = reader_u64(&test->reader, object, "chainId");
    config->blob_at[BLOB_UPGRADE_CANCUN] = config->fork_at[FORK_CANCUN];
    config->blob_at[BLOB_UPGRADE_PRAGUE] = config->fork_at[FORK_PRAGUE];
    config->blob_at[BLOB_UPGRADE_OSAKA] = config->fork_at[FORK_OSAKA];
    if (reader_has(object, "terminalTotalDifficulty")) {
        config->has_ttd = true;
        config->ttd = reader_u256(&test->reader, object, "terminalTotalDifficulty");
    }
}

static void read_block(struct trace_case *test, json genesis, json context)
{
    struct reader *reader = &test->reader;
    struct evm_block *block = &test->block;
    *block = (struct evm_block){
        .coinbase = reader_addr(reader, context, "miner"),
        .number = reader_u64(reader, context, "number"),
        .timestamp = reader_u64(reader, context, "timestamp"),
        .gas_limit = reader_u64(reader, context, "gasLimit"),
        .difficulty = reader_u256(reader, context, "difficulty"),
        .base_fee = reader_u256_or(reader, context, "baseFeePerGas", u256_from_u64(0)),
    };
    bool merged = test->config.has_ttd && u256_is_zero(test->config.ttd);
    if (merged)
        block->prev_randao = reader_hash(reader, genesis, "mixHash");
    test->fork = chain_config_fork_merged(&test->config, block->number, block->timestamp, merged);
    const struct blob_params *blob = chain_config_blob_params(&test->config, block->timestamp);
    if (blob && reader_has(genesis, "excessBlobGas"))
        block->blob_base_fee = fee_blob_base(
            fee_excess_blob_gas(test->fork, blob, reader_u64(reader, genesis, "excessBlobGas"),
                                reader_u64_or(reader, genesis, "blobGasUsed", 0), block->base_fee),
            blob->update_fraction);
}

static void read_tx(struct trace_case *test)
{
    struct reader *reader = &test->reader;
    struct bytes bytes = reader_bytes(reader, test->test, "input");
    if (reader->failed)
        return;
    enum tx_verdict verdict = tx_decode(&test->tx, reader->arena, bytes.data, bytes.len);
    if (verdict == TX_OK)
        verdict = tx_recover(&test->tx, test->fork, test->config.chain_id);
    if (verdict != TX_OK)
        reader_fail(reader, "input: %s", tx_verdict_text(verdict));
}

/* What the tracer is told of the transaction. */
static void describe(struct trace_case *test, struct trace_tx *out,
                     addr20 authorities[AUTHORITIES_MAX])
{
    const struct tx *tx = &test->tx;
    *out = (struct trace_tx){.fork = test->fork,
                             .from = tx->sender,
                             .to = tx->to,
                             .is_create = tx->is_create,
                             .gas_limit = tx->gas,
                             .coinbase = test->block.coinbase,
                             .authorities = authorities,
                             .block_number = test->block.number};
    for (u32 i = 0; i < tx->authorization_count && i < AUTHORITIES_MAX; i++)
        if (authorization_recover(&tx->authorizations[i], &authorities[out->authority_count]))
            out->authority_count++;
}

static void compare(struct trace_case *test, const struct trace *trace)
{
    struct buf out;
    struct json_doc *doc = NULL;
    struct err err;
    /* geth compares values of Go structures, where a field that is not written is zero, and leaves out of the
     * flat traces what they tell of the block. */
    static const char *const ignored[] = {"blockHash",           "blockNumber", "transactionHash",
                                          "transactionPosition", "time",        NULL};
    static const struct json_leniency leniency = {true, ignored};
    buf_init(&out, RESULT_MAX);
    if (!trace_result(&out, NULL, trace))
        reader_fail(&test->reader, "the result is too large");
    else if (json_parse(&doc, (const char *)out.data, out.len, 1024, &err) != STATUS_OK)
        reader_fail(&test->reader, "the result is no JSON: %s", err.text);
    else if (!json_same(json_root(doc), json_get(test->test, "result"), &leniency, &err))
        reader_fail(&test->reader, "result: %s", err.text);
    json_free(doc);
    buf_fini(&out);
}

static void execute(struct trace_case *test, struct trace *trace)
{
    struct exec_result result;
    struct trace_tx tx;
    addr20 authorities[AUTHORITIES_MAX];
    exec_init(&test->exec, test->prestate.state, test->evm, &test->config, test->fork,
              &test->block);
    describe(test, &tx, authorities);
    state_begin_tx(test->prestate.state);
    trace_begin(trace, &test->exec.host, &tx);
    evm_set_tracer(test->evm, trace_hooks(trace));
    enum tx_verdict verdict = exec_tx(&test->exec, &test->tx, 0, &result);
    evm_set_tracer(test->evm, NULL);
    trace_end(trace, verdict == TX_OK ? result.gas_used : 0);
    if (verdict != TX_OK)
        reader_fail(&test->reader, "the transaction was refused: %s", tx_verdict_text(verdict));
    else
        compare(test, trace);
}

/* The tracer's configuration as debug_traceTransaction takes it. */
static struct json_doc *make_config(struct trace_case *test, const char *tracer)
{
    struct json_doc *doc = NULL;
    struct buf out;
    struct err err;
    buf_init(&out, 1 << 16);
    json_out_object(&out, NULL);
    json_out_text(&out, "tracer", tracer);
    json_out_object(&out, "tracerConfig");
    struct json_iter iter = json_iter(json_get(test->test, "tracerConfig"));
    bool flag;
    while (json_next(&iter))
        if (json_bool(iter.value, &flag))
            json_out_bool(&out, iter.key, flag);
    json_out_object_end(&out);
    json_out_object_end(&out);
    if (json_parse(&doc, (const char *)out.data, out.len, 8, &err) != STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    buf_fini(&out);
    return doc;
}

static void run_with(struct trace_case *test, const char *tracer)
{
    struct trace *trace = NULL;
    struct err err;
    struct json_doc *config = make_config(test, tracer);
    if (test->reader.failed)
        return;
    if (trace_new(&trace, json_root(config), RESULT_MAX, &err) != STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    else
        execute(test, trace);
    trace_free(trace);
    json_free(config);
}

static void run_test(struct report *report, json root, const char *tracer)
{
    struct trace_case test = {.test = root};
    struct arena arena;
    json genesis = json_get(root, "genesis");
    arena_init(&arena);
    reader_init(&test.reader, &arena);
    read_config(&test, reader_object(&test.reader, genesis, "config"));
    read_block(&test, genesis, reader_object(&test.reader, root, "context"));
    read_tx(&test);
    prestate_init(&test.prestate);
    test.evm = evm_new();
    prestate_fill(&test.reader, test.prestate.state, reader_object(&test.reader, genesis, "alloc"));
    if (!test.reader.failed)
        run_with(&test, tracer);
    report_end(report, !test.reader.failed, &test.reader.err);
    evm_free(test.evm);
    prestate_fini(&test.prestate);
    arena_fini(&arena);
}

static const struct folder *find_folder(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++)
        if (strstr(path, FOLDERS[i].name))
            return &FOLDERS[i];
    return NULL;
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    (void)worker;
    struct json_doc *doc = NULL;
    struct err err;
    const struct folder *folder = find_folder(report->path);
    if (!report_begin(report, "%s", folder && folder->tracer ? folder->tracer : "tracer"))
        return;
    if (!folder)
        report_fail(report, "the folder's name tells no tracer");
    else if (!folder->tracer)
        report_skip(report, "a tracer of go-ethereum's own");
    else if (json_parse(&doc, bytes, len, 1024, &err) != STATUS_OK)
        report_fail(report, "%s", err.text);
    else
        run_test(report, json_root(doc), folder->tracer);
    json_free(doc);
}

int tracetest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm tracetest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs go-ethereum's tracer fixtures: {genesis, context, input, result}.",
        "The folder's name tells the tracer: call_tracer, prestate_tracer and so on."};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
