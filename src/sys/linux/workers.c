#include "sys/workers.h"

#include "base/mem.h"
#include "sys/linux/loop_int.h"
#include "sys/thread.h"

enum { THREADS_MAX = 64, IDLE_MS = 1000, STACK_SIZE = 256 * 1024 };

struct queue {
    struct job *first, *last;
    u32 count;
};

struct worker {
    struct workers *workers;
    struct thread *thread; /* NULL: this place is free */
    bool has_ended;        /* and waits to be joined */
};

/* The loop's callbacks; they outlive the workers until the loop has closed them. */
struct handles {
    uv_async_t wake;  /* a job has ended while the loop may be asleep */
    uv_check_t check; /* after each round of input */
    uv_idle_t hurry;  /* while jobs wait, so that the loop does not fall asleep over them */
    unsigned open;
};

struct workers {
    struct handles *handles; /* NULL without a loop */
    unsigned threads_max;
    u32 pending; /* added and not done; the owner's */
    struct mutex mutex;
    struct signal work;  /* jobs were added, or the end has come */
    struct signal ended; /* a job has ended */
    /* Under the mutex from here. */
    struct queue waiting, over;
    unsigned asleep; /* threads that wait for work */
    bool is_closing;
    struct worker list[THREADS_MAX];
};

static void queue_push(struct queue *queue, struct job *job)
{
    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
    queue->count++;
}

static struct job *queue_pop(struct queue *queue)
{
    struct job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return job;
}

/* --- the threads ---------------------------------------------------------------------------- */

/* The next job, or NULL when it is time to end; the mutex is held. */
static struct job *worker_wait(struct workers *workers)
{
    bool waited_long = false;
    while (!workers->waiting.first && !workers->is_closing && !waited_long) {
        workers->asleep++;
        waited_long = !signal_wait_ms(&workers->work, &workers->mutex, IDLE_MS);
        workers->asleep--;
    }
    return queue_pop(&workers->waiting);
}

static void worker_main(void *arg)
{
    struct worker *worker = arg;
    struct workers *workers = worker->workers;
    struct job *job;
    mutex_lock(&workers->mutex);
    while ((job = worker_wait(workers))) {
        mutex_unlock(&workers->mutex);
        job->run(job);
        mutex_lock(&workers->mutex);
        queue_push(&workers->over, job);
        signal_wake_all(&workers->ended);
        if (workers->handles)
            uv_async_send(&workers->handles->wake);
    }
    worker->has_ended = true;
    if (workers->handles) /* to be joined */
        uv_async_send(&workers->handles->wake);
    mutex_unlock(&workers->mutex);
}

/* Joins threads that have ended, or are about to; the mutex is held, and they hold it no more. */
static void join_ended(struct workers *workers)
{
    for (unsigned i = 0; i < workers->threads_max; i++) {
        struct worker *worker = &workers->list[i];
        if (!worker->thread || !worker->has_ended)
            continue;
        struct thread *thread = worker->thread;
        worker->thread = NULL;
        worker->has_ended = false;
        mutex_unlock(&workers->mutex);
        thread_join(thread);
        mutex_lock(&workers->mutex);
    }
}

static void start_one(struct workers *workers)
{
    struct err err;
    for (unsigned i = 0; i < workers->threads_max; i++) {
        struct worker *worker = &workers->list[i];
        if (worker->thread)
            continue;
        /* Where no thread can be had, the owner does the work. */
        if (thread_start(&worker->thread, worker_main, worker, STACK_SIZE, &err) != STATUS_OK)
            worker->thread = NULL;
        return;
    }
}

/* More than the owner's next job waits: others are to take part. The mutex is held. */
static void call_help(struct workers *workers)
{
    if (workers->waiting.count < 2 || !workers->threads_max)
        return;
    if (workers->asleep)
        signal_wake_one(&workers->work);
    else
        start_one(workers);
}

/* --- the owner ------------------------------------------------------------------------------ */

/* The loop stays alive while a job is pending. */
static void give_back(struct workers *workers, struct job *job)
{
    if (--workers->pending == 0 && workers->handles)
        uv_unref((uv_handle_t *)&workers->handles->wake);
    job->done(job);
}

/* Calls done for what has ended; the mutex is held. */
static bool hand_back(struct workers *workers)
{
    struct job *job = workers->over.first;
    if (!job)
        return false;
    workers->over = (struct queue){0};
    mutex_unlock(&workers->mutex);
    for (struct job *next; job; job = next) {
        next = job->next;
        give_back(workers, job);
    }
    mutex_lock(&workers->mutex);
    return true;
}

/* Runs one waiting job on the owner's thread; the mutex is held. */
static bool take_part(struct workers *workers)
{
    struct job *job = queue_pop(&workers->waiting);
    if (!job)
        return false;
    mutex_unlock(&workers->mutex);
    job->run(job);
    give_back(workers, job);
    mutex_lock(&workers->mutex);
    return true;
}

/* What has ended comes first: it is what others wait for. */
static void on_round(uv_check_t *check)
{
    struct workers *workers = check->data;
    if (!workers->pending)
        return;
    mutex_lock(&workers->mutex);
    call_help(workers);
    if (!hand_back(workers))
        take_part(workers);
    bool is_waiting = workers->waiting.first != NULL;
    mutex_unlock(&workers->mutex);
    if (!is_waiting)
        uv_idle_stop(&workers->handles->hurry);
}

/* The round does the work; it begins when the loop wakes. */
static void on_wake(uv_async_t *wake)
{
    struct workers *workers = wake->data;
    mutex_lock(&workers->mutex);
    join_ended(workers);
    mutex_unlock(&workers->mutex);
}

static void on_hurry(uv_idle_t *hurry)
{
    (void)hurry;
}

static void handles_open(struct workers *workers, struct loop *loop)
{
    struct handles *handles = NEW(struct handles);
    uv_async_init(loop_uv(loop), &handles->wake, on_wake);
    uv_check_init(loop_uv(loop), &handles->check);
    uv_idle_init(loop_uv(loop), &handles->hurry);
    uv_check_start(&handles->check, on_round);
    handles->wake.data = handles->check.data = workers;
    /* A loop with nothing else left may end. */
    uv_unref((uv_handle_t *)&handles->wake);
    uv_unref((uv_handle_t *)&handles->check);
    uv_unref((uv_handle_t *)&handles->hurry);
    handles->open = 3;
    workers->handles = handles;
}

static void on_closed(uv_handle_t *handle)
{
    struct handles *handles = handle->data;
    if (--handles->open == 0)
        mem_free(handles);
}

static void handles_close(struct handles *handles)
{
    if (!handles)
        return;
    handles->wake.data = handles->check.data = handles->hurry.data = handles;
    uv_close((uv_handle_t *)&handles->wake, on_closed);
    uv_close((uv_handle_t *)&handles->check, on_closed);
    uv_close((uv_handle_t *)&handles->hurry, on_closed);
}

struct workers *workers_new(struct loop *loop, unsigned threads_max)
{
    struct workers *workers = NEW(struct workers);
    if (!threads_max)
        threads_max = thread_cpu_count() - 1;
    workers->threads_max = threads_max < THREADS_MAX ? threads_max : THREADS_MAX;
    mutex_init(&workers->mutex);
    signal_init(&workers->work);
    signal_init(&workers->ended);
    for (unsigned i = 0; i < workers->threads_max; i++)
        workers->list[i].workers = workers;
    if (loop)
        handles_open(workers, loop);
    return workers;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    workers_finish(workers);
    mutex_lock(&workers->mutex);
    workers->is_closing = true;
    signal_wake_all(&workers->work);
    for (unsigned i = 0; i < workers->threads_max; i++)
        workers->list[i].has_ended |=
            workers->list[i].thread != NULL; /* or will have when it is joined */
    join_ended(workers);
    mutex_unlock(&workers->mutex);
    handles_close(workers->handles);
    signal_fini(&workers->ended);
    signal_fini(&workers->work);
    mutex_fini(&workers->mutex);
    mem_free(workers);
}

bool workers_are_many(const struct workers *workers)
{
    return workers->threads_max > 0;
}

void workers_add(struct workers *workers, struct job *job)
{
    mutex_lock(&workers->mutex);
    queue_push(&workers->waiting, job);
    mutex_unlock(&workers->mutex);
    if (workers->pending++ == 0 && workers->handles)
        uv_ref((uv_handle_t *)&workers->handles->wake);
    if (workers->handles)
        uv_idle_start(&workers->handles->hurry, on_hurry);
}

void workers_finish(struct workers *workers)
{
    mutex_lock(&workers->mutex);
    while (workers->pending) {
        call_help(workers);
        if (!hand_back(workers) && !take_part(workers))
            signal_wait(&workers->ended, &workers->mutex);
    }
    mutex_unlock(&workers->mutex);
}

unsigned workers_thread_count(struct workers *workers)
{
    unsigned count = 0;
    mutex_lock(&workers->mutex);
    for (unsigned i = 0; i < workers->threads_max; i++)
        count += workers->list[i].thread != NULL;
    mutex_unlock(&workers->mutex);
    return count;
}
