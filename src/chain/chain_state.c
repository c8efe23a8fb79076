/* Where the state stands: commits, moves between blocks, and views of older ones. */
#include "base/assert.h"
#include "base/mem.h"
#include "chain/chain_int.h"

void entry_commit(struct entry *entry)
{
    struct err err;
    struct state_changes *undo;
    if (entry->chain->db)
        db_begin(entry->chain->db);
    /* Memory has nothing that could fail, and a store says so when it is synced. */
    enum status status = state_commit(entry->chain->state, &undo, &err);
    assert(status == STATUS_OK);
    undos_need(entry);
    entry->is_outdated = true;
    undo_add(entry, undo);
    chain_past_put(entry);
    entry->chain->unsaved_bytes += state_changes_size(undo);
    entry->chain->head_view_stale = true;
}

void undo_add(struct entry *entry, struct state_changes *undo)
{
    size_t size = (entry->undo_count + 1) * sizeof *entry->undos;
    entry->undos = mem_realloc(entry->undos, size);
    entry->undos[entry->undo_count++] = undo;
    entry->undo_size += state_changes_size(undo);
    entry->chain->undo_bytes += state_changes_size(undo);
}

static void undo_free(struct entry *entry, struct state_changes *undo)
{
    entry->undo_size -= state_changes_size(undo);
    entry->chain->undo_bytes -= state_changes_size(undo);
    state_changes_free(undo);
}

void entry_undos_free(struct entry *entry)
{
    for (u32 i = 0; !entry->is_away && i < entry->undo_count; i++)
        undo_free(entry, entry->undos[i]);
    mem_free(entry->undos);
    entry->undos = NULL;
    entry->undo_count = entry->edit_count = 0;
    entry->undo_size = 0;
    entry->is_away = false;
}

/* --- moving ----------------------------------------------------------------------------------- */

static void step_back(struct chain *chain)
{
    struct err err;
    struct entry *entry = chain->at;
    if (chain->db)
        db_begin(chain->db);
    undos_need(entry);
    for (u32 i = entry->undo_count; i > 0; i--) {
        enum status status = state_unwind(chain->state, entry->undos[i - 1], &err);
        assert(status == STATUS_OK);
    }
    chain_past_take_back(entry, 0);
    chain_visits_drop(entry);
    undo_drop(entry);
    chain->at = entry_parent(entry);
    chain->head_view_stale = true;
}

/* Executes again a block that was valid before on the same state. */
static void step_forward(struct chain *chain, struct entry *entry)
{
    const struct header *header = &entry->pub.block.header;
    enum fork fork = chain_config_fork(&chain->config, header->number, header->timestamp,
                                       chain->at->pub.total_difficulty);
    struct evm_block env = process_env(header, fork, &chain->config);
    struct chain_block *whole = entry_whole(entry);
    if (!whole) { /* the store is damaged, and says so */
        chain->at = entry;
        return;
    }
    process_begin(&chain->process, chain->state, chain->evm, &chain->scratch, &chain->config, fork,
                  &env);
    chain->process.exec.block_hash = entry_block_hash;
    chain->process.exec.block_hash_ctx = chain->at;
    chain_visits_begin(chain);
    enum block_verdict verdict = process_block(&chain->process, &whole->block, NULL);
    arena_reset(&chain->scratch);
    if (verdict != BLOCK_OK) { /* as above */
        assert(chain_status(chain, NULL) != STATUS_OK);
        state_forget(chain->state);
        chain->at = entry;
        return;
    }
    if (!chain->db || !entry->pub.is_canonical)
        chain_visits_keep(entry);
    entry_commit(entry);
    chain->at = entry;
}

/* The newest block that both descend from; NULL when history does not hold it. */
static struct entry *common_ancestor(struct entry *a, struct entry *b)
{
    while (a && b && a != b) {
        if (entry_number(a) >= entry_number(b))
            a = entry_parent(a);
        else
            b = entry_parent(b);
    }
    return a == b ? a : NULL;
}

/* A block with edits above it could not be executed again once they are lost. */
static bool is_edited_above(const struct chain *chain, const struct entry *common)
{
    for (const struct entry *at = chain->at; at != common; at = entry_parent(at))
        if (at->edit_count)
            return true;
    return false;
}

bool state_move(struct chain *chain, struct entry *target)
{
    if (chain->at == target)
        return true;
    struct entry *common = common_ancestor(chain->at, target);
    if (!common || is_edited_above(chain, common))
        return false;
    while (chain->at != common)
        step_back(chain);
    size_t depth = (size_t)(entry_number(target) - entry_number(common));
    struct entry **path = NEW_ARRAY(struct entry *, depth + 1);
    struct entry *at = target;
    for (size_t i = depth; i > 0; i--, at = entry_parent(at))
        path[i - 1] = at;
    for (size_t i = 0; i < depth; i++)
        step_forward(chain, path[i]);
    mem_free(path);
    return true;
}

void state_move_back(struct chain *chain, struct entry *ancestor)
{
    while (chain->at != ancestor)
        step_back(chain);
}

void chain_state_bound(const struct chain *chain, struct state *state)
{
    enum { ACCOUNT_BYTES = 512, SLOT_BYTES = 384 }; /* with their places in tables */
    size_t accounts = chain->options.memory.accounts / (ACCOUNT_BYTES + 2 * SLOT_BYTES);
    if (accounts > UINT32_MAX / 2)
        accounts = UINT32_MAX / 2;
    if (chain->options.memory.accounts)
        state_set_cache(state, (u32)accounts, 2 * (u32)accounts);
}

/* --- views ------------------------------------------------------------------------------------ */

static struct state *head_view_take(struct chain *chain)
{
    struct state *state = chain->head_view;
    chain->head_view = NULL;
    if (!state) {
        state = state_new(&chain->backend, chain->options.seed);
        chain_state_bound(chain, state);
        return state;
    }
    if (chain->head_view_stale)
        state_forget(state);
    else
        state_reset(state);
    return state;
}

/* A view of the block `number` below the head, through everything that leads back from the later
 * ones. */
static struct history *history_at(struct chain *chain, u64 number)
{
    size_t count = 0, filled = 0;
    u64 head = entry_number(chain->head);
    for (u64 n = head; n > number; n--)
        count += canonical_at(chain, n)->undo_count;
    const struct state_changes **undos = mem_alloc((count + 1) * sizeof *undos);
    for (u64 n = head; n > number; n--) {
        struct entry *entry = canonical_at(chain, n);
        undos_need(entry);
        for (u32 i = entry->undo_count; i > 0; i--)
            undos[filled++] = entry->undos[i - 1];
    }
    struct history *history = history_open(&chain->backend, undos, count);
    mem_free(undos);
    return history;
}

/* is_branch: the head, too, as if there were something between it and the view. */
static bool view_open(struct chain *chain, u64 number, bool is_branch, struct state **state)
{
    bool leads_back = number >= chain_held_from(chain) && undos_fit(chain, number);
    if (number < chain_oldest_readable(chain) || number > entry_number(chain->head) ||
        (!leads_back && (is_branch || !chain->has_past)))
        return false;
    struct view *view = NEW(struct view);
    if (number == entry_number(chain->head) && !is_branch) {
        view->state = head_view_take(chain);
        chain->head_view_stale = false;
    } else if (!leads_back) {
        view->past = past_open(chain->db, &chain->backend, number);
        struct state_backend backend = past_backend(view->past);
        view->state = state_new(&backend, chain->options.seed);
        chain_state_bound(chain, view->state);
    } else {
        view->history = history_at(chain, number);
        struct state_backend backend = history_backend(view->history);
        view->state = state_new(&backend, chain->options.seed);
        chain_state_bound(chain, view->state);
    }
    view->next = chain->views;
    chain->views = view;
    *state = view->state;
    return true;
}

bool chain_state_at(struct chain *chain, u64 number, struct state **state)
{
    return view_open(chain, number, false, state);
}

bool chain_state_branch(struct chain *chain, u64 number, struct state **state)
{
    return view_open(chain, number, true, state);
}

struct state *chain_state_look(struct chain *chain)
{
    assert(chain->at == chain->head);
    state_settle(chain->state);
    return chain->state;
}

static void view_close(struct chain *chain, struct view *view)
{
    if (!view->history && !view->past && !chain->head_view) {
        chain->head_view = view->state;
    } else {
        state_free(view->state);
        if (view->history)
            history_close(view->history);
        past_close(view->past);
    }
    mem_free(view);
}

void chain_state_release(struct chain *chain, struct state *state)
{
    struct view **at = &chain->views;
    while (*at && (*at)->state != state)
        at = &(*at)->next;
    assert(*at);
    struct view *view = *at;
    *at = view->next;
    bool looked_back = view->history != NULL;
    view_close(chain, view);
    if (looked_back && !chain->views)
        undos_trim(chain);
}

void views_close(struct chain *chain)
{
    assert(!chain->views);
    if (chain->head_view)
        state_free(chain->head_view);
    chain->head_view = NULL;
}

/* --- direct changes --------------------------------------------------------------------------- */

struct state *chain_state_edit(struct chain *chain)
{
    state_begin_tx(chain->state);
    return chain->state;
}

void chain_state_commit(struct chain *chain)
{
    state_end_tx(chain->state, FORK_FRONTIER); /* accounts set to nothing stay */
    undos_need(chain->head);
    chain->head->edit_count++; /* before what is filed with it */
    entry_commit(chain->head);
}

u32 chain_state_edits(const struct chain *chain)
{
    return chain->head->edit_count;
}

void chain_state_unedit(struct chain *chain, u32 kept)
{
    struct entry *head = chain->head;
    if (chain->db)
        db_begin(chain->db);
    undos_need(head);
    if (head->edit_count > kept)
        chain_past_take_back(head, head->undo_count - (head->edit_count - kept));
    for (; head->edit_count > kept; head->edit_count--) {
        head->is_outdated = true;
        struct err err;
        struct state_changes *undo = head->undos[--head->undo_count];
        enum status status = state_unwind(chain->state, undo, &err);
        assert(status == STATUS_OK);
        undo_free(head, undo);
    }
    chain->head_view_stale = true;
}
