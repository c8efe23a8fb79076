/*
 * anvil_dumpState and anvil_loadState: the state of the head as one piece of bytes, JSON that says what it is. It holds
 * every account with its code and storage, and what the next block needs: time, gas limit, coinbase, base fee. It does
 * not hold blocks, transactions, receipts or logs, and loading it leaves block numbers alone.
 */
#include <string.h>

#include "prim/hex.h"
#include "rpc/param.h"
#include "rpc/view.h"
#include "types/genesis.h"

static const char FORMAT[] = "ashlar-state";

enum { VERSION = 1, DEPTH_MAX = 16 };

/* --- dumping -------------------------------------------------------------------------------- */

struct dump {
    struct rpc_call *call;
    struct state *state;
    struct buf text;
};

static void put_slot(void *ctx, const u256 *key, const u256 *value)
{
    struct dump *dump = ctx;
    char name[67];
    hash32 word = u256_to_hash(*key);
    hex_encode(name, word.b, sizeof word.b);
    json_out_word(&dump->text, name, *value);
}

static void put_account(void *ctx, const addr20 *addr, const struct account *account)
{
    struct dump *dump = ctx;
    char name[43];
    if (dump->text.full)
        return;
    state_settle(dump->state); /* all accounts are looked at once */
    struct state_code code = state_code(dump->state, addr);
    hex_encode(name, addr->b, sizeof addr->b);
    json_out_object(&dump->text, name);
    json_out_quantity(&dump->text, "nonce", account->nonce);
    json_out_quantity_u256(&dump->text, "balance", account->balance);
    json_out_data(&dump->text, "code", code.bytes, code.len);
    json_out_object(&dump->text, "storage");
    state_each_slot(dump->state, addr, put_slot, dump);
    json_out_object_end(&dump->text);
    json_out_object_end(&dump->text);
}

static void put_next_block(struct dump *dump)
{
    struct header next;
    dev_next_header(dump->call->dev, &next);
    json_out_object(&dump->text, "next");
    json_out_quantity(&dump->text, "timestamp", next.timestamp);
    json_out_quantity(&dump->text, "gasLimit", next.gas_limit);
    json_out_addr(&dump->text, "coinbase", &next.coinbase);
    json_out_quantity_u256(&dump->text, "baseFeePerGas", next.base_fee);
    json_out_object_end(&dump->text);
}

static void anvil_dumpState(struct rpc_call *call)
{
    struct dump dump = {.call = call};
    struct block_ref head = {.block = chain_head(call->chain)};
    const struct header *header = &head.block->block.header;
    if (!view_open(call, &head, &dump.state))
        return;
    buf_init(&dump.text, call->rpc->options.answer_max / 2);
    json_out_object(&dump.text, NULL);
    json_out_text(&dump.text, "format", FORMAT);
    json_out_u64(&dump.text, "version", VERSION);
    json_out_quantity(&dump.text, "chainId", chain_config(call->chain)->chain_id);
    json_out_quantity(&dump.text, "blockNumber", header->number);
    json_out_hash(&dump.text, "blockHash", &head.block->block.hash);
    put_next_block(&dump);
    json_out_object(&dump.text, "accounts");
    state_each_account(dump.state, put_account, &dump);
    json_out_object_end(&dump.text);
    json_out_object_end(&dump.text);
    view_close(call, dump.state);
    if (dump.text.full)
        rpc_fail(call, RPC_RESPONSE_TOO_LARGE,
                 "the state is larger than an answer may be, %u bytes",
                 call->rpc->options.answer_max);
    else
        json_out_data(call->out, RPC_RESULT, dump.text.data, dump.text.len);
    buf_fini(&dump.text);
}

/* --- loading -------------------------------------------------------------------------------- */

static bool read_storage(struct rpc_call *call, json storage, struct genesis_account *account)
{
    u32 count = (u32)json_count(storage), at = 0;
    struct genesis_slot *slots = arena_alloc(call->arena, count * sizeof *slots);
    struct json_iter iter = json_iter(storage);
    while (json_next(&iter)) {
        u256 key, value;
        if (!param_key_word(call, &iter, &key) ||
            !value_word(call, iter.value, "storage value", &value))
            return false;
        slots[at++] = (struct genesis_slot){u256_to_hash(key), u256_to_hash(value)};
    }
    account->slots = slots;
    account->slot_count = count;
    return true;
}

static bool read_account(struct rpc_call *call, const struct json_iter *iter,
                         struct genesis_account *account)
{
    bool has_nonce, has_balance, has_code;
    json object = iter->value, storage = json_get(object, "storage");
    *account = (struct genesis_account){0};
    if (!param_key_addr(call, iter, &account->addr) || !value_is_object(call, object, "account") ||
        !member_u64(call, object, "nonce", &account->nonce, &has_nonce) ||
        !member_u256(call, object, "balance", &account->balance, &has_balance) ||
        !member_data(call, object, "code", &account->code, &account->code_len, &has_code))
        return false;
    if (!has_nonce || !has_balance || !has_code || !storage)
        return rpc_fail(
            call, RPC_INVALID_PARAMS,
            "the state is not whole: account %.*s lacks nonce, balance, code or storage",
            (int)iter->key_len, iter->key);
    return value_is_object(call, storage, "storage") && read_storage(call, storage, account);
}

static bool read_accounts(struct rpc_call *call, json accounts, struct genesis_account **list,
                          u32 *count)
{
    if (json_kind(accounts) != JSON_KIND_OBJECT)
        return rpc_fail(call, RPC_INVALID_PARAMS, "the state is not whole: there are no accounts");
    *list = arena_alloc(call->arena, json_count(accounts) * sizeof **list);
    *count = 0;
    struct json_iter iter = json_iter(accounts);
    while (json_next(&iter))
        if (!read_account(call, &iter, &(*list)[(*count)++]))
            return false;
    return true;
}

static bool check_format(struct rpc_call *call, json root)
{
    u64 version;
    const char *format = json_text(json_get(root, "format"));
    if (!format || strcmp(format, FORMAT) != 0)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "not a state that anvil_dumpState of this program gave");
    if (!json_u64(json_get(root, "version"), &version) || version != VERSION)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "the state is of a version that this program does not know; it knows %d",
                        VERSION);
    return true;
}

/* What the dump says of the next block. */
struct next_block {
    u64 timestamp, gas_limit;
    addr20 coinbase;
    u256 base_fee;
};

static bool read_next(struct rpc_call *call, json root, struct next_block *next)
{
    bool has[4];
    json object = json_get(root, "next");
    if (!object)
        return rpc_fail(call, RPC_INVALID_PARAMS, "the state is not whole: \"next\" is missing");
    if (!value_is_object(call, object, "next") ||
        !member_u64(call, object, "timestamp", &next->timestamp, &has[0]) ||
        !member_u64(call, object, "gasLimit", &next->gas_limit, &has[1]) ||
        !member_addr(call, object, "coinbase", &next->coinbase, &has[2]) ||
        !member_u256(call, object, "baseFeePerGas", &next->base_fee, &has[3]))
        return false;
    if (!has[0] || !has[1] || !has[2] || !has[3] || next->gas_limit < 5000 ||
        next->gas_limit > INT64_MAX || next->timestamp >= (u64)1 << 62)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "the state is not whole: \"next\" lacks a member or has it out of range");
    return true;
}

/* Time goes on from the dump's, where that is later than here. */
static void set_next(struct dev *dev, const struct next_block *next)
{
    struct err err;
    dev->gas_limit = next->gas_limit;
    dev->coinbase = next->coinbase;
    dev->base_fee = next->base_fee;
    dev->has_base_fee = true;
    if (next->timestamp > dev_timestamp(dev)) {
        enum status status = dev_set_next_timestamp(dev, next->timestamp, &err);
        (void)status; /* its range was looked at before */
    }
}

static void destroy(void *ctx, const addr20 *addr, const struct account *account)
{
    (void)account;
    state_mark_destroyed(ctx, addr);
}

/* The head's state becomes the dump's, whatever it was. */
static void replace_state(struct rpc_call *call, const struct genesis_account *accounts, u32 count)
{
    struct state *state = chain_state_edit(call->chain);
    state_begin_tx(state);
    state_each_account(state, destroy, state);
    state_end_tx(state, FORK_FRONTIER);
    chain_populate(state, accounts, count);
    chain_state_commit(call->chain);
    dev_state_changed(call->dev);
}

static void anvil_loadState(struct rpc_call *call)
{
    const u8 *text;
    size_t len;
    json root;
    struct err err;
    u32 count = 0;
    struct genesis_account *accounts = NULL;
    struct next_block next;
    if (!param_data(call, 0, &text, &len))
        return;
    if (rpc_parse(call->rpc, &root, (const char *)text, len, DEPTH_MAX, &err) != STATUS_OK) {
        rpc_fail(call, RPC_INVALID_PARAMS,
                 "not a state that anvil_dumpState of this program gave: %s", err.text);
        return;
    }
    if (!check_format(call, root) || !read_next(call, root, &next) ||
        !read_accounts(call, json_get(root, "accounts"), &accounts, &count))
        return;
    replace_state(call, accounts, count);
    set_next(call->dev, &next);
    json_out_bool(call->out, RPC_RESULT, true);
}

const struct rpc_method RPC_DUMP[] = {
    {"anvil_dumpState", anvil_dumpState, "options?"},
    {"anvil_loadState", anvil_loadState, "state"},
    {"hardhat_dumpState", anvil_dumpState, "options?"},
    {"hardhat_loadState", anvil_loadState, "state"},
    {NULL, NULL, NULL},
};
