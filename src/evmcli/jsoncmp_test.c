#include <string.h>

#include "base/test.h"
#include "evmcli/jsoncmp.h"

static bool same(const char *got, const char *want, const struct json_leniency *leniency,
                 struct err *why)
{
    struct json_doc *a = NULL, *b = NULL;
    CHECK_EQ(json_parse(&a, got, strlen(got), 10, NULL), STATUS_OK);
    CHECK_EQ(json_parse(&b, want, strlen(want), 10, NULL), STATUS_OK);
    bool result = json_same(json_root(a), json_root(b), leniency, why);
    json_free(a);
    json_free(b);
    return result;
}

TEST(members_in_any_order)
{
    struct err why;
    CHECK(same("{\"a\":1,\"b\":[true,\"x\"]}", "{\"b\":[true,\"x\"],\"a\":1}", NULL, &why));
}

TEST(differences_are_placed)
{
    struct err why;
    CHECK(!same("{\"a\":[1,2]}", "{\"a\":[1,3]}", NULL, &why));
    CHECK_STR(why.text, ".a.1 is 2, not 3");
    CHECK(!same("{\"a\":[1,2]}", "{\"a\":[1]}", NULL, &why));
    CHECK(!same("{\"a\":1,\"b\":0}", "{\"a\":1}", NULL, &why));
    CHECK(!same("{\"a\":1}", "{\"a\":1,\"b\":0}", NULL, &why));
    CHECK(!same("{\"a\":\"1\"}", "{\"a\":1}", NULL, &why));
}

TEST(leniency_has_bounds)
{
    static const char *const ignored[] = {"when", NULL};
    static const struct json_leniency leniency = {true, ignored};
    struct err why;
    CHECK(same("{\"a\":1,\"b\":\"0x00\",\"when\":5}", "{\"a\":1}", &leniency, &why));
    CHECK(!same("{\"a\":1,\"b\":\"0x01\"}", "{\"a\":1}", &leniency, &why));
    CHECK(!same("{\"a\":\"0x0\"}", "{\"a\":\"0x\"}", &leniency, &why));
}
