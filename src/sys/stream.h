/*
 * Files that are too large to be read whole: read front to back, and written likewise. What was packed by gzip is
 * unpacked on the way, as it comes; a file written under a name that ends in .gz is packed. "-" is standard input or output.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct stream;

MUST_READ enum status stream_open(struct stream **stream, const char *path, struct err *err);
/* Replaces or makes the file. */
MUST_READ enum status stream_create(struct stream **stream, const char *path, struct err *err);

/* What there is, up to len bytes; *got is 0 at the end only. STATUS_STOPPED: the process was told to end while there was
 * nothing to read (sys/ending.h), or the stream was interrupted. */
MUST_READ enum status stream_read(struct stream *stream, void *out, size_t len, size_t *got,
                                  struct err *err);
/* From any thread: who reads, now or later, waits no more for what has not come. */
void stream_interrupt(struct stream *stream);
MUST_READ enum status stream_write(struct stream *stream, const void *bytes, size_t len,
                                   struct err *err);

/* How much of the file (as it lies on the disk) has been read, of how much; *whole is 0 when that is not known. */
void stream_progress(const struct stream *stream, u64 *read, u64 *whole);

/* What was written may fail as late as this. Frees in any case; NULL is fine. */
MUST_READ enum status stream_close(struct stream *stream, struct err *err);
