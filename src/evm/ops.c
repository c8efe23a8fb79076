#include "evm/ops.h"

#include "prim/keccak.h"

enum { COLD_ACCOUNT_EXTRA = 2500, COLD_SLOAD_EXTRA = 2000, COLD_SLOT = 2100 }; /* EIP-2929 */

enum { SELFDESTRUCT_REFUND = 24000 };

/* --- telling the tracer ---------------------------------------------------------------------- */

/* Until EIP-3529 looking for SELFDESTRUCT's price earned the refund, so that its step shows it. */
static i64 refund_shown(const struct frame *frame)
{
    struct evm *evm = frame->evm;
    if (frame->step->opcode != OP_SELFDESTRUCT || evm->fork >= FORK_LONDON)
        return evm->refund;
    /* From EIP-2929 on a cold heir is paid for before that. */
    if (evm->fork >= FORK_BERLIN && frame->gas < 0 &&
        frame->step->gas < evm->ops[OP_SELFDESTRUCT].gas + 2600)
        return evm->refund;
    u32 checkpoint = evm->host->checkpoint(evm->host_ctx);
    bool is_first = evm->host->mark_destroyed(evm->host_ctx, &frame->msg->recipient);
    evm->host->rollback(evm->host_ctx, checkpoint);
    return evm->refund + (is_first ? SELFDESTRUCT_REFUND : 0);
}

void frame_report_step(struct frame *frame)
{
    const struct evm_tracer *tracer = frame->evm->tracer;
    struct evm_step *step = frame->step;
    step->cost = step->gas - frame->gas;
    step->refund = refund_shown(frame);
    step->error = EVM_SUCCESS;
    frame->is_reported = true;
    if (tracer->step)
        tracer->step(tracer->ctx, step);
}

/* What tools are used to see as the cost where the stack was unfit: geth counts these as dynamic altogether. */
static i64 cost_before_stack(const struct frame *frame, u8 opcode)
{
    bool is_dynamic = (opcode >= OP_LOG0 && opcode <= OP_LOG4) || opcode == OP_EXP ||
                      (opcode == OP_SLOAD && frame->evm->fork >= FORK_BERLIN);
    return is_dynamic ? 0 : frame->evm->ops[opcode].gas;
}

/* EIP-160 raised the price of an exponent byte from 10 to 50. */
static i64 exp_byte_gas(const struct evm *evm)
{
    return evm->fork >= FORK_SPURIOUS ? 50 : 10;
}

/* The whole price of instructions that geth prices at once, of which the first part was too much already. */
static i64 cost_at_once(struct frame *frame, u8 opcode, i64 seen)
{
    struct evm *evm = frame->evm;
    const u256 *sp = frame->stack + frame->stack_len;
    struct range data;
    bool was_cold;
    if (opcode == OP_SLOAD && evm->fork >= FORK_BERLIN) {
        evm->host->storage_get(evm->host_ctx, &frame->msg->recipient, &sp[-1], &was_cold);
        return was_cold ? COLD_SLOT : seen;
    }
    if (opcode == OP_EXP) {
        i64 bytes = (u256_bits(sp[-2]) + 7) / 8;
        return evm->ops[OP_EXP].gas + exp_byte_gas(evm) * bytes;
    }
    if (opcode < OP_LOG0 || opcode > OP_LOG4)
        return seen;
    if (!range_of(&data, sp[-1], sp[-2]))
        return 0;
    return evm->ops[opcode].gas + memory_cost(frame, data.at + data.len) + 8 * (i64)data.len;
}

static i64 cost_of_failure(struct frame *frame, u8 opcode, enum evm_status status)
{
    if (status == EVM_STACK_UNDERFLOW || status == EVM_STACK_OVERFLOW)
        return cost_before_stack(frame, opcode);
    return cost_at_once(frame, opcode, frame->step->gas - frame->gas);
}

void frame_report_failure(struct frame *frame, enum evm_status status)
{
    const struct evm_tracer *tracer = frame->evm->tracer;
    struct evm_step *step = frame->step;
    step->refund = status == EVM_OUT_OF_GAS ? refund_shown(frame) : frame->evm->refund;
    step->error = status;
    if (!frame->is_reported) {
        step->cost = cost_of_failure(frame, step->opcode, status);
        if (tracer->step)
            tracer->step(tracer->ctx, step);
    } else if (tracer->fault) {
        /* By now the instruction has taken its operands, but for one that may not write, and widened memory. */
        if (status != EVM_WRITE_PROTECTION)
            step->stack_len -= frame->evm->ops[step->opcode].in;
        step->memory = frame->memory.bytes;
        step->memory_len = frame->memory.len;
        tracer->fault(tracer->ctx, step);
    }
}

enum evm_status memory_failure(u256 at, u256 len)
{
    const u64 price_max = 0x1fffffffe0; /* bytes; geth has no price for more */
    u64 end;
    if (!u256_fits_u64(at) || !u256_fits_u64(len) ||
        __builtin_add_overflow(at.w[0], len.w[0], &end) || end > UINT64_MAX - 31)
        return EVM_GAS_UINT_OVERFLOW;
    return end > price_max ? EVM_OUT_OF_GAS_OVERFLOW : EVM_OUT_OF_GAS;
}

/* --- arithmetic and hashing ------------------------------------------------------------------ */

enum evm_status instr_exp(struct frame *frame, u256 *sp)
{
    i64 bytes = (u256_bits(sp[-2]) + 7) / 8;
    if (!frame_charge(frame, exp_byte_gas(frame->evm) * bytes))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    sp[-2] = u256_exp(sp[-1], sp[-2]);
    return EVM_SUCCESS;
}

enum evm_status instr_keccak256(struct frame *frame, u256 *sp)
{
    struct range data;
    if (!range_of(&data, sp[-1], sp[-2]))
        return memory_failure(sp[-1], sp[-2]);
    u64 end = data.at + data.len;
    if (!frame_charge(frame, memory_cost(frame, end) + 6 * (i64)words_of(data.len)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, end);
    const u8 *bytes = frame->memory.bytes + data.at;
    hash32 hash;
    if (data.len == HASH_MEMO_LEN && frame->evm->hashes)
        hash = *hash_memo_get(frame->evm->hashes, bytes);
    else
        keccak256(&hash, bytes, data.len);
    sp[-2] = u256_from_hash(&hash);
    return EVM_SUCCESS;
}

/* --- accounts -------------------------------------------------------------------------------- */

/* EIP-2929: marks the account warm; what that costs beyond the warm price in the opcode table. */
static i64 account_access(struct frame *frame, const addr20 *addr)
{
    struct evm *evm = frame->evm;
    if (evm->fork < FORK_BERLIN)
        return 0;
    return evm->host->account_touch_warm(evm->host_ctx, addr) ? COLD_ACCOUNT_EXTRA : 0;
}

enum evm_status instr_balance(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    addr20 addr = addr_of(&sp[-1]);
    if (!frame_charge(frame, account_access(frame, &addr)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    sp[-1] = evm->host->balance(evm->host_ctx, &addr);
    return EVM_SUCCESS;
}

enum evm_status instr_selfbalance(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    frame_report(frame);
    sp[0] = evm->host->balance(evm->host_ctx, &frame->msg->recipient);
    return EVM_SUCCESS;
}

enum evm_status instr_extcodesize(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    addr20 addr = addr_of(&sp[-1]);
    if (!frame_charge(frame, account_access(frame, &addr)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    sp[-1] = u256_from_u64(evm->host->code(evm->host_ctx, &addr).len);
    return EVM_SUCCESS;
}

enum evm_status instr_extcodehash(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    addr20 addr = addr_of(&sp[-1]);
    if (!frame_charge(frame, account_access(frame, &addr)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    hash32 hash = evm->host->code_hash(evm->host_ctx, &addr);
    sp[-1] = u256_from_hash(&hash);
    return EVM_SUCCESS;
}

/* --- copies ---------------------------------------------------------------------------------- */

/* Pays for a copy of len bytes to memory at `to`, and widens memory for it. */
static enum evm_status copy_begin(struct frame *frame, struct range *to, u256 at, u256 len,
                                  i64 more_gas)
{
    if (!range_of(to, at, len))
        return memory_failure(at, len);
    u64 end = to->at + to->len;
    if (!frame_charge(frame, memory_cost(frame, end) + 3 * (i64)words_of(to->len) + more_gas))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, end);
    return EVM_SUCCESS;
}

/* Copies from source at `at`; what lies beyond its end reads as zero. */
static void copy_padded(struct frame *frame, struct range to, u256 at, const u8 *source,
                        size_t source_len)
{
    if (to.len == 0)
        return;
    u8 *out = frame->memory.bytes + to.at;
    u64 from = u256_to_u64_sat(at);
    u64 there = from < source_len ? source_len - from : 0;
    u64 n = there < to.len ? there : to.len;
    if (n)
        memcpy(out, source + from, n);
    memset(out + n, 0, to.len - n);
}

enum evm_status instr_calldatacopy(struct frame *frame, u256 *sp)
{
    struct range to;
    enum evm_status status = copy_begin(frame, &to, sp[-1], sp[-3], 0);
    if (status == EVM_SUCCESS)
        copy_padded(frame, to, sp[-2], frame->msg->input, frame->msg->input_len);
    return status;
}

enum evm_status instr_codecopy(struct frame *frame, u256 *sp)
{
    struct range to;
    enum evm_status status = copy_begin(frame, &to, sp[-1], sp[-3], 0);
    if (status == EVM_SUCCESS)
        copy_padded(frame, to, sp[-2], frame->code->bytes, frame->code->len);
    return status;
}

enum evm_status instr_extcodecopy(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    addr20 addr = addr_of(&sp[-1]);
    struct range to;
    enum evm_status status = copy_begin(frame, &to, sp[-2], sp[-4], account_access(frame, &addr));
    if (status != EVM_SUCCESS)
        return status;
    struct evm_code_view view = evm->host->code(evm->host_ctx, &addr);
    copy_padded(frame, to, sp[-3], view.bytes, view.len);
    return EVM_SUCCESS;
}

enum evm_status instr_returndatacopy(struct frame *frame, u256 *sp)
{
    struct range to;
    enum evm_status status = copy_begin(frame, &to, sp[-1], sp[-3], 0);
    if (status != EVM_SUCCESS)
        return status;
    /* EIP-211: reading past the end fails, even for no bytes at all. */
    if (!u256_fits_u64(sp[-2]) || sp[-2].w[0] > frame->return_data_len ||
        to.len > frame->return_data_len - sp[-2].w[0])
        return EVM_RETURN_DATA_OUT_OF_BOUNDS;
    copy_padded(frame, to, sp[-2], frame->return_data, frame->return_data_len);
    return EVM_SUCCESS;
}

enum evm_status instr_mcopy(struct frame *frame, u256 *sp)
{
    struct range to, from;
    if (!range_of(&to, sp[-1], sp[-3]) || !range_of(&from, sp[-2], sp[-3]))
        return memory_failure(u256_lt(sp[-1], sp[-2]) ? sp[-2] : sp[-1], sp[-3]);
    u64 end = (to.at > from.at ? to.at : from.at) + to.len;
    if (!frame_charge(frame, memory_cost(frame, end) + 3 * (i64)words_of(to.len)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, end);
    if (to.len)
        memmove(frame->memory.bytes + to.at, frame->memory.bytes + from.at, to.len);
    return EVM_SUCCESS;
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Pays for and widens memory so that len bytes at `at` are there. */
static enum evm_status memory_open(struct frame *frame, u256 at, u64 len)
{
    if (!u256_fits_u64(at) || at.w[0] > MEMORY_MAX - len)
        return memory_failure(at, u256_from_u64(len));
    if (!frame_charge(frame, memory_cost(frame, at.w[0] + len)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, at.w[0] + len);
    return EVM_SUCCESS;
}

enum evm_status instr_mload(struct frame *frame, u256 *sp)
{
    enum evm_status status = memory_open(frame, sp[-1], 32);
    if (status == EVM_SUCCESS)
        sp[-1] = u256_load_be(frame->memory.bytes + sp[-1].w[0]);
    return status;
}

enum evm_status instr_mstore(struct frame *frame, u256 *sp)
{
    enum evm_status status = memory_open(frame, sp[-1], 32);
    if (status == EVM_SUCCESS)
        u256_store_be(frame->memory.bytes + sp[-1].w[0], sp[-2]);
    return status;
}

enum evm_status instr_mstore8(struct frame *frame, u256 *sp)
{
    enum evm_status status = memory_open(frame, sp[-1], 1);
    if (status == EVM_SUCCESS)
        frame->memory.bytes[sp[-1].w[0]] = (u8)sp[-2].w[0];
    return status;
}

u256 msg_input_word(const struct evm_msg *msg, u256 at)
{
    u8 bytes[32] = {0};
    u64 from = u256_to_u64_sat(at);
    if (from >= msg->input_len)
        return U256_ZERO;
    size_t there = msg->input_len - from;
    if (there >= 32)
        return u256_load_be(msg->input + from);
    memcpy(bytes, msg->input + from, there);
    return u256_load_be(bytes);
}

/* --- the block and the transaction ----------------------------------------------------------- */

enum evm_status instr_blockhash(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    frame_report(frame);
    u64 current = evm->block->number, number = sp[-1].w[0];
    if (!u256_fits_u64(sp[-1]) || number >= current || current - number > 256) {
        sp[-1] = U256_ZERO;
        return EVM_SUCCESS;
    }
    hash32 hash = evm->host->block_hash(evm->host_ctx, number);
    sp[-1] = u256_from_hash(&hash);
    return EVM_SUCCESS;
}

enum evm_status instr_blobhash(struct frame *frame, u256 *sp)
{
    const struct evm_tx *tx = frame->evm->tx;
    frame_report(frame);
    bool is_there = u256_fits_u64(sp[-1]) && sp[-1].w[0] < tx->blob_hash_count;
    sp[-1] = is_there ? u256_from_hash(&tx->blob_hashes[sp[-1].w[0]]) : U256_ZERO;
    return EVM_SUCCESS;
}

/* --- storage --------------------------------------------------------------------------------- */

enum evm_status instr_sload(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    bool was_cold;
    u256 value = evm->host->storage_get(evm->host_ctx, &frame->msg->recipient, &sp[-1], &was_cold);
    if (was_cold && evm->fork >= FORK_BERLIN && !frame_charge(frame, COLD_SLOAD_EXTRA))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    sp[-1] = value;
    return EVM_SUCCESS;
}

/* What a fork asks for SSTORE. */
struct sstore_prices {
    i64 noop;  /* the value does not change, or changed before in this transaction */
    i64 set;   /* zero to something, first change */
    i64 reset; /* something else, first change */
    i64 clear_refund;
};

static struct sstore_prices sstore_prices(enum fork fork)
{
    if (fork >= FORK_LONDON) /* EIP-3529 */
        return (struct sstore_prices){100, 20000, 2900, 4800};
    if (fork >= FORK_BERLIN) /* EIP-2929 */
        return (struct sstore_prices){100, 20000, 2900, 15000};
    if (fork >= FORK_ISTANBUL) /* EIP-2200 with EIP-1884's SLOAD */
        return (struct sstore_prices){800, 20000, 5000, 15000};
    if (fork == FORK_CONSTANTINOPLE) /* EIP-1283, which lived for this fork alone */
        return (struct sstore_prices){200, 20000, 5000, 15000};
    return (struct sstore_prices){5000, 20000, 5000, 15000};
}

/* Before net metering, and between EIP-1283 and EIP-2200, only the present value counts. */
static i64 sstore_gross(const struct sstore_prices *prices, const struct evm_slot *slot, u256 value,
                        i64 *refund)
{
    bool was_zero = u256_is_zero(slot->current), is_zero = u256_is_zero(value);
    if (was_zero && !is_zero)
        return prices->set;
    if (!was_zero && is_zero)
        *refund += prices->clear_refund;
    return prices->reset;
}

/* EIP-2200 (and EIP-1283): the change against the value at the start of the transaction counts. */
static i64 sstore_net(const struct sstore_prices *prices, const struct evm_slot *slot, u256 value,
                      i64 *refund)
{
    if (u256_eq(slot->current, value))
        return prices->noop;
    bool original_zero = u256_is_zero(slot->original);
    if (u256_eq(slot->original, slot->current)) {
        if (original_zero)
            return prices->set;
        if (u256_is_zero(value))
            *refund += prices->clear_refund;
        return prices->reset;
    }
    if (!original_zero) {
        if (u256_is_zero(slot->current))
            *refund -= prices->clear_refund;
        else if (u256_is_zero(value))
            *refund += prices->clear_refund;
    }
    if (u256_eq(slot->original, value)) {
        /* EIP-2929 keeps the refund of a reset against the full 5,000 less the cold surcharge. */
        *refund += (original_zero ? prices->set : prices->reset) - prices->noop;
    }
    return prices->noop;
}

enum evm_status instr_sstore(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    enum fork fork = evm->fork;
    if (frame->msg->is_static) /* EIP-214 */
        return EVM_OUT_OF_GAS_STATIC;
    if (fork >= FORK_ISTANBUL && frame->gas <= 2300) /* EIP-2200: not from a mere stipend */
        return EVM_OUT_OF_GAS_SENTRY;
    struct evm_slot slot = evm->host->storage_slot(evm->host_ctx, &frame->msg->recipient, &sp[-1]);
    struct sstore_prices prices = sstore_prices(fork);
    bool is_net = fork >= FORK_ISTANBUL || fork == FORK_CONSTANTINOPLE;
    i64 refund = 0;
    i64 cost = is_net ? sstore_net(&prices, &slot, sp[-2], &refund)
                      : sstore_gross(&prices, &slot, sp[-2], &refund);
    if (slot.was_cold && fork >= FORK_BERLIN)
        cost += COLD_SLOT;
    evm->refund += refund; /* before the report, which shows it; undone with the frame */
    if (!frame_charge(frame, cost))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    if (!u256_eq(slot.current, sp[-2]))
        evm->host->storage_set(evm->host_ctx, slot.handle, &sp[-2]);
    return EVM_SUCCESS;
}

enum evm_status instr_tload(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    frame_report(frame);
    sp[-1] = evm->host->transient_get(evm->host_ctx, &frame->msg->recipient, &sp[-1]);
    return EVM_SUCCESS;
}

enum evm_status instr_tstore(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    frame_report(frame);
    if (frame->msg->is_static)
        return EVM_WRITE_PROTECTION;
    evm->host->transient_set(evm->host_ctx, &frame->msg->recipient, &sp[-1], &sp[-2]);
    return EVM_SUCCESS;
}

/* --- logs ------------------------------------------------------------------------------------ */

static enum evm_status log_any(struct frame *frame, u256 *sp, unsigned topic_count)
{
    struct evm *evm = frame->evm;
    const struct evm_tracer *tracer = evm->tracer;
    const addr20 *addr = &frame->msg->recipient;
    struct range data;
    if (!range_of(&data, sp[-1], sp[-2]))
        return memory_failure(sp[-1], sp[-2]);
    u64 end = data.at + data.len;
    if (!frame_charge(frame, memory_cost(frame, end) + 8 * (i64)data.len))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, end);
    if (frame->msg->is_static) /* EIP-214 */
        return EVM_WRITE_PROTECTION;
    hash32 topics[4];
    for (unsigned i = 0; i < topic_count; i++)
        topics[i] = u256_to_hash(sp[-3 - (int)i]);
    const u8 *bytes = frame->memory.bytes + data.at;
    evm->host->log(evm->host_ctx, addr, topics, topic_count, bytes, data.len);
    if (tracer && tracer->log)
        tracer->log(tracer->ctx, addr, topics, topic_count, bytes, data.len, frame->msg->depth);
    return EVM_SUCCESS;
}

#define LOG(n)                                                  \
    enum evm_status instr_log##n(struct frame *frame, u256 *sp) \
    {                                                           \
        return log_any(frame, sp, n);                           \
    }
LOG(0)
LOG(1)
LOG(2)
LOG(3)
LOG(4)

/* --- calls ----------------------------------------------------------------------------------- */

enum { CALL_STIPEND = 2300, CALL_VALUE_GAS = 9000, NEW_ACCOUNT_GAS = 25000 };

/* Where the operands of the four calls lie, from the input range downwards. */
struct call_args {
    enum evm_kind kind;
    addr20 addr;
    u256 value;
    struct range in, out;
    u64 memory_end;
};

static enum evm_status call_args_read(struct call_args *args, const u256 *sp, enum evm_kind kind)
{
    bool has_value = kind == EVM_CALL || kind == EVM_CALLCODE;
    const u256 *ranges = sp - (has_value ? 4 : 3);
    args->kind = kind;
    args->addr = addr_of(&sp[-2]);
    args->value = has_value ? sp[-3] : U256_ZERO;
    if (!range_of(&args->in, ranges[0], ranges[-1]))
        return memory_failure(ranges[0], ranges[-1]);
    if (!range_of(&args->out, ranges[-2], ranges[-3]))
        return memory_failure(ranges[-2], ranges[-3]);
    u64 in_end = args->in.at + args->in.len, out_end = args->out.at + args->out.len;
    args->memory_end = in_end > out_end ? in_end : out_end;
    return EVM_SUCCESS;
}

/* EIP-7702: code that is a delegation is one more account to visit. */
static i64 delegation_access(struct frame *frame, const addr20 *addr)
{
    struct evm *evm = frame->evm;
    addr20 target;
    if (evm->fork < FORK_PRAGUE)
        return 0;
    struct evm_code_view view = evm->host->code(evm->host_ctx, addr);
    if (!evm_delegation_target(&target, &view))
        return 0;
    return 100 + account_access(frame, &target);
}

/* Yellow Paper's C_NEW: gas for making the account that a CALL pays to. */
static i64 call_new_account(struct frame *frame, const struct call_args *args)
{
    struct evm *evm = frame->evm;
    if (args->kind != EVM_CALL)
        return 0;
    if (evm->fork < FORK_SPURIOUS)
        return evm->host->account_exists(evm->host_ctx, &args->addr) ? 0 : NEW_ACCOUNT_GAS;
    /* EIP-161: only where value makes an empty account come to life. */
    if (u256_is_zero(args->value) || !evm->host->account_is_empty(evm->host_ctx, &args->addr))
        return 0;
    return NEW_ACCOUNT_GAS;
}

/* Takes from the frame what the callee gets; false when it asked for more than there is. */
static bool call_gas(struct frame *frame, u256 wanted, i64 *given)
{
    u64 gas = u256_to_u64_sat(wanted);
    u64 left = (u64)frame->gas;
    if (frame->evm->fork >= FORK_TANGERINE) { /* EIP-150: all but one 64th, at most */
        left -= left / 64;
        gas = gas < left ? gas : left;
    }
    if (gas > left) {
        frame->gas = gas < INT64_MAX ? frame->gas - (i64)gas : -1;
        return false;
    }
    frame->gas -= (i64)gas;
    *given = (i64)gas;
    return true;
}

/*
 * A call whose own price is more than there is. What geth finds out before it has the whole price costs nothing in its
 * traces; else the gas wanted for the callee is in it, reckoned modulo 2^64 from what is left.
 */
static enum evm_status call_too_dear(struct frame *frame, const struct call_args *args, i64 access,
                                     i64 stateless, i64 cost, u256 wanted)
{
    enum fork fork = frame->evm->fork;
    bool is_early = args->kind == EVM_CALL && (fork >= FORK_BERLIN || stateless > frame->gas);
    if (is_early || fork >= FORK_PRAGUE || access > frame->gas)
        return EVM_OUT_OF_GAS_ACCESS;
    u64 given = u256_to_u64_sat(wanted), left = (u64)frame->gas - (u64)cost;
    left -= left / 64;
    if (fork >= FORK_TANGERINE && given > left)
        given = left;
    frame->gas = frame->step ? (i64)((u64)frame->gas - (u64)cost - given) : -1;
    return EVM_OUT_OF_GAS;
}

static void call_msg(struct evm_msg *msg, struct frame *frame, const struct call_args *args,
                     i64 gas)
{
    const struct evm_msg *self = frame->msg;
    bool is_delegate = args->kind == EVM_DELEGATECALL;
    bool keeps_storage = is_delegate || args->kind == EVM_CALLCODE;
    msg->kind = args->kind;
    msg->is_static = self->is_static || args->kind == EVM_STATICCALL;
    msg->depth = self->depth + 1;
    msg->gas = gas;
    msg->sender = is_delegate ? self->sender : self->recipient;
    msg->recipient = keeps_storage ? self->recipient : args->addr;
    msg->code_addr = args->addr;
    msg->value = is_delegate ? self->value : args->value;
    msg->input = frame->memory.bytes + args->in.at;
    msg->input_len = args->in.len;
}

static void frame_set_return_data(struct frame *frame, const struct evm_result *result)
{
    frame->return_data = result->output;
    frame->return_data_len = result->output_len;
}

static enum evm_status call_any(struct frame *frame, u256 *sp, u256 *out, enum evm_kind kind)
{
    struct call_args args;
    struct evm_msg msg;
    struct evm_result result;
    i64 gas;
    enum evm_status status = call_args_read(&args, sp, kind);
    if (status != EVM_SUCCESS)
        return status;
    bool pays = !u256_is_zero(args.value);
    if (pays && kind == EVM_CALL && frame->msg->is_static) /* EIP-214 */
        return EVM_OUT_OF_GAS_STATIC;
    i64 stateless = memory_cost(frame, args.memory_end) + (pays ? CALL_VALUE_GAS : 0);
    i64 access = account_access(frame, &args.addr) + delegation_access(frame, &args.addr);
    i64 cost = stateless + access + call_new_account(frame, &args);
    if (UNLIKELY(frame->evm->fork < FORK_TANGERINE && !u256_fits_u64(sp[-1])))
        return EVM_OUT_OF_GAS_OVERFLOW;
    if (UNLIKELY(cost > frame->gas))
        return call_too_dear(frame, &args, access, stateless, cost, sp[-1]);
    if (!frame_charge(frame, cost) || !call_gas(frame, sp[-1], &gas))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, args.memory_end);
    call_msg(&msg, frame, &args, gas + (pays ? CALL_STIPEND : 0));
    evm_call(frame->evm, &msg, &result);
    frame->gas += result.gas_left;
    frame_set_return_data(frame, &result);
    size_t n = result.output_len < args.out.len ? result.output_len : args.out.len;
    if (n)
        memcpy(frame->memory.bytes + args.out.at, result.output, n);
    *out = u256_from_u64(result.status == EVM_SUCCESS);
    return EVM_SUCCESS;
}

enum evm_status instr_call(struct frame *frame, u256 *sp)
{
    return call_any(frame, sp, sp - 7, EVM_CALL);
}

enum evm_status instr_callcode(struct frame *frame, u256 *sp)
{
    return call_any(frame, sp, sp - 7, EVM_CALLCODE);
}

enum evm_status instr_delegatecall(struct frame *frame, u256 *sp)
{
    return call_any(frame, sp, sp - 6, EVM_DELEGATECALL);
}

enum evm_status instr_staticcall(struct frame *frame, u256 *sp)
{
    return call_any(frame, sp, sp - 6, EVM_STATICCALL);
}

/* --- creations ------------------------------------------------------------------------------- */

/* Gas for each word of init code: EIP-3860's 2, and CREATE2's hashing (EIP-1014). */
static i64 create_word_gas(const struct evm *evm, enum evm_kind kind)
{
    return (evm->fork >= FORK_SHANGHAI ? 2 : 0) + (kind == EVM_CREATE2 ? 6 : 0);
}

static void create_msg(struct evm_msg *msg, struct frame *frame, const u256 *sp, enum evm_kind kind,
                       struct range code)
{
    i64 keeps = frame->evm->fork >= FORK_TANGERINE ? frame->gas / 64 : 0; /* EIP-150 */
    *msg = (struct evm_msg){
        .kind = kind,
        .depth = frame->msg->depth + 1,
        .gas = frame->gas - keeps,
        .sender = frame->msg->recipient,
        .value = sp[-1],
        .input = frame->memory.bytes + code.at,
        .input_len = code.len,
    };
    if (kind == EVM_CREATE2)
        msg->salt = u256_to_hash(sp[-4]);
    frame->gas = keeps;
}

static enum evm_status create_any(struct frame *frame, u256 *sp, u256 *out, enum evm_kind kind)
{
    struct evm *evm = frame->evm;
    struct evm_msg msg;
    struct evm_result result;
    struct range code;
    if (frame->msg->is_static) /* EIP-214 */
        return EVM_OUT_OF_GAS_STATIC;
    if (!range_of(&code, sp[-2], sp[-3]))
        return memory_failure(sp[-2], sp[-3]);
    if (code.len > evm->initcode_max) /* EIP-3860 */
        return EVM_OUT_OF_GAS;
    u64 end = code.at + code.len;
    i64 words = (i64)words_of(code.len);
    if (!frame_charge(frame, memory_cost(frame, end) + words * create_word_gas(evm, kind)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    evm->gas_metered += evm->ops[OP_CREATE].gas - METERED_MAX;
    memory_reach(frame, end);
    create_msg(&msg, frame, sp, kind, code);
    evm_call(evm, &msg, &result);
    frame->gas += result.gas_left;
    /* EIP-211: a creation leaves data behind only when it reverts. */
    if (result.status != EVM_REVERT)
        result.output_len = 0;
    frame_set_return_data(frame, &result);
    *out = result.status == EVM_SUCCESS ? word_of_addr(&result.created) : U256_ZERO;
    return EVM_SUCCESS;
}

enum evm_status instr_create(struct frame *frame, u256 *sp)
{
    return create_any(frame, sp, sp - 3, EVM_CREATE);
}

enum evm_status instr_create2(struct frame *frame, u256 *sp)
{
    return create_any(frame, sp, sp - 4, EVM_CREATE2);
}

/* --- endings --------------------------------------------------------------------------------- */

enum evm_status instr_return(struct frame *frame, u256 *sp)
{
    struct range data;
    if (!range_of(&data, sp[-1], sp[-2]))
        return memory_failure(sp[-1], sp[-2]);
    u64 end = data.at + data.len;
    if (!frame_charge(frame, memory_cost(frame, end)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    memory_reach(frame, end);
    frame->output = frame->memory.bytes + data.at;
    frame->output_len = data.len;
    return EVM_SUCCESS;
}

enum evm_status instr_revert(struct frame *frame, u256 *sp)
{
    enum evm_status status = instr_return(frame, sp);
    return status == EVM_SUCCESS ? EVM_REVERT : status;
}

/* The gas of SELFDESTRUCT beyond its static price. */
static i64 selfdestruct_cost(struct frame *frame, const addr20 *heir, u256 wei)
{
    struct evm *evm = frame->evm;
    i64 cost = 0;
    if (evm->fork >= FORK_BERLIN && evm->host->account_touch_warm(evm->host_ctx, heir))
        cost += 2600;                 /* EIP-2929 */
    if (evm->fork >= FORK_SPURIOUS) { /* EIP-161 */
        if (!u256_is_zero(wei) && evm->host->account_is_empty(evm->host_ctx, heir))
            cost += NEW_ACCOUNT_GAS;
    } else if (evm->fork >= FORK_TANGERINE) { /* EIP-150 */
        if (!evm->host->account_exists(evm->host_ctx, heir))
            cost += NEW_ACCOUNT_GAS;
    }
    return cost;
}

enum evm_status instr_selfdestruct(struct frame *frame, u256 *sp)
{
    struct evm *evm = frame->evm;
    const struct evm_host_ops *host = evm->host;
    const struct evm_tracer *tracer = evm->tracer;
    const addr20 *self = &frame->msg->recipient;
    addr20 heir = addr_of(&sp[-1]);
    if (frame->msg->is_static) /* EIP-214 */
        return EVM_OUT_OF_GAS_STATIC;
    u256 wei = host->balance(evm->host_ctx, self);
    if (!frame_charge(frame, selfdestruct_cost(frame, &heir, wei)))
        return EVM_OUT_OF_GAS;
    frame_report(frame);
    host->transfer(evm->host_ctx, self, &heir, &wei);
    /* EIP-6780: only what this transaction created still vanishes. */
    if (evm->fork < FORK_CANCUN || host->created_in_tx(evm->host_ctx, self)) {
        bool is_first = host->mark_destroyed(evm->host_ctx, self);
        if (is_first && evm->fork < FORK_LONDON) /* EIP-3529 ended this refund */
            evm->refund += SELFDESTRUCT_REFUND;
    }
    if (UNLIKELY(evm->visitor != NULL))
        evm->visitor(evm->visitor_ctx, EVM_SELFDESTRUCT, self, &heir);
    if (tracer && tracer->selfdestruct)
        tracer->selfdestruct(tracer->ctx, self, &heir, &wei, frame->msg->depth);
    return EVM_SUCCESS;
}
