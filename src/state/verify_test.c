#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "state/disk.h"
#include "state/disk_int.h"
#include "state/disk_test.h"
#include "state/state.h"
#include "state/verify.h"

struct store {
    struct db_place place;
    struct db *db;
    hash32 root;
};

static addr20 addr_of(u64 i)
{
    addr20 addr = {{0xa0}};
    memcpy(addr.b + 4, &i, sizeof i);
    return addr;
}

static hash32 hash_of(const addr20 *addr)
{
    hash32 hash;
    keccak256(&hash, addr->b, sizeof addr->b);
    return hash;
}

/* 300 accounts, 20 of them with code and up to 80 slots. */
static struct store store_new(void)
{
    struct store store = {.place = db_place_new()};
    const u8 code[] = {0x60, 0x01};
    store.db = db_place_open(&store.place);
    struct disk_state *disk = disk_state_new(store.db, 0, 1);
    struct state_backend backend = disk_state_backend(disk);
    struct state *state = state_new(&backend, 1);
    state_begin_tx(state);
    for (u64 i = 0; i < 300; i++) {
        const addr20 addr = addr_of(i);
        const u256 wei = u256_from_u64(i + 1);
        state_set_balance(state, &addr, &wei);
        for (u64 s = 0; i < 20 && s < 4 * i; s++) {
            const u256 key = u256_from_u64(s);
            state_set_code(state, &addr, code, sizeof code);
            state_storage_set(state, state_storage_slot(state, &addr, &key).handle, &wei);
        }
    }
    state_end_tx(state, FORK_PRAGUE);
    CHECK_EQ(state_commit(state, NULL, NULL), STATUS_OK);
    state_root(state, &store.root);
    disk_state_save(disk);
    CHECK_EQ(db_commit(store.db, NULL), STATUS_OK);
    state_free(state);
    disk_state_free(disk);
    return store;
}

static void store_remove(struct store *store)
{
    db_close(store->db);
    db_place_remove(&store->place);
}

struct told {
    const char *want;
    unsigned matches, all;
};

static void tell(void *arg, const char *words)
{
    struct told *told = arg;
    told->all++;
    told->matches += strstr(words, told->want) != NULL;
}

/* The open transaction's damage is named in these words, and then dropped. */
static void check_told(struct store *store, const char *want)
{
    struct state_verified verified;
    struct told told = {.want = want};
    state_verify(&verified, store->db, &store->root, tell, &told);
    CHECK(verified.faults >= 1 && verified.faults >= told.all);
    if (told.matches == 0)
        test_fail(__FILE__, __LINE__, "nobody said \"%s\"", want);
    db_abort(store->db);
}

TEST(a_sound_store_is_verified)
{
    struct store store = store_new();
    struct state_verified verified;
    struct told told = {.want = ""};
    state_verify(&verified, store.db, &store.root, tell, &told);
    CHECK_EQ(told.all, 0);
    CHECK_EQ(verified.accounts, 300);
    CHECK_EQ(verified.slots, 4 * 190);
    CHECK_EQ(verified.codes, 1);
    CHECK_EQ(verified.faults, 0);
    store_remove(&store);
}

static struct db_bytes first_of(struct db *db, enum db_table table, struct db_bytes *value,
                                u8 key[64])
{
    struct db_cursor *cursor = db_cursor_new(db, table);
    CHECK(db_seek(cursor, "", 0));
    size_t len = db_key(cursor).len;
    memcpy(key, db_key(cursor).at, len);
    *value = db_value(cursor);
    db_cursor_free(cursor);
    return (struct db_bytes){key, len};
}

TEST(what_is_wrong_is_named)
{
    struct store store = store_new();
    struct db *db = store.db;
    struct db_bytes key, value;
    u8 bytes[64], copy[700];
    hash32 hash = hash_of(&(addr20){{0}});
    static const enum db_table missing[] = {DB_SLOTS, DB_CODES, DB_NODES, DB_ACCOUNTS};
    static const char *const words[] = {"its slots have another root", "its code is missing",
                                        "this branch is missing", "the accounts' root is "};
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        db_begin(db);
        key = first_of(db, missing[i], &value, bytes);
        db_del(db, missing[i], key.at, key.len);
        check_told(&store, words[i]);
    }

    db_begin(db);
    key = first_of(db, DB_SLOTS, &value, bytes);
    db_del(db, DB_ACCOUNTS, key.at, 32);
    check_told(&store, "the account that it belongs to is missing");

    db_begin(db);
    key = first_of(db, DB_NODES, &value, bytes);
    memcpy(copy, value.at, value.len);
    copy[value.len - 1] ^= 1;
    db_put(db, DB_NODES, key.at, key.len, copy, value.len);
    check_told(&store, "this branch is not what accounts and slots say");

    db_begin(db);
    db_put(db, DB_NODES, hash.b, 32, copy, value.len);
    check_told(&store, "there are branches that belong to no trie");

    db_begin(db);
    db_put(db, DB_CODES, hash.b, 32, "xyz", 3);
    check_told(&store, "the code has another hash");

    db_begin(db);
    key = first_of(db, DB_ACCOUNTS, &value, bytes);
    memcpy(copy, value.at, value.len);
    copy[3] ^= 1;
    db_put(db, DB_ACCOUNTS, key.at, key.len, copy, value.len);
    check_told(&store, "its address has another hash");

    db_begin(db);
    db_put(db, DB_ACCOUNTS, key.at, key.len, copy, value.len - 1);
    check_told(&store, "the record makes no sense");

    hash32 root = store.root;
    store.root.b[7] ^= 1;
    check_told(&store, "the head's header says");
    store.root = root;
    store_remove(&store);
}
