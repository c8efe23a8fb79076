#include "base/test.h"
#include "sys/usage.h"

TEST(usage_is_told)
{
    u64 virtual_bytes, resident_bytes;
    struct usage usage;
    usage_open(&usage);
    CHECK(usage_memory(&usage, &virtual_bytes, &resident_bytes));
    CHECK(resident_bytes >= 100000 && resident_bytes <= virtual_bytes);
    u64 mapped_bytes;
    CHECK(usage_mapped(&usage, &mapped_bytes));
    /* Not of what was resident: pages have come since. */
    CHECK(mapped_bytes > 0 && mapped_bytes <= virtual_bytes);
    usage_close(&usage);
    CHECK(!usage_mapped(&usage, &mapped_bytes));
    usage_allow_files(64); /* never fewer than there are */
    usage_allow_files(UINT64_MAX);
    CHECK(!usage_memory(&usage, &virtual_bytes, &resident_bytes));
}
