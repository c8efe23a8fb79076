#include <string.h>

#include "base/test.h"
#include "node/memory.h"

static void check_refused(const char *text, u64 states, const char *words)
{
    struct err err = {""};
    struct memory_plan plan;
    CHECK_EQ(memory_divide(&plan, text, states, &err), STATUS_INVALID);
    if (!strstr(err.text, words))
        test_fail(__FILE__, __LINE__, "%s: %s", text, err.text);
}

TEST(memory_is_divided_below_its_ceiling)
{
    static const char *const sizes[] = {"64M", "65536K", "100m", "256M", "1g", "2G", "64G"};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct err err;
        struct memory_plan plan;
        CHECK_EQ(memory_divide(&plan, sizes[i], 128, &err), STATUS_OK);
        u64 sum = 0;
        for (int share = 0; share < MEMORY_SHARE_COUNT; share++) {
            CHECK(plan.shares[share] > 0);
            sum += plan.shares[share];
        }
        CHECK(sum < plan.ceiling);
        CHECK(plan.shares[MEMORY_NODES] <= 64 << 20 && plan.shares[MEMORY_ANSWER] <= 64 << 20);
    }
}

TEST(memory_that_is_too_small_is_refused_with_the_least)
{
    check_refused("1M", 128, "at least 59M is needed");
    check_refused("58M", 128, "at least 59M is needed");
    check_refused("64M", 65536, "65536 states kept");
    check_refused("", 128, "a size is needed");
    check_refused("-1", 128, "a size is needed");
    check_refused("64MB", 128, "a size is needed");
    check_refused("64 M", 128, "a size is needed");
    check_refused("99999999999999999999G", 128, "a size is needed");
    struct err err;
    struct memory_plan plan;
    CHECK_EQ(memory_divide(&plan, "59M", 128, &err), STATUS_OK);
    CHECK_EQ(memory_check(&plan, 128, 30000000, &err), STATUS_OK);
    CHECK_EQ(memory_check(&plan, 128, 60000000, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "60 million gas"));
    CHECK_EQ(memory_check(&plan, 128, UINT64_MAX, &err), STATUS_INVALID);
}

TEST(memory_bounds_what_serves)
{
    struct err err;
    struct memory_plan plan;
    struct rpc_options rpc = rpc_options_default();
    struct http_options http = http_options_default();
    CHECK_EQ(memory_divide(&plan, "2G", 128, &err), STATUS_OK);
    memory_bound_service(&plan, &rpc, &http);
    CHECK_EQ(rpc.answer_max, rpc_options_default().answer_max);
    CHECK_EQ(http.body_max, http_options_default().body_max);
    CHECK_EQ(memory_divide(&plan, "64M", 128, &err), STATUS_OK);
    memory_bound_service(&plan, &rpc, &http);
    CHECK(rpc.answer_max < 4 << 20 && rpc.answer_max > 1 << 20 && rpc.values_max > 5000);
    CHECK(http.body_max >= 3 << 20 && http.bodies_max < 8 << 20 && http.unsent_max < 1 << 20);
    memory_tighten(&plan);
    struct memory_watch watch;
    memory_watch_open(&watch, &plan);
    struct usage usage = watch.usage;
    u64 virtual_bytes, resident_bytes;
    CHECK(usage_memory(&usage, &virtual_bytes, &resident_bytes));
    memory_watch_close(&watch);
    memory_watch_close(&watch);
}

TEST(memory_counts_what_a_genesis_file_takes)
{
    struct err err;
    struct memory_plan plan;
    enum { MEMBERS = 62000 };
    static u8 text[MEMBERS];
    memset(text, ':', sizeof text);
    CHECK_EQ(memory_divide(&plan, "64M", 128, &err), STATUS_OK);
    CHECK_EQ(memory_check_genesis(&plan, text, sizeof text, &err), STATUS_OK);
    CHECK_EQ(memory_divide(&plan, "60M", 128, &err), STATUS_OK);
    CHECK_EQ(memory_check_genesis(&plan, text, sizeof text, &err), STATUS_TOO_LARGE);
    CHECK(strstr(err.text, "up to 62M of memory"));
}
