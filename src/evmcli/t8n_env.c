/* The block environment of t8n: what is given, and what follows from the parent's figures. */
#include "consensus/difficulty.h"
#include "consensus/fee.h"
#include "evmcli/t8n.h"

static void read_ommers(struct reader *reader, struct t8n_env *env, json list)
{
    size_t count = json_count(list);
    env->ommers = arena_zalloc(reader->arena, (count + 1) * sizeof *env->ommers);
    env->ommer_count = (u32)count;
    for (size_t i = 0; i < count; i++) {
        json value = json_at(list, i);
        env->ommers[i].number = env->block.number - reader_u64(reader, value, "delta");
        env->ommers[i].coinbase = reader_addr(reader, value, "address");
    }
}

static void read_withdrawals(struct reader *reader, struct t8n_env *env, json list)
{
    size_t count = json_count(list);
    env->withdrawals = arena_zalloc(reader->arena, (count + 1) * sizeof *env->withdrawals);
    env->withdrawal_count = (u32)count;
    for (size_t i = 0; i < count; i++) {
        json value = json_at(list, i);
        env->withdrawals[i] =
            (struct withdrawal){.index = reader_u64(reader, value, "index"),
                                .validator = reader_u64(reader, value, "validatorIndex"),
                                .addr = reader_addr(reader, value, "address"),
                                .amount_gwei = reader_u64(reader, value, "amount")};
    }
}

static void read_given(struct reader *reader, struct t8n_env *env, json object)
{
    env->block = (struct evm_block){
        .coinbase = reader_addr(reader, object, "currentCoinbase"),
        .number = reader_u64(reader, object, "currentNumber"),
        .timestamp = reader_u64(reader, object, "currentTimestamp"),
        .gas_limit = reader_u64(reader, object, "currentGasLimit"),
    };
    env->has_difficulty = reader_has(object, "currentDifficulty");
    if (env->has_difficulty)
        env->block.difficulty = reader_u256(reader, object, "currentDifficulty");
    env->has_random = reader_has(object, "currentRandom");
    if (env->has_random)
        env->block.prev_randao = u256_to_hash(reader_u256(reader, object, "currentRandom"));
    env->has_base_fee = reader_has(object, "currentBaseFee");
    if (env->has_base_fee)
        env->block.base_fee = reader_u256(reader, object, "currentBaseFee");
    env->has_beacon_root = reader_has(object, "parentBeaconBlockRoot");
    if (env->has_beacon_root)
        env->beacon_root = reader_hash(reader, object, "parentBeaconBlockRoot");
    env->has_block_hashes = reader_has(object, "blockHashes");
    env->block_hashes = json_get(object, "blockHashes");
    env->has_withdrawals = reader_has(object, "withdrawals");
    read_ommers(reader, env, json_get(object, "ommers"));
    read_withdrawals(reader, env, json_get(object, "withdrawals"));
}

static enum t8n_exit compute_base_fee(struct t8n *t8n, json object)
{
    struct t8n_env *env = &t8n->env;
    struct reader *reader = &t8n->reader;
    bool is_london = t8n->config.fork_at[FORK_LONDON] <= env->block.number;
    if (!is_london || env->has_base_fee)
        return T8N_OK;
    if (!reader_has(object, "parentBaseFee") || env->block.number == 0)
        return t8n_fail(T8N_CONFIG, "EIP-1559 config but missing 'parentBaseFee' in env section");
    struct header parent = {.fields = HEADER_FIELDS_LONDON,
                            .number = env->block.number - 1,
                            .gas_limit = reader_u64_or(reader, object, "parentGasLimit", 0),
                            .gas_used = reader_u64_or(reader, object, "parentGasUsed", 0),
                            .base_fee = reader_u256(reader, object, "parentBaseFee")};
    env->block.base_fee = fee_base_after(&parent, &t8n->config);
    env->has_base_fee = true;
    return T8N_OK;
}

static enum t8n_exit compute_difficulty(struct t8n *t8n, json object)
{
    struct t8n_env *env = &t8n->env;
    struct reader *reader = &t8n->reader;
    u64 parent_time = reader_u64_or(reader, object, "parentTimestamp", 0);
    if (!reader_has(object, "parentDifficulty"))
        return t8n_fail(T8N_CONFIG, "currentDifficulty was not provided, and cannot be calculated "
                                    "due to missing parentDifficulty");
    if (env->block.number == 0)
        return t8n_fail(T8N_CONFIG, "currentDifficulty needs to be provided for block number 0");
    if (env->block.timestamp <= parent_time)
        return t8n_fail(T8N_CONFIG,
                        "currentDifficulty cannot be calculated -- currentTime (%llu) needs to be "
                        "after parent time (%llu)",
                        (unsigned long long)env->block.timestamp, (unsigned long long)parent_time);
    struct difficulty_parent parent = {
        .difficulty = reader_u256(reader, object, "parentDifficulty"), .timestamp = parent_time};
    if (reader_has(object, "parentUncleHash")) {
        hash32 hash = reader_hash(reader, object, "parentUncleHash");
        parent.has_ommers = !hash32_is_zero(&hash) && !hash32_eq(&hash, &HEADER_NO_OMMERS);
    }
    env->block.difficulty =
        difficulty_next(t8n->fork, chain_config_bomb_delay(&t8n->config, env->block.number),
                        env->block.number, env->block.timestamp, &parent);
    env->has_difficulty = true;
    return T8N_OK;
}

static enum t8n_exit check_merge(struct t8n *t8n, json object)
{
    struct t8n_env *env = &t8n->env;
    bool is_merged = t8n->config.has_ttd && u256_is_zero(t8n->config.ttd);
    if (!is_merged)
        return env->has_difficulty ? T8N_OK : compute_difficulty(t8n, object);
    if (!env->has_random)
        return t8n_fail(T8N_CONFIG, "post-merge requires currentRandom to be defined in env");
    if (env->has_difficulty && !u256_is_zero(env->block.difficulty))
        return t8n_fail(T8N_CONFIG, "post-merge difficulty must be zero (or omitted) in env");
    env->has_difficulty = false;
    return T8N_OK;
}

static enum t8n_exit check_cancun(struct t8n *t8n)
{
    if (t8n->fork < FORK_CANCUN)
        t8n->env.has_beacon_root = false;
    else if (!t8n->env.has_beacon_root)
        return t8n_fail(T8N_CONFIG, "post-cancun env requires parentBeaconBlockRoot to be set");
    return T8N_OK;
}

static void compute_blob_fee(struct t8n *t8n, json object)
{
    struct t8n_env *env = &t8n->env;
    struct reader *reader = &t8n->reader;
    const struct blob_params *params = chain_config_blob_params(&t8n->config, env->block.timestamp);
    if (reader_has(object, "currentExcessBlobGas")) {
        env->excess_blob_gas = reader_u64(reader, object, "currentExcessBlobGas");
        env->has_blob_base_fee = true;
    } else if (reader_has(object, "parentExcessBlobGas") &&
               reader_has(object, "parentBlobGasUsed")) {
        env->has_blob_base_fee = true;
        if (params)
            env->excess_blob_gas = fee_excess_blob_gas(
                t8n->fork, params, reader_u64(reader, object, "parentExcessBlobGas"),
                reader_u64(reader, object, "parentBlobGasUsed"),
                reader_u256_or(reader, object, "parentBaseFee", u256_from_u64(0)));
    }
    if (env->has_blob_base_fee && params)
        env->block.blob_base_fee = fee_blob_base(env->excess_blob_gas, params->update_fraction);
}

enum t8n_exit t8n_read_env(struct t8n *t8n, json object)
{
    struct t8n_env *env = &t8n->env;
    read_given(&t8n->reader, env, object);
    if (t8n->reader.failed)
        return t8n_fail(T8N_JSON, "failed unmarshalling env: %s", t8n->reader.err.text);
    t8n->fork =
        chain_config_fork(&t8n->config, env->block.number, env->block.timestamp, u256_from_u64(0));
    enum t8n_exit code = compute_base_fee(t8n, object);
    if (code == T8N_OK && t8n->fork >= FORK_SHANGHAI && !env->has_withdrawals)
        code = t8n_fail(T8N_CONFIG, "Shanghai config but missing 'withdrawals' in env section");
    if (code == T8N_OK)
        code = check_merge(t8n, object);
    if (code == T8N_OK)
        code = check_cancun(t8n);
    compute_blob_fee(t8n, object);
    if (code == T8N_OK && t8n->reader.failed)
        code = t8n_fail(T8N_JSON, "failed unmarshalling env: %s", t8n->reader.err.text);
    /* geth takes a London block with a random value for one after the merge. */
    if (t8n->fork == FORK_LONDON && env->has_random)
        t8n->fork = FORK_PARIS;
    return code;
}
