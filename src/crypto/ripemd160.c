/* OpenSSL 3 marks RIPEMD160() deprecated in favour of EVP, whose way needs the legacy provider at run
 * time: a file that may be absent. The function itself is in libcrypto and needs nothing. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/ripemd160.h"

#include <openssl/ripemd.h>

void ripemd160(u8 out[20], const void *data, size_t len)
{
    RIPEMD160((const unsigned char *)data, len, out);
}
