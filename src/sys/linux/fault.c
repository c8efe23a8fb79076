#include "sys/fault.h"

#include <signal.h>
#include <string.h>

/* A signal's handler is the process's, and finds what its thread is about here only. */
static _Thread_local struct fault *innermost;
static struct sigaction before_bus, before_segv;

/* The thread sanitizer calls handlers out of its own, which has all signals blocked and is never returned to. */
static void unblock(void)
{
#if defined(__has_feature)
#    if __has_feature(thread_sanitizer)
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
#    endif
#endif
}

static _Noreturn void go_back(struct fault *fault, const void *at, bool is_io)
{
    innermost = fault->outer;
    fault->at = at;
    fault->is_io = is_io;
    unblock();
    siglongjmp(fault->back, 1);
}

enum {
    NOWHERE = 4096
}; /* below are no pages: what lies there is a member of something that is not */

static bool is_of(const struct fault *fault, const u8 *at)
{
    return (uintptr_t)at < NOWHERE || (at >= (const u8 *)fault->from && at < (const u8 *)fault->to);
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    const u8 *at = info->si_addr;
    struct fault *fault = innermost;
    while (fault && !is_of(fault, at))
        fault = fault->outer;
    if (fault && info->si_code > 0)
        go_back(fault, at, signal_number == SIGBUS);
    const struct sigaction *before = signal_number == SIGBUS ? &before_bus : &before_segv;
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(signal_number, info, context);
    else
        sigaction(signal_number, before, NULL); /* and the read, tried again, ends the process */
}

void fault_init(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK},
                     now;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, NULL, &now) ||
        (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_fault))
        return;
    sigaction(SIGBUS, &action, &before_bus);
    sigaction(SIGSEGV, &action, &before_segv);
}

void fault_enter(struct fault *fault, const void *from, const void *to)
{
    fault->from = from;
    fault->to = to;
    fault->outer = innermost;
    innermost = fault;
}

void fault_leave(struct fault *fault)
{
    innermost = fault->outer;
}

void fault_raise(void)
{
    if (innermost)
        go_back(innermost, NULL, false);
}
