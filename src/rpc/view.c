#include "rpc/view.h"

#include <string.h>

#include "base/mem.h"
#include "rpc/param.h"

enum { PENDING_TXS_MAX = 4096 };

struct block_ref view_pending(struct rpc_call *call)
{
    return (struct block_ref){.is_pending = true, .timestamp = dev_timestamp(call->dev)};
}

static bool by_hash(struct rpc_call *call, json value, json object, struct block_ref *ref)
{
    hash32 hash;
    bool must_be_canonical = false;
    json canonical = json_get(object, "requireCanonical");
    if (!value_hash(call, value, "block hash", &hash))
        return false;
    if (canonical && !value_bool(call, canonical, "requireCanonical", &must_be_canonical))
        return false;
    ref->block = chain_header_by_hash(call->chain, &hash);
    if (must_be_canonical && ref->block && !ref->block->is_canonical)
        return rpc_fail(call, RPC_SERVER_ERROR, "hash is not currently canonical");
    return true;
}

static bool by_object(struct rpc_call *call, json object, struct block_ref *ref)
{
    u64 number;
    json hash = json_get(object, "blockHash"), at = json_get(object, "blockNumber");
    if (hash && at)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "cannot specify both BlockHash and BlockNumber, choose one or the other");
    if (hash)
        return by_hash(call, hash, object, ref);
    if (!at)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid block: an object needs blockHash or blockNumber");
    if (!value_u64(call, at, "block number", &number))
        return false;
    ref->block = chain_header_by_number(call->chain, number);
    return true;
}

static bool by_text(struct rpc_call *call, json value, struct block_ref *ref)
{
    u64 number;
    size_t len;
    const char *text = json_text_len(value, &len);
    static const char *const head_names[] = {"latest", "safe", "finalized"};
    for (size_t i = 0; i < ARRAY_LEN(head_names); i++) {
        if (strcmp(text, head_names[i]) == 0) {
            ref->block = chain_head(call->chain);
            return true;
        }
    }
    if (strcmp(text, "pending") == 0) {
        *ref = view_pending(call);
        return true;
    }
    if (strcmp(text, "earliest") == 0) {
        ref->block = chain_by_number(call->chain, chain_oldest(call->chain));
        return true;
    }
    if (len == 66) /* some methods have long taken a hash where a number stands */
        return by_hash(call, value, NULL, ref);
    if (!value_u64(call, value, "block number", &number))
        return false;
    ref->block = chain_header_by_number(call->chain, number);
    return true;
}

bool value_any_block(struct rpc_call *call, json value, struct block_ref *ref)
{
    *ref = (struct block_ref){0};
    switch (json_kind(value)) {
    case JSON_KIND_STRING: return by_text(call, value, ref);
    case JSON_KIND_OBJECT: return by_object(call, value, ref);
    default:
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid block: %s is neither number nor tag",
                        json_kind_name(json_kind(value)));
    }
}

bool param_any_block(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    json value = param_at(call, index);
    if (value)
        return value_any_block(call, value, ref);
    *ref = (struct block_ref){.block = chain_head(call->chain)};
    return true;
}

bool param_any_block_hash(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    hash32 hash;
    *ref = (struct block_ref){0};
    if (!param_hash(call, index, &hash))
        return false;
    ref->block = chain_header_by_hash(call->chain, &hash);
    return true;
}

bool view_pruned(struct rpc_call *call)
{
    return rpc_fail(call, RPC_PRUNED_HISTORY, "pruned history unavailable: it begins at block %llu",
                    (unsigned long long)chain_oldest(call->chain));
}

bool view_whole(struct rpc_call *call, struct block_ref *ref)
{
    if (!ref->block)
        return true;
    if (ref->block->is_pruned)
        return view_pruned(call);
    ref->block = chain_by_hash(call->chain, &ref->block->block.hash);
    return true;
}

bool param_block(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    return param_any_block(call, index, ref) && view_whole(call, ref);
}

bool param_block_hash(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    return param_any_block_hash(call, index, ref) && view_whole(call, ref);
}

bool param_loose_any_block(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    u64 number;
    if (!json_number_text(param_at(call, index)))
        return param_any_block(call, index, ref);
    if (!param_loose_u64(call, index, &number))
        return false;
    *ref = (struct block_ref){.block = chain_header_by_number(call->chain, number)};
    return true;
}

bool param_loose_block(struct rpc_call *call, size_t index, struct block_ref *ref)
{
    return param_loose_any_block(call, index, ref) && view_whole(call, ref);
}

bool view_no_block(struct rpc_call *call)
{
    u64 oldest = chain_oldest(call->chain);
    if (oldest)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "header not found (blocks before %llu are no longer held)",
                        (unsigned long long)oldest);
    return rpc_fail(call, RPC_SERVER_ERROR, "header not found");
}

static struct chain_attributes pending_attributes(struct rpc_call *call,
                                                  const struct block_ref *ref)
{
    struct chain_attributes attributes = dev_next_attributes(call->dev);
    attributes.timestamp = ref->timestamp;
    return attributes;
}

static void pending_header(struct rpc_call *call, const struct block_ref *ref,
                           struct header *header)
{
    struct chain_attributes attributes = pending_attributes(call, ref);
    chain_next_header(call->chain, &attributes, header);
}

bool view_header(struct rpc_call *call, const struct block_ref *ref, struct header *header)
{
    if (ref->is_pending)
        pending_header(call, ref, header);
    else if (ref->block)
        *header = ref->block->block.header;
    else
        return view_no_block(call);
    return true;
}

/* Executes what is ready, as if it were sealed now; what cannot be included is passed over. */
static void run_pending(struct rpc_call *call, const struct block_ref *ref, struct state *state)
{
    struct exec exec;
    struct header header;
    struct exec_result result;
    if (!txpool_count(call->dev->pool))
        return;
    pending_header(call, ref, &header);
    struct tx *txs = NEW_ARRAY(struct tx, PENDING_TXS_MAX);
    u32 count = txpool_pick(call->dev->pool, state, header.base_fee, txs, PENDING_TXS_MAX);
    chain_exec_init(call->chain, &exec, state, &header);
    for (u32 i = 0; i < count; i++) {
        enum tx_verdict verdict = exec_tx(&exec, &txs[i], 0, &result);
        (void)verdict;
    }
    mem_free(txs);
}

typedef bool open_fn(struct chain *chain, u64 number, struct state **state);

static bool open_at(struct rpc_call *call, const struct chain_block *block, open_fn *take,
                    struct state **state)
{
    if (!block)
        return view_no_block(call);
    u64 number = block->block.header.number;
    bool is_open = block->is_canonical && take(call->chain, number, state);
    if (!is_open && block->is_canonical && number >= chain_oldest_state(call->chain))
        return rpc_fail(
            call, RPC_SERVER_ERROR,
            "what leads back to the state of block %llu takes more memory than there is "
            "for it; --memory gives more",
            (unsigned long long)number);
    if (!is_open && block->is_canonical && number >= chain_oldest_readable(call->chain))
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "the state of block %llu can be read, but not proven or built upon: that "
                        "goes back to block %llu (--state N)",
                        (unsigned long long)number,
                        (unsigned long long)chain_oldest_state(call->chain));
    return is_open ||
           rpc_fail(call, RPC_SERVER_ERROR,
                    "the state of block %llu is not available (--state archive keeps all)",
                    (unsigned long long)number);
}

bool view_open(struct rpc_call *call, const struct block_ref *ref, struct state **state)
{
    const struct chain_block *block = ref->is_pending ? chain_head(call->chain) : ref->block;
    if (!open_at(call, block, chain_state_at, state))
        return false;
    if (ref->is_pending)
        run_pending(call, ref, *state);
    return true;
}

void view_reset(struct rpc_call *call, const struct block_ref *ref, struct state *state)
{
    state_reset(state);
    if (ref->is_pending)
        run_pending(call, ref, state);
}

bool view_open_proof(struct rpc_call *call, size_t index, struct state **state)
{
    struct block_ref ref;
    if (!param_any_block(call, index, &ref))
        return false;
    if (!ref.is_pending && ref.block == chain_head(call->chain))
        return view_open(call, &ref, state);
    if (!open_at(call, ref.is_pending ? chain_head(call->chain) : ref.block, chain_state_branch,
                 state))
        return false;
    if (ref.is_pending)
        run_pending(call, &ref, *state);
    return true;
}

/* Makes the block to come, of what is ready. */
static bool draft_pending(struct rpc_call *call, const struct block_ref *ref, struct block *block,
                          struct state *state)
{
    struct chain_block draft;
    struct chain_attributes attributes = pending_attributes(call, ref);
    struct header header;
    pending_header(call, ref, &header);
    struct tx *txs = NEW_ARRAY(struct tx, PENDING_TXS_MAX);
    u32 count = txpool_pick(call->dev->pool, state, header.base_fee, txs, PENDING_TXS_MAX);
    enum block_verdict verdict =
        chain_draft(call->chain, &draft, call->arena, state, chain_head(call->chain), &attributes,
                    txs, count, NULL);
    mem_free(txs);
    *block = draft.block;
    return verdict == BLOCK_OK || rpc_fail(call, RPC_SERVER_ERROR, "no block can be made now: %s",
                                           block_verdict_text(verdict));
}

bool view_open_branch(struct rpc_call *call, const struct block_ref *ref, struct block *block,
                      struct state **state)
{
    const struct chain_block *base = ref->is_pending ? chain_head(call->chain) : ref->block;
    if (!open_at(call, base, chain_state_branch, state))
        return false;
    *block = base->block;
    if (!ref->is_pending || draft_pending(call, ref, block, *state))
        return true;
    view_close(call, *state);
    return false;
}

void view_close(struct rpc_call *call, struct state *state)
{
    chain_state_release(call->chain, state);
}

bool view_open_param(struct rpc_call *call, size_t index, struct state **state)
{
    struct block_ref ref;
    return param_any_block(call, index, &ref) && view_open(call, &ref, state);
}

const struct chain_block *view_find_by_nonce(struct rpc_call *call, const addr20 *sender, u64 nonce,
                                             u32 *index)
{
    u64 low = chain_oldest_readable(call->chain),
        high = chain_head(call->chain)->block.header.number;
    while (low < high) {
        struct state *state;
        u64 middle = low + (high - low) / 2;
        if (!chain_state_at(call->chain, middle, &state))
            return NULL;
        bool is_used = state_nonce(state, sender) > nonce;
        chain_state_release(call->chain, state);
        if (is_used)
            high = middle;
        else
            low = middle + 1;
    }
    if (low > 0 && low < chain_oldest(call->chain)) {
        view_pruned(call);
        return NULL;
    }
    const struct chain_block *block = chain_by_number(call->chain, low);
    for (u32 i = 0; block && i < block->block.tx_count; i++) {
        const struct tx *tx = &block->block.txs[i];
        if (tx->nonce == nonce && addr20_eq(&tx->sender, sender)) {
            *index = i;
            return block;
        }
    }
    return NULL;
}
