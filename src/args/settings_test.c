#include <string.h>

#include "args/settings.h"
#include "base/mem.h"
#include "base/test.h"

struct values {
    bool silent;
    u64 port, accounts;
    const char *host, *cors, *profile;
    bool version;
    struct args_option options[8];
    struct settings settings;
};

static void setup(struct values *v)
{
    static const char *const sections[] = {"dev", "run", NULL};
    *v = (struct values){.port = 8545, .accounts = 10, .host = "127.0.0.1"};
    struct args_option options[] = {
        {"silent", ARGS_FLAG, &v->silent, NULL, "says nothing"},
        {"http.port", ARGS_U64, &v->port, "N", "port"},
        {"http.host", ARGS_TEXT, &v->host, "IP", "address"},
        {"accounts", ARGS_U64, &v->accounts, "N", "accounts"},
        {"cors-origins", ARGS_TEXT, &v->cors, "LIST", "origins"},
        {"profile", ARGS_TEXT, &v->profile, "NAME", "several at once"},
        {"version", ARGS_ACTION, &v->version, NULL, "prints the version"},
        {0},
    };
    memcpy(v->options, options, sizeof options);
    settings_init(&v->settings, v->options, "dev", sections);
}

static enum status read_text(struct values *v, const char *text, struct err *err)
{
    return settings_read_file(&v->settings, "F", text, strlen(text), err);
}

TEST(settings_of_the_file)
{
    struct err err;
    struct values v;
    setup(&v);
    CHECK_EQ(read_text(&v,
                       "# a comment\nhttp:\n  port: 0x10\n  host: \"::1\"\nsilent: true\n"
                       "run: {http.port: 3, whatever: [1, {a: b}]}\ndev:\n  accounts: 5\n"
                       "  cors-origins: [a, 'b c']\n",
                       &err),
             STATUS_OK);
    CHECK_EQ(v.port, 16);
    CHECK_STR(v.host, "::1");
    CHECK(v.silent);
    CHECK_EQ(v.accounts, 5);
    CHECK_STR(v.cors, "a,b c");
    CHECK_EQ(v.settings.from[1].line, 3);
    settings_fini(&v.settings);
}

TEST(settings_win_in_order)
{
    static const char *const environment[] = {"PATH=/bin", "ASHLAR_HTTP_PORT=2",
                                              "ASHLAR_ACCOUNTS=2", NULL};
    struct err err;
    struct values v;
    bool given[8] = {false};
    char text[1000];
    setup(&v);
    v.port = 1; /* as a flag would have set it */
    given[1] = true;
    settings_note_flags(&v.settings, given);
    CHECK_EQ(settings_read_environment(&v.settings, environment, &err), STATUS_OK);
    CHECK_EQ(read_text(&v, "http.port: 3\naccounts: 3\n\nsilent: true\n", &err), STATUS_OK);
    CHECK_EQ(v.port, 1);
    CHECK_EQ(v.accounts, 2);
    CHECK(v.silent);
    FILE *file = fmemopen(text, sizeof text, "w");
    settings_print(file, &v.settings);
    fclose(file);
    CHECK_STR(text, "silent: true                         # F:4\n"
                    "http.port: 1                         # --http.port\n"
                    "http.host: 127.0.0.1                 # default\n"
                    "accounts: 2                          # ASHLAR_ACCOUNTS\n"
                    "cors-origins: null                   # default\n"
                    "profile: null                        # default\n");
    settings_fini(&v.settings);
}

TEST(settings_are_blamed_on_who_set_them)
{
    static const char *const environment[] = {"ASHLAR_HTTP_HOST=x", NULL};
    static const bool given[8] = {[3] = true};
    struct err err;
    struct values v;
    char blame[64];
    setup(&v);
    settings_note_flags(&v.settings, given);
    CHECK_EQ(settings_read_environment(&v.settings, environment, &err), STATUS_OK);
    CHECK_EQ(read_text(&v, "\ncors-origins: a\n", &err), STATUS_OK);
    static const struct {
        const char *name, *blame;
    } cases[] = {
        {"http.host", "ASHLAR_HTTP_HOST: "},
        {"cors-origins", "F:2: "},
        {"accounts", ""},
        {"http.port", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        settings_blame(blame, sizeof blame, &v.settings, cases[i].name);
        CHECK_STR(blame, cases[i].blame);
    }
    settings_fini(&v.settings);
}

TEST(settings_mistakes_are_named_with_their_line)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"\nhttp.prot: 1\n", "F:2: http.prot: there is no such setting; did you mean http.port?"},
        {"http:\n  port: 1\n  hots: x\n",
         "F:3: http.hots: there is no such setting; did you mean http.host?"},
        {"version: true\n", "F:1: version: there is no such setting"},
        {"accounts: 1\naccounts: 2\n", "F:2: accounts is given twice; it stands in line 1 too"},
        {"accounts: 1\ndev: {accounts: 2}\n",
         "F:2: accounts is given twice; it stands in line 1 too"},
        {"accounts: -1\n", "F:1: accounts needs a whole number below 2^64, not \"-1\""},
        {"silent: yes\n", "F:1: silent is true or false, not \"yes\""},
        {"accounts: {a: 1}\n", "F:1: accounts must be a value"},
        {"a: &x 1\n", "F:1: anchors, aliases and tags are not taken here"},
        {"accounts: *x\n", "F:1: anchors, aliases and tags are not taken here"},
        {"accounts: !!int 3\n", "F:1: anchors, aliases and tags are not taken here"},
        {"- 1\n", "F:1: the file must consist of `name: value` lines"},
        {"accounts: 1\n---\naccounts: 2\n", "F:2: the file must hold one document only"},
        {"{accounts: [", "F:2: did not find expected node content"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {""};
        struct values v;
        setup(&v);
        CHECK_EQ(read_text(&v, cases[i].text, &err), STATUS_INVALID);
        CHECK_STR(err.text, cases[i].words);
        settings_fini(&v.settings);
    }
}

static const struct settings_profile profiles[] = {
    {"loud", "silent", "false"}, {"loud", "accounts", "77"}, {"loud", "cors-origins", "*"},
    {"loud", "absent", "1"},     {"calm", "silent", "true"}, {0},
};

TEST(settings_of_a_profile)
{
    struct err err;
    struct values v;
    char text[1000];
    setup(&v);
    CHECK_EQ(settings_apply_profile(&v.settings, profiles, &err), STATUS_OK);
    CHECK_EQ(v.accounts, 10);
    CHECK_EQ(read_text(&v, "profile: loud\naccounts: 77\n", &err), STATUS_OK);
    CHECK_EQ(settings_apply_profile(&v.settings, profiles, &err), STATUS_OK);
    CHECK_STR(v.cors, "*");
    FILE *file = fmemopen(text, sizeof text, "w");
    settings_print(file, &v.settings);
    fclose(file);
    CHECK_STR(text, "silent: false                        # --profile loud\n"
                    "http.port: 8545                      # default\n"
                    "http.host: 127.0.0.1                 # default\n"
                    "accounts: 77                         # F:2\n"
                    "cors-origins: \"*\"                    # --profile loud\n"
                    "profile: loud                        # F:1\n");
    settings_fini(&v.settings);
}

TEST(settings_that_contradict_a_profile_are_named)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"profile: loud\naccounts: 7\n",
         "--profile loud has accounts: 77, which F:2 contradicts; leave one of them out"},
        {"silent: false\nprofile: calm\n",
         "--profile calm has silent: true, which F:1 contradicts; leave one of them out"},
        {"profile: mute\n", "there is no profile \"mute\"; there is loud"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {""};
        struct values v;
        setup(&v);
        CHECK_EQ(read_text(&v, cases[i].text, &err), STATUS_OK);
        CHECK_EQ(settings_apply_profile(&v.settings, profiles, &err), STATUS_INVALID);
        CHECK_STR(err.text, cases[i].words);
        settings_fini(&v.settings);
    }
}

TEST(settings_of_an_empty_file)
{
    static const char *const texts[] = {"", "# nothing\n", "---\n", "{}", "null"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err err;
        struct values v;
        setup(&v);
        CHECK_EQ(read_text(&v, texts[i], &err), STATUS_OK);
        CHECK_EQ(v.port, 8545);
        settings_fini(&v.settings);
    }
}

TEST(settings_files_have_bounds)
{
    struct err err;
    struct values v;
    setup(&v);
    char *text = mem_alloc(SETTINGS_FILE_MAX + 1);
    memset(text, '[', SETTINGS_FILE_MAX + 1);
    CHECK_EQ(settings_read_file(&v.settings, "F", text, SETTINGS_FILE_MAX + 1, &err),
             STATUS_TOO_LARGE);
    memcpy(text, "run: ", 5);
    CHECK_EQ(settings_read_file(&v.settings, "F", text, 100000, &err), STATUS_INVALID);
    mem_free(text);
    settings_fini(&v.settings);
}
