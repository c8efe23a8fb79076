/* For tests: what a store's table of nodes must be. */
#pragma once

#include "db/db_fixture.h"

/* The branches stored are exactly those of the tries over the flat records. */
void disk_check_nodes(struct db *db);
