#include "state/disk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "state/disk.h"
#include "state/disk_int.h"
#include "state/memory.h"
#include "state/state.h"
#include "state/tries.h"
#include "state/verify.h"
#include "sys/file.h"
#include "sys/workers.h"

/* --- the nodes there must be -------------------------------------------------------------------- */

struct nodes {
    struct db *db;
    u64 count;
};

static void compare_node(void *arg, const hash32 *owner, const u8 *path, size_t path_len,
                         const u8 *record, size_t len)
{
    struct nodes *nodes = arg;
    u8 key[NODE_KEY_MAX];
    struct db_bytes stored;
    CHECK(record != NULL);
    CHECK(db_get(nodes->db, DB_NODES, key, node_key_write(key, owner, path, path_len), &stored));
    CHECK_EQ(stored.len, len);
    CHECK_MEM(stored.at, record, len);
    nodes->count++;
}

static void fill_storage(struct db *db, struct trie *trie)
{
    struct db_cursor *cursor = db_cursor_new(db, DB_SLOTS);
    for (bool at = db_seek(cursor, trie->owner.b, 32);
         at && memcmp(db_key(cursor).at, trie->owner.b, 32) == 0; at = db_next(cursor)) {
        u256 key, value;
        u8 rlp[33];
        CHECK(slot_record_read(&key, &value, db_value(cursor)));
        size_t len = slot_encode(rlp, &value);
        trie_put(trie, db_key(cursor).at + 32, 32, rlp, len);
    }
    db_cursor_free(cursor);
}

void disk_check_nodes(struct db *db)
{
    struct nodes nodes = {db, 0};
    struct trie_pool *pool = trie_pool_new();
    struct trie accounts, storage, *one;
    struct db_cursor *cursor = db_cursor_new(db, DB_ACCOUNTS);
    trie_init(&accounts, pool);
    for (bool at = db_seek(cursor, "", 0); at; at = db_next(cursor)) {
        addr20 addr;
        struct account account;
        hash32 root;
        u8 rlp[ACCOUNT_RLP_MAX];
        CHECK(account_record_read(&addr, &account, db_value(cursor)));
        trie_init(&storage, pool);
        memcpy(storage.owner.b, db_key(cursor).at, 32);
        fill_storage(db, &storage);
        trie_root(&storage, &root);
        CHECK(hash32_eq(&root, &account.storage_root));
        trie_save(&storage, compare_node, &nodes);
        trie_put(&accounts, db_key(cursor).at, 32, rlp, account_encode(rlp, &account));
    }
    one = &accounts;
    trie_hash(&one, 1);
    trie_save(&accounts, compare_node, &nodes);
    CHECK_EQ(db_stat(db, DB_NODES).entries, nodes.count);
    db_cursor_free(cursor);
    trie_pool_free(pool);
}

/* --- large histories ---------------------------------------------------------------------------- */

struct twins {
    struct memory_state *memory;
    struct db *db;
    struct disk_state *disk;
    struct state *a, *b;     /* in memory, on disk */
    struct workers *workers; /* of the one on disk */
    u64 random;
};

static u64 next(struct twins *twins, u64 below)
{
    twins->random ^= twins->random << 13;
    twins->random ^= twins->random >> 7;
    twins->random ^= twins->random << 17;
    return (twins->random >> 11) % below;
}

static addr20 addr_of(u64 i)
{
    addr20 addr = {{0xa0}};
    memcpy(addr.b + 4, &i, sizeof i);
    return addr;
}

/* The same change to both. Contract 0 has thousands of slots. */
static void change(struct state *state, u64 kind, u64 at, u64 amount)
{
    const addr20 addr = addr_of(kind < 5 ? at : 3000 + at % 5);
    const u256 key = u256_from_u64(at), value = u256_from_u64(kind == 9 ? 0 : amount);
    switch (kind) {
    case 0: state_touch(state, &addr); break;
    case 1: state_set_nonce(state, &addr, 0); /* fallthrough */
    case 2:
    case 3: state_set_balance(state, &addr, &value); break;
    case 4: state_mark_destroyed(state, &addr); break;
    default:
        state_set_nonce(state, &addr, 1);
        state_storage_set(state, state_storage_slot(state, &addr, &key).handle, &value);
    }
}

static void random_block(struct twins *twins)
{
    u64 changes = next(twins, 4) ? next(twins, 30) : next(twins, 1500);
    state_begin_tx(twins->a);
    state_begin_tx(twins->b);
    for (u64 i = 0; i < changes; i++) {
        u64 kind = next(twins, 10), at = next(twins, 2000), amount = next(twins, 4) * i;
        change(twins->a, kind, at, amount);
        change(twins->b, kind, at, amount);
    }
    state_end_tx(twins->a, FORK_BERLIN);
    state_end_tx(twins->b, FORK_BERLIN);
}

static void check_same_root(struct twins *twins)
{
    hash32 a, b;
    state_root(twins->a, &a);
    state_root(twins->b, &b);
    CHECK_MEM(b.b, a.b, 32);
    CHECK_EQ(db_status(twins->db, NULL), STATUS_OK);
}

static void check_same_proof(struct twins *twins, struct arena *arena)
{
    const addr20 addr = addr_of(next(twins, 2) ? next(twins, 2000) : 3000 + next(twins, 5));
    const u256 keys[2] = {u256_from_u64(next(twins, 2000)), u256_from_u64(next(twins, 2000))};
    struct state_proof a, b;
    state_proof(twins->a, &a, &addr, keys, 2, arena);
    state_proof(twins->b, &b, &addr, keys, 2, arena);
    CHECK_EQ(a.exists, b.exists);
    CHECK_EQ(a.nodes.count, b.nodes.count);
    for (size_t i = 0; i < a.nodes.count; i++)
        CHECK_MEM(b.nodes.nodes[i], a.nodes.nodes[i], a.nodes.lens[i]);
    for (size_t s = 0; s < 2; s++) {
        CHECK(u256_eq(a.slots[s].value, b.slots[s].value));
        CHECK_EQ(a.slots[s].nodes.count, b.slots[s].nodes.count);
        for (size_t i = 0; i < a.slots[s].nodes.count; i++)
            CHECK_MEM(b.slots[s].nodes.nodes[i], a.slots[s].nodes.nodes[i],
                      a.slots[s].nodes.lens[i]);
    }
    arena_reset(arena);
}

enum { UNDO_MAX = 40 };

struct undo_stack {
    struct state_changes *a[UNDO_MAX], *b[UNDO_MAX];
    size_t count;
};

static void undo_drop(struct undo_stack *undo)
{
    undo->count--;
    state_changes_free(undo->a[undo->count]);
    state_changes_free(undo->b[undo->count]);
}

static void undo_clear(struct undo_stack *undo)
{
    while (undo->count)
        undo_drop(undo);
}

static void commit_both(struct twins *twins, struct undo_stack *undo)
{
    if (undo->count == UNDO_MAX)
        undo_clear(undo);
    CHECK_EQ(state_commit(twins->a, undo->a + undo->count, NULL), STATUS_OK);
    CHECK_EQ(state_commit(twins->b, undo->b + undo->count, NULL), STATUS_OK);
    CHECK_EQ(undo->a[undo->count]->slot_count, undo->b[undo->count]->slot_count);
    undo->count++;
}

static void unwind_both(struct twins *twins, struct undo_stack *undo)
{
    for (u64 n = next(twins, undo->count + 1); n > 0; n--) {
        CHECK_EQ(state_unwind(twins->a, undo->a[undo->count - 1], NULL), STATUS_OK);
        CHECK_EQ(state_unwind(twins->b, undo->b[undo->count - 1], NULL), STATUS_OK);
        undo_drop(undo);
    }
}

static void sync_twins(struct twins *twins)
{
    db_begin(twins->db);
    disk_state_save(twins->disk);
    CHECK_EQ(db_commit(twins->db, NULL), STATUS_OK);
    disk_check_nodes(twins->db);
}

static void no_fault(void *arg, const char *words)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "%s", words);
}

static void verify_twins(struct twins *twins)
{
    struct state_verified verified;
    hash32 root;
    state_root(twins->a, &root);
    state_verify(&verified, twins->db, &root, no_fault, NULL);
    CHECK_EQ(verified.faults, 0);
    CHECK_EQ(verified.nodes, db_stat(twins->db, DB_NODES).entries);
    CHECK_EQ(verified.slots, db_stat(twins->db, DB_SLOTS).entries);
}

static void twins_open(struct twins *twins, const struct db_place *place)
{
    twins->db = db_place_open(place);
    twins->disk = disk_state_new(twins->db, next(twins, 2) ? 1 : 300000, twins->random);
    struct state_backend disk = disk_state_backend(twins->disk);
    twins->b = state_new(&disk, twins->random);
    state_set_cache(twins->b, 100, 100);
    state_set_workers(twins->b, twins->workers);
}

static void twins_close(struct twins *twins)
{
    state_free(twins->b);
    disk_state_free(twins->disk);
    db_close(twins->db);
}

static void run_twins(u64 seed)
{
    struct twins twins = {.memory = memory_state_new(seed), .random = seed * 0x9e3779b97f4a7c15};
    struct state_backend memory = memory_state_backend(twins.memory);
    struct db_place place = db_place_new();
    struct undo_stack undo = {.count = 0};
    struct arena arena;
    arena_init(&arena);
    twins.a = state_new(&memory, seed);
    twins.workers = workers_new(NULL, 2);
    twins_open(&twins, &place);
    for (int block = 0; block < 150; block++) {
        random_block(&twins);
        if (next(&twins, 3) == 0)
            check_same_root(&twins);
        if (next(&twins, 6) == 0) {
            state_reset(twins.a);
            state_reset(twins.b);
        }
        commit_both(&twins, &undo);
        if (next(&twins, 10) == 0)
            unwind_both(&twins, &undo);
        check_same_root(&twins);
        check_same_proof(&twins, &arena);
        if (next(&twins, 5) == 0) {
            sync_twins(&twins);
            verify_twins(&twins);
        }
        if (!db_is_writing(twins.db) && next(&twins, 3) == 0) {
            twins_close(&twins);
            twins_open(&twins, &place);
        }
    }
    undo_clear(&undo);
    arena_fini(&arena);
    twins_close(&twins);
    workers_free(twins.workers);
    state_free(twins.a);
    memory_state_free(twins.memory);
    db_place_remove(&place);
}

TEST(disk_equals_memory)
{
    for (u64 seed = 1; seed <= 6; seed++)
        run_twins(seed);
}
