#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

/* Folders nested deeper than this are taken for a mistake, such as a mount inside itself. */
enum { FOLDER_DEPTH_MAX = 64, READ_CHUNK = 64 * 1024 };

enum file_kind file_kind(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == EACCES ? FILE_KIND_OTHER : FILE_KIND_ABSENT;
    if (S_ISREG(info.st_mode))
        return FILE_KIND_REGULAR;
    return S_ISDIR(info.st_mode) ? FILE_KIND_FOLDER : FILE_KIND_OTHER;
}

u64 file_room(const char *path)
{
    struct statvfs info;
    return statvfs(path, &info) == 0 ? (u64)info.f_bavail * info.f_frsize : UINT64_MAX;
}

static enum status fail_errno(struct err *err, const char *what, const char *path)
{
    enum status status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    return err_set(err, status, "%s %s: %s", what, path, strerror(errno));
}

/* Reads until the end; the size that the system reports is only a hint, as pipes have none. */
static enum status read_all(int fd, u8 **bytes, size_t *len, const char *path, size_t max,
                            struct err *err)
{
    struct stat info;
    bool has_size = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    size_t cap = has_size && (u64)info.st_size < max ? (size_t)info.st_size + 2 : READ_CHUNK;
    u8 *data = mem_alloc(cap);
    size_t used = 0;
    for (;;) {
        if (used + 1 == cap)
            data = mem_realloc(data, cap *= 2);
        ssize_t n = read(fd, data + used, cap - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mem_free(data);
            return fail_errno(err, "cannot read", path);
        }
        used += (size_t)n;
        if (used > max) {
            mem_free(data);
            return err_set(err, STATUS_TOO_LARGE, "%s is larger than %zu bytes", path, max);
        }
        if (n == 0)
            break;
    }
    data[used] = 0;
    *bytes = data;
    *len = used;
    return STATUS_OK;
}

enum status file_read(u8 **bytes, size_t *len, const char *path, size_t max, struct err *err)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, bytes, len, "standard input", max, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "cannot open", path);
    enum status status = read_all(fd, bytes, len, path, max, err);
    close(fd);
    return status;
}

enum status file_read_at(void *bytes, size_t *got, const char *path, u64 offset, size_t len,
                         struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "cannot open", path);
    size_t used = 0;
    ssize_t n = 1;
    while (used < len && n != 0) {
        n = pread(fd, (u8 *)bytes + used, len - used, (off_t)(offset + used));
        if (n < 0 && errno != EINTR)
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    enum status status = n < 0 ? fail_errno(err, "cannot read", path) : STATUS_OK;
    close(fd);
    if (!status)
        *got = used;
    return status;
}

static bool write_all(int fd, const u8 *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

enum status file_write(const char *path, const void *bytes, size_t len, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail_errno(err, "cannot write", path);
    bool written = write_all(fd, bytes, len);
    int saved = errno;
    if (close(fd) == 0 && written)
        return STATUS_OK;
    if (!written)
        errno = saved;
    return fail_errno(err, "cannot write", path);
}

/* A new name is durable once its folder is. */
static int sync_folder(const char *path)
{
    char *copy = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failure = fd < 0 || fsync(fd) ? errno : 0;
    if (fd >= 0)
        close(fd);
    mem_free(copy);
    return failure;
}

enum status file_rename(const char *from, const char *to, struct err *err)
{
    int failure = rename(from, to) ? errno : sync_folder(to);
    if (!failure)
        return STATUS_OK;
    return err_set(err, STATUS_IO, "cannot rename %s to %s: %s", from, to, strerror(failure));
}

enum status file_make_folder(const char *path, struct err *err)
{
    enum status status = STATUS_OK;
    char *copy = mem_strdup(path);
    for (char *p = copy + 1; *copy; p++) {
        char c = *p;
        if (c != '/' && c != 0)
            continue;
        *p = 0;
        int failure = mkdir(copy, 0777) == 0 ? sync_folder(copy) : errno == EEXIST ? 0 : errno;
        if (failure) {
            errno = failure;
            status = fail_errno(err, "cannot make folder", copy);
            break;
        }
        *p = c;
        if (c == 0)
            break;
    }
    mem_free(copy);
    return status;
}

void file_list_init(struct file_list *list)
{
    *list = (struct file_list){0};
}

void file_list_fini(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->paths[i]);
    mem_free(list->paths);
    file_list_init(list);
}

static void list_push(struct file_list *list, char *path)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->paths = mem_realloc(list->paths, list->cap * sizeof *list->paths);
    }
    list->paths[list->count++] = path;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares the numbers that begin at both names and moves past them when they are equal. */
static int compare_numbers(const char **a, const char **b)
{
    const char *p = *a, *q = *b;
    while (*p == '0')
        p++;
    while (*q == '0')
        q++;
    size_t m = 0, n = 0;
    while (is_digit(p[m]))
        m++;
    while (is_digit(q[n]))
        n++;
    if (m != n)
        return m < n ? -1 : 1;
    int order = memcmp(p, q, m);
    *a = p + m;
    *b = q + n;
    return order;
}

int file_name_compare(const char *a, const char *b)
{
    const char *p = a, *q = b;
    while (*p && *q) {
        if (is_digit(*p) && is_digit(*q)) {
            int order = compare_numbers(&p, &q);
            if (order)
                return order;
            continue;
        }
        if (*p != *q)
            return (u8)*p < (u8)*q ? -1 : 1;
        p++;
        q++;
    }
    if (*p || *q)
        return *p ? 1 : -1;
    return strcmp(a, b);
}

static int compare_entries(const void *a, const void *b)
{
    return file_name_compare(*(char *const *)a, *(char *const *)b);
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    size_t len = strlen(name);
    for (; *suffixes; suffixes++) {
        size_t n = strlen(*suffixes);
        if (n <= len && strcmp(name + len - n, *suffixes) == 0)
            return true;
    }
    return false;
}

static char *join(const char *folder, const char *name)
{
    size_t m = strlen(folder), n = strlen(name);
    while (m > 1 && folder[m - 1] == '/')
        m--;
    char *path = mem_alloc(m + n + 2);
    memcpy(path, folder, m);
    path[m] = '/';
    memcpy(path + m + 1, name, n + 1);
    return path;
}

/* The names in one folder, sorted. */
static enum status read_names(struct file_list *names, const char *path, struct err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return fail_errno(err, "cannot read folder", path);
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            list_push(names, mem_strdup(entry->d_name));
    closedir(dir);
    if (names->count)
        qsort(names->paths, names->count, sizeof *names->paths, compare_entries);
    return STATUS_OK;
}

static enum status add_folder(struct file_list *list, const char *path, const char *const *suffixes,
                              unsigned depth, struct err *err);

static enum status add_entry(struct file_list *list, char *path, const char *const *suffixes,
                             unsigned depth, struct err *err)
{
    struct stat info;
    enum status status = STATUS_OK;
    if (lstat(path, &info) != 0)
        status = fail_errno(err, "cannot look at", path);
    else if (S_ISDIR(info.st_mode))
        status = add_folder(list, path, suffixes, depth + 1, err);
    else if (has_suffix(path, suffixes) && file_kind(path) == FILE_KIND_REGULAR)
        list_push(list, mem_strdup(path));
    return status;
}

static enum status add_folder(struct file_list *list, const char *path, const char *const *suffixes,
                              unsigned depth, struct err *err)
{
    if (depth > FOLDER_DEPTH_MAX)
        return err_set(err, STATUS_TOO_LARGE, "%s: folders are nested deeper than %d", path,
                       FOLDER_DEPTH_MAX);
    struct file_list names;
    file_list_init(&names);
    enum status status = read_names(&names, path, err);
    for (size_t i = 0; status == STATUS_OK && i < names.count; i++) {
        char *child = join(path, names.paths[i]);
        status = add_entry(list, child, suffixes, depth, err);
        mem_free(child);
    }
    file_list_fini(&names);
    return status;
}

enum status file_list_add(struct file_list *list, const char *path, const char *const *suffixes,
                          struct err *err)
{
    switch (file_kind(path)) {
    case FILE_KIND_ABSENT:
        return err_set(err, STATUS_NOT_FOUND, "there is no file or folder %s", path);
    case FILE_KIND_FOLDER: return add_folder(list, path, suffixes, 0, err);
    case FILE_KIND_REGULAR:
    case FILE_KIND_OTHER: list_push(list, mem_strdup(path)); return STATUS_OK;
    }
    return STATUS_OK;
}
