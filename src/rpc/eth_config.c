/* eth_config (EIP-7910): which rules are in force, and which come next. */
#include "evm/precompile.h"
#include "prim/hex.h"
#include "rpc/param.h"
#include "types/fork_id.h"

/* The system contracts and the fork that brought each. */
static const struct {
    enum fork since;
    const char *name, *addr;
} contracts[] = {
    {FORK_CANCUN, "BEACON_ROOTS_ADDRESS", "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"},
    {FORK_PRAGUE, "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS",
     "0x0000bbddc7ce488642fb579f8b00f3a590007251"},
    {FORK_PRAGUE, "DEPOSIT_CONTRACT_ADDRESS", NULL},
    {FORK_PRAGUE, "HISTORY_STORAGE_ADDRESS", "0x0000f90827f1c53a10cb7a02335b175320002935"},
    {FORK_PRAGUE, "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS",
     "0x00000961ef480eb55e80d19ad83579a64c007002"},
};

/* EIP-7910's names, in the order of the addresses. */
static const char *const precompile_names[PRECOMPILE_COUNT] = {
    "ECREC",
    "SHA256",
    "RIPEMD160",
    "ID",
    "MODEXP",
    "BN254_ADD",
    "BN254_MUL",
    "BN254_PAIRING",
    "BLAKE2F",
    "KZG_POINT_EVALUATION",
    "BLS12_G1ADD",
    "BLS12_G1MSM",
    "BLS12_G2ADD",
    "BLS12_G2MSM",
    "BLS12_PAIRING_CHECK",
    "BLS12_MAP_FP_TO_G1",
    "BLS12_MAP_FP2_TO_G2",
    "P256VERIFY",
};

static void put_precompiles(struct buf *out, enum fork fork)
{
    json_out_object(out, "precompiles");
    for (size_t i = 0; i < PRECOMPILE_COUNT; i++) {
        addr20 addr = precompile_addr(&PRECOMPILES[i]);
        if (fork >= PRECOMPILES[i].since)
            json_out_addr(out, precompile_names[i], &addr);
    }
    json_out_object_end(out);
}

static void put_contracts(struct buf *out, const struct chain_config *config, enum fork fork)
{
    json_out_object(out, "systemContracts");
    for (size_t i = 0; i < ARRAY_LEN(contracts); i++) {
        if (fork < contracts[i].since)
            continue;
        if (contracts[i].addr)
            json_out_text(out, contracts[i].name, contracts[i].addr);
        else
            json_out_addr(out, contracts[i].name, &config->deposit_contract);
    }
    json_out_object_end(out);
}

static void put_fork_id(struct rpc_call *call, u64 time)
{
    const struct chain_config *config = chain_config(call->chain);
    const struct chain_block *genesis = chain_by_number(call->chain, 0);
    u64 genesis_time = genesis ? genesis->block.header.timestamp : 0;
    u64 number = chain_head(call->chain)->block.header.number;
    u64 moment = time > genesis_time ? time : genesis_time;
    u32 hash = fork_id_at(config, &call->dev->genesis_hash, genesis_time, number, moment).hash;
    u8 bytes[4] = {(u8)(hash >> 24), (u8)(hash >> 16), (u8)(hash >> 8), (u8)hash};
    json_out_data(call->out, "forkId", bytes, sizeof bytes);
}

/* Which times rules change at: the latest not after `now`, the first after it, and the last of all; 0 and
 * CONFIG_NEVER when there is none. */
struct schedule {
    u64 current, next, last;
};

static void schedule_add(struct schedule *schedule, u64 at, u64 now)
{
    if (at == CONFIG_NEVER)
        return;
    if (at <= now && at > schedule->current)
        schedule->current = at;
    if (at > now && at < schedule->next)
        schedule->next = at;
    if (at > schedule->last)
        schedule->last = at;
}

static struct schedule schedule_of(const struct chain_config *config, u64 now)
{
    struct schedule schedule = {.next = CONFIG_NEVER};
    for (int fork = FORK_SHANGHAI; fork < FORK_COUNT; fork++)
        schedule_add(&schedule, config->fork_at[fork], now);
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++)
        schedule_add(&schedule, config->blob_at[i], now);
    return schedule;
}

/* The rules that are in force from a time on. */
static void put_rules(struct rpc_call *call, const char *key, u64 time)
{
    struct buf *out = call->out;
    const struct chain_config *config = chain_config(call->chain);
    struct header header = chain_head(call->chain)->block.header;
    if (time > header.timestamp)
        header.timestamp = time;
    enum fork fork = chain_fork(call->chain, &header);
    const struct blob_params *blobs = chain_config_blob_params(config, header.timestamp);
    json_out_object(out, key);
    json_out_u64(out, "activationTime", time);
    if (blobs) {
        json_out_object(out, "blobSchedule");
        json_out_u64(out, "baseFeeUpdateFraction", blobs->update_fraction);
        json_out_u64(out, "max", blobs->max);
        json_out_u64(out, "target", blobs->target);
        json_out_object_end(out);
    } else {
        json_out_null(out, "blobSchedule");
    }
    json_out_quantity(out, "chainId", config->chain_id);
    put_fork_id(call, header.timestamp);
    put_precompiles(out, fork);
    put_contracts(out, config, fork);
    json_out_object_end(out);
}

static void eth_config(struct rpc_call *call)
{
    u64 now = chain_head(call->chain)->block.header.timestamp;
    struct schedule schedule = schedule_of(chain_config(call->chain), now);
    json_out_object(call->out, RPC_RESULT);
    put_rules(call, "current", schedule.current);
    if (schedule.next != CONFIG_NEVER) {
        put_rules(call, "next", schedule.next);
        put_rules(call, "last", schedule.last);
    } else {
        json_out_null(call->out, "next");
        json_out_null(call->out, "last");
    }
    json_out_object_end(call->out);
}

/* kept: blocks behind the head; 0: all. */
static void put_capability(struct rpc_call *call, const char *key, u64 oldest, u32 kept)
{
    json_out_object(call->out, key);
    json_out_bool(call->out, "disabled", false);
    json_out_quantity(call->out, "oldestBlock", oldest);
    if (kept) {
        json_out_object(call->out, "deleteStrategy");
        json_out_text(call->out, "type", "window");
        json_out_quantity(call->out, "retentionBlocks", kept);
        json_out_object_end(call->out);
    }
    json_out_object_end(call->out);
}

/* What can be asked of which blocks. */
static void eth_capabilities(struct rpc_call *call)
{
    static const char *const kinds[] = {"tx", "logs", "receipts", "blocks"};
    const struct block *head = &chain_head(call->chain)->block;
    struct chain_kept kept = chain_kept(call->chain);
    json_out_object(call->out, RPC_RESULT);
    json_out_object(call->out, "head");
    json_out_quantity(call->out, "number", head->header.number);
    json_out_hash(call->out, "hash", &head->hash);
    json_out_object_end(call->out);
    put_capability(call, "state", chain_oldest_readable(call->chain), kept.states);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        put_capability(call, kinds[i], chain_oldest(call->chain), kept.blocks);
    put_capability(call, "stateproofs", chain_oldest_state(call->chain), kept.proofs);
    json_out_object_end(call->out);
}

const struct rpc_method RPC_ETH_CONFIG[] = {
    {"eth_capabilities", eth_capabilities, ""},
    {"eth_config", eth_config, ""},
    {NULL, NULL, NULL},
};
