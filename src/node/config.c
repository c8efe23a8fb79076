#include "node/config.h"

#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/mem.h"
#include "node/node.h"
#include "sys/file.h"

static const struct settings_profile PROFILES[] = {
    {"explorer", "state", "archive"},
    {"explorer", "history", "full"},
    {"explorer", "address-index", "true"},
    {0},
};

/* "ashlar dev" and "ashlar-node run" as the section they read. */
static const char *section_of(const struct args_command *command)
{
    const char *space = strrchr(command->program, ' ');
    return space ? space + 1 : command->program;
}

/* The command's own options and those that every command has. */
static void take_options(struct config *config, const struct args_option *options)
{
    size_t count = 0;
    while (options[count].name) {
        assert(count < ARGS_OPTIONS_MAX - 3);
        config->options[count] = options[count];
        count++;
    }
    config->options[count++] =
        (struct args_option){"config", ARGS_TEXT, &config->file, "FILE",
                             "YAML file with settings; flags and ASHLAR_... variables win over it"};
    config->options[count++] =
        (struct args_option){"show-config", ARGS_ACTION, &config->is_shown, NULL,
                             "print every setting and where it comes from, and end"};
    config->options[count] = (struct args_option){0};
}

static enum status read_file(struct config *config, struct err *err)
{
    u8 *text;
    size_t len;
    if (!config->file)
        return STATUS_OK;
    enum status status = file_read(&text, &len, config->file, SETTINGS_FILE_MAX, err);
    if (status != STATUS_OK)
        return status;
    status = settings_read_file(&config->settings, config->file, (const char *)text, len, err);
    mem_free(text);
    return status;
}

/* The environment comes before the file, as it may name it. */
static enum status read_sources(struct config *config, const bool *given, struct err *err)
{
    settings_note_flags(&config->settings, given);
    enum status status =
        settings_read_environment(&config->settings, (const char *const *)environ, err);
    if (status == STATUS_OK)
        status = read_file(config, err);
    return status == STATUS_OK ? settings_apply_profile(&config->settings, PROFILES, err) : status;
}

bool config_begin(struct config *config, const struct args_command *command,
                  const struct args_option *options, int argc, char **argv, int *rest,
                  int *exit_code)
{
    struct err err;
    bool given[ARGS_OPTIONS_MAX] = {false};
    *config = (struct config){0};
    take_options(config, options);
    enum args_outcome outcome = args_parse_marked(config->options, argc, argv, rest, given, &err);
    if (outcome == ARGS_HELP) {
        args_print_help_as(stdout, err.text, command, config->options);
        *exit_code = EXIT_OK;
        return false;
    }
    if (outcome == ARGS_BAD) {
        *exit_code = args_fail(command, "%s (--help lists what there is)", err.text);
        return false;
    }
    settings_init(&config->settings, config->options, section_of(command), NODE_COMMANDS);
    if (read_sources(config, given, &err) != STATUS_OK)
        *exit_code = args_fail(command, "%s", err.text);
    else if (config->is_shown) {
        settings_print(stdout, &config->settings);
        *exit_code = EXIT_OK;
    } else {
        return true;
    }
    config_fini(config);
    return false;
}

void config_fini(struct config *config)
{
    settings_fini(&config->settings);
}

int config_fail(const struct config *config, const struct args_command *command, const char *name,
                const struct err *err)
{
    char blame[300];
    settings_blame(blame, sizeof blame, &config->settings, name);
    return args_fail(command, "%s%s", blame, err->text);
}

/* --- ashlar-node config show ------------------------------------------------------------------ */

static const struct args_command about = {
    .program = "ashlar-node config",
    .usage = "show COMMAND [options]",
    .summary =
        "Prints every setting that COMMAND would run with, as YAML, and where it comes from.",
    .details =
        "A setting comes from a flag, else from the environment (ASHLAR_HTTP_PORT for http.port),\n"
        "else from the file named by --config or ASHLAR_CONFIG, else from the profile named by\n"
        "--profile, else it has its default.\n"
        "In the file a key is a setting's name; what stands under a command's name is for that\n"
        "command only:\n\n"
        "    port: 8545\n"
        "    dev:\n"
        "      accounts: 3",
};

int node_config_main(int argc, char **argv)
{
    static const struct args_option none[] = {{0}};
    char *words[ARGS_OPTIONS_MAX];
    int rest, exit_code;
    if (argc < 2 || argc >= ARGS_OPTIONS_MAX || strcmp(argv[0], "show") != 0 || argv[1][0] == '-') {
        if (!args_begin(&about, none, argc, argv, &rest, &exit_code))
            return exit_code;
        return args_fail(&about, "usage: ashlar-node config %s", about.usage);
    }
    if (strcmp(argv[1], "config") == 0 || strcmp(argv[1], "genesis") == 0)
        return args_fail(&about, "%s has no settings", argv[1]);
    for (int i = 2; i < argc; i++)
        words[i - 2] = argv[i];
    words[argc - 2] = "--show-config";
    return node_command_main(argv[1], argc - 1, words);
}
