#include "chain/visits.h"

#include "base/be.h"
#include "base/mem.h"

struct met {
    addr20 addr, creator;
    bool is_created;
    u32 slot; /* where the table has it */
};

enum { TABLE_MIN = 64 };

void visits_init(struct visits *visits, u64 seed)
{
    *visits = (struct visits){.seed = seed | 1};
    buf_init(&visits->list, SIZE_MAX / 2);
}

void visits_fini(struct visits *visits)
{
    buf_fini(&visits->list);
    mem_free(visits->met);
    mem_free(visits->table);
}

void visits_reset(struct visits *visits)
{
    buf_reset(&visits->list);
    visits->index = 0;
}

/* --- a transaction's accounts ----------------------------------------------------------------- */

static u32 home_of(const struct visits *visits, const addr20 *addr)
{
    u64 a, b;
    memcpy(&a, addr->b, sizeof a);
    memcpy(&b, addr->b + sizeof addr->b - sizeof b, sizeof b);
    u128 mixed = (u128)(a ^ visits->seed) * (b ^ 0x9e3779b97f4a7c15u ^ visits->seed >> 32);
    return (u32)((u64)mixed ^ (u64)(mixed >> 64)) & (visits->table_cap - 1);
}

/* Where the address is, or the free slot where it would go. */
static u32 slot_of(const struct visits *visits, const addr20 *addr)
{
    u32 at = home_of(visits, addr);
    while (visits->table[at] && !addr20_eq(&visits->met[visits->table[at] - 1].addr, addr))
        at = (at + 1) & (visits->table_cap - 1);
    return at;
}

static void table_grow(struct visits *visits)
{
    mem_free(visits->table);
    visits->table_cap = visits->table_cap ? 2 * visits->table_cap : TABLE_MIN;
    visits->table = NEW_ARRAY(u32, visits->table_cap);
    for (u32 i = 0; i < visits->met_count; i++) {
        visits->met[i].slot = slot_of(visits, &visits->met[i].addr);
        visits->table[visits->met[i].slot] = i + 1;
    }
}

static struct met *meet(struct visits *visits, const addr20 *addr)
{
    if ((visits->met_count + 1) * 2 > visits->table_cap)
        table_grow(visits);
    u32 slot = slot_of(visits, addr);
    if (visits->table[slot])
        return &visits->met[visits->table[slot] - 1];
    if (visits->met_count == visits->met_cap) {
        visits->met_cap = visits->met_cap ? 2 * visits->met_cap : TABLE_MIN / 2;
        visits->met = mem_realloc(visits->met, visits->met_cap * sizeof *visits->met);
    }
    struct met *met = &visits->met[visits->met_count++];
    *met = (struct met){.addr = *addr, .slot = slot};
    visits->table[slot] = visits->met_count;
    return met;
}

static void on_visit(void *ctx, enum evm_kind kind, const addr20 *from, const addr20 *to)
{
    struct visits *visits = ctx;
    meet(visits, from);
    struct met *met = meet(visits, to);
    if (kind == EVM_CREATE || kind == EVM_CREATE2) {
        met->is_created = true;
        met->creator = *from;
    }
}

void visits_begin(struct visits *visits, struct evm *evm)
{
    for (u32 i = 0; i < visits->met_count; i++)
        visits->table[visits->met[i].slot] = 0;
    visits->met_count = 0;
    evm_set_visitor(evm, on_visit, visits);
}

void visits_settle(struct visits *visits, struct evm *evm, struct state *state)
{
    evm_set_visitor(evm, NULL, NULL);
    /* Of creations that were refused or undone the journal knows nothing any more. */
    for (u32 i = 0; i < visits->met_count; i++)
        if (visits->met[i].is_created)
            visits->met[i].is_created = state_created_in_tx(state, &visits->met[i].addr);
}

/* --- the list --------------------------------------------------------------------------------- */

void visits_end(struct visits *visits, struct state *state, const struct tx *tx)
{
    for (u32 i = 0; i < visits->met_count; i++) {
        const struct met *met = &visits->met[i];
        enum visit_role role = VISIT_MET;
        if (addr20_eq(&met->addr, &tx->sender))
            role = VISIT_SENT;
        else if (met->is_created && state_code(state, &met->addr).len)
            role = VISIT_CREATED;
        buf_add(&visits->list, met->addr.b, sizeof met->addr.b);
        buf_add_be(&visits->list, visits->index, 4);
        buf_add_byte(&visits->list, (u8)role);
        if (role == VISIT_SENT)
            buf_add_be(&visits->list, tx->nonce, 8);
        if (role == VISIT_CREATED)
            buf_add(&visits->list, met->creator.b, sizeof met->creator.b);
    }
    visits->index++;
}

bool visits_next(struct visit *visit, const u8 **list, size_t *len)
{
    enum { FIXED = 20 + 4 + 1 };
    static const u8 more[VISIT_ROLES] = {[VISIT_SENT] = 8, [VISIT_CREATED] = 20};
    const u8 *at = *list;
    if (*len < FIXED || at[FIXED - 1] >= VISIT_ROLES || *len < (size_t)FIXED + more[at[FIXED - 1]])
        return false;
    *visit = (struct visit){
        .index = (u32)be_get(at + 20, 4),
        .role = (enum visit_role)at[FIXED - 1],
    };
    memcpy(visit->addr.b, at, sizeof visit->addr.b);
    if (visit->role == VISIT_SENT)
        visit->nonce = be_get(at + FIXED, 8);
    if (visit->role == VISIT_CREATED)
        memcpy(visit->creator.b, at + FIXED, sizeof visit->creator.b);
    *list += FIXED + more[visit->role];
    *len -= FIXED + more[visit->role];
    return true;
}
