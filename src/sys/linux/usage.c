#include "sys/usage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

void usage_open(struct usage *usage)
{
    usage->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void usage_close(struct usage *usage)
{
    if (usage->statm >= 0)
        close(usage->statm);
    usage->statm = -1;
}

void usage_allow_files(u64 count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count)
        return;
    limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return; /* connections past the limit are refused then */
}

/* proc(5): statm counts pages: all, resident, of those of files. */
static bool statm_read(const struct usage *usage, u64 bytes[3])
{
    char text[256], *at = text;
    ssize_t len = usage->statm < 0 ? -1 : pread(usage->statm, text, sizeof text - 1, 0);
    if (len <= 0)
        return false;
    text[len] = 0;
    u64 page = (u64)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < 3; i++)
        bytes[i] = strtoull(at, &at, 10) * page;
    return true;
}

bool usage_memory(const struct usage *usage, u64 *virtual_bytes, u64 *resident_bytes)
{
    u64 bytes[3];
    if (!statm_read(usage, bytes))
        return false;
    *virtual_bytes = bytes[0];
    *resident_bytes = bytes[1];
    return true;
}

bool usage_mapped(const struct usage *usage, u64 *bytes)
{
    u64 all[3];
    if (!statm_read(usage, all))
        return false;
    *bytes = all[2];
    return true;
}
