/* Both laws of hex: bytes come back from their text, and text that decodes comes back in lower case. */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/hex.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    char *text = mem_alloc(2 * size + 3);
    u8 *bytes = mem_alloc(size + 1);
    size_t len = hex_encode(text, data, size), got = 0;
    assert(hex_decode(bytes, &got, size, text, len) == HEX_OK);
    assert(got == size && memcmp(bytes, data, size) == 0);

    if (hex_decode(bytes, &got, size, (const char *)data, size) == HEX_OK) {
        assert(size == 2 + 2 * got);
        len = hex_encode(text, bytes, got);
        assert(len == size);
        for (size_t i = 2; i < size; i++) {
            char c = (char)data[i];
            assert(text[i] == (c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
        }
    }
    mem_free(bytes);
    mem_free(text);
    return 0;
}
