#include <string.h>

#include "base/test.h"
#include "evmcli/yaml.h"

TEST(yaml_reads_as_json)
{
    static const char text[] =
        "input:\n  blob: '0x12'\n  indices: [0, 1,\n    2]\noutput:\n- - 'a'\n"
        "  - null\n- true\n- '7'\n";
    struct json_doc *doc = NULL;
    struct err err;
    u64 number = 0;
    CHECK_EQ(yaml_parse(&doc, text, strlen(text), &err), STATUS_OK);
    json input = json_get(json_root(doc), "input"), output = json_get(json_root(doc), "output");
    CHECK_STR(json_text(json_get(input, "blob")), "0x12");
    CHECK_EQ(json_count(json_get(input, "indices")), 3);
    CHECK(json_u64(json_at(json_get(input, "indices"), 2), &number));
    CHECK_EQ(number, 2);
    CHECK_STR(json_text(json_at(json_at(output, 0), 0)), "a");
    CHECK_EQ(json_kind(json_at(json_at(output, 0), 1)), JSON_KIND_NULL);
    CHECK_EQ(json_kind(json_at(output, 1)), JSON_KIND_BOOL);
    CHECK_STR(json_text(json_at(output, 2)), "7");
    json_free(doc);
}

TEST(broken_yaml_is_placed)
{
    struct json_doc *doc = NULL;
    struct err err;
    static const char text[] = "a: [1,\nb: 2\n";
    CHECK_EQ(yaml_parse(&doc, text, strlen(text), &err), STATUS_INVALID);
    CHECK(strncmp(err.text, "line ", 5) == 0);
    CHECK(doc == NULL);
    static const char alias[] = "a: &x 1\nb: *x\n";
    CHECK_EQ(yaml_parse(&doc, alias, strlen(alias), &err), STATUS_UNSUPPORTED);
}
