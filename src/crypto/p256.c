/* The EC_KEY functions are deprecated in favour of EVP_PKEY, whose way to the same verification builds
 * and parses a DER signature and looks the algorithm up by name each time. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/p256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

static BIGNUM *number(const hash32 *bytes)
{
    return BN_bin2bn(bytes->b, sizeof bytes->b, NULL);
}

/* A key with this point, which OpenSSL checks to be in range and on the curve; NULL otherwise. */
static EC_KEY *key_new(const hash32 *x, const hash32 *y)
{
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *bx = number(x), *by = number(y);
    bool ok = key && bx && by && EC_KEY_set_public_key_affine_coordinates(key, bx, by) == 1;
    BN_free(bx);
    BN_free(by);
    if (ok)
        return key;
    EC_KEY_free(key);
    return NULL;
}

static ECDSA_SIG *sig_new(const hash32 *r, const hash32 *s)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *br = number(r), *bs = number(s);
    if (sig && br && bs && ECDSA_SIG_set0(sig, br, bs) == 1)
        return sig;
    BN_free(br);
    BN_free(bs);
    ECDSA_SIG_free(sig);
    return NULL;
}

bool p256_verify(const hash32 *hash, const hash32 *r, const hash32 *s, const hash32 *x,
                 const hash32 *y)
{
    EC_KEY *key = key_new(x, y);
    ECDSA_SIG *sig = sig_new(r, s);
    bool valid = key && sig && ECDSA_do_verify(hash->b, sizeof hash->b, sig, key) == 1;
    ECDSA_SIG_free(sig);
    EC_KEY_free(key);
    return valid;
}
