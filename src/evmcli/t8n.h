/*
 * t8n, the state transition tool: a pre-state, a block environment and transactions in; the post-state, the
 * block's results and its body out. Flags, file formats, error codes and the order of checks are those of go-ethereum's
 * `evm t8n`, so that each can stand in for the other.
 */
#pragma once

#include "chain/process.h"
#include "evmcli/prestate.h"
#include "evmcli/reader.h"

/* Exit codes, as geth's. */
enum t8n_exit {
    T8N_OK = 0,
    T8N_EVM = 2,
    T8N_CONFIG = 3,
    T8N_MISSING_BLOCKHASH = 4,
    T8N_JSON = 10,
    T8N_IO = 11,
    T8N_RLP = 12,
};

struct t8n_flags {
    const char *alloc_in, *env_in, *txs_in;
    const char *basedir, *alloc_out, *result_out, *body_out;
    const char *fork;
    u64 chain_id;
    const char *reward; /* wei, or -1 */
    const char *engine;
    bool trace, trace_memory, trace_nostack, trace_returndata, trace_callframes;
    const char *tracer, *tracer_config; /* by name, instead of lines; its options as JSON */
    const char *opcode_count;           /* file */
};

/* The block environment, after what may be left out has been computed. */
struct t8n_env {
    struct evm_block block;
    bool has_difficulty, has_random, has_base_fee, has_blob_base_fee, has_beacon_root;
    bool has_block_hashes, has_withdrawals;
    u64 excess_blob_gas;
    hash32 beacon_root;
    json block_hashes;
    struct header *ommers; /* number and coinbase only */
    u32 ommer_count;
    struct withdrawal *withdrawals;
    u32 withdrawal_count;
};

/* A transaction as given, or why there is none. */
struct t8n_tx {
    struct tx tx;
    enum tx_verdict verdict; /* of decoding */
};

struct t8n_rejected {
    u32 index;
    char error[192];
};

struct t8n {
    struct t8n_flags flags;
    struct arena arena;
    struct reader reader;
    struct json_doc *stdin_doc, *env_doc, *txs_doc;
    struct chain_config config;
    enum fork fork;
    struct t8n_env env;
    struct prestate prestate;
    struct evm *evm;
    struct t8n_tx *txs;
    u32 tx_count;
    struct tx *included;
    u32 included_count;
    struct t8n_rejected *rejected;
    u32 rejected_count;
    struct process process;
    bool block_hash_missing;
    u64 missing_block_hash;
    struct t8n_tracer *tracer; /* while a transaction is traced */
    u32 traced;                /* transactions so far */
    struct opcode_counter *counter;
};

/* Each step returns T8N_OK, or prints "ERROR(code): words" and returns the code. */
enum t8n_exit t8n_fail(enum t8n_exit code, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Reads env and fills in what can be computed (difficulty, base fee, blob base fee). */
enum t8n_exit t8n_read_env(struct t8n *t8n, json env);

/* Reads the transactions: JSON, signed here if they bring their key, or the RLP of a body. */
enum t8n_exit t8n_read_txs(struct t8n *t8n, json list);
enum t8n_exit t8n_read_txs_rlp(struct t8n *t8n, struct bytes rlp);

/* Executes all of them. */
enum t8n_exit t8n_execute(struct t8n *t8n);

/* Commits the state and writes what was asked for. */
enum t8n_exit t8n_write(struct t8n *t8n);

/* With --trace or --trace.tracer: tx, which comes next, is traced until the end, which writes its file. */
enum t8n_exit t8n_trace_begin(struct t8n *t8n, const struct tx *tx);
enum t8n_exit t8n_trace_end(struct t8n *t8n, const struct tx *tx, u64 gas_used);

/* With --opcode.count: counts instructions from now on, those of system calls too; writes the file. */
void t8n_count_begin(struct t8n *t8n);
enum t8n_exit t8n_count_end(struct t8n *t8n);

/* Where an output file goes: under --output.basedir. */
const char *t8n_path(struct t8n *t8n, const char *name);
