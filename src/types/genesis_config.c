/* The part "config" of a genesis file: which rules are in force when. */
#include <string.h>

#include "types/genesis_int.h"

/* What is read, with keys that leave no trace in the configuration. */
struct given {
    struct chain_config config;
    u64 eip155, amsterdam;
    bool has_rows[BLOB_UPGRADE_COUNT];
};

static void read_ttd(struct genesis_reader *r, void *place, json value);
static void read_blob_schedule(struct genesis_reader *r, void *place, json value);
static void read_consensus(struct genesis_reader *r, void *place, json value);
static void read_object(struct genesis_reader *r, void *place, json value);
static void read_paris(struct genesis_reader *r, void *place, json value);

#define PLACE(field)  offsetof(struct given, field)
#define FORK_AT(fork) genesis_read_u64, PLACE(config.fork_at[FORK_##fork])
#define BLOB_AT(row)  genesis_read_u64, PLACE(config.blob_at[BLOB_UPGRADE_##row])

static const struct genesis_key config_keys[] = {
    {"chainId", genesis_read_u64, PLACE(config.chain_id)},
    {"homesteadBlock", FORK_AT(HOMESTEAD)},
    {"daoForkBlock", genesis_read_u64, PLACE(config.dao_block)},
    {"daoForkSupport", genesis_read_bool, PLACE(config.dao_support)},
    {"eip150Block", FORK_AT(TANGERINE)},
    {"eip155Block", genesis_read_u64, PLACE(eip155)},
    {"eip158Block", FORK_AT(SPURIOUS)},
    {"byzantiumBlock", FORK_AT(BYZANTIUM)},
    {"constantinopleBlock", FORK_AT(CONSTANTINOPLE)},
    {"petersburgBlock", FORK_AT(PETERSBURG)},
    {"istanbulBlock", FORK_AT(ISTANBUL)},
    {"muirGlacierBlock", genesis_read_u64, PLACE(config.muir_glacier)},
    {"berlinBlock", FORK_AT(BERLIN)},
    {"londonBlock", FORK_AT(LONDON)},
    {"arrowGlacierBlock", genesis_read_u64, PLACE(config.arrow_glacier)},
    {"grayGlacierBlock", genesis_read_u64, PLACE(config.gray_glacier)},
    {"mergeNetsplitBlock", genesis_read_u64, PLACE(config.merge_netsplit)},
    {"terminalTotalDifficulty", read_ttd, PLACE(config)},
    {"shanghaiTime", FORK_AT(SHANGHAI)},
    {"cancunTime", FORK_AT(CANCUN)},
    {"pragueTime", FORK_AT(PRAGUE)},
    {"osakaTime", FORK_AT(OSAKA)},
    {"bpo1Time", BLOB_AT(BPO1)},
    {"bpo2Time", BLOB_AT(BPO2)},
    {"bpo3Time", BLOB_AT(BPO3)},
    {"bpo4Time", BLOB_AT(BPO4)},
    {"bpo5Time", BLOB_AT(BPO5)},
    {"amsterdamTime", genesis_read_u64, PLACE(amsterdam)},
    {"blobSchedule", read_blob_schedule, 0},
    {"depositContractAddress", genesis_read_addr, PLACE(config.deposit_contract)},
    {"ethash", read_object, 0},
    {"clique", read_object, 0},
    {"consensus", read_consensus, 0},
    /* Without effect: they repeat what follows from the rest, or name forks that were given up. */
    {"eip150Hash", NULL, 0},
    {"terminalTotalDifficultyPassed", NULL, 0},
    {"mergeForkBlock", NULL, 0},
    {"parisBlock", read_paris, 0},
    {"yolov2Block", NULL, 0},
    {"yolov3Block", NULL, 0},
    {0},
};

static void read_ttd(struct genesis_reader *r, void *place, json value)
{
    struct chain_config *config = place;
    u32 mistakes = r->mistakes;
    genesis_read_u256(r, &config->ttd, value);
    config->has_ttd = r->mistakes == mistakes;
}

/* Another client's, in files made for several. */
static void read_paris(struct genesis_reader *r, void *place, json value)
{
    (void)place;
    (void)value;
    genesis_warning(r, "is without effect: terminalTotalDifficulty decides");
}

static void read_object(struct genesis_reader *r, void *place, json value)
{
    (void)place;
    if (!genesis_wants(r, value, JSON_KIND_OBJECT))
        return;
}

/* The place for engines of later versions: a network must not start under rules that it did not ask for. */
static void read_consensus(struct genesis_reader *r, void *place, json value)
{
    (void)place;
    if (!genesis_wants(r, value, JSON_KIND_OBJECT))
        return;
    struct json_iter it = json_iter(value);
    while (!genesis_is_over(r) && json_next(&it)) {
        genesis_push(r, (u32)it.index - 1, it.key);
        genesis_key_mistake(r, "is not a consensus engine that this program has");
        genesis_pop(r);
    }
}

/* --- the blob schedule ------------------------------------------------------------------------ */

struct blob_row {
    u64 target, max, fraction;
};

static const struct genesis_key row_keys[] = {
    {"target", genesis_read_u64, offsetof(struct blob_row, target)},
    {"max", genesis_read_u64, offsetof(struct blob_row, max)},
    {"baseFeeUpdateFraction", genesis_read_u64, offsetof(struct blob_row, fraction)},
    {0},
};

static void read_blob_row(struct genesis_reader *r, void *place, json value)
{
    struct genesis_seen seen;
    struct blob_row row = {0};
    u32 mistakes = r->mistakes;
    genesis_read_object(r, row_keys, &row, &seen, value);
    if (r->mistakes > mistakes)
        return;
    for (size_t i = 0; row_keys[i].name; i++)
        if (seen.at[i] == GENESIS_ABSENT)
            genesis_key_mistake(r, "%s is missing", row_keys[i].name);
    if (r->mistakes > mistakes)
        return;
    if (!row.fraction)
        genesis_key_mistake(r, "baseFeeUpdateFraction must not be zero");
    else if (!row.max || row.max > UINT32_MAX || row.target > row.max)
        genesis_key_mistake(r, "max must be from 1 to 4294967295 and not below target");
    else
        *(struct blob_params *)place =
            (struct blob_params){(u32)row.target, (u32)row.max, row.fraction};
}

#define ROW(id, name) {name, read_blob_row, offsetof(struct chain_config, blob[BLOB_UPGRADE_##id])},

static const struct genesis_key schedule_keys[] = {BLOB_UPGRADES(ROW){"amsterdam", NULL, 0}, {0}};

static void read_blob_schedule(struct genesis_reader *r, void *place, json value)
{
    struct genesis_seen seen;
    struct given *given = place;
    genesis_read_object(r, schedule_keys, &given->config, &seen, value);
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++)
        given->has_rows[i] = seen.at[i] != GENESIS_ABSENT;
}

/* --- what must hold between keys -------------------------------------------------------------- */

/* The order that forks must keep; an optional one may be left out before others. */
static const struct order {
    const char *key;
    size_t offset;
    bool is_optional, is_time;
} ORDER[] = {
    {"homesteadBlock", PLACE(config.fork_at[FORK_HOMESTEAD]), false, false},
    {"daoForkBlock", PLACE(config.dao_block), true, false},
    {"eip150Block", PLACE(config.fork_at[FORK_TANGERINE]), false, false},
    {"eip155Block", PLACE(eip155), false, false},
    {"eip158Block", PLACE(config.fork_at[FORK_SPURIOUS]), false, false},
    {"byzantiumBlock", PLACE(config.fork_at[FORK_BYZANTIUM]), false, false},
    {"constantinopleBlock", PLACE(config.fork_at[FORK_CONSTANTINOPLE]), false, false},
    {"petersburgBlock", PLACE(config.fork_at[FORK_PETERSBURG]), false, false},
    {"istanbulBlock", PLACE(config.fork_at[FORK_ISTANBUL]), false, false},
    {"muirGlacierBlock", PLACE(config.muir_glacier), true, false},
    {"berlinBlock", PLACE(config.fork_at[FORK_BERLIN]), false, false},
    {"londonBlock", PLACE(config.fork_at[FORK_LONDON]), false, false},
    {"arrowGlacierBlock", PLACE(config.arrow_glacier), true, false},
    {"grayGlacierBlock", PLACE(config.gray_glacier), true, false},
    {"mergeNetsplitBlock", PLACE(config.merge_netsplit), true, false},
    {"shanghaiTime", PLACE(config.fork_at[FORK_SHANGHAI]), false, true},
    {"cancunTime", PLACE(config.fork_at[FORK_CANCUN]), false, true},
    {"pragueTime", PLACE(config.fork_at[FORK_PRAGUE]), false, true},
    {"osakaTime", PLACE(config.fork_at[FORK_OSAKA]), false, true},
    {"bpo1Time", PLACE(config.blob_at[BLOB_UPGRADE_BPO1]), true, true},
    {"bpo2Time", PLACE(config.blob_at[BLOB_UPGRADE_BPO2]), true, true},
    {"bpo3Time", PLACE(config.blob_at[BLOB_UPGRADE_BPO3]), true, true},
    {"bpo4Time", PLACE(config.blob_at[BLOB_UPGRADE_BPO4]), true, true},
    {"bpo5Time", PLACE(config.blob_at[BLOB_UPGRADE_BPO5]), true, true},
};

static u64 when(const struct given *given, const struct order *order)
{
    return *(const u64 *)((const u8 *)given + order->offset);
}

/* One fork against the one that must come before it. */
static void check_pair(struct genesis_reader *r, const struct given *given,
                       const struct order *before, const struct order *order)
{
    u64 earlier = when(given, before), at = when(given, order);
    const char *unit = order->is_time ? "time" : "block";
    if (earlier == CONFIG_NEVER)
        genesis_mistake(r, "comes at %s %llu, but %s, which must come before it, is missing", unit,
                        (unsigned long long)at, before->key);
    else if (before->is_time == order->is_time && earlier > at)
        genesis_mistake(r, "comes at %s %llu, but %s, which must not be later, at %llu", unit,
                        (unsigned long long)at, before->key, (unsigned long long)earlier);
}

static void check_order(struct genesis_reader *r, const struct given *given,
                        const struct genesis_seen *seen)
{
    const struct order *before = NULL;
    for (size_t i = 0; i < ARRAY_LEN(ORDER); i++) {
        const struct order *order = &ORDER[i];
        bool is_set = when(given, order) != CONFIG_NEVER;
        bool is_given = genesis_has(seen, config_keys, order->key);
        if (is_given && before) {
            genesis_push_key(r, seen, config_keys, order->key);
            check_pair(r, given, before, order);
            genesis_pop(r);
        }
        if (is_given || (!is_set && !order->is_optional))
            before = order;
    }
}

/* EIP-7840: every fork with blobs has its row. Osaka brought none of its own and may go without. */
static void check_blob_rows(struct genesis_reader *r, const struct given *given,
                            const struct genesis_seen *seen)
{
    static const struct {
        const char *key;
        enum blob_upgrade row;
    } needs[] = {
        {"cancunTime", BLOB_UPGRADE_CANCUN}, {"pragueTime", BLOB_UPGRADE_PRAGUE},
        {"bpo1Time", BLOB_UPGRADE_BPO1},     {"bpo2Time", BLOB_UPGRADE_BPO2},
        {"bpo3Time", BLOB_UPGRADE_BPO3},     {"bpo4Time", BLOB_UPGRADE_BPO4},
        {"bpo5Time", BLOB_UPGRADE_BPO5},
    };
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (!genesis_has(seen, config_keys, needs[i].key) || given->has_rows[needs[i].row])
            continue;
        const struct blob_params *usual = given->config.blob + needs[i].row;
        genesis_push_key(r, seen, config_keys, needs[i].key);
        genesis_key_mistake(r,
                            "blobSchedule has no entry \"%.*s\", such as {\"target\": %u, "
                            "\"max\": %u, \"baseFeeUpdateFraction\": %llu}",
                            (int)(strlen(needs[i].key) - strlen("Time")), needs[i].key,
                            usual->target, usual->max, (unsigned long long)usual->update_fraction);
        genesis_pop(r);
    }
}

static void check_merge(struct genesis_reader *r, const struct given *given,
                        const struct genesis_seen *seen)
{
    const struct chain_config *config = &given->config;
    if (!genesis_has(seen, config_keys, "terminalTotalDifficulty") &&
        genesis_has(seen, config_keys, "shanghaiTime")) {
        genesis_push_key(r, seen, config_keys, "shanghaiTime");
        genesis_mistake(r, "is set, but terminalTotalDifficulty is missing");
        genesis_pop(r);
    }
    bool is_merged = config->has_ttd && u256_is_zero(config->ttd);
    if (genesis_has(seen, config_keys, "clique") && !is_merged) {
        genesis_push_key(r, seen, config_keys, "clique");
        genesis_key_mistake(r, "Clique's seals are not known here: a network must begin after the "
                               "merge (terminalTotalDifficulty 0) or with ethash");
        genesis_pop(r);
    }
}

static void check_known(struct genesis_reader *r, const struct given *given,
                        const struct genesis_seen *seen)
{
    if (!genesis_has(seen, config_keys, "chainId"))
        genesis_key_mistake(r, "chainId is missing");
    else if (!given->config.chain_id) {
        genesis_push_key(r, seen, config_keys, "chainId");
        genesis_mistake(r, "must not be zero");
        genesis_pop(r);
    }
    if (genesis_has(seen, config_keys, "amsterdamTime")) {
        genesis_push_key(r, seen, config_keys, "amsterdamTime");
        genesis_key_mistake(r, "Amsterdam's rules are not known here");
        genesis_pop(r);
    }
    bool has_155 = genesis_has(seen, config_keys, "eip155Block");
    if (has_155 && given->eip155 != given->config.fork_at[FORK_SPURIOUS] &&
        given->config.fork_at[FORK_SPURIOUS] != CONFIG_NEVER) {
        genesis_push_key(r, seen, config_keys, "eip155Block");
        genesis_mistake(r, "must be the same as eip158Block");
        genesis_pop(r);
    }
}

/* What geth lets out. */
static void settle(struct given *given)
{
    u64 *at = given->config.fork_at;
    if (at[FORK_SPURIOUS] == CONFIG_NEVER)
        at[FORK_SPURIOUS] = given->eip155;
    if (given->eip155 == CONFIG_NEVER)
        given->eip155 = at[FORK_SPURIOUS];
    if (at[FORK_PETERSBURG] == CONFIG_NEVER)
        at[FORK_PETERSBURG] = at[FORK_CONSTANTINOPLE];
    at[FORK_PARIS] = given->config.has_ttd ? 0 : CONFIG_NEVER;
    given->config.blob_at[BLOB_UPGRADE_CANCUN] = at[FORK_CANCUN];
    given->config.blob_at[BLOB_UPGRADE_PRAGUE] = at[FORK_PRAGUE];
    given->config.blob_at[BLOB_UPGRADE_OSAKA] = at[FORK_OSAKA];
    if (given->has_rows[BLOB_UPGRADE_PRAGUE] && !given->has_rows[BLOB_UPGRADE_OSAKA])
        given->config.blob[BLOB_UPGRADE_OSAKA] = given->config.blob[BLOB_UPGRADE_PRAGUE];
}

void genesis_read_config(struct genesis_reader *r, void *config, json value)
{
    struct genesis_seen seen;
    struct given given = {.eip155 = CONFIG_NEVER, .amsterdam = CONFIG_NEVER};
    chain_config_init(&given.config, FORK_FRONTIER);
    if (!genesis_wants(r, value, JSON_KIND_OBJECT))
        return;
    genesis_read_object(r, config_keys, &given, &seen, value);
    settle(&given);
    check_known(r, &given, &seen);
    check_order(r, &given, &seen);
    check_merge(r, &given, &seen);
    check_blob_rows(r, &given, &seen);
    *(struct chain_config *)config = given.config;
}
