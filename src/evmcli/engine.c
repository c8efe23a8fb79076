#include "evmcli/engine.h"

#include <string.h>

bool engine_parse(enum evm_engine *engine, const char *name)
{
    static const char *const names[] = {
        [EVM_ENGINE_AUTO] = "auto", [EVM_ENGINE_PLAIN] = "plain", [EVM_ENGINE_FAST] = "fast"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *engine = (enum evm_engine)i;
            return true;
        }
    return false;
}
