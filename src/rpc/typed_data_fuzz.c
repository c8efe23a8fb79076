/* Any JSON as typed data: hashed or refused with words, and the same each time. */
#include "base/assert.h"
#include "rpc/typed_data.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    json typed;
    struct arena arena;
    hash32 first, second;
    struct rpc_call call = {.arena = &arena}, again = {.arena = &arena};
    arena_init(&arena);
    if (json_parse_in(&typed, &arena, (const char *)data, size, 64, NULL) == STATUS_OK) {
        bool fine = typed_data_hash(&call, typed, &first);
        assert(fine == (call.code == 0));
        assert(typed_data_hash(&again, typed, &second) == fine);
        assert(!fine || hash32_eq(&first, &second));
    }
    arena_fini(&arena);
    return 0;
}
