/* Official state tests: one transaction on a given state, under many forks, and the root it leads to. */
#include "evmcli/statetest.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "chain/exec.h"
#include "consensus/fee.h"
#include "evmcli/commands.h"
#include "evmcli/exception.h"
#include "evmcli/txjson.h"
#include "prim/hex.h"
#include "prim/keccak.h"
#include "types/log.h"

/* The base fee where a test names none, as the tools that fill tests have it. */
enum { DEFAULT_BASE_FEE = 10 };

struct state_case {
    struct state_worker *worker;
    struct report *report;
    struct reader reader; /* on the case's arena */
    json test, entry;     /* the whole test; this case's part of post */
    const struct chain_config *config;
    enum fork fork;
    struct state *state;
    bool is_broken; /* the store does not hold what the test began with any more */
    enum tx_verdict verdict;
};

hash32 statetest_block_hash(void *ctx, u64 number)
{
    (void)ctx;
    char digits[24];
    hash32 hash;
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    keccak256(&hash, digits, (size_t)len);
    return hash;
}

hash32 statetest_logs_hash(struct state *state, struct arena *arena)
{
    size_t count;
    const struct state_log *logs = state_logs(state, &count);
    struct log *list = arena_zalloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct log){.addr = logs[i].addr,
                               .topic_count = logs[i].topic_count,
                               .data = logs[i].data,
                               .data_len = logs[i].data_len};
        memcpy(list[i].topics, logs[i].topics, logs[i].topic_count * sizeof(hash32));
    }
    return log_list_hash(list, count);
}

bool statetest_read_config(struct reader *reader, struct chain_config *config, const char *network,
                           json test)
{
    if (!chain_config_named(config, network))
        return false;
    json own = json_get(test, "config");
    config->chain_id = reader_u64_or(reader, own, "chainid", config->chain_id);
    struct json_iter iter = json_iter(json_get(own, "blobSchedule"));
    while (json_next(&iter)) {
        u32 target = (u32)reader_u64(reader, iter.value, "target");
        u32 max = (u32)reader_u64(reader, iter.value, "max");
        u64 fraction = reader_u64(reader, iter.value, "baseFeeUpdateFraction");
        if (!chain_config_set_blob(config, iter.key, target, max, fraction))
            reader_fail(reader, "blobSchedule: there is no fork %s", iter.key);
    }
    return true;
}

void statetest_read_env(struct reader *reader, struct evm_block *block, json env, enum fork fork,
                        const struct chain_config *config)
{
    *block = (struct evm_block){
        .coinbase = reader_addr(reader, env, "currentCoinbase"),
        .number = reader_u64(reader, env, "currentNumber"),
        .timestamp = reader_u64(reader, env, "currentTimestamp"),
        .gas_limit = reader_u64(reader, env, "currentGasLimit"),
        .difficulty = reader_u256_or(reader, env, "currentDifficulty", u256_from_u64(0)),
    };
    if (reader_has(env, "currentRandom"))
        block->prev_randao = u256_to_hash(reader_u256(reader, env, "currentRandom"));
    if (fork >= FORK_LONDON)
        block->base_fee =
            reader_u256_or(reader, env, "currentBaseFee", u256_from_u64(DEFAULT_BASE_FEE));
    const struct blob_params *blob = chain_config_blob_params(config, block->timestamp);
    if (fork >= FORK_CANCUN && blob) {
        u64 excess = reader_u64_or(reader, env, "currentExcessBlobGas", 0);
        block->blob_base_fee = fee_blob_base(excess, blob->update_fraction);
    }
}

static json pick(struct reader *reader, json transaction, const char *key, json indexes,
                 const char *index_key)
{
    json list = reader_array(reader, transaction, key);
    u64 index = reader_u64(reader, indexes, index_key);
    json value = json_at(list, index);
    if (!value)
        reader_fail(reader, "indexes.%s: transaction.%s has no entry %llu", index_key, key,
                    (unsigned long long)index);
    return value;
}

static void read_lists(struct reader *reader, struct tx *tx, json transaction, json indexes)
{
    json access =
        json_at(json_get(transaction, "accessLists"), reader_u64(reader, indexes, "data"));
    if (json_kind(access) == JSON_KIND_ARRAY) {
        tx->type = TX_ACCESS_LIST;
        txjson_read_access_list(reader, tx, access);
    }
    if (reader_has(transaction, "maxFeePerGas"))
        tx->type = TX_DYNAMIC_FEE;
    if (reader_has(transaction, "maxFeePerBlobGas")) {
        tx->type = TX_BLOB;
        tx->max_blob_fee = reader_u256(reader, transaction, "maxFeePerBlobGas");
        txjson_read_blob_hashes(reader, tx, json_get(transaction, "blobVersionedHashes"));
    }
    if (reader_has(transaction, "authorizationList")) {
        tx->type = TX_SET_CODE;
        txjson_read_authorizations(reader, tx, json_get(transaction, "authorizationList"));
    }
}

void statetest_read_tx(struct reader *reader, struct tx *tx, json transaction, json indexes)
{
    *tx = (struct tx){.nonce = reader_u64(reader, transaction, "nonce"), .chain_id = 1};
    tx->gas = value_u64(reader, pick(reader, transaction, "gasLimit", indexes, "gas"), "gasLimit");
    tx->value = value_u256(reader, pick(reader, transaction, "value", indexes, "value"), "value");
    struct bytes data =
        value_bytes(reader, pick(reader, transaction, "data", indexes, "data"), "data");
    tx->data = data.data;
    tx->data_len = data.len;
    const char *to = json_text(json_get(transaction, "to"));
    tx->is_create = !to || !*to;
    if (!tx->is_create)
        tx->to = text_addr(reader, to);
    read_lists(reader, tx, transaction, indexes);
    if (tx->type < TX_DYNAMIC_FEE) {
        tx->gas_price = reader_u256(reader, transaction, "gasPrice");
        tx->max_fee = tx->max_priority_fee = tx->gas_price;
    } else {
        tx->max_fee = reader_u256(reader, transaction, "maxFeePerGas");
        tx->max_priority_fee = reader_u256(reader, transaction, "maxPriorityFeePerGas");
        tx->gas_price = tx->max_fee;
    }
}

/* The sender that the test names, or that its key implies. */
static addr20 read_sender(struct state_case *test, json transaction)
{
    struct reader *reader = &test->reader;
    addr20 sender = {0};
    if (reader_has(transaction, "sender"))
        return reader_addr(reader, transaction, "sender");
    hash32 secret = reader_hash(reader, transaction, "secretKey");
    if (!reader->failed && !secp256k1_addr(test->worker->signer, &sender, &secret))
        reader_fail(reader, "secretKey is not a key");
    return sender;
}

/* From txbytes where the case has them, so that decoding and signatures are tested too. */
static enum tx_verdict read_tx(struct state_case *test, struct tx *tx)
{
    struct reader *reader = &test->reader;
    json transaction = reader_object(reader, test->test, "transaction");
    addr20 sender = read_sender(test, transaction);
    if (!reader_has(test->entry, "txbytes")) {
        statetest_read_tx(reader, tx, transaction, json_get(test->entry, "indexes"));
        tx->sender = sender;
        tx->has_sender = true;
        return TX_OK;
    }
    struct bytes bytes = reader_bytes(reader, test->entry, "txbytes");
    enum tx_verdict verdict = tx_decode(tx, reader->arena, bytes.data, bytes.len);
    if (verdict == TX_OK)
        verdict = tx_recover(tx, test->fork, test->config->chain_id);
    if (verdict == TX_OK && !addr20_eq(&tx->sender, &sender))
        reader_fail(reader, "the sender of txbytes is not transaction.sender");
    return verdict;
}

/* Executes the case's transaction. */
static void execute(struct state_case *test)
{
    struct exec exec;
    struct evm_block block;
    struct tx tx;
    struct exec_result result;
    struct reader *reader = &test->reader;
    statetest_read_env(reader, &block, json_get(test->test, "env"), test->fork, test->config);
    test->verdict = read_tx(test, &tx);
    exec_init(&exec, test->state, test->worker->evm, test->config, test->fork, &block);
    exec.block_hash = statetest_block_hash;
    if (reader->failed)
        return;
    state_begin_tx(test->state);
    if (test->verdict == TX_OK)
        test->verdict = exec_tx(&exec, &tx, 0, &result);
    if (test->verdict != TX_OK)
        state_begin_tx(test->state);
}

static void fail_hash(struct report *report, const char *field, const hash32 *got,
                      const hash32 *want, const char *more)
{
    char a[67], b[67];
    hex_encode(a, got->b, 32);
    hex_encode(b, want->b, 32);
    report_fail(report, "%s is %s, not %s%s%s", field, a, b, *more ? "; " : "", more);
}

static bool store_keeps(struct state_case *test, const hash32 *root, struct err *why)
{
    struct test_state *state = &test->worker->state;
    json accounts = json_get(test->entry, "state");
    test->is_broken = !test_state_keeps(state, root, &test->reader, accounts, why);
    test->state = state->prestate.state;
    return !test->is_broken;
}

/* No reward is paid, but the coinbase is touched, also where the transaction was refused: so the tools that
 * filled the older files have it. execution-spec-tests leaves the state of a refused transaction alone. */
static void check_root(struct state_case *test, const addr20 *coinbase)
{
    struct reader *reader = &test->reader;
    hash32 logs = statetest_logs_hash(test->state, reader->arena), root;
    hash32 want_logs = reader_hash(reader, test->entry, "logs");
    hash32 want_root = reader_hash(reader, test->entry, "hash");
    bool is_eest = reader_has(test->entry, "state");
    if (!is_eest || !reader_has(test->entry, "expectException")) {
        state_begin_tx(test->state);
        state_touch(test->state, coinbase);
        state_end_tx(test->state, test->fork);
    }
    state_root(test->state, &root);
    struct err why = {.text = ""};
    if (!hash32_eq(&root, &want_root)) {
        if (!prestate_differs(reader, test->state, json_get(test->entry, "state"), &why) &&
            test->verdict != TX_OK)
            err_set(&why, STATUS_INVALID, "the transaction was refused: %s",
                    tx_verdict_text(test->verdict));
        fail_hash(test->report, "state root", &root, &want_root, why.text);
    } else if (!hash32_eq(&logs, &want_logs)) {
        fail_hash(test->report, "logs hash", &logs, &want_logs, "");
    } else if (reader->failed) {
        report_fail(test->report, "%s", reader->err.text);
    } else if (!store_keeps(test, &root, &why)) {
        report_fail(test->report, "the store: %s", why.text);
    } else {
        report_pass(test->report);
    }
}

static void check(struct state_case *test)
{
    struct reader *reader = &test->reader;
    const char *expected = json_text(json_get(test->entry, "expectException"));
    addr20 coinbase = reader_addr(reader, json_get(test->test, "env"), "currentCoinbase");
    /* Older files have no expectException: what is refused there shows in the root. */
    bool is_exact = reader_has(test->entry, "txbytes");
    if (reader->failed)
        report_fail(test->report, "%s", reader->err.text);
    else if (expected && test->verdict == TX_OK)
        report_fail(test->report, "the transaction was executed, but must be refused: %s",
                    expected);
    else if (is_exact && !expected && test->verdict != TX_OK)
        report_fail(test->report, "the transaction was refused: %s",
                    tx_verdict_text(test->verdict));
    else if (test->report->options->reasons && expected &&
             !exception_fits_tx(expected, test->verdict))
        report_fail(test->report, "the transaction was refused for another reason than %s: %s",
                    expected, tx_verdict_text(test->verdict));
    else
        check_root(test, &coinbase);
}

static void run_entry(struct state_case *test, const char *name, const char *network, json entry)
{
    json indexes = json_get(entry, "indexes");
    u64 data = 0, gas = 0, value = 0;
    json_u64(json_get(indexes, "data"), &data);
    json_u64(json_get(indexes, "gas"), &gas);
    json_u64(json_get(indexes, "value"), &value);
    if (!report_begin(test->report, "%s/%s/d%llug%lluv%llu", name, network,
                      (unsigned long long)data, (unsigned long long)gas, (unsigned long long)value))
        return;
    if (test->is_broken) {
        report_fail(test->report, "not run: the store is as the case that failed left it");
        return;
    }
    arena_reset(&test->worker->case_arena);
    reader_init(&test->reader, &test->worker->case_arena);
    test->entry = entry;
    execute(test);
    check(test);
    if (!test->is_broken)
        state_reset(test->state);
}

static void run_network(struct state_case *test, const char *name, const char *network,
                        json entries)
{
    struct chain_config config;
    struct reader reader;
    reader_init(&reader, &test->worker->arena);
    u64 number = reader_u64_or(&reader, json_get(test->test, "env"), "currentNumber", 0);
    u64 time = reader_u64_or(&reader, json_get(test->test, "env"), "currentTimestamp", 0);
    bool is_known = statetest_read_config(&reader, &config, network, test->test);
    if (!is_known)
        reader_fail(&reader, "there is no fork %s", network);
    if (reader.failed) {
        if (report_begin(test->report, "%s/%s", name, network))
            report_fail(test->report, "%s", reader.err.text);
        return;
    }
    test->config = &config;
    test->fork = chain_config_fork(&config, number, time, u256_from_u64(0));
    struct json_iter iter = json_iter(entries);
    while (json_next(&iter))
        run_entry(test, name, network, iter.value);
}

static bool wants_any(const struct report *report, json post)
{
    struct json_iter iter = json_iter(post);
    while (json_next(&iter))
        if (report_wants_network(report, iter.key))
            return true;
    return false;
}

static void run_test(struct state_worker *worker, struct report *report, const char *name,
                     json value)
{
    struct state_case test = {.worker = worker, .report = report, .test = value};
    struct reader reader;
    json post = json_get(value, "post");
    if (!wants_any(report, post))
        return;
    reader_init(&reader, &worker->arena);
    struct json_iter iter = json_iter(post);
    if (test_state_open(&worker->state, &reader, reader_object(&reader, value, "pre"))) {
        test.state = worker->state.prestate.state;
        while (json_next(&iter))
            if (report_wants_network(report, iter.key))
                run_network(&test, name, iter.key, iter.value);
    } else if (report_begin(report, "%s", name)) {
        report_fail(report, "%s", reader.err.text);
    }
    test_state_close(&worker->state);
}

static void run_case(void *opaque, struct report *report, const char *name, json value)
{
    struct state_worker *worker = opaque;
    arena_reset(&worker->arena);
    if (json_get(value, "exec"))
        vmtest_run(worker, report, name, value);
    else if (json_get(value, "post") && json_get(value, "transaction"))
        run_test(worker, report, name, value);
    else if (report_begin(report, "%s", name))
        report_fail(report, "this is no state test: it needs env, pre, transaction and post");
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

static void *worker_new(const struct suite_options *options)
{
    static const u8 no_seed[32] = {1};
    struct state_worker *worker = NEW(struct state_worker);
    worker->state = (struct test_state){.is_stored = options->store, .reopens = options->reopen};
    worker->evm = evm_new();
    worker->signer = secp256k1_signer_new(no_seed);
    arena_init(&worker->arena);
    arena_init(&worker->case_arena);
    return worker;
}

static void worker_free(void *opaque)
{
    struct state_worker *worker = opaque;
    test_state_fini(&worker->state);
    evm_free(worker->evm);
    secp256k1_signer_free(worker->signer);
    arena_fini(&worker->arena);
    arena_fini(&worker->case_arena);
    mem_free(worker);
}

int statetest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm statetest",
        "PATH... [--fork FORK] [--run REGEX] [--jobs N] [--json] [--store [--reopen]]",
        "Runs official state tests and the older VM tests.",
        "A case is named TEST/FORK/dDgGvV after the indexes of its data, gas and value."};
    static const struct suite suite = {&command,    suffixes, worker_new,
                                       worker_free, run_file, .has_store = true};
    return suite_main(&suite, argc, argv);
}
