/*
 * Bits of a store are flipped on the disk, anywhere and at any moment: before it is opened, after that, after everything
 * was read, within a transaction, within a walk. Whatever is read then is right or known to be damaged, what is written
 * harms nothing besides, and nothing ends the process.
 *
 * FLIPS_COUNT and FLIPS_SEED ask for more of them, or for others; a failure names the seed of its flip.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "db/db_fixture.h"
#include "db/page.h"
#include "sys/child.h"

#ifdef SANDBOX_OFF
enum { COUNT = 1000 }; /* sanitizers take their time */
#else
enum { COUNT = 5000 };
#endif
enum { A_CHILD = 250, RECORDS = 2600, KEY = 40, LONG = 40, VALUE_MAX = 9000 };

static u64 next(u64 *random)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random >> 11;
}

static u64 mix(u64 i)
{
    i = (i + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    return i ^ i >> 29;
}

/* --- what the store holds ----------------------------------------------------------------------- */

/* Record i is in slots; one in 65 of them is so long that it has pages of its own, and is in codes. Odd ones are absent
 * at first. version 0: absent. */
struct model {
    u16 version[RECORDS];
};

static bool is_long(u64 i)
{
    return i % 65 == 64;
}

static enum db_table table_of(u64 i)
{
    return is_long(i) ? DB_CODES : DB_SLOTS;
}

/* The first byte tells the order, so that walks know which one comes next; half of the keys have nothing else in common,
 * and half of them a long beginning. */
static void key_of(u8 key[KEY], u64 i)
{
    memset(key, 7, KEY);
    key[0] = (u8)(i >> 8), key[1] = (u8)i;
    if (i & 2)
        for (unsigned at = 2; at < KEY; at++)
            key[at] = (u8)mix(i * KEY + at);
}

static size_t value_of(u8 value[VALUE_MAX], u64 i, u64 version)
{
    size_t len =
        is_long(i) ? 3000 + mix(i) % 4000 + 200 * (version % 10) : 20 + mix(i + version) % 60;
    for (size_t at = 0; at < len; at++)
        value[at] = (u8)(mix(i) >> at % 7 * 8 ^ version ^ at);
    return len;
}

static void put(struct db *db, struct model *model, u64 i, u16 version)
{
    u8 key[KEY], value[VALUE_MAX];
    key_of(key, i);
    model->version[i] = version;
    if (version)
        db_put(db, table_of(i), key, KEY, value, value_of(value, i, version));
    else
        db_del(db, table_of(i), key, KEY);
}

static bool value_is(struct db_bytes got, u64 i, u16 version)
{
    u8 value[VALUE_MAX];
    size_t len = value_of(value, i, version);
    return version && got.len == len && memcmp(got.at, value, len) == 0;
}

/* Pages of all kinds, some of them free, and lists of free ones that are long. */
static void fill(const struct db_place *place, struct model *model)
{
    struct db *db = db_place_open(place);
    for (u16 round = 0; round < 4; round++) {
        db_begin(db);
        for (u64 i = 0; i < RECORDS; i++)
            if (round < 3 || mix(i) % 3)
                put(db, model, i, i % 2 && round ? 0 : round + 1);
        CHECK_EQ(db_commit(db, NULL), STATUS_OK);
    }
    for (u16 round = 0; round < 6; round++) {
        db_begin(db);
        for (u64 i = round; i < RECORDS; i += 97)
            put(db, model, i, round + 7);
        CHECK_EQ(db_commit(db, NULL), STATUS_OK);
    }
    db_close(db);
}

/* --- one flip ----------------------------------------------------------------------------------- */

struct scene {
    struct db_place place;
    struct model model;
    u8 *file; /* what is in it */
    size_t len;
    int fd;
    u64 *told; /* how many of the flips were found; shared by all processes */
    u64 seed, count;
};

struct flip {
    const struct scene *scene;
    struct db *db;
    struct model model; /* what is there now */
    u64 random, left;   /* steps until it happens */
    u64 at;             /* the first byte of it */
    u8 mask[2];
    const char *wrong; /* what was */
};

/* The first page from a random one on that is of a kind: of the first ones, leading to others, with records, with a long
 * value, or any. */
static u64 page_of_kind(struct flip *flip)
{
    static const unsigned kinds[] = {IS_META, IS_BRANCH, IS_LEAF, IS_OVERFLOW};
    u64 pages = flip->scene->len / PAGE, page = next(&flip->random) % pages;
    u64 kind = next(&flip->random) % 5;
    for (u64 i = 0; i < pages && kind < 4; i++, page = (page + 1) % pages)
        if (load16(flip->scene->file + page * PAGE + 10) & kinds[kind])
            break;
    return page;
}

static void happen(struct flip *flip)
{
    u64 in_page = next(&flip->random) % 2 ? next(&flip->random) % PAGE : next(&flip->random) % 160;
    flip->at = page_of_kind(flip) * PAGE + in_page;
    u64 bits = 1 + next(&flip->random) % 8;
    u8 bytes[2];
    if (next(&flip->random) % 2)
        bits = 1;
    for (u64 i = 0; i < bits; i++) {
        u64 bit = next(&flip->random) % 16;
        flip->mask[bit / 8] |= (u8)(1 << bit % 8);
    }
    if (pread(flip->scene->fd, bytes, 2, (off_t)flip->at) != 2)
        return;
    bytes[0] ^= flip->mask[0], bytes[1] ^= flip->mask[1];
    if (pwrite(flip->scene->fd, bytes, 2, (off_t)flip->at) != 2)
        flip->wrong = "the file cannot be written";
}

static void step(struct flip *flip)
{
    if (!flip->left)
        return;
    flip->left--;
    if (!flip->left)
        happen(flip);
}

/* What was said to be so is not; unless the damage is known. */
static void expect(struct flip *flip, bool is_so, const char *words)
{
    if (!is_so && !flip->wrong && db_status(flip->db, NULL) == STATUS_OK)
        flip->wrong = words;
}

static void read_some(struct flip *flip, u64 count)
{
    for (u64 n = 0; n < count; n++) {
        u8 key[KEY];
        struct db_bytes got;
        u64 i = next(&flip->random) % RECORDS;
        key_of(key, i);
        step(flip);
        bool found = db_get(flip->db, table_of(i), key, KEY, &got);
        if (found)
            expect(flip, value_is(got, i, flip->model.version[i]), "a value is another one");
        else
            expect(flip, !flip->model.version[i], "a record is said to be absent");
    }
}

/* From record i on the next one of its table that is there, by the model; RECORDS: none. */
static u64 model_next(const struct flip *flip, u64 i, enum db_table table, int by)
{
    for (; i < RECORDS; i += (u64)by)
        if (table_of(i) == table && flip->model.version[i])
            return i;
    return RECORDS;
}

static void expect_at(struct flip *flip, struct db_cursor *cursor, bool at, u64 i,
                      const char *words)
{
    u8 key[KEY];
    if (!at || i >= RECORDS) {
        expect(flip, !at && i >= RECORDS, words);
        return;
    }
    key_of(key, i);
    struct db_bytes found = db_key(cursor);
    expect(flip,
           found.len == KEY && memcmp(found.at, key, KEY) == 0 &&
               value_is(db_value(cursor), i, flip->model.version[i]),
           words);
}

static void walk(struct flip *flip, enum db_table table, u64 most)
{
    u8 key[KEY];
    struct db_cursor *cursor = db_cursor_new(flip->db, table);
    u64 from = next(&flip->random) % RECORDS, i = model_next(flip, from, table, 1);
    key_of(key, from);
    bool at = db_seek(cursor, key, KEY);
    expect_at(flip, cursor, at, i, "a search comes to another record");
    for (u64 n = 0; at && i < RECORDS && n < most; n++) {
        step(flip);
        i = model_next(flip, i + 1, table, 1);
        at = db_next(cursor);
        expect_at(flip, cursor, at, i, "the next record is another one");
    }
    i = model_next(flip, from, table, -1);
    at = db_seek_back(cursor, key, KEY);
    expect_at(flip, cursor, at, i, "a search back comes to another record");
    for (u64 n = 0; at && i < RECORDS && n < most / 4; n++) {
        step(flip);
        i = model_next(flip, i - 1, table, -1);
        at = db_prev(cursor);
        expect_at(flip, cursor, at, i, "the record before is another one");
    }
    db_cursor_free(cursor);
}

static void change_some(struct flip *flip, u64 count)
{
    struct model before = flip->model;
    u64 from = next(&flip->random) % RECORDS;
    bool takes_away = next(&flip->random) % 2;
    db_begin(flip->db);
    for (u64 n = 0; n < count; n++) {
        u64 i = n % 3 ? (from + n) % RECORDS : next(&flip->random) % RECORDS;
        step(flip);
        put(flip->db, &flip->model, i,
            takes_away && n % 8 ? 0 : (u16)(1 + next(&flip->random) % 200));
        if (n % 16 == 0)
            read_some(flip, 2);
    }
    step(flip);
    if (db_commit(flip->db, NULL))
        flip->model = before;
    step(flip);
}

static void read_all(struct flip *flip)
{
    u8 key[KEY];
    struct db_bytes got;
    for (u64 i = 0; i < RECORDS; i++) {
        key_of(key, i);
        bool found = db_get(flip->db, table_of(i), key, KEY, &got);
        expect(flip, found ? value_is(got, i, flip->model.version[i]) : flip->model.version[i] == 0,
               "afterwards a record is another one");
    }
    walk(flip, DB_SLOTS, RECORDS);
}

static void act(struct flip *flip)
{
    u64 what = next(&flip->random) % 4;
    if (what == 3)
        read_all(flip); /* so that every page was looked at */
    for (int round = 0; round < 2; round++) {
        read_some(flip, 20);
        walk(flip, next(&flip->random) % 3 ? DB_SLOTS : DB_CODES, 60);
        change_some(flip, 1 + next(&flip->random) % 80);
    }
    read_some(flip, 40);
}

/* With the flip undone nothing else is wrong, unless what was flipped went into what was written, and is known there. */
static void look_afterwards(struct flip *flip, const struct db_options *options)
{
    u8 bytes[2];
    if (pread(flip->scene->fd, bytes, 2, (off_t)flip->at) == 2) {
        bytes[0] ^= flip->mask[0], bytes[1] ^= flip->mask[1];
        if (pwrite(flip->scene->fd, bytes, 2, (off_t)flip->at) != 2)
            flip->wrong = "the file cannot be written";
    }
    if (db_open(&flip->db, flip->scene->place.folder, options, NULL))
        return;
    read_all(flip);
    db_close(flip->db);
}

static void restore(const struct scene *scene)
{
    if (ftruncate(scene->fd, (off_t)scene->len) ||
        pwrite(scene->fd, scene->file, scene->len, 0) != (ssize_t)scene->len)
        abort();
}

static bool flip_once(const struct scene *scene, u64 seed)
{
    static const struct db_options options = {.volatile_commits = true};
    struct flip flip = {.scene = scene, .model = scene->model, .random = mix(seed) | 1};
    restore(scene);
    for (int i = 0; i < 5; i++)
        next(&flip.random);
    if (next(&flip.random) % 3 == 0)
        happen(&flip);
    else
        flip.left = 1 + next(&flip.random) % (next(&flip.random) % 2 ? 8 : 400);
    bool was_told = true;
    if (!db_open(&flip.db, scene->place.folder, &options, NULL)) {
        act(&flip);
        was_told = db_status(flip.db, NULL) != STATUS_OK;
        db_close(flip.db);
        look_afterwards(&flip, &options);
    }
    *scene->told += was_told;
    if (flip.wrong)
        printf("FLIPS_SEED=%llu FLIPS_COUNT=1: byte %llu: %s\n", (unsigned long long)seed,
               (unsigned long long)flip.at, flip.wrong);
    fflush(stdout);
    return !flip.wrong;
}

/* The store as a file that is open for writing from here on. */
static struct scene scene_new(void)
{
    struct scene scene = {.place = db_place_new()};
    char path[96];
    fill(&scene.place, &scene.model);
    CHECK_EQ(file_read(&scene.file, &scene.len, scene.place.file, 1 << 24, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/XXXXXX", scene.place.folder);
    scene.fd = mkstemp(path);
    CHECK(scene.fd >= 0);
    restore(&scene);
    CHECK_EQ(rename(path, scene.place.file), 0);
    return scene;
}

static void scene_remove(struct scene *scene)
{
    close(scene->fd);
    mem_free(scene->file);
    db_place_remove(&scene->place);
}

static int flip_many(void *arg)
{
    const struct scene *scene = arg;
    bool is_right = true;
    for (u64 i = 0; i < scene->count; i++) {
        scene->told[1] = scene->seed + i;
        is_right &= flip_once(scene, scene->seed + i);
    }
    return is_right ? 0 : 2;
}

TEST(flips_are_told_or_mean_nothing)
{
    const char *from = getenv("FLIPS_SEED"), *count = getenv("FLIPS_COUNT");
    struct scene scene = scene_new();
    u64 seed = from ? strtoull(from, NULL, 10) : 1,
        left = count ? strtoull(count, NULL, 10) : COUNT;
    scene.told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(scene.told != MAP_FAILED);
    bool is_right = true;
    for (u64 all = left; left; left -= scene.count) {
        scene.seed = seed + all - left;
        scene.count = left < A_CHILD ? left : A_CHILD;
        struct child *child;
        CHECK_EQ(child_start(&child, flip_many, &scene, NULL), STATUS_OK);
        int how = child_wait(child);
        is_right &= how == 0;
        if (how != 0 && how != 2)
            printf("FLIPS_SEED=%llu FLIPS_COUNT=1: it ended the process: %d\n",
                   (unsigned long long)scene.told[1], how);
    }
    if (count)
        printf("%s flips, %llu of them told\n", count, (unsigned long long)*scene.told);
    CHECK(is_right);
    CHECK(count || *scene.told > COUNT / 10);
    munmap(scene.told, PAGE);
    scene_remove(&scene);
}

/* --- a disk that fails -------------------------------------------------------------------------- */

/* Half of the file is gone: reading the rest of the map is what a page is that the disk does not give. */
static int read_half_a_file(void *arg)
{
    static const struct db_options options = {.volatile_commits = true};
    const struct scene *scene = arg;
    struct flip flip = {.scene = scene, .model = scene->model, .random = mix(scene->seed) | 1};
    struct err err = {""};
    if (db_open(&flip.db, scene->place.folder, &options, &err))
        return 3;
    if (scene->seed % 2)
        read_some(&flip, 50);
    if (scene->seed % 3 == 0)
        db_begin(flip.db);
    if (truncate(scene->place.file, (off_t)(scene->len / 2)))
        return 4;
    if (scene->seed % 3)
        read_all(&flip);
    change_some(&flip, 50);
    read_all(&flip);
    bool is_told = db_status(flip.db, &err) == STATUS_INVALID && strstr(err.text, "page ");
    db_close(flip.db);
    return flip.wrong ? 2 : !is_told;
}

TEST(pages_that_the_disk_does_not_give_are_told)
{
    struct scene scene = scene_new();
    for (scene.seed = 0; scene.seed < 30; scene.seed++) {
        struct child *child;
        restore(&scene);
        CHECK_EQ(child_start(&child, read_half_a_file, &scene, NULL), STATUS_OK);
        CHECK_EQ(child_wait(child), 0);
    }
    scene_remove(&scene);
}
