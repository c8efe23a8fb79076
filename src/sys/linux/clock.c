#include "sys/clock.h"

#include <time.h>

#include "base/assert.h"

static u64 clock_read_ns(clockid_t which)
{
    struct timespec now;
    int failed = clock_gettime(which, &now);
    assert(!failed);
    return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

u64 clock_wall_ns(void)
{
    return clock_read_ns(CLOCK_REALTIME);
}

u64 clock_monotonic_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

u64 clock_thread_ns(void)
{
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

u64 clock_process_ns(void)
{
    return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
