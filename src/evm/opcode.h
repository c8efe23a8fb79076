/*
 * The instruction set: one row an opcode. A row holds what the fork that introduced the opcode set;
 * SINCE(fork, gas) before it is a later fork's change, newest first. A new fork adds rows or one SINCE.
 * Dynamic gas (memory, cold access, words, value) is charged by the instructions themselves (ops.h).
 * Source: Yellow Paper appendices G and H, and the EIPs named at the rows.
 */
#pragma once

#include "types/fork.h"

/* Chains onto the gas of a row: from that fork on it costs this. F is the fork the list is taken at. */
#define SINCE(F, fork, gas) (F) >= FORK_##fork ? (gas):

/*
 * OPCODE_LIST(X, F): X(F, opcode, name, stack in, stack out, first fork, static gas at fork F).
 * Stack in counts what must be there; out what stands in its place afterwards.
 */
#define OPCODE_LIST(X, F)                                                               \
    X(F, 0x00, STOP, 0, 0, FRONTIER, 0)                                                 \
    X(F, 0x01, ADD, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x02, MUL, 2, 1, FRONTIER, 5)                                                  \
    X(F, 0x03, SUB, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x04, DIV, 2, 1, FRONTIER, 5)                                                  \
    X(F, 0x05, SDIV, 2, 1, FRONTIER, 5)                                                 \
    X(F, 0x06, MOD, 2, 1, FRONTIER, 5)                                                  \
    X(F, 0x07, SMOD, 2, 1, FRONTIER, 5)                                                 \
    X(F, 0x08, ADDMOD, 3, 1, FRONTIER, 8)                                               \
    X(F, 0x09, MULMOD, 3, 1, FRONTIER, 8)                                               \
    X(F, 0x0a, EXP, 2, 1, FRONTIER, 10)                                                 \
    X(F, 0x0b, SIGNEXTEND, 2, 1, FRONTIER, 5)                                           \
    X(F, 0x10, LT, 2, 1, FRONTIER, 3)                                                   \
    X(F, 0x11, GT, 2, 1, FRONTIER, 3)                                                   \
    X(F, 0x12, SLT, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x13, SGT, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x14, EQ, 2, 1, FRONTIER, 3)                                                   \
    X(F, 0x15, ISZERO, 1, 1, FRONTIER, 3)                                               \
    X(F, 0x16, AND, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x17, OR, 2, 1, FRONTIER, 3)                                                   \
    X(F, 0x18, XOR, 2, 1, FRONTIER, 3)                                                  \
    X(F, 0x19, NOT, 1, 1, FRONTIER, 3)                                                  \
    X(F, 0x1a, BYTE, 2, 1, FRONTIER, 3)                                                 \
    X(F, 0x1b, SHL, 2, 1, CONSTANTINOPLE, 3) /* EIP-145 */                              \
    X(F, 0x1c, SHR, 2, 1, CONSTANTINOPLE, 3)                                            \
    X(F, 0x1d, SAR, 2, 1, CONSTANTINOPLE, 3)                                            \
    X(F, 0x1e, CLZ, 1, 1, OSAKA, 5) /* EIP-7939 */                                      \
    X(F, 0x20, KECCAK256, 2, 1, FRONTIER, 30)                                           \
    X(F, 0x30, ADDRESS, 0, 1, FRONTIER, 2)                                              \
    X(F, 0x31, BALANCE, 1, 1, FRONTIER, /* EIP-150, EIP-1884, EIP-2929 */               \
      SINCE(F, BERLIN, 100) SINCE(F, ISTANBUL, 700) SINCE(F, TANGERINE, 400) 20)        \
    X(F, 0x32, ORIGIN, 0, 1, FRONTIER, 2)                                               \
    X(F, 0x33, CALLER, 0, 1, FRONTIER, 2)                                               \
    X(F, 0x34, CALLVALUE, 0, 1, FRONTIER, 2)                                            \
    X(F, 0x35, CALLDATALOAD, 1, 1, FRONTIER, 3)                                         \
    X(F, 0x36, CALLDATASIZE, 0, 1, FRONTIER, 2)                                         \
    X(F, 0x37, CALLDATACOPY, 3, 0, FRONTIER, 3)                                         \
    X(F, 0x38, CODESIZE, 0, 1, FRONTIER, 2)                                             \
    X(F, 0x39, CODECOPY, 3, 0, FRONTIER, 3)                                             \
    X(F, 0x3a, GASPRICE, 0, 1, FRONTIER, 2)                                             \
    X(F, 0x3b, EXTCODESIZE, 1, 1, FRONTIER, /* EIP-150, EIP-2929 */                     \
      SINCE(F, BERLIN, 100) SINCE(F, TANGERINE, 700) 20)                                \
    X(F, 0x3c, EXTCODECOPY, 4, 0, FRONTIER, /* EIP-150, EIP-2929 */                     \
      SINCE(F, BERLIN, 100) SINCE(F, TANGERINE, 700) 20)                                \
    X(F, 0x3d, RETURNDATASIZE, 0, 1, BYZANTIUM, 2) /* EIP-211 */                        \
    X(F, 0x3e, RETURNDATACOPY, 3, 0, BYZANTIUM, 3)                                      \
    X(F, 0x3f, EXTCODEHASH, 1, 1, CONSTANTINOPLE, /* EIP-1052, EIP-1884, EIP-2929 */    \
      SINCE(F, BERLIN, 100) SINCE(F, ISTANBUL, 700) 400)                                \
    X(F, 0x40, BLOCKHASH, 1, 1, FRONTIER, 20)                                           \
    X(F, 0x41, COINBASE, 0, 1, FRONTIER, 2)                                             \
    X(F, 0x42, TIMESTAMP, 0, 1, FRONTIER, 2)                                            \
    X(F, 0x43, NUMBER, 0, 1, FRONTIER, 2)                                               \
    X(F, 0x44, PREVRANDAO, 0, 1, FRONTIER, 2) /* DIFFICULTY before EIP-4399 */          \
    X(F, 0x45, GASLIMIT, 0, 1, FRONTIER, 2)                                             \
    X(F, 0x46, CHAINID, 0, 1, ISTANBUL, 2)     /* EIP-1344 */                           \
    X(F, 0x47, SELFBALANCE, 0, 1, ISTANBUL, 5) /* EIP-1884 */                           \
    X(F, 0x48, BASEFEE, 0, 1, LONDON, 2)       /* EIP-3198 */                           \
    X(F, 0x49, BLOBHASH, 1, 1, CANCUN, 3)      /* EIP-4844 */                           \
    X(F, 0x4a, BLOBBASEFEE, 0, 1, CANCUN, 2)   /* EIP-7516 */                           \
    X(F, 0x50, POP, 1, 0, FRONTIER, 2)                                                  \
    X(F, 0x51, MLOAD, 1, 1, FRONTIER, 3)                                                \
    X(F, 0x52, MSTORE, 2, 0, FRONTIER, 3)                                               \
    X(F, 0x53, MSTORE8, 2, 0, FRONTIER, 3)                                              \
    X(F, 0x54, SLOAD, 1, 1, FRONTIER, /* EIP-150, EIP-1884, EIP-2929 */                 \
      SINCE(F, BERLIN, 100) SINCE(F, ISTANBUL, 800) SINCE(F, TANGERINE, 200) 50)        \
    X(F, 0x55, SSTORE, 2, 0, FRONTIER, 0)                                               \
    X(F, 0x56, JUMP, 1, 0, FRONTIER, 8)                                                 \
    X(F, 0x57, JUMPI, 2, 0, FRONTIER, 10)                                               \
    X(F, 0x58, PC, 0, 1, FRONTIER, 2)                                                   \
    X(F, 0x59, MSIZE, 0, 1, FRONTIER, 2)                                                \
    X(F, 0x5a, GAS, 0, 1, FRONTIER, 2)                                                  \
    X(F, 0x5b, JUMPDEST, 0, 0, FRONTIER, 1)                                             \
    X(F, 0x5c, TLOAD, 1, 1, CANCUN, 100) /* EIP-1153 */                                 \
    X(F, 0x5d, TSTORE, 2, 0, CANCUN, 100)                                               \
    X(F, 0x5e, MCOPY, 3, 0, CANCUN, 3)   /* EIP-5656 */                                 \
    X(F, 0x5f, PUSH0, 0, 1, SHANGHAI, 2) /* EIP-3855 */                                 \
    OPCODE_LIST_PUSH(X, F)                                                              \
    OPCODE_LIST_DUP(X, F)                                                               \
    OPCODE_LIST_SWAP(X, F)                                                              \
    X(F, 0xa0, LOG0, 2, 0, FRONTIER, 375)                                               \
    X(F, 0xa1, LOG1, 3, 0, FRONTIER, 750)                                               \
    X(F, 0xa2, LOG2, 4, 0, FRONTIER, 1125)                                              \
    X(F, 0xa3, LOG3, 5, 0, FRONTIER, 1500)                                              \
    X(F, 0xa4, LOG4, 6, 0, FRONTIER, 1875)                                              \
    X(F, 0xf0, CREATE, 3, 1, FRONTIER, 32000)                                           \
    X(F, 0xf1, CALL, 7, 1, FRONTIER, /* EIP-150, EIP-2929 */                            \
      SINCE(F, BERLIN, 100) SINCE(F, TANGERINE, 700) 40)                                \
    X(F, 0xf2, CALLCODE, 7, 1, FRONTIER, /* EIP-150, EIP-2929 */                        \
      SINCE(F, BERLIN, 100) SINCE(F, TANGERINE, 700) 40)                                \
    X(F, 0xf3, RETURN, 2, 0, FRONTIER, 0)                                               \
    X(F, 0xf4, DELEGATECALL, 6, 1, HOMESTEAD, /* EIP-7, EIP-150, EIP-2929 */            \
      SINCE(F, BERLIN, 100) SINCE(F, TANGERINE, 700) 40)                                \
    X(F, 0xf5, CREATE2, 4, 1, CONSTANTINOPLE, 32000) /* EIP-1014 */                     \
    X(F, 0xfa, STATICCALL, 6, 1, BYZANTIUM,          /* EIP-214, EIP-2929 */            \
      SINCE(F, BERLIN, 100) 700)                                                        \
    X(F, 0xfd, REVERT, 2, 0, BYZANTIUM, 0)                                /* EIP-140 */ \
    X(F, 0xfe, INVALID, 0, 0, FRONTIER, 0)                                /* EIP-141 */ \
    X(F, 0xff, SELFDESTRUCT, 1, 0, FRONTIER, SINCE(F, TANGERINE, 5000) 0) /* EIP-150 */

#define OPCODE_LIST_PUSH(X, F)            \
    X(F, 0x60, PUSH1, 0, 1, FRONTIER, 3)  \
    X(F, 0x61, PUSH2, 0, 1, FRONTIER, 3)  \
    X(F, 0x62, PUSH3, 0, 1, FRONTIER, 3)  \
    X(F, 0x63, PUSH4, 0, 1, FRONTIER, 3)  \
    X(F, 0x64, PUSH5, 0, 1, FRONTIER, 3)  \
    X(F, 0x65, PUSH6, 0, 1, FRONTIER, 3)  \
    X(F, 0x66, PUSH7, 0, 1, FRONTIER, 3)  \
    X(F, 0x67, PUSH8, 0, 1, FRONTIER, 3)  \
    X(F, 0x68, PUSH9, 0, 1, FRONTIER, 3)  \
    X(F, 0x69, PUSH10, 0, 1, FRONTIER, 3) \
    X(F, 0x6a, PUSH11, 0, 1, FRONTIER, 3) \
    X(F, 0x6b, PUSH12, 0, 1, FRONTIER, 3) \
    X(F, 0x6c, PUSH13, 0, 1, FRONTIER, 3) \
    X(F, 0x6d, PUSH14, 0, 1, FRONTIER, 3) \
    X(F, 0x6e, PUSH15, 0, 1, FRONTIER, 3) \
    X(F, 0x6f, PUSH16, 0, 1, FRONTIER, 3) \
    X(F, 0x70, PUSH17, 0, 1, FRONTIER, 3) \
    X(F, 0x71, PUSH18, 0, 1, FRONTIER, 3) \
    X(F, 0x72, PUSH19, 0, 1, FRONTIER, 3) \
    X(F, 0x73, PUSH20, 0, 1, FRONTIER, 3) \
    X(F, 0x74, PUSH21, 0, 1, FRONTIER, 3) \
    X(F, 0x75, PUSH22, 0, 1, FRONTIER, 3) \
    X(F, 0x76, PUSH23, 0, 1, FRONTIER, 3) \
    X(F, 0x77, PUSH24, 0, 1, FRONTIER, 3) \
    X(F, 0x78, PUSH25, 0, 1, FRONTIER, 3) \
    X(F, 0x79, PUSH26, 0, 1, FRONTIER, 3) \
    X(F, 0x7a, PUSH27, 0, 1, FRONTIER, 3) \
    X(F, 0x7b, PUSH28, 0, 1, FRONTIER, 3) \
    X(F, 0x7c, PUSH29, 0, 1, FRONTIER, 3) \
    X(F, 0x7d, PUSH30, 0, 1, FRONTIER, 3) \
    X(F, 0x7e, PUSH31, 0, 1, FRONTIER, 3) \
    X(F, 0x7f, PUSH32, 0, 1, FRONTIER, 3)

#define OPCODE_LIST_DUP(X, F)              \
    X(F, 0x80, DUP1, 1, 2, FRONTIER, 3)    \
    X(F, 0x81, DUP2, 2, 3, FRONTIER, 3)    \
    X(F, 0x82, DUP3, 3, 4, FRONTIER, 3)    \
    X(F, 0x83, DUP4, 4, 5, FRONTIER, 3)    \
    X(F, 0x84, DUP5, 5, 6, FRONTIER, 3)    \
    X(F, 0x85, DUP6, 6, 7, FRONTIER, 3)    \
    X(F, 0x86, DUP7, 7, 8, FRONTIER, 3)    \
    X(F, 0x87, DUP8, 8, 9, FRONTIER, 3)    \
    X(F, 0x88, DUP9, 9, 10, FRONTIER, 3)   \
    X(F, 0x89, DUP10, 10, 11, FRONTIER, 3) \
    X(F, 0x8a, DUP11, 11, 12, FRONTIER, 3) \
    X(F, 0x8b, DUP12, 12, 13, FRONTIER, 3) \
    X(F, 0x8c, DUP13, 13, 14, FRONTIER, 3) \
    X(F, 0x8d, DUP14, 14, 15, FRONTIER, 3) \
    X(F, 0x8e, DUP15, 15, 16, FRONTIER, 3) \
    X(F, 0x8f, DUP16, 16, 17, FRONTIER, 3)

#define OPCODE_LIST_SWAP(X, F)              \
    X(F, 0x90, SWAP1, 2, 2, FRONTIER, 3)    \
    X(F, 0x91, SWAP2, 3, 3, FRONTIER, 3)    \
    X(F, 0x92, SWAP3, 4, 4, FRONTIER, 3)    \
    X(F, 0x93, SWAP4, 5, 5, FRONTIER, 3)    \
    X(F, 0x94, SWAP5, 6, 6, FRONTIER, 3)    \
    X(F, 0x95, SWAP6, 7, 7, FRONTIER, 3)    \
    X(F, 0x96, SWAP7, 8, 8, FRONTIER, 3)    \
    X(F, 0x97, SWAP8, 9, 9, FRONTIER, 3)    \
    X(F, 0x98, SWAP9, 10, 10, FRONTIER, 3)  \
    X(F, 0x99, SWAP10, 11, 11, FRONTIER, 3) \
    X(F, 0x9a, SWAP11, 12, 12, FRONTIER, 3) \
    X(F, 0x9b, SWAP12, 13, 13, FRONTIER, 3) \
    X(F, 0x9c, SWAP13, 14, 14, FRONTIER, 3) \
    X(F, 0x9d, SWAP14, 15, 15, FRONTIER, 3) \
    X(F, 0x9e, SWAP15, 16, 16, FRONTIER, 3) \
    X(F, 0x9f, SWAP16, 17, 17, FRONTIER, 3)

enum opcode {
#define X(F, code, id, in, out, since, gas) OP_##id = code,
    OPCODE_LIST(X, 0)
#undef X
};

/* What one opcode is at one fork. A row without a name is not an instruction there. */
struct opcode_info {
    const char *name; /* as in the list */
    u16 gas;          /* static */
    u8 in, out;       /* words taken from and put on the stack */
};

/* The 256 opcodes as they are at a fork. */
const struct opcode_info *opcodes(enum fork fork);

/*
 * The name by which tools know an opcode, whether or not any fork here has it: geth names what was proposed as well
 * (EIP-3540 and those beside it, 7843, 8024). NULL: no name.
 */
const char *opcode_name(u8 opcode);
