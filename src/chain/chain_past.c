/* A chain whose every state stays readable: what is filed when blocks come and go, and since when. */
#include <stdio.h>

#include "chain/chain_int.h"

static const char MARK[] = "past";

bool past_mark(struct db *db, u64 *from)
{
    struct db_bytes found;
    if (!db_get(db, DB_META, MARK, strlen(MARK), &found) || found.len != 8)
        return false;
    *from = get_be64(found.at);
    return true;
}

/* --- edits ------------------------------------------------------------------------------------ */

struct edited_key {
    char text[32];
    size_t len;
};

static struct edited_key edited_key(u64 number)
{
    struct edited_key key;
    key.len =
        (size_t)snprintf(key.text, sizeof key.text, "edited %llu", (unsigned long long)number);
    return key;
}

bool past_is_edited(struct db *db, u64 number)
{
    struct db_bytes found;
    struct edited_key key = edited_key(number);
    return db_get(db, DB_META, key.text, key.len, &found);
}

static void set_edited(const struct entry *entry, bool is_edited)
{
    struct db *db = entry->chain->db;
    struct edited_key key = edited_key(entry_number(entry));
    if (is_edited)
        db_put(db, DB_META, key.text, key.len, NULL, 0);
    else if (past_is_edited(db, entry_number(entry)))
        db_del(db, DB_META, key.text, key.len);
}

/* --- filing ----------------------------------------------------------------------------------- */

void chain_past_put(struct entry *entry)
{
    struct chain *chain = entry->chain;
    if (!chain->has_past)
        return;
    if (entry_number(entry) > chain->past_from) /* nobody asks what was before that one */
        past_put(chain->db, entry_number(entry), entry->undos[entry->undo_count - 1]);
    if (entry->edit_count)
        set_edited(entry, true);
}

void chain_past_take_back(struct entry *entry, u32 kept)
{
    struct chain *chain = entry->chain;
    if (!chain->has_past)
        return;
    past_del(chain->db, entry_number(entry), (const struct state_changes *const *)entry->undos,
             entry->undo_count, kept);
    if (kept + entry->edit_count <= entry->undo_count)
        set_edited(entry, false);
}

/* Of a chain that did not begin so, what is held leads back as far as it does. */
static void file_held(struct chain *chain)
{
    for (size_t i = chain->canonical_begin + 1; i < chain->canonical_end; i++) {
        struct entry *entry = chain->canonical[i];
        undos_need(entry);
        for (u32 n = 0; n < entry->undo_count; n++)
            past_put(chain->db, entry_number(entry), entry->undos[n]);
        if (entry->edit_count)
            set_edited(entry, true);
    }
}

void chain_past_open(struct chain *chain)
{
    u8 from[8];
    if (!chain->db)
        return;
    chain->has_past = past_mark(chain->db, &chain->past_from);
    if (chain->has_past || !chain->options.archive)
        return;
    db_begin(chain->db);
    file_held(chain);
    chain->has_past = true;
    chain->past_from = chain_held_from(chain);
    put_be64(from, chain->past_from);
    db_put(chain->db, DB_META, MARK, strlen(MARK), from, sizeof from);
}
