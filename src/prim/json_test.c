#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "prim/json.h"

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
    CHECK_EQ(refused("[1,\n 2", &err), STATUS_INVALID); /* cut off: at its end */
    CHECK(strncmp(err.text, "line 2, column 3: ", 18) == 0);
    CHECK_EQ(refused("[1] x", &err), STATUS_INVALID);
    CHECK_EQ(refused("\"\xff\"", &err), STATUS_INVALID);
    CHECK_EQ(refused("[[[[[[[[[1]]]]]]]]]", &err), STATUS_TOO_LARGE);
}

TEST(json_finds_members_of_large_objects)
{
    char text[4096] = "{";
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "\"k%d\":%d,", i % 99, i);
    text[strlen(text) - 1] = '}';
    struct json_doc *doc = parsed(text);
    u64 number;
    for (u64 i = 0; i < 99; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", (int)i);
        CHECK(json_u64(json_get(json_root(doc), key), &number));
        CHECK_EQ(number, i ? i : 99);
    }
    CHECK(!json_get(json_root(doc), "k99"));
    json_free(doc);
}

TEST(json_bounds_the_number_of_values)
{
    struct arena arena;
    struct err err;
    json root;
    static const char text[] = "[1,{\"a\":[2,3]},null]"; /* seven: three containers, four others */
    arena_init(&arena);
    CHECK_EQ(json_parse_bounded(&root, &arena, text, sizeof text - 1, 8, 7, &err), STATUS_OK);
    for (u32 most = 0; most < 7; most++) {
        enum status status =
            json_parse_bounded(&root, &arena, text, sizeof text - 1, 8, most, &err);
        CHECK_EQ(status, STATUS_TOO_LARGE);
        CHECK(strstr(err.text, "more values"));
    }
    arena_fini(&arena);
}

TEST(json_reads_whole_numbers_only)
{
    u64 number = 7;
    struct json_doc *doc = parsed("[18446744073709551615, 18446744073709551616, -1, 1.0, 1e3]");
    CHECK(json_u64(json_at(json_root(doc), 0), &number));
    CHECK(number == UINT64_MAX);
    for (size_t i = 1; i < 5; i++)
        CHECK(!json_u64(json_at(json_root(doc), i), &number));
    CHECK_STR(json_number_text(json_at(json_root(doc), 4)), "1e3");
    json_free(doc);
}

TEST(json_keeps_strict_to_the_letter)
{
    static const char *const bad[] = {"",        " ",     "[1,]",         "{\"a\":1,}",
                                      "[01]",    "NaN",   "/**/1",        "\"\x01\"",
                                      "{\"a\"}", "[1 2]", "'a'",          "{a:1}",
                                      "1 2",     "[",     "\"\\x\"",      "nul",
                                      "[1}",     "+1",    "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
                                      "\"\xff\""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_EQ(refused(bad[i], NULL), STATUS_INVALID);
    static const char *const good[] = {"0", "-0.5e+3", "\"\\u00e9\\ud83d\\ude00\"", "null", "[[]]"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        json_free(parsed(good[i]));
}
