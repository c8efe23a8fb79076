#include "crypto/sha256.h"

#include <openssl/sha.h>

/* The one-shot function is not deprecated in OpenSSL 3, keeps its state on the stack, and uses the
 * processor's SHA instructions; EVP would allocate. */
void sha256(hash32 *out, const void *data, size_t len)
{
    SHA256((const unsigned char *)data, len, out->b);
}
