/* Change sets from bytes: what is accepted encodes to the same bytes. */
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "state/backend.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct state_changes *changes;
    if (state_changes_decode(&changes, data, size, NULL))
        return 0;
    struct buf out;
    buf_init(&out, size + 1);
    state_changes_encode(&out, changes);
    assert(out.len == size && memcmp(out.data, data, size) == 0);
    buf_fini(&out);
    state_changes_free(changes);
    return 0;
}
