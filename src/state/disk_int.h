/* Flat records in the store, for the backend and for verifying. */
#pragma once

#include "db/db.h"
#include "state/backend.h"

enum {
    ACCOUNT_RECORD_MAX = 20 + 1 + 9 + 33 + 64,
    SLOT_RECORD_MAX = 2 * 33,
    NODE_KEY_MAX = 32 + 32 + 1,
};

size_t account_record_write(u8 out[ACCOUNT_RECORD_MAX], const addr20 *addr,
                            const struct account *account);
bool account_record_read(addr20 *addr, struct account *account, struct db_bytes record);
size_t slot_record_write(u8 out[SLOT_RECORD_MAX], const u256 *key, const u256 *value);
bool slot_record_read(u256 *key, u256 *value, struct db_bytes record);

/* Owner (absent for the accounts'), the path's nibbles two a byte, and how many there are. */
size_t node_key_write(u8 out[NODE_KEY_MAX], const hash32 *owner, const u8 *path, size_t path_len);
