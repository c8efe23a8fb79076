/* What the two kinds of benchmark share: options, timing, lines of output. */
#pragma once

#include "evm/evm.h"
#include "evmcli/reader.h"
#include "types/chain_config.h"

struct bench_options {
    const char *fork;
    enum evm_engine engine;
    bool json, first;
};

/* Times run(arg), repeated, by this thread's processor time; gives the median. */
struct bench_time {
    double us;
    u64 runs;
};

/* restore(arg) is called, untimed, before each run; NULL: the run leaves things as it found them. */
struct bench_time bench_measure(void (*run)(void *arg), void (*restore)(void *arg), void *arg);

void bench_print(const struct bench_options *options, const char *name, const char *label, u64 gas,
                 struct bench_time time);

/* One state test: all of its data. False, with the reason in reader. */
bool bench_code(const struct bench_options *options, struct reader *reader, const char *name,
                json test);

/* One scenario of transactions (bench/scenarios.mjs). */
bool bench_scenario(const struct bench_options *options, struct reader *reader, json scenario);
