#include "sys/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/types.h"

/* The path of `name` in this program's own folder; false when that cannot be told. */
static bool beside(char path[PATH_MAX], const char *name)
{
    char own[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    if (len <= 0)
        return false;
    own[len] = 0;
    char *slash = strrchr(own, '/');
    return slash && snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - own), own, name) < PATH_MAX;
}

enum status program_replace(const char *name, const char *first, int argc, char **argv,
                            struct err *err)
{
    char path[PATH_MAX];
    char **words = NEW_ARRAY(char *, argc + 2);
    int count = 0;
    words[count++] = (char *)name;
    if (first)
        words[count++] = (char *)first;
    for (int i = 1; i < argc; i++)
        words[count++] = argv[i];
    if (beside(path, name))
        execv(path, words);
    if (errno == ENOENT)
        execvp(name, words);
    int why = errno;
    mem_free(words);
    return err_set(err, why == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot run %s: %s", name,
                   strerror(why));
}
