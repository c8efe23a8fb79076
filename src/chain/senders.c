#include "chain/senders.h"

enum {
    SHARED_MIN =
        16, /* transactions; waking threads for fewer takes longer than finding their senders */
    JOBS_MAX = 64,
    JOB_TXS = 8,
};

struct search {
    struct job job;
    struct tx *txs;
    u32 count;
    enum fork fork;
    u64 chain_id;
};

static void search_run(struct job *job)
{
    struct search *search = (struct search *)(void *)job;
    for (u32 i = 0; i < search->count; i++)
        if (tx_recover(&search->txs[i], search->fork, search->chain_id) != TX_OK)
            return;
}

static void search_done(struct job *job)
{
    (void)job;
}

void senders_find(struct block *block, enum fork fork, u64 chain_id, struct workers *workers)
{
    struct search searches[JOBS_MAX];
    u32 count = block->tx_count, jobs = count / JOB_TXS, missing = 0, at = 0;
    if (!workers || !workers_are_many(workers))
        return;
    for (u32 i = 0; i < count; i++)
        missing += !block->txs[i].has_sender;
    if (missing < SHARED_MIN)
        return;
    if (jobs > JOBS_MAX)
        jobs = JOBS_MAX;
    for (u32 i = 0; i < jobs; i++) {
        u32 end = (u32)((u64)count * (i + 1) / jobs);
        searches[i] = (struct search){
            {.run = search_run, .done = search_done}, block->txs + at, end - at, fork, chain_id};
        workers_add(workers, &searches[i].job);
        at = end;
    }
    workers_finish(workers);
}
