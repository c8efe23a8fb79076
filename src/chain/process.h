/*
 * Processes a block: system calls, transactions, withdrawals, rewards, requests; by steps for
 * those who build blocks (dev engine, t8n), and at once for those who check them.
 *
 *   process_begin(&process, state, evm, arena, &config, fork, &env);
 *   process_start(&process, &parent_hash, &beacon_root);      // system calls at the start
 *   process_tx(&process, &tx, &receipt);                      // each
 *   process_finish(&process, &finish);                        // withdrawals, rewards, requests
 */
#pragma once

#include "chain/exec.h"
#include "chain/requests.h"
#include "types/block.h"
#include "types/receipt.h"

/* Receipts, logs and requests are allocated from the arena. */
struct process {
    struct exec exec;
    unsigned exec_flags; /* for every transaction; 0 after process_begin */
    /* Receipts before Byzantium get none, as the state may be a past one; false after process_begin. */
    bool without_roots;
    struct workers *workers; /* for the senders of a whole block; NULL after process_begin: none */
    struct arena *arena;
    const struct chain_config *config;
    struct receipt *receipts;
    u32 receipt_count, receipt_cap;
    u32 log_count;
    struct bloom bloom; /* of all receipts */
    struct request requests[REQUEST_TYPES];
    u32 request_count;
};

void process_begin(struct process *process, struct state *state, struct evm *evm,
                   struct arena *arena, const struct chain_config *config, enum fork fork,
                   const struct evm_block *env);

/* The DAO fork, EIP-4788 (from Cancun) and EIP-2935 (from Prague). One that is NULL is left out. */
void process_start(struct process *process, const hash32 *parent_hash, const hash32 *beacon_root);

/* Executes and appends a receipt. On any verdict but TX_OK nothing has changed. */
MUST_READ enum tx_verdict process_tx(struct process *process, const struct tx *tx,
                                     struct exec_result *result);

/* What ends a block. */
struct process_end {
    const struct withdrawal *withdrawals;
    u32 withdrawal_count;
    const struct header *ommers; /* number and coinbase are used */
    u32 ommer_count;
    bool has_reward; /* reward replaces the fork's own (t8n's --state.reward) */
    bool no_reward;  /* t8n's --state.reward=-1: the coinbase is not even touched */
    u256 reward;
};

/* Withdrawals, rewards, requests. BLOCK_SYSTEM_CALL or BLOCK_DEPOSIT_EVENT on failure. */
MUST_READ enum block_verdict process_finish(struct process *process, const struct process_end *end);

/* Roots of a block's lists, as its header holds them. */
hash32 process_receipts_root(const struct receipt *receipts, u32 count);
hash32 process_tx_root(const struct tx *txs, u32 count);
hash32 process_withdrawals_root(const struct withdrawal *withdrawals, u32 count);

/* After process_finish: fills in what a header says of the outcome, and seals the block. The lists are in it. */
void process_seal(struct process *process, struct block *block);

/* What the EVM sees of a header. */
struct evm_block process_env(const struct header *header, enum fork fork,
                             const struct chain_config *config);

/* Why a block was refused, in words: the transaction's verdict and index, or expected and found. */
struct chain_report {
    enum tx_verdict tx_verdict; /* on BLOCK_TX */
    u32 tx_index;
    char text[256]; /* one sentence */
};

/*
 * Runs a whole block whose header and ommers have been checked (consensus/rules.h), recovering
 * senders on the way, and compares everything that execution gives, and the roots of its own
 * lists, with the header. The state holds the result, uncommitted. report may be NULL.
 */
MUST_READ enum block_verdict process_block(struct process *process, struct block *block,
                                           struct chain_report *report);
