#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#if defined(__x86_64__)
#    define ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#    define ARCH_HERE AUDIT_ARCH_AARCH64
#endif

static enum status refused(const char *what, struct err *err)
{
    return err_set(err, STATUS_IO, "cannot enter the sandbox: %s: %s", what, strerror(errno));
}

/* --- Landlock --------------------------------------------------------------------------------- */

/* The kernel's structure of ABI 6; it takes the shorter forms of older headers and ABIs by its length. */
struct ruleset {
    u64 handled_fs, handled_net, scoped;
};

enum { NET_BIND_CONNECT = 3, SCOPE_SIGNAL_AND_ABSTRACT = 3 };

/* Access rights to files: bits 0 to 12 from ABI 1, one more each with ABI 2, 3 and 5. */
static u64 file_rights(int abi)
{
    enum { ABI_1 = 13, REFER = 13, TRUNCATE = 14, IOCTL_DEV = 15 };
    u64 rights = (1u << ABI_1) - 1;
    if (abi >= 2)
        rights |= 1u << REFER;
    if (abi >= 3)
        rights |= 1u << TRUNCATE;
    if (abi >= 5)
        rights |= 1u << IOCTL_DEV;
    return rights;
}

static enum status open_folder(int ruleset, const char *path, u64 rights, struct err *err)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access =
            rights & ~(u64)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                            LANDLOCK_ACCESS_FS_MAKE_BLOCK),
        .parent_fd = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY),
    };
    if (rule.parent_fd < 0)
        return refused(path, err);
    long code = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    enum status status = code ? refused(path, err) : STATUS_OK;
    close(rule.parent_fd);
    return status;
}

static enum status enter_landlock(const char *folder, struct sandbox_report *report,
                                  struct err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return STATUS_OK; /* not in this kernel, or switched off */
    struct ruleset wanted = {
        .handled_fs = file_rights((int)abi),
        .handled_net = abi >= 4 ? NET_BIND_CONNECT : 0,
        .scoped = abi >= 6 ? SCOPE_SIGNAL_AND_ABSTRACT : 0,
    };
    size_t size = abi >= 6 ? sizeof wanted : abi >= 4 ? 2 * sizeof(u64) : sizeof(u64);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (ruleset < 0)
        return refused("Landlock", err);
    enum status status = folder ? open_folder(ruleset, folder, wanted.handled_fs, err) : STATUS_OK;
    if (status == STATUS_OK && syscall(SYS_landlock_restrict_self, ruleset, 0))
        status = refused("Landlock", err);
    close(ruleset);
    if (status == STATUS_OK) {
        report->landlock_abi = (int)abi;
        report->has_network_rules = abi >= 4;
    }
    return status;
}

/* --- seccomp ---------------------------------------------------------------------------------- */

#ifdef ARCH_HERE

/* What a node that is running calls, whatever the arguments. */
static const u16 allowed[] = {
    /* the loop and its connections */
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_accept4,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    SYS_shutdown,
    SYS_close,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_eventfd2,
    SYS_pipe2,
    SYS_epoll_create1,
    SYS_ppoll,
    SYS_timerfd_settime,
    /* files; which ones is Landlock's affair */
    SYS_openat,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_lseek,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync_file_range,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_getdents64,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_mkdirat,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_fcntl,
    SYS_flock,
    SYS_fadvise64,
    SYS_msync,
    /* memory, threads, time */
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_mincore,
    SYS_mlock,
    SYS_munlock,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_membarrier,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_uname,
    SYS_getuid,
    SYS_geteuid,
    /* signals and the end */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
#    ifdef __x86_64__
    SYS_epoll_wait,
    SYS_poll,
    SYS_accept,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_unlink,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_time,
#    endif
};

enum { PROGRAM_MAX = 320 };

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short len;
};

static void emit(struct program *p, u16 code, u32 value, u8 if_true, u8 if_false)
{
    assert(p->len < PROGRAM_MAX);
    p->code[p->len++] = (struct sock_filter){code, if_true, if_false, value};
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (u32)offset, 0, 0);
}

static void emit_answer(struct program *p, u32 answer)
{
    emit(p, BPF_RET | BPF_K, answer, 0, 0);
}

#    define ARG_LOW(i)  (offsetof(struct seccomp_data, args) + 8 * (i))
#    define ARG_HIGH(i) (ARG_LOW(i) + 4) /* both architectures are little-endian */
#    define FAIL(code)  (SECCOMP_RET_ERRNO | (code))

static void emit_allowed(struct program *p)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
        emit_answer(p, SECCOMP_RET_ALLOW);
    }
}

/* Fails when the argument has any of the bits; the argument's number is left in place of the call's. */
static void emit_without_bits(struct program *p, u32 call, unsigned argument, u32 bits)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    emit_load(p, ARG_LOW(argument));
    emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    emit_answer(p, FAIL(EPERM));
    emit_answer(p, SECCOMP_RET_ALLOW);
}

/* Threads may be made, processes not. clone3 hides its flags, so the C library is told to use clone. */
static void emit_clone(struct program *p)
{
    const u32 thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 5);
    emit_load(p, ARG_LOW(0));
    emit(p, BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, thread, 0, 1);
    emit_answer(p, SECCOMP_RET_ALLOW);
    emit_answer(p, FAIL(EPERM));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    emit_answer(p, FAIL(ENOSYS));
}

/* libuv makes sockets non-blocking, the C library asks whether a stream is a terminal; nothing more. */
static void emit_ioctl(struct program *p)
{
    static const u32 requests[] = {FIONBIO, FIOCLEX, FIONREAD, TCGETS};
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 2 + 2 * ARRAY_LEN(requests));
    emit_load(p, ARG_LOW(1));
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, requests[i], 0, 1);
        emit_answer(p, SECCOMP_RET_ALLOW);
    }
    emit_answer(p, FAIL(ENOTTY));
}

/* Signals to this process (abort), and limits that are only read. */
static void emit_self_only(struct program *p)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4);
    emit_load(p, ARG_LOW(0));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (u32)getpid(), 0, 1);
    emit_answer(p, SECCOMP_RET_ALLOW);
    emit_answer(p, FAIL(EPERM));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 6);
    emit_load(p, ARG_LOW(2));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    emit_load(p, ARG_HIGH(2));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    emit_answer(p, SECCOMP_RET_ALLOW);
    emit_answer(p, FAIL(EPERM));
}

static void build(struct program *p)
{
    p->len = 0;
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH_HERE, 1, 0);
    emit_answer(p, SECCOMP_RET_KILL_PROCESS);
    emit_load(p, offsetof(struct seccomp_data, nr));
    emit_allowed(p);
    emit_without_bits(p, SYS_mmap, 2, PROT_EXEC);
    emit_without_bits(p, SYS_mprotect, 2, PROT_EXEC);
    emit_clone(p);
    emit_ioctl(p);
    emit_self_only(p);
    emit_answer(p, FAIL(EPERM));
}

static enum status enter_seccomp(struct sandbox_report *report, struct err *err)
{
    struct program program;
    build(&program);
    struct sock_fprog filter = {program.len, program.code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0) {
        report->has_seccomp = true;
        return STATUS_OK;
    }
    return errno == ENOSYS || errno == EINVAL ? STATUS_OK : refused("seccomp", err);
}

#else

static enum status enter_seccomp(struct sandbox_report *report, struct err *err)
{
    (void)report;
    (void)err;
    return STATUS_OK;
}

#endif

enum status sandbox_enter(const struct sandbox *sandbox, struct sandbox_report *report,
                          struct err *err)
{
    *report = (struct sandbox_report){0};
#ifdef SANDBOX_OFF
    (void)sandbox;
    (void)err;
    (void)enter_landlock;
    (void)enter_seccomp;
    return STATUS_OK;
#else
    /* Without it, only root may restrict itself. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return refused("no_new_privs", err);
    enum status status = enter_landlock(sandbox->folder, report, err);
    return status == STATUS_OK ? enter_seccomp(report, err) : status;
#endif
}
