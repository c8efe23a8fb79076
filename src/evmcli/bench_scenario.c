/* Benchmarks of real transactions: through exec and state, with the commit of all at the end. */
#include "chain/exec.h"
#include "evmcli/bench.h"
#include "evmcli/prestate.h"
#include "evmcli/statetest.h"
#include "evmcli/txjson.h"

struct scenario {
    const struct bench_options *options;
    struct reader *reader;
    json root;
    struct chain_config config;
    enum fork fork;
    struct evm_block block;
    struct prestate prestate;
    struct evm *evm;
    struct tx *txs;
    size_t count;
    u64 gas;
};

static struct tx *read_list(struct scenario *scenario, const char *key, size_t *count)
{
    json list = reader_array(scenario->reader, scenario->root, key);
    *count = json_count(list);
    struct tx *txs = arena_zalloc(scenario->reader->arena, (*count + 1) * sizeof *txs);
    for (size_t i = 0; i < *count; i++) {
        json value = json_at(list, i);
        txjson_read(scenario->reader, &txs[i], value);
        txs[i].type = TX_DYNAMIC_FEE;
        txs[i].sender = reader_addr(scenario->reader, value, "sender");
        txs[i].has_sender = true;
    }
    return txs;
}

static void execute(struct scenario *scenario, const struct tx *txs, size_t count)
{
    struct exec exec;
    struct exec_result result;
    exec_init(&exec, scenario->prestate.state, scenario->evm, &scenario->config, scenario->fork,
              &scenario->block);
    for (size_t i = 0; i < count; i++) {
        enum tx_verdict verdict = exec_tx(&exec, &txs[i], EXEC_NO_GAS_LIMITS, &result);
        if (verdict != TX_OK)
            reader_fail(scenario->reader, "transaction %zu: %s", i, tx_verdict_text(verdict));
        else if (result.status != EVM_SUCCESS)
            reader_fail(scenario->reader, "transaction %zu: %s", i, evm_status_text(result.status));
    }
    scenario->gas = exec.gas_used;
}

static void run_all(void *arg)
{
    struct scenario *scenario = arg;
    struct err err;
    execute(scenario, scenario->txs, scenario->count);
    if (state_commit(scenario->prestate.state, NULL, &err) != STATUS_OK)
        reader_fail(scenario->reader, "%s", err.text);
}

/* A state of its own for each run: genesis and what sets it up. */
static void make_state(void *arg)
{
    struct scenario *scenario = arg;
    size_t count;
    struct err err;
    /* Nor does the machine remember what the last run hashed. */
    evm_set_memo(scenario->evm, false);
    evm_set_memo(scenario->evm, true);
    prestate_fini(&scenario->prestate);
    prestate_init(&scenario->prestate);
    prestate_fill(scenario->reader, scenario->prestate.state,
                  reader_object(scenario->reader, scenario->root, "alloc"));
    const struct tx *setup = read_list(scenario, "setup", &count);
    execute(scenario, setup, count);
    if (state_commit(scenario->prestate.state, NULL, &err) != STATUS_OK)
        reader_fail(scenario->reader, "%s", err.text);
}

static bool prepare(struct scenario *scenario)
{
    struct reader *reader = scenario->reader;
    json env = reader_object(reader, scenario->root, "env");
    const char *network = scenario->options->fork;
    if (!network)
        network = json_text(json_get(scenario->root, "fork"));
    if (!network || !chain_config_named(&scenario->config, network)) {
        reader_fail(reader, "there is no fork %s", network ? network : "(missing)");
        return false;
    }
    scenario->config.chain_id = reader_u64(reader, scenario->root, "chainId");
    scenario->fork =
        chain_config_fork(&scenario->config, reader_u64(reader, env, "currentNumber"),
                          reader_u64(reader, env, "currentTimestamp"), u256_from_u64(0));
    statetest_read_env(reader, &scenario->block, env, scenario->fork, &scenario->config);
    scenario->txs = read_list(scenario, "transactions", &scenario->count);
    return !reader->failed && scenario->count;
}

bool bench_scenario(const struct bench_options *options, struct reader *reader, json root)
{
    struct scenario scenario = {.options = options, .reader = reader, .root = root};
    const char *name = json_text(json_get(root, "name"));
    if (!prepare(&scenario))
        return false;
    scenario.evm = evm_new();
    evm_set_engine(scenario.evm, options->engine);
    prestate_init(&scenario.prestate);
    make_state(&scenario);
    if (!reader->failed) {
        struct bench_time time = bench_measure(run_all, make_state, &scenario);
        time.us /= (double)scenario.count;
        time.runs *= scenario.count;
        if (!reader->failed)
            bench_print(options, name ? name : "scenario", "tx", scenario.gas, time);
    }
    prestate_fini(&scenario.prestate);
    evm_free(scenario.evm);
    return !reader->failed;
}
