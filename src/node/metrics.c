#include "node/metrics.h"

#include <stdio.h>
#include <string.h>

#include "args/version.h"
#include "sys/clock.h"

static const char *const class_names[METRICS_CLASS_COUNT] = {
#define X(id, name) name,
    METRICS_CLASSES(X)
#undef X
        "other",
};

/* Upper ends of the buckets. */
static const struct {
    u64 ns;
    const char *seconds;
} bounds[METRICS_BUCKETS] = {
    {10000, "0.00001"},  {25000, "0.000025"}, {50000, "0.00005"},  {100000, "0.0001"},
    {250000, "0.00025"}, {1000000, "0.001"},  {2500000, "0.0025"}, {10000000, "0.01"},
    {25000000, "0.025"}, {100000000, "0.1"},  {250000000, "0.25"}, {1000000000, "1"},
    {5000000000, "5"},
};

void metrics_open(struct metrics *metrics, struct dev *dev, bool is_on)
{
    *metrics = (struct metrics){.dev = dev, .is_on = is_on, .usage.statm = -1};
    if (!is_on)
        return;
    usage_open(&metrics->usage);
    metrics->began_s = clock_wall_ns() / 1000000000;
}

void metrics_close(struct metrics *metrics)
{
    if (!metrics->is_on)
        return;
    usage_close(&metrics->usage);
    metrics->is_on = false;
}

/* --- counting --------------------------------------------------------------------------------- */

static enum metrics_class class_of(const char *method)
{
    size_t len = strcspn(method, "_");
    for (int i = 0; i < METRICS_OTHER; i++)
        if (strlen(class_names[i]) == len && memcmp(class_names[i], method, len) == 0)
            return (enum metrics_class)i;
    return METRICS_OTHER;
}

void metrics_observe(void *ctx, const char *method, u64 ns, bool has_failed)
{
    struct metrics *metrics = ctx;
    struct metrics_calls *calls = &metrics->calls[class_of(method)];
    calls->count++;
    calls->errors += has_failed;
    calls->total_ns += ns;
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        if (ns <= bounds[i].ns) {
            calls->buckets[i]++;
            return;
        }
    }
}

/* --- /metrics --------------------------------------------------------------------------------- */

static void put_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(struct buf *out, const char *name, const char *type, const char *help,
                    u64 value)
{
    put_family(out, name, type, help);
    buf_add_format(out, "%s %llu\n", name, (unsigned long long)value);
}

static void put_chain(struct buf *out, const struct dev *dev)
{
    const struct header *head = &chain_head(dev->chain)->block.header;
    put_one(out, "ashlar_chain_head_number", "gauge", "Number of the head block.", head->number);
    put_one(out, "ashlar_chain_head_timestamp_seconds", "gauge", "Timestamp of the head block.",
            head->timestamp);
    put_one(out, "ashlar_chain_head_gas_used", "gauge", "Gas used by the head block.",
            head->gas_used);
    put_one(out, "ashlar_chain_head_gas_limit", "gauge", "Gas limit of the head block.",
            head->gas_limit);
    put_one(out, "ashlar_chain_oldest_number", "gauge", "Number of the oldest whole block.",
            chain_oldest(dev->chain));
    put_one(out, "ashlar_peers", "gauge", "Connected peers.", 0);
}

static void put_pool(struct buf *out, const struct dev *dev)
{
    struct txpool_usage usage = txpool_usage(dev->pool);
    put_one(out, "ashlar_txpool_transactions", "gauge", "Transactions in the pool.", usage.txs);
    put_one(out, "ashlar_txpool_blob_transactions", "gauge", "Those of them that carry blobs.",
            usage.blob_txs);
    put_one(out, "ashlar_txpool_local_transactions", "gauge",
            "Those of them that are local: kept over restarts, and not pushed out by others.",
            txpool_local_usage(dev->pool).txs);
    put_one(out, "ashlar_txpool_bytes", "gauge", "Memory held by the pool.", usage.bytes);
}

typedef u64 calls_value(const struct metrics_calls *calls);

static u64 count_of(const struct metrics_calls *calls)
{
    return calls->count;
}

static u64 errors_of(const struct metrics_calls *calls)
{
    return calls->errors;
}

static void put_by_class(struct buf *out, const struct metrics *metrics, const char *name,
                         calls_value *value)
{
    for (int i = 0; i < METRICS_CLASS_COUNT; i++)
        buf_add_format(out, "%s{class=\"%s\"} %llu\n", name, class_names[i],
                       (unsigned long long)value(&metrics->calls[i]));
}

static void put_seconds(struct buf *out, u64 ns)
{
    buf_add_format(out, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000),
                   (unsigned long long)(ns % 1000000000));
}

/* A class that was never asked for has no histogram: it would be fifteen lines of zeroes. */
static void put_histogram(struct buf *out, const char *class_name,
                          const struct metrics_calls *calls)
{
    static const char name[] = "ashlar_rpc_request_duration_seconds";
    u64 sum = 0;
    if (!calls->count)
        return;
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        sum += calls->buckets[i];
        buf_add_format(out, "%s_bucket{class=\"%s\",le=\"%s\"} %llu\n", name, class_name,
                       bounds[i].seconds, (unsigned long long)sum);
    }
    buf_add_format(out, "%s_bucket{class=\"%s\",le=\"+Inf\"} %llu\n", name, class_name,
                   (unsigned long long)calls->count);
    buf_add_format(out, "%s_count{class=\"%s\"} %llu\n", name, class_name,
                   (unsigned long long)calls->count);
    buf_add_format(out, "%s_sum{class=\"%s\"} ", name, class_name);
    put_seconds(out, calls->total_ns);
}

static void put_rpc(struct buf *out, const struct metrics *metrics)
{
    put_family(out, "ashlar_rpc_requests_total", "counter", "Requests by namespace of the method.");
    put_by_class(out, metrics, "ashlar_rpc_requests_total", count_of);
    put_family(out, "ashlar_rpc_errors_total", "counter", "Those answered with an error.");
    put_by_class(out, metrics, "ashlar_rpc_errors_total", errors_of);
    put_family(out, "ashlar_rpc_request_duration_seconds", "histogram",
               "How long answering took, without reading and sending.");
    for (int i = 0; i < METRICS_CLASS_COUNT; i++)
        put_histogram(out, class_names[i], &metrics->calls[i]);
}

/* The names are those that Prometheus' own libraries use. */
static void put_process(struct buf *out, const struct metrics *metrics)
{
    u64 virtual_bytes, resident_bytes;
    if (usage_memory(&metrics->usage, &virtual_bytes, &resident_bytes)) {
        put_one(out, "process_virtual_memory_bytes", "gauge", "Address space.", virtual_bytes);
        put_one(out, "process_resident_memory_bytes", "gauge", "Memory in use.", resident_bytes);
    }
    put_family(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    buf_add_text(out, "process_cpu_seconds_total ");
    put_seconds(out, clock_process_ns());
    put_one(out, "process_start_time_seconds", "gauge", "When the process began, since 1970.",
            metrics->began_s);
}

static void put_metrics(struct buf *out, const struct metrics *metrics)
{
    put_family(out, "ashlar_build_info", "gauge", "The program.");
    buf_add_text(out, "ashlar_build_info{version=\"" ASHLAR_VERSION "\"} 1\n");
    put_chain(out, metrics->dev);
    put_pool(out, metrics->dev);
    put_rpc(out, metrics);
    put_process(out, metrics);
}

/* --- /livez, /readyz -------------------------------------------------------------------------- */

static void put_check(struct http_page *page, bool is_verbose, const char *name, bool is_good,
                      const char *words)
{
    if (!is_good)
        page->status = 503;
    if (is_verbose)
        buf_add_format(&page->body, "%s{\"name\":\"%s\",\"ok\":%s,\"reason\":\"%s\"}",
                       page->body.len > 12 ? "," : "", name, is_good ? "true" : "false", words);
    else if (!is_good)
        buf_add_format(&page->body, "%s: %s\n", name, words);
}

/* Words of the store go into JSON. */
static void disarm(char *text)
{
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (u8)*text < 0x20 || (u8)*text >= 0x7f)
            *text = '\'';
}

static void put_ready(struct http_page *page, const struct metrics *metrics, bool is_verbose)
{
    struct err err = {"whole"};
    char words[64];
    const struct header *head = &chain_head(metrics->dev->chain)->block.header;
    snprintf(words, sizeof words, "block %llu is the head", (unsigned long long)head->number);
    put_check(page, is_verbose, "chain", true, words);
    bool is_whole = chain_status(metrics->dev->chain, &err) == STATUS_OK;
    disarm(err.text);
    put_check(page, is_verbose, "store", is_whole, err.text);
}

static void put_health(struct http_page *page, const struct metrics *metrics, bool of_ready,
                       bool is_verbose)
{
    page->status = 200;
    page->type = is_verbose ? "application/json" : "text/plain; charset=utf-8";
    if (is_verbose)
        buf_add_text(&page->body, "{\"checks\":[");
    if (of_ready)
        put_ready(page, metrics, is_verbose);
    else
        put_check(page, is_verbose, "loop", true, "turning");
    if (is_verbose)
        buf_add_format(&page->body, "],\"ok\":%s}\n", page->status == 200 ? "true" : "false");
    else if (page->status == 200)
        buf_add_text(&page->body, "ok\n");
}

bool metrics_page(void *ctx, const char *target, struct http_page *page)
{
    struct metrics *metrics = ctx;
    size_t len = strcspn(target, "?");
    bool is_verbose = strcmp(target + len, "?verbose") == 0;
    if (metrics->is_on && len == 8 && memcmp(target, "/metrics", 8) == 0) {
        page->status = 200;
        page->type = "text/plain; version=0.0.4; charset=utf-8";
        put_metrics(&page->body, metrics);
        return true;
    }
    bool of_ready = len == 7 && memcmp(target, "/readyz", 7) == 0;
    bool of_live = len == 6 && memcmp(target, "/livez", 6) == 0;
    if (of_ready || of_live)
        put_health(page, metrics, of_ready, is_verbose);
    return of_ready || of_live;
}
