/*
 * Executes transactions on a state: validity at this point of the chain, the purchase of gas, the
 * message, refunds, fees. One struct exec serves the transactions of one block, or one call.
 *
 *   struct exec exec;
 *   exec_init(&exec, state, evm, &config, fork, &env);
 *   verdict = exec_tx(&exec, &tx, 0, &result);            // TX_OK, or why it cannot be included
 *
 * A refused transaction leaves the state as it was, so that the next one can follow. Nothing is
 * allocated from the heap. Source: Yellow Paper 6; EIP-2, 161, 658, 1559, 2929, 2930, 3529, 3607,
 * 3651, 4844, 7623, 7702, 7825.
 */
#pragma once

#include "evm/evm.h"
#include "state/state.h"
#include "types/chain_config.h"
#include "types/tx.h"
#include "types/verdict.h"

/* The hash of an earlier block, for BLOCKHASH; asked only for the 256 before the current one;
 * zero if unknown. */
typedef hash32 exec_block_hash_fn(void *ctx, u64 number);

struct exec {
    struct state *state; /* borrowed */
    struct evm *evm;     /* borrowed */
    enum fork fork;
    u64 chain_id;
    struct evm_block block;
    u32 blobs_max;                  /* of a block */
    u32 tx_blobs_max;               /* of a transaction */
    u64 gas_used;                   /* by the transactions executed so far */
    u64 blob_gas_used;              /* likewise */
    exec_block_hash_fn *block_hash; /* NULL: none is known */
    void *block_hash_ctx;
    struct visits *visits; /* told of every transaction (chain/visits.h); NULL: none */
    const struct precompile_overrides *precompiles; /* NULL: the fork's */
    struct evm_host host;                           /* private from here */
    struct evm_tx tx;
};

/* env is copied. State, evm and config's values are borrowed for exec's life; no fini is needed. */
void exec_init(struct exec *exec, struct state *state, struct evm *evm,
               const struct chain_config *config, enum fork fork, const struct evm_block *env);

/* What may be left unchecked, for eth_call and its like. */
enum exec_flags {
    EXEC_NO_NONCE = 1,    /* any nonce is fine; the sender's is still raised */
    EXEC_NO_EOA = 2,      /* EIP-3607: senders with code are fine */
    EXEC_NO_BASE_FEE = 4, /* fees of zero are fine, and then nobody is paid anything */
    EXEC_NO_GAS_LIMITS =
        8,          /* neither the block's gas limit nor the cap per transaction (EIP-7825) */
    EXEC_CALL = 15, /* all of them: eth_call, eth_estimateGas. Balance is always checked. */
};

struct exec_result {
    enum evm_status status;
    u64 gas_used;     /* charged, after refunds and floor */
    u64 gas_peak;     /* before refunds: what the gas limit must cover */
    u64 gas_refunded; /* what the refund counter gave back */
    u64 blob_gas_used;
    u256 effective_gas_price; /* wei per gas */
    bool has_created;
    addr20 created;   /* a creation's address, whether it succeeded or not */
    const u8 *output; /* return or revert data; valid until the evm's next use */
    size_t output_len;
    u8 opcode;     /* where code failed: the instruction and the stack's height there */
    u32 stack_len; /* see evm_error_text */
};

/*
 * tx->sender must be set. On TX_OK the transaction is applied to the state and ended
 * (state_end_tx), the block's sums are raised, and its logs are the state's log list until the
 * next transaction. Else nothing has changed.
 */
MUST_READ enum tx_verdict exec_tx(struct exec *exec, const struct tx *tx, unsigned flags,
                                  struct exec_result *result);

/* A system call (EIP-4788, 2935, 7002, 7251): from 0xff..fe, 30 million gas, outside all
 * accounting. */
void exec_system_call(struct exec *exec, const addr20 *to, const u8 *input, size_t len,
                      struct evm_result *result);

/* The table that lets the EVM ask state; ctx is a struct exec. */
extern const struct evm_host_ops EXEC_HOST_OPS;
