/* What goes into the next block. */
#include "base/mem.h"
#include "txpool/txpool_int.h"

/* A sender's next transaction in the contest for the next place. */
struct runner {
    const struct sender *sender;
    u32 at, end; /* of its ready transactions */
    u256 tip;    /* what the one at `at` pays the coinbase, wei per gas */
};

static bool runner_set(struct runner *runner, u256 base_fee)
{
    if (runner->at == runner->end)
        return false;
    const struct tx *tx = &runner->sender->txs[runner->at]->tx;
    if (u256_lt(tx->max_fee, base_fee))
        return false;
    runner->tip = u256_sub(tx_effective_gas_price(tx, base_fee), base_fee);
    return true;
}

static bool runner_leads(const struct runner *a, const struct runner *b)
{
    if (u256_lt(b->tip, a->tip))
        return true;
    if (u256_lt(a->tip, b->tip))
        return false;
    return a->sender->txs[a->at]->order < b->sender->txs[b->at]->order;
}

static void heap_sink(struct runner *heap, u32 count, u32 at)
{
    for (;;) {
        u32 best = at;
        for (u32 child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (runner_leads(&heap[child], &heap[best]))
                best = child;
        if (best == at)
            return;
        struct runner moved = heap[at];
        heap[at] = heap[best];
        heap[best] = moved;
        at = best;
    }
}

u32 txpool_pick(const struct txpool *pool, struct state *state, u256 base_fee, struct tx *out,
                u32 max)
{
    u32 count = 0, picked = 0;
    struct runner *heap = NEW_ARRAY(struct runner, pool->sender_count + 1);
    for (u32 i = 0; i < pool->sender_count; i++) {
        struct runner runner = {.sender = pool->senders[i]};
        u64 nonce = state_nonce(state, &runner.sender->addr);
        runner.at = sender_place_of(runner.sender, nonce);
        runner.end = runner.at + sender_ready_count(runner.sender, nonce);
        if (runner_set(&runner, base_fee))
            heap[count++] = runner;
    }
    for (u32 i = count / 2; i > 0; i--)
        heap_sink(heap, count, i - 1);
    while (count && picked < max) {
        out[picked++] = heap[0].sender->txs[heap[0].at++]->tx;
        if (!runner_set(&heap[0], base_fee))
            heap[0] = heap[--count];
        heap_sink(heap, count, 0);
    }
    mem_free(heap);
    return picked;
}
