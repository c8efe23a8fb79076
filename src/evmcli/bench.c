/* The command bench: which files, and how time is taken. */
#include "evmcli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args/args.h"
#include "base/mem.h"
#include "evmcli/commands.h"
#include "evmcli/engine.h"
#include "prim/json_out.h"
#include "sys/clock.h"
#include "sys/file.h"

/* A sample is a batch of runs long enough that reading the clock does not count. */
enum { BATCH_NS = 1000000, TOTAL_NS = 150000000, SAMPLES_MIN = 5, SAMPLES_MAX = 100000 };

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static u64 time_batch(void (*run)(void *arg), void *arg, u64 size)
{
    u64 begin = clock_thread_ns();
    for (u64 i = 0; i < size; i++)
        run(arg);
    return clock_thread_ns() - begin;
}

struct bench_time bench_measure(void (*run)(void *arg), void (*restore)(void *arg), void *arg)
{
    double *samples = NEW_ARRAY(double, SAMPLES_MAX);
    size_t count = 0;
    u64 size = 1, spent = 0;
    if (!restore) {
        run(arg);
        u64 once = time_batch(run, arg, 1);
        if (once < BATCH_NS)
            size = BATCH_NS / (once + 1) + 1;
    }
    while (count < SAMPLES_MAX && (count < SAMPLES_MIN || spent < TOTAL_NS)) {
        if (restore)
            restore(arg);
        u64 took = time_batch(run, arg, size);
        spent += took;
        samples[count++] = (double)took / (double)size / 1000;
    }
    qsort(samples, count, sizeof *samples, compare_doubles);
    struct bench_time time = {samples[count / 2], count * size};
    mem_free(samples);
    return time;
}

void bench_print(const struct bench_options *options, const char *name, const char *label, u64 gas,
                 struct bench_time time)
{
    if (!options->json) {
        printf("%-28s %-20s %12llu gas %14.3f us %8llu runs\n", name, label,
               (unsigned long long)gas, time.us, (unsigned long long)time.runs);
        return;
    }
    struct buf out;
    buf_init(&out, 1 << 16);
    json_out_object(&out, NULL);
    json_out_text(&out, "name", name);
    json_out_text(&out, "label", label);
    json_out_u64(&out, "gas", gas);
    json_out_number(&out, "us", time.us);
    json_out_u64(&out, "runs", time.runs);
    json_out_object_end(&out);
    buf_add_byte(&out, '\n');
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
}

static bool run_document(const struct bench_options *options, struct reader *reader, json root)
{
    if (json_get(root, "transactions"))
        return bench_scenario(options, reader, root);
    struct json_iter iter = json_iter(root);
    while (json_next(&iter))
        if (!bench_code(options, reader, iter.key, iter.value))
            return false;
    return true;
}

static bool run_path(const struct bench_options *options, const char *path, struct err *err)
{
    u8 *bytes = NULL;
    size_t len;
    struct json_doc *doc = NULL;
    struct arena arena;
    struct reader reader;
    if (file_read(&bytes, &len, path, 1 << 30, err) != STATUS_OK)
        return false;
    enum status status = json_parse(&doc, (const char *)bytes, len, 100, err);
    mem_free(bytes);
    if (status != STATUS_OK) {
        err_prefix(err, "%s", path);
        return false;
    }
    arena_init(&arena);
    reader_init(&reader, &arena);
    bool ok = run_document(options, &reader, json_root(doc));
    if (!ok)
        err_set(err, STATUS_INVALID, "%s: %.400s", path, reader.err.text);
    arena_fini(&arena);
    json_free(doc);
    return ok;
}

static const struct args_command COMMAND = {
    "ashlar-evm bench", "PATH... [--fork FORK] [--engine plain|fast|auto] [--first] [--json]",
    "Times the code of state tests, or scenarios of transactions.",
    "State tests: the code at `to` is run with each data, prepared beforehand, on fresh state; the "
    "median\n"
    "of the thread's processor time. Before that the case is run once as a test and must pass.\n"
    "Scenarios (bench/scenarios.mjs): microseconds a transaction, state and commit included."};

static int run_paths(const struct bench_options *options, int count, char **paths)
{
    static const char *const suffixes[] = {".json", NULL};
    struct file_list files;
    struct err err;
    int code = EXIT_OK;
    file_list_init(&files);
    for (int i = 0; i < count; i++)
        if (file_list_add(&files, paths[i], suffixes, &err) != STATUS_OK)
            code = args_fail(&COMMAND, "%s", err.text);
    for (size_t i = 0; code == EXIT_OK && i < files.count; i++) {
        if (!run_path(options, files.paths[i], &err)) {
            args_fail(&COMMAND, "%s", err.text);
            code = EXIT_FAILED;
        }
        fflush(stdout);
    }
    file_list_fini(&files);
    return code;
}

int bench_main(int argc, char **argv)
{
    struct bench_options options = {.engine = EVM_ENGINE_AUTO};
    const char *engine = "auto";
    const struct args_option rows[] = {
        {"fork", ARGS_TEXT, &options.fork, "FORK", "rules; those of the file unless given"},
        {"engine", ARGS_TEXT, &engine, "NAME", ENGINE_HELP},
        {"first", ARGS_FLAG, &options.first, NULL, "the first run, preparation included"},
        {"json", ARGS_FLAG, &options.json, NULL, "a line of JSON a case"},
        {0},
    };
    int rest, code;
    if (!args_begin(&COMMAND, rows, argc, argv, &rest, &code))
        return code;
    if (!engine_parse(&options.engine, engine))
        return args_fail(&COMMAND, "--engine is plain, fast or auto, not \"%s\"", engine);
    if (!rest)
        return args_fail(&COMMAND, "name at least one file or folder");
    return run_paths(&options, rest, argv);
}
