/*
 * Tracers: what debug_trace* answers. One struct trace watches one transaction and then writes its
 * result, in the shapes that geth gave these names:
 *
 *   (none)           structLogs, an entry an instruction       callTracer      the tree of calls
 *   prestateTracer   the state it read, or its difference      flatCallTracer  the same as a list
 *   4byteTracer      selectors and sizes of call data          noopTracer      {}
 *   muxTracer        several of these at once
 *
 *   trace_new(&trace, config, bytes_max, &err);     // config as in the request; NULL: struct logs
 *   trace_begin(trace, &host, &tx);                 // before the transaction, on the state it finds
 *   evm_set_tracer(evm, trace_hooks(trace));        // ... execute ... evm_set_tracer(evm, NULL)
 *   trace_end(trace, gas_used);                     // after it, with the receipt's figure
 *   trace_result(out, "result", trace);
 *   trace_free(trace);
 *
 * Source: execution-apis (debug namespace, opcode tracer), and geth's behaviour for the named tracers.
 */
#pragma once

#include "base/buf.h"
#include "base/status.h"
#include "evm/evm.h"
#include "evm/tracer.h"
#include "prim/json.h"

struct trace;

/* The transaction that is about to run. Pointers are borrowed until trace_end. */
struct trace_tx {
    enum fork fork;
    addr20 from, to; /* to: not read for a creation */
    bool is_create;
    u64 gas_limit;
    addr20 coinbase;
    const addr20 *authorities; /* EIP-7702: those whose signatures are good */
    size_t authority_count;
    u64 log_index; /* of its first log in the block */
    /* flatCallTracer shows where the transaction stands; hashes may be NULL. */
    const hash32 *block_hash, *hash;
    u64 block_number, index;
};

/*
 * config is the object {tracer, tracerConfig, ...} or NULL. A result is cut off when it passes about
 * bytes_max. STATUS_NOT_FOUND: no such tracer; STATUS_INVALID: an option of the wrong kind.
 */
enum status trace_new(struct trace **trace, json config, size_t bytes_max,
                      struct err *err) MUST_READ;
void trace_free(struct trace *trace);

/* As Otterscan reads them: every call of the transaction in order, or what moved ether inside of it. */
enum trace_ots { TRACE_OTS_CALLS, TRACE_OTS_OPERATIONS };
struct trace *trace_new_ots(enum trace_ots view, size_t bytes_max);

/*
 * A transaction's calls as trace_transaction and trace_block list them, each with its place in the chain; of a block that
 * is one list, so the result is written as items of an array that is open, whatever its key. Or only the call with this
 * path (at most TRACE_PATH_MAX long), or null. Where clients differ: as Erigon answers.
 */
enum { TRACE_PATH_MAX = 1100 }; /* deeper than calls can nest */
struct trace *trace_new_filed(size_t bytes_max);
struct trace *trace_new_filed_one(const u32 *path, size_t len, size_t bytes_max);

/* What trace_replay* answer, of these what is asked for: {output, stateDiff, trace, transactionHash, vmTrace}. */
enum trace_replay { TRACE_REPLAY_CALLS = 1, TRACE_REPLAY_STATE = 2, TRACE_REPLAY_VM = 4 };
struct trace *trace_new_replay(unsigned what, size_t bytes_max);

/* host is copied; its functions are called until trace_end. */
void trace_begin(struct trace *trace, const struct evm_host *host, const struct trace_tx *tx);
const struct evm_tracer *trace_hooks(const struct trace *trace);
void trace_end(struct trace *trace, u64 gas_used);

/* Writes the JSON value. False, with nothing written, when bytes_max was passed. */
bool trace_result(struct buf *out, const char *key, const struct trace *trace);

/*
 * What revert data says to people, if it does: Error(string) and Panic(uint256), as Solidity makes
 * them. False when it is neither. out is filled and terminated; longer reasons are cut off.
 */
bool revert_reason(char *out, size_t out_size, const u8 *data, size_t len);

/* geth's name for the opcode at any fork; for one that does not exist the text goes to room. */
enum { OPCODE_TEXT_MAX = 32 };
const char *opcode_text(char room[OPCODE_TEXT_MAX], u8 opcode);

/* Why a message failed, in geth's words. */
void trace_error_text(char out[EVM_ERROR_TEXT_MAX], const struct evm_msg *msg,
                      const struct evm_result *result);
