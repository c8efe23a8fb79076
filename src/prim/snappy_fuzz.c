/* Whatever is packed unpacks to what it was, and any bytes unpack within their bound or are refused. */
#include <string.h>

#include "base/assert.h"
#include "prim/snappy.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buf packed, unpacked;
    if (size > SNAPPY_BLOCK_MAX)
        return 0;
    buf_init(&packed, SIZE_MAX / 2);
    buf_init(&unpacked, SIZE_MAX / 2);
    bool good = snappy_decode(&unpacked, data, size, SNAPPY_BLOCK_MAX);
    assert(good ? unpacked.len <= SNAPPY_BLOCK_MAX : unpacked.len == 0);
    buf_reset(&unpacked);
    snappy_encode(&packed, data, size);
    good = snappy_decode(&unpacked, packed.data, packed.len, size);
    assert(good && unpacked.len == size && (!size || !memcmp(unpacked.data, data, size)));
    buf_fini(&packed);
    buf_fini(&unpacked);
    return 0;
}
