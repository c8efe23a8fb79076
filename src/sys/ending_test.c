#include <signal.h>
#include <unistd.h>

#include "base/test.h"
#include "sys/ending.h"
#include "sys/loop.h"

TEST(ending_is_a_wish_once_it_is_watched_for)
{
    struct err err;
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        CHECK_EQ(ending_watch(&err), STATUS_OK);
        CHECK(!ending_is_wished());
        CHECK_EQ(raise(numbers[i]), 0);
        CHECK(ending_is_wished());
        CHECK_EQ(ending_watch(&err), STATUS_OK);
        CHECK(ending_is_wished()); /* who begins to watch later is told as well */
        ending_forget();
    }
    CHECK(!ending_is_wished());
}

TEST(ending_leaves_a_hangup_that_is_ignored)
{
    struct err err;
    CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    CHECK_EQ(ending_watch(&err), STATUS_OK);
    CHECK_EQ(raise(SIGHUP), 0);
    CHECK(!ending_is_wished());
    CHECK(signal(SIGHUP, SIG_DFL) == SIG_IGN);
    CHECK_EQ(ending_watch(&err), STATUS_OK);
}

struct watcher {
    struct loop *loop;
    int told;
};

static void on_end(void *ctx)
{
    struct watcher *watcher = ctx;
    watcher->told++;
    loop_stop(watcher->loop);
}

static void on_time(void *ctx)
{
    (void)ctx;
    CHECK_EQ(raise(SIGTERM), 0);
}

/* Two wishes are one, and a loop that is told does not wait for another. */
TEST(ending_reaches_the_loop_once)
{
    struct err err;
    struct watcher watcher = {0};
    CHECK_EQ(loop_new(&watcher.loop, &err), STATUS_OK);
    CHECK_EQ(loop_on_end(watcher.loop, on_end, &watcher, &err), STATUS_OK);
    struct timer *timer = timer_new(watcher.loop, on_time, NULL);
    timer_start(timer, 1, 1);
    loop_run(watcher.loop);
    CHECK_EQ(watcher.told, 1);
    CHECK_EQ(raise(SIGINT), 0);
    loop_turn(watcher.loop);
    CHECK_EQ(watcher.told, 1);
    timer_free(timer);
    loop_free(watcher.loop);
    ending_forget();
}

TEST(ending_wished_before_there_was_a_loop_reaches_it)
{
    struct err err;
    struct watcher watcher = {0};
    CHECK_EQ(ending_watch(&err), STATUS_OK);
    CHECK_EQ(raise(SIGTERM), 0);
    CHECK_EQ(loop_new(&watcher.loop, &err), STATUS_OK);
    CHECK_EQ(loop_on_end(watcher.loop, on_end, &watcher, &err), STATUS_OK);
    struct timer *timer = timer_new(watcher.loop, on_time, NULL);
    timer_start(timer, 60000, 0); /* a loop that waits for nothing ends at once */
    loop_run(watcher.loop);
    CHECK_EQ(watcher.told, 1);
    timer_free(timer);
    loop_free(watcher.loop);
    ending_forget();
}
