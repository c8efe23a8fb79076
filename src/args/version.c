#include "args/version.h"

/* The build says which commit this is; it is compiled again when that changes, alone. */
#if !defined(ASHLAR_COMMIT)
#    define ASHLAR_COMMIT "unknown"
#endif

#if defined(__clang__)
#    define COMPILER "clang"
#else
#    define COMPILER "gcc"
#endif

const char *const VERSION_TEXT = ASHLAR_VERSION " (commit " ASHLAR_COMMIT ")";
const char *const VERSION_CLIENT = "ashlar/v" ASHLAR_VERSION "-" ASHLAR_COMMIT "/linux/" COMPILER;
