/*
 * A command's settings from its flags, the environment and a YAML file (args/settings.h). Every command that is
 * read with config_begin has --config FILE (or ASHLAR_CONFIG), and `ashlar-node config show COMMAND` prints its
 * settings and where each came from.
 */
#pragma once

#include "args/args.h"
#include "args/settings.h"

/* A row of a command's table: a name for several of its settings (PROFILES in config.c). */
#define PROFILE_OPTION(text)                                                        \
    {"profile", ARGS_TEXT, (text), "NAME",                                          \
     "explorer: all that Blockscout and Otterscan need, which is --state archive, " \
     "--history full and --address-index; what contradicts it is refused"}

struct config {
    struct args_option options[ARGS_OPTIONS_MAX];
    struct settings settings;
    const char *file; /* --config */
    bool is_shown;    /* --show-config */
};

/*
 * args_begin with the three sources. options' targets hold the defaults and take the values; texts live until
 * config_fini, which is due after true. False: help, `config show` or an error has been printed, and main returns
 * *exit_code.
 */
MUST_READ bool config_begin(struct config *config, const struct args_command *command,
                            const struct args_option *options, int argc, char **argv, int *rest,
                            int *exit_code);
void config_fini(struct config *config);

/* args_fail about the value of an option, which its variable or line of the file stands before. */
int config_fail(const struct config *config, const struct args_command *command, const char *name,
                const struct err *err);

/* The commands, for the file's sections; ended by NULL. */
extern const char *const NODE_COMMANDS[];
