/*
 * The pool on disk: table pool, transaction hash -> kind (1 byte), block number (8 bytes, big-endian, 0 while
 * it waits), network form.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "txpool/txpool_int.h"

enum kind { KIND_WAITING, KIND_LOCAL, KIND_INCLUDED };

enum { HEAD_SIZE = 1 + 8, TRIM_EVERY = 32 };

static void record_put(struct db *db, const hash32 *hash, enum kind kind, u64 number,
                       const u8 *bytes, size_t len)
{
    u8 *record = mem_alloc(HEAD_SIZE + len);
    u64 be = __builtin_bswap64(number);
    record[0] = (u8)kind;
    memcpy(record + 1, &be, sizeof be);
    memcpy(record + HEAD_SIZE, bytes, len);
    db_begin(db);
    db_put(db, DB_POOL, hash->b, sizeof hash->b, record, HEAD_SIZE + len);
    mem_free(record);
}

struct record {
    enum kind kind;
    u64 number;
    const u8 *bytes;
    size_t len;
};

static bool record_get(struct db *db, const hash32 *hash, struct record *record)
{
    struct db_bytes value;
    u64 be;
    if (!db || !db_get(db, DB_POOL, hash->b, sizeof hash->b, &value) || value.len < HEAD_SIZE ||
        value.at[0] > KIND_INCLUDED)
        return false;
    memcpy(&be, value.at + 1, sizeof be);
    *record = (struct record){(enum kind)value.at[0], __builtin_bswap64(be), value.at + HEAD_SIZE,
                              value.len - HEAD_SIZE};
    return true;
}

static void record_del(struct db *db, const hash32 *hash)
{
    db_begin(db);
    db_del(db, DB_POOL, hash->b, sizeof hash->b);
}

void keep_put(struct txpool *pool, struct held *held, bool is_local, const u8 *bytes, size_t len)
{
    if (!pool->db || !(is_local || held->blob_bytes))
        return;
    held->is_stored = true;
    record_put(pool->db, &held->tx.hash, is_local ? KIND_LOCAL : KIND_WAITING, 0, bytes, len);
}

/* Of one that is there. */
static void change_kind(struct txpool *pool, const struct held *held, enum kind kind, u64 number)
{
    struct record record;
    if (!record_get(pool->db, &held->tx.hash, &record) || record.kind == kind)
        return;
    u8 *bytes = mem_dup(record.bytes, record.len);
    record_put(pool->db, &held->tx.hash, kind, number, bytes, record.len);
    mem_free(bytes);
}

void keep_claim(struct txpool *pool, struct held *held)
{
    struct buf wire;
    if (!pool->db)
        return;
    if (held->is_stored) {
        change_kind(pool, held, KIND_LOCAL, 0);
        return;
    }
    buf_init(&wire, SIZE_MAX / 2);
    tx_encode(&wire, &held->tx);
    keep_put(pool, held, true, wire.data, wire.len);
    buf_fini(&wire);
}

void keep_unclaim(struct txpool *pool, struct held *held)
{
    if (!pool->db || !held->is_stored)
        return;
    if (held->blob_bytes) {
        change_kind(pool, held, KIND_WAITING, 0);
        return;
    }
    record_del(pool->db, &held->tx.hash);
    held->is_stored = false;
}

void keep_del(struct txpool *pool, const struct held *held)
{
    if (pool->db && held->is_stored)
        record_del(pool->db, &held->tx.hash);
}

/* --- included, and perhaps coming back -------------------------------------------------------- */

void keep_limbo(struct txpool *pool, const struct held *held, u64 number)
{
    if (held->is_stored && held->blob_bytes)
        change_kind(pool, held, KIND_INCLUDED, number);
}

bool keep_limbo_get(struct txpool *pool, const hash32 *hash, const u8 **bytes, size_t *len)
{
    struct record record;
    if (!record_get(pool->db, hash, &record) || record.kind != KIND_INCLUDED)
        return false;
    *bytes = record.bytes;
    *len = record.len;
    return true;
}

/* The hashes of all records; the caller frees them. */
static hash32 *all_hashes(struct db *db, u32 *count)
{
    u32 cap = 64;
    hash32 *hashes = mem_alloc(cap * sizeof *hashes);
    struct db_cursor *cursor = db_cursor_new(db, DB_POOL);
    *count = 0;
    for (bool more = db_seek(cursor, "", 0); more; more = db_next(cursor)) {
        struct db_bytes key = db_key(cursor);
        if (key.len != sizeof *hashes)
            continue;
        if (*count == cap)
            hashes = mem_realloc(hashes, (cap *= 2) * sizeof *hashes);
        memcpy(hashes[(*count)++].b, key.at, key.len);
    }
    db_cursor_free(cursor);
    return hashes;
}

void keep_trim(struct txpool *pool, u64 number)
{
    u32 count;
    struct record record;
    if (!pool->db || number % TRIM_EVERY)
        return;
    hash32 *hashes = all_hashes(pool->db, &count);
    for (u32 i = 0; i < count; i++)
        if (record_get(pool->db, &hashes[i], &record) && record.kind == KIND_INCLUDED &&
            record.number + TXPOOL_LIMBO < number)
            record_del(pool->db, &hashes[i]);
    mem_free(hashes);
}

/* --- coming back after a restart -------------------------------------------------------------- */

static bool take_in(struct txpool *pool, const struct txpool_view *view, const hash32 *hash)
{
    struct record record;
    const struct tx *tx;
    struct err err;
    if (!record_get(pool->db, hash, &record))
        return false;
    if (record.kind == KIND_INCLUDED)
        return false;
    u8 *bytes = mem_dup(record.bytes, record.len);
    struct txpool_arrival arrival = {bytes, record.len, NULL, record.kind == KIND_LOCAL, true};
    enum status status = txpool_add(pool, view, &arrival, &tx, &err);
    mem_free(bytes);
    if (status != STATUS_OK && status != STATUS_EXISTS)
        record_del(pool->db, hash);
    return status == STATUS_OK;
}

u32 txpool_keep(struct txpool *pool, struct db *db, const struct txpool_view *view)
{
    u32 count, taken = 0;
    assert(!pool->usage.txs);
    pool->db = db;
    pool->base_fee = view->base_fee;
    hash32 *hashes = all_hashes(db, &count);
    for (u32 i = 0; i < count; i++)
        taken += take_in(pool, view, &hashes[i]);
    mem_free(hashes);
    return taken;
}

bool txpool_sidecar(const struct txpool *pool, const hash32 *hash, struct arena *arena,
                    struct tx_sidecar *sidecar)
{
    struct record record;
    struct tx tx;
    if (!record_get(pool->db, hash, &record))
        return false;
    const u8 *bytes = arena_dup(arena, record.bytes, record.len);
    return tx_decode_network(&tx, sidecar, arena, bytes, record.len) == TX_OK && sidecar->present;
}
