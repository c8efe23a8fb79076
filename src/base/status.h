/*
 * Failures: what goes wrong outside the program (disk, network, configuration, malformed files).
 * The enum says which kind, for code; struct err carries words for people.
 * Verdicts (an invalid block, a revert) are not failures: each domain has its own enum for them.
 */
#pragma once

#include "base/types.h"

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,     /* input is malformed or out of range */
    STATUS_NOT_FOUND,   /* the thing named does not exist */
    STATUS_EXISTS,      /* the thing exists already, or is in use */
    STATUS_TOO_LARGE,   /* a stated bound would be passed */
    STATUS_NO_MEMORY,   /* memory or a fixed capacity is exhausted */
    STATUS_IO,          /* the operating system refused */
    STATUS_UNSUPPORTED, /* well-formed, but this program does not do it */
    STATUS_STOPPED,     /* the program was told to end meanwhile */
};

/* Words for people: what failed, on which thing, what to do. Caller's memory; always terminated. */
struct err {
    char text[512];
};

/* Writes the words (if err is not NULL) and returns status, so that callers can return it on. */
enum status err_set(struct err *err, enum status status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the words already there. */
void err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *status_name(enum status status);
