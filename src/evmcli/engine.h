/* The option --engine: which of the interpreters runs. */
#pragma once

#include "evm/evm.h"

#define ENGINE_HELP "plain, fast or auto (auto)"

/* False, and *engine untouched, if no interpreter is called that. */
bool engine_parse(enum evm_engine *engine, const char *name);
