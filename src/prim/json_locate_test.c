#include <string.h>

#include "base/test.h"
#include "prim/json_locate.h"

static const char TEXT[] = "{ \"a\" : [1, {\"x\\\"]\": \"}\"}, [[], 2]],\n"
                           "  \"b\": {\"c\": true,\n"
                           "\t\"d\": -1.5e3 } }";

static void check_at(const char *what, bool of_key, const u32 *path, size_t depth)
{
    struct json_place place = json_locate(TEXT, sizeof TEXT - 1, path, depth, of_key);
    const char *line = TEXT;
    for (unsigned i = 1; i < place.line; i++)
        line = strchr(line, '\n') + 1;
    CHECK(strncmp(line + place.column - 1, what, strlen(what)) == 0);
}

TEST(json_places_are_found_by_path)
{
    check_at("{ \"a\"", false, NULL, 0);
    check_at("\"a\"", true, (u32[]){0}, 1);
    check_at("[1,", false, (u32[]){0}, 1);
    check_at("{\"x", false, (u32[]){0, 1}, 2);
    check_at("\"}\"", false, (u32[]){0, 1, 0}, 3);
    check_at("2]", false, (u32[]){0, 2, 1}, 3);
    check_at("\"d\"", true, (u32[]){1, 1}, 2);
    check_at("-1.5e3", false, (u32[]){1, 1}, 2);
}

TEST(json_places_that_are_not_there_are_the_end)
{
    struct json_place place = json_locate("[1]", 3, (u32[]){1}, 1, false);
    CHECK_EQ(place.line, 1);
    CHECK_EQ(place.column, 4);
    place = json_locate("[1]", 3, (u32[]){0, 0}, 2, false);
    CHECK_EQ(place.column, 4);
}
