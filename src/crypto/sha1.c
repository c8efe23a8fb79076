/* See sha256.c for why. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha1.h"

#include <openssl/sha.h>

void sha1(u8 out[SHA1_LEN], const void *data, size_t len)
{
    SHA_CTX state;
    SHA1_Init(&state);
    SHA1_Update(&state, data, len);
    SHA1_Final(out, &state);
}
