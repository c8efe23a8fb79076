#include "dev/accounts.h"

#include "base/mem.h"
#include "crypto/mnemonic.h"
#include "sys/random.h"

static enum status derive(struct dev_accounts *accounts, const char *words, struct err *err)
{
    enum mnemonic_verdict verdict = mnemonic_check(words);
    if (verdict != MNEMONIC_OK)
        return err_set(err, STATUS_INVALID, "--mnemonic: %s", mnemonic_verdict_text(verdict));
    u8 seed[MNEMONIC_SEED_SIZE];
    struct hd_key root, branch, key;
    mnemonic_seed(seed, words, "");
    bool fine = hd_root(&root, seed, sizeof seed) &&
                hd_derive(&branch, &root, "m/44'/60'/0'/0", accounts->signer);
    for (u32 i = 0; fine && i < accounts->count; i++) {
        struct dev_account *account = &accounts->list[i];
        fine = hd_child(&key, &branch, i, accounts->signer);
        account->secret = key.secret;
        fine = fine && secp256k1_addr(accounts->signer, &account->addr, &key.secret);
    }
    if (!fine)
        return err_set(err, STATUS_INVALID, "--mnemonic: these words lead to an invalid key");
    return STATUS_OK;
}

enum status dev_accounts_init(struct dev_accounts *accounts, const char *words, u32 count,
                              struct err *err)
{
    if (count > DEV_ACCOUNTS_MAX)
        return err_set(err, STATUS_TOO_LARGE, "--accounts: at most %u", DEV_ACCOUNTS_MAX);
    u8 seed[32];
    random_fill(seed, sizeof seed);
    struct dev_accounts made = {.count = count};
    made.list = NEW_ARRAY(struct dev_account, count + 1);
    made.signer = secp256k1_signer_new(seed);
    enum status status = derive(&made, words, err);
    if (status == STATUS_OK)
        *accounts = made;
    else
        dev_accounts_fini(&made);
    return status;
}

void dev_accounts_fini(struct dev_accounts *accounts)
{
    secp256k1_signer_free(accounts->signer);
    mem_free(accounts->list);
    *accounts = (struct dev_accounts){0};
}

const struct dev_account *dev_accounts_find(const struct dev_accounts *accounts, const addr20 *addr)
{
    for (u32 i = 0; i < accounts->count; i++)
        if (addr20_eq(&accounts->list[i].addr, addr))
            return &accounts->list[i];
    return NULL;
}
