/* debug: looking through states, and what a hash was made of. */
#include <stdlib.h>
#include <string.h>

#include "evm/opcode.h"
#include "evm/tracer.h"
#include "prim/hex.h"
#include "prim/keccak.h"
#include "rpc/param.h"
#include "rpc/replay.h"
#include "rpc/view.h"

enum {
    RANGE_MAX = 256,             /* accounts in an answer, as geth has it */
    SLOTS_MAX = 100000,          /* slots in an answer */
    SLOT_TEXT = 256,             /* bytes of an answer that each takes at most */
    CLEAR_GAS = 2300,            /* EIP-2929: less than clearing a slot costs, refunds taken off */
    PREIMAGE_TXS_MAX = 500,      /* transactions run again in search of a preimage */
    PREIMAGE_BLOCKS_MAX = 10000, /* and blocks looked at for them */
};

/* --- gathering ------------------------------------------------------------------------------- */

/* Keys with their hashes, to be put in the trie's order. */
struct item {
    hash32 hash;
    addr20 addr;
    u256 key;
};

/* Of any number that is added those that come first from `from` on stay, `keep` of them at least. */
struct items {
    struct arena *arena;
    struct item *list;
    size_t count, cap, keep;
    hash32 from;
};

static struct items items_open(struct arena *arena, const u8 *start, size_t len, size_t keep)
{
    struct items items = {.arena = arena, .keep = keep};
    if (len)
        memcpy(items.from.b, start, len < sizeof items.from ? len : sizeof items.from);
    return items;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(((const struct item *)a)->hash.b, ((const struct item *)b)->hash.b, 32);
}

/* In order, each once. */
static void items_sort(struct items *items)
{
    size_t count = 0;
    if (items->count)
        qsort(items->list, items->count, sizeof *items->list, by_hash);
    for (size_t i = 0; i < items->count; i++)
        if (!count || !hash32_eq(&items->list[count - 1].hash, &items->list[i].hash))
            items->list[count++] = items->list[i];
    items->count = count;
}

static void items_make_room(struct items *items)
{
    if (items->cap < 2 * items->keep) {
        size_t cap = items->cap ? 2 * items->cap : 64;
        struct item *list = arena_alloc(items->arena, cap * sizeof *list);
        if (items->count)
            memcpy(list, items->list, items->count * sizeof *list);
        items->list = list;
        items->cap = cap;
        return;
    }
    items_sort(items);
    if (items->count > items->keep)
        items->count = items->keep;
}

static void item_add(struct items *items, const struct item *item)
{
    if (memcmp(item->hash.b, items->from.b, sizeof items->from) < 0)
        return;
    if (items->count == items->cap)
        items_make_room(items);
    items->list[items->count++] = *item;
}

static void add_account(void *ctx, const addr20 *addr, const struct account *account)
{
    (void)account;
    struct item item = {.addr = *addr};
    keccak256(&item.hash, addr->b, sizeof addr->b);
    item_add(ctx, &item);
}

static void add_key(struct items *items, const u256 *key)
{
    hash32 word = u256_to_hash(*key);
    struct item item = {.key = *key};
    keccak256(&item.hash, word.b, sizeof word.b);
    item_add(items, &item);
}

static void add_slot(void *ctx, const u256 *key, const u256 *value)
{
    (void)value;
    add_key(ctx, key);
}

/* --- debug_storageRangeAt -------------------------------------------------------------------- */

/* Which slots of one account were written. */
struct writes {
    struct items *items;
    const addr20 *addr;
};

static void see_write(void *ctx, const struct evm_step *step)
{
    struct writes *writes = ctx;
    if (step->opcode == OP_SSTORE && step->error == EVM_SUCCESS && step->stack_len >= 2 &&
        addr20_eq(&step->msg->recipient, writes->addr))
        add_key(writes->items, &step->stack[step->stack_len - 1]);
}

static void put_storage(struct rpc_call *call, struct state *state, const addr20 *addr,
                        struct items *items, u64 max)
{
    struct buf *out = call->out;
    size_t at = 0;
    items_sort(items);
    json_out_object(out, RPC_RESULT);
    json_out_object(out, "storage");
    for (u64 count = 0; at < items->count && count < max; at++) {
        const struct item *item = &items->list[at];
        u256 value = state_storage_peek(state, addr, &item->key);
        if (u256_is_zero(value))
            continue;
        char *name = arena_alloc(call->arena, 67);
        hex_encode(name, item->hash.b, sizeof item->hash.b);
        json_out_object(out, name);
        json_out_word(out, "key", item->key);
        json_out_word(out, "value", value);
        json_out_object_end(out);
        count++;
    }
    json_out_object_end(out);
    if (at < items->count)
        json_out_hash(out, "nextKey", &items->list[at].hash);
    else
        json_out_null(out, "nextKey");
    json_out_object_end(out);
}

/* (block, index, address, start, count): the storage before the block's transaction at index. */
static void debug_storageRangeAt(struct rpc_call *call)
{
    addr20 addr;
    u64 index, max;
    const u8 *start;
    size_t len;
    struct replay replay;
    struct exec_result result;
    struct block_ref ref;
    if (!param_need(call, 0) || !param_block(call, 0, &ref) || !param_loose_u64(call, 1, &index) ||
        !param_addr(call, 2, &addr) || !param_data(call, 3, &start, &len) ||
        !param_loose_u64(call, 4, &max))
        return;
    const struct chain_block *block = ref.is_pending ? chain_head(call->chain) : ref.block;
    if (!block) {
        view_no_block(call);
        return;
    }
    if (index && index >= block->block.tx_count) {
        rpc_fail(call, RPC_SERVER_ERROR, "transaction index %llu out of range for block %llu",
                 (unsigned long long)index, (unsigned long long)block->block.header.number);
        return;
    }
    if (!replay_open(call, &replay, block))
        return;
    /* Those past the answer take the places of slots that the block's transactions may have cleared. */
    max = max < SLOTS_MAX ? max : SLOTS_MAX;
    if (max > call->rpc->options.answer_max / SLOT_TEXT)
        max = call->rpc->options.answer_max / SLOT_TEXT;
    size_t keep = max + 1 + block->block.header.gas_limit / CLEAR_GAS;
    struct items items = items_open(call->arena, start, len, keep);
    struct writes writes = {&items, &addr};
    const struct evm_tracer tracer = {.ctx = &writes, .step = see_write};
    state_each_slot(replay.state, &addr, add_slot, &items);
    evm_set_tracer(replay.process.exec.evm, &tracer);
    for (u32 i = 0; i < index && rpc_goes_on(call); i++)
        replay_tx(&replay, i, &result);
    evm_set_tracer(replay.process.exec.evm, NULL);
    put_storage(call, replay.state, &addr, &items, max);
    view_close(call, replay.state);
}

/* --- debug_accountRange ---------------------------------------------------------------------- */

static void put_slot(void *ctx, const u256 *key, const u256 *value)
{
    struct rpc_call *call = ctx;
    char *name = arena_alloc(call->arena, 67), *text = arena_alloc(call->arena, 67);
    hash32 word = u256_to_hash(*key), content = u256_to_hash(*value);
    hex_encode(name, word.b, sizeof word.b);
    hex_encode(text, content.b, sizeof content.b);
    text += 2;
    while (text[0] == '0' && text[1] == '0') /* as geth: the bytes that count, without 0x */
        text += 2;
    json_out_text(call->out, name, text);
}

static void put_account(struct rpc_call *call, struct state *state, const struct item *item,
                        bool no_code, bool no_storage)
{
    struct account account;
    struct buf *out = call->out;
    char *name = arena_alloc(call->arena, 43), balance[U256_DEC_MAX];
    if (!state_account_get(state, &item->addr, &account))
        return;
    hex_encode(name, item->addr.b, sizeof item->addr.b);
    balance[u256_format_dec(balance, account.balance)] = 0;
    json_out_object(out, name);
    json_out_text(out, "balance", balance);
    json_out_u64(out, "nonce", account.nonce);
    json_out_hash(out, "root", &account.storage_root);
    json_out_hash(out, "codeHash", &account.code_hash);
    struct state_code code = state_code(state, &item->addr);
    if (code.len && !no_code)
        json_out_data(out, "code", code.bytes, code.len);
    if (!no_storage) {
        json_out_object(out, "storage");
        state_each_slot(state, &item->addr, put_slot, call);
        json_out_object_end(out);
    }
    json_out_addr(out, "address", &item->addr);
    json_out_hash(out, "key", &item->hash);
    json_out_object_end(out);
}

/* (block, start, count, nocode, nostorage): accounts by the hash of their address. `next` is hexadecimal, to be given
 * as `start` again. */
static void debug_accountRange(struct rpc_call *call)
{
    struct block_ref ref;
    struct state *state;
    struct header header;
    const u8 *start = NULL;
    size_t len = 0;
    u64 max = RANGE_MAX;
    bool no_code = false, no_storage = false;
    if (!param_any_block(call, 0, &ref) ||
        (param_has(call, 1) && !param_data(call, 1, &start, &len)) ||
        (param_has(call, 2) && !param_loose_u64(call, 2, &max)) ||
        (param_has(call, 3) && !param_bool(call, 3, &no_code)) ||
        (param_has(call, 4) && !param_bool(call, 4, &no_storage)))
        return;
    if (ref.is_pending) /* only what is sealed can be walked through */
        ref = (struct block_ref){.block = chain_head(call->chain)};
    if (!view_header(call, &ref, &header) || !view_open(call, &ref, &state))
        return;
    size_t at = 0, count = max && max < RANGE_MAX ? max : RANGE_MAX;
    struct items items = items_open(call->arena, start, len, count + 1);
    state_each_account(state, add_account, &items);
    items_sort(&items);
    char *root = arena_alloc(call->arena, 67);
    hex_encode(root, header.state_root.b, sizeof header.state_root.b);
    json_out_object(call->out, RPC_RESULT);
    json_out_text(call->out, "root", root + 2);
    json_out_object(call->out, "accounts");
    for (; at < items.count && at < count; at++)
        put_account(call, state, &items.list[at], no_code, no_storage);
    json_out_object_end(call->out);
    if (at < items.count)
        json_out_hash(call->out, "next", &items.list[at].hash);
    json_out_object_end(call->out);
    view_close(call, state);
}

/* --- debug_getModifiedAccounts... -------------------------------------------------------------- */

/* Accounts of one state that the other has otherwise, or, with only_absent, has not. */
struct difference {
    struct rpc_call *call;
    struct state *other;
    bool only_absent;
};

static void put_if_changed(void *ctx, const addr20 *addr, const struct account *account)
{
    struct difference *difference = ctx;
    struct account before;
    state_settle(difference->other); /* all accounts are looked at once */
    bool existed = state_account_get(difference->other, addr, &before);
    bool is_same = existed && before.nonce == account->nonce &&
                   u256_eq(before.balance, account->balance) &&
                   hash32_eq(&before.code_hash, &account->code_hash) &&
                   hash32_eq(&before.storage_root, &account->storage_root);
    if (difference->only_absent ? !existed : !is_same)
        json_out_addr(difference->call->out, NULL, addr);
}

static void put_modified(struct rpc_call *call, const struct chain_block *from,
                         const struct chain_block *to)
{
    struct block_ref before = {.block = from}, after = {.block = to};
    struct state *old, *new;
    if (!view_open(call, &before, &old))
        return;
    if (view_open(call, &after, &new)) {
        json_out_array(call->out, RPC_RESULT);
        state_each_account(new, put_if_changed, &(struct difference){call, old, false});
        state_each_account(old, put_if_changed, &(struct difference){call, new, true});
        json_out_array_end(call->out);
        view_close(call, new);
    }
    view_close(call, old);
}

/* One block: what it changed. Two: what changed after the first, up to the second. */
static void debug_getModifiedAccounts(struct rpc_call *call)
{
    struct block_ref start, end;
    if (!param_need(call, 0) || !param_any_block(call, 0, &start) ||
        !param_any_block(call, 1, &end))
        return;
    const struct chain_block *from = start.is_pending ? chain_head(call->chain) : start.block,
                             *to = end.is_pending ? chain_head(call->chain) : end.block;
    if (!param_has(call, 1) && from) {
        to = from;
        from = from->block.header.number
                   ? chain_header_by_number(call->chain, from->block.header.number - 1)
                   : NULL;
    }
    if (!from || !to)
        view_no_block(call);
    else if (param_has(call, 1) && from->block.header.number >= to->block.header.number)
        rpc_fail(call, RPC_INVALID_PARAMS, "start block number must be less than end block number");
    else
        put_modified(call, from, to);
}

/* --- debug_preimage ---------------------------------------------------------------------------- */

/* A search for the bytes whose hash is wanted. */
struct search {
    struct arena *arena;
    const hash32 *wanted;
    const u8 *found;
    size_t len;
};

static void try_bytes(struct search *search, const u8 *bytes, size_t len)
{
    hash32 hash;
    if (search->found)
        return;
    keccak256(&hash, bytes, len);
    if (!hash32_eq(&hash, search->wanted))
        return;
    search->found = arena_dup(search->arena, bytes, len);
    search->len = len;
}

static void try_keccak(void *ctx, const struct evm_step *step)
{
    if (step->opcode != OP_KECCAK256 || step->error != EVM_SUCCESS || step->stack_len < 2)
        return;
    u64 at = u256_to_u64_sat(step->stack[step->stack_len - 1]);
    u64 len = u256_to_u64_sat(step->stack[step->stack_len - 2]);
    if (len <= step->memory_len && at <= step->memory_len - len)
        try_bytes(ctx, len ? step->memory + at : (const u8 *)"", len);
}

static void try_account(void *ctx, const addr20 *addr, const struct account *account)
{
    (void)account;
    try_bytes(ctx, addr->b, sizeof addr->b);
}

/* What contracts hashed lately, which is how slots of mappings get their places. Nothing is kept for this: the latest
 * transactions are run again. */
static void search_runs(struct rpc_call *call, struct search *search)
{
    struct exec_result result;
    struct replay replay;
    u32 left = PREIMAGE_TXS_MAX;
    u64 head = chain_head(call->chain)->block.header.number, oldest = chain_oldest(call->chain);
    const struct evm_tracer tracer = {.ctx = search, .step = try_keccak};
    if (oldest < chain_oldest_readable(call->chain))
        oldest = chain_oldest_readable(call->chain);
    if (head - oldest > PREIMAGE_BLOCKS_MAX)
        oldest = head - PREIMAGE_BLOCKS_MAX;
    for (u64 number = head; number > oldest && left && !search->found && rpc_goes_on(call);
         number--) {
        const struct chain_block *block = chain_by_number(call->chain, number);
        u32 count = block ? block->block.tx_count : 0;
        if (!count)
            continue;
        if (count > left || !replay_open(call, &replay, block))
            return;
        evm_set_tracer(replay.process.exec.evm, &tracer);
        for (u32 i = 0; i < count; i++)
            replay_tx(&replay, i, &result);
        evm_set_tracer(replay.process.exec.evm, NULL);
        view_close(call, replay.state);
        left -= count;
    }
}

static void debug_preimage(struct rpc_call *call)
{
    hash32 hash;
    struct state *state;
    struct block_ref head = {.block = chain_head(call->chain)};
    if (!param_hash(call, 0, &hash) || !view_open(call, &head, &state))
        return;
    struct search search = {.arena = call->arena, .wanted = &hash};
    state_each_account(state, try_account, &search);
    view_close(call, state);
    if (!search.found)
        search_runs(call, &search);
    if (search.found)
        json_out_data(call->out, RPC_RESULT, search.found, search.len);
    else
        rpc_fail(call, RPC_SERVER_ERROR, "unknown preimage");
}

/* A chain that seals its own blocks has never seen a bad one. */
static void debug_getBadBlocks(struct rpc_call *call)
{
    json_out_array(call->out, RPC_RESULT);
    json_out_array_end(call->out);
}

const struct rpc_method RPC_DEBUG_STATE[] = {
    {"debug_accountRange", debug_accountRange, "block? start? count? nocode? nostorage? options?"},
    {"debug_getBadBlocks", debug_getBadBlocks, ""},
    {"debug_getModifiedAccountsByHash", debug_getModifiedAccounts, "block end?"},
    {"debug_getModifiedAccountsByNumber", debug_getModifiedAccounts, "block end?"},
    {"debug_preimage", debug_preimage, "hash"},
    {"debug_storageRangeAt", debug_storageRangeAt, "block index address start count"},
    {NULL, NULL, NULL},
};
