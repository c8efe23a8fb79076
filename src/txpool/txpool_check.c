/* May this transaction wait here? In the order of what the answers cost. */
#include <string.h>

#include "base/mem.h"
#include "crypto/kzg.h"
#include "txpool/txpool_int.h"

static const char *dec(char text[U256_DEC_MAX], u256 value)
{
    text[u256_format_dec(text, value)] = 0;
    return text;
}

static enum status refuse(enum tx_verdict verdict, struct err *err)
{
    return err_set(err, STATUS_INVALID, "%s", tx_verdict_text(verdict));
}

/* --- what needs neither account nor pool ------------------------------------------------------ */

static enum status check_tip(const struct txpool *pool, const struct tx *tx, struct err *err)
{
    char tip[U256_DEC_MAX], least[U256_DEC_MAX];
    if (!u256_lt(tx->max_priority_fee, pool->options.tip_min))
        return STATUS_OK;
    return err_set(err, STATUS_INVALID,
                   "transaction underpriced: gas tip cap %s, minimum needed %s",
                   dec(tip, tx->max_priority_fee), dec(least, pool->options.tip_min));
}

static enum status check_alone(const struct txpool_view *view, const struct tx *tx, struct err *err)
{
    u32 blobs_max = chain_config_tx_blobs_max(view->config, view->fork, view->timestamp);
    enum tx_verdict verdict = tx_check(tx, view->fork, blobs_max);
    if (verdict == TX_INTRINSIC_GAS || verdict == TX_FLOOR_DATA_GAS) {
        struct tx_gas gas = tx_gas_of(tx, view->fork);
        u64 need = verdict == TX_INTRINSIC_GAS ? gas.intrinsic : gas.floor;
        return err_set(err, STATUS_INVALID, "%s: gas %llu, minimum needed %llu",
                       tx_verdict_text(verdict), (unsigned long long)tx->gas,
                       (unsigned long long)need);
    }
    if (verdict != TX_OK)
        return refuse(verdict, err);
    return tx->gas > view->gas_limit ? refuse(TX_BLOCK_GAS_LIMIT, err) : STATUS_OK;
}

static enum status find_sender(const struct txpool_view *view, struct tx *tx,
                               const struct txpool_arrival *arrival, struct err *err)
{
    if (arrival->sender) {
        tx->sender = *arrival->sender;
        tx->has_sender = true;
        return STATUS_OK;
    }
    enum tx_verdict verdict = tx_recover(tx, view->fork, view->config->chain_id);
    if (verdict == TX_WRONG_CHAIN_ID)
        return err_set(err, STATUS_INVALID, "%s: have %llu want %llu", tx_verdict_text(verdict),
                       (unsigned long long)tx->chain_id,
                       (unsigned long long)view->config->chain_id);
    return verdict == TX_OK ? STATUS_OK : refuse(verdict, err);
}

/* --- the sender's other transactions ---------------------------------------------------------- */

/* Is a more than b, and at least b raised by so many percent? Fractions of a wei are dropped, as geth does: wallets count
 * so. */
static bool outbids(u256 a, u256 b, u32 percent)
{
    u256 raised;
    if (u256_mul_overflow(&raised, b, u256_from_u64(100 + percent)))
        return false;
    return !u256_lt(a, u256_div(raised, u256_from_u64(100))) && u256_lt(b, a);
}

static bool replaces(const struct txpool *pool, const struct tx *tx, const struct tx *old)
{
    bool has_blobs = tx->type == TX_BLOB;
    u32 percent = has_blobs ? pool->options.blob_bump_percent : pool->options.bump_percent;
    return outbids(tx->max_fee, old->max_fee, percent) &&
           outbids(tx->max_priority_fee, old->max_priority_fee, percent) &&
           (!has_blobs || outbids(tx->max_blob_fee, old->max_blob_fee, percent));
}

static enum status check_place(const struct txpool *pool, const struct sender *sender,
                               const struct tx *tx, struct err *err)
{
    bool has_blobs = tx->type == TX_BLOB;
    if (!sender)
        return STATUS_OK;
    if (sender->has_blobs != has_blobs)
        return err_set(err, STATUS_INVALID,
                       "address already reserved: its transactions %s wait in the pool",
                       has_blobs ? "without blobs" : "with blobs");
    const struct held *old = sender_at_nonce(sender, tx->nonce);
    if (old)
        return replaces(pool, tx, &old->tx)
                   ? STATUS_OK
                   : err_set(err, STATUS_INVALID, "replacement transaction underpriced");
    u32 most = has_blobs ? pool->options.sender_blob_max : pool->options.sender_txs_max;
    if (sender->count >= most)
        return err_set(err, STATUS_TOO_LARGE, "account limit exceeded: pooled %u txs",
                       sender->count);
    return STATUS_OK;
}

/* --- the account ------------------------------------------------------------------------------ */

u256 tx_cost(const struct tx *tx)
{
    u256 gas, blob, sum;
    if (u256_mul_overflow(&gas, u256_from_u64(tx->gas), tx->max_fee) ||
        u256_mul_overflow(&blob, u256_from_u64((u64)tx->blob_count * TX_BLOB_GAS),
                          tx->max_blob_fee) ||
        u256_add_carry(&sum, gas, blob) || u256_add_carry(&sum, sum, tx->value))
        return u256_not(U256_ZERO);
    return sum;
}

/* It and all that the sender has waiting must be paid for. */
static enum status check_funds(struct state *state, const struct sender *sender,
                               const struct tx *tx, struct err *err)
{
    char have[U256_DEC_MAX], queued[U256_DEC_MAX], need[U256_DEC_MAX], over[U256_DEC_MAX];
    u256 balance = state_balance(state, &tx->sender), cost = tx_cost(tx), sum;
    u256 others = sender ? sender->cost : U256_ZERO;
    const struct held *old = sender_at_nonce(sender, tx->nonce);
    if (u256_lt(balance, cost))
        return err_set(err, STATUS_INVALID, "%s: balance %s, tx cost %s, overshot %s",
                       tx_verdict_text(TX_INSUFFICIENT_FUNDS), dec(have, balance), dec(need, cost),
                       dec(over, u256_sub(cost, balance)));
    if (old)
        others = u256_sub(others, old->cost);
    if (u256_add_carry(&sum, others, cost))
        sum = u256_not(U256_ZERO);
    if (!u256_lt(balance, sum))
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "%s: balance %s, queued cost %s, tx cost %s, overshot %s",
                   tx_verdict_text(TX_INSUFFICIENT_FUNDS), dec(have, balance), dec(queued, others),
                   dec(need, cost), dec(over, u256_sub(sum, balance)));
}

static enum status check_nonce(struct state *state, const struct tx *tx, struct err *err)
{
    u64 nonce = state_nonce(state, &tx->sender);
    if (tx->nonce >= nonce)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "%s: next nonce %llu, tx nonce %llu",
                   tx_verdict_text(TX_NONCE_TOO_LOW), (unsigned long long)nonce,
                   (unsigned long long)tx->nonce);
}

/* --- blobs ------------------------------------------------------------------------------------ */

static enum status check_proofs(const struct tx_sidecar *sidecar, struct err *err)
{
    for (u32 i = 0; i < sidecar->count; i++) {
        const kzg48 *commitment = (const kzg48 *)(const void *)(sidecar->commitments + 48 * i);
        const kzg48 *proof = (const kzg48 *)(const void *)(sidecar->proofs + 48 * i);
        if (kzg_verify_blobs(sidecar->blobs[i], commitment, proof, 1) != KZG_OK)
            return err_set(err, STATUS_INVALID, "invalid blob proof of blob %u", i);
    }
    return STATUS_OK;
}

/* EIP-7594: the cells are made again from the blob, and all proofs of a blob checked at once. */
static enum status check_cells(const struct tx_sidecar *sidecar, struct err *err)
{
    enum status status = STATUS_OK;
    size_t size = (size_t)KZG_CELLS * KZG_CELL_SIZE;
    u8 *cells = mem_alloc(size);
    kzg48 *commitments = mem_alloc(KZG_CELLS * sizeof *commitments);
    u64 indices[KZG_CELLS];
    for (u32 i = 0; i < sidecar->count && status == STATUS_OK; i++) {
        for (u32 k = 0; k < KZG_CELLS; k++) {
            memcpy(&commitments[k], sidecar->commitments + 48 * i, 48);
            indices[k] = k;
        }
        const void *proofs = sidecar->proofs + (size_t)48 * KZG_CELLS * i;
        if (kzg_cells(cells, NULL, sidecar->blobs[i]) != KZG_OK ||
            kzg_verify_cells(commitments, indices, cells, proofs, KZG_CELLS) != KZG_OK)
            status = err_set(err, STATUS_INVALID, "invalid cell proofs of blob %u", i);
    }
    mem_free(cells);
    mem_free(commitments);
    return status;
}

u8 sidecar_version(enum fork fork)
{
    return fork >= FORK_OSAKA;
}

static enum status check_blobs(const struct txpool_view *view, const struct tx *tx,
                               const struct tx_sidecar *sidecar, bool is_known, struct err *err)
{
    if (tx->type != TX_BLOB)
        return STATUS_OK;
    if (!sidecar->present)
        return err_set(err, STATUS_INVALID, "missing sidecar in blob transaction");
    u8 version = sidecar_version(view->fork);
    if (sidecar->version != version)
        return err_set(err, STATUS_INVALID, "blob sidecar of version %u, expected %u",
                       sidecar->version, version);
    if (is_known)
        return STATUS_OK;
    return version ? check_cells(sidecar, err) : check_proofs(sidecar, err);
}

enum status arrival_check(const struct txpool *pool, const struct txpool_view *view, struct tx *tx,
                          const struct tx_sidecar *sidecar, const struct txpool_arrival *arrival,
                          struct err *err)
{
    enum status status = check_alone(view, tx, err);
    if (status == STATUS_OK && !arrival->is_local)
        status = check_tip(pool, tx, err);
    if (status == STATUS_OK)
        status = find_sender(view, tx, arrival, err);
    if (status == STATUS_OK)
        status = check_nonce(view->state, tx, err);
    if (status != STATUS_OK)
        return status;
    const struct sender *sender = sender_find(pool, &tx->sender);
    status = check_place(pool, sender, tx, err);
    if (status == STATUS_OK)
        status = check_funds(view->state, sender, tx, err);
    if (status == STATUS_OK)
        status = check_blobs(view, tx, sidecar, arrival->is_known, err);
    return status;
}
