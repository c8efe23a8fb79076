#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "evm/hash_memo.h"
#include "prim/keccak.h"

TEST(remembered_hashes_are_those_of_their_inputs)
{
    struct hash_memo *memo = NEW(struct hash_memo);
    u8 input[HASH_MEMO_LEN] = {0};
    hash32 want;
    /* More inputs than places, each asked for twice, once next to others that share its place. */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 3 * HASH_MEMO_COUNT; i++) {
            memcpy(input + (i & 1 ? 28 : 60), &i, sizeof i);
            input[0] = (u8)(i >> 3);
            keccak256(&want, input, sizeof input);
            CHECK(hash32_eq(hash_memo_get(memo, input), &want));
            CHECK(hash32_eq(hash_memo_get(memo, input), &want));
            input[0] ^= 1; /* the same place, another input */
            keccak256(&want, input, sizeof input);
            CHECK(hash32_eq(hash_memo_get(memo, input), &want));
        }
    memset(input, 0, sizeof input);
    keccak256(&want, input, sizeof input);
    CHECK(hash32_eq(hash_memo_get(memo, input), &want));
    mem_free(memo);
}
