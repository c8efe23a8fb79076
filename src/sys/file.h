/*
 * Files and folders. Paths are the caller's, bytes read are the heap's (mem_free). Failures say
 * which path and why.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

enum file_kind { FILE_KIND_ABSENT, FILE_KIND_REGULAR, FILE_KIND_FOLDER, FILE_KIND_OTHER };

/* OTHER also where this user may not look. */
enum file_kind file_kind(const char *path);

/* Bytes that this user may still write where the folder or file lies; UINT64_MAX if the system does not say. */
u64 file_room(const char *path);

/* The whole file, at most max bytes, with a NUL (not counted) after the last one. "-" is standard input. */
MUST_READ enum status file_read(u8 **bytes, size_t *len, const char *path, size_t max,
                                struct err *err);

/* What there is of the len bytes at an offset: *got of them. */
MUST_READ enum status file_read_at(void *bytes, size_t *got, const char *path, u64 offset,
                                   size_t len, struct err *err);

/* Replaces or makes the file. On failure it may be incomplete. */
MUST_READ enum status file_write(const char *path, const void *bytes, size_t len, struct err *err);

/* Gives the file another name in the same file system, in place of what has it, at once and durably. */
MUST_READ enum status file_rename(const char *from, const char *to, struct err *err);

/* Makes the folder and those above it that are missing, durably; one that is there is fine. */
MUST_READ enum status file_make_folder(const char *path, struct err *err);

/* Makes an empty folder for the while, under a name of its own where the system keeps such (TMPDIR). The path is the
 * heap's. */
MUST_READ enum status file_make_temporary(char **path, struct err *err);
/* False if it is not there, or cannot be read. */
bool file_is_empty_folder(const char *path);
/* Removes the folder and all that is in it; what cannot be removed stays. */
void file_remove_folder(const char *path);

/* Paths, owned by the list. */
struct file_list {
    char **paths;
    size_t count, cap;
};

void file_list_init(struct file_list *list);
void file_list_fini(struct file_list *list);

/*
 * Adds the file at path, or, of a folder, every regular file below it whose name ends in one of the
 * suffixes (a NULL-terminated list), each folder in natural order: numbers inside names count by
 * value, so 2.json comes before 10.json. Links to folders are not followed.
 */
MUST_READ enum status file_list_add(struct file_list *list, const char *path,
                                    const char *const *suffixes, struct err *err);

/* The order of names described above: negative, zero or positive. */
int file_name_compare(const char *a, const char *b);
