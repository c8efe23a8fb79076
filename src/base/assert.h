/* assert: kept in release builds, for bugs only, never for input from outside. */
#pragma once

#include "base/types.h"

#undef assert
#define assert(cond) (LIKELY(cond) ? (void)0 : assert_fail(#cond, __FILE__, __LINE__))

/* Prints what failed and aborts the process. */
_Noreturn void assert_fail(const char *cond, const char *file, int line);
