#include "node/daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/sandbox.h"

enum { LINES_MAX = 200 }; /* a second */

static void write_line(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* there is nobody to tell */
}

/* no-color.org: present and not empty, whatever the value. */
static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    return (!no_color || !*no_color) && isatty(STDERR_FILENO);
}

static enum status open_log(struct logger *log, const struct daemon_words *words, struct err *err)
{
    struct log_options options = {
        .lines_max = LINES_MAX, .now_ns = clock_wall_ns, .write = write_line};
    if (!log_format_parse(&options.format, words->format))
        return err_set(err, STATUS_INVALID, "--log-format is text, logfmt or json, not \"%.40s\"",
                       words->format);
    options.has_color = options.format == LOG_AS_TEXT && wants_color();
    log_init(log, &options);
    enum status status = log_set_levels(log, words->levels, err);
    if (status != STATUS_OK)
        err_prefix(err, "--log");
    return status;
}

enum status daemon_check(const struct daemon_words *words, const char *host, struct err *err)
{
    struct logger log;
    enum status status = open_log(&log, words, err);
    if (status == STATUS_OK && !listener_takes_host(host))
        status = err_set(err, STATUS_INVALID, "\"%s\" is not an IP address to listen on", host);
    return status;
}

enum status daemon_open(struct daemon *daemon, const struct daemon_words *words, struct err *err)
{
    *daemon = (struct daemon){.is_sandboxed = words->is_sandboxed,
                              .has_metrics = words->has_metrics,
                              .began_ns = clock_monotonic_ns(),
                              .notify.socket = -1};
    enum status status = open_log(&daemon->log, words, err);
    if (status == STATUS_OK)
        notify_open(&daemon->notify);
    return status;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

void daemon_watch(struct daemon *daemon, struct dev *dev, struct rpc_options *rpc,
                  struct http_options *http)
{
    enum { FILES_BESIDES = 64 }; /* the store, the loop's own */
    usage_allow_files((u64)http->connections_max + FILES_BESIDES);
    metrics_open(&daemon->metrics, dev, daemon->has_metrics);
    if (daemon->has_metrics) {
        rpc->observe = metrics_observe;
        rpc->observe_ctx = &daemon->metrics;
    }
    rpc->log = &daemon->log;
    rpc->log_is_open = is_loopback(http->host);
    http->page = metrics_page;
    http->page_ctx = &daemon->metrics;
}

static void on_watchdog(void *ctx)
{
    struct daemon *daemon = ctx;
    notify_send(&daemon->notify, "WATCHDOG=1");
}

static void say_what_is_absent(struct daemon *daemon, const struct sandbox_report *report)
{
    if (!report->landlock_abi)
        log_say(&daemon->log, LOG_WARN, LOG_SYS,
                "this kernel has no Landlock: files and connections are not closed off");
    else if (!report->has_network_rules)
        log_say(&daemon->log, LOG_INFO, LOG_SYS,
                "this kernel's Landlock closes files off, but not connections");
    if (!report->has_seccomp)
        log_say(&daemon->log, LOG_WARN, LOG_SYS,
                "this kernel has no seccomp: system calls are not filtered");
}

static enum status enter_sandbox(struct daemon *daemon, const char *folder, struct err *err)
{
    struct sandbox sandbox = {.folder = folder};
    struct sandbox_report report;
    enum status status = sandbox_enter(&sandbox, &report, err);
    if (status != STATUS_OK)
        return status;
#ifndef SANDBOX_OFF
    say_what_is_absent(daemon, &report);
#else
    (void)say_what_is_absent;
#endif
    LOG(&daemon->log, LOG_DEBUG, LOG_SYS, "the sandbox is entered",
        log_i64("landlock", report.landlock_abi), log_bool("seccomp", report.has_seccomp));
    return STATUS_OK;
}

enum status daemon_enter(struct daemon *daemon, struct loop *loop, const char *folder,
                         struct err *err)
{
    enum status status = daemon->is_sandboxed ? enter_sandbox(daemon, folder, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (daemon->notify.watchdog_ms) {
        u64 period = daemon->notify.watchdog_ms / 2 + 1;
        daemon->watchdog = timer_new(loop, on_watchdog, daemon);
        timer_start(daemon->watchdog, period, period);
    }
    daemon->has_begun = true;
    notify_send(&daemon->notify, "READY=1");
    LOG(&daemon->log, LOG_DEBUG, LOG_NODE, "started",
        log_seconds("took", clock_monotonic_ns() - daemon->began_ns));
    return STATUS_OK;
}

void daemon_stopping(struct daemon *daemon)
{
    notify_send(&daemon->notify, "STOPPING=1");
    log_say(&daemon->log, LOG_DEBUG, LOG_NODE, "stopping");
}

void daemon_close(struct daemon *daemon)
{
    metrics_close(&daemon->metrics);
    timer_free(daemon->watchdog);
    daemon->watchdog = NULL;
    if (daemon->has_begun)
        LOG(&daemon->log, LOG_DEBUG, LOG_NODE, "stopped",
            log_seconds("after", clock_monotonic_ns() - daemon->began_ns));
    notify_close(&daemon->notify);
}
