#include "node/ahead.h"

#include "base/mem.h"
#include "sys/thread.h"

enum {
    PLACES = 64, /* blocks on their way */
    STACK_SIZE = 256 << 10,
    THREADS_MAX = 8,
};

/* A block on its way: read, then ready. Number n is at n modulo PLACES. */
struct place {
    u8 *rlp;
    size_t len;
    struct chain_incoming *ready;
};

struct ahead {
    struct chain *chain;
    struct block_file *file;
    u64 senders_from; /* after the head there was */
    struct mutex mutex;
    struct signal moved;
    struct thread *threads[THREADS_MAX];
    unsigned thread_count;
    struct place places[PLACES];
    u64 read, taken, given;  /* blocks: read from the file, taken to be made ready, given out */
    size_t bytes, bytes_max; /* of encodings, in places */
    bool reading;            /* one thread at a time has the file */
    bool ended, stopped;
    enum status status; /* of reading, once ended */
    struct err err;
};

static bool has_room(const struct ahead *ahead)
{
    return ahead->read - ahead->given < PLACES &&
           (ahead->bytes < ahead->bytes_max || ahead->read == ahead->given);
}

/* Reads one block into its place. The mutex is held, but for the reading. */
static void read_one(struct ahead *ahead)
{
    const u8 *rlp;
    size_t len = 0;
    struct err err;
    ahead->reading = true;
    mutex_unlock(&ahead->mutex);
    enum status status = block_file_next(ahead->file, &rlp, &len, &err);
    u8 *copy = status == STATUS_OK && len ? mem_dup(rlp, len) : NULL;
    mutex_lock(&ahead->mutex);
    ahead->reading = false;
    if (copy) {
        ahead->places[ahead->read++ % PLACES] = (struct place){copy, len, NULL};
        ahead->bytes += len;
    } else {
        ahead->ended = true;
        ahead->status = status;
        if (status != STATUS_OK)
            ahead->err = err;
    }
    signal_wake_all(&ahead->moved);
}

/* Makes the next block ready that nobody has taken. The mutex is held, but for the work. */
static void prepare_one(struct ahead *ahead)
{
    struct place *place = &ahead->places[ahead->taken++ % PLACES];
    mutex_unlock(&ahead->mutex);
    struct chain_incoming *ready =
        chain_prepare(ahead->chain, place->rlp, place->len, ahead->senders_from);
    mutex_lock(&ahead->mutex);
    mem_free(place->rlp);
    place->rlp = NULL;
    place->ready = ready;
    signal_wake_all(&ahead->moved);
}

static bool may_read(const struct ahead *ahead)
{
    return !ahead->ended && !ahead->reading && has_room(ahead);
}

/*
 * One step of what there is to do; false when there is nothing now. reads: it may wait for the file. A block for each
 * thread is read before any is made ready, so that none is without work while another waits for the file.
 */
static bool step(struct ahead *ahead, bool reads)
{
    if (reads && may_read(ahead) && ahead->read - ahead->taken <= ahead->thread_count)
        read_one(ahead);
    else if (ahead->taken < ahead->read)
        prepare_one(ahead);
    else
        return false;
    return true;
}

static void work(void *arg)
{
    struct ahead *ahead = arg;
    mutex_lock(&ahead->mutex);
    while (!ahead->stopped && !(ahead->ended && ahead->taken == ahead->read))
        if (!step(ahead, true))
            signal_wait(&ahead->moved, &ahead->mutex);
    mutex_unlock(&ahead->mutex);
}

enum status ahead_open(struct ahead **out, struct chain *chain, struct block_file *file,
                       size_t bytes_max, struct err *err)
{
    struct ahead *ahead = NEW(struct ahead);
    ahead->chain = chain;
    ahead->file = file;
    ahead->bytes_max = bytes_max;
    ahead->senders_from = chain_head(chain)->block.header.number + 1;
    mutex_init(&ahead->mutex);
    signal_init(&ahead->moved);
    unsigned want = thread_cpu_count() - 1;
    want = want > THREADS_MAX ? THREADS_MAX : want;
    enum status status = STATUS_OK;
    mutex_lock(&ahead->mutex); /* the first ones look at how many there are */
    while (status == STATUS_OK && ahead->thread_count < want) {
        struct thread **thread = &ahead->threads[ahead->thread_count];
        status = thread_start(thread, work, ahead, STACK_SIZE, err);
        ahead->thread_count += status == STATUS_OK;
    }
    mutex_unlock(&ahead->mutex);
    if (status != STATUS_OK)
        ahead_close(ahead);
    else
        *out = ahead;
    return status;
}

void ahead_close(struct ahead *ahead)
{
    if (!ahead)
        return;
    mutex_lock(&ahead->mutex);
    ahead->stopped = true;
    stream_interrupt(ahead->file->stream); /* a pipe may be silent for long */
    signal_wake_all(&ahead->moved);
    mutex_unlock(&ahead->mutex);
    for (unsigned i = 0; i < ahead->thread_count; i++)
        thread_join(ahead->threads[i]);
    for (u64 i = ahead->given; i < ahead->read; i++) {
        struct place *place = &ahead->places[i % PLACES];
        mem_free(place->rlp);
        if (place->ready)
            chain_incoming_free(place->ready);
    }
    signal_fini(&ahead->moved);
    mutex_fini(&ahead->mutex);
    mem_free(ahead);
}

/* The executing thread helps when it would have to wait; but it waits for the file only where no block is on its way,
 * since a pipe may be silent for long. */
enum status ahead_next(struct ahead *ahead, struct chain_incoming **incoming, struct err *err)
{
    enum status status = STATUS_OK;
    mutex_lock(&ahead->mutex);
    struct place *place = &ahead->places[ahead->given % PLACES];
    while (!place->ready && !(ahead->ended && ahead->given == ahead->read))
        if (!step(ahead, ahead->given == ahead->read))
            signal_wait(&ahead->moved, &ahead->mutex);
    *incoming = place->ready;
    if (place->ready) {
        place->ready = NULL;
        ahead->bytes -= place->len;
        ahead->given++;
        signal_wake_all(&ahead->moved);
    } else if (ahead->status != STATUS_OK) {
        status = err_set(err, ahead->status, "%s", ahead->err.text);
    }
    mutex_unlock(&ahead->mutex);
    return status;
}
