/* What every program answers to --version. */
#pragma once

#define ASHLAR_VERSION "0.1.0"
