#include "types/fork.h"

#include <strings.h>

static const struct {
    const char *name;
    enum fork fork;
} FORK_NAMES[] = {
#define X(id, test_name, name) {test_name, FORK_##id}, {name, FORK_##id},
    FORK_LIST(X)
#undef X
        {"TangerineWhistle", FORK_TANGERINE},
    {"SpuriousDragon", FORK_SPURIOUS},
    {"Merge", FORK_PARIS},
    {"DAOFork", FORK_HOMESTEAD},
    {"MuirGlacier", FORK_ISTANBUL},
    {"ArrowGlacier", FORK_LONDON},
    {"GrayGlacier", FORK_LONDON},
    {"BPO1", FORK_OSAKA},
    {"BPO2", FORK_OSAKA},
    {"BPO3", FORK_OSAKA},
    {"BPO4", FORK_OSAKA},
    {"BPO5", FORK_OSAKA},
};

const char *fork_name(enum fork fork)
{
    static const char *const names[] = {
#define X(id, test_name, name) test_name,
        FORK_LIST(X)
#undef X
    };
    return names[fork];
}

bool fork_parse(enum fork *fork, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(FORK_NAMES); i++) {
        if (strcasecmp(FORK_NAMES[i].name, name) == 0) {
            *fork = FORK_NAMES[i].fork;
            return true;
        }
    }
    return false;
}
