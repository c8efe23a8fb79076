#include "node/indexing.h"

#include <stdio.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/ending.h"

static const u64 SECOND = 1000000000, LINE_EVERY_S = 8;

static void begin(struct indexing *indexing, u64 number, u64 now)
{
    struct err err;
    /* Where it cannot be watched for, a signal ends the program on the spot, and what was synced is kept. */
    enum status status = ending_watch(&err);
    (void)status;
    indexing->first = number;
    indexing->begun = indexing->shown = now;
    indexing->is_terminal = isatty(STDERR_FILENO);
}

static void show(struct indexing *indexing, u64 number, u64 oldest, u64 now)
{
    u64 done = indexing->first - number, all = indexing->first - oldest + 1;
    fprintf(stderr, "%sindexing addresses: block %llu, down to %llu  %3llu%%  %.0f s%s",
            indexing->is_terminal ? "\r\033[K" : "", (unsigned long long)number,
            (unsigned long long)oldest, (unsigned long long)(done * 100 / all),
            (double)(now - indexing->begun) / (double)SECOND, indexing->is_terminal ? "" : "\n");
    indexing->has_line = indexing->is_terminal;
    indexing->shown = now;
}

void indexing_tell(void *ctx, u64 number, u64 oldest)
{
    struct indexing *indexing = ctx;
    u64 now = clock_monotonic_ns();
    if (!indexing->begun)
        begin(indexing, number, now);
    u64 every = indexing->is_terminal ? SECOND / 5 : LINE_EVERY_S * SECOND;
    if (now - indexing->shown >= every)
        show(indexing, number, oldest, now);
}

void indexing_end(struct indexing *indexing)
{
    if (indexing->has_line)
        fputc('\n', stderr);
    indexing->has_line = false;
}
