#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "db/crc32c.h"
#include "db/db_fixture.h"
#include "sys/child.h"
#include "sys/file.h"
#include "sys/usage.h"

static void put_text(struct db *db, const char *key, const char *value)
{
    db_put(db, DB_CODES, key, strlen(key), value, strlen(value));
}

static bool has_text(struct db *db, const char *key, const char *value)
{
    struct db_bytes got;
    return db_get(db, DB_CODES, key, strlen(key), &got) && got.len == strlen(value) &&
           memcmp(got.at, value, got.len) == 0;
}

static bool is_absent(struct db *db, const char *key)
{
    struct db_bytes got;
    return !db_get(db, DB_CODES, key, strlen(key), &got) && db_status(db, NULL) == STATUS_OK;
}

static void commit(struct db *db)
{
    struct err err = {""};
    if (db_commit(db, &err))
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

static void number_key(u8 key[8], u64 n)
{
    u64 be = __builtin_bswap64(n);
    memcpy(key, &be, 8);
}

static void put_number(struct db *db, enum db_table table, u64 n, u64 value)
{
    u8 key[8];
    number_key(key, n);
    db_put(db, table, key, sizeof key, &value, sizeof value);
}

/* --- tests -------------------------------------------------------------------------------------- */

TEST(crc_of_known_bytes)
{
    /* RFC 3720, B.4. */
    u8 bytes[32];
    memset(bytes, 0, sizeof bytes);
    CHECK_EQ(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    CHECK_EQ(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    CHECK_EQ(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

TEST(committed_values_last)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    CHECK(is_absent(db, "a"));
    db_begin(db);
    put_text(db, "a", "1");
    put_text(db, "b", "");
    CHECK(has_text(db, "a", "1"));
    commit(db);
    CHECK(!db_is_writing(db));
    CHECK(has_text(db, "a", "1") && has_text(db, "b", ""));
    db_close(db);
    db = db_place_open_with(&place, (struct db_options){.read_only = true});
    CHECK(has_text(db, "a", "1") && has_text(db, "b", ""));
    CHECK_EQ(db_stat(db, DB_CODES).entries, 2);
    CHECK_STR(db_table_name(DB_CODES), "codes");
    db_close(db);
    db_place_remove(&place);
}

TEST(aborted_values_vanish)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    db_begin(db);
    put_text(db, "kept", "1");
    commit(db);
    db_begin(db);
    db_begin(db);
    put_text(db, "kept", "2");
    put_text(db, "new", "3");
    db_del(db, DB_CODES, "absent", 6);
    CHECK(has_text(db, "kept", "2"));
    db_abort(db);
    CHECK(has_text(db, "kept", "1"));
    CHECK(is_absent(db, "new"));
    db_begin(db);
    db_del(db, DB_CODES, "kept", 4);
    db_close(db);
    db = db_place_open(&place);
    CHECK(has_text(db, "kept", "1"));
    db_close(db);
    db_place_remove(&place);
}

TEST(cursors_walk_in_order)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    struct db_cursor *cursor = db_cursor_new(db, DB_CODES), *other = db_cursor_new(db, DB_CODES);
    CHECK(!db_seek(cursor, "", 0) && !db_seek_back(cursor, "", 0));
    db_begin(db);
    put_text(db, "b", "2");
    put_text(db, "d", "4");
    put_text(db, "bb", "3");
    CHECK(db_seek(cursor, "a", 1));
    CHECK_MEM(db_key(cursor).at, "b", 1);
    CHECK(db_next(cursor) && db_key(cursor).len == 2);
    CHECK(db_next(cursor) && !db_next(cursor));
    CHECK(db_seek_back(cursor, "c", 1));
    CHECK_MEM(db_value(cursor).at, "3", 1);
    CHECK(db_prev(cursor) && !db_prev(cursor));
    CHECK(!db_seek(cursor, "e", 1));
    CHECK(db_seek_back(cursor, "e", 1) && db_key(cursor).at[0] == 'd');
    CHECK(db_seek_back(cursor, "bb", 2) && db_key(cursor).len == 2);
    CHECK(!db_seek_back(cursor, "a", 1));
    commit(db);
    CHECK(!db_next(other));
    CHECK(db_seek(other, "", 0) && db_seek_back(cursor, "", 0));
    CHECK_MEM(db_key(other).at, "b", 1);
    CHECK_MEM(db_key(cursor).at, "d", 1);
    db_cursor_free(other);
    db_cursor_free(cursor);
    db_cursor_free(NULL);
    db_close(db);
    db_place_remove(&place);
}

TEST(deleting_under_a_cursor)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    db_begin(db);
    for (u64 i = 0; i < 5000; i++)
        put_number(db, DB_UNDO, i, i);
    struct db_cursor *cursor = db_cursor_new(db, DB_UNDO);
    u64 seen = 0;
    for (bool at = db_seek(cursor, "", 0); at; at = db_next(cursor), seen++) {
        u8 key[8];
        number_key(key, seen);
        CHECK_MEM(db_key(cursor).at, key, 8);
        if (seen % 3)
            db_del(db, DB_UNDO, key, 8);
    }
    CHECK_EQ(seen, 5000);
    CHECK_EQ(db_stat(db, DB_UNDO).entries, 1667);
    db_cursor_free(cursor);
    db_close(db);
    db_place_remove(&place);
}

TEST(prefixes_go_together)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    db_begin(db);
    for (u64 i = 0; i < 3000; i++)
        put_number(db, DB_SLOTS, i, i);
    const u8 prefix[] = {0, 0, 0, 0, 0, 0, 7};
    db_del_prefix(db, DB_SLOTS, prefix, sizeof prefix);
    CHECK_EQ(db_stat(db, DB_SLOTS).entries, 3000 - 256);
    struct db_cursor *cursor = db_cursor_new(db, DB_SLOTS);
    CHECK(db_seek(cursor, prefix, sizeof prefix));
    CHECK_EQ(db_key(cursor).at[6], 8);
    db_cursor_free(cursor);
    CHECK(db_pending(db) > 3000 && db_pending(db) < 1 << 20);
    commit(db);
    CHECK_EQ(db_pending(db), 0);
    db_close(db);
    db_place_remove(&place);
}

/* Bytes of files that count as this process's memory. */
static u64 mapped(const struct usage *usage)
{
    u64 bytes;
    CHECK(usage_mapped(usage, &bytes));
    return bytes;
}

TEST(mapped_pages_keep_to_their_bound)
{
    enum { COUNT = 8000, MOST = 2 << 20, SLACK = 1 << 20 };
    static const u8 long_value[300000] = {1};
    struct db_place place = db_place_new();
    struct db *db = db_place_open_with(
        &place, (struct db_options){.volatile_commits = true, .mapped_max = MOST});
    struct db_bytes value;
    struct usage usage;
    usage_open(&usage);
    u64 before = mapped(&usage), most = before;
    for (u64 round = 0; round < 2; round++) {
        db_begin(db);
        for (u64 i = 0; i < COUNT; i++) {
            u8 key[8] = {(u8)(i * 37), (u8)(i >> 5), (u8)i};
            db_put(db, DB_SLOTS, key, sizeof key, long_value, 1000 + round);
            most = i % 50 == 0 && mapped(&usage) > most ? mapped(&usage) : most;
        }
        db_put(db, DB_CODES, "long", 4, long_value, sizeof long_value);
        commit(db);
        for (u64 i = 0; i < COUNT; i++) {
            u8 key[8] = {(u8)(i * 37), (u8)(i >> 5), (u8)i};
            CHECK(db_get(db, DB_SLOTS, key, sizeof key, &value) && value.len == 1000 + round);
            most = i % 50 == 0 && mapped(&usage) > most ? mapped(&usage) : most;
        }
        CHECK(db_get(db, DB_CODES, "long", 4, &value) && value.len == sizeof long_value);
    }
    CHECK(most > before + MOST / 2 && most < before + MOST + SLACK);
    db_release(db);
    CHECK(mapped(&usage) < before + SLACK);
    CHECK(db_get(db, DB_CODES, "long", 4, &value) && value.at[0] == 1);
    usage_close(&usage);
    db_close(db);
    db_place_remove(&place);
}

/* Values that lie one after another, small ones and such as have a page each, are taken away in their order. */
TEST(mapped_pages_keep_to_their_bound_in_a_walk)
{
    enum { TOTAL = 12 << 20, MOST = 2 << 20, SLACK = 1 << 20 };
    static const u8 long_value[3000] = {1};
    static const size_t sizes[] = {700, sizeof long_value};
    for (size_t size = 0; size < ARRAY_LEN(sizes); size++) {
        struct db_place place = db_place_new();
        struct db *db = db_place_open_with(
            &place, (struct db_options){.volatile_commits = true, .mapped_max = MOST});
        struct usage usage;
        usage_open(&usage);
        u8 key[8] = {0};
        db_begin(db);
        for (u64 i = 0; i < TOTAL / sizes[size]; i++) {
            key[6] = (u8)(i >> 8), key[7] = (u8)i;
            db_put(db, DB_SLOTS, key, sizeof key, long_value, sizes[size]);
        }
        CHECK(db_pending(db) > TOTAL / 2);
        commit(db);
        db_release(db);
        u64 before = mapped(&usage), most = before;
        db_begin(db);
        for (u64 i = 0; i < TOTAL / sizes[size]; i++) {
            key[6] = (u8)(i >> 8), key[7] = (u8)i;
            db_del(db, DB_SLOTS, key, sizeof key);
            most = i % 20 == 0 && mapped(&usage) > most ? mapped(&usage) : most;
        }
        commit(db);
        CHECK(most < before + MOST + SLACK);
        usage_close(&usage);
        db_close(db);
        db_place_remove(&place);
    }
}

/* Against a plain array, with commits, aborts and reopening in between. */
TEST(random_histories)
{
    enum { KEYS = 600, STEPS = 30000 };
    static u32 now[KEYS], kept[KEYS];
    memset(now, 0, sizeof now);
    memset(kept, 0, sizeof kept);
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    u64 random = 88172645463325252;
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        u32 at = (u32)(random >> 20) % KEYS, what = (u32)(random >> 40) % 1000;
        char key[32], value[64];
        snprintf(key, sizeof key, "%.*s%u", (int)(at % 20), "abcdefghijklmnopqrstuvwxyz", at);
        if (now[at])
            snprintf(value, sizeof value, "%u of %u, %0*u", now[at], at, (int)(at % 40), 0);
        CHECK(now[at] ? has_text(db, key, value) : is_absent(db, key));
        db_begin(db);
        if (what < 600) {
            now[at] = (u32)step + 1;
            snprintf(value, sizeof value, "%u of %u, %0*u", now[at], at, (int)(at % 40), 0);
            put_text(db, key, value);
        } else if (what < 980) {
            now[at] = 0;
            db_del(db, DB_CODES, key, strlen(key));
        } else if (what < 990) {
            commit(db);
            memcpy(kept, now, sizeof now);
        } else {
            memcpy(now, kept, sizeof now);
            if (what < 995)
                db_abort(db);
            else {
                db_close(db);
                db = db_place_open(&place);
            }
        }
    }
    db_close(db);
    db_place_remove(&place);
}

TEST(second_process_is_refused)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place), *second = NULL;
    struct db_options options = {0};
    struct err err;
    char pid[32];
    CHECK_EQ(db_open(&second, place.folder, &options, &err), STATUS_EXISTS);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    CHECK(strstr(err.text, pid) != NULL);
    db_close(db);
    CHECK_EQ(db_open(&second, place.folder, &options, &err), STATUS_OK);
    db_close(second);
    db_place_remove(&place);
}

TEST(newer_format_is_refused)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    const u8 newer = DB_FORMAT + 1;
    db_begin(db);
    db_put(db, DB_META, "format", 6, &newer, 1);
    commit(db);
    db_close(db);
    struct db_options options = {0};
    struct err err;
    CHECK_EQ(db_open(&db, place.folder, &options, &err), STATUS_UNSUPPORTED);
    char words[32];
    snprintf(words, sizeof words, "format %d", DB_FORMAT + 1);
    CHECK(strstr(err.text, words) != NULL);
    db_place_remove(&place);
}

static u8 format_of(struct db *db)
{
    struct db_bytes format;
    CHECK(db_get(db, DB_META, "format", 6, &format));
    return format.at[0];
}

TEST(older_format_is_read_and_taken_over)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    const u8 older = DB_FORMAT_MIN;
    db_begin(db);
    db_put(db, DB_META, "format", 6, &older, 1);
    commit(db);
    db_close(db);
    struct db_options options = {.read_only = true};
    struct err err;
    CHECK_EQ(db_open(&db, place.folder, &options, &err), STATUS_OK);
    CHECK_EQ(format_of(db), DB_FORMAT_MIN);
    db_close(db);
    db = db_place_open(&place);
    CHECK_EQ(format_of(db), DB_FORMAT);
    db_close(db);
    db_place_remove(&place);
}

TEST(what_is_no_store_is_refused)
{
    struct db_place place = db_place_new();
    struct db *db;
    struct err err;
    struct db_options options = {0}, reading = {.read_only = true};
    CHECK_EQ(db_open(&db, "/tmp/no such folder", &reading, &err), STATUS_NOT_FOUND);
    CHECK(db_open(&db, place.folder, &reading, &err) != STATUS_OK);
    char junk[9000];
    memset(junk, 'x', sizeof junk);
    CHECK_EQ(file_write(place.file, junk, sizeof junk, &err), STATUS_OK);
    CHECK_EQ(db_open(&db, place.folder, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, place.folder) != NULL);
    db_place_remove(&place);
}

/* A store that was being made when the machine stopped is made anew; one that was there and is empty is damaged. */
TEST(new_stores_are_whole_or_absent)
{
    struct db_place place = db_place_new();
    struct db *db;
    struct err err;
    struct db_options options = {0}, reading = {.read_only = true};
    char part[128];
    CHECK_EQ(db_open(&db, place.folder, &reading, &err), STATUS_NOT_FOUND);
    snprintf(part, sizeof part, "%s.part", place.file);
    CHECK_EQ(file_write(part, "half of it", 10, &err), STATUS_OK);
    db = db_place_open(&place);
    CHECK_EQ(file_kind(part), FILE_KIND_ABSENT);
    CHECK(is_absent(db, "a"));
    db_close(db);
    CHECK_EQ(file_write(place.file, "", 0, &err), STATUS_OK);
    CHECK_EQ(db_open(&db, place.folder, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "cut short") != NULL);
    db_place_remove(&place);
}

TEST(copies_are_stores)
{
    struct db_place place = db_place_new(), copy = db_place_new();
    struct db *db = db_place_open(&place);
    struct err err;
    db_begin(db);
    for (u64 i = 0; i < 3000; i++)
        put_number(db, DB_UNDO, i, i);
    put_text(db, "a", "1");
    commit(db);
    CHECK_EQ(db_copy(db, copy.folder, &err), STATUS_EXISTS);
    rmdir(copy.folder);
    CHECK_EQ(db_copy(db, copy.folder, &err), STATUS_OK);
    struct db *other = db_place_open(&copy);
    CHECK(has_text(other, "a", "1"));
    CHECK_EQ(db_stat(other, DB_UNDO).entries, 3000);
    db_close(other);
    db_rest(db);
    CHECK(has_text(db, "a", "1"));
    db_close(db);
    db_place_remove(&place);
    db_place_remove(&copy);
}

TEST(a_damaged_store_is_not_copied)
{
    struct db_place place = db_place_new(), copy = db_place_new();
    struct db *db = db_place_open(&place);
    struct err err;
    db_begin(db);
    for (u64 i = 0; i < 3000; i++)
        put_number(db, DB_UNDO, i, i);
    commit(db);
    rmdir(copy.folder);
    CHECK_EQ(truncate(place.file, 8 * 4096), 0);
    CHECK_EQ(db_copy(db, copy.folder, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "beyond the end of the file"));
    CHECK(file_kind(copy.folder) == FILE_KIND_ABSENT);
    db_close(db);
    db_place_remove(&place);
}

static size_t size_of(const char *path)
{
    u8 *bytes;
    size_t len;
    struct err err;
    CHECK_EQ(file_read(&bytes, &len, path, 1 << 26, &err), STATUS_OK);
    mem_free(bytes);
    return len;
}

TEST(compacting_gives_back_what_was_deleted)
{
    struct db_place place = db_place_new();
    struct err err = {""};
    struct db *db = db_place_open(&place);
    db_begin(db);
    for (u64 i = 0; i < 20000; i++)
        put_number(db, DB_UNDO, i, i);
    put_text(db, "a", "1");
    commit(db);
    db_begin(db);
    db_del_prefix(db, DB_UNDO, "\0", 1); /* of all numbers this small */
    commit(db);
    size_t before = size_of(place.file);
    CHECK_EQ(db_compact(db, &err), STATUS_OK);
    db_close(db);
    CHECK(size_of(place.file) < before / 4);
    db = db_place_open(&place);
    CHECK(has_text(db, "a", "1"));
    CHECK_EQ(db_stat(db, DB_UNDO).entries, 0);
    db_close(db);
    db_place_remove(&place);
}

/* --- what goes wrong ---------------------------------------------------------------------------- */

static bool commit_many(struct db *db, u64 seed, struct err *err)
{
    u8 value[3000];
    memset(value, (int)seed, sizeof value);
    db_begin(db);
    for (u64 i = 0; i < 600; i++) {
        u8 key[8];
        number_key(key, i);
        db_put(db, DB_BLOCKS, key, sizeof key, value, sizeof value);
    }
    return db_commit(db, err) == STATUS_OK;
}

/* The system refuses to let the file grow; the same calls fail as on a full disk. */
TEST(full_disk_stops_and_goes_on)
{
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    struct err err;
    db_begin(db);
    put_text(db, "a", "1");
    commit(db);
    struct rlimit old, small = {256 * 1024, RLIM_INFINITY};
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 3; i++) {
        CHECK(!commit_many(db, 1, &err));
        CHECK(strstr(err.text, place.folder) != NULL);
        CHECK(has_text(db, "a", "1"));
        CHECK_EQ(db_status(db, NULL), STATUS_OK);
        CHECK_EQ(db_stat(db, DB_BLOCKS).entries, 0);
    }
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    CHECK(commit_many(db, 2, &err));
    CHECK_EQ(db_stat(db, DB_BLOCKS).entries, 600);
    db_close(db);
    db = db_place_open(&place);
    CHECK(has_text(db, "a", "1"));
    CHECK_EQ(db_stat(db, DB_BLOCKS).entries, 600);
    db_close(db);
    db_place_remove(&place);
}

struct writer {
    struct db_place place;
    volatile u64 *durable; /* shared with the child: the last commit that returned */
};

/* Commit n puts n under 100 keys of two tables and takes away those of n - 2. */
static int write_until_killed(void *arg)
{
    struct writer *writer = arg;
    struct db *db = db_place_open_with(&writer->place, (struct db_options){0});
    struct db_bytes last;
    u64 n = 0;
    if (db_get(db, DB_META, "last", 4, &last))
        memcpy(&n, last.at, sizeof n);
    for (n++;; n++) {
        db_begin(db);
        for (u64 i = 0; i < 100; i++) {
            put_number(db, DB_UNDO, n << 8 | i, n);
            put_number(db, DB_SLOTS, i * 0x9e3779b97f4a7c15, n);
        }
        u8 old[8];
        number_key(old, (n - 2) << 8);
        db_del_prefix(db, DB_UNDO, old, 7);
        db_put(db, DB_META, "last", 4, &n, sizeof n);
        if (db_commit(db, NULL))
            return 1;
        *writer->durable = n;
    }
}

static void check_survivor(const struct writer *writer)
{
    struct db *db = db_place_open(&writer->place);
    struct db_bytes got;
    u64 n = 0, value;
    if (db_get(db, DB_META, "last", 4, &got))
        memcpy(&n, got.at, sizeof n);
    CHECK(n >= *writer->durable);
    for (u64 i = 0; n && i < 100; i++) {
        u8 key[8];
        number_key(key, i * 0x9e3779b97f4a7c15);
        CHECK(db_get(db, DB_SLOTS, key, 8, &got));
        memcpy(&value, got.at, sizeof value);
        CHECK_EQ(value, n);
        number_key(key, n << 8 | i);
        CHECK(db_get(db, DB_UNDO, key, 8, &got));
    }
    CHECK_EQ(db_stat(db, DB_UNDO).entries, n > 1 ? 200 : 100 * n);
    db_close(db);
}

TEST(killed_writers_leave_whole_commits)
{
    struct writer writer = {.place = db_place_new()};
    void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    writer.durable = shared;
    for (int round = 0; round < 30; round++) {
        struct child *child;
        CHECK_EQ(child_start(&child, write_until_killed, &writer, NULL), STATUS_OK);
        usleep(5000 + 7919 * (useconds_t)round % 40000);
        child_kill(child);
        CHECK_EQ(child_wait(child), -SIGKILL);
        check_survivor(&writer);
    }
    CHECK(*writer.durable > 0);
    munmap(shared, 4096);
    db_place_remove(&writer.place);
}

/* --- damage ------------------------------------------------------------------------------------- */

static void no_fault(void *arg, const char *words)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "%s", words);
}

/* Many shapes of the file, each found sound. */
TEST(sound_files_are_found_sound)
{
    struct db_place place = db_place_new();
    u64 random = 88172645463325252;
    u8 value[20000];
    memset(value, 7, sizeof value);
    for (int round = 0; round < 60; round++) {
        struct db *db = db_place_open_with(
            &place, (struct db_options){.volatile_commits = true, .check_pages = true});
        CHECK_EQ(db_verify(db, no_fault, NULL), 0);
        for (int txn = 0; txn < 3; txn++) {
            db_begin(db);
            for (int i = 0; i < 400; i++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                u8 key[8];
                number_key(key, random % 5000);
                enum db_table table = random >> 40 & 1 ? DB_BLOCKS : DB_SLOTS;
                size_t len = random >> 44 & 7 ? random >> 50 & 127 : (random >> 20) % sizeof value;
                if ((int)(random >> 58) > round)
                    db_put(db, table, key, 8, value, len);
                else
                    db_del(db, table, key, 8);
            }
            commit(db);
        }
        db_close(db);
    }
    db_place_remove(&place);
}

/* A store of all kinds of pages. Returns its file. */
static u8 *small_store(const struct db_place *place, size_t *len)
{
    struct db *db = db_place_open(place);
    u8 value[6000], *file;
    memset(value, 7, sizeof value);
    for (int txn = 0; txn < 3; txn++) {
        db_begin(db);
        for (u64 i = 0; i < 160; i++)
            put_number(db, DB_SLOTS, i * 37, i + (u64)txn);
        put_text(db, "code", "some bytes");
        db_put(db, DB_CODES, "long", 4, value, sizeof value);
        commit(db);
    }
    db_close(db);
    CHECK_EQ(file_read(&file, len, place->file, 1 << 24, NULL), STATUS_OK);
    return file;
}

/* What is in the small store, as far as it may be believed: 0 all, 1 refused; 2: something else. */
static int read_small_store(struct db *db)
{
    struct db_bytes got;
    bool wrong = false;
    for (u64 i = 0; i < 160 * 37; i++) {
        u8 key[8];
        u64 value = i / 37 + 2;
        number_key(key, i);
        bool found = db_get(db, DB_SLOTS, key, 8, &got);
        wrong |= found != (i % 37 == 0) || (found && memcmp(got.at, &value, 8) != 0);
    }
    wrong |= !has_text(db, "code", "some bytes") || !is_absent(db, "coda") || !is_absent(db, "z");
    wrong |= !db_get(db, DB_CODES, "long", 4, &got) || got.len != 6000 || got.at[5999] != 7;
    return db_status(db, NULL) ? 1 : wrong ? 2 : 0;
}

static int check_small_store(void *arg)
{
    const struct db_place *place = arg;
    struct db_options options = {.volatile_commits = true};
    struct db *db;
    struct err err;
    if (db_open(&db, place->folder, &options, &err))
        return 1;
    int result = db_check_pages(db, &err) ? 1 : read_small_store(db);
    db_close(db);
    return result;
}

static int serve_small_store(void *arg)
{
    const struct db_place *place = arg;
    struct db_options options = {.volatile_commits = true};
    struct db *db;
    struct err err;
    if (db_open(&db, place->folder, &options, &err))
        return 1;
    return read_small_store(db);
}

/* A byte anywhere in the file is changed. When pages are checked first the store is refused, or the byte
 * meant nothing; without that it is told nothing wrong. flips_test.c changes bytes while the store is open. */
TEST(flipped_bytes_are_never_served)
{
    struct db_place place = db_place_new();
    size_t len, refused = 0;
    u8 *file = small_store(&place, &len);
    CHECK_EQ(check_small_store(&place), 0);
    for (size_t at = 0; at < len; at += at % 4096 < 24 ? 1 : 149) {
        u8 old = file[at];
        file[at] ^= (u8)(1 << at % 8);
        CHECK_EQ(file_write(place.file, file, len, NULL), STATUS_OK);
        int how = check_small_store(&place);
        if (how > 1)
            test_fail(__FILE__, __LINE__, "byte %zu is served (checked first)", at);
        refused += how == 1;
        struct child *child;
        CHECK_EQ(child_start(&child, serve_small_store, &place, NULL), STATUS_OK);
        how = child_wait(child);
        if (how < 0)
            test_fail(__FILE__, __LINE__, "byte %zu ends the process: signal %d", at, -how);
        if (how > 1)
            test_fail(__FILE__, __LINE__, "byte %zu is served", at);
        file[at] = old;
    }
    CHECK(refused > 20);
    mem_free(file);
    db_place_remove(&place);
}

/* Each bit of a record is turned in the file: the record is refused, and named. */
TEST(flipped_bits_are_refused)
{
    static const char value[] = "a value that nothing else in the file is like";
    struct db_place place = db_place_new();
    struct db *db = db_place_open(&place);
    db_begin(db);
    put_text(db, "key", value);
    commit(db);
    db_close(db);
    u8 *file;
    size_t len;
    CHECK_EQ(file_read(&file, &len, place.file, 1 << 24, NULL), STATUS_OK);
    u8 *record = memmem(file, len, value, sizeof value - 1);
    CHECK(record != NULL);
    for (size_t bit = 0; bit < 8 * (3 + sizeof value - 1 + 4); bit += 3) {
        u8 *byte = record - 3 + bit / 8;
        *byte ^= (u8)(1 << bit % 8);
        CHECK_EQ(file_write(place.file, file, len, NULL), STATUS_OK);
        db = db_place_open(&place);
        struct db_cursor *cursor = db_cursor_new(db, DB_CODES);
        struct err err;
        CHECK(!db_seek(cursor, "", 0));
        CHECK_EQ(db_status(db, &err), STATUS_INVALID);
        CHECK(strstr(err.text, "table codes, key ") != NULL);
        db_begin(db);
        put_text(db, "other", "1");
        CHECK_EQ(db_commit(db, &err), STATUS_INVALID);
        db_cursor_free(cursor);
        db_close(db);
        *byte ^= (u8)(1 << bit % 8);
    }
    mem_free(file);
    db_place_remove(&place);
}
