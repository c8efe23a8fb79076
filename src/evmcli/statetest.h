/* What the parts of the state-test runner share. */
#pragma once

#include "crypto/secp256k1.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "evmcli/test_state.h"
#include "types/chain_config.h"
#include "types/tx.h"

struct state_worker {
    struct evm *evm;
    struct secp256k1_signer *signer;
    struct arena arena;      /* of one test */
    struct arena case_arena; /* of one case */
    struct test_state state; /* of the test at hand */
};

/* A legacy VM test: {exec, env, pre, gas, out, logs, post}. Case begun and ended here. */
void vmtest_run(struct state_worker *worker, struct report *report, const char *name, json value);

/* A case's transaction: the members of transaction that indexes picks, without what only a signature shows. */
void statetest_read_tx(struct reader *reader, struct tx *tx, json transaction, json indexes);

/* The block that a test's `env` describes. */
struct evm_block;
void statetest_read_env(struct reader *reader, struct evm_block *block, json env, enum fork fork,
                        const struct chain_config *config);

/* The network of a post entry, with the test's own blob schedule and chain id. False: no such network. */
bool statetest_read_config(struct reader *reader, struct chain_config *config, const char *network,
                           json test);

/* What BLOCKHASH gives in these tests: the hash of the number's decimal digits. */
hash32 statetest_block_hash(void *ctx, u64 number);

/* keccak256(rlp(logs)) of the last transaction. */
hash32 statetest_logs_hash(struct state *state, struct arena *arena);
