/*
 * What all runners of official tests share: finding the files, running them on several threads,
 * reporting cases in order, counting.
 *
 *   struct suite suite = {&command, suffixes, worker_new, worker_free, run_file};
 *   return suite_main(&suite, argc, argv);
 */
#pragma once

#include <regex.h>

#include "args/args.h"
#include "base/buf.h"
#include "base/status.h"
#include "prim/json.h"
#include "types/fork.h"

/* What the user asked for, the same for all workers. */
struct suite_options {
    bool has_fork;
    enum fork fork;
    const char *fork_name; /* as it was given; transition networks have names that are no fork's */
    bool has_filter;
    regex_t filter; /* on "path: name" */
    bool json;
    bool store;   /* chains and states are kept in a store rather than in memory */
    bool reopen;  /* which is closed and opened again after each block or case */
    bool reasons; /* what must be refused must be refused for the reason that the test names */
    unsigned jobs;
};

/* One file's cases. Only the functions below write it. */
struct report {
    const struct suite_options *options;
    const char *path;
    struct buf out; /* lines to print */
    u64 passed, failed, skipped;
    char name[1024]; /* the case at hand */
};

struct suite {
    const struct args_command *command;
    const char *const *suffixes; /* of the files looked at in folders, NULL-terminated */
    void *(*worker_new)(const struct suite_options *options); /* one a thread; NULL: none needed */
    void (*worker_free)(void *worker);
    /* bytes end with a NUL that is not counted. */
    void (*run_file)(void *worker, struct report *report, const char *bytes, size_t len);
    bool has_store; /* --store and --reopen are options of it */
};

/* Reads the options, runs, prints, and returns the exit code. */
int suite_main(const struct suite *suite, int argc, char **argv);

/* Does the user's --fork ask for this fork, and for this network name? Without --fork always. */
bool report_wants_fork(const struct report *report, enum fork fork);
bool report_wants_network(const struct report *report, const char *name);

/* Begins a case; false when --run leaves it out. */
bool report_begin(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Ends the case begun last: exactly one of these. */
void report_pass(struct report *report);
void report_fail(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
void report_skip(struct report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Ends it by a verdict: why is read when it is false. */
void report_end(struct report *report, bool passed, const struct err *why);

/* A file that cannot be read as tests counts as one failed case named after what is wrong. */
void report_broken(struct report *report, const struct err *why);

/* A runner's run_file for JSON files whose top is an object: parses, then calls each for every member. */
typedef void suite_case_fn(void *worker, struct report *report, const char *name, json value);
void suite_each_member(void *worker, struct report *report, const char *bytes, size_t len,
                       suite_case_fn *each);

/* For suites whose workers need nothing but an arena: worker_new and worker_free that make and end one. */
void *suite_arena_new(const struct suite_options *options);
void suite_arena_free(void *worker);
