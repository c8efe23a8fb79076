/* Handlers that touch memory, call data and the world around the frame. */
#include "evm/fast_int.h"

static inline u256 *slot_word(u8 *sp, i32 slot)
{
    return (u256 *)(sp + slot);
}

#define WORD_AT(slot) slot_word(SP, slot)

/*
 * Memory that is there is reached at once. Everything else (growth, absurd offsets, no gas) takes the
 * slow handlers, which share memory_open: false, with the frame's status, when it cannot be had.
 */
static bool memory_open(struct run *run, u256 at, u64 len, i64 gas)
{
    struct frame *frame = run->frame;
    frame->status = EVM_OUT_OF_GAS;
    frame->gas = gas;
    if (gas < 0)
        return false;
    if (!u256_fits_u64(at) || at.w[0] > MEMORY_MAX - len) {
        frame->status = memory_failure(at, u256_from_u64(len));
        return false;
    }
    run->at = at.w[0];
    if (!frame_charge(frame, memory_cost(frame, run->at + len)))
        return false;
    struct memory *memory = &frame->memory;
    if (run->at + len <= memory->len)
        return true;
    if (run->at + len <= memory->len + WORD && memory->len + WORD <= memory->cap) {
        memset(memory->bytes + memory->len, 0, WORD);
        memory->len += WORD;
    } else {
        memory_reach(frame, run->at + len);
    }
    return true;
}

/* Ends the run with the frame. */
static OP(fail)
{
    RUN->sp = SP;
    RUN->gas = RUN->frame->gas;
    RUN->end = RUN_DONE;
    LEAVE;
}

/* Takes over what the body of an instruction may have changed; rest is prepaid again. */
#define RELOAD(rest)                      \
    do {                                  \
        GAS = RUN->frame->gas - (rest);   \
        MEM = RUN->frame->memory.bytes;   \
        MEM_LEN = RUN->frame->memory.len; \
    } while (0)

/* Between memory's order of bytes and a slot's. */
static inline void word_swap(void *to, const void *from)
{
    u256 v;
    memcpy(&v, from, sizeof v);
    v = in_limbs(v);
    v = in_limbs((u256){{__builtin_bswap64(v.w[3]), __builtin_bswap64(v.w[2]),
                         __builtin_bswap64(v.w[1]), __builtin_bswap64(v.w[0])}});
    memcpy(to, &v, sizeof v);
}

static inline bool reaches(u64 at, u64 mem_len)
{
    return mem_len >= WORD && at <= mem_len - WORD;
}

/* The address in a slot plus a displacement (below 2^31 either way), if both and the sum are below 2^32. */
static inline bool address_of(u64 *at, const u256 *word, i64 plus)
{
    u64 sum = word->w[0] + (u64)plus;
    *at = sum;
    return ((word->w[0] | sum) >> 32 | word->w[1] | word->w[2] | word->w[3]) == 0;
}

static inline u256 offset_add(const u256 *word, i64 plus)
{
    u64 fill = (u64)(plus >> 63);
    return u256_add(*word, (u256){{(u64)plus, fill, fill, fill}});
}

/* Opens memory for the operation at hand or ends the run. */
#define OPEN(address, len, rest)                           \
    do {                                                   \
        if (!memory_open(RUN, address, len, GAS + (rest))) \
            TAIL(op_fail);                                 \
        RELOAD(rest);                                      \
    } while (0)

static OP(mload_r_slow)
{
    OPEN(offset_add(WORD_AT(op->a), (i64)op->imm), WORD, op->c);
    word_swap(WORD_AT(op->d), MEM + RUN->at);
    NEXT;
}

static OP(mload_i_slow)
{
    OPEN(u256_from_u64(op->imm), WORD, op->c);
    word_swap(WORD_AT(op->d), MEM + RUN->at);
    NEXT;
}

/* d = the word of memory at slot a plus imm. */
OP(mload_r)
{
    u64 at;
    if (UNLIKELY(!address_of(&at, WORD_AT(op->a), (i64)op->imm) || !reaches(at, MEM_LEN)))
        TAIL(op_mload_r_slow);
    word_swap(WORD_AT(op->d), MEM + at);
    NEXT;
}

/* d = the word of memory at imm; _u: which is known to be there. */
OP(mload_i)
{
    if (UNLIKELY(!reaches(op->imm, MEM_LEN)))
        TAIL(op_mload_i_slow);
    word_swap(WORD_AT(op->d), MEM + op->imm);
    NEXT;
}

OP(mload_u)
{
    word_swap(WORD_AT(op->d), MEM + op->imm);
    NEXT;
}

static OP(mstore_rr_slow)
{
    OPEN(offset_add(WORD_AT(op->a), op->c), WORD, op->d);
    word_swap(MEM + RUN->at, WORD_AT(op->b));
    NEXT;
}

static OP(mstore_rk_slow)
{
    OPEN(offset_add(WORD_AT(op->a), op->c), WORD, op->d);
    memcpy(MEM + RUN->at, op->bytes, WORD);
    NEXT;
}

static OP(mstore_ir_slow)
{
    OPEN(u256_from_u64((u64)op->c), WORD, op->d);
    word_swap(MEM + RUN->at, WORD_AT(op->b));
    NEXT;
}

static OP(mstore_ik_slow)
{
    OPEN(u256_from_u64((u64)op->c), WORD, op->d);
    memcpy(MEM + RUN->at, op->bytes, WORD);
    NEXT;
}

/* Stores slot b, or (k) a constant's 32 bytes, at slot a plus c. */
OP(mstore_rr)
{
    u64 at;
    if (UNLIKELY(!address_of(&at, WORD_AT(op->a), op->c) || !reaches(at, MEM_LEN)))
        TAIL(op_mstore_rr_slow);
    word_swap(MEM + at, WORD_AT(op->b));
    NEXT;
}

OP(mstore_rk)
{
    u64 at;
    if (UNLIKELY(!address_of(&at, WORD_AT(op->a), op->c) || !reaches(at, MEM_LEN)))
        TAIL(op_mstore_rk_slow);
    memcpy(MEM + at, op->bytes, WORD);
    NEXT;
}

/* The same at the constant address c; _u: known to be there. */
OP(mstore_ir)
{
    if (UNLIKELY(!reaches((u64)op->c, MEM_LEN)))
        TAIL(op_mstore_ir_slow);
    word_swap(MEM + op->c, WORD_AT(op->b));
    NEXT;
}

OP(mstore_ik)
{
    if (UNLIKELY(!reaches((u64)op->c, MEM_LEN)))
        TAIL(op_mstore_ik_slow);
    memcpy(MEM + op->c, op->bytes, WORD);
    NEXT;
}

OP(mstore_ur)
{
    word_swap(MEM + op->c, WORD_AT(op->b));
    NEXT;
}

OP(mstore_uk)
{
    memcpy(MEM + op->c, op->bytes, WORD);
    NEXT;
}

static OP(mstore8_slow)
{
    OPEN(offset_add(WORD_AT(op->a), op->c), 1, op->d);
    MEM[RUN->at] = (u8)WORD_AT(op->b)->w[0];
    NEXT;
}

OP(mstore8)
{
    u64 at;
    if (UNLIKELY(!address_of(&at, WORD_AT(op->a), op->c) || at >= MEM_LEN))
        TAIL(op_mstore8_slow);
    MEM[at] = (u8)WORD_AT(op->b)->w[0];
    NEXT;
}

OP(msize)
{
    *WORD_AT(op->d) = u256_from_u64(MEM_LEN);
    NEXT;
}

/*
 * Any other instruction, by its body. Its operands lie in neighbouring slots that end at a, and its
 * result goes over the lowest. b is the rest; c the slot above all that a callee must leave alone.
 */
OP(step)
{
    struct frame *frame = RUN->frame;
    frame->gas = GAS + op->b;
    frame->stack_len = (u32)((SP + op->c - RUN->floor) / WORD);
    frame->status = frame->gas < 0 ? EVM_OUT_OF_GAS : op->instr(frame, WORD_AT(op->a));
    if (UNLIKELY(frame->status != EVM_SUCCESS))
        TAIL(op_fail);
    RELOAD(op->b);
    NEXT;
}

/* The same for those that end the frame. */
OP(step_end)
{
    struct frame *frame = RUN->frame;
    frame->gas = GAS + op->b;
    frame->stack_len = (u32)((SP + op->c - RUN->floor) / WORD);
    frame->status = frame->gas < 0 ? EVM_OUT_OF_GAS : op->instr(frame, WORD_AT(op->a));
    TAIL(op_fail);
}

OP(gas)
{
    i64 gas = GAS + op->b;
    if (UNLIKELY(gas < 0)) {
        RUN->frame->gas = gas;
        RUN->frame->status = EVM_OUT_OF_GAS;
        TAIL(op_fail);
    }
    *WORD_AT(op->d) = u256_from_u64((u64)gas);
    NEXT;
}

OP(calldataload)
{
    *WORD_AT(op->d) = msg_input_word(RUN->frame->msg, *WORD_AT(op->a));
    NEXT;
}

OP(address)
{
    *WORD_AT(op->d) = word_of_addr(&RUN->frame->msg->recipient);
    NEXT;
}

OP(caller)
{
    *WORD_AT(op->d) = word_of_addr(&RUN->frame->msg->sender);
    NEXT;
}

OP(callvalue)
{
    *WORD_AT(op->d) = RUN->frame->msg->value;
    NEXT;
}

OP(calldatasize)
{
    *WORD_AT(op->d) = u256_from_u64(RUN->frame->msg->input_len);
    NEXT;
}

OP(returndatasize)
{
    *WORD_AT(op->d) = u256_from_u64(RUN->frame->return_data_len);
    NEXT;
}

/* What the opcode imm tells of the block or the transaction. */
static u256 env_word(const struct evm *evm, u64 opcode)
{
    const struct evm_block *block = evm->block;
    switch (opcode) {
    case OP_ORIGIN: return word_of_addr(&evm->tx->origin);
    case OP_GASPRICE: return evm->tx->gas_price;
    case OP_COINBASE: return word_of_addr(&block->coinbase);
    case OP_TIMESTAMP: return u256_from_u64(block->timestamp);
    case OP_NUMBER: return u256_from_u64(block->number);
    case OP_PREVRANDAO:
        return evm->fork >= FORK_PARIS ? u256_from_hash(&block->prev_randao) : block->difficulty;
    case OP_GASLIMIT: return u256_from_u64(block->gas_limit);
    case OP_CHAINID: return evm->tx->chain_id;
    case OP_BASEFEE: return block->base_fee;
    case OP_BLOBBASEFEE: return block->blob_base_fee;
    }
    assert(!"an opcode of the environment");
    return U256_ZERO;
}

OP(env)
{
    *WORD_AT(op->d) = env_word(RUN->frame->evm, op->imm);
    NEXT;
}
