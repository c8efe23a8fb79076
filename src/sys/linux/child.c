#include "sys/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"

struct child {
    pid_t pid;
};

enum status child_start(struct child **child, int (*run)(void *arg), void *arg, struct err *err)
{
    pid_t pid = fork();
    if (pid < 0)
        return err_set(err, STATUS_IO, "cannot start a process: %s", strerror(errno));
    if (pid == 0)
        _exit(run(arg));
    *child = NEW(struct child);
    (*child)->pid = pid;
    return STATUS_OK;
}

void child_kill(struct child *child)
{
    kill(child->pid, SIGKILL);
}

int child_wait(struct child *child)
{
    int how;
    pid_t done;
    do
        done = waitpid(child->pid, &how, 0);
    while (done < 0 && errno == EINTR);
    assert(done == child->pid);
    mem_free(child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}
