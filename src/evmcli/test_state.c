/*
 * In a store: what a case led to is committed, verified as `ashlar-node db verify` does it, and found
 * again by a state that knows the store alone; then the store is led back to what was before, by the change set as it
 * would lie on disk.
 */
#include "evmcli/test_state.h"

#include <string.h>

#include "prim/hex.h"
#include "state/disk.h"
#include "state/verify.h"

static enum status save(struct test_state *test, struct err *err)
{
    disk_state_save(test->prestate.disk);
    enum status status = db_commit(test->store.db, err);
    state_reset(test->prestate.state);
    return status;
}

static enum status check_root(struct test_state *test, const hash32 *want, struct err *err)
{
    char a[67], b[67];
    hash32 got;
    state_root(test->prestate.state, &got);
    enum status status = db_status(test->store.db, err);
    if (status != STATUS_OK || hash32_eq(&got, want))
        return status;
    hex_encode(a, got.b, sizeof got.b);
    hex_encode(b, want->b, sizeof want->b);
    return err_set(err, STATUS_INVALID, "the state root there is %s, not %s", a, b);
}

static void keep_fault(void *arg, const char *words)
{
    struct err *err = arg;
    if (!err->text[0])
        err_set(err, STATUS_INVALID, "%s", words);
}

static enum status verify(struct test_state *test, const hash32 *root, struct err *err)
{
    struct state_verified verified;
    *err = (struct err){.text = ""};
    state_verify(&verified, test->store.db, root, keep_fault, err);
    return verified.faults ? STATUS_INVALID : STATUS_OK;
}

static enum status reopen(struct test_state *test, struct err *err)
{
    enum status status = STATUS_OK;
    prestate_fini(&test->prestate);
    test->prestate = (struct prestate){0};
    if (test->reopens)
        status = test_store_reopen(&test->store, err);
    if (status == STATUS_OK)
        prestate_init_stored(&test->prestate, test->store.db);
    return status;
}

void test_state_close(struct test_state *test)
{
    if (test->store.db)
        db_abort(test->store.db);
    prestate_fini(&test->prestate);
    test->prestate = (struct prestate){0};
}

void test_state_fini(struct test_state *test)
{
    test_store_fini(&test->store);
}

static enum status open_stored(struct test_state *test, struct reader *reader, json accounts,
                               struct err *err)
{
    enum status status = test_store_empty(&test->store, err);
    if (status != STATUS_OK)
        return status;
    prestate_init_stored(&test->prestate, test->store.db);
    db_begin(test->store.db);
    prestate_fill(reader, test->prestate.state, accounts);
    state_root(test->prestate.state, &test->root);
    return save(test, err);
}

bool test_state_open(struct test_state *test, struct reader *reader, json accounts)
{
    struct err err;
    if (!test->is_stored) {
        prestate_init(&test->prestate);
        prestate_fill(reader, test->prestate.state, accounts);
    } else if (open_stored(test, reader, accounts, &err) != STATUS_OK) {
        reader_fail(reader, "the store: %s", err.text);
    }
    return !reader->failed;
}

/* Commits, and finds all of it in the store again. */
static enum status last(struct test_state *test, const hash32 *root, struct reader *reader,
                        json accounts, struct err *err)
{
    db_begin(test->store.db);
    enum status status = save(test, err);
    if (status == STATUS_OK)
        status = verify(test, root, err);
    if (status == STATUS_OK)
        status = reopen(test, err);
    if (status == STATUS_OK)
        status = check_root(test, root, err);
    if (status == STATUS_OK && prestate_differs(reader, test->prestate.state, accounts, err))
        status = STATUS_INVALID;
    return status;
}

static enum status lead_back(struct test_state *test, const struct buf *undo, struct err *err)
{
    struct state_changes *changes;
    enum status status = state_changes_decode(&changes, undo->data, undo->len, err);
    if (status != STATUS_OK)
        return status;
    status = state_unwind(test->prestate.state, changes, err);
    state_changes_free(changes);
    if (status == STATUS_OK)
        status = check_root(test, &test->root, err);
    return status == STATUS_OK ? save(test, err) : status;
}

bool test_state_lasts(struct test_state *test, const hash32 *root, struct reader *reader,
                      json accounts, struct err *why)
{
    return !test->is_stored || last(test, root, reader, accounts, why) == STATUS_OK;
}

bool test_state_keeps(struct test_state *test, const hash32 *root, struct reader *reader,
                      json accounts, struct err *why)
{
    struct buf undo;
    struct state_changes *changes;
    if (!test->is_stored)
        return true;
    enum status status = state_commit(test->prestate.state, &changes, why);
    if (status != STATUS_OK)
        return false;
    buf_init(&undo, SIZE_MAX / 2);
    state_changes_encode(&undo, changes);
    state_changes_free(changes);
    status = last(test, root, reader, accounts, why);
    if (status == STATUS_OK)
        status = lead_back(test, &undo, why);
    buf_fini(&undo);
    return status == STATUS_OK;
}
