/*
 * The forks of Ethereum in the order in which they took effect. Each inherits its parent's rules;
 * code asks `fork >= FORK_BERLIN`, never for equality. Upgrades that change no execution rule are
 * not here: the difficulty-bomb delays (Muir, Arrow and Gray Glacier) are block numbers of the
 * chain configuration, and the blob-parameter-only upgrades (BPO1...) are rows of its blob
 * schedule. Source: execution-specs, the network upgrade pages.
 */
#pragma once

#include "base/types.h"

/* X(enumerator, name in official tests, name in genesis files and on the command line) */
#define FORK_LIST(X)                                      \
    X(FRONTIER, "Frontier", "frontier")                   \
    X(HOMESTEAD, "Homestead", "homestead")                \
    X(TANGERINE, "EIP150", "tangerine")                   \
    X(SPURIOUS, "EIP158", "spurious")                     \
    X(BYZANTIUM, "Byzantium", "byzantium")                \
    X(CONSTANTINOPLE, "Constantinople", "constantinople") \
    X(PETERSBURG, "ConstantinopleFix", "petersburg")      \
    X(ISTANBUL, "Istanbul", "istanbul")                   \
    X(BERLIN, "Berlin", "berlin")                         \
    X(LONDON, "London", "london")                         \
    X(PARIS, "Paris", "paris")                            \
    X(SHANGHAI, "Shanghai", "shanghai")                   \
    X(CANCUN, "Cancun", "cancun")                         \
    X(PRAGUE, "Prague", "prague")                         \
    X(OSAKA, "Osaka", "osaka")

enum fork {
#define X(id, test_name, name) FORK_##id,
    FORK_LIST(X)
#undef X
        FORK_COUNT,
};

/* The name official tests use, for example "EIP158". */
const char *fork_name(enum fork fork);

/* Accepts every name in common use, in any case: test names, "merge", "spuriousdragon",
 * "tangerinewhistle", "petersburg", and "muirglacier" and the like as their rule-bearing parent.
 * False, with *fork untouched, when there is none of that name. */
bool fork_parse(enum fork *fork, const char *name);
