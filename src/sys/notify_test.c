#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/test.h"
#include "sys/notify.h"

static int listen_at(struct sockaddr_un *addr, size_t len)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)addr, (socklen_t)len) == 0);
    return fd;
}

static void check_heard(int fd, const char *want)
{
    char text[100] = "";
    CHECK(recv(fd, text, sizeof text - 1, 0) > 0);
    CHECK_STR(text, want);
}

static void check_at(const char *name, struct sockaddr_un *addr, size_t len)
{
    struct notify notify;
    int fd = listen_at(addr, len);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "3000000", 1);
    notify_open(&notify);
    CHECK_EQ(notify.watchdog_ms, 3000);
    notify_send(&notify, "READY=1");
    check_heard(fd, "READY=1");
    close(fd);
    notify_send(&notify, "STOPPING=1"); /* nobody listens any more */
    notify_close(&notify);
}

TEST(notify_reaches_a_manager_by_path_and_by_abstract_name)
{
    char folder[] = "/tmp/ashlar-notify-XXXXXX", name[64];
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    CHECK(mkdtemp(folder));
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/socket", folder);
    check_at(addr.sun_path, &addr, sizeof addr);
    unlink(addr.sun_path);
    rmdir(folder);
    memset(addr.sun_path, 0, sizeof addr.sun_path);
    int len = snprintf(name, sizeof name, "@ashlar-notify-%d", (int)getpid());
    memcpy(addr.sun_path + 1, name + 1, (size_t)len - 1);
    check_at(name, &addr, offsetof(struct sockaddr_un, sun_path) + (size_t)len);
}

TEST(notify_without_a_manager_says_nothing)
{
    struct notify notify;
    unsetenv("NOTIFY_SOCKET");
    notify_open(&notify);
    CHECK_EQ(notify.socket, -1);
    notify_send(&notify, "READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_open(&notify);
    CHECK_EQ(notify.socket, -1);
    setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
    setenv("WATCHDOG_PID", "1", 1);
    notify_open(&notify);
    CHECK_EQ(notify.socket, -1);
    CHECK_EQ(notify.watchdog_ms, 0);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
}
