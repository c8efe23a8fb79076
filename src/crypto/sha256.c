/* Of OpenSSL 3's ways only the one it calls deprecated keeps its state on the stack: SHA256() and EVP look
 * the algorithm up by name and allocate, which costs more than hashing a short message. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.h"

#include <openssl/sha.h>

void sha256(hash32 *out, const void *data, size_t len)
{
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, data, len);
    SHA256_Final(out->b, &state);
}
