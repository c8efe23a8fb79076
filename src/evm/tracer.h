/*
 * What a tracer is told. Only the plain interpreter reports steps; calls are reported by evm_call.
 * All pointers are borrowed for the callback. Unset callbacks are skipped.
 */
#pragma once

#include "evm/evm.h"

/* One instruction, reported when its whole gas cost is known and before it takes effect (as geth's OnOpcode). */
struct evm_step {
    u32 pc;
    u8 opcode;
    u16 depth;         /* 0 for the transaction's own frame */
    i64 gas;           /* before the instruction */
    i64 cost;          /* all of it; for calls including what is given to the callee */
    i64 refund;        /* the transaction's refund counter */
    const u256 *stack; /* stack[0] is the bottom */
    u32 stack_len;
    const u8 *memory; /* before the instruction expands it */
    size_t memory_len;
    const u8 *return_data;
    size_t return_data_len;
    const struct evm_msg *msg; /* the frame's message: recipient is ADDRESS */
    enum evm_status error;     /* EVM_SUCCESS, or why the instruction cannot run */
};

struct evm_tracer {
    void *ctx;
    void (*step)(void *ctx, const struct evm_step *step);
    /* A frame begins (calls, creations, precompiles, also those refused before they ran) ... */
    void (*enter)(void *ctx, const struct evm_msg *msg);
    /* ... and ends. Every enter has its exit. */
    void (*exit)(void *ctx, const struct evm_msg *msg, const struct evm_result *result);
    /* SELFDESTRUCT: wei moved from addr to beneficiary. */
    void (*selfdestruct)(void *ctx, const addr20 *addr, const addr20 *beneficiary, const u256 *wei,
                         u16 depth);
    void (*log)(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                const u8 *data, size_t len, u16 depth);
    /* An instruction that was reported failed afterwards (geth's OnFault). */
    void (*fault)(void *ctx, const struct evm_step *step);
};
