#include "types/chain_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const BLOB_NAMES[] = {
#define X(id, name) name,
    BLOB_UPGRADES(X)
#undef X
};

/* The rows that networks have unless their genesis says otherwise. BPO1 and BPO2 are mainnet's;
 * the later ones are those of the official tests. */
static const struct blob_params BLOB_DEFAULTS[BLOB_UPGRADE_COUNT] = {
    [BLOB_UPGRADE_CANCUN] = {3, 6, 3338477},  /* EIP-4844 */
    [BLOB_UPGRADE_PRAGUE] = {6, 9, 5007716},  /* EIP-7691 */
    [BLOB_UPGRADE_OSAKA] = {6, 9, 5007716},   /* EIP-7892 */
    [BLOB_UPGRADE_BPO1] = {10, 15, 8346193},  /* EIP-7892 */
    [BLOB_UPGRADE_BPO2] = {14, 21, 11684671}, /* EIP-7892 */
    [BLOB_UPGRADE_BPO3] = {21, 32, 20609697}, [BLOB_UPGRADE_BPO4] = {14, 21, 13739630},
    [BLOB_UPGRADE_BPO5] = {14, 21, 13739630},
};

/* EIP-6110: mainnet's. */
static const addr20 DEPOSIT_CONTRACT = {{0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5,
                                         0x40, 0x35, 0x6c, 0xbb, 0x83, 0x9c, 0xbe,
                                         0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa}};

/* --- what is in force ------------------------------------------------------------------------- */

/* A time or number that is never reached stays so for the greatest one that a header can have. */
static bool has_come(u64 at, u64 now)
{
    return at <= now && at != CONFIG_NEVER;
}

enum fork chain_config_fork_merged(const struct chain_config *config, u64 number, u64 timestamp,
                                   bool merged)
{
    enum fork fork = FORK_FRONTIER;
    for (enum fork f = FORK_HOMESTEAD; f < FORK_PARIS; f++)
        if (has_come(config->fork_at[f], number))
            fork = f;
    if (!merged)
        return fork;
    fork = FORK_PARIS;
    for (enum fork f = FORK_SHANGHAI; f < FORK_COUNT; f++)
        if (has_come(config->fork_at[f], timestamp))
            fork = f;
    return fork;
}

enum fork chain_config_fork(const struct chain_config *config, u64 number, u64 timestamp,
                            u256 parent_td)
{
    bool merged = config->has_ttd && !u256_lt(parent_td, config->ttd);
    return chain_config_fork_merged(config, number, timestamp, merged);
}

const struct blob_params *chain_config_blob_params(const struct chain_config *config, u64 timestamp)
{
    for (int i = BLOB_UPGRADE_COUNT - 1; i >= 0; i--)
        if (has_come(config->blob_at[i], timestamp))
            return &config->blob[i];
    return NULL;
}

u32 chain_config_tx_blobs_max(const struct chain_config *config, enum fork fork, u64 timestamp)
{
    enum { TX_BLOBS_OSAKA = 6 }; /* EIP-7594 */
    const struct blob_params *params = chain_config_blob_params(config, timestamp);
    if (fork < FORK_CANCUN || !params)
        return 0;
    return fork >= FORK_OSAKA && params->max > TX_BLOBS_OSAKA ? TX_BLOBS_OSAKA : params->max;
}

u64 chain_config_bomb_delay(const struct chain_config *config, u64 number)
{
    const struct {
        u64 at, delay;
    } steps[] = {
        {config->gray_glacier, 11400000},                /* EIP-5133 */
        {config->arrow_glacier, 10700000},               /* EIP-4345 */
        {config->fork_at[FORK_LONDON], 9700000},         /* EIP-3554 */
        {config->muir_glacier, 9000000},                 /* EIP-2384 */
        {config->fork_at[FORK_CONSTANTINOPLE], 5000000}, /* EIP-1234 */
        {config->fork_at[FORK_BYZANTIUM], 3000000},      /* EIP-649 */
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (has_come(steps[i].at, number))
            return steps[i].delay;
    return 0;
}

/* --- making configurations -------------------------------------------------------------------- */

void chain_config_init(struct chain_config *config, enum fork fork)
{
    *config = (struct chain_config){
        .chain_id = 1,
        .dao_block = CONFIG_NEVER,
        .muir_glacier = CONFIG_NEVER,
        .arrow_glacier = CONFIG_NEVER,
        .gray_glacier = CONFIG_NEVER,
        .merge_netsplit = CONFIG_NEVER,
        .deposit_contract = DEPOSIT_CONTRACT,
        .has_ttd = fork >= FORK_PARIS,
    };
    for (enum fork f = FORK_FRONTIER; f < FORK_COUNT; f++)
        config->fork_at[f] = f <= fork ? 0 : CONFIG_NEVER;
    if (fork >= FORK_BERLIN)
        config->muir_glacier = 0;
    if (fork >= FORK_PARIS)
        config->arrow_glacier = config->gray_glacier = 0;
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++) {
        config->blob[i] = BLOB_DEFAULTS[i];
        config->blob_at[i] = CONFIG_NEVER;
    }
    config->blob_at[BLOB_UPGRADE_CANCUN] = config->fork_at[FORK_CANCUN];
    config->blob_at[BLOB_UPGRADE_PRAGUE] = config->fork_at[FORK_PRAGUE];
    config->blob_at[BLOB_UPGRADE_OSAKA] = config->fork_at[FORK_OSAKA];
}

static int blob_upgrade_parse(const char *name)
{
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++)
        if (strcasecmp(BLOB_NAMES[i], name) == 0)
            return i;
    return -1;
}

bool chain_config_set_blob(struct chain_config *config, const char *upgrade, u32 target, u32 max,
                           u64 update_fraction)
{
    int i = blob_upgrade_parse(upgrade);
    if (i < 0)
        return false;
    config->blob[i] = (struct blob_params){target, max, update_fraction};
    return true;
}

/* Switches on one upgrade, with all that come before it and are not on yet. */
static bool upgrade_at(struct chain_config *config, const char *name, u64 at)
{
    enum fork fork;
    if (strcasecmp(name, "Dao") == 0) {
        config->dao_block = at;
        config->dao_support = true;
        return true;
    }
    if (!fork_parse(&fork, name))
        return false;
    for (enum fork f = FORK_FRONTIER; f <= fork; f++)
        if (config->fork_at[f] == CONFIG_NEVER)
            config->fork_at[f] = at;
    if (strcasecmp(name, "MuirGlacier") == 0)
        config->muir_glacier = at;
    if (strcasecmp(name, "ArrowGlacier") == 0)
        config->arrow_glacier = at;
    if (strcasecmp(name, "GrayGlacier") == 0)
        config->arrow_glacier = config->gray_glacier = at;
    int last = blob_upgrade_parse(name);
    for (int i = 0; i <= last; i++)
        if (config->blob_at[i] == CONFIG_NEVER)
            config->blob_at[i] = at;
    return true;
}

static bool init_named(struct chain_config *config, const char *name)
{
    enum fork fork;
    if (!fork_parse(&fork, name))
        return false;
    chain_config_init(config, fork);
    return upgrade_at(config, name, 0);
}

/* "5", "Time15k", "DiffC0000": what follows "At". */
static bool apply_transition(struct chain_config *config, const char *name, const char *when)
{
    char *end;
    if (strncmp(when, "Diff", 4) == 0) {
        config->has_ttd = true;
        config->ttd = u256_from_u64(strtoull(when + 4, &end, 16));
        return !*end && upgrade_at(config, name, 0);
    }
    bool by_time = strncmp(when, "Time", 4) == 0;
    u64 at = strtoull(by_time ? when + 4 : when, &end, 10);
    if (strcmp(end, "k") == 0)
        at *= 1000;
    else if (*end)
        return false;
    return upgrade_at(config, name, at);
}

bool chain_config_named(struct chain_config *config, const char *network)
{
    char from[64], to[64];
    struct chain_config made;
    const char *arrow = strstr(network, "To");
    const char *at = arrow ? strstr(arrow, "At") : NULL;
    if (!at) {
        if (!init_named(&made, network))
            return false;
        *config = made;
        return true;
    }
    size_t from_len = (size_t)(arrow - network), to_len = (size_t)(at - arrow - 2);
    if (from_len >= sizeof from || to_len >= sizeof to)
        return false;
    memcpy(from, network, from_len);
    from[from_len] = 0;
    memcpy(to, arrow + 2, to_len);
    to[to_len] = 0;
    if (!init_named(&made, from) || !apply_transition(&made, to, at + 2))
        return false;
    *config = made;
    return true;
}
