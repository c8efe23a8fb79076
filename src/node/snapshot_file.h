/*
 * Snapshot files: all that a data folder holds, as one file of records in order, for moving a node or keeping a copy.
 * Packed, and sealed link by link: a seal is the SHA-256 of the seal before and of what it stands behind, so that the
 * last one is a fingerprint of the whole file, and nothing is unpacked that has not been checked.
 *
 *   header   "ashlar snapshot\n" (16 bytes), version (4), the store's format (4), genesis hash (32), head's number (8),
 *            head's hash (32), seal (32) of these
 *   chunks   size packed (4), size unpacked (4), a zstd frame, seal (32)
 *   end      eight zero bytes, records (8), seal (32); nothing follows
 * A chunk unpacked is whole records: kind (1), size of the key (2), size of the value (4), key, value. Kinds are the
 * store's tables in their order (db/tables.h) and then SNAPSHOT_HEADERS and SNAPSHOT_SEGMENT, pieces of the files of
 * pruned and of whole blocks (chain/archive.h), whose key is the first block's number (8) and the place in the file (8).
 * Kinds and keys rise strictly. Numbers are big-endian. The bytes follow from the records alone (and from the version of
 * libzstd).
 */
#pragma once

#include "base/status.h"
#include "db/db.h"
#include "prim/hash32.h"

enum {
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_HEADERS = 254,
    SNAPSHOT_SEGMENT = 255,
    SNAPSHOT_KEY_MAX = 511,
    SNAPSHOT_VALUE_MAX = 256 << 20,
};

struct snapshot_info {
    hash32 genesis;
    u64 head; /* number */
    hash32 head_hash;
};

/* Keys are not empty. */
struct snapshot_record {
    u8 kind;
    struct db_bytes key, value;
};

/* --- writing: the file is there whole and durable, or not at all ------------------------------- */

struct snapshot_out;

MUST_READ enum status snapshot_create(struct snapshot_out **out, const char *path,
                                      const struct snapshot_info *info, struct err *err);
/* Copied. TOO_LARGE: longer than a record may be. */
MUST_READ enum status snapshot_add(struct snapshot_out *out, const struct snapshot_record *record,
                                   struct err *err);
/* Frees in any case. seal: the whole file's. */
MUST_READ enum status snapshot_finish(struct snapshot_out *out, hash32 *seal, struct err *err);
void snapshot_drop(struct snapshot_out *out); /* as if it had never been begun; NULL is fine */

/* --- reading, front to back -------------------------------------------------------------------- */

struct snapshot_in;

/* INVALID: it is no snapshot, or a damaged one. UNSUPPORTED: of a newer version. "-" is standard input. */
MUST_READ enum status snapshot_open(struct snapshot_in **in, const char *path, struct err *err);
const struct snapshot_info *snapshot_info(const struct snapshot_in *in);
/* The next record, borrowed until the next call. A record without a key: that was all, and the file's end was right. */
MUST_READ enum status snapshot_next(struct snapshot_in *in, struct snapshot_record *record,
                                    struct err *err);
/* How much of the file has been read, of how much; *whole is 0 when that is not known. */
void snapshot_progress(const struct snapshot_in *in, u64 *read, u64 *whole);
void snapshot_close(struct snapshot_in *in); /* NULL is fine */
