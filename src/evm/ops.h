/*
 * Instructions with state, memory or other frames behind them: bodies that both interpreters call.
 * Static gas has been charged and the stack checked by the caller. Operands are read from below sp
 * (sp[-1] is the top); what the instruction puts on the stack is written over the lowest operand,
 * where it belongs once the caller has moved sp. frame->gas is exact on entry and on return, and
 * frame->stack_len covers at least the operands. Any status but EVM_SUCCESS ends the frame.
 */
#pragma once

#include "evm/evm_int.h"

typedef enum evm_status instr_fn(struct frame *frame, u256 *sp);

instr_fn instr_exp, instr_keccak256;
instr_fn instr_balance, instr_selfbalance, instr_extcodesize, instr_extcodecopy, instr_extcodehash;
instr_fn instr_calldatacopy, instr_codecopy, instr_returndatacopy, instr_mcopy;
instr_fn instr_mload, instr_mstore, instr_mstore8;
instr_fn instr_blockhash, instr_blobhash;
instr_fn instr_sload, instr_sstore, instr_tload, instr_tstore;
instr_fn instr_log0, instr_log1, instr_log2, instr_log3, instr_log4;
instr_fn instr_create, instr_create2, instr_call, instr_callcode, instr_delegatecall,
    instr_staticcall;
/* These set frame->output and, when they succeed, end the frame: the caller stops with their status,
 * REVERT's being EVM_REVERT. */
instr_fn instr_return, instr_revert, instr_selfdestruct;

/*
 * What costs more than this costs so for the state's sake, or memory's: it takes no time that translating
 * could be paid for with (gas_metered).
 */
enum { METERED_MAX = 1000 };

/* Charges gas; false when there is not enough (gas is negative then). */
static inline bool frame_charge(struct frame *frame, i64 cost)
{
    frame->gas -= cost;
    if (UNLIKELY(cost > METERED_MAX))
        frame->evm->gas_metered += (u64)(cost - METERED_MAX);
    return frame->gas >= 0;
}

/* Tells the tracer, if there is one, that the instruction is paid for and about to take effect. */
void frame_report_step(struct frame *frame);
static inline void frame_report(struct frame *frame)
{
    if (UNLIKELY(frame->step != NULL))
        frame_report_step(frame);
}

/* Tells the tracer that the instruction failed. */
void frame_report_failure(struct frame *frame, enum evm_status status);

/* A piece of memory an instruction names; at is 0 when len is. */
struct range {
    u64 at, len;
};

/* False when it lies beyond what any gas can pay for. */
static inline bool range_of(struct range *range, u256 at, u256 len)
{
    if (u256_is_zero(len)) {
        *range = (struct range){0, 0};
        return true;
    }
    if (!u256_fits_u64(at) || !u256_fits_u64(len) || at.w[0] > MEMORY_MAX || len.w[0] > MEMORY_MAX)
        return false;
    *range = (struct range){at.w[0], len.w[0]};
    return at.w[0] + len.w[0] <= MEMORY_MAX;
}

/* Why memory from at to at + len (not 0) cannot be had, as geth words it. */
enum evm_status memory_failure(u256 at, u256 len);

static inline u64 words_of(u64 bytes)
{
    return (bytes + 31) / 32;
}

/* What a memory of that many words costs altogether (Yellow Paper, equation 326). */
static inline i64 memory_price(u64 words)
{
    return (i64)(3 * words + words * words / 512);
}

/* The gas to widen memory so that it reaches end; 0 if it does. */
static inline i64 memory_cost(const struct frame *frame, u64 end)
{
    if (end <= frame->memory.len)
        return 0;
    return memory_price(words_of(end)) - memory_price(frame->memory.len / 32);
}

static inline void memory_reach(struct frame *frame, u64 end)
{
    if (end > frame->memory.len)
        memory_widen(frame->evm, &frame->memory, words_of(end) * 32);
}

static inline addr20 addr_of(const u256 *word)
{
    u8 bytes[32];
    addr20 addr;
    u256_store_be(bytes, *word);
    memcpy(addr.b, bytes + 12, 20);
    return addr;
}

static inline u256 word_of_addr(const addr20 *addr)
{
    u8 bytes[32] = {0};
    memcpy(bytes + 12, addr->b, 20);
    return u256_load_be(bytes);
}

/* CALLDATALOAD: 32 bytes of input from at on, zeroes beyond its end. */
u256 msg_input_word(const struct evm_msg *msg, u256 at);
