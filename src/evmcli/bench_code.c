/* Benchmarks of code: what a state test's transaction runs, without the transaction around it. */
#include <stdio.h>
#include <string.h>

#include "chain/exec.h"
#include "crypto/secp256k1.h"
#include "evmcli/bench.h"
#include "evmcli/statetest.h"
#include "prim/hex.h"

struct code_bench {
    const struct bench_options *options;
    struct reader *reader;
    json test;
    struct prestate prestate;
    struct evm *evm;
    struct exec exec;
    struct evm_tx evm_tx;
    struct evm_msg msg;
    struct evm_result result;
    enum fork fork;
};

static void run_once(void *arg)
{
    struct code_bench *bench = arg;
    struct state *state = bench->prestate.state;
    state_begin_tx(state);
    u32 checkpoint = state_checkpoint(state);
    state_account_warm(state, &bench->msg.sender);
    state_account_warm(state, &bench->msg.recipient);
    if (bench->fork >= FORK_SHANGHAI)
        state_account_warm(state, &bench->exec.block.coinbase);
    evm_begin(bench->evm, bench->fork, &bench->exec.host, &bench->exec.block, &bench->evm_tx);
    evm_call(bench->evm, &bench->msg, &bench->result);
    state_rollback(state, checkpoint);
}

/* For --first: a machine that has never seen the code, though it has run others: its own memory is there, which a process
 * pays for once. */
static void forget(void *arg)
{
    struct code_bench *bench = arg;
    evm_forget_codes(bench->evm);
}

static addr20 read_sender(struct reader *reader, json transaction)
{
    static const u8 seed[32] = {1};
    addr20 sender = {0};
    if (reader_has(transaction, "sender"))
        return reader_addr(reader, transaction, "sender");
    struct secp256k1_signer *signer = secp256k1_signer_new(seed);
    hash32 secret = reader_hash(reader, transaction, "secretKey");
    if (!secp256k1_addr(signer, &sender, &secret))
        reader_fail(reader, "secretKey is not a key");
    secp256k1_signer_free(signer);
    return sender;
}

static bool prepare(struct code_bench *bench, struct chain_config *config, const char *network)
{
    struct evm_block block;
    json env = json_get(bench->test, "env");
    if (!statetest_read_config(bench->reader, config, network, bench->test)) {
        reader_fail(bench->reader, "there is no fork %s", network);
        return false;
    }
    bench->fork =
        chain_config_fork(config, reader_u64(bench->reader, env, "currentNumber"),
                          reader_u64(bench->reader, env, "currentTimestamp"), u256_from_u64(0));
    statetest_read_env(bench->reader, &block, env, bench->fork, config);
    exec_init(&bench->exec, bench->prestate.state, bench->evm, config, bench->fork, &block);
    bench->exec.block_hash = statetest_block_hash;
    return !bench->reader->failed;
}

/* The case as a test: executed once as the file has it, it must lead to the file's root. */
static bool verify(struct code_bench *bench, const char *network, json entry)
{
    struct chain_config config;
    struct tx tx;
    struct exec_result result;
    hash32 root, want;
    json transaction = json_get(bench->test, "transaction");
    if (!prepare(bench, &config, network))
        return false;
    statetest_read_tx(bench->reader, &tx, transaction, json_get(entry, "indexes"));
    tx.sender = read_sender(bench->reader, transaction);
    tx.has_sender = true;
    want = reader_hash(bench->reader, entry, "hash");
    if (bench->reader->failed)
        return false;
    enum tx_verdict verdict = exec_tx(&bench->exec, &tx, 0, &result);
    if (verdict != TX_OK)
        reader_fail(bench->reader, "the transaction was refused: %s", tx_verdict_text(verdict));
    state_root(bench->prestate.state, &root);
    state_reset(bench->prestate.state);
    if (!hash32_eq(&root, &want))
        reader_fail(bench->reader, "it does not lead to the state root that the file has");
    return !bench->reader->failed;
}

/* The entry of post for this data, and the network it is under. */
static json find_entry(json post, u64 data, const char **network)
{
    struct json_iter forks = json_iter(post);
    while (json_next(&forks)) {
        struct json_iter entries = json_iter(forks.value);
        while (json_next(&entries)) {
            u64 index = ~(u64)0;
            json_u64(json_get(json_get(entries.value, "indexes"), "data"), &index);
            *network = forks.key;
            if (index == data)
                return entries.value;
        }
    }
    return NULL;
}

static void set_message(struct code_bench *bench, json transaction, json data)
{
    struct reader *reader = bench->reader;
    struct bytes input = value_bytes(reader, data, "data");
    u64 gas = value_u64(reader, json_at(json_get(transaction, "gasLimit"), 0), "gasLimit");
    addr20 to = reader_addr(reader, transaction, "to");
    bench->msg = (struct evm_msg){
        .kind = EVM_CALL,
        .gas = gas > INT64_MAX ? INT64_MAX : (i64)gas,
        .sender = read_sender(reader, transaction),
        .recipient = to,
        .code_addr = to,
        .value = value_u256(reader, json_at(json_get(transaction, "value"), 0), "value"),
        .input = input.data,
        .input_len = input.len};
    bench->evm_tx = (struct evm_tx){
        .origin = bench->msg.sender, .gas_price = u256_from_u64(0), .chain_id = u256_from_u64(1)};
}

static bool run_data(struct code_bench *bench, const char *name, u64 index, json data)
{
    json transaction = json_get(bench->test, "transaction");
    const char *network = NULL;
    char key[24];
    json entry = find_entry(json_get(bench->test, "post"), index, &network);
    if (!entry) {
        reader_fail(bench->reader, "%s: post has no case of data %llu", name,
                    (unsigned long long)index);
        return false;
    }
    if (!verify(bench, network, entry))
        return false;
    snprintf(key, sizeof key, "%llu", (unsigned long long)index);
    const char *label =
        json_text(json_get(json_get(json_get(bench->test, "_info"), "labels"), key));
    static const char prefix[] = ":label ";
    if (label && strncmp(label, prefix, strlen(prefix)) == 0)
        label += strlen(prefix);
    struct chain_config config;
    if (!prepare(bench, &config, bench->options->fork ? bench->options->fork : network))
        return false;
    set_message(bench, transaction, data);
    if (bench->reader->failed)
        return false;
    run_once(bench);
    if (bench->result.status != EVM_SUCCESS) {
        reader_fail(bench->reader, "%s: the run failed: %s", name,
                    evm_status_text(bench->result.status));
        return false;
    }
    u64 gas = (u64)(bench->msg.gas - bench->result.gas_left);
    struct bench_time time = bench_measure(run_once, bench->options->first ? forget : NULL, bench);
    bench_print(bench->options, name, label ? label : key, gas, time);
    return true;
}

bool bench_code(const struct bench_options *options, struct reader *reader, const char *name,
                json test)
{
    struct code_bench bench = {.options = options, .reader = reader, .test = test};
    json list = json_get(json_get(test, "transaction"), "data");
    prestate_init(&bench.prestate);
    prestate_fill(reader, bench.prestate.state, reader_object(reader, test, "pre"));
    bench.evm = evm_new();
    evm_set_memo(bench.evm, false);
    evm_set_engine(bench.evm, options->engine);
    for (size_t i = 0; !reader->failed && i < json_count(list); i++)
        run_data(&bench, name, i, json_at(list, i));
    evm_free(bench.evm);
    prestate_fini(&bench.prestate);
    return !reader->failed;
}
