/* The last blocks that were refused after execution: an attacker who sends one again pays, we do not. */
#include "base/mem.h"
#include "chain/chain_int.h"

enum { BAD_MAX = 64 };

struct bad_blocks {
    struct bad_block list[BAD_MAX];
    u32 count, next;
};

void bad_remember(struct chain *chain, const hash32 *hash, enum block_verdict verdict,
                  const struct chain_report *report)
{
    if (!chain->bad)
        chain->bad = NEW(struct bad_blocks);
    struct bad_blocks *bad = chain->bad;
    bad->list[bad->next] = (struct bad_block){*hash, verdict, *report};
    bad->next = (bad->next + 1) % BAD_MAX;
    if (bad->count < BAD_MAX)
        bad->count++;
}

const struct bad_block *bad_find(const struct chain *chain, const hash32 *hash)
{
    for (u32 i = 0; chain->bad && i < chain->bad->count; i++)
        if (hash32_eq(&chain->bad->list[i].hash, hash))
            return &chain->bad->list[i];
    return NULL;
}
