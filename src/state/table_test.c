#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "prim/keccak.h"
#include "state/state_int.h"
#include "state/table.h"

static bool table_has(const struct table *table, u32 hash, u32 index)
{
    struct table_walk walk = table_walk(hash);
    for (;;) {
        u32 found = table_next(table, &walk);
        if (found == TABLE_NONE || found == index)
            return found == index;
    }
}

/* Few hashes, at both ends of the number range, so that runs are long and wrap around. */
static u32 crowded_hash(u32 index)
{
    return (index % 7) * 0x10 - 0x20;
}

TEST(table_finds_what_is_in_it_and_nothing_else)
{
    enum { COUNT = 400, STEPS = 20000 };
    struct table table = {0};
    bool there[COUNT] = {false};
    u64 random = 99;
    for (int step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        u32 index = (u32)(random >> 33) % COUNT;
        u32 hash = index % 2 ? crowded_hash(index) : index * 0x9e3779b9;
        CHECK(table_has(&table, hash, index) == there[index]);
        if (there[index])
            table_del(&table, hash, index);
        else
            table_add(&table, hash, index);
        there[index] = !there[index];
    }
    u32 count = 0;
    for (u32 i = 0; i < COUNT; i++) {
        count += there[i];
        CHECK(table_has(&table, i % 2 ? crowded_hash(i) : i * 0x9e3779b9, i) == there[i]);
    }
    CHECK_EQ(table.count, count);
    table_clear(&table);
    CHECK(!table_has(&table, crowded_hash(1), 1));
    table_fini(&table);
}

TEST(pile_entries_stay_and_come_back)
{
    enum { COUNT = 3 * PILE_PIECE + 5 };
    struct pile pile;
    u64 *entries[COUNT];
    pile_init(&pile, sizeof(u64));
    for (u32 i = 0; i < COUNT; i++) {
        CHECK_EQ(pile_take(&pile), i);
        entries[i] = pile_at(&pile, i);
        *entries[i] = i;
    }
    for (u32 i = 0; i < COUNT; i++)
        CHECK(pile_at(&pile, i) == entries[i] && *entries[i] == i);
    pile_give(&pile, 7);
    pile_give(&pile, 70);
    CHECK_EQ(pile_take(&pile), 70);
    CHECK_EQ(pile_take(&pile), 7);
    CHECK_EQ(pile_take(&pile), COUNT);
    pile_clear(&pile);
    pile_trim(&pile, 1);
    CHECK_EQ(pile.piece_count, 1);
    CHECK_EQ(pile_take(&pile), 0);
    pile_fini(&pile);
}

/* Hashes that agree in all that the first passes look at, too. */
TEST(keyed_sort_sorts_whatever_the_size)
{
    static const u32 sizes[] = {0, 1, 2, 47, 48, 49, 300, 3000};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        u32 count = sizes[s];
        hash32 *hashes = NEW_ARRAY(hash32, count);
        struct keyed *items = NEW_ARRAY(struct keyed, 2 * (size_t)count);
        for (u32 i = 0; i < count; i++) {
            u32 group = i / 3;
            u64 prefix;
            keccak256(hashes + i, &group, sizeof group);
            hashes[i].b[9 * (i % 3)] ^= (u8)(i % 3);
            memcpy(&prefix, hashes[i].b, sizeof prefix);
            items[i] = (struct keyed){__builtin_bswap64(prefix), hashes + i, hashes + i};
        }
        keyed_sort(items, items + count, count);
        for (u32 i = 1; i < count; i++)
            CHECK(memcmp(items[i - 1].hash->b, items[i].hash->b, 32) < 0);
        mem_free(items);
        mem_free(hashes);
    }
}

/* Small keys, aligned keys, few addresses, and any seed: what a bad mixture would make the same. */
TEST(table_hashes_of_simple_keys_differ)
{
    static const u64 seeds[] = {0, 1, ~(u64)0, 0x8000000000000000};
    enum { COUNT = 4096, BITS = 16, RUN_MAX = 40 };
    static u8 hits[1 << BITS];
    for (unsigned s = 0; s < ARRAY_LEN(seeds); s++) {
        for (unsigned limb = 0; limb < 4; limb++) {
            memset(hits, 0, sizeof hits);
            for (u64 i = 0; i < COUNT; i++) {
                u256 key = U256_ZERO;
                key.w[limb] = i;
                u32 at = table_hash_slot(seeds[s], i % 3, &key) & ((1 << BITS) - 1);
                CHECK(++hits[at] < RUN_MAX);
            }
        }
        memset(hits, 0, sizeof hits);
        for (u32 i = 0; i < COUNT; i++) {
            addr20 addr = {{0}};
            addr.b[18] = (u8)(i >> 8);
            addr.b[19] = (u8)i;
            CHECK(++hits[table_hash_addr(seeds[s], &addr) & ((1 << BITS) - 1)] < RUN_MAX);
        }
    }
}
