/*
 * A layer of faults under a program's files, to be preloaded (LD_PRELOAD): everything that changes a file or folder
 * below FAULTS_FOLDER, or makes it last, is a numbered boundary, and so is the end of the program; at the one that is
 * asked for something happens.
 *
 *   FAULTS_FOLDER  an absolute path; without it the layer does nothing
 *   FAULTS_AT      the boundary's number, from 1; 0 or absent: none
 *   FAULTS_KIND    kill   the process ends right before the call, as by SIGKILL
 *                  tear   ... in the middle of it, if it writes: whole sectors of it are written
 *                  cut    ... right before it, and the power fails: see below
 *                  full   from there on, for FAULTS_FOR calls (0: for good) that need room, there is none; of a write
 *                         so much is written as there was room for
 *                  eio    the call fails with EIO, once
 *                  stop   the process stops right before the call, as by SIGSTOP
 *   FAULTS_SEED    decides what is left to chance
 *   FAULTS_LOG     a file that gets a line for each boundary: number, call, path, bytes
 *
 * When the power fails, what was not made to last is lost, in part or wholly: each sector that was written and whose
 * file was not synced since holds what it held at any moment since then; a file may be as short as it was; names that
 * were made, changed or taken away, and whose folder was not synced since, may be as they were. So old bytes are kept
 * from each write to the next sync, and are put back at the end. Nothing is believed to last but by fsync and
 * fdatasync of that very file or folder, and writes to a file opened with O_DSYNC or O_SYNC.
 *
 * The process is ended by exit_group with status 137, since a sandboxed one may not send signals: nothing of it runs
 * after that either way.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

enum { SECTOR = 512, BLOCK = 4096, FDS = 4096, FILES = 256, KILLED = 137 };

enum kind { KIND_NONE, KIND_KILL, KIND_TEAR, KIND_CUT, KIND_FULL, KIND_EIO, KIND_STOP };

/* A file or folder that is or was open. */
struct file {
    dev_t device;
    ino_t inode;
    int fd; /* the layer's own, to put old bytes back; -1: a folder */
    char path[PATH_MAX];
};

/* What stood where something was written. */
struct change {
    struct change *before;
    u64 order;
    int file;
    off_t at, size_before;
    size_t len, old_len; /* old_len: the rest lay beyond the end */
    u8 old[];
};

enum name_kind { NAME_MADE, NAME_FOLDER_MADE, NAME_CHANGED, NAME_REMOVED };

struct name_change {
    struct name_change *before;
    enum name_kind kind;
    int lost; /* the file that had the name before; -1: none */
    char path[PATH_MAX], from[PATH_MAX];
};

static struct {
    pthread_mutex_t mutex;
    bool is_on;
    char folder[PATH_MAX];
    size_t folder_len;
    enum kind kind;
    u64 at, lasts, seed, count, order;
    int log;
    struct file files[FILES];
    int file_count;
    short file_of[FDS]; /* plus one; 0: not below the folder */
    bool is_synced_fd[FDS];
    struct change *changes;    /* the newest first */
    struct name_change *names; /* the newest first */
} layer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .log = -1};

/* --- chance ------------------------------------------------------------------------------------- */

/* splitmix64, of the seed and what is asked about. */
static u64 chance(u64 what)
{
    u64 x = layer.seed + 0x9e3779b97f4a7c15 * (what + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

enum { ASK_HOW = 1, ASK_ORDER, ASK_NAMES, ASK_SIZE, ASK_TEAR, ASK_SECTORS = 1000 };

/* --- the power fails ---------------------------------------------------------------------------- */

/* All this happens under the layer's lock, so that the calls below, which take it, are not for use here: syscall is. */

enum loss { LOSS_ALL, LOSS_NONE, LOSS_LATER, LOSS_BLOCKS, LOSS_SECTORS, LOSS_KINDS };

/* Changes from this one on are lost at that place. */
static u64 lost_from(enum loss how, int file, off_t at)
{
    u64 unit = how == LOSS_BLOCKS ? (u64)at / BLOCK : (u64)at / SECTOR;
    switch (how) {
    case LOSS_ALL: return 0;
    case LOSS_NONE: return UINT64_MAX;
    case LOSS_LATER: return chance(ASK_ORDER) % (layer.order + 2);
    case LOSS_BLOCKS:
    case LOSS_SECTORS: break;
    case LOSS_KINDS: abort();
    }
    u64 picked = chance(ASK_SECTORS + unit * FILES + (u64)file);
    return picked % 3 == 0 ? 0 : picked % 3 == 1 ? UINT64_MAX : picked / 3 % (layer.order + 2);
}

static void change_undo(const struct change *change, enum loss how, off_t *ends)
{
    int fd = layer.files[change->file].fd;
    for (size_t done = 0, len; done < change->len; done += len) {
        off_t at = change->at + (off_t)done;
        len = SECTOR - (size_t)at % SECTOR;
        if (len > change->len - done)
            len = change->len - done;
        if (change->order < lost_from(how, change->file, at)) {
            if (ends[change->file] < at + (off_t)len)
                ends[change->file] = at + (off_t)len;
            continue;
        }
        u8 bytes[SECTOR] = {0};
        if (done < change->old_len)
            memcpy(bytes, change->old + done,
                   change->old_len - done < len ? change->old_len - done : len);
        struct stat info;
        if (fstat(fd, &info) || at >= info.st_size)
            continue; /* cut off since */
        if (syscall(SYS_pwrite64, fd, bytes, len, at) != (long)len)
            abort();
    }
}

static void changes_undo(enum loss how)
{
    off_t sizes[FILES], ends[FILES] = {0};
    for (int i = 0; i < layer.file_count; i++)
        sizes[i] = -1;
    for (struct change *change = layer.changes; change; change = change->before) {
        struct stat info;
        int fd = layer.files[change->file].fd;
        bool shortened = change->len == change->old_len && !fstat(fd, &info) &&
                         info.st_size < change->size_before;
        if (shortened && how != LOSS_NONE && syscall(SYS_ftruncate, fd, change->size_before))
            abort();
        sizes[change->file] = change->size_before;
        change_undo(change, how, ends);
    }
    for (int i = 0; i < layer.file_count; i++) {
        off_t size = sizes[i] > ends[i] ? sizes[i] : ends[i];
        bool shrinks =
            sizes[i] >= 0 && how != LOSS_NONE && (how == LOSS_ALL || chance(ASK_SIZE + (u64)i) % 2);
        struct stat info;
        if (shrinks && !fstat(layer.files[i].fd, &info) && info.st_size > size &&
            syscall(SYS_ftruncate, layer.files[i].fd, size))
            abort();
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)where;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, kind == FTW_DP ? AT_REMOVEDIR : 0);
}

/* A file whose name is gone is there again. */
static void file_restore(int file, const char *path)
{
    u8 bytes[BLOCK];
    off_t at = 0;
    ssize_t len;
    int fd =
        (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    while ((len = pread(layer.files[file].fd, bytes, sizeof bytes, at)) > 0) {
        if (syscall(SYS_pwrite64, fd, bytes, len, at) != len)
            abort();
        at += len;
    }
    syscall(SYS_close, fd);
}

static void name_undo(const struct name_change *change)
{
    switch (change->kind) {
    case NAME_MADE: syscall(SYS_unlinkat, AT_FDCWD, change->path, 0); break;
    case NAME_FOLDER_MADE: nftw(change->path, remove_one, 16, FTW_DEPTH | FTW_PHYS); break;
    case NAME_CHANGED:
        syscall(SYS_renameat2, AT_FDCWD, change->path, AT_FDCWD, change->from, 0);
        break;
    case NAME_REMOVED: break;
    }
    if (change->lost >= 0)
        file_restore(change->lost, change->path);
}

/* Names are kept or lost in their order. */
static void names_undo(enum loss how)
{
    u64 count = 0;
    for (struct name_change *change = layer.names; change; change = change->before)
        count++;
    u64 lost = how == LOSS_ALL ? count : how == LOSS_NONE ? 0 : chance(ASK_NAMES) % (count + 1);
    for (struct name_change *change = layer.names; change && lost; change = change->before, lost--)
        name_undo(change);
}

/* --- boundaries --------------------------------------------------------------------------------- */

static void log_boundary(const char *call, const char *path, size_t len)
{
    char line[PATH_MAX + 64];
    int size = snprintf(line, sizeof line, "%llu %s %s %zu\n", (unsigned long long)layer.count,
                        call, path + layer.folder_len, len);
    if (layer.log >= 0)
        (void)!syscall(SYS_write, layer.log, line, size);
}

static void end(void)
{
    for (;;)
        syscall(SYS_exit_group, KILLED);
}

enum need { NEED_NOTHING, NEED_ROOM };

/* What becomes of the call that is about to be made: 0, or an errno; does not come back if the process ends. */
static int boundary(const char *call, const char *path, size_t len, enum need need)
{
    layer.count++;
    log_boundary(call, path, len);
    if (!layer.at || layer.count < layer.at)
        return 0;
    bool is_it = layer.count == layer.at;
    enum loss how = (enum loss)(chance(ASK_HOW) % LOSS_KINDS);
    switch (layer.kind) {
    case KIND_NONE:
    case KIND_TEAR: break;
    case KIND_KILL:
        if (is_it)
            end();
        break;
    case KIND_CUT:
        if (!is_it)
            break;
        changes_undo(how);
        names_undo(how);
        end();
        break;
    case KIND_FULL:
        if (need == NEED_ROOM && (!layer.lasts || layer.lasts-- > 1))
            return ENOSPC;
        if (need == NEED_ROOM && !layer.lasts)
            layer.kind = KIND_NONE;
        break;
    case KIND_EIO: return is_it ? EIO : 0;
    case KIND_STOP:
        if (is_it)
            raise(SIGSTOP);
        break;
    }
    return 0;
}

/* --- files -------------------------------------------------------------------------------------- */

static void layer_lock(void)
{
    pthread_mutex_lock(&layer.mutex);
}

static long layer_unlock(long result, int failure)
{
    pthread_mutex_unlock(&layer.mutex);
    if (failure)
        errno = failure;
    return failure ? -1 : result;
}

static bool is_below(const char *path)
{
    return layer.is_on && strncmp(path, layer.folder, layer.folder_len) == 0 &&
           (path[layer.folder_len] == '/' || path[layer.folder_len] == 0);
}

static int file_find(const struct stat *info)
{
    int i = 0;
    while (i < layer.file_count &&
           (layer.files[i].device != info->st_dev || layer.files[i].inode != info->st_ino))
        i++;
    return i;
}

/* The layer's record of the file that has the name; -1: there is none. */
static int file_of_path(const char *path)
{
    struct stat info;
    if (lstat(path, &info))
        return -1;
    int i = file_find(&info);
    if (i == layer.file_count) {
        if (i == FILES)
            abort();
        struct file *file = &layer.files[layer.file_count++];
        *file = (struct file){.device = info.st_dev, .inode = info.st_ino, .fd = -1};
        if (S_ISREG(info.st_mode))
            file->fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    }
    snprintf(layer.files[i].path, sizeof layer.files[i].path, "%s", path);
    return i;
}

static int file_of_fd(int fd)
{
    return layer.is_on && fd >= 0 && fd < FDS ? layer.file_of[fd] - 1 : -1;
}

static void name_remember(enum name_kind kind, const char *path, const char *from, int lost)
{
    struct name_change *change = calloc(1, sizeof *change);
    change->kind = kind;
    change->lost = lost;
    snprintf(change->path, sizeof change->path, "%s", path);
    snprintf(change->from, sizeof change->from, "%s", from);
    change->before = layer.names;
    layer.names = change;
}

static void change_remember(int file, off_t at, size_t len)
{
    struct stat info;
    struct change *change = malloc(sizeof *change + len);
    *change = (struct change){layer.changes, ++layer.order, file, at, 0, len, 0};
    if (!fstat(layer.files[file].fd, &info))
        change->size_before = info.st_size;
    ssize_t got;
    while (change->old_len < len &&
           (got = pread(layer.files[file].fd, change->old + change->old_len, len - change->old_len,
                        at + (off_t)change->old_len)) > 0)
        change->old_len += (size_t)got;
    layer.changes = change;
}

static void changes_forget(int file)
{
    for (struct change **at = &layer.changes; *at;) {
        struct change *change = *at;
        if (change->file != file) {
            at = &change->before;
            continue;
        }
        *at = change->before;
        free(change);
    }
}

static bool is_parent(const char *folder, const char *path)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static void prefix_replace(char path[PATH_MAX], const char *from, const char *to)
{
    char old[PATH_MAX];
    size_t len = strlen(from);
    if (strncmp(path, from, len) != 0 || path[len] != '/')
        return;
    snprintf(old, sizeof old, "%s", path + len);
    if (snprintf(path, PATH_MAX, "%s%s", to, old) >= PATH_MAX)
        abort();
}

/* A name that will last: what was changed in that folder before has been changed there. */
static void name_settle(const struct name_change *change)
{
    if (change->kind != NAME_CHANGED)
        return;
    for (struct name_change *older = change->before; older; older = older->before) {
        prefix_replace(older->path, change->from, change->path);
        prefix_replace(older->from, change->from, change->path);
    }
}

static void names_forget(const char *folder)
{
    for (struct name_change **at = &layer.names; *at;) {
        struct name_change *change = *at;
        if (!is_parent(folder, change->path)) {
            at = &change->before;
            continue;
        }
        name_settle(change);
        *at = change->before;
        free(change);
    }
}

__attribute__((constructor)) static void layer_begin(void)
{
    static const char *const kinds[] = {"none", "kill", "tear", "cut", "full", "eio", "stop"};
    const char *folder = getenv("FAULTS_FOLDER"), *kind = getenv("FAULTS_KIND");
    const char *at = getenv("FAULTS_AT"), *lasts = getenv("FAULTS_FOR");
    const char *seed = getenv("FAULTS_SEED"), *log = getenv("FAULTS_LOG");
    if (!folder)
        return;
    layer.folder_len = (size_t)snprintf(layer.folder, sizeof layer.folder, "%s", folder);
    for (unsigned i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i], kind) == 0)
            layer.kind = (enum kind)i;
    layer.at = at ? strtoull(at, NULL, 10) : 0;
    layer.lasts = lasts ? strtoull(lasts, NULL, 10) : 0;
    layer.seed = seed ? strtoull(seed, NULL, 10) : 0;
    if (log)
        layer.log = (int)syscall(SYS_openat, AT_FDCWD, log,
                                 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    layer.is_on = true;
}

/* What the program has said stands; whether what it said lasts is another matter. */
__attribute__((destructor)) static void layer_end(void)
{
    if (!layer.is_on)
        return;
    fflush(NULL);
    layer_lock();
    boundary("end", layer.folder, 0, NEED_NOTHING);
    layer_unlock(0, 0);
}

/* --- the calls ---------------------------------------------------------------------------------- */

#define EXPORT __attribute__((visibility("default")))

static int open_file(const char *path, int flags, mode_t mode)
{
    if (!is_below(path))
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    layer_lock();
    struct stat info;
    bool is_there = lstat(path, &info) == 0;
    bool makes = !is_there && (flags & O_CREAT), cuts = is_there && (flags & O_TRUNC);
    int failure = 0;
    if (makes || cuts)
        failure = boundary("open", path, 0, makes ? NEED_ROOM : NEED_NOTHING);
    if (failure)
        return (int)layer_unlock(-1, failure);
    if (cuts)
        change_remember(file_of_path(path), 0, (size_t)info.st_size);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0)
        return (int)layer_unlock(-1, errno);
    if (makes)
        name_remember(NAME_MADE, path, "", -1);
    if (fd < FDS) {
        layer.file_of[fd] = (short)(file_of_path(path) + 1);
        layer.is_synced_fd[fd] = flags & O_DSYNC;
    }
    return (int)layer_unlock(fd, 0);
}

#define OPEN(name)                                                \
    EXPORT int name(const char *path, int flags, ...)             \
    {                                                             \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                             \
        return open_file(path, flags, mode);                      \
    }
OPEN(open)
OPEN(open64)

EXPORT int close(int fd)
{
    if (fd >= 0 && fd < FDS) {
        layer_lock();
        layer.file_of[fd] = 0;
        layer_unlock(0, 0);
    }
    return (int)syscall(SYS_close, fd);
}

/* All that is to be written, in one piece. */
static long write_bytes(int file, int fd, const u8 *bytes, size_t len, off_t at, bool moves)
{
    const char *path = layer.files[file].path;
    u64 tear = chance(ASK_TEAR) % (len / SECTOR + 1) * SECTOR;
    bool was_full = layer.kind == KIND_FULL && layer.count >= layer.at;
    int failure = boundary(moves ? "write" : "pwrite", path, len, NEED_ROOM);
    bool tears = layer.kind == KIND_TEAR && layer.count == layer.at;
    bool part = failure == ENOSPC && !was_full && tear > 0 && tear < len;
    if (failure && !part)
        return layer_unlock(-1, failure);
    if (tears || part)
        len = tear < len ? tear : len;
    change_remember(file, at, len);
    long done = syscall(SYS_pwrite64, fd, bytes, len, at);
    if (tears)
        end();
    if (layer.is_synced_fd[fd])
        changes_forget(file);
    if (done > 0 && moves)
        lseek(fd, at + done, SEEK_SET);
    return layer_unlock(done, done < 0 ? errno : 0);
}

static long write_at(int fd, const void *bytes, size_t len, off_t at)
{
    layer_lock();
    int file = file_of_fd(fd);
    if (file >= 0)
        return write_bytes(file, fd, bytes, len, at, false);
    layer_unlock(0, 0);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return write_at(fd, bytes, len, at);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return write_at(fd, bytes, len, at);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
    layer_lock();
    int file = file_of_fd(fd);
    if (file >= 0)
        return write_bytes(file, fd, bytes, len, lseek(fd, 0, SEEK_CUR), true);
    layer_unlock(0, 0);
    return syscall(SYS_write, fd, bytes, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    layer_lock();
    int file = file_of_fd(fd);
    if (file < 0) {
        layer_unlock(0, 0);
        return syscall(SYS_writev, fd, parts, count);
    }
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    u8 *bytes = malloc(len ? len : 1), *at = bytes;
    for (int i = 0; i < count; i++) {
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    ssize_t done = write_bytes(file, fd, bytes, len, lseek(fd, 0, SEEK_CUR), true);
    free(bytes);
    return done;
}

static int cut_file(int fd, off_t size)
{
    layer_lock();
    int file = file_of_fd(fd);
    int failure = file < 0 ? 0 : boundary("ftruncate", layer.files[file].path, 0, NEED_NOTHING);
    struct stat info;
    if (!failure && file >= 0 && !fstat(fd, &info) && size < info.st_size)
        change_remember(file, size, (size_t)(info.st_size - size));
    else if (!failure && file >= 0)
        change_remember(file, size, 0);
    long code = failure ? -1 : syscall(SYS_ftruncate, fd, size);
    return (int)layer_unlock(code, failure ? failure : code ? errno : 0);
}

EXPORT int ftruncate(int fd, off_t size)
{
    return cut_file(fd, size);
}

EXPORT int ftruncate64(int fd, off64_t size)
{
    return cut_file(fd, size);
}

static int sync_fd(const char *call, long number, int fd)
{
    layer_lock();
    int file = file_of_fd(fd);
    int failure = file < 0 ? 0 : boundary(call, layer.files[file].path, 0, NEED_NOTHING);
    long code = failure || file >= 0 ? 0 : syscall(number, fd);
    if (!failure && file >= 0 && layer.files[file].fd >= 0)
        changes_forget(file);
    else if (!failure && file >= 0)
        names_forget(layer.files[file].path);
    return (int)layer_unlock(code, failure ? failure : code ? errno : 0);
}

EXPORT int fsync(int fd)
{
    return sync_fd("fsync", SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    return sync_fd("fdatasync", SYS_fdatasync, fd);
}

/* While there is no room, none is free. */
static int tell_room(const char *path, struct statvfs *info, bool is_below_folder)
{
    struct statfs found;
    if (syscall(SYS_statfs, path, &found))
        return -1;
    bool is_full =
        is_below_folder && layer.kind == KIND_FULL && layer.at && layer.count >= layer.at;
    *info = (struct statvfs){
        .f_bsize = (unsigned long)found.f_bsize,
        .f_frsize = (unsigned long)found.f_bsize,
        .f_blocks = found.f_blocks,
        .f_bfree = is_full ? 0 : found.f_bfree,
        .f_bavail = is_full ? 0 : found.f_bavail,
    };
    return 0;
}

EXPORT int statvfs(const char *path, struct statvfs *info)
{
    return tell_room(path, info, is_below(path));
}

EXPORT int statvfs64(const char *path, struct statvfs64 *info)
{
    return tell_room(path, (struct statvfs *)info, is_below(path));
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    struct stat info;
    if (!is_below(path) || lstat(path, &info) == 0)
        return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    layer_lock();
    int failure = boundary("mkdir", path, 0, NEED_ROOM);
    long code = failure ? -1 : syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (!code)
        name_remember(NAME_FOLDER_MADE, path, "", -1);
    return (int)layer_unlock(code, failure ? failure : code ? errno : 0);
}

EXPORT int rename(const char *from, const char *to)
{
    if (!is_below(to))
        return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    layer_lock();
    int failure = boundary("rename", to, 0, NEED_NOTHING), lost = failure ? -1 : file_of_path(to);
    long code = failure ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!code)
        name_remember(NAME_CHANGED, to, from, lost);
    return (int)layer_unlock(code, failure ? failure : code ? errno : 0);
}

EXPORT int unlink(const char *path)
{
    struct stat info;
    if (!is_below(path) || lstat(path, &info))
        return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    layer_lock();
    int failure = boundary("unlink", path, 0, NEED_NOTHING),
        lost = failure ? -1 : file_of_path(path);
    long code = failure ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!code)
        name_remember(NAME_REMOVED, path, "", lost);
    return (int)layer_unlock(code, failure ? failure : code ? errno : 0);
}
