/* Blocks that the store has and memory has not: read when asked for, kept in a small ring. */
#include "base/mem.h"
#include "chain/chain_int.h"

/* One that was pruned since it was loaded is not found: it would show more than there is. */
static struct entry *loaded_find(const struct chain *chain, const hash32 *hash)
{
    u64 whole = archive_whole(chain->archive);
    for (u32 i = 0; i < LOADED_MAX; i++) {
        struct entry *entry = chain->loaded[i];
        if (entry && hash32_eq(&entry->pub.block.hash, hash) &&
            (entry->pub.is_pruned || entry_number(entry) >= whole || !entry_number(entry)))
            return entry;
    }
    return NULL;
}

bool load_hash(const struct chain *chain, hash32 *hash, u64 number)
{
    return chain->db && store_get_canonical(chain->db, hash, number);
}

bool load_knows(const struct chain *chain, const hash32 *hash)
{
    u64 number;
    return chain->db && store_get_number(chain->db, &number, hash);
}

/* Looking up is no change to the chain that anybody sees; the ring is where it shows. */
static struct entry *load(const struct chain *chain, u64 number, const hash32 *hash)
{
    hash32 canonical;
    struct chain *ring = (struct chain *)chain;
    struct entry *entry = loaded_find(chain, hash);
    if (entry)
        return entry;
    entry = entry_new(ring);
    if (!archive_load(chain->archive, chain->db, &entry->pub, &entry->arena, number, hash)) {
        entry_free(entry);
        return NULL;
    }
    entry->pub.is_canonical = load_hash(chain, &canonical, number) && hash32_eq(&canonical, hash);
    struct entry **place = &ring->loaded[ring->loaded_next];
    if (*place)
        entry_free(*place);
    *place = entry;
    ring->loaded_next = (ring->loaded_next + 1) % LOADED_MAX;
    return entry;
}

struct entry *load_by_hash(const struct chain *chain, const hash32 *hash)
{
    u64 number;
    return chain->db && store_get_number(chain->db, &number, hash) ? load(chain, number, hash)
                                                                   : NULL;
}

struct entry *load_by_number(const struct chain *chain, u64 number)
{
    hash32 hash;
    return load_hash(chain, &hash, number) ? load(chain, number, &hash) : NULL;
}

void loaded_mark(struct chain *chain, const hash32 *hash, bool is_canonical)
{
    struct entry *entry = loaded_find(chain, hash);
    if (entry)
        entry->pub.is_canonical = is_canonical;
}

void loaded_free(struct chain *chain)
{
    for (u32 i = 0; i < LOADED_MAX; i++) {
        if (chain->loaded[i])
            entry_free(chain->loaded[i]);
        chain->loaded[i] = NULL;
    }
}
