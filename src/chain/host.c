/* The thin table between evm and state: each line forwards. Types that are equal in both rooms
 * are copied field by field, which compiles to nothing. */
#include "chain/exec.h"
#include "evm/precompile.h"

static inline struct state *state_of(void *ctx)
{
    return ((struct exec *)ctx)->state;
}

static bool host_account_exists(void *ctx, const addr20 *addr)
{
    return state_account_exists(state_of(ctx), addr);
}

static bool host_account_is_empty(void *ctx, const addr20 *addr)
{
    return state_account_is_empty(state_of(ctx), addr);
}

/* EIP-2929: precompiles are warm from the start. Answering here spares warming all of them for
 * every transaction. */
static bool host_account_touch_warm(void *ctx, const addr20 *addr)
{
    u64 head[2];
    memcpy(head, addr->b, sizeof head);
    if (UNLIKELY(!(head[0] | head[1])) && precompile_find(((struct exec *)ctx)->fork, addr))
        return false;
    return state_account_warm(state_of(ctx), addr);
}

static u256 host_balance(void *ctx, const addr20 *addr)
{
    return state_balance(state_of(ctx), addr);
}

static u64 host_nonce(void *ctx, const addr20 *addr)
{
    return state_nonce(state_of(ctx), addr);
}

static struct evm_code_view host_code(void *ctx, const addr20 *addr)
{
    struct state_code code = state_code(state_of(ctx), addr);
    return (struct evm_code_view){code.bytes, code.len, code.hash};
}

static hash32 host_code_hash(void *ctx, const addr20 *addr)
{
    return state_code_hash(state_of(ctx), addr);
}

static bool host_has_storage(void *ctx, const addr20 *addr)
{
    return state_has_storage(state_of(ctx), addr);
}

static u256 host_storage_get(void *ctx, const addr20 *addr, const u256 *key, bool *was_cold)
{
    return state_storage_get(state_of(ctx), addr, key, was_cold);
}

static struct evm_slot host_storage_slot(void *ctx, const addr20 *addr, const u256 *key)
{
    struct state_slot slot = state_storage_slot(state_of(ctx), addr, key);
    return (struct evm_slot){slot.current, slot.original, slot.was_cold, slot.handle};
}

static void host_storage_set(void *ctx, void *handle, const u256 *value)
{
    state_storage_set(state_of(ctx), handle, value);
}

static u256 host_transient_get(void *ctx, const addr20 *addr, const u256 *key)
{
    return state_transient_get(state_of(ctx), addr, key);
}

static void host_transient_set(void *ctx, const addr20 *addr, const u256 *key, const u256 *value)
{
    state_transient_set(state_of(ctx), addr, key, value);
}

static u32 host_checkpoint(void *ctx)
{
    return state_checkpoint(state_of(ctx));
}

static void host_rollback(void *ctx, u32 checkpoint)
{
    state_rollback(state_of(ctx), checkpoint);
}

static void host_transfer(void *ctx, const addr20 *from, const addr20 *to, const u256 *wei)
{
    state_transfer(state_of(ctx), from, to, wei);
}

static void host_set_nonce(void *ctx, const addr20 *addr, u64 nonce)
{
    state_set_nonce(state_of(ctx), addr, nonce);
}

static void host_set_code(void *ctx, const addr20 *addr, const u8 *code, size_t len)
{
    state_set_code(state_of(ctx), addr, code, len);
}

static void host_create_account(void *ctx, const addr20 *addr)
{
    state_create_account(state_of(ctx), addr);
}

static bool host_created_in_tx(void *ctx, const addr20 *addr)
{
    return state_created_in_tx(state_of(ctx), addr);
}

static bool host_mark_destroyed(void *ctx, const addr20 *addr)
{
    return state_mark_destroyed(state_of(ctx), addr);
}

static void host_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                     const u8 *data, size_t len)
{
    state_add_log(state_of(ctx), addr, topics, topic_count, data, len);
}

static hash32 host_block_hash(void *ctx, u64 number)
{
    const struct exec *exec = ctx;
    return exec->block_hash ? exec->block_hash(exec->block_hash_ctx, number) : (hash32){{0}};
}

const struct evm_host_ops EXEC_HOST_OPS = {
    .account_exists = host_account_exists,
    .account_is_empty = host_account_is_empty,
    .account_touch_warm = host_account_touch_warm,
    .balance = host_balance,
    .nonce = host_nonce,
    .code = host_code,
    .code_hash = host_code_hash,
    .has_storage = host_has_storage,
    .storage_get = host_storage_get,
    .storage_slot = host_storage_slot,
    .storage_set = host_storage_set,
    .transient_get = host_transient_get,
    .transient_set = host_transient_set,
    .checkpoint = host_checkpoint,
    .rollback = host_rollback,
    .transfer = host_transfer,
    .set_nonce = host_set_nonce,
    .set_code = host_set_code,
    .create_account = host_create_account,
    .created_in_tx = host_created_in_tx,
    .mark_destroyed = host_mark_destroyed,
    .log = host_log,
    .block_hash = host_block_hash,
};
