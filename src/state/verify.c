#include "state/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "prim/keccak.h"
#include "state/disk_int.h"
#include "state/trie_stream.h"
#include "state/tries.h"

enum { FAULTS_TOLD = 100 };

struct verify {
    struct db *db;
    struct state_verified *verified;
    state_fault_fn *fault;
    void *arg;
    struct db_cursor *slots;
    bool at_slot;
};

static const char out_of_order[] = "the keys are out of order";

/* --- telling ---------------------------------------------------------------------------------- */

static void tell(struct verify *verify, enum db_table table, const void *key, size_t len,
                 const char *what)
{
    char words[400];
    int used = snprintf(words, sizeof words, "%s ", db_table_name(table));
    if (verify->verified->faults++ >= FAULTS_TOLD)
        return;
    for (size_t i = 0; i < len && used < 300; i++)
        used += snprintf(words + used, sizeof words - (size_t)used, "%02x", ((const u8 *)key)[i]);
    snprintf(words + used, sizeof words - (size_t)used, ": %s", what);
    verify->fault(verify->arg, words);
}

static void tell_root(struct verify *verify, const hash32 *got, const hash32 *want)
{
    char words[200];
    int used = snprintf(words, sizeof words, "the accounts' root is ");
    for (int i = 0; i < 32; i++)
        used += snprintf(words + used, sizeof words - (size_t)used, "%02x", got->b[i]);
    used += snprintf(words + used, sizeof words - (size_t)used, ", the head's header says ");
    for (int i = 0; i < 32; i++)
        used += snprintf(words + used, sizeof words - (size_t)used, "%02x", want->b[i]);
    verify->verified->faults++;
    verify->fault(verify->arg, words);
}

/* --- branches --------------------------------------------------------------------------------- */

static void check_branch(void *arg, const hash32 *owner, const u8 *path, size_t path_len,
                         const u8 *record, size_t len)
{
    struct verify *verify = arg;
    u8 key[NODE_KEY_MAX];
    struct db_bytes stored;
    if (!record)
        return;
    verify->verified->nodes++;
    size_t key_len = node_key_write(key, owner, path, path_len);
    if (!db_get(verify->db, DB_NODES, key, key_len, &stored))
        tell(verify, DB_NODES, key, key_len, "this branch is missing");
    else if (stored.len != len || memcmp(stored.at, record, len) != 0)
        tell(verify, DB_NODES, key, key_len, "this branch is not what accounts and slots say");
}

/* --- slots ------------------------------------------------------------------------------------ */

/* Takes the slots of all that comes before the owner, which belong to nobody. */
static void skip_orphans(struct verify *verify, const u8 *owner)
{
    while (verify->at_slot) {
        struct db_bytes key = db_key(verify->slots);
        if (key.len == 64 && owner && memcmp(key.at, owner, 32) >= 0)
            return;
        tell(verify, DB_SLOTS, key.at, key.len, "the account that it belongs to is missing");
        verify->verified->slots++;
        verify->at_slot = db_next(verify->slots);
    }
}

static void check_slot(struct verify *verify, struct trie_stream *stream)
{
    struct db_bytes at = db_key(verify->slots);
    u256 key, value;
    hash32 hash;
    u8 be[32], rlp[33];
    verify->verified->slots++;
    if (!slot_record_read(&key, &value, db_value(verify->slots))) {
        tell(verify, DB_SLOTS, at.at, at.len, "the record makes no sense");
        return;
    }
    u256_store_be(be, key);
    keccak256(&hash, be, sizeof be);
    if (memcmp(hash.b, at.at + 32, 32) != 0)
        tell(verify, DB_SLOTS, at.at, at.len, "the slot's key has another hash");
    size_t len = slot_encode(rlp, &value);
    if (!trie_stream_add(stream, at.at + 32, rlp, len))
        tell(verify, DB_SLOTS, at.at, at.len, out_of_order);
}

static bool is_of(const struct verify *verify, const hash32 *owner)
{
    return verify->at_slot && db_key(verify->slots).len == 64 &&
           memcmp(db_key(verify->slots).at, owner->b, 32) == 0;
}

static void check_storage(struct verify *verify, struct trie_stream *stream, const hash32 *owner,
                          const struct account *account)
{
    hash32 root;
    skip_orphans(verify, owner->b);
    trie_stream_begin(stream, owner);
    while (is_of(verify, owner)) {
        check_slot(verify, stream);
        verify->at_slot = db_next(verify->slots);
    }
    trie_stream_end(stream, &root);
    if (!hash32_eq(&root, &account->storage_root))
        tell(verify, DB_ACCOUNTS, owner->b, 32, "its slots have another root");
}

/* --- codes ------------------------------------------------------------------------------------ */

static void check_codes(struct verify *verify)
{
    struct db_cursor *cursor = db_cursor_new(verify->db, DB_CODES);
    for (bool at = db_seek(cursor, "", 0); at; at = db_next(cursor)) {
        struct db_bytes key = db_key(cursor), code = db_value(cursor);
        hash32 hash;
        keccak256(&hash, code.at, code.len);
        verify->verified->codes++;
        if (key.len != 32 || memcmp(hash.b, key.at, 32) != 0)
            tell(verify, DB_CODES, key.at, key.len, "the code has another hash");
    }
    db_cursor_free(cursor);
}

/* --- accounts --------------------------------------------------------------------------------- */

static void check_account(struct verify *verify, struct db_bytes at, struct db_bytes record,
                          struct trie_stream *accounts, struct trie_stream *storage)
{
    addr20 addr;
    struct account account;
    hash32 hash;
    struct db_bytes code;
    u8 rlp[ACCOUNT_RLP_MAX];
    verify->verified->accounts++;
    if (at.len != 32 || !account_record_read(&addr, &account, record)) {
        tell(verify, DB_ACCOUNTS, at.at, at.len, "the record makes no sense");
        return;
    }
    keccak256(&hash, addr.b, sizeof addr.b);
    if (memcmp(hash.b, at.at, 32) != 0)
        tell(verify, DB_ACCOUNTS, at.at, at.len, "its address has another hash");
    memcpy(hash.b, at.at, 32);
    check_storage(verify, storage, &hash, &account);
    if (!hash32_eq(&account.code_hash, &KECCAK256_EMPTY) &&
        !db_get(verify->db, DB_CODES, account.code_hash.b, 32, &code))
        tell(verify, DB_ACCOUNTS, at.at, at.len, "its code is missing");
    if (!trie_stream_add(accounts, at.at, rlp, account_encode(rlp, &account)))
        tell(verify, DB_ACCOUNTS, at.at, at.len, out_of_order);
}

static void check_accounts(struct verify *verify, hash32 *root)
{
    static const hash32 none;
    struct trie_stream *accounts = trie_stream_new(check_branch, verify);
    struct trie_stream *storage = trie_stream_new(check_branch, verify);
    struct db_cursor *cursor = db_cursor_new(verify->db, DB_ACCOUNTS);
    trie_stream_begin(accounts, &none);
    for (bool at = db_seek(cursor, "", 0); at; at = db_next(cursor))
        check_account(verify, db_key(cursor), db_value(cursor), accounts, storage);
    trie_stream_end(accounts, root);
    skip_orphans(verify, NULL);
    db_cursor_free(cursor);
    trie_stream_free(storage);
    trie_stream_free(accounts);
}

void state_verify(struct state_verified *verified, struct db *db, const hash32 *root,
                  state_fault_fn *fault, void *arg)
{
    hash32 got;
    struct err err;
    struct verify verify = {.db = db, .verified = verified, .fault = fault, .arg = arg};
    *verified = (struct state_verified){0};
    verify.slots = db_cursor_new(db, DB_SLOTS);
    verify.at_slot = db_seek(verify.slots, "", 0);
    check_accounts(&verify, &got);
    check_codes(&verify);
    db_cursor_free(verify.slots);
    u64 nodes = db_stat(db, DB_NODES).entries;
    if (db_status(db, &err)) {
        verified->faults++;
        fault(arg, err.text);
        return;
    }
    if (nodes > verified->nodes)
        tell(&verify, DB_NODES, NULL, 0, "there are branches that belong to no trie");
    if (!hash32_eq(&got, root))
        tell_root(&verify, &got, root);
}
