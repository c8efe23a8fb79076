/*
 * Random programs and the question asked of them: do both interpreters end alike? Shared by
 * fast_test.c (programs from a seed) and fast_fuzz.c (programs from the fuzzer's bytes).
 * Programs are biased to what valid code does: they keep the stack balanced, loop a few times, call
 * functions by pushed return addresses, branch on comparisons, and call each other.
 */
#pragma once

#include <string.h>

#include "evm/evm_int.h"
#include "evm/toy_host.h"

enum { PROGRAM_MAX = 900, PROGRAM_COUNT = 3, FUNCTION_MAX = 3 };

/* Where choices come from: given bytes first, then (or at once, when there are none) a sequence. */
struct chooser {
    const u8 *bytes;
    size_t len;
    u64 state; /* 0: nothing but zeroes after the bytes */
};

static inline unsigned choose(struct chooser *c, unsigned below)
{
    if (c->len) {
        unsigned byte = *c->bytes++;
        c->len--;
        return byte % below;
    }
    if (c->state == 0)
        return 0;
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return (unsigned)(c->state >> 33) % below;
}

struct program {
    u8 code[PROGRAM_MAX + 64];
    u32 len;
    struct chooser *c;
    enum fork fork;
    int height; /* words this part of the program has put on the stack */
    int budget; /* instructions still to write */
    unsigned nesting;
    u32 function_refs[FUNCTION_MAX][32]; /* places of PUSH2 operands to fill in */
    unsigned function_ref_count[FUNCTION_MAX];
};

static inline void put(struct program *p, u8 byte)
{
    if (p->len < PROGRAM_MAX)
        p->code[p->len++] = byte;
}

static inline void put_push(struct program *p, u64 value)
{
    unsigned n = 1;
    while (n < 8 && value >> (8 * n))
        n++;
    put(p, (u8)(OP_PUSH1 + n - 1));
    for (unsigned i = n; i-- > 0;)
        put(p, (u8)(value >> (8 * i)));
    p->height++;
}

/* PUSH2 of an address filled in later; returns where. */
static inline u32 put_label(struct program *p)
{
    put(p, OP_PUSH2);
    put(p, 0);
    put(p, 0);
    p->height++;
    return p->len - 2;
}

static inline void fill_label(struct program *p, u32 at, u32 target)
{
    p->code[at] = (u8)(target >> 8);
    p->code[at + 1] = (u8)target;
}

static inline void put_op(struct program *p, u8 opcode)
{
    const struct opcode_info *info = &opcodes(FORK_COUNT - 1)[opcode];
    int change = info->out - info->in;
    p->height += change;
    if (opcodes(p->fork)[opcode].name || choose(p->c, 64) == 1) {
        put(p, opcode);
        return;
    }
    /* Not an instruction at this fork: something with the same effect on the stack. */
    for (; change < 0; change++)
        put(p, OP_POP);
    for (; change > 0; change--)
        put(p, OP_MSIZE);
}

static inline void put_constant(struct program *p)
{
    static const u64 likely[] = {0,
                                 1,
                                 2,
                                 3,
                                 31,
                                 32,
                                 64,
                                 96,
                                 127,
                                 128,
                                 255,
                                 256,
                                 0x7fff,
                                 0xffff,
                                 0xffffffff,
                                 0x100000000,
                                 0x7fffffffffffffff,
                                 0xffffffffffffffff};
    unsigned which = choose(p->c, 32);
    if (which < ARRAY_LEN(likely)) {
        put_push(p, likely[which]);
    } else if (which < 24) {
        put_push(p, choose(p->c, 256));
    } else if (which < 27) {
        /* all ones, or nearly */
        put_push(p, choose(p->c, 3));
        put(p, OP_NOT);
    } else {
        unsigned n = 1 + choose(p->c, 32);
        put(p, (u8)(OP_PUSH1 + n - 1));
        for (unsigned i = 0; i < n; i++)
            put(p, (u8)choose(p->c, 256));
        p->height++;
    }
}

static inline void need(struct program *p, int words)
{
    while (p->height < words)
        put_constant(p);
}

static inline void put_binary(struct program *p)
{
    static const u8 ops[] = {OP_ADD,  OP_ADD, OP_ADD,  OP_SUB, OP_SUB,        OP_MUL, OP_DIV,
                             OP_SDIV, OP_MOD, OP_SMOD, OP_EXP, OP_SIGNEXTEND, OP_LT,  OP_GT,
                             OP_SLT,  OP_SGT, OP_EQ,   OP_AND, OP_AND,        OP_OR,  OP_XOR,
                             OP_BYTE, OP_SHL, OP_SHR,  OP_SAR, OP_SHR,        OP_SHL};
    u8 opcode = ops[choose(p->c, ARRAY_LEN(ops))];
    need(p, 1);
    if (choose(p->c, 3) == 0)
        put_constant(p);
    if (choose(p->c, 8) == 0)
        put_constant(p);
    need(p, 2);
    put_op(p, opcode);
}

static inline void put_unary(struct program *p)
{
    static const u8 ops[] = {OP_ISZERO,       OP_ISZERO,  OP_NOT,         OP_CLZ,
                             OP_CALLDATALOAD, OP_BALANCE, OP_EXTCODESIZE, OP_EXTCODEHASH,
                             OP_BLOCKHASH,    OP_BLOBHASH};
    need(p, 1);
    put_op(p, ops[choose(p->c, ARRAY_LEN(ops))]);
}

static inline void put_ternary(struct program *p)
{
    if (choose(p->c, 2))
        put_constant(p);
    need(p, 3);
    put_op(p, choose(p->c, 2) ? OP_ADDMOD : OP_MULMOD);
}

static inline void put_nullary(struct program *p)
{
    static const u8 ops[] = {OP_ADDRESS,      OP_ORIGIN,    OP_CALLER,      OP_CALLVALUE,
                             OP_CALLDATASIZE, OP_CODESIZE,  OP_GASPRICE,    OP_RETURNDATASIZE,
                             OP_COINBASE,     OP_TIMESTAMP, OP_NUMBER,      OP_PREVRANDAO,
                             OP_GASLIMIT,     OP_CHAINID,   OP_SELFBALANCE, OP_BASEFEE,
                             OP_BLOBBASEFEE,  OP_PC,        OP_MSIZE,       OP_GAS,
                             OP_GAS,          OP_PUSH0};
    put_op(p, ops[choose(p->c, ARRAY_LEN(ops))]);
}

static inline void put_shuffle(struct program *p)
{
    need(p, 2);
    unsigned reach = p->height < 16 ? (unsigned)p->height : 16;
    switch (choose(p->c, 5)) {
    case 0:
    case 1: put_op(p, (u8)(OP_DUP1 + choose(p->c, reach))); break;
    case 2:
    case 3: put_op(p, (u8)(OP_SWAP1 + choose(p->c, reach - 1))); break;
    case 4: put_op(p, OP_POP); break;
    }
}

/* An address in memory: a small constant, a small unknown, and now and then anything. */
static inline void put_address(struct program *p)
{
    switch (choose(p->c, 8)) {
    case 0: put_op(p, OP_CALLDATASIZE); break;
    case 1:
        need(p, 1);
        put_push(p, 0xff);
        put_op(p, OP_AND);
        put_push(p, choose(p->c, 64));
        put_op(p, choose(p->c, 4) ? OP_ADD : OP_SUB);
        break;
    case 2:
        if (choose(p->c, 8) == 0)
            put_constant(p);
        else
            put_push(p, choose(p->c, 256));
        break;
    default: put_push(p, 32 * choose(p->c, 6)); break;
    }
}

static inline void put_memory(struct program *p)
{
    switch (choose(p->c, 8)) {
    case 0:
    case 1:
        put_address(p);
        put_op(p, OP_MLOAD);
        break;
    case 2:
    case 3:
        need(p, 1);
        put_address(p);
        put_op(p, OP_MSTORE);
        break;
    case 4:
        need(p, 1);
        put_address(p);
        put_op(p, OP_MSTORE8);
        break;
    case 5:
        put_push(p, choose(p->c, 70));
        put_address(p);
        put_op(p, OP_KECCAK256);
        break;
    default: {
        static const u8 ops[] = {OP_CALLDATACOPY, OP_CODECOPY, OP_MCOPY, OP_RETURNDATACOPY};
        unsigned which = choose(p->c, 9);
        put_push(p, choose(p->c, 70));
        put_address(p);
        put_address(p);
        put_op(p, which < 8 ? ops[which & 1 ? 1 : which >> 1] : OP_RETURNDATACOPY);
        break;
    }
    }
}

static inline void put_storage(struct program *p)
{
    static const u8 ops[] = {OP_SLOAD, OP_SSTORE, OP_SSTORE, OP_TLOAD, OP_TSTORE};
    u8 opcode = ops[choose(p->c, ARRAY_LEN(ops))];
    if (opcode == OP_SSTORE || opcode == OP_TSTORE)
        need(p, 1);
    put_push(p, choose(p->c, 3));
    put_op(p, opcode);
}

static inline void put_log(struct program *p)
{
    unsigned topics = choose(p->c, 5);
    need(p, (int)topics);
    put_push(p, choose(p->c, 40));
    put_address(p);
    put_op(p, (u8)(OP_LOG0 + topics));
}

/* A call to one of the programs, a precompile or nobody. */
static inline void put_call(struct program *p)
{
    static const u8 ops[] = {OP_CALL, OP_CALL, OP_STATICCALL, OP_DELEGATECALL, OP_CALLCODE};
    u8 opcode = ops[choose(p->c, ARRAY_LEN(ops))];
    put_push(p, choose(p->c, 64));
    put_push(p, 32 * choose(p->c, 4));
    put_push(p, choose(p->c, 64));
    put_push(p, 32 * choose(p->c, 4));
    if (opcode == OP_CALL || opcode == OP_CALLCODE)
        put_push(p, choose(p->c, 4) == 0 ? choose(p->c, 3) : 0);
    unsigned whom = choose(p->c, 8);
    put_push(p, whom < 6 ? 0xc0de00 + whom % PROGRAM_COUNT : whom == 6 ? 4 : 0xdead);
    if (choose(p->c, 2))
        put_op(p, OP_GAS);
    else
        put_push(p, choose(p->c, 250) * 37);
    put_op(p, opcode);
}

static inline void put_create(struct program *p)
{
    /* PUSH1 n PUSH1 0 RETURN, or something that is no code. */
    put_push(p, choose(p->c, 4) ? 0x60006000f3 + ((u64)choose(p->c, 40) << 24) : choose(p->c, 256));
    put_push(p, 0);
    put_op(p, OP_MSTORE);
    bool salted = choose(p->c, 2);
    if (salted)
        put_push(p, choose(p->c, 2));
    put_push(p, choose(p->c, 8));
    put_push(p, 27);
    put_push(p, choose(p->c, 8) == 0);
    put_op(p, salted ? OP_CREATE2 : OP_CREATE);
}

static inline void put_end(struct program *p)
{
    static const u8 ops[] = {OP_RETURN, OP_RETURN, OP_REVERT, OP_STOP, OP_INVALID, OP_SELFDESTRUCT};
    u8 opcode = ops[choose(p->c, ARRAY_LEN(ops))];
    if (opcode == OP_RETURN || opcode == OP_REVERT) {
        put_push(p, choose(p->c, 64));
        put_address(p);
    } else if (opcode == OP_SELFDESTRUCT) {
        put_push(p, choose(p->c, 4) ? 0xdead : 0xc0de00);
    }
    put_op(p, opcode);
}

static void put_part(struct program *p, int budget);

/* Brings the stack back to a height. */
static inline void level(struct program *p, int height)
{
    while (p->height > height)
        put_op(p, OP_POP);
    need(p, height);
}

static inline void put_condition(struct program *p)
{
    static const u8 ops[] = {OP_LT, OP_GT, OP_SLT, OP_SGT, OP_EQ, OP_AND, OP_SUB};
    if (choose(p->c, 4)) {
        need(p, 1);
        put_op(p, (u8)(OP_DUP1 + choose(p->c, p->height < 8 ? (unsigned)p->height : 8)));
        put_constant(p);
        put_op(p, ops[choose(p->c, ARRAY_LEN(ops))]);
    } else {
        need(p, 1);
        put_op(p, OP_DUP1);
    }
    for (unsigned n = choose(p->c, 3); n > 0; n--)
        put_op(p, OP_ISZERO);
}

static inline void put_if(struct program *p)
{
    put_condition(p);
    u32 over = put_label(p);
    put_op(p, OP_JUMPI);
    int height = p->height;
    put_part(p, 1 + (int)choose(p->c, 6));
    if (choose(p->c, 4) == 0)
        put_end(p);
    level(p, height);
    fill_label(p, over, p->len);
    put_op(p, OP_JUMPDEST);
}

static inline void put_loop(struct program *p)
{
    put_push(p, 1 + choose(p->c, 5));
    u32 start = p->len;
    put_op(p, OP_JUMPDEST);
    int height = p->height;
    put_part(p, 1 + (int)choose(p->c, 8));
    level(p, height);
    put_push(p, 1);
    put_op(p, OP_SWAP1);
    put_op(p, OP_SUB);
    put_op(p, OP_DUP1);
    put_push(p, start);
    put_op(p, OP_JUMPI);
    put_op(p, OP_POP);
}

static inline void put_function_call(struct program *p)
{
    unsigned which = choose(p->c, FUNCTION_MAX);
    if (p->function_ref_count[which] == 32)
        return;
    need(p, 1);
    u32 back = put_label(p);
    if (choose(p->c, 2))
        put_constant(p);
    else
        put_op(p, OP_DUP1 + 1);
    p->function_refs[which][p->function_ref_count[which]++] = put_label(p);
    put_op(p, OP_JUMP);
    fill_label(p, back, p->len);
    put_op(p, OP_JUMPDEST);
    p->height--; /* the function ate the return address */
}

static inline void put_something(struct program *p)
{
    unsigned what = choose(p->c, 100);
    if (what < 22)
        put_binary(p);
    else if (what < 30)
        put_constant(p);
    else if (what < 42)
        put_shuffle(p);
    else if (what < 54)
        put_memory(p);
    else if (what < 58)
        put_unary(p);
    else if (what < 62)
        put_ternary(p);
    else if (what < 67)
        put_nullary(p);
    else if (what < 71)
        put_storage(p);
    else if (what < 73)
        put_log(p);
    else if (what < 76)
        put_call(p);
    else if (what < 77)
        put_create(p);
    else if (what < 79)
        put(p, OP_JUMPDEST);
    else if (what < 80 && choose(p->c, 8) == 0)
        put(p, (u8)choose(p->c, 256));
    else if (p->nesting > 3 || p->len > PROGRAM_MAX * 3 / 4)
        put_binary(p);
    else if (what < 90)
        put_if(p);
    else if (what < 94)
        put_loop(p);
    else
        put_function_call(p);
}

static void put_part(struct program *p, int budget)
{
    p->nesting++;
    for (; budget > 0 && p->len < PROGRAM_MAX - 100; budget--)
        put_something(p);
    p->nesting--;
}

/* A function takes one word above its return address and leaves one instead of both. */
static inline void put_function(struct program *p, unsigned which)
{
    u32 start = p->len;
    for (unsigned i = 0; i < p->function_ref_count[which]; i++)
        fill_label(p, p->function_refs[which][i], start);
    p->function_ref_count[which] = 0;
    put(p, OP_JUMPDEST);
    p->height = 1;
    put_part(p, (int)choose(p->c, 6));
    level(p, 1);
    put_op(p, OP_SWAP1);
    put_op(p, OP_JUMP);
}

static inline void program_make(struct program *p, struct chooser *c, enum fork fork)
{
    memset(p, 0, sizeof *p);
    p->c = c;
    p->fork = fork;
    if (choose(c, 16) == 0)
        for (unsigned n = choose(c, 4); n > 0; n--)
            put_constant(p);
    put_part(p, 4 + (int)choose(c, 40));
    if (choose(c, 4))
        put_end(p);
    else
        put(p, OP_STOP);
    p->nesting = 3;
    for (unsigned i = 0; i < FUNCTION_MAX; i++)
        if (p->function_ref_count[i])
            put_function(p, i);
}

/* --- comparing -------------------------------------------------------------------------------- */

struct outcome {
    enum evm_status status;
    i64 gas_left, refund;
    size_t output_len;
    u8 output[128];
    hash32 digest;
};

static inline bool outcome_eq(const struct outcome *a, const struct outcome *b)
{
    return a->status == b->status && a->gas_left == b->gas_left && a->refund == b->refund &&
           a->output_len == b->output_len && memcmp(a->output, b->output, sizeof a->output) == 0 &&
           hash32_eq(&a->digest, &b->digest);
}

/* One interpreter with its own world. */
struct side {
    struct evm *evm;
    struct toy_host *world;
};

static inline addr20 program_addr(unsigned i)
{
    return (addr20){{[17] = 0xc0, [18] = 0xde, [19] = (u8)i}};
}

static inline void side_init(struct side *side, enum evm_engine engine)
{
    side->evm = evm_new();
    evm_set_engine(side->evm, engine);
    side->world = NULL;
}

static inline void side_fini(struct side *side)
{
    evm_free(side->evm);
    toy_host_free(side->world);
}

/* A new world with these programs in it; what the machine has learnt of others stays with it. */
static inline void side_load(struct side *side, const struct program *programs)
{
    if (side->world)
        toy_host_free(side->world);
    side->world = toy_host_new();
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        addr20 addr = program_addr(i);
        toy_host_put(side->world, &addr, u256_from_u64(1000 * i), 1, programs[i].code,
                     programs[i].len);
        toy_host_put_slot(side->world, &addr, U256_ONE, u256_from_u64(77));
    }
}

/* Runs the first program; the world is as before afterwards. */
static inline void side_run(struct side *side, struct outcome *outcome, enum fork fork, i64 gas,
                            bool is_static)
{
    static const u8 input[70] = {1, 2, 3, 4, [31] = 5, [40] = 0xff, [63] = 7, [69] = 9};
    struct evm_block block = {.number = 300,
                              .timestamp = 99,
                              .gas_limit = 30000000,
                              .base_fee = u256_from_u64(7),
                              .difficulty = u256_from_u64(12345)};
    struct evm_tx tx = {.chain_id = U256_ONE, .gas_price = u256_from_u64(11)};
    struct evm_host door = toy_host_door(side->world);
    addr20 self = program_addr(0), sender = program_addr(PROGRAM_COUNT - 1);
    struct evm_msg msg = {.kind = is_static ? EVM_STATICCALL : EVM_CALL,
                          .is_static = is_static,
                          .gas = gas,
                          .sender = sender,
                          .recipient = self,
                          .code_addr = self,
                          .input = input,
                          .input_len = sizeof input};
    struct evm_result result;
    u32 checkpoint = door.ops->checkpoint(door.ctx);
    evm_begin(side->evm, fork, &door, &block, &tx);
    evm_call(side->evm, &msg, &result);
    memset(outcome, 0, sizeof *outcome);
    outcome->status = result.status;
    outcome->gas_left = result.gas_left;
    outcome->refund = evm_refund(side->evm);
    outcome->output_len = result.output_len;
    if (result.output_len)
        memcpy(outcome->output, result.output, result.output_len < 128 ? result.output_len : 128);
    outcome->digest = toy_host_digest(side->world);
    door.ops->rollback(door.ctx, checkpoint);
    toy_host_end_tx(side->world, fork);
}
