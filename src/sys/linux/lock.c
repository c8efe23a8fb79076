#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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

/* Whoever is refused reads it; without it the lock holds all the same. */
static void write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
        errno = 0;
}

enum status lock_take(struct lock **lock, const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(err, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum status status = errno == EWOULDBLOCK ? refuse(fd, path, err)
                                                  : err_set(err, STATUS_IO, "cannot lock %s: %s",
                                                            path, strerror(errno));
        close(fd);
        return status;
    }
    write_pid(fd);
    *lock = NEW(struct lock);
    (*lock)->fd = fd;
    return STATUS_OK;
}

void lock_release(struct lock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    mem_free(lock);
}
