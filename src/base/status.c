#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_set(struct err *err, enum status status, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
    }
    return status;
}

void err_prefix(struct err *err, const char *fmt, ...)
{
    if (!err)
        return;
    struct err old = *err;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", old.text);
}

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK: return "ok";
    case STATUS_INVALID: return "invalid";
    case STATUS_NOT_FOUND: return "not found";
    case STATUS_EXISTS: return "exists";
    case STATUS_TOO_LARGE: return "too large";
    case STATUS_NO_MEMORY: return "out of memory";
    case STATUS_IO: return "input/output";
    case STATUS_UNSUPPORTED: return "unsupported";
    case STATUS_STOPPED: return "stopped";
    }
    return "unknown";
}
