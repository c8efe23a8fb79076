/* Any bytes as the record of a block: refused, or encoded again they are the same; and what is left of it when it is
 * pruned is its header. */
#include <string.h>

#include "base/assert.h"
#include "chain/store.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool same(const struct buf *a, const void *bytes, size_t len)
{
    return a->len == len && memcmp(a->data, bytes, len) == 0;
}

/* The hash that the record's header has, or false. */
static bool find_hash(hash32 *hash, struct buf *left)
{
    struct rlp all = rlp_open(left->data, left->len), fields;
    u256 total_difficulty;
    struct header header;
    if (rlp_list(&all, &fields) != RLP_OK || rlp_u256(&fields, &total_difficulty) != RLP_OK ||
        header_decode(&fields, &header) != RLP_OK)
        return false;
    *hash = header_hash(&header);
    return true;
}

static void try_left(const struct chain_block *whole, const struct buf *left, const hash32 *hash)
{
    struct chain_block cut;
    bool is_left = record_decode_cut(&cut, hash, left->data, left->len);
    assert(is_left && cut.is_pruned);
    hash32 found = header_hash(&cut.block.header);
    assert(hash32_eq(&found, hash));
    assert(!whole || u256_eq(whole->total_difficulty, cut.total_difficulty));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    struct buf left, again;
    struct chain_block block, other;
    hash32 hash = {{0}};
    arena_init(&arena);
    buf_init(&left, SIZE_MAX / 2);
    buf_init(&again, SIZE_MAX / 2);
    bool is_cut = record_cut(&left, data, size);
    assert(is_cut || !left.len);
    bool has_hash = is_cut && find_hash(&hash, &left);
    bool is_whole = record_decode(&block, &arena, &hash, data, size);
    assert(has_hash || !is_whole);
    if (is_whole) {
        record_encode(&again, &block, NULL, 0);
        assert(same(&again, data, size));
    }
    if (has_hash)
        try_left(is_whole ? &block : NULL, &left, &hash);
    bool is_left = record_decode_cut(&other, &hash, data, size); /* as if that was what is left */
    assert(!is_left || !is_whole);
    arena_fini(&arena);
    buf_fini(&left);
    buf_fini(&again);
    return 0;
}
