/* A data folder as a snapshot file, and a snapshot file as a data folder. */
#pragma once

#include "base/status.h"
#include "node/snapshot_file.h"

struct snapshot_done {
    struct snapshot_info info;
    u64 records;
    u64 whole;   /* before this block there are headers only */
    hash32 seal; /* of a file that was written */
};

/* What wants to know how far it is; any may be NULL. */
struct snapshot_watcher {
    void (*progress)(void *ctx, u64 read, u64 whole); /* bytes of the file; whole may be 0 */
    void (*verified)(void *ctx, u64 number, u64 head);
    void *ctx;
};

/* Of a folder that no process has open. What is damaged in it ends the export, and there is no file then. */
MUST_READ enum status snapshot_export(struct snapshot_done *done, const char *folder,
                                      const char *path, struct err *err);

/*
 * Makes the folder, which must not be there. All is put together and verified, as db verify does, in FOLDER.part, which
 * then takes the name; on failure nothing is left of it. genesis, a file, may be NULL; otherwise the chain must begin
 * with it. states: see data_options.
 */
MUST_READ enum status snapshot_import(struct snapshot_done *done, const char *folder,
                                      const char *path, const char *genesis, u64 states,
                                      const struct snapshot_watcher *watcher, struct err *err);
