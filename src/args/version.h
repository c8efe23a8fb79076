/* What every program answers to --version. */
#pragma once

#define ASHLAR_VERSION "0.1.0"

/* "0.1.0 (commit 0123456789ab)"; "unknown" in place of the commit when it was not built from a repository. */
extern const char *const VERSION_TEXT;

/* "ashlar/v0.1.0-0123456789ab/linux/clang", for web3_clientVersion. */
extern const char *const VERSION_CLIENT;
