#include "sys/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/assert.h"

void random_fill(void *bytes, size_t len)
{
    u8 *p = bytes;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        assert(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

u64 random_u64(void)
{
    u64 value;
    random_fill(&value, sizeof value);
    return value;
}
