#include "base/test.h"
#include "sys/loop.h"
#include "sys/workers.h"

enum { JOBS = 200, THREADS = 3 };

struct sum {
    struct job job;
    u64 from, result;
    unsigned *done;
    struct loop *loop; /* stopped by the last one */
};

static void sum_run(struct job *job)
{
    struct sum *sum = (struct sum *)job;
    sum->result = 0;
    for (u64 i = 0; i < 1000; i++)
        sum->result += sum->from + i;
}

static void sum_done(struct job *job)
{
    struct sum *sum = (struct sum *)job;
    if (++*sum->done == JOBS && sum->loop)
        loop_stop(sum->loop);
}

static void add_all(struct workers *workers, struct sum *sums, unsigned *done, struct loop *loop)
{
    for (u64 i = 0; i < JOBS; i++) {
        sums[i] = (struct sum){{sum_run, sum_done, NULL}, i, 0, done, loop};
        workers_add(workers, &sums[i].job);
    }
}

static bool all_right(const struct sum *sums)
{
    for (u64 i = 0; i < JOBS; i++)
        if (sums[i].result != 1000 * i + 499500)
            return false;
    return true;
}

TEST(workers_finish_what_was_added)
{
    static struct sum sums[JOBS];
    unsigned done = 0;
    struct workers *workers = workers_new(NULL, THREADS);
    CHECK(workers_are_many(workers));
    CHECK_EQ(workers_thread_count(workers), 0);
    for (int round = 1; round <= 3; round++, done = 0) {
        add_all(workers, sums, &done, NULL);
        workers_finish(workers);
        CHECK_EQ(done, JOBS);
        CHECK(all_right(sums));
        CHECK(workers_thread_count(workers) <= THREADS);
    }
    workers_free(workers);
}

TEST(workers_hand_back_on_the_loop)
{
    static struct sum sums[JOBS];
    struct err err;
    struct loop *loop;
    unsigned done = 0;
    CHECK_EQ(loop_new(&loop, &err), STATUS_OK);
    struct workers *workers = workers_new(loop, THREADS);
    struct timer *patience = timer_new(loop, (void (*)(void *))loop_stop, loop);
    timer_start(patience, 20000, 0);
    add_all(workers, sums, &done, loop);
    loop_run(loop);
    CHECK_EQ(done, JOBS);
    CHECK(all_right(sums));
    /* One alone needs nobody else: it is done in the round after it was added. */
    done = JOBS - 1;
    sums[0] = (struct sum){{sum_run, sum_done, NULL}, 7, 0, &done, loop};
    workers_add(workers, &sums[0].job);
    loop_run(loop);
    CHECK_EQ(done, JOBS);
    timer_free(patience);
    workers_free(workers);
    loop_free(loop);
}

static void stop_when_alone(void *ctx)
{
    struct loop *loop = ctx;
    loop_stop(loop);
}

TEST(idle_workers_end)
{
    static struct sum sums[JOBS];
    struct err err;
    struct loop *loop;
    unsigned done = 0;
    CHECK_EQ(loop_new(&loop, &err), STATUS_OK);
    struct workers *workers = workers_new(loop, THREADS);
    struct timer *timer = timer_new(loop, stop_when_alone, loop);
    add_all(workers, sums, &done, loop);
    loop_run(loop);
    for (int i = 0; i < 40 && workers_thread_count(workers); i++) {
        timer_start(timer, 250, 0);
        loop_run(loop);
    }
    CHECK_EQ(workers_thread_count(workers), 0);
    timer_free(timer);
    workers_free(workers);
    loop_free(loop);
}

TEST(workers_free_finishes)
{
    static struct sum sums[JOBS];
    unsigned done = 0;
    struct workers *workers = workers_new(NULL, 1);
    add_all(workers, sums, &done, NULL);
    workers_free(workers);
    CHECK_EQ(done, JOBS);
    CHECK(all_right(sums));
}
