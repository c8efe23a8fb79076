/*
 * How much of the file is mapped. The system counts mapped pages as the process's memory, and maps with each page that
 * is read those around it that it has: 64 KiB, or as much as it holds in one piece. So pieces are counted, and what
 * they came to is measured, ever more closely to the bound.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "db/db_int.h"

enum { PAGE_BYTES = 4096, PIECE_PAGES = 16, PIECE_BYTES = PIECE_PAGES * PAGE_BYTES };

/* Of this file, as what is mapped of others stays the same. */
static u64 mapped_bytes(const struct db *db)
{
    u64 bytes;
    if (!usage_mapped(&db->usage, &bytes))
        return db->pieces_read * PIECE_BYTES;
    return bytes > db->mapped_else ? bytes - db->mapped_else : 0;
}

/* At the latest when half of what is left may be used up. */
static void look_again(struct db *db, u64 bytes)
{
    u64 each = db->pieces_read ? bytes / db->pieces_read : 0;
    each = each < PIECE_BYTES ? PIECE_BYTES : each;
    db->pieces_look = db->pieces_read + 1 + (db->options.mapped_max - bytes) / (2 * each);
}

static void count_piece(struct db *db)
{
    if (++db->pieces_read < db->pieces_look)
        return;
    u64 bytes = mapped_bytes(db);
    if (bytes < db->options.mapped_max)
        look_again(db, bytes);
    else
        db_release(db);
}

static void note_piece(struct db *db, u64 piece)
{
    if (piece >= db->pieces) {
        u64 size = db->pieces / 8, grown = (piece / 8 + 1) * 5 / 4 + 64;
        db->piece_is_read = mem_realloc(db->piece_is_read, grown);
        memset(db->piece_is_read + size, 0, grown - size);
        db->pieces = 8 * grown;
    }
    u8 bit = (u8)(1 << piece % 8);
    if (db->piece_is_read[piece / 8] & bit)
        return;
    db->piece_is_read[piece / 8] |= bit;
    count_piece(db);
}

void mapped_note(struct db *db, u64 page, u64 count)
{
    if (!db->options.mapped_max)
        return;
    for (u64 piece = page / PIECE_PAGES; piece <= (page + count - 1) / PIECE_PAGES; piece++)
        note_piece(db, piece);
}

void mapped_note_changed(struct db *db)
{
    if (db->options.mapped_max)
        count_piece(db);
}

void db_release(struct db *db)
{
    if (db->map)
        madvise((void *)(uintptr_t)db->map, db->file_pages * PAGE_BYTES, MADV_DONTNEED);
    if (db->pieces)
        memset(db->piece_is_read, 0, db->pieces / 8);
    db->pieces_read = db->pieces_look = 0;
    if (db->options.mapped_max && !usage_mapped(&db->usage, &db->mapped_else))
        db->mapped_else = 0;
}
