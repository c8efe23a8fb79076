/* For tests: a small network, and the means to make blocks on it. */
#pragma once

#include <string.h>

#include "base/test.h"
#include "chain/chain.h"
#include "chain/predeploy.h"
#include "crypto/secp256k1.h"

/* A network of one rich account, whose key is 32 bytes of 0x11, and a contract that counts its
 * calls. */
struct fixture {
    struct arena arena;
    struct chain *chain;
    struct secp256k1_signer *signer;
    hash32 secret;
    addr20 rich;
    struct genesis genesis;
};

static const addr20 COUNTER = {{0xc0}};
/* PUSH1 0 SLOAD PUSH1 1 ADD PUSH1 0 SSTORE, then LOG0 of nothing. */
static const u8 COUNTER_CODE[] = {0x60, 0,    0x54, 0x60, 1,    0x01, 0x60,
                                  0,    0x55, 0x60, 0,    0x60, 0,    0xa0};

static inline void fixture_open_in(struct fixture *f, enum fork fork, u32 history, struct db *db)
{
    u8 seed[32] = {7};
    u32 system;
    *f = (struct fixture){0};
    arena_init(&f->arena);
    memset(f->secret.b, 0x11, sizeof f->secret.b);
    f->signer = secp256k1_signer_new(seed);
    CHECK(secp256k1_addr(f->signer, &f->rich, &f->secret));
    const struct genesis_account *predeployed = predeploy_list(fork, &system);
    struct genesis_account *accounts = arena_alloc(&f->arena, (system + 2) * sizeof *accounts);
    memcpy(accounts, predeployed, system * sizeof *accounts);
    accounts[system] = (struct genesis_account){
        .addr = f->rich, .balance = u256_mul(u256_from_u64(1000000000), u256_from_u64(1000000000))};
    accounts[system + 1] = (struct genesis_account){
        .addr = COUNTER, .code = COUNTER_CODE, .code_len = sizeof COUNTER_CODE};
    chain_config_init(&f->genesis.config, fork);
    f->genesis.header = (struct header){.gas_limit = 30000000};
    if (fork < FORK_PARIS)
        f->genesis.header.difficulty = u256_from_u64(131072);
    genesis_complete_header(&f->genesis.header, &f->genesis.config);
    f->genesis.accounts = accounts;
    f->genesis.account_count = system + 2;
    struct chain_options options = {.history = history, .seed = 42, .db = db};
    struct err err;
    CHECK_EQ(chain_open(&f->chain, &f->genesis, &options, &err), STATUS_OK);
}

static inline void fixture_open(struct fixture *f, enum fork fork, u32 history)
{
    fixture_open_in(f, fork, history, NULL);
}

static inline void fixture_close(struct fixture *f)
{
    chain_close(f->chain);
    secp256k1_signer_free(f->signer);
    arena_fini(&f->arena);
}

static inline struct tx call_counter(struct fixture *f, u64 nonce)
{
    struct tx tx = {
        .type = TX_LEGACY,
        .has_chain_id = true,
        .chain_id = 1,
        .nonce = nonce,
        .gas = 100000,
        .to = COUNTER,
    };
    tx.gas_price = tx.max_fee = tx.max_priority_fee = u256_from_u64(2000000000);
    CHECK(tx_sign(&tx, f->signer, &f->secret));
    return tx;
}
