/*
 * Any input to any precompile under any fork: no crash, the same answer twice, and addition does not
 * care for the order of its points. The first byte names the fork and the second the row of the table.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "evm/precompile.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { GAS_MAX = 200000, INPUT_MAX = 2048 };

static void check_commutes(const struct precompile *precompile, const u8 *in, size_t len,
                           const u8 *out, size_t out_len, struct arena *arena)
{
    u8 swapped[512];
    memcpy(swapped, in + len / 2, len / 2);
    memcpy(swapped + len / 2, in, len / 2);
    const u8 *other;
    size_t other_len;
    bool ok = precompile->run(&other, &other_len, swapped, len, arena);
    assert(ok && other_len == out_len && memcmp(other, out, out_len) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    enum fork fork = data[0] % FORK_COUNT;
    const struct precompile *precompile = &PRECOMPILES[data[1] % PRECOMPILE_COUNT];
    data += 2;
    size -= 2;
    if (precompile->gas(fork, data, size) > GAS_MAX)
        return 0;
    /* A block of exactly this size, so that reading past its end is seen. */
    u8 *in = mem_dup(data, size);
    struct arena arena;
    arena_init(&arena);
    const u8 *first = NULL, *second = NULL;
    size_t first_len = 0, second_len = 0;
    bool ok = precompile->run(&first, &first_len, in, size, &arena);
    bool again = precompile->run(&second, &second_len, in, size, &arena);
    assert(ok == again && first_len == second_len);
    assert(first_len == 0 || memcmp(first, second, first_len) == 0);
    bool is_addition = (precompile->address == 0x06 && size == 128) ||
                       (precompile->address == 0x0b && size == 256) ||
                       (precompile->address == 0x0d && size == 512);
    if (ok && is_addition)
        check_commutes(precompile, in, size, first, first_len, &arena);
    arena_fini(&arena);
    mem_free(in);
    return 0;
}
