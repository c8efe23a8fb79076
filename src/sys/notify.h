/*
 * Telling the service manager how the service is (systemd's sd_notify, by its documented protocol: a datagram to the
 * socket in NOTIFY_SOCKET). Without one nothing is sent.
 */
#pragma once

#include "base/types.h"

struct notify {
    int socket;      /* -1: nobody listens */
    u64 watchdog_ms; /* how often the manager wants to hear from this process; 0: it does not */
};

/* Before the sandbox is entered: it opens a socket. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=words"; several by lines. Never blocks. */
void notify_send(const struct notify *notify, const char *state);
