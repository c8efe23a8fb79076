/*
 * What every serving command has around its rooms: a log on standard error, a word to the service manager, the
 * sandbox. Order: daemon_open, then sockets and folders, then daemon_enter, the loop, daemon_close.
 */
#pragma once

#include "base/log.h"
#include "node/metrics.h"
#include "sys/loop.h"
#include "sys/notify.h"

struct daemon_words { /* before they are understood */
    const char *levels, *format;
    bool is_sandboxed, has_metrics;
};

struct daemon {
    struct logger log;
    struct notify notify;
    struct metrics metrics;
    struct timer *watchdog;
    bool is_sandboxed, has_metrics, has_begun;
    u64 began_ns;
};

/* Rows of a command's table of options. */
#define DAEMON_WORDS_DEFAULT {.levels = "info", .format = "text", .is_sandboxed = true}
// clang-format off
#define DAEMON_OPTIONS(words) \
    {"log", ARGS_TEXT, &(words)->levels, "LEVELS", \
     "what is logged: error, warn, info, debug or trace, and by room: warn,rpc=debug (info)"}, \
    {"log-format", ARGS_TEXT, &(words)->format, "FORMAT", "text, logfmt or json (text)"}, \
    {"metrics", ARGS_FLAG, &(words)->has_metrics, NULL, \
     "answer GET /metrics for Prometheus (/livez and /readyz are always there)"}, \
    {"sandbox", ARGS_FLAG, &(words)->is_sandboxed, NULL, \
     "give up what is not needed, by Landlock and seccomp; --sandbox=false for debuggers"}
// clang-format on

/* Can the words, and the address to listen on, be understood? INVALID, naming the option or the address. */
MUST_READ enum status daemon_check(const struct daemon_words *words, const char *host,
                                   struct err *err);

/* The same, if the words were not checked. */
MUST_READ enum status daemon_open(struct daemon *daemon, const struct daemon_words *words,
                                  struct err *err);

/* Hooks log and metrics into what is about to be opened. Before listening. Where only this machine can
 * reach the node, requests may change the levels of the log. */
void daemon_watch(struct daemon *daemon, struct dev *dev, struct rpc_options *rpc,
                  struct http_options *http);

/* All is open: enters the sandbox, in which only the folder (NULL: none) can be changed, and tells the manager. */
MUST_READ enum status daemon_enter(struct daemon *daemon, struct loop *loop, const char *folder,
                                   struct err *err);

/* The loop has been told to stop. */
void daemon_stopping(struct daemon *daemon);
void daemon_close(struct daemon *daemon);
