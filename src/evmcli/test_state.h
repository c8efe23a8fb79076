/* The state of one state test after another: in memory, or in a store, from which what each case led to is read again. */
#pragma once

#include "evmcli/prestate.h"
#include "evmcli/test_store.h"

/* One a thread; all zeroes but the two choices at first. */
struct test_state {
    bool is_stored, reopens; /* the store is opened anew for each case */
    struct prestate prestate;
    struct test_store store;
    hash32 root; /* of the accounts it began with; only in a store */
};

/* A state of these accounts. False after reader_fail. Until close, which is called in any case. */
bool test_state_open(struct test_state *test, struct reader *reader, json accounts);
void test_state_close(struct test_state *test);
void test_state_fini(struct test_state *test);

/*
 * In a store: makes last what was committed in prestate.state, whose root this is, and finds the root, every record and
 * these accounts (if there are any) there again. prestate.state is another one afterwards. False, and why; the test
 * cannot go on then. In memory it does nothing.
 */
bool test_state_lasts(struct test_state *test, const hash32 *root, struct reader *reader,
                      json accounts, struct err *why);
/* The same with what was not committed yet, and goes back to the accounts it began with. */
bool test_state_keeps(struct test_state *test, const hash32 *root, struct reader *reader,
                      json accounts, struct err *why);
