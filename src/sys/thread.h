/* Threads, and what they wait on. A thread's memory is the heap's until it is joined. */
#pragma once

#include <pthread.h>

#include "base/status.h"
#include "base/types.h"

struct thread;

/* Runs run(arg) on a new thread; stack_size in bytes, 0 for the system's own. Pages of the stack cost
 * memory only once they are touched. */
MUST_READ enum status thread_start(struct thread **thread, void (*run)(void *arg), void *arg,
                                   size_t stack_size, struct err *err);
/* Waits for its end and frees it. */
void thread_join(struct thread *thread);

/* How many processors this process may use; at least 1. */
unsigned thread_cpu_count(void);

struct mutex {
    pthread_mutex_t lib;
};
void mutex_init(struct mutex *mutex);
void mutex_fini(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* Waiting for a change under a mutex; look at the condition again after each return. */
struct signal {
    pthread_cond_t lib;
};
void signal_init(struct signal *signal);
void signal_fini(struct signal *signal);
void signal_wait(struct signal *signal, struct mutex *held);
/* False when so much time has passed without a wake. */
bool signal_wait_ms(struct signal *signal, struct mutex *held, u32 ms);
void signal_wake_one(struct signal *signal);
void signal_wake_all(struct signal *signal);
