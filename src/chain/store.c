#include "chain/store.h"

#include "types/rlp_try.h"

/* --- keys ------------------------------------------------------------------------------------- */

struct block_key {
    u8 b[8 + 32];
};

static struct block_key block_key(u64 number, const hash32 *hash)
{
    struct block_key key;
    put_be64(key.b, number);
    memcpy(key.b + 8, hash->b, sizeof hash->b);
    return key;
}

/* --- blocks ----------------------------------------------------------------------------------- */

void store_put_block(struct db *db, const struct chain_block *block, const u8 *rlp, size_t len,
                     struct buf *scratch)
{
    u8 number[8];
    const hash32 *hash = &block->block.hash;
    struct block_key key = block_key(block->block.header.number, hash);
    buf_reset(scratch);
    record_encode(scratch, block, rlp, len);
    put_be64(number, block->block.header.number);
    db_begin(db);
    db_put(db, DB_BLOCKS, key.b, sizeof key.b, scratch->data, scratch->len);
    db_put(db, DB_NUMBERS, hash->b, sizeof hash->b, number, sizeof number);
}

void store_del_record(struct db *db, u64 number, const hash32 *hash, bool with_number)
{
    struct block_key key = block_key(number, hash);
    db_begin(db);
    db_del(db, DB_BLOCKS, key.b, sizeof key.b);
    if (with_number)
        db_del(db, DB_NUMBERS, hash->b, sizeof hash->b);
}

void store_del_block(struct db *db, const struct block *block)
{
    store_del_record(db, block->header.number, &block->hash, true);
}

bool store_get_record(struct db *db, struct db_bytes *record, u64 number, const hash32 *hash)
{
    struct block_key key = block_key(number, hash);
    return db_get(db, DB_BLOCKS, key.b, sizeof key.b, record);
}

bool store_get_block(struct db *db, struct chain_block *block, struct arena *arena, u64 number,
                     const hash32 *hash)
{
    struct db_bytes found;
    if (!store_get_record(db, &found, number, hash))
        return false;
    const u8 *bytes = arena_dup(arena, found.at, found.len);
    return record_decode(block, arena, hash, bytes, found.len);
}

bool store_get_number(struct db *db, u64 *number, const hash32 *hash)
{
    struct db_bytes found;
    if (!db_get(db, DB_NUMBERS, hash->b, sizeof hash->b, &found) || found.len != 8)
        return false;
    *number = get_be64(found.at);
    return true;
}

void store_each_block(struct db *db, u64 from, store_block_fn *fn, void *arg)
{
    u8 first[8];
    hash32 hash;
    struct db_cursor *cursor = db_cursor_new(db, DB_BLOCKS);
    put_be64(first, from);
    for (bool at = db_seek(cursor, first, sizeof first); at; at = db_next(cursor)) {
        struct db_bytes key = db_key(cursor);
        if (key.len != sizeof(struct block_key))
            continue;
        memcpy(hash.b, key.at + 8, sizeof hash.b);
        if (!fn(arg, get_be64(key.at), &hash))
            break;
    }
    db_cursor_free(cursor);
}

/* --- the canonical chain ---------------------------------------------------------------------- */

void store_put_canonical(struct db *db, const struct block *block)
{
    u8 number[8], place[12];
    put_be64(number, block->header.number);
    memcpy(place, number, sizeof number);
    db_begin(db);
    db_put(db, DB_CANONICAL, number, sizeof number, block->hash.b, sizeof block->hash.b);
    for (u32 i = 0; i < block->tx_count; i++) {
        for (int n = 0; n < 4; n++)
            place[8 + n] = (u8)(i >> (24 - 8 * n));
        db_put(db, DB_TRANSACTIONS, block->txs[i].hash.b, sizeof(hash32), place, sizeof place);
    }
}

void store_del_canonical(struct db *db, const struct block *block)
{
    u8 number[8];
    put_be64(number, block->header.number);
    db_begin(db);
    db_del(db, DB_CANONICAL, number, sizeof number);
    for (u32 i = 0; i < block->tx_count; i++)
        db_del(db, DB_TRANSACTIONS, block->txs[i].hash.b, sizeof(hash32));
}

void store_del_txs(struct db *db, const struct block *block)
{
    u64 number;
    u32 index;
    for (u32 i = 0; i < block->tx_count; i++) {
        const hash32 *hash = &block->txs[i].hash;
        if (!store_get_tx(db, &number, &index, hash) || number != block->header.number)
            continue;
        db_begin(db);
        db_del(db, DB_TRANSACTIONS, hash->b, sizeof hash->b);
    }
}

bool store_get_canonical(struct db *db, hash32 *hash, u64 number)
{
    u8 key[8];
    struct db_bytes found;
    put_be64(key, number);
    if (!db_get(db, DB_CANONICAL, key, sizeof key, &found) || found.len != sizeof hash->b)
        return false;
    memcpy(hash->b, found.at, sizeof hash->b);
    return true;
}

bool store_get_tx(struct db *db, u64 *number, u32 *index, const hash32 *hash)
{
    struct db_bytes found;
    if (!db_get(db, DB_TRANSACTIONS, hash->b, sizeof hash->b, &found) || found.len != 12)
        return false;
    *number = get_be64(found.at);
    *index =
        (u32)found.at[8] << 24 | (u32)found.at[9] << 16 | (u32)found.at[10] << 8 | found.at[11];
    return true;
}

bool store_get_oldest(struct db *db, u64 *number)
{
    static const u8 first[8];
    struct db_cursor *cursor = db_cursor_new(db, DB_CANONICAL);
    bool found = db_seek(cursor, first, sizeof first) && db_key(cursor).len == 8;
    if (found)
        *number = get_be64(db_key(cursor).at);
    db_cursor_free(cursor);
    return found;
}

/* --- marks ------------------------------------------------------------------------------------ */

static const char HEAD[] = "head", GENESIS[] = "genesis", CONFIG[] = "config";

static void put_hash(struct db *db, const char *mark, const hash32 *hash)
{
    db_begin(db);
    db_put(db, DB_META, mark, strlen(mark), hash->b, sizeof hash->b);
}

static bool get_hash(struct db *db, const char *mark, hash32 *hash)
{
    struct db_bytes found;
    if (!db_get(db, DB_META, mark, strlen(mark), &found) || found.len != sizeof hash->b)
        return false;
    memcpy(hash->b, found.at, sizeof hash->b);
    return true;
}

void store_put_head(struct db *db, const hash32 *hash)
{
    put_hash(db, HEAD, hash);
}

bool store_get_head(struct db *db, hash32 *hash)
{
    return get_hash(db, HEAD, hash);
}

/* rlp([chain id, [fork's number or time, ...], [has ttd, ttd], [dao block, dao support],
 * [number of each bomb delay, and the merge's for fork ids], [[time, target, max, fraction], ...],
 * deposit contract, proof of work]) */
static void config_encode(struct buf *out, const struct chain_config *config)
{
    size_t all = rlp_list_begin(out), part;
    rlp_put_uint(out, config->chain_id);
    part = rlp_list_begin(out);
    for (int i = 0; i < FORK_COUNT; i++)
        rlp_put_uint(out, config->fork_at[i]);
    rlp_list_end(out, part);
    part = rlp_list_begin(out);
    rlp_put_uint(out, config->has_ttd);
    rlp_put_u256(out, config->ttd);
    rlp_list_end(out, part);
    part = rlp_list_begin(out);
    rlp_put_uint(out, config->dao_block);
    rlp_put_uint(out, config->dao_support);
    rlp_list_end(out, part);
    part = rlp_list_begin(out);
    rlp_put_uint(out, config->muir_glacier);
    rlp_put_uint(out, config->arrow_glacier);
    rlp_put_uint(out, config->gray_glacier);
    rlp_put_uint(out, config->merge_netsplit);
    rlp_list_end(out, part);
    part = rlp_list_begin(out);
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++) {
        size_t row = rlp_list_begin(out);
        rlp_put_uint(out, config->blob_at[i]);
        rlp_put_uint(out, config->blob[i].target);
        rlp_put_uint(out, config->blob[i].max);
        rlp_put_uint(out, config->blob[i].update_fraction);
        rlp_list_end(out, row);
    }
    rlp_list_end(out, part);
    rlp_put_addr(out, &config->deposit_contract);
    rlp_put_uint(out, config->real_proof_of_work);
    rlp_list_end(out, all);
}

static enum rlp_verdict get_bool(struct rlp *rlp, bool *out)
{
    u64 value;
    RLP_TRY(rlp_uint(rlp, &value));
    *out = value != 0;
    return RLP_OK;
}

static enum rlp_verdict get_u32(struct rlp *rlp, u32 *out)
{
    u64 value;
    RLP_TRY(rlp_uint(rlp, &value));
    if (value > UINT32_MAX)
        return RLP_TOO_LARGE;
    *out = (u32)value;
    return RLP_OK;
}

/* Forks and upgrades that came after the store was written are not scheduled in it. */
static enum rlp_verdict decode_forks(struct rlp *fields, struct chain_config *config)
{
    struct rlp list;
    RLP_TRY(rlp_list(fields, &list));
    for (int i = 0; i < FORK_COUNT; i++) {
        config->fork_at[i] = CONFIG_NEVER;
        if (!rlp_at_end(&list))
            RLP_TRY(rlp_uint(&list, &config->fork_at[i]));
    }
    return rlp_finish(&list);
}

static enum rlp_verdict decode_blobs(struct rlp *fields, struct chain_config *config)
{
    struct rlp list, row;
    RLP_TRY(rlp_list(fields, &list));
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++) {
        config->blob_at[i] = CONFIG_NEVER;
        if (rlp_at_end(&list))
            continue;
        RLP_TRY(rlp_list(&list, &row));
        RLP_TRY(rlp_uint(&row, &config->blob_at[i]));
        RLP_TRY(get_u32(&row, &config->blob[i].target));
        RLP_TRY(get_u32(&row, &config->blob[i].max));
        RLP_TRY(rlp_uint(&row, &config->blob[i].update_fraction));
        RLP_TRY(rlp_finish(&row));
    }
    return rlp_finish(&list);
}

static enum rlp_verdict config_decode(struct chain_config *config, const u8 *bytes, size_t len)
{
    struct rlp all = rlp_open(bytes, len), fields, part;
    RLP_TRY(rlp_list(&all, &fields));
    RLP_TRY(rlp_uint(&fields, &config->chain_id));
    RLP_TRY(decode_forks(&fields, config));
    RLP_TRY(rlp_list(&fields, &part));
    RLP_TRY(get_bool(&part, &config->has_ttd));
    RLP_TRY(rlp_u256(&part, &config->ttd));
    RLP_TRY(rlp_list(&fields, &part));
    RLP_TRY(rlp_uint(&part, &config->dao_block));
    RLP_TRY(get_bool(&part, &config->dao_support));
    RLP_TRY(rlp_list(&fields, &part));
    RLP_TRY(rlp_uint(&part, &config->muir_glacier));
    RLP_TRY(rlp_uint(&part, &config->arrow_glacier));
    RLP_TRY(rlp_uint(&part, &config->gray_glacier));
    RLP_TRY(rlp_uint(&part, &config->merge_netsplit));
    RLP_TRY(rlp_finish(&part));
    RLP_TRY(decode_blobs(&fields, config));
    RLP_TRY(rlp_addr(&fields, &config->deposit_contract));
    RLP_TRY(get_bool(&fields, &config->real_proof_of_work));
    RLP_TRY(rlp_finish(&fields));
    return rlp_finish(&all);
}

void store_put_identity(struct db *db, const hash32 *genesis, const struct chain_config *config)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    struct db_bytes before;
    config_encode(&out, config);
    bool is_there = db_get(db, DB_META, CONFIG, strlen(CONFIG), &before) && before.len == out.len &&
                    memcmp(before.at, out.data, out.len) == 0;
    if (!is_there) {
        put_hash(db, GENESIS, genesis);
        db_put(db, DB_META, CONFIG, strlen(CONFIG), out.data, out.len);
    }
    buf_fini(&out);
}

enum status store_get_identity(struct db *db, hash32 *genesis, struct chain_config *config,
                               struct err *err)
{
    struct db_bytes found;
    struct chain_config made;
    hash32 hash;
    enum status status = db_status(db, err);
    if (status != STATUS_OK)
        return status;
    if (!get_hash(db, GENESIS, &hash))
        return err_set(err, STATUS_NOT_FOUND, "there is no chain in it yet");
    chain_config_init(&made, FORK_FRONTIER);
    if (!db_get(db, DB_META, CONFIG, strlen(CONFIG), &found) ||
        config_decode(&made, found.at, found.len) != RLP_OK)
        return err_set(err, STATUS_INVALID, "the chain's rules cannot be read");
    *genesis = hash;
    *config = made;
    return STATUS_OK;
}
