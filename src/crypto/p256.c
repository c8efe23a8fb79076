/* The EC_KEY functions are deprecated in favour of EVP_PKEY, whose way to the same verification builds
 * and parses a DER signature and looks the algorithm up by name each time. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/p256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <pthread.h>

#include "base/assert.h"
#include "prim/u256.h"

static BIGNUM *number(const hash32 *bytes)
{
    return BN_bin2bn(bytes->b, sizeof bytes->b, NULL);
}

/* The curve, with its tables: a constant, made once a process. */
static EC_GROUP *group;

static void make_group(void)
{
    group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    assert(group);
}

/* OpenSSL would reduce a coordinate that is not below the prime. */
static bool in_field(const hash32 *coordinate)
{
    static const u256 prime = {
        {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001}};
    return u256_lt(u256_from_hash(coordinate), prime);
}

/* A key with this point, or NULL. Setting the coordinates checks that the point is on the curve, which
 * is all there is to check, as the curve's order is prime; EC_KEY's own check multiplies by it. */
static EC_KEY *key_new(const hash32 *x, const hash32 *y)
{
    EC_KEY *key = EC_KEY_new();
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *bx = number(x), *by = number(y);
    bool ok = key && point && bx && by && in_field(x) && in_field(y) &&
              EC_POINT_set_affine_coordinates(group, point, bx, by, NULL) == 1 &&
              EC_KEY_set_group(key, group) == 1 && EC_KEY_set_public_key(key, point) == 1;
    BN_free(bx);
    BN_free(by);
    EC_POINT_free(point);
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_group);
    EC_KEY *key = key_new(x, y);
    ECDSA_SIG *sig = sig_new(r, s);
    bool valid = key && sig && ECDSA_do_verify(hash->b, sizeof hash->b, sig, key) == 1;
    ECDSA_SIG_free(sig);
    EC_KEY_free(key);
    return valid;
}
