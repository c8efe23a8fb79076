#include "sys/thread.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/mem.h"

struct thread {
    pthread_t id;
    void (*run)(void *arg);
    void *arg;
};

static void *thread_main(void *opaque)
{
    struct thread *thread = opaque;
    thread->run(thread->arg);
    return NULL;
}

enum status thread_start(struct thread **thread, void (*run)(void *arg), void *arg,
                         size_t stack_size, struct err *err)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    int code = stack_size ? pthread_attr_setstacksize(&attr, stack_size) : 0;
    struct thread *made = NEW(struct thread);
    made->run = run;
    made->arg = arg;
    if (code == 0)
        code = pthread_create(&made->id, &attr, thread_main, made);
    pthread_attr_destroy(&attr);
    if (code != 0) {
        mem_free(made);
        return err_set(err, STATUS_IO, "cannot start a thread: %s", strerror(code));
    }
    *thread = made;
    return STATUS_OK;
}

void thread_join(struct thread *thread)
{
    int code = pthread_join(thread->id, NULL);
    assert(code == 0);
    mem_free(thread);
}

unsigned thread_cpu_count(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int count = CPU_COUNT(&allowed);
    return count > 0 ? (unsigned)count : 1;
}

void mutex_init(struct mutex *mutex)
{
    pthread_mutex_init(&mutex->lib, NULL);
}

void mutex_fini(struct mutex *mutex)
{
    pthread_mutex_destroy(&mutex->lib);
}

void mutex_lock(struct mutex *mutex)
{
    int code = pthread_mutex_lock(&mutex->lib);
    assert(code == 0);
}

void mutex_unlock(struct mutex *mutex)
{
    int code = pthread_mutex_unlock(&mutex->lib);
    assert(code == 0);
}

void signal_init(struct signal *signal)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&signal->lib, &attr);
    pthread_condattr_destroy(&attr);
}

void signal_fini(struct signal *signal)
{
    pthread_cond_destroy(&signal->lib);
}

void signal_wait(struct signal *signal, struct mutex *held)
{
    pthread_cond_wait(&signal->lib, &held->lib);
}

bool signal_wait_ms(struct signal *signal, struct mutex *held, u32 ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(&signal->lib, &held->lib, &until) == 0;
}

void signal_wake_one(struct signal *signal)
{
    pthread_cond_signal(&signal->lib);
}

void signal_wake_all(struct signal *signal)
{
    pthread_cond_broadcast(&signal->lib);
}
