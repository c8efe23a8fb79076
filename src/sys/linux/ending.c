#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/linux/ending_int.h"

/* Signal handlers know nothing but these. */
static atomic_bool wished;
static atomic_int event = -1;

static void on_signal(int number)
{
    (void)number;
    u64 one = 1;
    int saved = errno;
    atomic_store(&wished, true);
    ssize_t written = write(atomic_load(&event), &one, sizeof one);
    (void)written; /* a counter that is full is readable, too */
    errno = saved;
}

static enum status make_event(struct err *err)
{
    if (atomic_load(&event) >= 0)
        return STATUS_OK;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, STATUS_IO, "cannot watch for signals: %s", strerror(errno));
    atomic_store(&event, fd);
    return STATUS_OK;
}

/* As nohup leaves SIGHUP. */
static bool is_ignored(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

enum status ending_watch(struct err *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    enum status status = make_event(err);
    sigfillset(&action.sa_mask);
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone shows as an error of the write */
    for (size_t i = 0; status == STATUS_OK && i < ARRAY_LEN(numbers); i++)
        if ((numbers[i] != SIGHUP || !is_ignored(SIGHUP)) && sigaction(numbers[i], &action, NULL))
            status = err_set(err, STATUS_IO, "cannot watch for signal %d: %s", numbers[i],
                             strerror(errno));
    return status;
}

void ending_forget(void)
{
    u64 count;
    atomic_store(&wished, false);
    ssize_t got = read(atomic_load(&event), &count, sizeof count);
    (void)got; /* there is nothing in it unless a wish came before */
}

bool ending_is_wished(void)
{
    return atomic_load_explicit(&wished, memory_order_relaxed);
}

int ending_fd(void)
{
    return atomic_load(&event);
}

bool ending_wait_readable(int fd, int other)
{
    /* A negative descriptor is not looked at. */
    struct pollfd waits[] = {{.fd = fd, .events = POLLIN},
                             {.fd = ending_fd(), .events = POLLIN},
                             {.fd = other, .events = POLLIN}};
    for (;;) {
        int count = poll(waits, ARRAY_LEN(waits), -1);
        if (count < 0 && errno != EINTR)
            return true; /* then reading says why */
        if (count > 0 && waits[0].revents)
            return true;
        if (count > 0)
            return false;
    }
}
