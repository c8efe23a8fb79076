/*
 * Vectors of precompiled contracts: lists of {Input, Expected, Gas, Name}, or {Input, ExpectedError, Name},
 * where the call must fail. Which contract, and by which fork's price, the file's name tells.
 */
#include "evm/precompile.h"

#include <string.h>

#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"

enum { NAME_MAX_LEN = 200 };

struct target {
    const char *part; /* of the file's path, in any case; the first that occurs counts */
    u16 address;
    enum fork fork;
    u64 draft_gas; /* a price that a draft of the EIP had, and some files still have; 0: none */
};

/* EIP-2537 dropped the multiplications of one point: they are products of one pair (MSM) now. */
static const struct target TARGETS[] = {
    {"ecRecover", 0x01, FORK_FRONTIER},     {"modexp_eip7883", 0x05, FORK_OSAKA},
    {"modexp_eip2565", 0x05, FORK_BERLIN},  {"modexp", 0x05, FORK_BYZANTIUM},
    {"bn256Add", 0x06, FORK_ISTANBUL},      {"bn256ScalarMul", 0x07, FORK_ISTANBUL},
    {"bn256Pairing", 0x08, FORK_ISTANBUL},  {"blake2F", 0x09, FORK_ISTANBUL},
    {"pointEvaluation", 0x0a, FORK_CANCUN}, {"blsG1Add", 0x0b, FORK_PRAGUE},
    {"add_G1", 0x0b, FORK_PRAGUE},          {"blsG1Mul", 0x0c, FORK_PRAGUE}, /* and blsG1MultiExp */
    {"mul_G1", 0x0c, FORK_PRAGUE},          {"msm_G1", 0x0c, FORK_PRAGUE},
    {"multiexp_G1", 0x0c, FORK_PRAGUE},     {"blsG2Add", 0x0d, FORK_PRAGUE},
    {"add_G2", 0x0d, FORK_PRAGUE},          {"blsG2Mul", 0x0e, FORK_PRAGUE},
    {"mul_G2", 0x0e, FORK_PRAGUE, 45000},   {"msm_G2", 0x0e, FORK_PRAGUE},
    {"multiexp_G2", 0x0e, FORK_PRAGUE},     {"blsPairing", 0x0f, FORK_PRAGUE},
    {"pairing_check", 0x0f, FORK_PRAGUE},   {"blsMapG1", 0x10, FORK_PRAGUE},
    {"map_fp_to_G1", 0x10, FORK_PRAGUE},    {"blsMapG2", 0x11, FORK_PRAGUE},
    {"map_fp2_to_G2", 0x11, FORK_PRAGUE},   {"p256Verify", 0x100, FORK_OSAKA},
    {"eip-7951", 0x100, FORK_OSAKA, 3450},
};

static const struct target *find_target(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(TARGETS); i++)
        if (strcasestr(path, TARGETS[i].part))
            return &TARGETS[i];
    return NULL;
}

static void check_gas(struct reader *reader, const struct target *target, u64 gas, json value)
{
    u64 want = reader_u64_or(reader, value, "Gas", gas);
    if (gas != want && (!target->draft_gas || want != target->draft_gas))
        reader_fail(reader, "its price is %llu, not %llu", (unsigned long long)gas,
                    (unsigned long long)want);
}

static void check(struct reader *reader, const struct precompile *precompile,
                  const struct target *target, json value)
{
    struct bytes in = reader_bytes(reader, value, "Input");
    bool must_fail = reader_has(value, "ExpectedError");
    struct bytes want = {NULL, 0};
    const u8 *out = NULL;
    size_t len = 0;
    if (!must_fail)
        want = reader_bytes(reader, value, "Expected");
    if (reader->failed)
        return;
    u64 gas = precompile->gas(target->fork, in.data, in.len);
    /* A price that nobody can pay is a refusal too. */
    bool ok = gas != ~(u64)0 && precompile->run(&out, &len, in.data, in.len, reader->arena);
    if (must_fail && ok)
        reader_fail(reader, "it gave an answer, but must fail: %s",
                    json_text(json_get(value, "ExpectedError")));
    else if (!must_fail && !ok)
        reader_fail(reader, "it failed");
    else if (!must_fail && (len != want.len || (len && memcmp(out, want.data, len) != 0)))
        reader_fail(reader, "its answer differs");
    else
        check_gas(reader, target, gas, value);
}

static void run_vector(struct report *report, const struct target *target, size_t index, json value)
{
    const char *name = json_text(json_get(value, "Name"));
    if (!report_wants_fork(report, target->fork) ||
        !report_begin(report, "%zu %.*s", index, NAME_MAX_LEN, name ? name : ""))
        return;
    struct arena arena;
    struct reader reader;
    arena_init(&arena);
    reader_init(&reader, &arena);
    addr20 addr = {.b = {[18] = (u8)(target->address >> 8), [19] = (u8)target->address}};
    const struct precompile *precompile = precompile_find(target->fork, &addr);
    if (precompile)
        check(&reader, precompile, target, value);
    else
        reader_fail(&reader, "there is no precompile at 0x%x", target->address);
    report_end(report, !reader.failed, &reader.err);
    arena_fini(&arena);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    (void)worker;
    struct json_doc *doc = NULL;
    struct err err;
    const struct target *target = find_target(report->path);
    if (!target) {
        err_set(&err, STATUS_UNSUPPORTED, "the file's name tells no precompile");
        report_broken(report, &err);
        return;
    }
    if (json_parse(&doc, bytes, len, 100, &err) != STATUS_OK) {
        report_broken(report, &err);
        return;
    }
    struct json_iter iter = json_iter(json_root(doc));
    size_t index = 0;
    while (json_next(&iter))
        run_vector(report, target, index++, iter.value);
    json_free(doc);
}

int precompiletest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm precompiletest", "PATH... [--fork FORK] [--run REGEX] [--jobs N] [--json]",
        "Runs vectors of precompiled contracts: [{Input, Expected, Gas, Name}].",
        "The contract and the fork follow from the file's name, such as blsG1Add or "
        "modexp_eip2565."};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
