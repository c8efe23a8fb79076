/*
 * Work done beside the loop: a queue of jobs, and threads that are started when there is more of it than the
 * loop's own thread can do, and end when there has been none for a while. A job belongs to the workers from
 * workers_add until its `done` is called; whatever it touches is its own for that time.
 *
 *   struct recovery { struct job job; ... };
 *   recovery->job = (struct job){.run = recover, .done = recovered};
 *   workers_add(workers, &recovery->job);
 *
 * Jobs begin in the order they were added, and may end in any. The loop's thread takes its share between two
 * rounds of input, so a job that comes alone is done at once, with no thread woken; on one processor all are.
 */
#pragma once

#include "base/types.h"
#include "sys/loop.h"

struct workers;

struct job {
    void (*run)(struct job *job); /* on any thread */
    void (*done)(
        struct job *job); /* on the owner's thread, after run; the job is the owner's again */
    struct job *next;     /* private */
};

/* Everything but run is called by one thread, the owner: the loop's, or any where loop is NULL, and then done is
 * called from workers_finish alone. threads_max 0: one fewer than there are processors. */
struct workers *workers_new(struct loop *loop, unsigned threads_max);

/* Finishes what was added, ends the threads. Before the loop is freed. */
void workers_free(struct workers *workers);

/* Would a second job run beside the first? */
bool workers_are_many(const struct workers *workers);

void workers_add(struct workers *workers, struct job *job);

/* Returns when every job is done. The caller's thread works as well. */
void workers_finish(struct workers *workers);

/* How many threads there are now besides the owner's. */
unsigned workers_thread_count(struct workers *workers);
