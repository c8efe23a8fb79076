/*
 * geth's tracer fixtures: {genesis, context, input, tracerConfig, result}. One transaction is executed under
 * the tracer that the file's folder is named after, and the result compared.
 */
#include "trace/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "chain/exec.h"
#include "consensus/fee.h"
#include "evmcli/commands.h"
#include "evmcli/prestate.h"
#include "evmcli/suite.h"
#include "prim/json_out.h"
#include "types/genesis.h"

enum { RESULT_MAX = 256 << 20, JSON_DEPTH = 1024, AUTHORITIES_MAX = 64, WHERE_MAX = 200 };

/* The folder's name holds the first of these that fits. */
static const struct {
    const char *folder;
    const char *tracer; /* NULL: why not is in why */
    const char *why;
} FOLDERS[] = {
    {"_legacy", NULL, "made for geth's tracers in JavaScript, whose results had another shape"},
    {"erc7562", NULL, "geth's erc7562Tracer is made for ERC-4337 bundlers"},
    {"call_tracer_flat", "flatCallTracer", NULL},
    {"call_tracer", "callTracer", NULL},
    {"prestate_tracer", "prestateTracer", NULL},
};

struct trace_worker {
    struct evm *evm;
    struct arena arena;
};

struct trace_case {
    struct trace_worker *worker;
    struct reader reader;
    json test;
    const char *tracer;
    struct prestate prestate;
    struct chain_config config;
    enum fork fork;
    struct evm_block block;
    struct tx tx;
    struct exec exec;
};

/* --- comparing ------------------------------------------------------------------------------- */

/* Where the transaction stands in the chain, which a fixture's flat calls show but do not tell us. */
static bool is_position(const char *key)
{
    static const char *const keys[] = {"blockHash", "blockNumber", "transactionHash",
                                       "transactionPosition"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* geth compares through structs of its own, to which a missing member is the same as its zero. */
static bool is_zero(json value)
{
    const char *text = json_text(value), *number = json_number_text(value);
    if (json_kind(value) == JSON_KIND_ABSENT)
        return true;
    if (text)
        return text[strspn(text, "0x")] == '\0';
    if (number)
        return strcmp(number, "0") == 0;
    struct json_iter iter = json_iter(value);
    while (json_next(&iter))
        if (!is_zero(iter.value))
            return false;
    return json_kind(value) == JSON_KIND_OBJECT || json_kind(value) == JSON_KIND_ARRAY;
}

static bool scalars_differ(json got, json want)
{
    const char *a = json_text(got), *b = json_text(want);
    const char *m = json_number_text(got), *n = json_number_text(want);
    bool x = false, y = false;
    if (json_kind(got) != json_kind(want))
        return true;
    if (a && b)
        return strcmp(a, b) != 0;
    if (m && n)
        return strcmp(m, n) != 0;
    return json_bool(got, &x) && json_bool(want, &y) && x != y;
}

static bool values_differ(json got, json want, const char *where, struct err *err);

static bool objects_differ(json got, json want, const char *where, struct err *err)
{
    char at[WHERE_MAX];
    struct json_iter iter = json_iter(got);
    while (json_next(&iter)) {
        snprintf(at, sizeof at, "%.120s.%.70s", where, iter.key);
        if (!is_position(iter.key) && !json_get(want, iter.key) && !is_zero(iter.value)) {
            err_set(err, STATUS_INVALID, "%s should not be there", at);
            return true;
        }
    }
    iter = json_iter(want);
    while (json_next(&iter)) {
        snprintf(at, sizeof at, "%.120s.%.70s", where, iter.key);
        if (!is_position(iter.key) && values_differ(json_get(got, iter.key), iter.value, at, err))
            return true;
    }
    return false;
}

static bool values_differ(json got, json want, const char *where, struct err *err)
{
    char at[WHERE_MAX];
    const char *a, *b;
    if (json_kind(got) == JSON_KIND_OBJECT && json_kind(want) == JSON_KIND_OBJECT)
        return objects_differ(got, want, where, err);
    if (json_kind(got) == JSON_KIND_ARRAY && json_count(got) == json_count(want)) {
        for (size_t i = 0; i < json_count(got); i++) {
            snprintf(at, sizeof at, "%.160s[%zu]", where, i);
            if (values_differ(json_at(got, i), json_at(want, i), at, err))
                return true;
        }
        return false;
    }
    if (!scalars_differ(got, want) || (json_kind(got) == JSON_KIND_ABSENT && is_zero(want)))
        return false;
    a = json_text(got) ? json_text(got) : json_kind_name(json_kind(got));
    b = json_text(want) ? json_text(want) : json_kind_name(json_kind(want));
    err_set(err, STATUS_INVALID, "%s is %.100s, not %.100s", where, a, b);
    return true;
}

/* --- running --------------------------------------------------------------------------------- */

static void put_json(struct buf *out, const char *key, json value)
{
    struct json_iter iter = json_iter(value);
    bool flag = false;
    switch (json_kind(value)) {
    case JSON_KIND_ABSENT:
    case JSON_KIND_NULL: json_out_null(out, key); break;
    case JSON_KIND_BOOL: json_out_bool(out, key, json_bool(value, &flag) && flag); break;
    case JSON_KIND_NUMBER:
        json_out_raw(out, key, json_number_text(value), strlen(json_number_text(value)));
        break;
    case JSON_KIND_STRING: json_out_text(out, key, json_text(value)); break;
    case JSON_KIND_ARRAY:
        json_out_array(out, key);
        while (json_next(&iter))
            put_json(out, NULL, iter.value);
        json_out_array_end(out);
        break;
    case JSON_KIND_OBJECT:
        json_out_object(out, key);
        while (json_next(&iter))
            put_json(out, iter.key, iter.value);
        json_out_object_end(out);
        break;
    }
}

/* The fixtures' configurations carry keys of old and of private versions; geth skips what it does not know. */
static void read_config(struct trace_case *test, json config)
{
    static const char *const unknown[] = {"isDev", "supportedProtocolVersions", "trustedCheckpoint",
                                          "trustedCheckpointOracle"};
    struct buf text;
    struct err err;
    json cleaned = NULL;
    struct json_iter iter = json_iter(config);
    buf_init(&text, RESULT_MAX);
    json_out_object(&text, NULL);
    while (json_next(&iter)) {
        bool is_known = true;
        for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
            is_known = is_known && strcmp(iter.key, unknown[i]) != 0;
        if (strcmp(iter.key, "eip155Block") == 0) /* one fork here; geth keeps two numbers */
            put_json(&text, iter.key, json_get(config, "eip158Block"));
        else if (is_known)
            put_json(&text, strcmp(iter.key, "IstanbulBlock") ? iter.key : "istanbulBlock",
                     iter.value);
    }
    json_out_object_end(&text);
    if (json_parse_in(&cleaned, test->reader.arena, (const char *)text.data, text.len, JSON_DEPTH,
                      &err) != STATUS_OK ||
        genesis_parse_config(&test->config, cleaned, &err) != STATUS_OK)
        reader_fail(&test->reader, "genesis.config: %s", err.text);
    buf_fini(&text);
}

static void read_block(struct trace_case *test)
{
    struct reader *reader = &test->reader;
    json context = reader_object(reader, test->test, "context");
    json genesis = reader_object(reader, test->test, "genesis");
    test->block = (struct evm_block){
        .coinbase = reader_addr(reader, context, "miner"),
        .number = reader_u64(reader, context, "number"),
        .timestamp = reader_u64(reader, context, "timestamp"),
        .gas_limit = reader_u64(reader, context, "gasLimit"),
        .difficulty = reader_u256_or(reader, context, "difficulty", U256_ZERO),
        .base_fee = reader_u256_or(reader, context, "baseFeePerGas", U256_ZERO),
        .blob_base_fee = U256_ONE,
    };
    if (reader_has(genesis, "mixHash"))
        test->block.prev_randao = reader_hash(reader, genesis, "mixHash");
    read_config(test, json_get(genesis, "config"));
    test->fork =
        chain_config_fork(&test->config, test->block.number, test->block.timestamp, U256_ZERO);
    prestate_fill(reader, test->prestate.state, reader_object(reader, genesis, "alloc"));
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

/* Executes the transaction and writes what the tracer says. */
static void run_traced(struct trace_case *test, struct trace *trace, struct buf *out)
{
    addr20 authorities[AUTHORITIES_MAX];
    size_t count = 0;
    const struct tx *tx = &test->tx;
    struct exec_result result;
    struct evm_host host = {&EXEC_HOST_OPS, &test->exec};
    for (u32 i = 0; i < tx->authorization_count && count < AUTHORITIES_MAX; i++)
        count += authorization_recover(&tx->authorizations[i], &authorities[count]);
    struct trace_tx about = {
        .fork = test->fork,
        .from = tx->sender,
        .to = tx->to,
        .is_create = tx->is_create,
        .gas_limit = tx->gas,
        .coinbase = test->block.coinbase,
        .authorities = authorities,
        .authority_count = count,
        .hash = &tx->hash,
        .block_number = test->block.number,
    };
    state_begin_tx(test->prestate.state);
    trace_begin(trace, &host, &about);
    evm_set_tracer(test->worker->evm, trace_hooks(trace));
    enum tx_verdict verdict = exec_tx(&test->exec, tx, EXEC_NO_GAS_LIMITS, &result);
    evm_set_tracer(test->worker->evm, NULL);
    if (verdict != TX_OK) {
        reader_fail(&test->reader, "the transaction was refused: %s", tx_verdict_text(verdict));
        return;
    }
    trace_end(trace, result.gas_used);
    if (!trace_result(out, NULL, trace))
        reader_fail(&test->reader, "the result is too large");
}

static void compare(struct trace_case *test, const struct buf *out)
{
    struct json_doc *doc = NULL;
    struct err err;
    if (json_parse(&doc, (const char *)out->data, out->len, JSON_DEPTH, &err) != STATUS_OK) {
        reader_fail(&test->reader, "the tracer's answer is no JSON: %s", err.text);
        return;
    }
    if (values_differ(json_root(doc), json_get(test->test, "result"), "result", &err))
        reader_fail(&test->reader, "%s", err.text);
    json_free(doc);
}

/* {"tracer": ..., "tracerConfig": ...}, as debug_traceTransaction gets it. */
static json make_config(struct trace_case *test, struct buf *text)
{
    json own = json_get(test->test, "tracerConfig"), config = NULL;
    json_out_object(text, NULL);
    json_out_text(text, "tracer", test->tracer);
    put_json(text, "tracerConfig", own);
    json_out_object_end(text);
    struct err err;
    if (json_parse_in(&config, test->reader.arena, (const char *)text->data, text->len, 8, &err) !=
        STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    return config;
}

static void run_test(struct trace_case *test)
{
    struct buf out;
    struct err err;
    struct trace *trace = NULL;
    buf_init(&out, RESULT_MAX);
    json config = make_config(test, &out);
    read_block(test);
    read_tx(test);
    exec_init(&test->exec, test->prestate.state, test->worker->evm, &test->config, test->fork,
              &test->block);
    if (trace_new(&trace, config, RESULT_MAX, &err) != STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    buf_reset(&out);
    if (!test->reader.failed)
        run_traced(test, trace, &out);
    if (!test->reader.failed)
        compare(test, &out);
    trace_free(trace);
    buf_fini(&out);
}

/* --- the runner ------------------------------------------------------------------------------ */

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    struct trace_case test = {.worker = worker};
    struct json_doc *doc = NULL;
    struct err err;
    size_t i = 0;
    while (i < ARRAY_LEN(FOLDERS) && !strstr(report->path, FOLDERS[i].folder))
        i++;
    if (!report_begin(report, "trace"))
        return;
    if (i == ARRAY_LEN(FOLDERS)) {
        report_fail(report, "the folder's name tells no tracer");
        return;
    }
    if (!FOLDERS[i].tracer) {
        report_skip(report, "%s", FOLDERS[i].why);
        return;
    }
    if (json_parse(&doc, bytes, len, JSON_DEPTH, &err) != STATUS_OK) {
        report_fail(report, "%s", err.text);
        return;
    }
    arena_reset(&test.worker->arena);
    reader_init(&test.reader, &test.worker->arena);
    test.test = json_root(doc);
    test.tracer = FOLDERS[i].tracer;
    prestate_init(&test.prestate);
    run_test(&test);
    report_end(report, !test.reader.failed, &test.reader.err);
    prestate_fini(&test.prestate);
    json_free(doc);
}

static void *worker_new(const struct suite_options *options)
{
    (void)options;
    struct trace_worker *worker = NEW(struct trace_worker);
    worker->evm = evm_new();
    arena_init(&worker->arena);
    return worker;
}

static void worker_free(void *opaque)
{
    struct trace_worker *worker = opaque;
    evm_free(worker->evm);
    arena_fini(&worker->arena);
    mem_free(worker);
}

int tracetest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct cli_command command = {
        "tracetest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs geth's tracer fixtures: {genesis, context, input, tracerConfig, result}.",
        "The tracer follows from the folder's name, such as call_tracer_withLog."};
    static const struct suite suite = {&command, suffixes, worker_new, worker_free, run_file};
    return suite_main(&suite, argc, argv);
}
