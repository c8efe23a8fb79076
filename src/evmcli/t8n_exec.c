/* The execution of t8n's transactions. One that is refused is reported, and the next is tried. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "evmcli/t8n.h"
#include "prim/hex.h"
#include "prim/keccak.h"

/* BLOCKHASH asks for what env gives; what it does not give is an error, if a transaction used it. */
static hash32 block_hash(void *ctx, u64 number)
{
    struct t8n *t8n = ctx;
    struct json_iter iter = json_iter(t8n->env.block_hashes);
    while (json_next(&iter)) {
        u256 key;
        if (text_u256(&key, iter.key, iter.key_len) && u256_fits_u64(key) &&
            u256_low(key) == number)
            return value_hash(&t8n->reader, iter.value, "blockHashes");
    }
    t8n->block_hash_missing = true;
    t8n->missing_block_hash = number;
    return (hash32){0};
}

static void reject(struct t8n *t8n, u32 index, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void reject(struct t8n *t8n, u32 index, const char *fmt, ...)
{
    struct t8n_rejected *rejected = &t8n->rejected[t8n->rejected_count++];
    va_list args;
    va_start(args, fmt);
    vsnprintf(rejected->error, sizeof rejected->error, fmt, args);
    va_end(args);
    rejected->index = index;
}

/* An address with EIP-55's capitals, as geth's messages have it. */
static void format_addr(char out[43], const addr20 *addr)
{
    hash32 hash;
    hex_encode(out, addr->b, 20);
    keccak256(&hash, out + 2, 40);
    for (int i = 0; i < 40; i++) {
        unsigned nibble = hash.b[i / 2] >> (i % 2 ? 0 : 4) & 15;
        if (nibble >= 8 && out[i + 2] >= 'a')
            out[i + 2] = (char)(out[i + 2] - 'a' + 'A');
    }
}

/* The verdict with the figures that geth adds to it. */
static void reject_verdict(struct t8n *t8n, u32 index, const struct tx *tx, enum tx_verdict verdict)
{
    const char *text = tx_verdict_text(verdict);
    char addr[43];
    format_addr(addr, &tx->sender);
    unsigned long long nonce = state_nonce(t8n->prestate.state, &tx->sender);
    struct tx_gas gas = tx_gas_of(tx, t8n->fork);
    if (verdict == TX_NONCE_TOO_LOW || verdict == TX_NONCE_TOO_HIGH)
        reject(t8n, index, "%s: address %s, tx: %llu state: %llu", text, addr,
               (unsigned long long)tx->nonce, nonce);
    else if (verdict == TX_NONCE_MAX)
        reject(t8n, index, "%s: address %s, nonce: %llu", text, addr, nonce);
    else if (verdict == TX_INTRINSIC_GAS)
        reject(t8n, index, "%s: have %llu, want %llu", text, (unsigned long long)tx->gas,
               (unsigned long long)gas.intrinsic);
    else if (verdict == TX_FLOOR_DATA_GAS)
        reject(t8n, index, "%s: have %llu, want %llu", text, (unsigned long long)tx->gas,
               (unsigned long long)gas.floor);
    else if (verdict == TX_BLOCK_GAS_LIMIT)
        reject(t8n, index, "gas limit reached");
    else if (verdict == TX_INSUFFICIENT_FUNDS || verdict == TX_FEE_BELOW_BASE_FEE ||
             verdict == TX_TIP_ABOVE_FEE || verdict == TX_SENDER_NOT_EOA)
        reject(t8n, index, "%s: address %s", text, addr);
    else
        reject(t8n, index, "%s", text);
}

/* geth's decoder has no place for types 3 and 4 that create, and says so in its own way. */
static bool reject_creation(struct t8n *t8n, u32 index, const struct tx *tx)
{
    if (!tx->is_create || tx->type < TX_BLOB)
        return false;
    reject(t8n, index,
           "rlp: input string too short for common.Address, decoding into "
           "(types.Transaction)(types.%s).To",
           tx->type == TX_BLOB ? "BlobTx" : "SetCodeTx");
    return true;
}

/* What geth looks at before a transaction reaches the state. True: it may go on. */
static bool admit(struct t8n *t8n, u32 index, struct t8n_tx *slot)
{
    struct tx *tx = &slot->tx;
    struct exec *exec = &t8n->process.exec;
    enum tx_verdict verdict = slot->verdict;
    if (verdict == TX_OK && reject_creation(t8n, index, tx))
        return false;
    if (verdict == TX_OK && tx->type == TX_BLOB && !t8n->env.has_blob_base_fee) {
        reject(t8n, index, "blob tx used but field env.ExcessBlobGas missing");
        return false;
    }
    if (verdict == TX_OK)
        verdict = tx_check_type(tx, t8n->fork);
    if (verdict == TX_OK)
        verdict = tx_recover(tx, t8n->fork, t8n->config.chain_id);
    if (verdict != TX_OK) {
        reject(t8n, index, "%s", tx_verdict_text(verdict));
        return false;
    }
    u64 used = exec->blob_gas_used + (u64)tx->blob_count * TX_BLOB_GAS;
    u64 max = (u64)exec->blobs_max * TX_BLOB_GAS;
    if (tx->type == TX_BLOB && used > max) {
        reject(t8n, index, "blob gas (%llu) would exceed maximum allowance %llu",
               (unsigned long long)used, (unsigned long long)max);
        return false;
    }
    return true;
}

static enum t8n_exit execute_one(struct t8n *t8n, u32 index)
{
    struct t8n_tx *slot = &t8n->txs[index];
    struct exec_result result;
    if (!admit(t8n, index, slot))
        return T8N_OK;
    enum t8n_exit code = t8n_trace_begin(t8n, &slot->tx);
    if (code != T8N_OK)
        return code;
    enum tx_verdict verdict = process_tx(&t8n->process, &slot->tx, &result);
    code = t8n_trace_end(t8n, &slot->tx, verdict == TX_OK ? result.gas_used : 0);
    if (verdict != TX_OK) {
        reject_verdict(t8n, index, &slot->tx, verdict);
        return code;
    }
    t8n->included[t8n->included_count++] = slot->tx;
    if (!t8n->block_hash_missing)
        return code;
    return t8n_fail(T8N_MISSING_BLOCKHASH, "getHash(%llu) invoked, %s",
                    (unsigned long long)t8n->missing_block_hash,
                    t8n->env.has_block_hashes ? "blockhash for that block not provided"
                                              : "no blockhashes provided");
}

static void start(struct t8n *t8n)
{
    struct t8n_env *env = &t8n->env;
    hash32 parent = {0};
    process_begin(&t8n->process, t8n->prestate.state, t8n->evm, &t8n->arena, &t8n->config,
                  t8n->fork, &env->block);
    t8n->process.exec.block_hash = block_hash;
    t8n->process.exec.block_hash_ctx = t8n;
    if (env->has_block_hashes && t8n->fork >= FORK_PRAGUE)
        parent = block_hash(t8n, env->block.number - 1);
    t8n->block_hash_missing = false;
    process_start(&t8n->process, env->has_block_hashes ? &parent : NULL,
                  env->has_beacon_root ? &env->beacon_root : NULL);
}

static enum t8n_exit finish(struct t8n *t8n)
{
    const struct t8n_env *env = &t8n->env;
    struct process_end end = {.withdrawals = env->withdrawals,
                              .withdrawal_count = env->withdrawal_count,
                              .ommers = env->ommers,
                              .ommer_count = env->ommer_count,
                              .has_reward = true};
    const char *reward = t8n->flags.reward;
    if (reward[0] == '-')
        end.no_reward = true;
    else if (!text_u256(&end.reward, reward, strlen(reward)))
        return t8n_fail(T8N_CONFIG, "--state.reward is \"%s\", not an amount of wei or -1", reward);
    enum block_verdict verdict = process_finish(&t8n->process, &end);
    if (verdict != BLOCK_OK)
        return t8n_fail(T8N_EVM, "failed to process post-execution: %s",
                        block_verdict_text(verdict));
    return T8N_OK;
}

enum t8n_exit t8n_execute(struct t8n *t8n)
{
    enum t8n_exit code = T8N_OK;
    t8n->included = arena_zalloc(&t8n->arena, (t8n->tx_count + 1) * sizeof *t8n->included);
    t8n->rejected = arena_zalloc(&t8n->arena, (t8n->tx_count + 1) * sizeof *t8n->rejected);
    t8n_count_begin(t8n);
    start(t8n);
    for (u32 i = 0; code == T8N_OK && i < t8n->tx_count; i++)
        code = execute_one(t8n, i);
    if (code == T8N_OK)
        code = finish(t8n);
    return code == T8N_OK ? t8n_count_end(t8n) : code;
}
