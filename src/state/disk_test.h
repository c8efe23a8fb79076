/* For tests: a store in a folder of its own, and what its table of nodes must be. */
#pragma once

#include "db/db.h"

struct disk_place {
    char folder[64];
};

struct disk_place disk_place_new(void);
struct db *disk_place_open(const struct disk_place *place); /* commits do not wait for the disk */
void disk_place_remove(const struct disk_place *place);

/* The branches stored are exactly those of the tries over the flat records. */
void disk_check_nodes(struct db *db);
