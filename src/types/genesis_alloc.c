/* The part "alloc" of a genesis file: accounts by address. */
#include <stdlib.h>
#include <string.h>

#include "prim/hex.h"
#include "types/genesis_int.h"

/* Something that may stand in an object once only, whichever way it is written. */
struct named {
    hash32 name;
    u32 index; /* in the object */
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = memcmp(x->name.b, y->name.b, sizeof x->name.b);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void find_doubles(struct genesis_reader *r, struct named *list, u32 count, json object,
                         const char *what)
{
    qsort(list, count, sizeof *list, compare_named);
    for (u32 i = 1; i < count && !genesis_is_over(r); i++) {
        if (memcmp(list[i].name.b, list[i - 1].name.b, sizeof list[i].name.b) != 0)
            continue;
        struct json_iter it = json_iter(object);
        it.index = list[i].index;
        if (json_next(&it)) {
            genesis_push(r, list[i].index, it.key);
            genesis_key_mistake(r, "the %s is given twice", what);
            genesis_pop(r);
        }
    }
}

/* Storage keys and values: up to 32 bytes of hex, filled up with zeroes on the left. */
static bool read_word(struct genesis_reader *r, hash32 *out, const char *text, size_t len)
{
    char prefixed[67];
    bool has_prefix = len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    size_t digits = has_prefix ? len - 2 : len;
    u256 word = U256_ZERO;
    if (digits <= 64) {
        memcpy(prefixed, "0x", 2);
        memcpy(prefixed + 2, text + (has_prefix ? 2 : 0), digits);
    }
    if (digits > 64 || (digits && !u256_parse_n(&word, prefixed, digits + 2))) {
        genesis_mistake(r, "\"%.*s\" is not a word of up to 32 bytes in hex",
                        (int)(len > 80 ? 80 : len), text);
        return false;
    }
    *out = u256_to_hash(word);
    return true;
}

static void read_storage(struct genesis_reader *r, void *place, json value)
{
    struct genesis_account *account = place;
    if (!genesis_wants(r, value, JSON_KIND_OBJECT))
        return;
    struct json_iter it = json_iter(value);
    size_t n = json_count(value);
    struct genesis_slot *slots = arena_alloc(r->arena, n * sizeof *slots);
    struct named *names = arena_alloc(r->arena, n * sizeof *names);
    u32 count = 0;
    while (!genesis_is_over(r) && json_next(&it)) {
        size_t len = 0;
        genesis_push(r, (u32)it.index - 1, it.key);
        const char *text = json_text_len(it.value, &len);
        if (read_word(r, &slots[count].key, it.key, it.key_len) &&
            genesis_wants(r, it.value, JSON_KIND_STRING) &&
            read_word(r, &slots[count].value, text, len)) {
            names[count] = (struct named){slots[count].key, (u32)it.index - 1};
            count++;
        }
        genesis_pop(r);
    }
    find_doubles(r, names, count, value, "slot");
    account->slots = slots;
    account->slot_count = count;
}

struct code {
    struct genesis_account account;
    struct genesis_bytes bytes;
};

static const struct genesis_key account_keys[] = {
    {"balance", genesis_read_u256, offsetof(struct code, account.balance)},
    {"nonce", genesis_read_u64, offsetof(struct code, account.nonce)},
    {"code", genesis_read_bytes, offsetof(struct code, bytes)},
    {"storage", read_storage, offsetof(struct code, account)},
    /* Test files and developers note these here. */
    {"secretKey", NULL, 0},
    {"privateKey", NULL, 0},
    {"comment", NULL, 0},
    {0},
};

static bool read_account(struct genesis_reader *r, struct genesis_account *out,
                         const struct json_iter *it)
{
    struct genesis_seen seen;
    struct code code = {0};
    u32 mistakes = r->mistakes;
    if (genesis_read_fixed(r, code.account.addr.b, sizeof code.account.addr.b, it->key,
                           it->key_len))
        genesis_read_object(r, account_keys, &code, &seen, it->value);
    if (r->mistakes == mistakes && !genesis_has(&seen, account_keys, "balance"))
        genesis_key_mistake(r, "the account has no balance");
    code.account.code = code.bytes.bytes;
    code.account.code_len = code.bytes.len;
    *out = code.account;
    return r->mistakes == mistakes;
}

void genesis_read_alloc(struct genesis_reader *r, void *place, json value)
{
    struct genesis_accounts *accounts = place;
    if (!genesis_wants(r, value, JSON_KIND_OBJECT))
        return;
    struct json_iter it = json_iter(value);
    size_t n = json_count(value);
    struct genesis_account *list = arena_alloc(r->arena, n * sizeof *list);
    struct named *names = arena_zalloc(r->arena, n * sizeof *names);
    u32 count = 0;
    while (!genesis_is_over(r) && json_next(&it)) {
        genesis_push(r, (u32)it.index - 1, it.key);
        if (read_account(r, &list[count], &it)) {
            memcpy(names[count].name.b, list[count].addr.b, sizeof list[count].addr.b);
            names[count].index = (u32)it.index - 1;
            count++;
        }
        genesis_pop(r);
    }
    find_doubles(r, names, count, value, "address");
    *accounts = (struct genesis_accounts){list, count};
}
