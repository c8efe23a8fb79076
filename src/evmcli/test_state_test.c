#include "base/test.h"

#include <string.h>

#include "evmcli/test_state.h"

static const addr20 addr = {{0xaa}};

struct fixture {
    struct test_state test;
    struct arena arena;
    struct reader reader;
    struct json_doc *doc;
};

static void begin(struct fixture *f, bool reopens)
{
    static const char text[] =
        "{\"0xaa00000000000000000000000000000000000000\":{\"balance\":\"0x7\",\"code\":\"0x6000\","
        "\"nonce\":\"0x1\",\"storage\":{\"0x01\":\"0x02\",\"0x03\":\"0x04\"}}}";
    struct err err;
    *f = (struct fixture){.test = {.is_stored = true, .reopens = reopens}};
    arena_init(&f->arena);
    reader_init(&f->reader, &f->arena);
    CHECK_EQ(json_parse(&f->doc, text, strlen(text), 10, &err), STATUS_OK);
    CHECK(test_state_open(&f->test, &f->reader, json_root(f->doc)));
}

static void end(struct fixture *f)
{
    test_state_close(&f->test);
    test_state_fini(&f->test);
    json_free(f->doc);
    arena_fini(&f->arena);
}

/* One more wei and a slot less. */
static void change(struct fixture *f, hash32 *root)
{
    const u256 one = u256_from_u64(1), zero = u256_from_u64(0);
    struct state *state = f->test.prestate.state;
    state_begin_tx(state);
    state_add_balance(state, &addr, &one);
    struct state_slot slot = state_storage_slot(state, &addr, &one);
    state_storage_set(state, slot.handle, &zero);
    state_end_tx(state, FORK_PRAGUE);
    state_root(state, root);
}

static void keep_and_lead_back(bool reopens)
{
    struct fixture f;
    struct err why;
    hash32 first, root;
    begin(&f, reopens);
    state_root(f.test.prestate.state, &first);
    for (int i = 0; i < 2; i++) {
        change(&f, &root);
        CHECK(!hash32_eq(&root, &first));
        CHECK(test_state_keeps(&f.test, &root, &f.reader, NULL, &why));
        state_root(f.test.prestate.state, &root);
        CHECK(hash32_eq(&root, &first));
        CHECK(!prestate_differs(&f.reader, f.test.prestate.state, json_root(f.doc), &why));
    }
    end(&f);
}

TEST(a_state_is_kept_and_led_back)
{
    keep_and_lead_back(false);
    keep_and_lead_back(true);
}

TEST(another_root_or_account_is_told)
{
    struct fixture f;
    struct err why;
    hash32 root;
    begin(&f, false);
    change(&f, &root);
    CHECK(!test_state_keeps(&f.test, &root, &f.reader, json_root(f.doc), &why));
    CHECK(strstr(why.text, "0xaa00000000000000000000000000000000000000: balance is"));
    end(&f);
    begin(&f, false);
    change(&f, &root);
    root.b[0] ^= 1;
    CHECK(!test_state_keeps(&f.test, &root, &f.reader, NULL, &why));
    CHECK(strstr(why.text, "the accounts' root is"));
    end(&f);
}
