/* OpenSSL's ways that are not deprecated load providers and look algorithms up by name: half of a node's memory
 * and of its start would be theirs, for the one seed that it makes. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/mnemonic.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/sha256.h"

const char *mnemonic_verdict_text(enum mnemonic_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, sentence) sentence,
        MNEMONIC_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

/* --- HMAC-SHA-512 (RFC 2104) ---------------------------------------------------------------- */

/* Hashes that have read the key already, so that a message costs two blocks less. */
struct hmac_key {
    SHA512_CTX inner, outer;
};

static void hmac_key_init(struct hmac_key *out, const void *key, size_t len)
{
    u8 inner[SHA512_CBLOCK] = {0}, outer[SHA512_CBLOCK];
    if (len > sizeof inner) {
        SHA512_Init(&out->inner);
        SHA512_Update(&out->inner, key, len);
        SHA512_Final(inner, &out->inner);
    } else {
        memcpy(inner, key, len);
    }
    for (size_t i = 0; i < sizeof inner; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    SHA512_Init(&out->inner);
    SHA512_Update(&out->inner, inner, sizeof inner);
    SHA512_Init(&out->outer);
    SHA512_Update(&out->outer, outer, sizeof outer);
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
}

/* out may be data. */
static void hmac_sha512(u8 out[SHA512_DIGEST_LENGTH], const struct hmac_key *key, const void *data,
                        size_t len)
{
    SHA512_CTX inner = key->inner, outer = key->outer;
    u8 digest[SHA512_DIGEST_LENGTH];
    SHA512_Update(&inner, data, len);
    SHA512_Final(digest, &inner);
    SHA512_Update(&outer, digest, sizeof digest);
    SHA512_Final(out, &outer);
    OPENSSL_cleanse(&inner, sizeof inner);
    OPENSSL_cleanse(&outer, sizeof outer);
    OPENSSL_cleanse(digest, sizeof digest);
}

/* --- BIP-39 --------------------------------------------------------------------------------- */

/* The list of the BIP's repository: 2048 lines in rising order. */
__asm__(".section .rodata\n"
        ".globl mnemonic_words, mnemonic_words_end\n"
        ".hidden mnemonic_words, mnemonic_words_end\n"
        "mnemonic_words:\n"
        ".incbin \"src/crypto/bip39_english.txt\"\n"
        "mnemonic_words_end:\n"
        ".byte 0\n"
        ".previous\n");
extern const char mnemonic_words[], mnemonic_words_end[];

enum { WORDS_MAX = 24, WORD_BITS = 11 };

/* The place of a word in the list, or -1. */
static int word_index(const char *word, size_t len)
{
    int index = 0;
    for (const char *line = mnemonic_words; line < mnemonic_words_end; index++) {
        const char *end = strchr(line, '\n');
        if ((size_t)(end - line) == len && memcmp(line, word, len) == 0)
            return index;
        line = end + 1;
    }
    return -1;
}

/* Writes the words' eleven bits each, most significant first; the count, or -1 for an unknown word. */
static int words_to_bits(u8 bits[(WORDS_MAX * WORD_BITS + 7) / 8], const char *words)
{
    int count = 0;
    for (;;) {
        size_t len = strcspn(words, " ");
        int index = word_index(words, len);
        if (len == 0 || count == WORDS_MAX)
            return 0;
        if (index < 0)
            return -1;
        for (int i = 0; i < WORD_BITS; i++) {
            int at = count * WORD_BITS + i;
            if (index >> (WORD_BITS - 1 - i) & 1)
                bits[at / 8] |= (u8)(0x80 >> at % 8);
        }
        count++;
        if (words[len] == 0)
            return count;
        words += len + 1;
    }
}

enum mnemonic_verdict mnemonic_check(const char *words)
{
    u8 bits[(WORDS_MAX * WORD_BITS + 7) / 8] = {0};
    int count = words_to_bits(bits, words);
    if (count < 0)
        return MNEMONIC_UNKNOWN_WORD;
    if (count < 12 || count % 3)
        return MNEMONIC_BAD_COUNT;
    /* Of 33 bits 32 are entropy and one is checksum, which is the beginning of the entropy's hash. */
    size_t entropy_len = (size_t)count / 3 * 4;
    unsigned check_bits = (unsigned)count / 3;
    hash32 hash;
    sha256(&hash, bits, entropy_len);
    u8 mask = (u8)(0xff00 >> check_bits);
    return ((hash.b[0] ^ bits[entropy_len]) & mask) == 0 ? MNEMONIC_OK : MNEMONIC_BAD_CHECKSUM;
}

void mnemonic_seed(u8 seed[MNEMONIC_SEED_SIZE], const char *words, const char *passphrase)
{
    /* RFC 8018, section 5.2: the salt is followed by the block's number, and the seed is one block. */
    enum { BLOCK_NUMBER_SIZE = 4 };
    char salt[8 + 256 + BLOCK_NUMBER_SIZE];
    int len = snprintf(salt, sizeof salt - BLOCK_NUMBER_SIZE, "mnemonic%s", passphrase);
    assert(len > 0 && (size_t)len < sizeof salt - BLOCK_NUMBER_SIZE);
    memcpy(salt + len, (const u8[]){0, 0, 0, 1}, BLOCK_NUMBER_SIZE);
    struct hmac_key key;
    u8 block[MNEMONIC_SEED_SIZE], sum[MNEMONIC_SEED_SIZE];
    hmac_key_init(&key, words, strlen(words));
    hmac_sha512(block, &key, salt, (size_t)len + BLOCK_NUMBER_SIZE);
    memcpy(sum, block, sizeof sum);
    for (int i = 1; i < 2048; i++) {
        hmac_sha512(block, &key, block, sizeof block);
        for (size_t j = 0; j < sizeof sum; j++)
            sum[j] ^= block[j];
    }
    memcpy(seed, sum, sizeof sum);
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(sum, sizeof sum);
}

/* --- BIP-32 --------------------------------------------------------------------------------- */

static void hmac_sha512_once(u8 out[SHA512_DIGEST_LENGTH], const void *key, size_t key_len,
                             const u8 *data, size_t len)
{
    struct hmac_key made;
    hmac_key_init(&made, key, key_len);
    hmac_sha512(out, &made, data, len);
    OPENSSL_cleanse(&made, sizeof made);
}

bool hd_root(struct hd_key *out, const u8 *seed, size_t len)
{
    static const char name[] = "Bitcoin seed";
    u8 mac[64];
    hmac_sha512_once(mac, name, sizeof name - 1, seed, len);
    struct hd_key key;
    memcpy(key.secret.b, mac, 32);
    memcpy(key.chain.b, mac + 32, 32);
    /* Adding zero says whether the secret is one. */
    hash32 zero = {{0}};
    if (!secp256k1_tweak(&key.secret, &zero))
        return false;
    *out = key;
    return true;
}

bool hd_child(struct hd_key *out, const struct hd_key *parent, u32 index,
              const struct secp256k1_signer *signer)
{
    u8 data[37] = {0}, mac[64];
    if (index & HD_HARDENED)
        memcpy(data + 1, parent->secret.b, 32);
    else if (!secp256k1_public_compressed(signer, data, &parent->secret))
        return false;
    for (int i = 0; i < 4; i++)
        data[33 + i] = (u8)(index >> (24 - 8 * i));
    hmac_sha512_once(mac, parent->chain.b, 32, data, sizeof data);
    struct hd_key key = {.secret = parent->secret};
    hash32 tweak;
    memcpy(tweak.b, mac, 32);
    memcpy(key.chain.b, mac + 32, 32);
    if (!secp256k1_tweak(&key.secret, &tweak))
        return false;
    *out = key;
    return true;
}

/* One step of a path: digits, then perhaps an apostrophe or h for hardened. */
static bool parse_step(const char **path, u32 *index)
{
    const char *p = *path;
    u64 value = 0;
    while (*p >= '0' && *p <= '9' && value < HD_HARDENED)
        value = value * 10 + (u64)(*p++ - '0');
    if (p == *path || value >= HD_HARDENED)
        return false;
    if (*p == '\'' || *p == 'h') {
        value |= HD_HARDENED;
        p++;
    }
    *path = p;
    *index = (u32)value;
    return true;
}

bool hd_derive(struct hd_key *out, const struct hd_key *root, const char *path,
               const struct secp256k1_signer *signer)
{
    struct hd_key key = *root;
    if (path[0] != 'm')
        return false;
    for (path++; *path;) {
        u32 index;
        if (path[0] != '/')
            return false;
        path++;
        if (!parse_step(&path, &index) || !hd_child(&key, &key, index, signer))
            return false;
    }
    *out = key;
    return true;
}
