#include "sys/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* WATCHDOG_USEC is meant for the process in WATCHDOG_PID. */
static u64 watchdog_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
    if (!usec || (pid && strtoull(pid, NULL, 10) != (unsigned long long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 1000;
}

void notify_open(struct notify *notify)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    *notify = (struct notify){.socket = -1};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof addr.sun_path)
        return;
    size_t len = strlen(path);
    memcpy(addr.sun_path, path, len);
    if (path[0] == '@') /* the abstract namespace */
        addr.sun_path[0] = 0;
    notify->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->socket < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (connect(notify->socket, (struct sockaddr *)&addr, size))
        notify_close(notify);
    else
        notify->watchdog_ms = watchdog_ms();
}

void notify_close(struct notify *notify)
{
    if (notify->socket >= 0)
        close(notify->socket);
    *notify = (struct notify){.socket = -1};
}

void notify_send(const struct notify *notify, const char *state)
{
    if (notify->socket >= 0 && send(notify->socket, state, strlen(state), MSG_NOSIGNAL) < 0)
        return; /* a manager that does not listen is no reason to stop */
}
