#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct lock {
    int fd;
};

static enum status refuse(int fd, const char *path, struct err *err)
{
    char pid[24] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    pid[len > 0 ? strcspn(pid, "\n") : 0] = 0;
    if (!pid[0])
        return err_set(err, STATUS_EXISTS, "%s is in use by another process", path);
    return err_set(err, STATUS_EXISTS, "%s is in use by process %s", path, pid);
}

/* Whoever is refused reads it, at any moment; without it the lock holds all the same. */
static void write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len) != 0)
        errno = 0;
}

static struct lock *lock_new(int fd)
{
    struct lock *lock = NEW(struct lock);
    write_pid(fd);
    lock->fd = fd;
    return lock;
}

/* Who only looks has it for an instant, too. */
static int take(int fd)
{
    enum { TRIES = 3 };
    const struct timespec instant = {.tv_nsec = 1000000};
    for (int tries = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK || tries == TRIES)
            return errno;
        nanosleep(&instant, NULL);
    }
    return 0;
}

/* Whoever had it may have removed the file since it was opened: another then makes one, and both would have a lock. */
static bool is_still_at(int fd, const char *path)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && stat(path, &named) == 0 && mine.st_dev == named.st_dev &&
           mine.st_ino == named.st_ino;
}

enum status lock_take(struct lock **lock, const char *path, struct err *err)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
        int failure = take(fd);
        if (!failure && is_still_at(fd, path)) {
            *lock = lock_new(fd);
            return STATUS_OK;
        }
        enum status status = STATUS_OK;
        if (failure == EWOULDBLOCK)
            status = refuse(fd, path, err);
        else if (failure)
            status = err_set(err, STATUS_IO, "cannot lock %s: %s", path, strerror(failure));
        close(fd);
        if (status != STATUS_OK)
            return status;
    }
}

enum status lock_look(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? STATUS_OK
                   : err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    enum status status = STATUS_OK;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        status = refuse(fd, path, err);
    close(fd);
    return status;
}

void lock_release(struct lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    mem_free(lock);
}
