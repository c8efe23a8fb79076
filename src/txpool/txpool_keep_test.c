#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "crypto/secp256k1.h"
#include "crypto/sha256.h"
#include "state/memory.h"
#include "txpool/txpool.h"

/* A pool over a store, on the rules of Cancun, whose blobs have one proof each. */
struct stage {
    char folder[64];
    struct db *db;
    struct memory_state *memory;
    struct state *state;
    struct chain_config config;
    enum fork fork;
    struct txpool *pool;
    struct secp256k1_signer *signer;
    hash32 secret;
    addr20 sender;
    struct err err;
};

static struct txpool_view view_of(struct stage *stage)
{
    return (struct txpool_view){
        .config = &stage->config,
        .state = stage->state,
        .fork = stage->fork,
        .number = 100,
        .timestamp = 1,
        .gas_limit = 30000000,
        .base_fee = u256_from_u64(7),
    };
}

/* Opens the store and a new pool on it, as a restart would. */
static u32 pool_open(struct stage *stage)
{
    struct db_options fast = {.volatile_commits = true};
    CHECK_EQ(db_open(&stage->db, stage->folder, &fast, &stage->err), STATUS_OK);
    struct txpool_options options = txpool_options_default();
    stage->pool = txpool_new(&options);
    struct txpool_view view = view_of(stage);
    return txpool_keep(stage->pool, stage->db, &view);
}

static void pool_close(struct stage *stage)
{
    txpool_free(stage->pool);
    db_begin(stage->db);
    CHECK_EQ(db_commit(stage->db, &stage->err), STATUS_OK);
    db_close(stage->db);
}

static void stage_open(struct stage *stage, u8 account)
{
    static const u8 seed[32] = {1};
    *stage = (struct stage){.memory = memory_state_new(1), .secret = {{account}}};
    snprintf(stage->folder, sizeof stage->folder, "/tmp/ashlar-pool-XXXXXX");
    CHECK(mkdtemp(stage->folder) != NULL);
    struct state_backend backend = memory_state_backend(stage->memory);
    stage->state = state_new(&backend, 1);
    stage->signer = secp256k1_signer_new(seed);
    CHECK(secp256k1_addr(stage->signer, &stage->sender, &stage->secret));
    u256 wei = u256_from_u64(1000000000000000000);
    state_begin_tx(stage->state);
    state_set_balance(stage->state, &stage->sender, &wei);
    state_end_tx(stage->state, FORK_CANCUN);
    chain_config_init(&stage->config, FORK_CANCUN);
    stage->fork = FORK_CANCUN;
    CHECK_EQ(pool_open(stage), 0);
}

static void stage_close(struct stage *stage)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "lock"};
    char path[96];
    pool_close(stage);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", stage->folder, names[i]);
        unlink(path);
    }
    CHECK_EQ(rmdir(stage->folder), 0);
    secp256k1_signer_free(stage->signer);
    state_free(stage->state);
    memory_state_free(stage->memory);
}

/* The blob of zeroes has the point at infinity for its commitment and its proof (EIP-4844). */
static const u8 INFINITY_POINT[48] = {0xc0};

static struct tx make_tx(struct stage *stage, u64 nonce, const hash32 *blob_hash)
{
    struct tx tx = {
        .type = blob_hash ? TX_BLOB : TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = stage->config.chain_id,
        .nonce = nonce,
        .gas = 21000,
        .max_fee = u256_from_u64(100),
        .max_priority_fee = u256_from_u64(3),
        .max_blob_fee = u256_from_u64(100),
        .blob_hashes = blob_hash,
        .blob_count = blob_hash != NULL,
    };
    CHECK(tx_sign(&tx, stage->signer, &stage->secret));
    return tx;
}

static enum status add_wire(struct stage *stage, const struct buf *wire, bool is_local)
{
    const struct tx *out;
    struct txpool_view view = view_of(stage);
    struct txpool_arrival arrival = {wire->data, wire->len, NULL, is_local, false};
    return txpool_add(stage->pool, &view, &arrival, &out, &stage->err);
}

static void add_plain(struct stage *stage, u64 nonce, bool is_local)
{
    struct buf wire;
    buf_init(&wire, 1000);
    struct tx tx = make_tx(stage, nonce, NULL);
    tx_encode(&wire, &tx);
    CHECK_EQ(add_wire(stage, &wire, is_local), STATUS_OK);
    buf_fini(&wire);
}

/* 0x03 ++ rlp([tx, blobs, commitments, proofs]) */
static hash32 add_blob(struct stage *stage, u64 nonce, bool is_local)
{
    hash32 blob_hash;
    u8 *blob = mem_zalloc(TX_BLOB_SIZE);
    struct buf inner, wire;
    sha256(&blob_hash, INFINITY_POINT, sizeof INFINITY_POINT);
    blob_hash.b[0] = 1;
    struct tx tx = make_tx(stage, nonce, &blob_hash);
    buf_init(&inner, 1 << 20);
    buf_init(&wire, 1 << 20);
    tx_encode(&inner, &tx);
    buf_add_byte(&wire, TX_BLOB);
    size_t list = rlp_list_begin(&wire);
    buf_add(&wire, inner.data + 1, inner.len - 1);
    const struct {
        const u8 *at;
        size_t len;
    } parts[] = {{blob, TX_BLOB_SIZE}, {INFINITY_POINT, 48}, {INFINITY_POINT, 48}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t mark = rlp_list_begin(&wire);
        rlp_put_bytes(&wire, parts[i].at, parts[i].len);
        rlp_list_end(&wire, mark);
    }
    rlp_list_end(&wire, list);
    enum status status = add_wire(stage, &wire, is_local);
    if (status != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", stage->err.text);
    buf_fini(&inner);
    buf_fini(&wire);
    mem_free(blob);
    return tx.hash;
}

TEST(txpool_keeps_what_is_local_over_a_restart)
{
    struct stage stage;
    stage_open(&stage, 1);
    add_plain(&stage, 0, true);
    add_plain(&stage, 2, false);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 1);
    /* With what a local one stands on, whatever came first. */
    add_plain(&stage, 1, false);
    add_plain(&stage, 3, false);
    add_plain(&stage, 2, true);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 3);
    pool_close(&stage);
    /* What was included meanwhile does not come back, then or later. */
    state_begin_tx(stage.state);
    state_set_nonce(stage.state, &stage.sender, 1);
    state_end_tx(stage.state, FORK_CANCUN);
    CHECK_EQ(pool_open(&stage), 2);
    CHECK_EQ(txpool_count(stage.pool), 2);
    stage_close(&stage);
}

/* What ceases to be local, as others are worth more, is not kept. */
TEST(txpool_keeps_no_more_than_may_be_local)
{
    struct stage stage;
    stage_open(&stage, 3);
    txpool_free(stage.pool);
    struct txpool_options options = txpool_options_default();
    options.txs_max = 8;
    stage.pool = txpool_new(&options);
    struct txpool_view view = view_of(&stage);
    CHECK_EQ(txpool_keep(stage.pool, stage.db, &view), 0);
    for (u64 nonce = 1; nonce < 6; nonce++)
        add_plain(&stage, nonce, true);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 2);
    add_plain(&stage, 0, true); /* before the local ones: one of them gives way */
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 2);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 2);
    CHECK_EQ(txpool_next_nonce(stage.pool, &stage.sender, 0), 2);
    stage_close(&stage);
}

TEST(txpool_has_blobs_on_disk_and_back_after_a_reorganisation)
{
    struct stage stage;
    struct arena arena;
    struct tx_sidecar sidecar;
    stage_open(&stage, 2);
    arena_init(&arena);
    hash32 hash = add_blob(&stage, 0, false);
    CHECK(txpool_usage(stage.pool).blob_bytes > TX_BLOB_SIZE);
    CHECK(txpool_usage(stage.pool).bytes < 4096);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 1);
    CHECK(txpool_sidecar(stage.pool, &hash, &arena, &sidecar));
    CHECK_EQ(sidecar.count, 1);
    /* It is included, and then it is not. */
    struct tx included;
    tx_copy(&included, txpool_get(stage.pool, &hash), &arena);
    struct txpool_view view = view_of(&stage);
    state_set_nonce(stage.state, &stage.sender, 1);
    txpool_update(stage.pool, &view);
    CHECK_EQ(txpool_count(stage.pool), 0);
    state_set_nonce(stage.state, &stage.sender, 0);
    txpool_update(stage.pool, &view);
    struct block block = {.txs = &included, .tx_count = 1};
    CHECK_EQ(txpool_return(stage.pool, &view, &block), 1);
    CHECK(txpool_sidecar(stage.pool, &hash, &arena, &sidecar));
    /* Much later it is final, and its blobs are gone. */
    state_set_nonce(stage.state, &stage.sender, 1);
    txpool_update(stage.pool, &view);
    view.number = 256;
    txpool_update(stage.pool, &view);
    CHECK(!txpool_sidecar(stage.pool, &hash, &arena, &sidecar));
    arena_fini(&arena);
    stage_close(&stage);
}

/* EIP-7594: a block of Osaka comes with proofs of cells, which the sender did not give. */
TEST(txpool_forgets_blobs_whose_proofs_a_new_fork_refuses)
{
    struct stage stage;
    struct arena arena;
    struct tx_sidecar sidecar;
    stage_open(&stage, 4);
    arena_init(&arena);
    hash32 hash = add_blob(&stage, 0, false);
    struct txpool_view view = view_of(&stage);
    txpool_update(stage.pool, &view);
    CHECK_EQ(txpool_count(stage.pool), 1);
    stage.fork = FORK_OSAKA;
    view = view_of(&stage);
    txpool_update(stage.pool, &view);
    CHECK_EQ(txpool_count(stage.pool), 0);
    CHECK(!txpool_sidecar(stage.pool, &hash, &arena, &sidecar));
    arena_fini(&arena);
    stage_close(&stage);
}

/* They were when they came, and the store has checksums: only the version of the proofs may be another one now. */
TEST(txpool_checks_no_proofs_again_of_what_it_stored)
{
    struct stage stage;
    struct db_bytes stored;
    stage_open(&stage, 6);
    hash32 hash = add_blob(&stage, 0, false);
    CHECK(db_get(stage.db, DB_POOL, hash.b, sizeof hash.b, &stored));
    u8 *record = mem_dup(stored.at, stored.len);
    record[stored.len - 1] ^= 1; /* of the proof: a check would see it */
    db_begin(stage.db);
    db_put(stage.db, DB_POOL, hash.b, sizeof hash.b, record, stored.len);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 1);
    pool_close(&stage);
    stage.fork = FORK_OSAKA;
    CHECK_EQ(pool_open(&stage), 0);
    mem_free(record);
    stage_close(&stage);
}

/* One that pays nothing above the base fee, of a sender of its own. */
static enum status add_junk(struct stage *stage, u8 from)
{
    addr20 sender = {{0x77, from}};
    u256 wei = u256_from_u64(1000000);
    state_set_balance(stage->state, &sender, &wei);
    struct buf wire;
    struct tx tx = make_tx(stage, 0, NULL);
    tx.max_fee = u256_from_u64(7);
    tx.value = u256_from_u64(from);
    tx.max_priority_fee = U256_ZERO;
    buf_init(&wire, 1000);
    tx_encode(&wire, &tx);
    const struct tx *out;
    struct txpool_view view = view_of(stage);
    struct txpool_arrival arrival = {wire.data, wire.len, &sender, false, false};
    enum status status = txpool_add(stage->pool, &view, &arrival, &out, &stage->err);
    buf_fini(&wire);
    return status;
}

/* Memory is one bound for all: what has no blobs makes room there for what has, if that is worth more. */
TEST(txpool_full_of_others_has_room_for_blobs)
{
    struct stage stage;
    u32 junk = 0;
    stage_open(&stage, 5);
    txpool_free(stage.pool);
    struct txpool_options options = txpool_options_default();
    options.bytes_max = 16384;
    stage.pool = txpool_new(&options);
    struct txpool_view view = view_of(&stage);
    CHECK_EQ(txpool_keep(stage.pool, stage.db, &view), 0);
    while (add_junk(&stage, (u8)junk) == STATUS_OK)
        junk++;
    CHECK(junk > 4 && junk < 100);
    hash32 hash = add_blob(&stage, 0, false);
    CHECK(txpool_get(stage.pool, &hash) != NULL);
    CHECK_EQ(txpool_usage(stage.pool).blob_txs, 1);
    CHECK(txpool_usage(stage.pool).bytes <= options.bytes_max);
    CHECK(txpool_count(stage.pool) >= junk - 1);
    CHECK(add_junk(&stage, 200) != STATUS_OK);
    CHECK(txpool_get(stage.pool, &hash) != NULL);
    stage_close(&stage);
}

/* Blobs are on disk whether their transaction is local or not. */
TEST(txpool_blobs_that_cease_to_be_local_stay)
{
    struct stage stage;
    stage_open(&stage, 4);
    txpool_free(stage.pool);
    struct txpool_options options = txpool_options_default();
    options.blob_txs_max = 8;
    stage.pool = txpool_new(&options);
    struct txpool_view view = view_of(&stage);
    CHECK_EQ(txpool_keep(stage.pool, stage.db, &view), 0);
    add_blob(&stage, 2, false);
    add_blob(&stage, 3, true);
    CHECK_EQ(txpool_local_usage(stage.pool).blob_txs, 2);
    add_blob(&stage, 1, false);
    CHECK_EQ(txpool_local_usage(stage.pool).blob_txs, 2);
    CHECK_EQ(txpool_count(stage.pool), 3);
    pool_close(&stage);
    CHECK_EQ(pool_open(&stage), 3);
    CHECK_EQ(txpool_local_usage(stage.pool).blob_txs, 2);
    stage_close(&stage);
}
