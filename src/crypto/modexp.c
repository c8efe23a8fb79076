#include "crypto/modexp.h"

#include <gmp.h>
#include <string.h>

static void import_be(mpz_t out, const u8 *bytes, size_t len)
{
    mpz_init(out);
    if (len)
        mpz_import(out, len, 1, 1, 0, 0, bytes);
}

void modexp(u8 *out, const u8 *base, size_t base_len, const u8 *exponent, size_t exponent_len,
            const u8 *modulus, size_t modulus_len)
{
    if (modulus_len == 0)
        return;
    mpz_t b, e, m, r;
    import_be(b, base, base_len);
    import_be(e, exponent, exponent_len);
    import_be(m, modulus, modulus_len);
    mpz_init(r);
    /* GMP's result for an exponent of zero is 1 even modulo 1. */
    if (mpz_cmp_ui(m, 1) > 0)
        mpz_powm(r, b, e, m);
    memset(out, 0, modulus_len);
    size_t len = (mpz_sizeinbase(r, 2) + 7) / 8;
    if (mpz_sgn(r))
        mpz_export(out + modulus_len - len, NULL, 1, 1, 0, 0, r);
    mpz_clears(b, e, m, r, NULL);
}
