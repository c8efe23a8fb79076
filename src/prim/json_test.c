#include "base/test.h"
#include "prim/json.h"

#include <string.h>

static struct json_doc *parsed(const char *text)
{
    struct json_doc *doc = NULL;
    struct err err;
    CHECK_EQ(json_parse(&doc, text, strlen(text), 8, &err), STATUS_OK);
    return doc;
}

static enum status refused(const char *text, struct err *err)
{
    struct json_doc *doc = NULL;
    return json_parse(&doc, text, strlen(text), 8, err);
}

TEST(json_gives_values_in_file_order)
{
    struct json_doc *doc = parsed("{\"b\": [1, true, null], \"a\": \"x\"}");
    struct json_iter iter = json_iter(json_root(doc));
    CHECK(json_next(&iter));
    CHECK_STR(iter.key, "b");
    CHECK_EQ(json_count(iter.value), 3);
    u64 one = 0;
    CHECK(json_u64(json_at(iter.value, 0), &one));
    CHECK_EQ(one, 1);
    CHECK_EQ(json_kind(json_at(iter.value, 2)), JSON_KIND_NULL);
    CHECK(json_next(&iter));
    CHECK_STR(json_text(iter.value), "x");
    CHECK(!json_next(&iter));
    json_free(doc);
}

TEST(json_accepts_absent_values_everywhere)
{
    CHECK_EQ(json_kind(NULL), JSON_KIND_ABSENT);
    CHECK(!json_get(NULL, "x"));
    CHECK(!json_at(NULL, 0));
    CHECK(!json_text(NULL));
    CHECK_EQ(json_count(NULL), 0);
}

TEST(json_refuses_with_line_and_column)
{
    struct err err;
    CHECK_EQ(refused("{\n \"a\": }", &err), STATUS_INVALID);
    CHECK(strncmp(err.text, "line 2, column", 14) == 0);
    CHECK_EQ(refused("[1] x", &err), STATUS_INVALID);
    CHECK_EQ(refused("\"\xff\"", &err), STATUS_INVALID);
    CHECK_EQ(refused("[[[[[[[[[1]]]]]]]]]", &err), STATUS_TOO_LARGE);
}
