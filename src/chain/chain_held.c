/*
 * What of the held blocks is in memory. With a store and a bound (chain_memory.held), the oldest keep only their
 * header: transactions, receipts, and the change sets that lead back are in the store and are read when needed. The
 * head is always whole, and so is what leads back from blocks that were not synced yet.
 */
#include "base/mem.h"
#include "chain/chain_int.h"

static size_t bound(const struct chain *chain)
{
    return chain->db && chain->options.memory.held ? chain->options.memory.held : SIZE_MAX;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static struct block header_of(const struct block *whole, struct arena *arena)
{
    struct block block = {.header = whole->header, .hash = whole->hash, .size = whole->size};
    block.header.extra = arena_dup(arena, whole->header.extra, whole->header.extra_len);
    return block;
}

void entry_weigh(struct entry *entry)
{
    size_t size = arena_size(&entry->arena);
    entry->chain->body_bytes += size - entry->size;
    entry->size = size;
}

static void entry_thin(struct entry *entry)
{
    if (entry->is_thin || !entry->chain->db || entry == entry->chain->head)
        return;
    struct arena arena;
    arena_init(&arena);
    entry->pub.block = header_of(&entry->pub.block, &arena);
    entry->pub.receipts = NULL;
    entry->pub.requests = NULL;
    entry->pub.request_count = 0;
    entry->rlp = NULL;
    entry->rlp_len = 0;
    arena_fini(&entry->arena);
    entry->arena = arena;
    entry->is_thin = true;
    entry_weigh(entry);
}

/* A block that is held and not in the store: that is the store's fault. */
static void blame(const struct entry *entry)
{
    db_set_damaged(entry->chain->db, DB_NUMBERS, entry->pub.block.hash.b, sizeof(hash32));
}

struct chain_block *entry_whole(struct entry *entry)
{
    if (entry->pub.is_pruned)
        return NULL;
    if (!entry->is_thin)
        return &entry->pub;
    struct entry *loaded = load_by_hash(entry->chain, &entry->pub.block.hash);
    if (!loaded)
        blame(entry);
    return loaded ? &loaded->pub : NULL;
}

void entry_fatten(struct entry *entry)
{
    struct chain *chain = entry->chain;
    if (!entry->is_thin)
        return;
    struct chain_block whole;
    struct arena arena;
    arena_init(&arena);
    if (!store_get_block(chain->db, &whole, &arena, entry_number(entry), &entry->pub.block.hash)) {
        arena_fini(&arena);
        blame(entry);
        return;
    }
    whole.is_canonical = entry->pub.is_canonical;
    entry->pub = whole;
    arena_fini(&entry->arena);
    entry->arena = arena;
    entry->is_thin = false;
    entry_weigh(entry);
}

void entry_thin_side(struct entry *entry)
{
    if (bound(entry->chain) != SIZE_MAX)
        entry_thin(entry);
}

void bodies_trim(struct chain *chain)
{
    u64 oldest = chain_held_from(chain), head = entry_number(chain->head);
    if (chain->thin_below < oldest)
        chain->thin_below = oldest;
    while (chain->body_bytes > bound(chain) && chain->thin_below < head)
        entry_thin(canonical_at(chain, chain->thin_below++));
}

void thin_from(struct chain *chain, u64 number)
{
    if (chain->thin_below > number)
        chain->thin_below = number;
}

/* --- what leads back -------------------------------------------------------------------------- */

void undos_need(struct entry *entry)
{
    if (!entry->is_away)
        return;
    entry->is_away = false;
    entry->undo_count = entry->edit_count = 0;
    entry->undo_size = 0;
    if (!undo_load(entry))
        undo_blame(entry);
}

static void undos_send_away(struct entry *entry)
{
    if (entry->is_away || !entry->is_saved || entry->is_outdated)
        return;
    u32 count = entry->undo_count, edits = entry->edit_count;
    size_t size = entry->undo_size;
    entry_undos_free(entry);
    entry->undo_count = count;
    entry->edit_count = edits;
    entry->undo_size = size;
    entry->is_away = true;
}

static void undos_trim_to(struct chain *chain, size_t most)
{
    for (size_t i = chain->canonical_begin; chain->undo_bytes > most && i < chain->canonical_end;
         i++)
        undos_send_away(chain->canonical[i]);
}

bool undos_fit(const struct chain *chain, u64 number)
{
    size_t size = 0;
    for (u64 n = entry_number(chain->head); n > number; n--)
        size += canonical_at(chain, n)->undo_size;
    return size <= bound(chain);
}

void undos_trim(struct chain *chain)
{
    undos_trim_to(chain, bound(chain));
}

void held_bound(struct entry *entry)
{
    struct chain *chain = entry->chain;
    if (chain->body_bytes > bound(chain))
        entry_thin(entry);
    if (chain->undo_bytes > bound(chain))
        undos_send_away(entry);
}

void held_rest(struct chain *chain)
{
    for (size_t i = chain->canonical_begin; i < chain->canonical_end; i++)
        entry_thin(chain->canonical[i]);
    undos_trim_to(chain, 0);
    loaded_free(chain);
}
