/*
 * Sealed files: written once, front to back, and there whole or not at all; then read at any place. A file is
 * written beside its place under a name that ends in .part, and takes its own name when all of it is on the disk.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct sealed_out;

/* IO, among others: something has that name which is no regular file; it stays as it is. */
MUST_READ enum status sealed_create(struct sealed_out **out, const char *path, struct err *err);
/* A failure is kept and told when the file is finished; what follows it is not written. */
void sealed_add(struct sealed_out *out, const void *bytes, size_t len);
u64 sealed_written(const struct sealed_out *out);
/* Durable, and under its own name, when this returns STATUS_OK. Frees in any case. */
MUST_READ enum status sealed_finish(struct sealed_out *out, struct err *err);
void sealed_drop(struct sealed_out *out); /* as if it had never been begun; NULL is fine */

struct sealed;

MUST_READ enum status sealed_open(struct sealed **file, const char *path, struct err *err);
u64 sealed_size(const struct sealed *file);
/* STATUS_INVALID: the file ends before. */
MUST_READ enum status sealed_read(const struct sealed *file, u64 offset, void *out, size_t len,
                                  struct err *err);
void sealed_close(struct sealed *file); /* NULL is fine */

/* Removes the file; one that is not there is fine. */
MUST_READ enum status sealed_remove(const char *path, struct err *err);
