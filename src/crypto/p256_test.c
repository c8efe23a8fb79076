#include <string.h>

#include "base/test.h"
#include "crypto/p256.h"
#include "prim/hex.h"

/* The valid case of EIP-7951's vectors, as hash, r, s, x, y. */
static const char *const valid[5] = {
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d",
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac",
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60",
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3",
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
};

static bool verify(const hash32 f[5])
{
    return p256_verify(&f[0], &f[1], &f[2], &f[3], &f[4]);
}

TEST(p256_verify)
{
    hash32 fields[5], changed[5];
    for (int i = 0; i < 5; i++)
        CHECK(hex_decode_bare(fields[i].b, valid[i], 64) == HEX_OK);
    CHECK(verify(fields));
    for (int i = 0; i < 5; i++) {
        memcpy(changed, fields, sizeof fields);
        changed[i].b[31] ^= 1;
        CHECK(!verify(changed));
        memset(&changed[i], 0, sizeof changed[i]);
        CHECK(!verify(changed));
        memset(&changed[i], 0xff, sizeof changed[i]);
        CHECK(!verify(changed));
    }
    memset(changed, 0, sizeof changed);
    CHECK(!verify(changed));
}
