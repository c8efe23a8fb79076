#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "base/nearest.h"
#include "base/test.h"

struct values {
    bool flag;
    const char *text;
    u64 number;
};

static enum args_outcome parse(struct values *values, struct err *err, int *rest, char **argv,
                               int argc)
{
    const struct args_option options[] = {
        {"flag", ARGS_FLAG, &values->flag, NULL, ""},
        {"text", ARGS_TEXT, &values->text, "T", ""},
        {"number", ARGS_U64, &values->number, "N", ""},
        {0},
    };
    return args_parse(options, argc, argv, rest, err);
}

TEST(args_reads_options_and_keeps_the_rest)
{
    struct err err;
    int rest;
    struct values values = {0};
    char *argv[] = {"a", "--flag", "--number=0x10", "b", "-text", "x", "--", "--c"};
    CHECK_EQ(parse(&values, &err, &rest, argv, ARRAY_LEN(argv)), ARGS_GO);
    CHECK_EQ(rest, 3);
    CHECK_STR(argv[2], "--c");
    CHECK(values.flag && values.number == 16);
    CHECK_STR(values.text, "x");
}

TEST(args_says_what_was_meant)
{
    static const struct {
        const char *word, *words;
    } cases[] = {
        {"--numbr=1", "there is no option --numbr; did you mean --number?"},
        {"--zzzzzzzz", "there is no option --zzzzzzzz"},
        {"--number", "--number needs a value: --number N"},
        {"--number=-1", "--number needs a whole number below 2^64, not \"-1\""},
        {"--flag=maybe", "--flag is true or false, not \"maybe\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err;
        int rest;
        struct values values = {0};
        char *argv[] = {(char *)cases[i].word};
        CHECK_EQ(parse(&values, &err, &rest, argv, 1), ARGS_BAD);
        CHECK_STR(err.text, cases[i].words);
    }
}

TEST(args_knows_near_words)
{
    static const char *const names[] = {"dev", "evm", "node"};
    CHECK_STR(nearest_word("nod", names, 3), "node");
    CHECK(!nearest_word("something", names, 3));
}

TEST(args_help_fills_lines_of_a_plain_terminal)
{
    const struct args_command command = {.program = "p", .usage = "[options]", .summary = "S."};
    const struct args_option options[] = {
        {"flag", ARGS_FLAG, NULL, NULL, "one two three four five six seven eight nine ten eleven"},
        {0},
    };
    char text[1000];
    FILE *to = fmemopen(text, sizeof text, "w");
    args_print_help(to, &command, options);
    fclose(to);
    CHECK_STR(text,
              "usage: p [options]\n\nS.\n\noptions:\n"
              "  --flag                         one two three four five six seven eight nine\n"
              "                                 ten eleven\n"
              "  --help                         this text\n");
}
