/* Any bytes as a genesis file: read, or refused with words. */
#include "base/assert.h"
#include "types/genesis.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    struct genesis genesis;
    struct err err = {""};
    arena_init(&arena);
    enum status status = genesis_parse(&genesis, &arena, (const char *)data, size, &err);
    if (status != STATUS_OK)
        assert(err.text[0]);
    else
        assert(genesis.header.fields >= HEADER_FIELDS_FRONTIER);
    arena_fini(&arena);
    return 0;
}
