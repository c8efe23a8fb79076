#include "evmcli/prestate.h"

#include <stdio.h>
#include <string.h>

#include "prim/hex.h"
#include "prim/keccak.h"
#include "state/disk.h"
#include "state/memory.h"

/* Tests bring their own state; nobody outside can choose colliding keys to any gain. */
enum { TEST_SEED = 1 };

void prestate_init(struct prestate *prestate)
{
    *prestate = (struct prestate){.memory = memory_state_new(TEST_SEED)};
    struct state_backend backend = memory_state_backend(prestate->memory);
    prestate->state = state_new(&backend, TEST_SEED);
}

void prestate_init_stored(struct prestate *prestate, struct db *db)
{
    *prestate = (struct prestate){.disk = disk_state_new(db, 0, TEST_SEED)};
    struct state_backend backend = disk_state_backend(prestate->disk);
    prestate->state = state_new(&backend, TEST_SEED);
}

void prestate_fini(struct prestate *prestate)
{
    state_free(prestate->state);
    memory_state_free(prestate->memory);
    disk_state_free(prestate->disk);
}

static void fill_storage(struct reader *reader, struct state *state, const addr20 *addr,
                         json storage)
{
    struct json_iter iter = json_iter(storage);
    while (json_next(&iter)) {
        size_t len = 0;
        const char *text = json_text_len(iter.value, &len);
        if (!text) {
            reader_fail(reader, "storage: a value is not a string");
            return;
        }
        u256 key = text_word(reader, iter.key, iter.key_len, "storage key");
        u256 value = text_word(reader, text, len, "storage value");
        struct state_slot slot = state_storage_slot(state, addr, &key);
        state_storage_set(state, slot.handle, &value);
    }
}

static void fill_account(struct reader *reader, struct state *state, const char *name, json account)
{
    addr20 addr = text_addr(reader, name);
    const char *balance_key = reader_has(account, "wei") ? "wei" : "balance";
    u256 balance = reader_u256_or(reader, account, balance_key, u256_from_u64(0));
    state_touch(state, &addr);
    state_set_balance(state, &addr, &balance);
    state_set_nonce(state, &addr, reader_u64_or(reader, account, "nonce", 0));
    if (reader_has(account, "code")) {
        struct bytes code = reader_bytes(reader, account, "code");
        if (code.len)
            state_set_code(state, &addr, code.data, code.len);
    }
    fill_storage(reader, state, &addr, json_get(account, "storage"));
    if (reader->failed)
        err_prefix(&reader->err, "%s", name);
}

void prestate_fill(struct reader *reader, struct state *state, json accounts)
{
    struct json_iter iter = json_iter(accounts);
    struct err err;
    state_begin_tx(state);
    while (!reader->failed && json_next(&iter))
        fill_account(reader, state, iter.key, iter.value);
    state_end_tx(state, FORK_FRONTIER); /* the rules that leave empty accounts in place */
    if (state_commit(state, NULL, &err) != STATUS_OK)
        reader_fail(reader, "%s", err.text);
}

static bool differs_u256(struct err *why, const char *name, const char *field, u256 got, u256 want)
{
    if (u256_eq(got, want))
        return false;
    char a[67], b[67];
    hash32 got_hash = u256_to_hash(got), want_hash = u256_to_hash(want);
    hex_encode(a, got_hash.b, 32);
    hex_encode(b, want_hash.b, 32);
    err_set(why, STATUS_INVALID, "%s: %s is %s, not %s", name, field, a, b);
    return true;
}

static bool storage_differs(struct reader *reader, struct state *state, const char *name,
                            const addr20 *addr, json storage, struct err *why)
{
    struct json_iter iter = json_iter(storage);
    while (json_next(&iter)) {
        size_t len = 0;
        const char *text = json_text_len(iter.value, &len);
        u256 key = text_word(reader, iter.key, iter.key_len, "storage key");
        u256 want = text_word(reader, text ? text : "", len, "storage value");
        char field[100];
        snprintf(field, sizeof field, "slot %.80s", iter.key);
        if (differs_u256(why, name, field, state_storage_peek(state, addr, &key), want))
            return true;
    }
    return false;
}

static bool account_differs(struct reader *reader, struct state *state, const char *name,
                            json account, struct err *why)
{
    addr20 addr = text_addr(reader, name);
    if (!state_account_exists(state, &addr)) {
        err_set(why, STATUS_INVALID, "%s: there is no such account", name);
        return true;
    }
    struct bytes code = {NULL, 0};
    if (reader_has(account, "code"))
        code = reader_bytes(reader, account, "code");
    struct state_code have = state_code(state, &addr);
    if (differs_u256(why, name, "nonce", u256_from_u64(state_nonce(state, &addr)),
                     reader_u256_or(reader, account, "nonce", u256_from_u64(0))) ||
        differs_u256(why, name, "balance", state_balance(state, &addr),
                     reader_u256_or(reader, account, "balance", u256_from_u64(0))))
        return true;
    if (have.len != code.len || (code.len && memcmp(have.bytes, code.data, code.len) != 0)) {
        err_set(why, STATUS_INVALID, "%s: code has %zu bytes where other %zu bytes should be", name,
                have.len, code.len);
        return true;
    }
    return storage_differs(reader, state, name, &addr, json_get(account, "storage"), why);
}

bool prestate_differs(struct reader *reader, struct state *state, json accounts, struct err *why)
{
    struct json_iter iter = json_iter(accounts);
    while (json_next(&iter))
        if (account_differs(reader, state, iter.key, iter.value, why))
            return true;
    return false;
}
