#include "evmcli/suite.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/mem.h"
#include "prim/json_out.h"
#include "sys/file.h"
#include "sys/thread.h"

enum {
    TEST_FILE_MAX = 1 << 30,
    TEST_DEPTH_MAX = 1024,   /* of JSON; some RLP cases nest deeply */
    REPORT_MAX = 256 << 20,  /* output of one file */
    WORKER_STACK = 512 << 20 /* calls nest 1,024 deep, also under a sanitizer */
};

/* One file's place in the queue. */
struct job {
    struct report report;
    bool done;
};

struct suite_run {
    const struct suite *suite;
    const struct suite_options *options;
    const struct file_list *files;
    struct job *jobs;
    size_t *order;  /* the files as they are taken up */
    size_t *groups; /* where in order each group begins; and its end */
    size_t group_count;
    atomic_size_t next; /* group */
    struct mutex mutex; /* over done */
    struct signal changed;
};

bool report_wants_fork(const struct report *report, enum fork fork)
{
    const struct suite_options *options = report->options;
    return !options->fork_name || (options->has_fork && options->fork == fork);
}

bool report_wants_network(const struct report *report, const char *name)
{
    const struct suite_options *options = report->options;
    enum fork fork;
    if (!options->fork_name || strcasecmp(options->fork_name, name) == 0)
        return true;
    return options->has_fork && fork_parse(&fork, name) && fork == options->fork;
}

bool report_begin(struct report *report, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(report->name, sizeof report->name, fmt, args);
    va_end(args);
    if (!report->options->has_filter)
        return true;
    char label[4096];
    snprintf(label, sizeof label, "%s: %s", report->path, report->name);
    return regexec(&report->options->filter, label, 0, NULL, 0) == 0;
}

static void report_json(struct report *report, const char *result, const char *error)
{
    struct buf *out = &report->out;
    json_out_object(out, NULL);
    json_out_text(out, "file", report->path);
    json_out_text(out, "name", report->name);
    json_out_text(out, "result", result);
    if (error)
        json_out_text(out, "error", error);
    json_out_object_end(out);
    buf_add_byte(out, '\n');
}

static void report_line(struct report *report, const char *word, const char *result,
                        const char *text)
{
    if (report->options->json)
        report_json(report, result, text);
    else
        buf_add_format(&report->out, "%s %s: %s: %s\n", word, report->path, report->name, text);
}

void report_pass(struct report *report)
{
    report->passed++;
    if (report->options->json)
        report_json(report, "passed", NULL);
}

void report_fail(struct report *report, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    report->failed++;
    report_line(report, "FAIL", "failed", text);
}

void report_skip(struct report *report, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    report->skipped++;
    report_line(report, "SKIP", "skipped", text);
}

void report_end(struct report *report, bool passed, const struct err *why)
{
    if (passed)
        report_pass(report);
    else
        report_fail(report, "%s", why->text);
}

void report_broken(struct report *report, const struct err *why)
{
    snprintf(report->name, sizeof report->name, "(file)");
    report_fail(report, "%s", why->text);
}

void suite_each_member(void *worker, struct report *report, const char *bytes, size_t len,
                       suite_case_fn *each)
{
    struct json_doc *doc = NULL;
    struct err err;
    if (json_parse(&doc, bytes, len, TEST_DEPTH_MAX, &err) != STATUS_OK) {
        report_broken(report, &err);
        return;
    }
    json root = json_root(doc);
    if (json_kind(root) != JSON_KIND_OBJECT) {
        err_set(&err, STATUS_INVALID, "the file holds %s where an object of test cases should be",
                json_kind_name(json_kind(root)));
        report_broken(report, &err);
    } else {
        struct json_iter iter = json_iter(root);
        while (json_next(&iter))
            each(worker, report, iter.key, iter.value);
    }
    json_free(doc);
}

static void run_job(struct suite_run *run, void *worker, size_t index)
{
    struct report *report = &run->jobs[index].report;
    report->options = run->options;
    report->path = run->files->paths[index];
    buf_init(&report->out, REPORT_MAX);
    u8 *bytes = NULL;
    size_t len = 0;
    struct err err;
    if (file_read(&bytes, &len, report->path, TEST_FILE_MAX, &err) != STATUS_OK)
        report_broken(report, &err);
    else
        run->suite->run_file(worker, report, (const char *)bytes, len);
    mem_free(bytes);
    mutex_lock(&run->mutex);
    run->jobs[index].done = true;
    signal_wake_all(&run->changed);
    mutex_unlock(&run->mutex);
}

/* --- the order in which files are taken up ------------------------------------------------------ */

/* What the official suites themselves set apart as slow begins first, so that nobody waits for it at the end. */
static bool is_slow(const char *path)
{
    static const char *const marks[] = {"TimeConsuming", "Performance", "QuadraticComplexity"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strstr(path, marks[i]))
            return true;
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare_places(const void *a, const void *b, void *paths)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const char *p = ((char **)paths)[i], *q = ((char **)paths)[j];
    if (is_slow(p) != is_slow(q))
        return is_slow(p) ? -1 : 1;
    int order = strcmp(base_name(p), base_name(q));
    return order ? order : (i > j) - (i < j);
}

/* Files of one name are the same test filled at different times: they form a group, which one worker takes,
 * so that what its machine has learnt of the code serves all of them. */
static void plan(struct suite_run *run)
{
    size_t count = run->files->count;
    char **paths = run->files->paths;
    run->order = NEW_ARRAY(size_t, count + 1);
    run->groups = NEW_ARRAY(size_t, count + 1);
    for (size_t i = 0; i < count; i++)
        run->order[i] = i;
    qsort_r(run->order, count, sizeof *run->order, compare_places, paths);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(base_name(paths[run->order[i - 1]]), base_name(paths[run->order[i]])) != 0)
            run->groups[run->group_count++] = i;
    run->groups[run->group_count] = count;
}

static void worker_main(void *arg)
{
    struct suite_run *run = arg;
    const struct suite *suite = run->suite;
    void *worker = suite->worker_new ? suite->worker_new(run->options) : NULL;
    for (;;) {
        size_t group = atomic_fetch_add(&run->next, 1);
        if (group >= run->group_count)
            break;
        for (size_t i = run->groups[group]; i < run->groups[group + 1]; i++)
            run_job(run, worker, run->order[i]);
    }
    if (suite->worker_free)
        suite->worker_free(worker);
}

/* Prints reports in the order of files, each as soon as all before it are there. */
static void print_reports(struct suite_run *run, struct report *total)
{
    for (size_t i = 0; i < run->files->count; i++) {
        struct job *job = &run->jobs[i];
        mutex_lock(&run->mutex);
        while (!job->done)
            signal_wait(&run->changed, &run->mutex);
        mutex_unlock(&run->mutex);
        if (job->report.out.len)
            fwrite(job->report.out.data, 1, job->report.out.len, stdout);
        total->passed += job->report.passed;
        total->failed += job->report.failed;
        total->skipped += job->report.skipped;
        buf_fini(&job->report.out);
    }
}

static int print_total(const struct report *total)
{
    printf("%llu passed, %llu failed", (unsigned long long)total->passed,
           (unsigned long long)total->failed);
    if (total->skipped)
        printf(", %llu skipped", (unsigned long long)total->skipped);
    putchar('\n');
    return total->failed ? EXIT_FAILED : EXIT_OK;
}

static int run_files(const struct suite *suite, const struct suite_options *options,
                     const struct file_list *files)
{
    struct suite_run run = {.suite = suite, .options = options, .files = files};
    struct report total = {0};
    struct err err;
    run.jobs = NEW_ARRAY(struct job, files->count);
    mutex_init(&run.mutex);
    signal_init(&run.changed);
    plan(&run);
    unsigned count = options->jobs < files->count ? options->jobs : (unsigned)files->count;
    struct thread **threads = NEW_ARRAY(struct thread *, count);
    unsigned started = 0;
    while (started < count &&
           thread_start(&threads[started], worker_main, &run, WORKER_STACK, &err) == STATUS_OK)
        started++;
    int code = EXIT_FAILED;
    if (count && !started)
        args_fail(suite->command, "%s", err.text);
    else {
        print_reports(&run, &total);
        code = print_total(&total);
    }
    for (unsigned i = 0; i < started; i++)
        thread_join(threads[i]);
    mem_free(threads);
    mem_free(run.jobs);
    mem_free(run.order);
    mem_free(run.groups);
    signal_fini(&run.changed);
    mutex_fini(&run.mutex);
    return code;
}

static bool set_filter(struct suite_options *options, const char *pattern, struct err *err)
{
    int code = regcomp(&options->filter, pattern, REG_EXTENDED | REG_NOSUB);
    if (code) {
        char words[200];
        regerror(code, &options->filter, words, sizeof words);
        err_set(err, STATUS_INVALID, "--run \"%s\": %s", pattern, words);
        return false;
    }
    options->has_filter = true;
    return true;
}

static int run_paths(const struct suite *suite, const struct suite_options *options, int count,
                     char **paths)
{
    struct file_list files;
    struct err err;
    file_list_init(&files);
    int code = EXIT_USAGE;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = file_list_add(&files, paths[i], suite->suffixes, &err);
    if (status != STATUS_OK)
        args_fail(suite->command, "%s", err.text);
    else if (!files.count)
        args_fail(suite->command, "there are no %s files in %s", suite->suffixes[0], paths[0]);
    else
        code = run_files(suite, options, &files);
    file_list_fini(&files);
    return code;
}

int suite_main(const struct suite *suite, int argc, char **argv)
{
    struct suite_options options = {0};
    const char *pattern = NULL;
    u64 jobs = thread_cpu_count();
    const struct args_option rows[] = {
        {"fork", ARGS_TEXT, &options.fork_name, "FORK", "only cases of this fork or network"},
        {"run", ARGS_TEXT, &pattern, "REGEX", "only cases whose path and name match"},
        {"jobs", ARGS_U64, &jobs, "N", "threads; as many as processors unless given"},
        {"json", ARGS_FLAG, &options.json, NULL, "one line of JSON a case"},
        {"reasons", ARGS_FLAG, &options.reasons, NULL,
         "hold reasons of refusal against the tests' names"},
        {suite->has_store ? "store" : NULL, ARGS_FLAG, &options.store, NULL,
         "keep chains and states in a store on disk rather than in memory"},
        {suite->has_store ? "reopen" : NULL, ARGS_FLAG, &options.reopen, NULL,
         "with --store: close and open it again after each block or case"},
        {0},
    };
    int rest, code;
    struct err err;
    if (!args_begin(suite->command, rows, argc, argv, &rest, &code))
        return code;
    if (!rest)
        return args_fail(suite->command, "name at least one file or folder");
    if (jobs < 1 || jobs > 1024)
        return args_fail(suite->command, "--jobs is 1 to 1024");
    options.jobs = (unsigned)jobs;
    options.store |= options.reopen;
    if (options.fork_name)
        options.has_fork = fork_parse(&options.fork, options.fork_name);
    if (options.fork_name && !options.has_fork && !strstr(options.fork_name, "To"))
        return args_fail(suite->command, "there is no fork \"%s\"", options.fork_name);
    if (pattern && !set_filter(&options, pattern, &err))
        return args_fail(suite->command, "%s", err.text);
    code = run_paths(suite, &options, rest, argv);
    if (options.has_filter)
        regfree(&options.filter);
    return code;
}

void *suite_arena_new(const struct suite_options *options)
{
    (void)options;
    struct arena *arena = NEW(struct arena);
    arena_init(arena);
    return arena;
}

void suite_arena_free(void *worker)
{
    arena_fini(worker);
    mem_free(worker);
}
