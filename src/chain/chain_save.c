/*
 * Making a chain last. Blocks and indexes go to the store's open transaction as they change; what leads back from
 * the held blocks is written when the transaction is committed, since most of it is outdated by then while catching
 * up. Undo records are rlp([how many are edits, change set, ...]), oldest first, filed by number: only canonical
 * blocks have them.
 */
#include "base/assert.h"
#include "base/mem.h"
#include "chain/chain_int.h"
#include "prim/rlp.h"
#include "types/rlp_try.h"

struct undo_key {
    u8 b[8];
};

static struct undo_key undo_key(const struct entry *entry)
{
    struct undo_key key;
    put_be64(key.b, entry_number(entry));
    return key;
}

void undo_save(struct chain *chain, struct entry *entry)
{
    struct undo_key key = undo_key(entry);
    struct buf *record = &chain->record;
    struct buf changes;
    buf_reset(record);
    buf_init(&changes, SIZE_MAX / 2);
    size_t mark = rlp_list_begin(record);
    rlp_put_uint(record, entry->edit_count);
    for (u32 i = 0; i < entry->undo_count; i++) {
        buf_reset(&changes);
        state_changes_encode(&changes, entry->undos[i]);
        rlp_put_bytes(record, changes.data, changes.len);
    }
    rlp_list_end(record, mark);
    buf_fini(&changes);
    db_put(chain->db, DB_UNDO, key.b, sizeof key.b, record->data, record->len);
    entry->is_saved = true;
    entry->is_outdated = false;
}

void undo_blame(struct entry *entry)
{
    struct undo_key key = undo_key(entry);
    db_set_damaged(entry->chain->db, DB_UNDO, key.b, sizeof key.b);
}

void undo_drop(struct entry *entry)
{
    struct undo_key key = undo_key(entry);
    entry_undos_free(entry);
    if (!entry->is_saved)
        return;
    db_begin(entry->chain->db);
    db_del(entry->chain->db, DB_UNDO, key.b, sizeof key.b);
    entry->is_saved = false;
}

static enum rlp_verdict undo_decode(struct entry *entry, const u8 *bytes, size_t len)
{
    struct rlp all = rlp_open(bytes, len), fields;
    u64 edits;
    size_t count;
    RLP_TRY(rlp_list(&all, &fields));
    RLP_TRY(rlp_uint(&fields, &edits));
    RLP_TRY(rlp_count(fields, &count));
    if (edits > count)
        return RLP_TOO_LARGE;
    entry->edit_count = (u32)edits;
    for (size_t i = 0; i < count; i++) {
        const u8 *bytes_at;
        size_t bytes_len;
        struct state_changes *changes;
        RLP_TRY(rlp_bytes(&fields, &bytes_at, &bytes_len));
        if (state_changes_decode(&changes, bytes_at, bytes_len, NULL) != STATUS_OK)
            return RLP_BAD_LENGTH;
        undo_add(entry, changes);
    }
    return rlp_finish(&fields);
}

bool undo_load(struct entry *entry)
{
    struct undo_key key = undo_key(entry);
    struct db_bytes found;
    if (!db_get(entry->chain->db, DB_UNDO, key.b, sizeof key.b, &found))
        return false;
    if (undo_decode(entry, found.at, found.len) != RLP_OK) {
        entry_undos_free(entry);
        return false;
    }
    entry->is_saved = true;
    entry->is_outdated = false;
    return true;
}

static void drop_old_undos(struct chain *chain)
{
    u64 number = chain_held_from(chain) + 1;
    static const u8 first[8];
    struct db_cursor *cursor = db_cursor_new(chain->db, DB_UNDO);
    bool at = db_seek(cursor, first, sizeof first);
    while (at && get_be64(db_key(cursor).at) < number) {
        u8 key[8];
        memcpy(key, db_key(cursor).at, sizeof key);
        db_begin(chain->db);
        db_del(chain->db, DB_UNDO, key, sizeof key);
        at = db_seek(cursor, first, sizeof first);
    }
    db_cursor_free(cursor);
    chain->has_old_undos = false;
}

/* The oldest held block has none: nobody can name the state it would lead to. */
static void save_undos(struct chain *chain)
{
    for (size_t i = chain->canonical_end; i > chain->canonical_begin + 1; i--) {
        struct entry *entry = chain->canonical[i - 1];
        if (!entry->is_saved || entry->is_outdated)
            undo_save(chain, entry);
    }
}

/* Blocks below are to be pruned. Whatever a branch may yet be built on has all its near ancestors whole: ommers are held
 * against those of so many generations (Yellow Paper 11.1). */
static u64 prune_end(const struct chain *chain)
{
    enum { GENERATIONS = 8 };
    u64 head = entry_number(chain->head), held = chain_held_from(chain);
    u64 whole = chain->options.whole;
    if (!whole || head < whole || held < GENERATIONS)
        return 0;
    return head - whole < held - GENERATIONS ? head - whole : held - GENERATIONS;
}

bool chain_prunes(const struct chain *chain)
{
    return archive_whole(chain->archive) < prune_end(chain);
}

static enum status archive_sync(struct chain *chain, struct err *err)
{
    u64 head = entry_number(chain->head);
    enum status status = archive_move(chain->archive, chain_held_from(chain), err);
    if (status == STATUS_OK)
        status = archive_prune(chain->archive, prune_end(chain),
                               head > chain->synced ? head - chain->synced : 0, err);
    return status;
}

static enum status write_all(struct chain *chain, struct err *err)
{
    db_begin(chain->db);
    if (chain->has_old_undos)
        drop_old_undos(chain);
    save_undos(chain);
    disk_state_save(chain->disk);
    enum status status = archive_sync(chain, err);
    if (status == STATUS_OK)
        return db_commit(chain->db, err);
    db_abort(chain->db);
    return status;
}

enum status chain_sync(struct chain *chain, struct err *err)
{
    /* What is in memory is no longer on top of what is in the store. */
    if (chain->failed != STATUS_OK)
        return err_set(err, chain->failed, "%s", chain->failure.text);
    if (!chain->db || (!db_is_writing(chain->db) && !chain_prunes(chain)))
        return STATUS_OK;
    assert(chain->at == chain->head && !chain->views);
    enum status status = chain->failed = write_all(chain, &chain->failure);
    if (status == STATUS_OK) {
        chain->synced = entry_number(chain->head);
        archive_sweep(chain->archive);
    } else {
        err_set(err, status, "%s", chain->failure.text);
    }
    /* Code that was looked at lay in the transaction's pages. */
    state_reset(chain->state);
    chain->head_view_stale = true;
    chain->unsaved_bytes = 0;
    undos_trim(chain);
    return status;
}

void chain_ease(struct chain *chain)
{
    evm_rest(chain->evm);
    if (chain->db)
        db_release(chain->db);
}

void chain_rest(struct chain *chain)
{
    if (chain->views || (chain->db && db_is_writing(chain->db)))
        return;
    chain_ease(chain);
    if (chain->db) {
        views_close(chain);
        held_rest(chain);
        state_rest(chain->state);
        disk_state_rest(chain->disk);
        db_rest(chain->db);
    }
    mem_trim();
}

size_t chain_unsynced(const struct chain *chain)
{
    return chain->db && db_is_writing(chain->db) ? db_pending(chain->db) + chain->unsaved_bytes : 0;
}

enum status chain_status(const struct chain *chain, struct err *err)
{
    enum status status = chain->db ? db_status(chain->db, err) : STATUS_OK;
    return status == STATUS_OK ? archive_status(chain->archive, err) : status;
}
