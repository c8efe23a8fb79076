/* A store for one test after another, in a temporary folder. */
#pragma once

#include "db/db.h"

/* All zeroes at first. */
struct test_store {
    char *folder;
    struct db *db;
};

/* Empties it; makes it at the first call. */
MUST_READ enum status test_store_empty(struct test_store *store, struct err *err);
/* Closes it, whatever was not committed, and opens it again from what is on disk. */
MUST_READ enum status test_store_reopen(struct test_store *store, struct err *err);
void test_store_fini(struct test_store *store);
