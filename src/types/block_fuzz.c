/* What is accepted as a block, or as a receipt, encodes to the bytes it came from. */
#include <string.h>

#include "base/assert.h"
#include "types/block.h"
#include "types/receipt.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static void check_block(const u8 *data, size_t size, struct arena *arena)
{
    struct block block;
    const char *reason = NULL;
    if (block_decode(&block, arena, data, size, &reason) != BLOCK_OK) {
        assert(reason);
        return;
    }
    struct buf out;
    buf_init(&out, INPUT_MAX);
    block_encode(&out, &block);
    assert(out.len == size && memcmp(out.data, data, size) == 0);
    hash32 hash = block.hash;
    block_seal(&block);
    assert(hash32_eq(&hash, &block.hash) && block.size == size);
    buf_fini(&out);
}

static void check_receipt(const u8 *data, size_t size, struct arena *arena)
{
    struct receipt receipt;
    if (receipt_decode(&receipt, arena, data, size) != RLP_OK)
        return;
    struct buf out;
    buf_init(&out, INPUT_MAX);
    receipt_encode(&out, &receipt);
    assert(out.len == size && memcmp(out.data, data, size) == 0);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    if (size > INPUT_MAX / 2)
        return 0;
    arena_init(&arena);
    check_block(data, size, &arena);
    check_receipt(data, size, &arena);
    arena_fini(&arena);
    return 0;
}
