#include "types/genesis.h"

#include <stdio.h>
#include <string.h>

#include "prim/hex.h"

/* Every reader below names the field that it could not read, and leaves its output untouched
 * then. */

/* --- scalars ---------------------------------------------------------------------------------- */

static enum status wrong(struct err *err, const char *field, const char *wanted, json value)
{
    return err_set(err, STATUS_INVALID, "%s must be %s, but is %s", field, wanted,
                   json_kind_name(json_kind(value)));
}

static enum status read_u256(u256 *out, json value, const char *field, struct err *err)
{
    const char *text =
        json_kind(value) == JSON_KIND_NUMBER ? json_number_text(value) : json_text(value);
    if (!text)
        return wrong(err, field, "a number", value);
    if (!u256_parse(out, text))
        return err_set(err, STATUS_INVALID,
                       "%s: \"%.80s\" is not a decimal or 0x number below 2^256", field, text);
    return STATUS_OK;
}

static enum status read_u64(u64 *out, json value, const char *field, struct err *err)
{
    u256 wide;
    enum status status = read_u256(&wide, value, field, err);
    if (status != STATUS_OK)
        return status;
    if (!u256_fits_u64(wide))
        return err_set(err, STATUS_INVALID, "%s does not fit 64 bits", field);
    *out = u256_low(wide);
    return STATUS_OK;
}

static enum status read_bool(bool *out, json value, const char *field, struct err *err)
{
    return json_bool(value, out) ? STATUS_OK : wrong(err, field, "true or false", value);
}

/* Exactly size bytes, "0x" or not. */
static enum status read_fixed(u8 *out, size_t size, const char *text, size_t len, const char *field,
                              struct err *err)
{
    u8 bytes[256];
    if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        len -= 2;
    }
    enum hex_verdict verdict = len == 2 * size ? hex_decode_bare(bytes, text, len) : HEX_BAD_LENGTH;
    if (verdict != HEX_OK)
        return err_set(err, STATUS_INVALID, "%s must be %zu bytes in hex: %s", field, size,
                       hex_verdict_text(verdict));
    memcpy(out, bytes, size);
    return STATUS_OK;
}

static enum status read_fixed_json(u8 *out, size_t size, json value, const char *field,
                                   struct err *err)
{
    size_t len;
    const char *text = json_text_len(value, &len);
    return text ? read_fixed(out, size, text, len, field, err)
                : wrong(err, field, "hex text", value);
}

static enum status read_bytes(const u8 **out, size_t *out_len, struct arena *arena, json value,
                              const char *field, struct err *err)
{
    size_t len, bytes_len;
    const char *text = json_text_len(value, &len);
    if (!text)
        return wrong(err, field, "hex text", value);
    if (!len) {
        *out_len = 0;
        return STATUS_OK;
    }
    u8 *bytes = arena_alloc(arena, len / 2);
    enum hex_verdict verdict = hex_decode(bytes, &bytes_len, len / 2, text, len);
    if (verdict != HEX_OK)
        return err_set(err, STATUS_INVALID, "%s: %s", field, hex_verdict_text(verdict));
    *out = bytes;
    *out_len = bytes_len;
    return STATUS_OK;
}

/* Storage keys and values: up to 32 bytes of hex, filled up with zeroes on the left. */
static enum status read_word(hash32 *out, const char *text, size_t len, const char *field,
                             struct err *err)
{
    char prefixed[67];
    bool has_prefix = len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    size_t digits = has_prefix ? len - 2 : len;
    u256 word = U256_ZERO;
    if (digits <= 64) {
        memcpy(prefixed, "0x", 2);
        memcpy(prefixed + 2, text + (has_prefix ? 2 : 0), digits);
    }
    if (digits > 64 || (digits && !u256_parse_n(&word, prefixed, digits + 2)))
        return err_set(err, STATUS_INVALID, "%s: \"%.*s\" is not a word of up to 32 bytes in hex",
                       field, (int)(len > 80 ? 80 : len), text);
    *out = u256_to_hash(word);
    return STATUS_OK;
}

/* --- config ----------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    enum fork fork;
} FORK_KEYS[] = {
    {"homesteadBlock", FORK_HOMESTEAD},
    {"eip150Block", FORK_TANGERINE},
    {"eip158Block", FORK_SPURIOUS},
    {"byzantiumBlock", FORK_BYZANTIUM},
    {"constantinopleBlock", FORK_CONSTANTINOPLE},
    {"petersburgBlock", FORK_PETERSBURG},
    {"istanbulBlock", FORK_ISTANBUL},
    {"berlinBlock", FORK_BERLIN},
    {"londonBlock", FORK_LONDON},
    {"shanghaiTime", FORK_SHANGHAI},
    {"cancunTime", FORK_CANCUN},
    {"pragueTime", FORK_PRAGUE},
    {"osakaTime", FORK_OSAKA},
};

static const char *const BPO_KEYS[] = {"bpo1Time", "bpo2Time", "bpo3Time", "bpo4Time", "bpo5Time"};

/* Accepted without effect: they concern fork ids, other engines, or repeat what follows from the
 * rest. */
static const char *const IGNORED_KEYS[] = {
    "eip150Hash", "mergeNetsplitBlock", "terminalTotalDifficultyPassed", "ethash",
    "clique",     "mergeForkBlock",
};

/* Several keys of the configuration are a place for a number and nothing more. */
static u64 *config_place(struct chain_config *config, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(FORK_KEYS); i++)
        if (strcmp(FORK_KEYS[i].key, key) == 0)
            return &config->fork_at[FORK_KEYS[i].fork];
    for (size_t i = 0; i < ARRAY_LEN(BPO_KEYS); i++)
        if (strcmp(BPO_KEYS[i], key) == 0)
            return &config->blob_at[BLOB_UPGRADE_BPO1 + i];
    if (strcmp(key, "chainId") == 0)
        return &config->chain_id;
    if (strcmp(key, "daoForkBlock") == 0)
        return &config->dao_block;
    if (strcmp(key, "muirGlacierBlock") == 0)
        return &config->muir_glacier;
    if (strcmp(key, "arrowGlacierBlock") == 0)
        return &config->arrow_glacier;
    if (strcmp(key, "grayGlacierBlock") == 0)
        return &config->gray_glacier;
    return NULL;
}

static bool is_ignored(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(IGNORED_KEYS); i++)
        if (strcmp(IGNORED_KEYS[i], key) == 0)
            return true;
    return false;
}

static enum status read_blob_row(struct chain_config *config, const char *upgrade, json row,
                                 struct err *err)
{
    u64 target = 0, max = 0, fraction = 0;
    struct json_iter it = json_iter(row);
    if (json_kind(row) != JSON_KIND_OBJECT)
        return wrong(err, "config.blobSchedule's row", "an object", row);
    while (json_next(&it)) {
        u64 *place = strcmp(it.key, "target") == 0 ? &target
                     : strcmp(it.key, "max") == 0  ? &max
                                                   : NULL;
        if (strcmp(it.key, "baseFeeUpdateFraction") == 0)
            place = &fraction;
        if (!place)
            return err_set(err, STATUS_INVALID, "config.blobSchedule.%s.%s is not known", upgrade,
                           it.key);
        enum status status = read_u64(place, it.value, it.key, err);
        if (status != STATUS_OK) {
            err_prefix(err, "config.blobSchedule.%s", upgrade);
            return status;
        }
    }
    if (!fraction || !max || target > max || max > UINT32_MAX)
        return err_set(err, STATUS_INVALID,
                       "config.blobSchedule.%s needs target, max (not below target) and "
                       "baseFeeUpdateFraction, none of the latter zero",
                       upgrade);
    if (!chain_config_set_blob(config, upgrade, (u32)target, (u32)max, fraction))
        return err_set(err, STATUS_INVALID, "config.blobSchedule.%s is not an upgrade known here",
                       upgrade);
    return STATUS_OK;
}

static enum status read_blob_schedule(struct chain_config *config, json rows, struct err *err)
{
    struct json_iter it = json_iter(rows);
    if (json_kind(rows) != JSON_KIND_OBJECT)
        return wrong(err, "config.blobSchedule", "an object", rows);
    while (json_next(&it)) {
        enum status status = read_blob_row(config, it.key, it.value, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_config_key(struct chain_config *config, u64 *eip155, const char *key,
                                   json value, struct err *err)
{
    u64 *place = config_place(config, key);
    if (strcmp(key, "eip155Block") == 0)
        place = eip155;
    if (json_kind(value) == JSON_KIND_NULL || is_ignored(key))
        return STATUS_OK;
    if (place)
        return read_u64(place, value, key, err);
    if (strcmp(key, "terminalTotalDifficulty") == 0) {
        config->has_ttd = true;
        return read_u256(&config->ttd, value, key, err);
    }
    if (strcmp(key, "daoForkSupport") == 0)
        return read_bool(&config->dao_support, value, key, err);
    if (strcmp(key, "depositContractAddress") == 0)
        return read_fixed_json(config->deposit_contract.b, sizeof config->deposit_contract.b, value,
                               key, err);
    if (strcmp(key, "blobSchedule") == 0)
        return read_blob_schedule(config, value, err);
    return err_set(err, STATUS_INVALID, "%s is not a key known here", key);
}

/* What geth lets out, and an order that makes sense. */
static enum status settle_config(struct chain_config *config, u64 eip155, struct err *err)
{
    u64 *at = config->fork_at;
    if (at[FORK_SPURIOUS] == CONFIG_NEVER)
        at[FORK_SPURIOUS] = eip155;
    if (eip155 != CONFIG_NEVER && eip155 != at[FORK_SPURIOUS])
        return err_set(err, STATUS_UNSUPPORTED,
                       "config: eip155Block and eip158Block must be the same");
    if (at[FORK_PETERSBURG] == CONFIG_NEVER)
        at[FORK_PETERSBURG] = at[FORK_CONSTANTINOPLE];
    at[FORK_PARIS] = config->has_ttd ? 0 : CONFIG_NEVER;
    for (size_t i = 1; i < ARRAY_LEN(FORK_KEYS); i++) {
        enum fork fork = FORK_KEYS[i].fork, before = FORK_KEYS[i - 1].fork;
        if (fork == FORK_SHANGHAI || at[fork] == CONFIG_NEVER)
            continue;
        if (at[before] > at[fork])
            return err_set(err, STATUS_INVALID, "config: %s is earlier than %s, or that is missing",
                           FORK_KEYS[i].key, FORK_KEYS[i - 1].key);
    }
    if (at[FORK_SHANGHAI] != CONFIG_NEVER && !config->has_ttd)
        return err_set(err, STATUS_INVALID,
                       "config: shanghaiTime is set, but terminalTotalDifficulty is missing");
    config->blob_at[BLOB_UPGRADE_CANCUN] = at[FORK_CANCUN];
    config->blob_at[BLOB_UPGRADE_PRAGUE] = at[FORK_PRAGUE];
    config->blob_at[BLOB_UPGRADE_OSAKA] = at[FORK_OSAKA];
    return STATUS_OK;
}

enum status genesis_parse_config(struct chain_config *config, json object, struct err *err)
{
    struct chain_config made;
    u64 eip155 = CONFIG_NEVER;
    struct json_iter it = json_iter(object);
    if (json_kind(object) != JSON_KIND_OBJECT)
        return wrong(err, "config", "an object", object);
    chain_config_init(&made, FORK_FRONTIER);
    while (json_next(&it)) {
        enum status status = read_config_key(&made, &eip155, it.key, it.value, err);
        if (status != STATUS_OK) {
            err_prefix(err, "config");
            return status;
        }
    }
    enum status status = settle_config(&made, eip155, err);
    if (status == STATUS_OK)
        *config = made;
    return status;
}

/* --- alloc ------------------------------------------------------------------------------------ */

static enum status read_storage(struct genesis_account *account, struct arena *arena, json object,
                                struct err *err)
{
    struct json_iter it = json_iter(object);
    if (json_kind(object) != JSON_KIND_OBJECT)
        return wrong(err, "storage", "an object", object);
    struct genesis_slot *slots = arena_alloc(arena, json_count(object) * sizeof *slots);
    u32 count = 0;
    while (json_next(&it)) {
        size_t len;
        const char *text = json_text_len(it.value, &len);
        if (!text)
            return wrong(err, "storage's value", "hex text", it.value);
        enum status status = read_word(&slots[count].key, it.key, it.key_len, "storage key", err);
        if (status == STATUS_OK)
            status = read_word(&slots[count].value, text, len, "storage value", err);
        if (status != STATUS_OK)
            return status;
        count++;
    }
    account->slots = slots;
    account->slot_count = count;
    return STATUS_OK;
}

static enum status read_account_key(struct genesis_account *account, struct arena *arena,
                                    const char *key, json value, struct err *err)
{
    if (strcmp(key, "balance") == 0)
        return read_u256(&account->balance, value, key, err);
    if (strcmp(key, "nonce") == 0)
        return read_u64(&account->nonce, value, key, err);
    if (strcmp(key, "code") == 0)
        return read_bytes(&account->code, &account->code_len, arena, value, key, err);
    if (strcmp(key, "storage") == 0)
        return read_storage(account, arena, value, err);
    if (strcmp(key, "secretKey") == 0 || strcmp(key, "privateKey") == 0 ||
        strcmp(key, "comment") == 0)
        return STATUS_OK; /* test files and developers note them here */
    return err_set(err, STATUS_INVALID, "%s is not a key known here", key);
}

static enum status read_account(struct genesis_account *account, struct arena *arena,
                                const char *addr, size_t addr_len, json object, struct err *err)
{
    struct json_iter it = json_iter(object);
    *account = (struct genesis_account){0};
    if (json_kind(object) != JSON_KIND_OBJECT)
        return wrong(err, "the account", "an object", object);
    enum status status =
        read_fixed(account->addr.b, sizeof account->addr.b, addr, addr_len, "the address", err);
    while (status == STATUS_OK && json_next(&it))
        status = json_kind(it.value) == JSON_KIND_NULL
                     ? STATUS_OK
                     : read_account_key(account, arena, it.key, it.value, err);
    return status;
}

enum status genesis_parse_alloc(const struct genesis_account **accounts, u32 *count,
                                struct arena *arena, json object, struct err *err)
{
    struct json_iter it = json_iter(object);
    if (json_kind(object) != JSON_KIND_OBJECT)
        return wrong(err, "alloc", "an object", object);
    size_t n = json_count(object);
    struct genesis_account *list = arena_alloc(arena, n * sizeof *list);
    for (size_t i = 0; json_next(&it); i++) {
        enum status status = read_account(&list[i], arena, it.key, it.key_len, it.value, err);
        if (status != STATUS_OK) {
            err_prefix(err, "alloc.%.42s", it.key);
            return status;
        }
    }
    *accounts = list;
    *count = (u32)n;
    return STATUS_OK;
}

/* --- the header ------------------------------------------------------------------------------- */

struct given {
    bool base_fee, gas_limit;
};

static enum status read_header_key(struct header *header, struct given *given, struct arena *arena,
                                   const char *key, json value, struct err *err)
{
    if (strcmp(key, "nonce") == 0) {
        u64 nonce;
        enum status status = read_u64(&nonce, value, key, err);
        for (int i = 0; status == STATUS_OK && i < 8; i++)
            header->nonce[i] = (u8)(nonce >> (56 - 8 * i));
        return status;
    }
    if (strcmp(key, "timestamp") == 0)
        return read_u64(&header->timestamp, value, key, err);
    if (strcmp(key, "extraData") == 0)
        return read_bytes(&header->extra, &header->extra_len, arena, value, key, err);
    if (strcmp(key, "gasLimit") == 0) {
        given->gas_limit = true;
        return read_u64(&header->gas_limit, value, key, err);
    }
    if (strcmp(key, "gasUsed") == 0)
        return read_u64(&header->gas_used, value, key, err);
    if (strcmp(key, "number") == 0)
        return read_u64(&header->number, value, key, err);
    if (strcmp(key, "difficulty") == 0)
        return read_u256(&header->difficulty, value, key, err);
    if (strcmp(key, "mixHash") == 0 || strcmp(key, "mixhash") == 0)
        return read_fixed_json(header->mix_hash.b, 32, value, key, err);
    if (strcmp(key, "parentHash") == 0)
        return read_fixed_json(header->parent_hash.b, 32, value, key, err);
    if (strcmp(key, "coinbase") == 0)
        return read_fixed_json(header->coinbase.b, 20, value, key, err);
    if (strcmp(key, "parentBeaconBlockRoot") == 0)
        return read_fixed_json(header->parent_beacon_root.b, 32, value, key, err);
    if (strcmp(key, "baseFeePerGas") == 0) {
        given->base_fee = true;
        return read_u256(&header->base_fee, value, key, err);
    }
    if (strcmp(key, "excessBlobGas") == 0)
        return read_u64(&header->excess_blob_gas, value, key, err);
    if (strcmp(key, "blobGasUsed") == 0)
        return read_u64(&header->blob_gas_used, value, key, err);
    return err_set(err, STATUS_INVALID, "%s is not a key known here", key);
}

void genesis_complete_header(struct header *header, const struct chain_config *config)
{
    const u64 initial_base_fee = 1000000000; /* EIP-1559 */
    enum fork fork =
        chain_config_fork(config, header->number, header->timestamp, header->difficulty);
    header->fields = header_fields_of(fork);
    header->ommers_hash = HEADER_NO_OMMERS;
    header->tx_root = header->receipts_root = header->withdrawals_root = HEADER_EMPTY_ROOT;
    header->requests_hash = HEADER_NO_REQUESTS;
    if (fork >= FORK_LONDON && u256_is_zero(header->base_fee))
        header->base_fee = u256_from_u64(initial_base_fee);
}

static enum status parse_keys(struct genesis *genesis, struct given *given, struct arena *arena,
                              json root, struct err *err)
{
    struct json_iter it = json_iter(root);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && json_next(&it)) {
        if (strcmp(it.key, "config") == 0)
            status = genesis_parse_config(&genesis->config, it.value, err);
        else if (strcmp(it.key, "alloc") == 0)
            status = genesis_parse_alloc(&genesis->accounts, &genesis->account_count, arena,
                                         it.value, err);
        else if (json_kind(it.value) != JSON_KIND_NULL)
            status = read_header_key(&genesis->header, given, arena, it.key, it.value, err);
    }
    return status;
}

enum status genesis_parse_json(struct genesis *genesis, struct arena *arena, json root,
                               struct err *err)
{
    struct genesis made = {0};
    struct given given = {0};
    if (json_kind(root) != JSON_KIND_OBJECT)
        return wrong(err, "the genesis file", "an object", root);
    enum status status = parse_keys(&made, &given, arena, root, err);
    if (status != STATUS_OK)
        return status;
    if (!json_get(root, "config"))
        return err_set(err, STATUS_INVALID, "config is missing");
    if (!given.gas_limit)
        return err_set(err, STATUS_INVALID, "gasLimit is missing");
    u256 base_fee = made.header.base_fee;
    genesis_complete_header(&made.header, &made.config);
    if (given.base_fee)
        made.header.base_fee = base_fee;
    *genesis = made;
    return STATUS_OK;
}

enum status genesis_parse(struct genesis *genesis, struct arena *arena, const char *text,
                          size_t len, struct err *err)
{
    enum { DEPTH_MAX = 64 };
    struct json_doc *doc;
    enum status status = json_parse(&doc, text, len, DEPTH_MAX, err);
    if (status == STATUS_OK) {
        status = genesis_parse_json(genesis, arena, json_root(doc), err);
        json_free(doc);
    }
    if (status != STATUS_OK)
        err_prefix(err, "genesis");
    return status;
}
