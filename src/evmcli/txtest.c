/* Official transaction tests: bytes, and under each fork the hash, sender and gas, or that they must be refused. */
#include "types/tx.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "types/chain_config.h"

struct expectation {
    bool must_fail;
    hash32 hash;
    addr20 sender;
    u64 gas;
};

static void read_expectation(struct reader *reader, struct expectation *want, json entry)
{
    *want = (struct expectation){.must_fail = !reader_has(entry, "hash")};
    if (want->must_fail)
        return;
    want->hash = reader_hash(reader, entry, "hash");
    want->sender = reader_addr(reader, entry, "sender");
    want->gas = reader_u64(reader, entry, "intrinsicGas");
}

static enum tx_verdict decode(struct tx *tx, struct arena *arena, struct bytes bytes,
                              enum fork fork, const struct chain_config *config)
{
    enum tx_verdict verdict = tx_decode(tx, arena, bytes.data, bytes.len);
    if (verdict == TX_OK)
        verdict = tx_check(tx, fork, chain_config_tx_blobs_max(config, fork, 0));
    if (verdict == TX_OK)
        verdict = tx_recover(tx, fork, config->chain_id);
    return verdict;
}

static void check(struct reader *reader, struct bytes bytes, bool is_hex, json entry,
                  const char *network)
{
    struct expectation want;
    struct chain_config config;
    struct tx tx;
    if (!chain_config_named(&config, network)) {
        reader_fail(reader, "there is no fork %s", network);
        return;
    }
    enum fork fork = chain_config_fork(&config, 0, 0, u256_from_u64(0));
    read_expectation(reader, &want, entry);
    enum tx_verdict verdict =
        is_hex ? decode(&tx, reader->arena, bytes, fork, &config) : TX_MALFORMED;
    u64 gas = verdict == TX_OK ? tx_gas_of(&tx, fork).intrinsic : 0;
    if (want.must_fail && verdict == TX_OK)
        reader_fail(reader, "it was accepted, but must be refused: %s",
                    json_text(json_get(entry, "exception")));
    else if (!want.must_fail && verdict != TX_OK)
        reader_fail(reader, "it was refused: %s", tx_verdict_text(verdict));
    else if (!want.must_fail && !hash32_eq(&tx.hash, &want.hash))
        reader_fail(reader, "its hash differs");
    else if (!want.must_fail && !addr20_eq(&tx.sender, &want.sender))
        reader_fail(reader, "its sender differs");
    else if (!want.must_fail && gas != want.gas)
        reader_fail(reader, "its intrinsic gas is %llu, not %llu", (unsigned long long)gas,
                    (unsigned long long)want.gas);
}

static void run_case(void *worker, struct report *report, const char *name, json value)
{
    struct arena *arena = worker;
    struct json_iter iter = json_iter(json_get(value, "result"));
    struct reader bytes_reader;
    arena_reset(arena);
    reader_init(&bytes_reader, arena);
    struct bytes bytes = reader_bytes(&bytes_reader, value, "txbytes");
    while (json_next(&iter)) {
        struct reader reader;
        if (!report_wants_network(report, iter.key) ||
            !report_begin(report, "%s/%s", name, iter.key))
            continue;
        reader_init(&reader, arena);
        check(&reader, bytes, !bytes_reader.failed, iter.value, iter.key);
        report_end(report, !reader.failed, &reader.err);
    }
    if (!json_get(value, "result") && report_begin(report, "%s", name))
        report_fail(report, "this is no transaction test: it needs txbytes and result");
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

int txtest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm txtest", "PATH... [--fork FORK] [--run REGEX] [--jobs N] [--json]",
        "Runs official transaction tests: {name: {txbytes, result: {fork: ...}}}.", NULL};
    static const struct suite suite = {&command, suffixes, suite_arena_new, suite_arena_free,
                                       run_file};
    return suite_main(&suite, argc, argv);
}
