/*
 * The instructions of the plain interpreter, written once for both ways of compiling them (plain.c).
 * In scope: frame, pc (at the opcode), sp (one above the top), gas, table.
 */

INSTR(FAILURE)
{
    (void)table;
    frame_sync(frame, pc, sp, gas);
#if TRACED
    frame_report_failure(frame, frame->status);
#endif
    return;
}

INSTR(UNDEFINED)
{
    STEP_BEGIN();
    STEP_REPORT();
    FAIL(EVM_INVALID_OPCODE);
}

INSTR(INVALID)
{
    STEP_BEGIN();
    STEP_REPORT();
    FAIL(EVM_INVALID_OPCODE);
}

INSTR(STOP)
{
    ENTER_STATIC(STOP);
    frame_sync(frame, pc, sp, gas);
    frame->status = EVM_SUCCESS;
    return;
}

/* An instruction whose function ends the frame when it succeeds. */
#define ENDING(id, function)                          \
    INSTR(id)                                         \
    {                                                 \
        ENTER(id);                                    \
        frame_sync(frame, pc, sp, gas);               \
        enum evm_status status = function(frame, sp); \
        gas = frame->gas;                             \
        if (UNLIKELY(status != EVM_SUCCESS))          \
            FAIL(status);                             \
        frame->status = EVM_SUCCESS;                  \
        return;                                       \
    }

ENDING(RETURN, instr_return)
ENDING(REVERT, instr_revert)
ENDING(SELFDESTRUCT, instr_selfdestruct)
#undef ENDING

/* --- arithmetic, comparing, bits ------------------------------------------------------------- */

/* One word from two, and from three, and from one; a is the top. */
#define BINARY(id, value)            \
    INSTR(id)                        \
    {                                \
        ENTER_STATIC(id);            \
        u256 a = sp[-1], b = sp[-2]; \
        sp[-2] = (value);            \
        sp--;                        \
        NEXT(1);                     \
    }
#define TERNARY(id, value)                       \
    INSTR(id)                                    \
    {                                            \
        ENTER_STATIC(id);                        \
        u256 a = sp[-1], b = sp[-2], c = sp[-3]; \
        sp[-3] = (value);                        \
        sp -= 2;                                 \
        NEXT(1);                                 \
    }
#define UNARY(id, value)  \
    INSTR(id)             \
    {                     \
        ENTER_STATIC(id); \
        u256 a = sp[-1];  \
        sp[-1] = (value); \
        NEXT(1);          \
    }

BINARY(ADD, u256_add(a, b))
BINARY(MUL, u256_mul(a, b))
BINARY(SUB, u256_sub(a, b))
BINARY(DIV, u256_div(a, b))
BINARY(SDIV, u256_sdiv(a, b))
BINARY(MOD, u256_mod(a, b))
BINARY(SMOD, u256_smod(a, b))
TERNARY(ADDMOD, u256_addmod(a, b, c))
TERNARY(MULMOD, u256_mulmod(a, b, c))
SHARED(EXP, instr_exp)
BINARY(SIGNEXTEND, u256_signextend(a, b))
BINARY(LT, u256_from_u64(u256_lt(a, b)))
BINARY(GT, u256_from_u64(u256_lt(b, a)))
BINARY(SLT, u256_from_u64(u256_slt(a, b)))
BINARY(SGT, u256_from_u64(u256_slt(b, a)))
BINARY(EQ, u256_from_u64(u256_eq(a, b)))
UNARY(ISZERO, u256_from_u64(u256_is_zero(a)))
BINARY(AND, u256_and(a, b))
BINARY(OR, u256_or(a, b))
BINARY(XOR, u256_xor(a, b))
UNARY(NOT, u256_not(a))
BINARY(BYTE, u256_byte(a, b))
BINARY(SHL, u256_shl_by(b, a))
BINARY(SHR, u256_shr_by(b, a))
BINARY(SAR, u256_sar_by(b, a))
UNARY(CLZ, u256_from_u64(u256_clz(a)))
SHARED(KECCAK256, instr_keccak256)
#undef BINARY
#undef TERNARY

/* --- the message, the block, accounts -------------------------------------------------------- */

/* A word that is there for the asking. */
#define PUSHES(id, value) \
    INSTR(id)             \
    {                     \
        ENTER_STATIC(id); \
        *sp++ = (value);  \
        NEXT(1);          \
    }

PUSHES(ADDRESS, word_of_addr(&frame->msg->recipient))
SHARED(BALANCE, instr_balance)
PUSHES(ORIGIN, word_of_addr(&frame->evm->tx->origin))
PUSHES(CALLER, word_of_addr(&frame->msg->sender))
PUSHES(CALLVALUE, frame->msg->value)
UNARY(CALLDATALOAD, msg_input_word(frame->msg, a))
PUSHES(CALLDATASIZE, u256_from_u64(frame->msg->input_len))
SHARED(CALLDATACOPY, instr_calldatacopy)
PUSHES(CODESIZE, u256_from_u64(frame->code->len))
SHARED(CODECOPY, instr_codecopy)
PUSHES(GASPRICE, frame->evm->tx->gas_price)
SHARED(EXTCODESIZE, instr_extcodesize)
SHARED(EXTCODECOPY, instr_extcodecopy)
PUSHES(RETURNDATASIZE, u256_from_u64(frame->return_data_len))
SHARED(RETURNDATACOPY, instr_returndatacopy)
SHARED(EXTCODEHASH, instr_extcodehash)
SHARED(BLOCKHASH, instr_blockhash)
PUSHES(COINBASE, word_of_addr(&frame->evm->block->coinbase))
PUSHES(TIMESTAMP, u256_from_u64(frame->evm->block->timestamp))
PUSHES(NUMBER, u256_from_u64(frame->evm->block->number))
PUSHES(PREVRANDAO, block_prevrandao(frame->evm))
PUSHES(GASLIMIT, u256_from_u64(frame->evm->block->gas_limit))
PUSHES(CHAINID, frame->evm->tx->chain_id)
SHARED(SELFBALANCE, instr_selfbalance)
PUSHES(BASEFEE, frame->evm->block->base_fee)
SHARED(BLOBHASH, instr_blobhash)
PUSHES(BLOBBASEFEE, frame->evm->block->blob_base_fee)
#undef UNARY

/* --- stack, memory, storage, flow ------------------------------------------------------------ */

INSTR(POP)
{
    ENTER_STATIC(POP);
    sp--;
    NEXT(1);
}

/* Do len bytes at `at` lie in the memory that is there? */
#define IN_MEMORY(at, n) \
    (u256_fits_u64(at) && (at).w[0] < frame->memory.len && frame->memory.len - (at).w[0] >= (n))

/* The memory instructions go to ops.h only when memory has to grow. */
#define MEMORY(id, function, n, access)                    \
    INSTR(id)                                              \
    {                                                      \
        ENTER(id);                                         \
        if (LIKELY(IN_MEMORY(sp[-1], n))) {                \
            STEP_REPORT();                                 \
            u8 *place = frame->memory.bytes + sp[-1].w[0]; \
            access;                                        \
        } else {                                           \
            frame_sync(frame, pc, sp, gas);                \
            enum evm_status status = function(frame, sp);  \
            gas = frame->gas;                              \
            if (UNLIKELY(status != EVM_SUCCESS))           \
                FAIL(status);                              \
        }                                                  \
        sp += OUT_##id - IN_##id;                          \
        NEXT(1);                                           \
    }

MEMORY(MLOAD, instr_mload, 32, sp[-1] = u256_load_be(place))
MEMORY(MSTORE, instr_mstore, 32, u256_store_be(place, sp[-2]))
MEMORY(MSTORE8, instr_mstore8, 1, *place = (u8)sp[-2].w[0])
#undef MEMORY
#undef IN_MEMORY

SHARED(SLOAD, instr_sload)
SHARED(SSTORE, instr_sstore)
SHARED(TLOAD, instr_tload)
SHARED(TSTORE, instr_tstore)
SHARED(MCOPY, instr_mcopy)

/* Goes to a jump's target, or pauses there when the frame asked for that. */
#define JUMP_TO(target)                                   \
    do {                                                  \
        u64 to = u256_to_u64_sat(target);                 \
        if (UNLIKELY(!code_is_jumpdest(frame->code, to))) \
            FAIL(EVM_INVALID_JUMP);                       \
        pc = frame->code->bytes + to;                     \
        sp -= popped;                                     \
        if (UNLIKELY(--frame->jumps_left == 0)) {         \
            frame_sync(frame, pc, sp, gas);               \
            frame->is_paused = true;                      \
            return;                                       \
        }                                                 \
        NEXT(0);                                          \
    } while (0)

INSTR(JUMP)
{
    enum { popped = 1 };
    ENTER_STATIC(JUMP);
    JUMP_TO(sp[-1]);
}

INSTR(JUMPI)
{
    enum { popped = 2 };
    ENTER_STATIC(JUMPI);
    if (!u256_is_zero(sp[-2]))
        JUMP_TO(sp[-1]);
    sp -= popped;
    NEXT(1);
}
#undef JUMP_TO

PUSHES(PC, u256_from_u64((u64)(pc - frame->code->bytes)))
PUSHES(MSIZE, u256_from_u64(frame->memory.len))
PUSHES(GAS, u256_from_u64((u64)gas))

INSTR(JUMPDEST)
{
    ENTER_STATIC(JUMPDEST);
    NEXT(1);
}

PUSHES(PUSH0, U256_ZERO)
#undef PUSHES

#define PUSH(n)                       \
    INSTR(PUSH##n)                    \
    {                                 \
        ENTER_STATIC(PUSH##n);        \
        *sp++ = push_load(pc + 1, n); \
        NEXT(1 + n);                  \
    }
PUSH(1)
PUSH(2)
PUSH(3)
PUSH(4)
PUSH(5)
PUSH(6)
PUSH(7)
PUSH(8)
PUSH(9)
PUSH(10)
PUSH(11)
PUSH(12)
PUSH(13)
PUSH(14)
PUSH(15)
PUSH(16)
PUSH(17)
PUSH(18)
PUSH(19)
PUSH(20)
PUSH(21)
PUSH(22)
PUSH(23)
PUSH(24)
PUSH(25)
PUSH(26)
PUSH(27)
PUSH(28)
PUSH(29)
PUSH(30)
PUSH(31)
PUSH(32)
#undef PUSH

#define DUP(n)                \
    INSTR(DUP##n)             \
    {                         \
        ENTER_STATIC(DUP##n); \
        *sp = sp[-n];         \
        sp++;                 \
        NEXT(1);              \
    }
DUP(1)
DUP(2)
DUP(3)
DUP(4)
DUP(5)
DUP(6)
DUP(7)
DUP(8)
DUP(9)
DUP(10)
DUP(11)
DUP(12)
DUP(13)
DUP(14)
DUP(15)
DUP(16)
#undef DUP

#define SWAP(n)                \
    INSTR(SWAP##n)             \
    {                          \
        ENTER_STATIC(SWAP##n); \
        u256 top = sp[-1];     \
        sp[-1] = sp[-1 - n];   \
        sp[-1 - n] = top;      \
        NEXT(1);               \
    }
SWAP(1)
SWAP(2)
SWAP(3)
SWAP(4)
SWAP(5)
SWAP(6)
SWAP(7)
SWAP(8)
SWAP(9)
SWAP(10)
SWAP(11)
SWAP(12)
SWAP(13)
SWAP(14)
SWAP(15)
SWAP(16)
#undef SWAP

/* --- logs, creations, calls ------------------------------------------------------------------ */

SHARED(LOG0, instr_log0)
SHARED(LOG1, instr_log1)
SHARED(LOG2, instr_log2)
SHARED(LOG3, instr_log3)
SHARED(LOG4, instr_log4)
SHARED(CREATE, instr_create)
SHARED(CREATE2, instr_create2)
SHARED(CALL, instr_call)
SHARED(CALLCODE, instr_callcode)
SHARED(DELEGATECALL, instr_delegatecall)
SHARED(STATICCALL, instr_staticcall)
