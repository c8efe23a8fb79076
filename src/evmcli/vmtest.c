/*
 * VM tests, the oldest of the official ones: one code run at top level by Frontier's or Homestead's
 * rules. No `post` means that it must end in an exceptional halt.
 */
#include <string.h>

#include "chain/exec.h"
#include "evmcli/statetest.h"

static void read_message(struct reader *reader, struct evm_msg *msg, json exec)
{
    struct bytes input = reader_bytes(reader, exec, "data");
    /* The value was moved before the code runs, and callers need not have it: a delegate call shows a
     * value without moving it. */
    *msg = (struct evm_msg){.kind = EVM_DELEGATECALL,
                            .gas = (i64)reader_u64(reader, exec, "gas"),
                            .sender = reader_addr(reader, exec, "caller"),
                            .recipient = reader_addr(reader, exec, "address"),
                            .code_addr = reader_addr(reader, exec, "address"),
                            .value = reader_u256(reader, exec, "value"),
                            .input = input.data,
                            .input_len = input.len};
}

static void run_message(struct state_worker *worker, struct reader *reader, struct state *state,
                        json test, struct evm_result *result)
{
    struct chain_config config;
    struct evm_block block;
    struct exec exec;
    struct evm_msg msg;
    json exec_json = reader_object(reader, test, "exec");
    chain_config_init(&config, FORK_FRONTIER);
    statetest_read_env(reader, &block, json_get(test, "env"), FORK_FRONTIER, &config);
    exec_init(&exec, state, worker->evm, &config, FORK_FRONTIER, &block);
    exec.block_hash = statetest_block_hash;
    struct evm_host host = {&EXEC_HOST_OPS, &exec};
    struct evm_tx tx = {.origin = reader_addr(reader, exec_json, "origin"),
                        .gas_price = reader_u256(reader, exec_json, "gasPrice"),
                        .chain_id = u256_from_u64(1)};
    read_message(reader, &msg, exec_json);
    struct state_code code = state_code(state, &msg.code_addr);
    struct bytes want = reader_bytes(reader, exec_json, "code");
    if (code.len != want.len || (code.len && memcmp(code.bytes, want.data, code.len) != 0))
        reader_fail(reader, "exec.code is not the code at exec.address");
    if (reader->failed)
        return;
    state_begin_tx(state);
    evm_begin(worker->evm, FORK_FRONTIER, &host, &block, &tx);
    evm_call(worker->evm, &msg, result);
}

static void count_account(void *arg, const addr20 *addr, const struct account *account)
{
    (void)addr;
    (void)account;
    ++*(size_t *)arg;
}

/* The committed state holds what `post` lists and nothing else. */
static void check_post(struct test_state *test, struct reader *reader, json post)
{
    struct state *state = test->prestate.state;
    struct err why;
    size_t count = 0;
    hash32 root;
    if (state_commit(state, NULL, &why) != STATUS_OK || prestate_differs(reader, state, post, &why))
        reader_fail(reader, "%s", why.text);
    state_each_account(state, count_account, &count);
    if (count != json_count(post))
        reader_fail(reader, "there are %zu accounts, not %zu", count, json_count(post));
    if (reader->failed)
        return;
    state_root(state, &root);
    if (!test_state_lasts(test, &root, reader, post, &why))
        reader_fail(reader, "the store: %s", why.text);
}

static void check_success(struct test_state *on, struct reader *reader,
                          const struct evm_result *result, json test)
{
    struct state *state = on->prestate.state;
    struct bytes out = reader_bytes(reader, test, "out");
    u64 gas = reader_u64(reader, test, "gas");
    hash32 want_logs = reader_hash(reader, test, "logs");
    hash32 logs = statetest_logs_hash(state, reader->arena);
    if (result->status != EVM_SUCCESS)
        reader_fail(reader, "the run failed: %s", evm_status_text(result->status));
    else if ((u64)result->gas_left != gas)
        reader_fail(reader, "gas left is %lld, not %llu", (long long)result->gas_left,
                    (unsigned long long)gas);
    else if (result->output_len != out.len ||
             (out.len && memcmp(result->output, out.data, out.len) != 0))
        reader_fail(reader, "the output differs");
    else if (!hash32_eq(&logs, &want_logs))
        reader_fail(reader, "the logs differ");
    state_end_tx(state, FORK_FRONTIER);
    if (!reader->failed)
        check_post(on, reader, json_get(test, "post"));
}

void vmtest_run(struct state_worker *worker, struct report *report, const char *name, json value)
{
    if (!report_wants_network(report, "VM") && !report_wants_fork(report, FORK_FRONTIER))
        return;
    if (!report_begin(report, "%s", name))
        return;
    struct test_state *state = &worker->state;
    struct reader reader;
    struct evm_result result = {.status = EVM_SUCCESS};
    reader_init(&reader, &worker->arena);
    if (test_state_open(state, &reader, reader_object(&reader, value, "pre")))
        run_message(worker, &reader, state->prestate.state, value, &result);
    if (!reader.failed && reader_has(value, "post"))
        check_success(state, &reader, &result, value);
    else if (!reader.failed && (result.status == EVM_SUCCESS || result.status == EVM_REVERT))
        reader_fail(&reader, "the run succeeded, but must end in an exceptional halt");
    report_end(report, !reader.failed, &reader.err);
    test_state_close(state);
}
