/* From inside the sandbox, in a child process: what is needed goes on, and what is forbidden fails. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "sys/sandbox.h"
#include "sys/thread.h"

#ifndef SANDBOX_OFF

struct inside {
    char folder[64], file[96];
    int listener, open_file; /* opened before */
    struct sandbox_report report;
};

static bool fails_with(int result, int code)
{
    return result < 0 && (errno == code || (code == EACCES && errno == EPERM));
}

static void run_nothing(void *arg)
{
    *(int *)arg = 1;
}

/* Each returns true when all is as it should be. */
static bool files_are_closed(const struct inside *in)
{
    (void)in;
    return fails_with(open("/etc/passwd", O_RDONLY), EACCES) &&
           fails_with(open("/tmp/ashlar-sandbox-new", O_CREAT | O_WRONLY, 0600), EACCES) &&
           fails_with(open("/proc/self/maps", O_RDONLY), EACCES);
}

static bool folder_is_open(const struct inside *in)
{
    int fd = open(in->file, O_CREAT | O_RDWR, 0600);
    return !in->report.landlock_abi ||
           (fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0 &&
            close(fd) == 0 && unlink(in->file) == 0);
}

static bool open_files_stay(const struct inside *in)
{
    char byte;
    return pread(in->open_file, &byte, 1, 0) == 1;
}

static bool programs_do_not_start(const struct inside *in)
{
    (void)in;
    char *const argv[] = {"true", NULL};
    return fails_with(execv("/bin/true", argv), EPERM) && fails_with(fork(), EPERM);
}

static bool sockets_are_not_made(const struct inside *in)
{
    (void)in;
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return fails_with(socket(AF_INET, SOCK_STREAM, 0), EPERM) &&
           fails_with(connect(in->listener, (struct sockaddr *)&addr, sizeof addr), EPERM) &&
           fails_with(bind(in->listener, (struct sockaddr *)&addr, sizeof addr), EPERM);
}

static bool memory_is_not_made_code(const struct inside *in)
{
    (void)in;
    void *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED && errno == EPERM && data != MAP_FAILED &&
           fails_with(mprotect(data, 4096, PROT_READ | PROT_EXEC), EPERM);
}

static bool limits_are_only_read(const struct inside *in)
{
    (void)in;
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           fails_with(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
}

static bool threads_start(const struct inside *in)
{
    (void)in;
    int has_run = 0;
    struct err err;
    struct thread *thread;
    if (thread_start(&thread, run_nothing, &has_run, 0, &err) != STATUS_OK)
        return false;
    thread_join(thread);
    return has_run && thread_cpu_count() >= 1;
}

static const struct {
    const char *name;
    bool (*holds)(const struct inside *in);
    bool needs_landlock;
} checks[] = {
    {"files are closed", files_are_closed, true},
    {"the folder is open", folder_is_open, false},
    {"open files stay", open_files_stay, false},
    {"programs do not start", programs_do_not_start, false},
    {"sockets are not made", sockets_are_not_made, false},
    {"memory is not made code", memory_is_not_made_code, false},
    {"limits are only read", limits_are_only_read, false},
    {"threads start", threads_start, false},
};

/* The child's exit code: 0, or one more than the number of the check that did not hold; 99: no sandbox at all. */
static int run_inside(struct inside *in)
{
    struct err err;
    struct sandbox sandbox = {.folder = in->folder};
    if (sandbox_enter(&sandbox, &in->report, &err) != STATUS_OK)
        return 98;
    if (!in->report.has_seccomp)
        return 99;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if ((in->report.landlock_abi || !checks[i].needs_landlock) && !checks[i].holds(in))
            return (int)i + 1;
    return 0;
}

TEST(sandbox_holds)
{
    struct inside in = {.folder = "/tmp/ashlar-sandbox-XXXXXX"};
    int status;
    CHECK(mkdtemp(in.folder));
    snprintf(in.file, sizeof in.file, "%s/file", in.folder);
    in.listener = socket(AF_INET, SOCK_STREAM, 0);
    in.open_file = open("/proc/self/statm", O_RDONLY);
    CHECK(in.listener >= 0 && in.open_file >= 0);
    pid_t child = fork();
    if (child == 0)
        _exit(run_inside(&in));
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    close(in.listener);
    close(in.open_file);
    rmdir(in.folder);
    CHECK(WIFEXITED(status));
    int code = WEXITSTATUS(status);
    if (code && code != 99)
        test_fail(__FILE__, __LINE__, "inside: %s",
                  code <= (int)ARRAY_LEN(checks) ? checks[code - 1].name : "not entered");
}

#endif
