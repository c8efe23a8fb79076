/*
 * Change sets as bytes: counts, then each account with its slots. Numbers without leading zeros,
 * each after its length; hashes of keys are computed again, which is cheaper than keeping them.
 */
#include "base/buf.h"
#include "prim/keccak.h"
#include "state/state_int.h"

enum { CHANGES_VERSION = 1, HAS_CODE = 1, HAS_STORAGE = 2, EXISTS = 4 };

/* --- encoding ---------------------------------------------------------------------------------- */

static void put_u32(struct buf *out, u32 value)
{
    const u8 be[4] = {(u8)(value >> 24), (u8)(value >> 16), (u8)(value >> 8), (u8)value};
    buf_add(out, be, sizeof be);
}

static void put_number(struct buf *out, const u8 *be, size_t len)
{
    while (len > 0 && *be == 0) {
        be++;
        len--;
    }
    buf_add_byte(out, (u8)len);
    buf_add(out, be, len);
}

static void put_u256(struct buf *out, u256 value)
{
    u8 be[32];
    u256_store_be(be, value);
    put_number(out, be, sizeof be);
}

static void put_account(struct buf *out, const struct account *account, u8 flags)
{
    u64 nonce = __builtin_bswap64(account->nonce);
    put_number(out, (const u8 *)&nonce, sizeof nonce);
    put_u256(out, account->balance);
    if (flags & HAS_CODE)
        buf_add(out, account->code_hash.b, sizeof account->code_hash.b);
    if (flags & HAS_STORAGE)
        buf_add(out, account->storage_root.b, sizeof account->storage_root.b);
}

static u8 account_flags(const struct account_change *change)
{
    if (!change->exists)
        return 0;
    bool code = !hash32_eq(&change->account.code_hash, &KECCAK256_EMPTY);
    bool storage = !hash32_eq(&change->account.storage_root, &TRIE_EMPTY_ROOT);
    return (u8)(EXISTS | (code ? HAS_CODE : 0) | (storage ? HAS_STORAGE : 0));
}

void state_changes_encode(struct buf *out, const struct state_changes *changes)
{
    assert(changes->code_count == 0);
    buf_add_byte(out, CHANGES_VERSION);
    put_u32(out, changes->account_count);
    put_u32(out, changes->slot_count);
    for (u32 i = 0; i < changes->account_count; i++) {
        const struct account_change *change = changes->accounts + i;
        u8 flags = account_flags(change);
        buf_add(out, change->addr.b, sizeof change->addr.b);
        buf_add_byte(out, flags);
        if (change->exists)
            put_account(out, &change->account, flags);
        put_u32(out, change->slot_end - change->slot_begin);
        for (u32 s = change->slot_begin; s < change->slot_end; s++) {
            put_u256(out, changes->slots[s].key);
            put_u256(out, changes->slots[s].value);
        }
    }
}

/* --- decoding ---------------------------------------------------------------------------------- */

struct reader {
    const u8 *at, *end;
    bool bad;
};

/* The next len bytes; a block of zeroes, and bad, past the end. */
static const u8 *take(struct reader *in, size_t len)
{
    static const u8 zeroes[32];
    if (in->bad || (size_t)(in->end - in->at) < len) {
        in->bad = true;
        return zeroes;
    }
    in->at += len;
    return in->at - len;
}

static u32 take_u32(struct reader *in)
{
    const u8 *be = take(in, 4);
    return (u32)be[0] << 24 | (u32)be[1] << 16 | (u32)be[2] << 8 | be[3];
}

static u256 take_u256(struct reader *in, size_t max)
{
    u8 be[32] = {0};
    size_t len = *take(in, 1);
    if (len > max) {
        in->bad = true;
        return U256_ZERO;
    }
    const u8 *bytes = take(in, len);
    in->bad |= len && bytes[0] == 0;
    memcpy(be + 32 - len, bytes, len);
    return u256_load_be(be);
}

static hash32 take_hash(struct reader *in)
{
    hash32 hash;
    memcpy(hash.b, take(in, sizeof hash.b), sizeof hash.b);
    return hash;
}

static void take_account(struct reader *in, struct account *account, u8 flags)
{
    account->nonce = take_u256(in, 8).w[0];
    account->balance = take_u256(in, 32);
    if (flags & HAS_CODE) {
        account->code_hash = take_hash(in);
        in->bad |= hash32_eq(&account->code_hash, &KECCAK256_EMPTY);
    }
    if (flags & HAS_STORAGE) {
        account->storage_root = take_hash(in);
        in->bad |= hash32_eq(&account->storage_root, &TRIE_EMPTY_ROOT);
    }
}

static void take_slots(struct reader *in, struct state_changes *changes, u32 begin, u32 end)
{
    for (u32 s = begin; s < end && !in->bad; s++) {
        struct slot_change *slot = changes->slots + s;
        u8 key[32];
        slot->key = take_u256(in, 32);
        slot->value = take_u256(in, 32);
        u256_store_be(key, slot->key);
        keccak256(&slot->key_hash, key, sizeof key);
        in->bad |= s > begin && memcmp(slot[-1].key_hash.b, slot->key_hash.b, 32) >= 0;
    }
}

static void take_change(struct reader *in, struct state_changes *changes, u32 at, u32 *slots)
{
    struct account_change *change = changes->accounts + at;
    *change = (struct account_change){.account = absent_account, .slot_begin = *slots};
    memcpy(change->addr.b, take(in, sizeof change->addr.b), sizeof change->addr.b);
    keccak256(&change->addr_hash, change->addr.b, sizeof change->addr.b);
    in->bad |= at > 0 && memcmp(change[-1].addr_hash.b, change->addr_hash.b, 32) >= 0;
    u8 flags = *take(in, 1);
    change->exists = flags & EXISTS;
    in->bad |= flags > (HAS_CODE | HAS_STORAGE | EXISTS) || (flags && !change->exists);
    if (change->exists)
        take_account(in, &change->account, flags);
    u32 count = take_u32(in);
    in->bad |= count > changes->slot_count - *slots;
    if (in->bad)
        return;
    *slots += count;
    change->slot_end = *slots;
    take_slots(in, changes, change->slot_begin, change->slot_end);
}

enum status state_changes_decode(struct state_changes **out, const u8 *bytes, size_t len,
                                 struct err *err)
{
    enum { ACCOUNT_MIN = 20 + 1 + 4, SLOT_MIN = 2 };
    struct reader in = {bytes, bytes + len, false};
    u8 version = *take(&in, 1);
    u32 accounts = take_u32(&in), slots = take_u32(&in), slot = 0;
    size_t rest = (size_t)(in.end - in.at);
    if (in.bad || version != CHANGES_VERSION || accounts > rest / ACCOUNT_MIN ||
        slots > rest / SLOT_MIN)
        return err_set(err, STATUS_INVALID, "not a change set");
    struct state_changes *changes = changes_new(accounts, slots, 0);
    for (u32 i = 0; i < accounts && !in.bad; i++)
        take_change(&in, changes, i, &slot);
    if (in.bad || slot != slots || in.at != in.end) {
        state_changes_free(changes);
        return err_set(err, STATUS_INVALID, "a change set is malformed");
    }
    *out = changes;
    return STATUS_OK;
}
