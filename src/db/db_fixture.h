/* For tests: a store in a folder of its own. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "db/db.h"
#include "sys/file.h"

struct db_place {
    char folder[64], file[96];
};

static inline struct db_place db_place_new(void)
{
    struct db_place place;
    bool shm = file_kind("/dev/shm") == FILE_KIND_FOLDER; /* a disk would only make it slower */
    snprintf(place.folder, sizeof place.folder, "%s/ashlar-db-XXXXXX", shm ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(place.folder) != NULL);
    snprintf(place.file, sizeof place.file, "%s/data.mdb", place.folder);
    return place;
}

static inline void db_place_remove(const struct db_place *place)
{
    static const char *const names[] = {"data.mdb", "lock"};
    char path[96];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", place->folder, names[i]);
        unlink(path);
    }
    rmdir(place->folder);
}

static inline struct db *db_place_open_with(const struct db_place *place, struct db_options options)
{
    struct db *db = NULL;
    struct err err = {""};
    enum status status = db_open(&db, place->folder, &options, &err);
    if (status)
        test_fail(__FILE__, __LINE__, "%s", err.text);
    return db;
}

/* Commits do not wait for the disk. */
static inline struct db *db_place_open(const struct db_place *place)
{
    return db_place_open_with(place, (struct db_options){.volatile_commits = true});
}
