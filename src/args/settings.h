/*
 * Options from four places, described by one table: flags win over the environment, that over a file in YAML,
 * and that over the default. The option "http.port" is the flag --http.port, the variable ASHLAR_HTTP_PORT, and
 * in the file `http.port: 1` or `http: {port: 1}`. A top-level key that is a command's name holds what is for
 * that command only. Lists are joined with commas.
 *
 *   settings_init(&settings, options, "dev", commands);
 *   args_parse_marked(...)                  -> settings.from[]
 *   settings_read_environment(&settings, environ, &err)
 *   settings_read_file(&settings, path, text, len, &err)
 *   settings_apply_profile(&settings, rows, &err)
 *
 * The file is YAML 1.2 without anchors, aliases and tags; size, depth and length of keys are bounded. Every error
 * names the file and the line.
 */
#pragma once

#include "args/args.h"
#include "base/arena.h"

enum { SETTINGS_FILE_MAX = 1 << 20 };

enum settings_origin {
    SETTINGS_DEFAULT,
    SETTINGS_FROM_PROFILE,
    SETTINGS_FROM_FILE,
    SETTINGS_FROM_ENVIRONMENT,
    SETTINGS_FROM_FLAG
};

struct settings_source {
    enum settings_origin origin;
    unsigned line; /* in the file */
};

struct settings {
    const struct args_option *options;
    const char *section;         /* the command's name; NULL: the file has no sections */
    const char *const *sections; /* all commands, ended by NULL */
    const char *path;            /* of the file read; borrowed */
    const char *profile;         /* that was applied; NULL: none */
    struct settings_source from[ARGS_OPTIONS_MAX];
    struct arena texts; /* values of the file */
};

void settings_init(struct settings *settings, const struct args_option *options,
                   const char *section, const char *const *sections);
void settings_fini(struct settings *settings); /* texts that options point to are gone then */

/* Takes the flags that were given, one bool an option. */
void settings_note_flags(struct settings *settings, const bool *given);

/* What flags have not set. environment: "NAME=value" texts ended by NULL, borrowed as long as the values are used. */
MUST_READ enum status settings_read_environment(struct settings *settings,
                                                const char *const *environment, struct err *err);

/* What neither flags nor the environment have set. path is for messages, and is borrowed. */
MUST_READ enum status settings_read_file(struct settings *settings, const char *path,
                                         const char *text, size_t len, struct err *err);

/*
 * A profile is a name for several settings: the option "profile" names one. A row says what one of them is; rows for options
 * that the command does not have are passed over. What nothing else has set gets the profile's value; what was set
 * otherwise is INVALID, as is a profile that no row is of. Rows are ended by one without a profile.
 */
struct settings_profile {
    const char *profile, *option, *value;
};
MUST_READ enum status settings_apply_profile(struct settings *settings,
                                             const struct settings_profile *rows, struct err *err);

/*
 * Who has set the option, as messages begin: "ASHLAR_MEMORY: ", "node.yaml:3: "; nothing for flags and defaults, whose
 * messages name the option.
 */
void settings_blame(char *out, size_t size, const struct settings *settings, const char *name);

/* Every option as YAML, with where its value comes from behind it. */
void settings_print(FILE *to, const struct settings *settings);

/* "http.cors-origins" as "ASHLAR_HTTP_CORS_ORIGINS". */
enum { SETTINGS_VARIABLE_MAX = 72 };
void settings_variable(char out[SETTINGS_VARIABLE_MAX], const char *name);
