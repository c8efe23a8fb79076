/*
 * Giving up what the process will not need: once its sockets and its folder are open, it can reach nothing else.
 * Files and the network by Landlock, system calls by a seccomp filter; both are for good and hold for threads that
 * are started afterwards, so this comes before the first one. What the kernel does not have is left out and said.
 * Builds with SANDBOX_OFF (sanitizers, coverage: their runtimes open files and trace) enter nothing.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct sandbox {
    const char *folder; /* may be read and changed, with all below it; NULL: no file at all */
};

struct sandbox_report {
    int landlock_abi;       /* 0: absent */
    bool has_network_rules; /* of Landlock: no TCP connection out, no new listener */
    bool has_seccomp;
};

/*
 * Afterwards: no file opened outside the folder, no program started, no socket made, no memory made executable;
 * forbidden calls fail with EPERM or EACCES. What is open stays so. STATUS_IO when the kernel has the means but refuses:
 * part may be in force then.
 */
MUST_READ enum status sandbox_enter(const struct sandbox *sandbox, struct sandbox_report *report,
                                    struct err *err);
