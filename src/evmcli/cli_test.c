#include <string.h>

#include "base/test.h"
#include "evmcli/cli.h"

struct values {
    bool json;
    const char *fork;
    u64 jobs;
};

static enum cli_outcome parse(struct values *values, int argc, const char **argv, int *rest,
                              struct err *err)
{
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &values->json, NULL, "lines"},
        {"fork", CLI_TEXT, &values->fork, "F", "fork"},
        {"jobs", CLI_U64, &values->jobs, "N", "threads"},
        {0},
    };
    return cli_parse(options, argc, (char **)argv, rest, err);
}

TEST(options_and_arguments_mix)
{
    struct values values = {0};
    struct err err;
    int rest = 0;
    const char *argv[] = {"a", "--json", "--fork", "London", "b", "-jobs=0x10", "--", "--c", "-"};
    CHECK_EQ(parse(&values, 9, argv, &rest, &err), CLI_GO);
    CHECK_EQ(rest, 4);
    CHECK_STR(argv[0], "a");
    CHECK_STR(argv[1], "b");
    CHECK_STR(argv[2], "--c");
    CHECK_STR(argv[3], "-");
    CHECK(values.json);
    CHECK_STR(values.fork, "London");
    CHECK_EQ(values.jobs, 16);
}

TEST(unknown_option_says_what_was_meant)
{
    struct values values = {0};
    struct err err;
    int rest;
    const char *argv[] = {"--frok", "London"};
    CHECK_EQ(parse(&values, 2, argv, &rest, &err), CLI_BAD);
    CHECK(strstr(err.text, "did you mean --fork?") != NULL);
    const char *far[] = {"--something-else"};
    CHECK_EQ(parse(&values, 1, far, &rest, &err), CLI_BAD);
    CHECK(strstr(err.text, "did you mean") == NULL);
}

TEST(bad_values_are_named)
{
    static const char *const bad[] = {"--jobs=", "--jobs=-1", "--jobs=1x",
                                      "--jobs=99999999999999999999", "--json=maybe"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct values values = {.jobs = 7};
        struct err err;
        int rest;
        const char *argv[] = {bad[i]};
        CHECK_EQ(parse(&values, 1, argv, &rest, &err), CLI_BAD);
        CHECK(strstr(err.text, "--j") != NULL);
        CHECK_EQ(values.jobs, 7);
    }
}

TEST(missing_value)
{
    struct values values = {0};
    struct err err;
    int rest;
    const char *argv[] = {"--fork"};
    CHECK_EQ(parse(&values, 1, argv, &rest, &err), CLI_BAD);
    CHECK(strstr(err.text, "--fork needs a value") != NULL);
}

TEST(help_is_asked_for)
{
    struct values values = {0};
    struct err err;
    int rest;
    const char *argv[] = {"--help"};
    CHECK_EQ(parse(&values, 1, argv, &rest, &err), CLI_HELP);
}
