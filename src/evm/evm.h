/*
 * The Ethereum Virtual Machine: runs one message call or contract creation, with all that it calls,
 * on behalf of one transaction. It knows accounts, storage and logs only through evm/host.h.
 *
 *   struct evm *evm = evm_new();                        // pools and code cache; reuse for a lifetime
 *   evm_begin(evm, FORK_OSAKA, &host, &block, &tx);     // borrowed until the next evm_begin
 *   evm_call(evm, &msg, &result);                       // any number of messages
 *
 * Nothing is allocated from the heap while code runs once the pools are warm. Not thread-safe: one
 * evm per thread. Source: Yellow Paper sections 8 and 9, execution-specs, and the EIPs named at each rule.
 */
#pragma once

#include "evm/host.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"
#include "types/fork.h"

struct evm;
struct evm_tracer;

/* What a contract can learn of the block it runs in. Fields of later forks are ignored before them. */
struct evm_block {
    addr20 coinbase;
    u64 number;
    u64 timestamp; /* seconds */
    u64 gas_limit;
    u256 difficulty;    /* before Paris */
    hash32 prev_randao; /* from Paris (EIP-4399) */
    u256 base_fee;      /* wei per gas, from London (EIP-3198) */
    u256 blob_base_fee; /* wei per blob gas, from Cancun (EIP-7516) */
    u64 slot_number;    /* Amsterdam (EIP-7843) */
};

/* What a contract can learn of the transaction it runs in. */
struct evm_tx {
    addr20 origin;
    u256 gas_price; /* effective, wei */
    u256 chain_id;
    const hash32 *blob_hashes; /* borrowed */
    size_t blob_hash_count;
};

enum evm_kind {
    EVM_CALL,
    EVM_DELEGATECALL,
    EVM_CALLCODE,
    EVM_STATICCALL,
    EVM_CREATE,
    EVM_CREATE2,
    EVM_SELFDESTRUCT
};

struct evm_msg {
    enum evm_kind kind;
    bool is_static; /* state changes are forbidden (EIP-214) */
    u16 depth;      /* 0 for the transaction's own message */
    i64 gas;
    addr20 sender;    /* CALLER */
    addr20 recipient; /* ADDRESS: whose storage and balance; for creations filled in by evm_call */
    addr20 code_addr; /* whose code runs; a delegation (EIP-7702) is followed by evm_call */
    u256 value;       /* CALLVALUE, wei; for DELEGATECALL shown but not moved */
    const u8 *input;  /* call data, or init code */
    size_t input_len;
    hash32 salt; /* CREATE2 */
};

/* How a run ended. X(enumerator, sentence as geth words it, is it a success) */
#define EVM_STATUS_LIST(X)                                                   \
    X(SUCCESS, "success")                                                    \
    X(REVERT, "execution reverted")                                          \
    X(OUT_OF_GAS, "out of gas")                                              \
    X(OUT_OF_GAS_SENTRY, "out of gas: not enough gas for reentrancy sentry") \
    X(OUT_OF_GAS_ACCESS, "out of gas: out of gas")                           \
    X(OUT_OF_GAS_STATIC, "out of gas: write protection")                     \
    X(OUT_OF_GAS_OVERFLOW, "out of gas: gas uint64 overflow")                \
    X(INVALID_OPCODE, "invalid opcode")                                      \
    X(STACK_UNDERFLOW, "stack underflow")                                    \
    X(STACK_OVERFLOW, "stack limit reached 1024")                            \
    X(INVALID_JUMP, "invalid jump destination")                              \
    X(WRITE_PROTECTION, "write protection")                                  \
    X(RETURN_DATA_OUT_OF_BOUNDS, "return data out of bounds")                \
    X(GAS_UINT_OVERFLOW, "gas uint64 overflow")                              \
    X(CALL_DEPTH, "max call depth exceeded")                                 \
    X(INSUFFICIENT_BALANCE, "insufficient balance for transfer")             \
    X(NONCE_OVERFLOW, "nonce uint64 overflow")                               \
    X(ADDRESS_COLLISION, "contract address collision")                       \
    X(CODE_STORE_OUT_OF_GAS, "contract creation code storage out of gas")    \
    X(CODE_TOO_LARGE, "max code size exceeded")                              \
    X(INITCODE_TOO_LARGE, "max initcode size exceeded")                      \
    X(INVALID_CODE, "invalid code: must not begin with 0xef")                \
    X(PRECOMPILE_FAILURE, "precompile failed")

enum evm_status {
#define X(id, sentence) EVM_##id,
    EVM_STATUS_LIST(X)
#undef X
};

const char *evm_status_text(enum evm_status status);

/* Out of gas has several wordings: geth says so of whatever it finds out while it looks for the price. */
static inline bool evm_is_out_of_gas(enum evm_status status)
{
    return status >= EVM_OUT_OF_GAS && status <= EVM_OUT_OF_GAS_OVERFLOW;
}

/*
 * The sentence with what geth adds for some: the opcode that is invalid, the stack's height. opcode and
 * stack_len are those of the instruction that failed (struct evm_result, struct evm_step).
 */
enum { EVM_ERROR_TEXT_MAX = 80 };
void evm_error_text(char out[EVM_ERROR_TEXT_MAX], enum evm_status status, u8 opcode, u32 stack_len);

struct evm_result {
    enum evm_status status;
    i64 gas_left; /* 0 after any failure but REVERT (and the checks made before the call begins) */
    /* Return or revert data, or code that was refused; borrowed until the next evm_call or evm_begin. */
    const u8 *output;
    size_t output_len;
    addr20 created; /* creations: the new contract's address */
    u8 opcode;      /* where code failed: the instruction and the stack's height there */
    u32 stack_len;
};

struct evm *evm_new(void);
void evm_free(struct evm *evm);

/* Starts a transaction. host, block and tx are borrowed until the next evm_begin or evm_free. Precompiles are the
 * fork's. */
void evm_begin(struct evm *evm, enum fork fork, const struct evm_host *host,
               const struct evm_block *block, const struct evm_tx *tx);

/* Precompiles are elsewhere until the next evm_begin; borrowed. What is warm from the start does not change. */
struct precompile_overrides;
void evm_override_precompiles(struct evm *evm, const struct precompile_overrides *overrides);

/*
 * Runs one message with everything the message itself implies: depth and balance checks, the sender's
 * nonce for creations, a checkpoint, the value transfer, delegation, precompiles, code deposit; on failure
 * the host is rolled back to the checkpoint. At depth 0 the caller has already charged intrinsic gas, and
 * has raised the sender's nonce both for calls and for creations (evm_call raises it for nested creations only;
 * a depth-0 creation uses nonce - 1).
 */
void evm_call(struct evm *evm, const struct evm_msg *msg, struct evm_result *result);

/* The gas refund counter of the transaction (EIP-3529 caps it later); may be negative inside. Set to 0 by evm_begin;
 * to what was earned before the first message by evm_set_refund. */
i64 evm_refund(const struct evm *evm);
void evm_set_refund(struct evm *evm, i64 refund);

/* Every later message is stepped on the plain interpreter and reported to tracer (NULL: none). Borrowed. */
void evm_set_tracer(struct evm *evm, const struct evm_tracer *tracer);

/*
 * Every later message tells its two ends before it runs, on whichever interpreter: who calls, and whom (for DELEGATECALL
 * and CALLCODE the account whose code it is, for creations the new contract); and every SELFDESTRUCT the contract and
 * its heir. Those that are refused or fail are told as well. fn NULL: nobody is told.
 */
typedef void evm_visit_fn(void *ctx, enum evm_kind kind, const addr20 *from, const addr20 *to);
void evm_set_visitor(struct evm *evm, evm_visit_fn *fn, void *ctx);

/* Which interpreter may run code. AUTO: plain first, translated when it runs often. */
enum evm_engine { EVM_ENGINE_AUTO, EVM_ENGINE_PLAIN, EVM_ENGINE_FAST };
void evm_set_engine(struct evm *evm, enum evm_engine engine);

/* Between messages: gives back the memory that the largest of them needed. */
void evm_rest(struct evm *evm);
/* The same, if that is more than the usual. */
void evm_settle(struct evm *evm);

/* Bytes of code that stays ready to run; 0: the usual 64 MiB. Before anything runs. */
void evm_set_code_cache(struct evm *evm, size_t bytes_max);
/* Between calls: codes are new to it again, with all that was made of them. */
void evm_forget_codes(struct evm *evm);

/*
 * Whether answers are remembered and given again to the same input: each precompile's latest one, and hashes
 * of mapping keys (yes, unless told). Turning it off forgets them.
 */
void evm_set_memo(struct evm *evm, bool on);

/*
 * The instructions of one EIP are known and priced as from its fork on, under every fork; only 1153, 1344, 1884,
 * 3198, 3855, 5656 and 7939 (false: another one). The plain interpreter runs everything from now on.
 */
bool evm_activate_eip(struct evm *evm, unsigned eip);

/* Limits set by a chain's configuration instead of EIP-170 and EIP-3860 (0 keeps the fork's own). */
void evm_set_code_limits(struct evm *evm, size_t code_max, size_t initcode_max);

/* EIP-7702: is this code a delegation, and to whom? */
bool evm_delegation_target(addr20 *target, const struct evm_code_view *code);

/* The address that a creation by sender at nonce gets: keccak256(rlp([sender, nonce]))[12:]. */
addr20 evm_create_address(const addr20 *sender, u64 nonce);
/* EIP-1014: keccak256(0xff ++ sender ++ salt ++ keccak256(init code))[12:]. */
addr20 evm_create2_address(const addr20 *sender, const hash32 *salt, const hash32 *initcode_hash);
