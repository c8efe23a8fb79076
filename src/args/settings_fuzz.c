/* Any bytes as a configuration file: taken, or refused with words that name the file; what it says a second time. */
#include <string.h>

#include "args/settings.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char *const sections[] = {"dev", "run", NULL};
    bool silent = false;
    u64 port = 1;
    const char *host = "h", *cors = NULL;
    const struct args_option options[] = {
        {"silent", ARGS_FLAG, &silent, NULL, ""},
        {"http.port", ARGS_U64, &port, "N", ""},
        {"http.host", ARGS_TEXT, &host, "IP", ""},
        {"cors", ARGS_TEXT, &cors, "LIST", ""},
        {0},
    };
    struct err err = {""};
    struct settings settings;
    settings_init(&settings, options, "dev", sections);
    enum status status = settings_read_file(&settings, "FILE", (const char *)data, size, &err);
    if (status != STATUS_OK)
        assert(strncmp(err.text, "FILE", 4) == 0);
    settings_fini(&settings);
    return 0;
}
