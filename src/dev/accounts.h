/*
 * The accounts whose keys a development node holds: derived from words (BIP-39, BIP-32, BIP-44's
 * m/44'/60'/0'/0/i), for tests only. Secrets stay in memory as long as the list.
 */
#pragma once

#include "base/status.h"
#include "crypto/secp256k1.h"

struct dev_account {
    addr20 addr;
    hash32 secret;
};

struct dev_accounts {
    struct dev_account *list;
    u32 count;
    struct secp256k1_signer *signer;
};

enum { DEV_ACCOUNTS_MAX = 10000 };

MUST_READ enum status dev_accounts_init(struct dev_accounts *accounts, const char *words, u32 count,
                                        struct err *err);
void dev_accounts_fini(struct dev_accounts *accounts);

/* NULL for an address whose key is not held. */
const struct dev_account *dev_accounts_find(const struct dev_accounts *accounts,
                                            const addr20 *addr);
