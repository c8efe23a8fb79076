#include "chain/addresses.h"

#include "base/mem.h"
#include "chain/chain_int.h"
#include "sys/ending.h"

static const char MARK[] = "addresses";

bool addresses_mark(struct db *db, u64 *from)
{
    struct db_bytes found;
    if (!db_get(db, DB_META, MARK, strlen(MARK), &found) || found.len != 8)
        return false;
    *from = get_be64(found.at);
    return true;
}

static void put_mark(struct chain *chain, u64 from)
{
    u8 value[8];
    put_be64(value, from);
    db_begin(chain->db);
    db_put(chain->db, DB_META, MARK, strlen(MARK), value, sizeof value);
    chain->addresses_from = from;
}

/* --- entries ---------------------------------------------------------------------------------- */

enum { KEY_ROLE = 20, KEY_NUMBER = 21, KEY_INDEX = 29, KEY_LEN = 33 };

struct address_key {
    u8 b[KEY_LEN];
};

static struct address_key address_key(const addr20 *addr, enum visit_role role, u64 number,
                                      u32 index)
{
    struct address_key key;
    memcpy(key.b, addr->b, sizeof addr->b);
    key.b[KEY_ROLE] = (u8)role;
    put_be64(key.b + KEY_NUMBER, number);
    for (int i = 0; i < 4; i++)
        key.b[KEY_INDEX + i] = (u8)(index >> (24 - 8 * i));
    return key;
}

struct address_value {
    u8 b[20];
    size_t len;
};

static struct address_value address_value(const struct visit *visit)
{
    struct address_value value = {.len = 0};
    switch (visit->role) {
    case VISIT_MET:
    case VISIT_ROLES: break;
    case VISIT_SENT:
        value.len = 8;
        put_be64(value.b, visit->nonce);
        break;
    case VISIT_CREATED:
        value.len = sizeof visit->creator.b;
        memcpy(value.b, visit->creator.b, sizeof visit->creator.b);
        break;
    }
    return value;
}

void addresses_put(struct db *db, u64 number, const u8 *list, size_t len)
{
    u8 key[8];
    struct visit visit;
    if (!len)
        return;
    put_be64(key, number);
    db_begin(db);
    db_put(db, DB_VISITS, key, sizeof key, list, len);
    while (visits_next(&visit, &list, &len)) {
        struct address_key at = address_key(&visit.addr, visit.role, number, visit.index);
        struct address_value value = address_value(&visit);
        db_put(db, DB_ADDRESSES, at.b, sizeof at.b, value.b, value.len);
    }
}

struct db_bytes addresses_list(struct db *db, u64 number)
{
    u8 key[8];
    struct db_bytes list;
    put_be64(key, number);
    return db_get(db, DB_VISITS, key, sizeof key, &list) ? list : (struct db_bytes){NULL, 0};
}

void addresses_del(struct db *db, u64 number)
{
    u8 key[8];
    struct visit visit;
    struct db_bytes list = addresses_list(db, number);
    if (!list.len)
        return;
    u8 *copy = mem_dup(list.at, list.len);
    const u8 *at = copy;
    put_be64(key, number);
    db_begin(db);
    while (visits_next(&visit, &at, &list.len)) {
        struct address_key entry = address_key(&visit.addr, visit.role, number, visit.index);
        db_del(db, DB_ADDRESSES, entry.b, sizeof entry.b);
    }
    db_del(db, DB_VISITS, key, sizeof key);
    mem_free(copy);
}

bool addresses_has(struct db *db, u64 number, const struct visit *visit)
{
    struct db_bytes found;
    struct address_key key = address_key(&visit->addr, visit->role, number, visit->index);
    struct address_value value = address_value(visit);
    return db_get(db, DB_ADDRESSES, key.b, sizeof key.b, &found) && found.len == value.len &&
           memcmp(found.at, value.b, value.len) == 0;
}

/* --- while blocks come and go ----------------------------------------------------------------- */

void chain_visits_begin(struct chain *chain)
{
    if (!chain->has_addresses)
        return;
    visits_reset(&chain->visits);
    chain->process.exec.visits = &chain->visits;
}

void chain_visits_keep(struct entry *entry)
{
    struct chain *chain = entry->chain;
    chain_visits_drop(entry);
    if (!chain->has_addresses || !chain->visits.list.len)
        return;
    entry->visits = mem_dup(chain->visits.list.data, chain->visits.list.len);
    entry->visits_len = chain->visits.list.len;
}

void chain_visits_drop(struct entry *entry)
{
    mem_free(entry->visits);
    entry->visits = NULL;
    entry->visits_len = 0;
}

void chain_visits_file(struct entry *entry)
{
    struct chain *chain = entry->chain;
    if (!chain->db || !chain->has_addresses)
        return;
    /* A branch that leaves the chain below what was indexed takes all of that with it. */
    if (entry_number(entry) < chain->addresses_from)
        put_mark(chain, entry_number(entry));
    addresses_put(chain->db, entry_number(entry), entry->visits, entry->visits_len);
    chain_visits_drop(entry);
}

void chain_visits_take_back(struct entry *entry)
{
    struct chain *chain = entry->chain;
    if (chain->db && chain->has_addresses)
        addresses_del(chain->db, entry_number(entry));
}

/* --- what was there before the index ---------------------------------------------------------- */

/* Runs a block's transactions again, on its parent's state, for whom they visit. False when that cannot be had. */
static bool collect_again(struct chain *chain, const struct chain_block *block)
{
    struct exec exec;
    struct state *state;
    struct process *process = &chain->process;
    const struct header *header = &block->block.header;
    visits_reset(&chain->visits);
    if (!block->block.tx_count)
        return true;
    if (!header->number || !chain_state_at(chain, header->number - 1, &state))
        return false;
    chain_exec_init(chain, &exec, state, header);
    process_begin(process, state, exec.evm, &chain->scratch, &chain->config, exec.fork,
                  &exec.block);
    process->exec.block_hash = exec.block_hash;
    process->exec.block_hash_ctx = exec.block_hash_ctx;
    process->exec.visits = &chain->visits;
    process->without_roots = true;
    process_start(process, &header->parent_hash, &header->parent_beacon_root);
    struct exec_result result;
    enum tx_verdict verdict = TX_OK;
    for (u32 i = 0; verdict == TX_OK && i < block->block.tx_count; i++)
        verdict = process_tx(process, &block->block.txs[i], &result);
    chain_state_release(chain, state);
    arena_reset(&chain->scratch);
    return verdict == TX_OK && chain_status(chain, NULL) == STATUS_OK;
}

/* From the newest blocks to the oldest, so that what is done is a part that the mark can tell: it may take long, and
 * be stopped. */
static enum status extend_back(struct chain *chain, struct err *err)
{
    enum { UNSYNCED_USUAL = 32 << 20 };
    const struct chain_options *options = &chain->options;
    size_t most = options->unsynced_max ? options->unsynced_max : UNSYNCED_USUAL;
    enum status status = STATUS_OK;
    u64 oldest = chain_oldest(chain);
    while (status == STATUS_OK && chain->addresses_from > oldest && !ending_is_wished()) {
        u64 number = chain->addresses_from - 1;
        if (options->indexing)
            options->indexing(options->indexing_ctx, number, oldest);
        const struct chain_block *block = chain_by_number(chain, number);
        if (!block || !collect_again(chain, block))
            break;
        addresses_put(chain->db, number, chain->visits.list.data, chain->visits.list.len);
        put_mark(chain, number);
        if (chain_unsynced(chain) > most)
            status = chain_sync(chain, err);
    }
    return status == STATUS_OK ? chain_status(chain, err) : status;
}

enum status chain_addresses_open(struct chain *chain, struct err *err)
{
    bool is_wanted = chain->options.addresses;
    if (!chain->db) {
        chain->has_addresses = is_wanted;
        return STATUS_OK;
    }
    chain->has_addresses = addresses_mark(chain->db, &chain->addresses_from);
    if (!is_wanted)
        return STATUS_OK;
    if (!chain->has_addresses)
        put_mark(chain, entry_number(chain->head) + 1);
    chain->has_addresses = true;
    return extend_back(chain, err);
}

/* --- in a store ------------------------------------------------------------------------------- */

bool chain_addresses_from(const struct chain *chain, u64 *from)
{
    u64 oldest = chain_oldest(chain);
    if (!chain->has_addresses)
        return false;
    *from = chain->db && chain->addresses_from > oldest ? chain->addresses_from : oldest;
    return true;
}

/* One role's entries of an account, as a cursor stands on them. */
struct walk {
    struct db_cursor *cursor;
    enum visit_role role;
    bool is_at;
};

static bool is_own(const struct db_cursor *cursor, const addr20 *addr, enum visit_role role)
{
    struct db_bytes key = db_key(cursor);
    return key.len == KEY_LEN && memcmp(key.at, addr->b, sizeof addr->b) == 0 &&
           key.at[KEY_ROLE] == role;
}

static struct chain_place place_at(const struct db_cursor *cursor)
{
    const u8 *key = db_key(cursor).at;
    return (struct chain_place){get_be64(key + KEY_NUMBER), (u32)be_get(key + KEY_INDEX, 4)};
}

static bool is_before(struct chain_place a, struct chain_place b)
{
    return a.number < b.number || (a.number == b.number && a.index < b.index);
}

static void walk_begin(struct walk *walk, struct db *db, const addr20 *addr, enum visit_role role,
                       u64 number, bool is_back)
{
    struct address_key key = address_key(addr, role, number, is_back ? UINT32_MAX : 0);
    walk->role = role;
    walk->cursor = db_cursor_new(db, DB_ADDRESSES);
    walk->is_at = is_back ? db_seek_back(walk->cursor, key.b, sizeof key.b)
                          : db_seek(walk->cursor, key.b, sizeof key.b);
    walk->is_at = walk->is_at && is_own(walk->cursor, addr, role);
}

/* The one that comes next; NULL when all are through. */
static struct walk *walk_nearest(struct walk walks[VISIT_ROLES], bool is_back)
{
    struct walk *nearest = NULL;
    for (int role = 0; role < VISIT_ROLES; role++) {
        struct walk *walk = &walks[role];
        if (!walk->is_at)
            continue;
        struct chain_place at = place_at(walk->cursor);
        struct chain_place best = nearest ? place_at(nearest->cursor) : at;
        if (!nearest || (is_back ? is_before(best, at) : is_before(at, best)))
            nearest = walk;
    }
    return nearest;
}

static void each_stored(const struct chain *chain, const addr20 *addr, u64 number, bool is_back,
                        chain_place_fn *fn, void *ctx)
{
    struct walk walks[VISIT_ROLES];
    bool goes_on = true;
    for (int role = 0; role < VISIT_ROLES; role++)
        walk_begin(&walks[role], chain->db, addr, (enum visit_role)role, number, is_back);
    while (goes_on) {
        struct walk *next = walk_nearest(walks, is_back);
        goes_on = next && fn(ctx, place_at(next->cursor));
        if (goes_on) {
            bool is_at = is_back ? db_prev(next->cursor) : db_next(next->cursor);
            next->is_at = is_at && is_own(next->cursor, addr, next->role);
        }
    }
    for (int role = 0; role < VISIT_ROLES; role++)
        db_cursor_free(walks[role].cursor);
}

/* --- in memory -------------------------------------------------------------------------------- */

/* What a held block's visits are looked through for: an account, maybe in one role. */
typedef bool visit_fn(void *ctx, u64 number, const struct visit *visit);

static bool each_in_entry(const struct entry *entry, const addr20 *addr, visit_fn *fn, void *ctx)
{
    struct visit visit;
    const u8 *at = entry->visits;
    size_t len = entry->visits_len;
    bool goes_on = true;
    while (goes_on && visits_next(&visit, &at, &len))
        if (addr20_eq(&visit.addr, addr))
            goes_on = fn(ctx, entry_number(entry), &visit);
    return goes_on;
}

static bool note_index(void *ctx, u64 number, const struct visit *visit)
{
    (void)number;
    buf_add(ctx, &visit->index, sizeof visit->index);
    return true;
}

static void each_held(const struct chain *chain, const addr20 *addr, u64 number, bool is_back,
                      chain_place_fn *fn, void *ctx)
{
    u64 oldest = chain_held_from(chain), head = entry_number(chain->head);
    struct buf found;
    if (is_back ? number < oldest : number > head)
        return;
    buf_init(&found, SIZE_MAX / 2);
    u64 at = is_back && number > head ? head : !is_back && number < oldest ? oldest : number;
    u64 left = is_back ? at - oldest + 1 : head - at + 1;
    for (bool goes_on = true; goes_on && left; left--, at += is_back ? UINT64_MAX : 1) {
        buf_reset(&found);
        each_in_entry(canonical_at(chain, at), addr, note_index, &found);
        size_t count = found.len / sizeof(u32);
        for (size_t i = 0; goes_on && i < count; i++) {
            struct chain_place place = {.number = at};
            size_t from = (is_back ? count - 1 - i : i) * sizeof place.index;
            memcpy(&place.index, found.data + from, sizeof place.index);
            goes_on = fn(ctx, place);
        }
    }
    buf_fini(&found);
}

/* The newest visit of a role, and of a nonce if it is SENT. */
struct search {
    enum visit_role role;
    u64 nonce;
    bool is_found;
    struct chain_place place;
    addr20 creator;
};

static bool search_in(void *ctx, u64 number, const struct visit *visit)
{
    struct search *search = ctx;
    if (visit->role != search->role || visit->nonce != search->nonce)
        return true;
    search->is_found = true;
    search->place = (struct chain_place){number, visit->index};
    search->creator = visit->creator;
    return true; /* later ones of this block count more */
}

static bool search_held(const struct chain *chain, const addr20 *addr, struct search *search)
{
    for (size_t i = chain->canonical_end; !search->is_found && i > chain->canonical_begin; i--)
        each_in_entry(chain->canonical[i - 1], addr, search_in, search);
    return search->is_found;
}

/* --- looking up ------------------------------------------------------------------------------- */

void chain_each_place(const struct chain *chain, const addr20 *addr, u64 number, bool is_back,
                      chain_place_fn *fn, void *ctx)
{
    if (chain->db)
        each_stored(chain, addr, number, is_back, fn, ctx);
    else
        each_held(chain, addr, number, is_back, fn, ctx);
}

/* Nonces rise from block to block: halving finds the last block that begins with one not above. */
static bool find_sent(struct db_cursor *cursor, u64 head, const addr20 *sender, u64 nonce,
                      struct chain_place *place)
{
    bool is_found = false, is_there = false;
    u64 block = 0;
    for (u64 low = 0, high = head + 1; low < high;) {
        u64 middle = low + (high - low) / 2;
        struct address_key key = address_key(sender, VISIT_SENT, middle, 0);
        bool is_at = db_seek(cursor, key.b, sizeof key.b) && is_own(cursor, sender, VISIT_SENT);
        if (is_at && db_value(cursor).len == 8 && get_be64(db_value(cursor).at) <= nonce) {
            is_there = true;
            block = place_at(cursor).number;
            low = block + 1;
        } else {
            high = middle;
        }
    }
    struct address_key first = address_key(sender, VISIT_SENT, block, 0);
    bool is_at = is_there && db_seek(cursor, first.b, sizeof first.b);
    while (is_at && !is_found && is_own(cursor, sender, VISIT_SENT)) {
        *place = place_at(cursor);
        if (place->number != block)
            break;
        is_found = db_value(cursor).len == 8 && get_be64(db_value(cursor).at) == nonce;
        is_at = db_next(cursor);
    }
    return is_found;
}

bool chain_find_sent(const struct chain *chain, const addr20 *sender, u64 nonce,
                     struct chain_place *place)
{
    struct search search = {.role = VISIT_SENT, .nonce = nonce};
    struct chain_place found;
    bool is_found;
    if (chain->db) {
        struct db_cursor *cursor = db_cursor_new(chain->db, DB_ADDRESSES);
        is_found = find_sent(cursor, entry_number(chain->head), sender, nonce, &found);
        db_cursor_free(cursor);
    } else {
        is_found = search_held(chain, sender, &search);
        found = search.place;
    }
    if (is_found)
        *place = found;
    return is_found;
}

static bool find_creation(const struct chain *chain, const addr20 *contract, struct search *search)
{
    struct address_key last = address_key(contract, VISIT_CREATED, UINT64_MAX, UINT32_MAX);
    struct db_cursor *cursor = db_cursor_new(chain->db, DB_ADDRESSES);
    search->is_found = db_seek_back(cursor, last.b, sizeof last.b) &&
                       is_own(cursor, contract, VISIT_CREATED) &&
                       db_value(cursor).len == sizeof search->creator.b;
    if (search->is_found) {
        search->place = place_at(cursor);
        memcpy(search->creator.b, db_value(cursor).at, sizeof search->creator.b);
    }
    db_cursor_free(cursor);
    return search->is_found;
}

bool chain_find_creation(const struct chain *chain, const addr20 *contract,
                         struct chain_place *place, addr20 *creator)
{
    struct search search = {.role = VISIT_CREATED};
    bool is_found =
        chain->db ? find_creation(chain, contract, &search) : search_held(chain, contract, &search);
    if (is_found) {
        *place = search.place;
        *creator = search.creator;
    }
    return is_found;
}
