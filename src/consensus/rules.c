#include "consensus/rules.h"

#include <string.h>

#include "consensus/difficulty.h"
#include "consensus/fee.h"

enum { DAO_EXTRA_BLOCKS = 10 }; /* EIP-779 */

static const char DAO_EXTRA[] = "dao-hard-fork";

bool rules_gas_limit_follows(u64 gas_limit, u64 parent_gas_limit)
{
    u64 distance =
        gas_limit > parent_gas_limit ? gas_limit - parent_gas_limit : parent_gas_limit - gas_limit;
    return distance < parent_gas_limit / RULES_GAS_LIMIT_DIVISOR;
}

u64 rules_gas_limit_towards(u64 target, u64 parent_gas_limit)
{
    u64 step = parent_gas_limit / RULES_GAS_LIMIT_DIVISOR;
    step -= step > 0;
    if (target < parent_gas_limit)
        return target + step < parent_gas_limit ? parent_gas_limit - step : target;
    return target - parent_gas_limit > step ? parent_gas_limit + step : target;
}

static enum block_verdict check_gas(const struct chain_config *config, const struct header *header,
                                    const struct header *parent)
{
    u64 base = parent->gas_limit;
    if (header->number == config->fork_at[FORK_LONDON])
        base *= FEE_ELASTICITY; /* EIP-1559: the limit doubles to make room for the target */
    if (header->gas_limit < RULES_GAS_LIMIT_MIN || header->gas_limit > INT64_MAX ||
        !rules_gas_limit_follows(header->gas_limit, base))
        return BLOCK_GAS_LIMIT;
    return header->gas_used > header->gas_limit ? BLOCK_GAS_ABOVE_LIMIT : BLOCK_OK;
}

static enum block_verdict check_extra(const struct chain_config *config,
                                      const struct header *header)
{
    if (header->extra_len > RULES_EXTRA_MAX)
        return BLOCK_EXTRA_DATA;
    if (config->dao_block == CONFIG_NEVER || header->number < config->dao_block ||
        header->number - config->dao_block >= DAO_EXTRA_BLOCKS)
        return BLOCK_OK;
    bool marked = header->extra_len == sizeof DAO_EXTRA - 1 &&
                  memcmp(header->extra, DAO_EXTRA, sizeof DAO_EXTRA - 1) == 0;
    return marked == config->dao_support ? BLOCK_OK : BLOCK_DAO_EXTRA_DATA;
}

static enum block_verdict check_work(const struct chain_config *config, enum fork fork,
                                     const struct header *header, const struct header *parent)
{
    if (config->has_ttd && u256_is_zero(header->difficulty))
        return BLOCK_TERMINAL;
    struct difficulty_parent before = {
        .difficulty = parent->difficulty,
        .timestamp = parent->timestamp,
        .has_ommers = !hash32_eq(&parent->ommers_hash, &HEADER_NO_OMMERS),
    };
    u64 delay = chain_config_bomb_delay(config, header->number);
    u256 wanted = difficulty_next(fork, delay, header->number, header->timestamp, &before);
    return u256_eq(header->difficulty, wanted) ? BLOCK_OK : BLOCK_DIFFICULTY;
}

/* EIP-3675: what proof of work used is nailed down. */
static enum block_verdict check_merged(const struct header *header)
{
    static const u8 no_nonce[sizeof header->nonce];
    if (!u256_is_zero(header->difficulty))
        return BLOCK_TERMINAL;
    if (memcmp(header->nonce, no_nonce, sizeof no_nonce) != 0)
        return BLOCK_NONCE;
    return hash32_eq(&header->ommers_hash, &HEADER_NO_OMMERS) ? BLOCK_OK : BLOCK_OMMERS_HASH;
}

static enum block_verdict check_blobs(const struct chain_config *config, enum fork fork,
                                      const struct header *header, const struct header *parent)
{
    const struct blob_params *params = chain_config_blob_params(config, header->timestamp);
    if (!params)
        return BLOCK_HEADER_FIELDS;
    if (header->blob_gas_used > (u64)params->max * TX_BLOB_GAS ||
        header->blob_gas_used % TX_BLOB_GAS != 0)
        return BLOCK_BLOB_GAS_USED;
    u64 wanted = fee_excess_blob_gas(fork, params, parent->excess_blob_gas, parent->blob_gas_used,
                                     parent->base_fee);
    return header->excess_blob_gas == wanted ? BLOCK_OK : BLOCK_EXCESS_BLOB_GAS;
}

enum block_verdict rules_check_header(const struct chain_config *config,
                                      const struct header *header, const struct header *parent,
                                      u256 parent_td)
{
    enum fork fork = chain_config_fork(config, header->number, header->timestamp, parent_td);
    if (header->number != parent->number + 1)
        return BLOCK_NUMBER;
    if (header->timestamp <= parent->timestamp)
        return BLOCK_TIMESTAMP;
    if (header->fields != header_fields_of(fork))
        return BLOCK_HEADER_FIELDS;
    enum block_verdict verdict =
        fork >= FORK_PARIS ? check_merged(header) : check_work(config, fork, header, parent);
    if (verdict == BLOCK_OK)
        verdict = check_gas(config, header, parent);
    if (verdict == BLOCK_OK)
        verdict = check_extra(config, header);
    if (verdict == BLOCK_OK && fork >= FORK_LONDON &&
        !u256_eq(header->base_fee, fee_base_after(parent, config)))
        verdict = BLOCK_BASE_FEE;
    if (verdict == BLOCK_OK && fork >= FORK_CANCUN)
        verdict = check_blobs(config, fork, header, parent);
    return verdict;
}

enum block_verdict rules_check_body(const struct block *block, enum fork fork)
{
    const struct header *header = &block->header;
    hash32 ommers = block_ommers_hash(block->ommers, block->ommer_count);
    if (!hash32_eq(&ommers, &header->ommers_hash))
        return BLOCK_OMMERS_HASH;
    if (block->has_withdrawals != (fork >= FORK_SHANGHAI))
        return BLOCK_BODY_FIELDS;
    if (fork >= FORK_CANCUN) {
        u64 blobs = 0;
        for (u32 i = 0; i < block->tx_count; i++)
            blobs += block->txs[i].blob_count;
        if (header->blob_gas_used != blobs * TX_BLOB_GAS)
            return BLOCK_BLOB_GAS_USED;
    }
    if (fork >= FORK_OSAKA && block->size > RULES_BLOCK_SIZE_MAX) /* EIP-7934 */
        return BLOCK_TOO_LARGE;
    return BLOCK_OK;
}

/* --- ommers ----------------------------------------------------------------------------------- */

/* Was this header an ommer of one of the block's recent ancestors? */
static bool ommer_was_included(const struct rules_ancestry *ancestry, const hash32 *hash)
{
    for (unsigned g = 1; g <= RULES_OMMER_DEPTH + 1; g++) {
        const struct block *ancestor = ancestry->ancestor(ancestry->ctx, g);
        if (!ancestor)
            return false;
        for (u32 i = 0; i < ancestor->ommer_count; i++) {
            hash32 other = header_hash(&ancestor->ommers[i]);
            if (hash32_eq(&other, hash))
                return true;
        }
    }
    return false;
}

/* The recent ancestor with this hash. */
static const struct block *ancestor_find(const struct rules_ancestry *ancestry, const hash32 *hash)
{
    for (unsigned g = 1; g <= RULES_OMMER_DEPTH + 1; g++) {
        const struct block *ancestor = ancestry->ancestor(ancestry->ctx, g);
        if (!ancestor)
            return NULL;
        if (hash32_eq(&ancestor->hash, hash))
            return ancestor;
    }
    return NULL;
}

static enum block_verdict check_ommer(const struct chain_config *config, const struct block *block,
                                      const struct header *ommer, const hash32 *hash,
                                      u256 parent_td, const struct rules_ancestry *ancestry)
{
    if (hash32_eq(hash, &block->hash) || ancestor_find(ancestry, hash))
        return BLOCK_OMMER_ANCESTOR;
    if (ommer_was_included(ancestry, hash))
        return BLOCK_OMMER_DUPLICATE;
    const struct block *parent = ancestor_find(ancestry, &ommer->parent_hash);
    if (!parent || hash32_eq(&ommer->parent_hash, &block->header.parent_hash))
        return BLOCK_OMMER_DANGLING;
    if (rules_check_header(config, ommer, &parent->header, parent_td) != BLOCK_OK)
        return BLOCK_OMMER_HEADER;
    return BLOCK_OK;
}

enum block_verdict rules_check_ommers(const struct chain_config *config, const struct block *block,
                                      u256 parent_td, const struct rules_ancestry *ancestry)
{
    hash32 hashes[RULES_OMMERS_MAX];
    if (block->ommer_count > RULES_OMMERS_MAX)
        return BLOCK_OMMER_COUNT;
    for (u32 i = 0; i < block->ommer_count; i++) {
        const struct header *ommer = &block->ommers[i];
        hashes[i] = header_hash(ommer);
        if (i && hash32_eq(&hashes[0], &hashes[i]))
            return BLOCK_OMMER_DUPLICATE;
        enum block_verdict verdict =
            check_ommer(config, block, ommer, &hashes[i], parent_td, ancestry);
        if (verdict != BLOCK_OK)
            return verdict;
    }
    return BLOCK_OK;
}
