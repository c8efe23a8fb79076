/* Folders for the while. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sys/file.h"

enum { DESCRIPTORS_MAX = 16 };

enum status file_make_temporary(char **path, struct err *err)
{
    char name[512];
    const char *where = getenv("TMPDIR");
    int len = snprintf(name, sizeof name, "%s/ashlar-XXXXXX", where && *where ? where : "/tmp");
    if (len < 0 || (size_t)len >= sizeof name)
        return err_set(err, STATUS_TOO_LARGE, "the path in TMPDIR is too long");
    if (!mkdtemp(name))
        return err_set(err, STATUS_IO, "cannot make a folder %s: %s", name, strerror(errno));
    *path = mem_strdup(name);
    return STATUS_OK;
}

bool file_is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    unsigned count = 0;
    while (count <= 2 && readdir(folder)) /* . and .. */
        count++;
    closedir(folder);
    return count == 2;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void file_remove_folder(const char *path)
{
    nftw(path, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS);
}
