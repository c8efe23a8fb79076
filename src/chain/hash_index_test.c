#include "base/test.h"
#include "chain/hash_index.h"

static hash32 key_of(u32 i)
{
    hash32 key = {{0}};
    i *= 2654435761u; /* spread, but into few of the first bytes, so that runs are long */
    memcpy(key.b, &i, sizeof i);
    return key;
}

TEST(hash_index_keeps_what_is_put_through_growth_and_removal)
{
    enum { COUNT = 2000 };
    static u32 values[COUNT];
    struct hash_index index;
    hash_index_init(&index, 5);
    for (u32 i = 0; i < COUNT; i++) {
        hash32 key = key_of(i);
        hash_index_put(&index, &key, &values[i], i);
    }
    for (u32 i = 0; i < COUNT; i += 3) {
        hash32 key = key_of(i);
        hash_index_del(&index, &key);
        hash_index_del(&index, &key);
    }
    for (u32 i = 0; i < COUNT; i++) {
        hash32 key = key_of(i);
        const struct hash_slot *slot = hash_index_get(&index, &key);
        if (i % 3 == 0) {
            CHECK(!slot);
        } else {
            CHECK(slot && slot->value == &values[i]);
            CHECK_EQ(slot->extra, i);
        }
    }
    hash_index_fini(&index);
}
