#include "evm/evm_int.h"
#include "evm/fast.h"
#include "evm/precompile.h"
#include "prim/keccak.h"

enum { DELEGATION_LEN = 23, CODE_BYTE_GAS = 200 };

bool evm_delegation_target(addr20 *target, const struct evm_code_view *view)
{
    static const u8 prefix[3] = {0xef, 0x01, 0x00};
    if (view->len != DELEGATION_LEN || memcmp(view->bytes, prefix, sizeof prefix) != 0)
        return false;
    memcpy(target->b, view->bytes + sizeof prefix, sizeof target->b);
    return true;
}

/* --- addresses of creations ------------------------------------------------------------------ */

static addr20 addr_from_hash(const hash32 *hash)
{
    addr20 addr;
    memcpy(addr.b, hash->b + 12, sizeof addr.b);
    return addr;
}

addr20 evm_create_address(const addr20 *sender, u64 nonce)
{
    u8 rlp[32] = {0, 0x80 + 20};
    size_t len = 2 + 20;
    memcpy(rlp + 2, sender->b, 20);
    if (nonce < 0x80) {
        rlp[len++] = nonce ? (u8)nonce : 0x80;
    } else {
        unsigned n = 8 - (unsigned)__builtin_clzll(nonce) / 8;
        rlp[len++] = (u8)(0x80 + n);
        while (n--)
            rlp[len++] = (u8)(nonce >> 8 * n);
    }
    rlp[0] = (u8)(0xc0 + len - 1);
    hash32 hash;
    keccak256(&hash, rlp, len);
    return addr_from_hash(&hash);
}

addr20 evm_create2_address(const addr20 *sender, const hash32 *salt, const hash32 *initcode_hash)
{
    u8 bytes[1 + 20 + 32 + 32] = {0xff};
    hash32 hash;
    memcpy(bytes + 1, sender->b, 20);
    memcpy(bytes + 21, salt->b, 32);
    memcpy(bytes + 53, initcode_hash->b, 32);
    keccak256(&hash, bytes, sizeof bytes);
    return addr_from_hash(&hash);
}

/* --- one frame ------------------------------------------------------------------------------- */

static void frame_run(struct frame *frame)
{
    if (frame->step)
        frame_run_traced(frame);
    else if (frame->evm->engine == EVM_ENGINE_PLAIN)
        frame_run_plain(frame);
    else
        frame_run_fast(frame);
}

/* What undoing a message takes. */
struct savepoint {
    u32 checkpoint;
    i64 refund;
};

static struct savepoint savepoint_make(struct evm *evm)
{
    return (struct savepoint){evm->host->checkpoint(evm->host_ctx), evm->refund};
}

static void savepoint_restore(struct evm *evm, const struct savepoint *save)
{
    evm->host->rollback(evm->host_ctx, save->checkpoint);
    evm->refund = save->refund;
}

/* Ends a message that did not succeed: what it did is undone, and but for REVERT its gas is gone. */
static void message_fail(struct evm *evm, const struct savepoint *save, struct evm_result *result,
                         enum evm_status status)
{
    savepoint_restore(evm, save);
    result->status = status;
    if (status == EVM_REVERT)
        return;
    evm->gas_metered += (u64)(result->gas_left > 0 ? result->gas_left : 0);
    result->gas_left = 0;
    result->output_len = 0;
}

static void frame_begin(struct frame *frame, struct evm *evm, const struct evm_msg *msg,
                        struct code *code)
{
    struct frame *parent = evm->top;
    *frame = (struct frame){
        .evm = evm,
        .msg = msg,
        .code = code,
        .stack = parent ? parent->stack + parent->stack_len : evm->stack,
        .gas = msg->gas,
        .parent = parent,
        .jumps_left = UINT32_MAX,
        .step = evm->tracer ? &evm->step : NULL,
    };
    memory_begin(evm, &frame->memory, parent ? &parent->memory : NULL);
    evm->top = frame;
}

/* Moves what the frame returns out of its memory, which the caller may overwrite. */
static void frame_end(struct frame *frame, struct evm_result *result)
{
    struct evm *evm = frame->evm;
    evm->top = frame->parent;
    result->status = frame->status;
    result->gas_left = frame->gas;
    result->opcode = frame->code->bytes[frame->pc];
    result->stack_len = frame->stack_len;
    result->output_len = 0;
    if (frame->output_len == 0 || (frame->status != EVM_SUCCESS && frame->status != EVM_REVERT))
        return;
    u8 *room = evm_returned_room(evm, frame->output_len);
    memcpy(room, frame->output, frame->output_len);
    result->output = room;
    result->output_len = frame->output_len;
}

/* --- calls ----------------------------------------------------------------------------------- */

static void precompile_call(struct evm *evm, const struct precompile *precompile,
                            const struct evm_msg *msg, struct evm_result *result)
{
    const u8 *out;
    size_t len;
    u64 price = precompile->gas(evm->fork, msg->input, msg->input_len);
    if (price > (u64)msg->gas) {
        result->status = EVM_OUT_OF_GAS;
        return;
    }
    result->gas_left = msg->gas - (i64)price;
    if (!precompile_cache_run(&evm->answers, precompile, &out, &len, msg->input, msg->input_len,
                              &evm->scratch)) {
        result->status = EVM_PRECOMPILE_FAILURE;
    } else if (len) {
        u8 *room = evm_returned_room(evm, len);
        memcpy(room, out, len);
        result->output = room;
        result->output_len = len;
    }
    arena_reset(&evm->scratch);
}

/* Runs the code at the message's code address, if there is any. */
static void code_call(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    struct evm_code_view view = evm->host->code(evm->host_ctx, &msg->code_addr);
    addr20 target;
    /* EIP-7702: one step only; a precompile as target is an account without code. */
    if (evm->fork >= FORK_PRAGUE && evm_delegation_target(&target, &view))
        view = evm->host->code(evm->host_ctx, &target);
    if (view.len == 0)
        return;
    struct frame frame;
    struct code *code = code_cache_take(&evm->codes, &view);
    frame_begin(&frame, evm, msg, code);
    frame_run(&frame);
    frame_end(&frame, result);
    code_cache_put(code);
}

static bool can_pay(struct evm *evm, const struct evm_msg *msg)
{
    if (u256_is_zero(msg->value))
        return true;
    return !u256_lt(evm->host->balance(evm->host_ctx, &msg->sender), msg->value);
}

/* Value, or just a touch, for the kinds of call that visit an account. */
static void call_transfer(struct evm *evm, const struct evm_msg *msg)
{
    if (msg->kind == EVM_CALL || msg->kind == EVM_STATICCALL)
        evm->host->transfer(evm->host_ctx, &msg->sender, &msg->recipient, &msg->value);
}

static void message_call(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    if (msg->depth > DEPTH_MAX) {
        result->status = EVM_CALL_DEPTH;
        return;
    }
    if ((msg->kind == EVM_CALL || msg->kind == EVM_CALLCODE) && !can_pay(evm, msg)) {
        result->status = EVM_INSUFFICIENT_BALANCE;
        return;
    }
    struct savepoint save = savepoint_make(evm);
    const struct precompile *precompile =
        precompile_find_among(evm->precompiles, evm->fork, &msg->code_addr);
    call_transfer(evm, msg);
    if (precompile)
        precompile_call(evm, precompile, msg, result);
    else
        code_call(evm, msg, result);
    if (result->status != EVM_SUCCESS)
        message_fail(evm, &save, result, result->status);
}

/* --- creations ------------------------------------------------------------------------------- */

/* EIP-684 and EIP-7610: is the address taken? */
static bool is_taken(struct evm *evm, const addr20 *addr)
{
    const struct evm_host_ops *host = evm->host;
    void *ctx = evm->host_ctx;
    return host->nonce(ctx, addr) != 0 || host->code(ctx, addr).len != 0 ||
           host->has_storage(ctx, addr);
}

/* Names the contract. A transaction's own creation finds the sender's nonce raised already. */
static void create_name(struct evm *evm, struct evm_msg *msg)
{
    if (msg->kind == EVM_CREATE2) {
        hash32 hash;
        keccak256(&hash, msg->input, msg->input_len);
        msg->recipient = evm_create2_address(&msg->sender, &msg->salt, &hash);
    } else {
        u64 nonce = evm->host->nonce(evm->host_ctx, &msg->sender);
        msg->recipient = evm_create_address(&msg->sender, nonce - (msg->depth == 0));
    }
    msg->code_addr = msg->recipient;
}

/* A contract that creates raises its nonce; false when it cannot (EIP-2681). */
static bool create_raise_nonce(struct evm *evm, const struct evm_msg *msg)
{
    if (msg->depth == 0)
        return true;
    u64 nonce = evm->host->nonce(evm->host_ctx, &msg->sender);
    if (nonce == UINT64_MAX)
        return false;
    evm->host->set_nonce(evm->host_ctx, &msg->sender, nonce + 1);
    return true;
}

/* Whether the code that a creation returned may become the contract's, and paying for it. */
static enum evm_status create_check_code(struct evm *evm, struct evm_result *result)
{
    if (evm->fork >= FORK_LONDON && result->output_len && result->output[0] == 0xef)
        return EVM_INVALID_CODE; /* EIP-3541 */
    i64 price = CODE_BYTE_GAS * (i64)result->output_len;
    if (price > result->gas_left)
        return EVM_CODE_STORE_OUT_OF_GAS;
    if (result->output_len > evm->code_max)
        return EVM_CODE_TOO_LARGE; /* EIP-170 */
    result->gas_left -= price;
    evm->gas_metered += (u64)price;
    return EVM_SUCCESS;
}

/* Runs init code; its output stays in result. */
static void create_run(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    /* Init code is not call data: CALLDATASIZE is 0 there. */
    struct evm_msg init = *msg;
    struct code code = {0};
    struct frame frame;
    if (!msg->input_len)
        return;
    init.input = NULL;
    init.input_len = 0;
    frame_begin(&frame, evm, &init, &code);
    u8 *room = memory_reserve(evm, &frame.memory, code_prepared_size(msg->input_len));
    code_prepare(&code, room, msg->input, msg->input_len);
    frame_run(&frame);
    frame_end(&frame, result);
}

static void create_begin(struct evm *evm, const struct evm_msg *msg)
{
    const struct evm_host_ops *host = evm->host;
    host->create_account(evm->host_ctx, &msg->recipient);
    if (evm->fork >= FORK_SPURIOUS) /* EIP-161 */
        host->set_nonce(evm->host_ctx, &msg->recipient, 1);
    host->transfer(evm->host_ctx, &msg->sender, &msg->recipient, &msg->value);
}

static void create_deploy(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    struct savepoint save = savepoint_make(evm);
    create_begin(evm, msg);
    create_run(evm, msg, result);
    bool has_code = result->status == EVM_SUCCESS;
    if (has_code)
        result->status = create_check_code(evm, result);
    /* EIP-2 came later: until then the contract stays, without code, and keeps its gas. */
    bool is_bare = result->status == EVM_CODE_STORE_OUT_OF_GAS && evm->fork < FORK_HOMESTEAD;
    if (is_bare)
        result->status = EVM_SUCCESS;
    if (result->status != EVM_SUCCESS) {
        /* What was refused as code is still what init code returned, for whoever watches. */
        size_t len = result->output_len;
        message_fail(evm, &save, result, result->status);
        if (has_code)
            result->output_len = len;
    } else if (result->output_len && !is_bare)
        evm->host->set_code(evm->host_ctx, &msg->recipient, result->output, result->output_len);
}

static void message_create(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    if (msg->depth > DEPTH_MAX) {
        result->status = EVM_CALL_DEPTH;
        return;
    }
    if (!can_pay(evm, msg)) {
        result->status = EVM_INSUFFICIENT_BALANCE;
        return;
    }
    if (!create_raise_nonce(evm, msg)) {
        result->status = EVM_NONCE_OVERFLOW;
        return;
    }
    result->created = msg->recipient;
    if (evm->fork >= FORK_BERLIN) /* EIP-2929: stays warm even if the creation fails. */
        evm->host->account_touch_warm(evm->host_ctx, &msg->recipient);
    if (is_taken(evm, &msg->recipient)) {
        result->status = EVM_ADDRESS_COLLISION;
        result->gas_left = 0;
        return;
    }
    create_deploy(evm, msg, result);
}

/* --- messages -------------------------------------------------------------------------------- */

void evm_call(struct evm *evm, const struct evm_msg *msg, struct evm_result *result)
{
    const struct evm_tracer *tracer = evm->tracer;
    bool is_create = msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
    struct evm_msg named;
    if (is_create) {
        named = *msg;
        create_name(evm, &named);
        msg = &named;
    }
    *result = (struct evm_result){.status = EVM_SUCCESS, .gas_left = msg->gas};
    if (tracer && tracer->enter)
        tracer->enter(tracer->ctx, msg);
    if (UNLIKELY(evm->visitor != NULL))
        evm->visitor(evm->visitor_ctx, msg->kind,
                     msg->kind == EVM_DELEGATECALL ? &msg->recipient : &msg->sender,
                     &msg->code_addr);
    if (is_create)
        message_create(evm, msg, result);
    else
        message_call(evm, msg, result);
    if (tracer && tracer->exit)
        tracer->exit(tracer->ctx, msg, result);
}
