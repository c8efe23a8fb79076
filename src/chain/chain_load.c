/*
 * Blocks that the store has and memory has not: read when asked for, and kept in a short list, of which the one goes that
 * nobody has asked for the longest. Callers count on it: what they have was asked for last.
 */
#include <string.h>

#include "base/mem.h"
#include "chain/chain_int.h"

/* The place of a block in the list, LOADED_MAX if it is not there. One that was pruned since it was loaded is not
 * found: it would show more than there is. */
static u32 loaded_find(const struct chain *chain, const hash32 *hash)
{
    u64 whole = archive_whole(chain->archive);
    u32 place = 0;
    for (; place < LOADED_MAX; place++) {
        const struct entry *entry = chain->loaded[place];
        if (entry && hash32_eq(&entry->pub.block.hash, hash) &&
            (entry->pub.is_pruned || entry_number(entry) >= whole || !entry_number(entry)))
            break;
    }
    return place;
}

/* The entry was asked for: those in front of its place, which is free, make room at the front. */
static struct entry *loaded_put_first(struct chain *chain, u32 place, struct entry *entry)
{
    memmove(chain->loaded + 1, chain->loaded, place * sizeof(struct entry *));
    return chain->loaded[0] = entry;
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

/* Looking up is no change to the chain that anybody sees; the list is where it shows. */
static struct entry *load(const struct chain *chain, u64 number, const hash32 *hash)
{
    hash32 canonical;
    struct chain *changed = (struct chain *)chain;
    u32 place = loaded_find(chain, hash), last = LOADED_MAX - 1;
    if (place <= last)
        return loaded_put_first(changed, place, chain->loaded[place]);
    struct entry *entry = entry_new(changed);
    if (!archive_load(chain->archive, chain->db, &entry->pub, &entry->arena, number, hash)) {
        entry_free(entry);
        return NULL;
    }
    entry->pub.is_canonical = load_hash(chain, &canonical, number) && hash32_eq(&canonical, hash);
    if (chain->loaded[last])
        entry_free(chain->loaded[last]);
    return loaded_put_first(changed, last, entry);
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
    u32 place = loaded_find(chain, hash);
    if (place < LOADED_MAX)
        chain->loaded[place]->pub.is_canonical = is_canonical;
}

void loaded_free(struct chain *chain)
{
    for (u32 i = 0; i < LOADED_MAX; i++) {
        if (chain->loaded[i])
            entry_free(chain->loaded[i]);
        chain->loaded[i] = NULL;
    }
}
