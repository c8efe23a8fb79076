/* Reading a genesis file: objects described by tables of keys, and what is found wrong on the way. */
#pragma once

#include "prim/json.h"
#include "types/genesis.h"

enum { GENESIS_DEPTH_MAX = 8, GENESIS_KEYS_MAX = 64 };

struct genesis_step {
    u32 index;       /* of the member in its object */
    const char *key; /* borrowed from the document */
};

struct genesis_reader {
    struct arena *arena; /* for what the genesis keeps */
    const char *text;
    size_t len;
    genesis_found *found;
    void *ctx;
    u32 mistakes_max, mistakes, warnings;
    struct genesis_step path[GENESIS_DEPTH_MAX];
    u32 depth;
};

/* On the value (or the name) that the path leads to. */
void genesis_mistake(struct genesis_reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void genesis_key_mistake(struct genesis_reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void genesis_warning(struct genesis_reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool genesis_is_over(const struct genesis_reader *r); /* enough has been found */

void genesis_push(struct genesis_reader *r, u32 index, const char *key);
void genesis_pop(struct genesis_reader *r);

/* False, after a mistake has been reported, when the value is of another kind. */
MUST_READ bool genesis_wants(struct genesis_reader *r, json value, enum json_kind kind);

/* --- objects with known keys ------------------------------------------------------------------ */

/* read puts the value at base + offset; NULL: the key is known and without effect. A table is ended by a row
 * without a name. */
struct genesis_key {
    const char *name;
    void (*read)(struct genesis_reader *r, void *place, json value);
    size_t offset;
};

/* Where each key of the table stands in the object; GENESIS_ABSENT for those that are not there. */
struct genesis_seen {
    u32 at[GENESIS_KEYS_MAX];
    bool is_named[GENESIS_KEYS_MAX]; /* with null, too */
};
#define GENESIS_ABSENT UINT32_MAX

void genesis_read_object(struct genesis_reader *r, const struct genesis_key *keys, void *base,
                         struct genesis_seen *seen, json object);
MUST_READ bool genesis_has(const struct genesis_seen *seen, const struct genesis_key *keys,
                           const char *name);

/* The path to a key that is there, for words about its value. */
void genesis_push_key(struct genesis_reader *r, const struct genesis_seen *seen,
                      const struct genesis_key *keys, const char *name);

/* --- values: readers for tables, place being what the name says -------------------------------- */

void genesis_read_u256(struct genesis_reader *r, void *place, json value);
void genesis_read_u64(struct genesis_reader *r, void *place, json value);
void genesis_read_bool(struct genesis_reader *r, void *place, json value);
void genesis_read_addr(struct genesis_reader *r, void *place, json value);
void genesis_read_hash(struct genesis_reader *r, void *place, json value);
void genesis_read_nonce(struct genesis_reader *r, void *place, json value); /* u8[8] */

struct genesis_bytes {
    const u8 *bytes;
    size_t len;
};
void genesis_read_bytes(struct genesis_reader *r, void *place, json value);

/* Exactly size bytes, "0x" or not; false after a mistake. */
MUST_READ bool genesis_read_fixed(struct genesis_reader *r, u8 *out, size_t size, const char *text,
                                  size_t len);

/* --- the parts --------------------------------------------------------------------------------- */

struct genesis_accounts {
    const struct genesis_account *list;
    u32 count;
};

void genesis_read_config(struct genesis_reader *r, void *config, json value);
void genesis_read_alloc(struct genesis_reader *r, void *accounts, json value);
