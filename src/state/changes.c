#include "base/mem.h"
#include "state/state_int.h"

struct state_changes *changes_new(u32 accounts, u32 slots, u32 codes)
{
    struct state_changes *changes =
        mem_alloc(sizeof *changes + accounts * sizeof *changes->accounts +
                  slots * sizeof *changes->slots + codes * sizeof *changes->codes);
    changes->accounts = (struct account_change *)(void *)(changes + 1);
    changes->slots = (struct slot_change *)(void *)(changes->accounts + accounts);
    changes->codes = (struct code_change *)(void *)(changes->slots + slots);
    changes->account_count = accounts;
    changes->slot_count = slots;
    changes->code_count = codes;
    return changes;
}

void state_changes_free(struct state_changes *changes)
{
    mem_free(changes);
}

size_t state_changes_size(const struct state_changes *changes)
{
    return sizeof *changes + changes->account_count * sizeof *changes->accounts +
           changes->slot_count * sizeof *changes->slots +
           changes->code_count * sizeof *changes->codes;
}

const struct account_change *state_changes_account(const struct state_changes *changes,
                                                   const hash32 *addr_hash)
{
    u32 low = 0, high = changes->account_count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const struct account_change *change = changes->accounts + middle;
        int order = memcmp(change->addr_hash.b, addr_hash->b, sizeof addr_hash->b);
        if (order == 0)
            return change;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct slot_change *state_changes_slot(const struct state_changes *changes,
                                             const struct account_change *account,
                                             const hash32 *key_hash)
{
    u32 low = account->slot_begin, high = account->slot_end;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const struct slot_change *change = changes->slots + middle;
        int order = memcmp(change->key_hash.b, key_hash->b, sizeof key_hash->b);
        if (order == 0)
            return change;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
