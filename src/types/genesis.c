#include "types/genesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types/genesis_int.h"

enum { JSON_DEPTH_MAX = 64 };

/* The file before it is a genesis block. */
struct file {
    struct chain_config config;
    struct header header;
    struct genesis_bytes extra;
    struct genesis_accounts accounts;
};

#define HEADER(field) offsetof(struct file, header.field)

static const struct genesis_key file_keys[] = {
    {"config", genesis_read_config, offsetof(struct file, config)},
    {"alloc", genesis_read_alloc, offsetof(struct file, accounts)},
    {"nonce", genesis_read_nonce, HEADER(nonce)},
    {"timestamp", genesis_read_u64, HEADER(timestamp)},
    {"extraData", genesis_read_bytes, offsetof(struct file, extra)},
    {"gasLimit", genesis_read_u64, HEADER(gas_limit)},
    {"difficulty", genesis_read_u256, HEADER(difficulty)},
    {"mixHash", genesis_read_hash, HEADER(mix_hash)},
    {"coinbase", genesis_read_addr, HEADER(coinbase)},
    {"number", genesis_read_u64, HEADER(number)},
    {"gasUsed", genesis_read_u64, HEADER(gas_used)},
    {"parentHash", genesis_read_hash, HEADER(parent_hash)},
    {"baseFeePerGas", genesis_read_u256, HEADER(base_fee)},
    {"excessBlobGas", genesis_read_u64, HEADER(excess_blob_gas)},
    {"blobGasUsed", genesis_read_u64, HEADER(blob_gas_used)},
    {"parentBeaconBlockRoot", genesis_read_hash, HEADER(parent_beacon_root)},
    {0},
};

void genesis_complete_header(struct header *header, const struct chain_config *config)
{
    const u64 initial_base_fee = 1000000000; /* EIP-1559 */
    enum fork fork =
        chain_config_fork(config, header->number, header->timestamp, header->difficulty);
    header->fields = header_fields_of(fork);
    /* A network that has yet to merge may have passed the times of later forks: as in geth, they shape its
     * first header all the same. */
    enum fork later = chain_config_fork_merged(config, header->number, header->timestamp, true);
    if (fork == FORK_LONDON && later > FORK_PARIS)
        header->fields = header_fields_of(later);
    header->ommers_hash = HEADER_NO_OMMERS;
    header->tx_root = header->receipts_root = header->withdrawals_root = HEADER_EMPTY_ROOT;
    header->requests_hash = HEADER_NO_REQUESTS;
    if (fork >= FORK_LONDON && u256_is_zero(header->base_fee))
        header->base_fee = u256_from_u64(initial_base_fee);
}

static void check_header(struct genesis_reader *r, const struct file *file,
                         const struct genesis_seen *seen)
{
    enum { GAS_LIMIT_MIN = 5000, EXTRA_MAX = 32 }; /* Yellow Paper 4.4.4 */
    static const char *const needed[] = {"config", "gasLimit", "difficulty", "alloc"};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!genesis_has(seen, file_keys, needed[i]))
            genesis_mistake(r, "%s is missing", needed[i]);
    if (genesis_has(seen, file_keys, "gasLimit") && file->header.gas_limit < GAS_LIMIT_MIN) {
        genesis_push_key(r, seen, file_keys, "gasLimit");
        genesis_mistake(r, "no block may have a gas limit below %d", GAS_LIMIT_MIN);
        genesis_pop(r);
    }
    if (file->header.number) {
        genesis_push_key(r, seen, file_keys, "number");
        genesis_mistake(r, "a chain begins with block 0");
        genesis_pop(r);
    }
    if (file->extra.len > EXTRA_MAX) {
        genesis_push_key(r, seen, file_keys, "extraData");
        genesis_warning(r, "%zu bytes, but blocks may have %d, and some clients read no more",
                        file->extra.len, EXTRA_MAX);
        genesis_pop(r);
    }
}

static void file_to_genesis(struct genesis *genesis, struct file *file, bool has_base_fee)
{
    u256 base_fee = file->header.base_fee;
    file->header.extra = file->extra.bytes;
    file->header.extra_len = file->extra.len;
    genesis_complete_header(&file->header, &file->config);
    if (has_base_fee)
        file->header.base_fee = base_fee;
    *genesis = (struct genesis){.config = file->config,
                                .header = file->header,
                                .accounts = file->accounts.list,
                                .account_count = file->accounts.count};
}

/* json_parse's words begin with "line 3, column 5: ", but for those of a whole file. */
static void json_mistake(struct genesis_reader *r, const struct err *err)
{
    static const char line[] = "line ", column[] = ", column ";
    struct genesis_finding finding = {.is_mistake = true, .text = err->text};
    char *at;
    if (strncmp(err->text, line, strlen(line)) == 0) {
        finding.line = (unsigned)strtoul(err->text + strlen(line), &at, 10);
        finding.column = (unsigned)strtoul(at + strlen(column), &at, 10);
        finding.text = at + strlen(": ");
    }
    r->found(r->ctx, &finding);
}

static enum status read_file(struct genesis_reader *r, struct genesis *genesis)
{
    struct err err;
    struct json_doc *doc;
    struct genesis_seen seen;
    struct file file = {.header.gas_limit = UINT64_MAX};
    if (json_parse(&doc, r->text, r->len, JSON_DEPTH_MAX, &err) != STATUS_OK) {
        json_mistake(r, &err);
        return STATUS_INVALID;
    }
    json root = json_root(doc);
    genesis_read_object(r, file_keys, &file, &seen, root);
    if (json_kind(root) == JSON_KIND_OBJECT)
        check_header(r, &file, &seen);
    bool has_base_fee = genesis_has(&seen, file_keys, "baseFeePerGas");
    json_free(doc);
    if (r->mistakes)
        return STATUS_INVALID;
    file_to_genesis(genesis, &file, has_base_fee);
    return STATUS_OK;
}

enum status genesis_check(struct genesis *genesis, struct arena *arena, const char *text,
                          size_t len, genesis_found *found, void *ctx)
{
    struct genesis_reader reader = {.arena = arena,
                                    .text = text,
                                    .len = len,
                                    .found = found,
                                    .ctx = ctx,
                                    .mistakes_max = GENESIS_FINDINGS_MAX};
    return read_file(&reader, genesis);
}

static void keep_mistake(void *ctx, const struct genesis_finding *finding)
{
    if (!finding->is_mistake)
        return;
    if (finding->line)
        err_set(ctx, STATUS_INVALID, "genesis: line %u, column %u: %s", finding->line,
                finding->column, finding->text);
    else
        err_set(ctx, STATUS_INVALID, "genesis: %s", finding->text);
}

enum status genesis_parse(struct genesis *genesis, struct arena *arena, const char *text,
                          size_t len, struct err *err)
{
    struct genesis_reader reader = {.arena = arena,
                                    .text = text,
                                    .len = len,
                                    .found = keep_mistake,
                                    .ctx = err,
                                    .mistakes_max = 1};
    return read_file(&reader, genesis);
}
