#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "prim/hex.h"
#include "prim/keccak.h"
#include "prim/rlp.h"
#include "state/trie.h"

/* --- a second, naive trie: recursion over sorted pairs, buffers everywhere --------------------- */

struct pair {
    u8 key[40];
    u8 value[80];
    u8 key_len, value_len; /* value_len 0: a hole */
};

struct model {
    struct pair pairs[256];
    size_t count;
};

static int pair_cmp(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    size_t len = p->key_len < q->key_len ? p->key_len : q->key_len;
    int order = memcmp(p->key, q->key, len);
    return order ? order : p->key_len - q->key_len;
}

static struct pair *model_find(struct model *model, const u8 *key, size_t len)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->pairs[i].key_len == len && memcmp(model->pairs[i].key, key, len) == 0)
            return model->pairs + i;
    return NULL;
}

static void model_put(struct model *model, const u8 *key, size_t key_len, const u8 *value,
                      size_t len)
{
    struct pair *pair = model_find(model, key, key_len);
    if (!pair)
        pair = model->pairs + model->count++;
    memcpy(pair->key, key, key_len);
    memcpy(pair->value, value, len);
    pair->key_len = (u8)key_len;
    pair->value_len = (u8)len;
}

static bool model_del(struct model *model, const u8 *key, size_t len)
{
    struct pair *pair = model_find(model, key, len);
    if (!pair)
        return false;
    *pair = model->pairs[--model->count];
    return true;
}

static unsigned nibble_at(const struct pair *pair, size_t i)
{
    return i & 1 ? pair->key[i / 2] & 15 : pair->key[i / 2] >> 4;
}

static void hex_prefix(struct buf *out, const struct pair *pair, size_t begin, size_t end,
                       bool leaf)
{
    u8 bytes[64];
    size_t n = 0;
    bool odd = (end - begin) % 2;
    bytes[n++] = (u8)((leaf ? 0x20 : 0) | (odd ? 0x10 | nibble_at(pair, begin) : 0));
    for (size_t i = begin + odd; i < end; i += 2)
        bytes[n++] = (u8)(nibble_at(pair, i) << 4 | nibble_at(pair, i + 1));
    rlp_put_bytes(out, bytes, n);
}

static void naive_node(struct buf *out, struct pair *pairs, size_t count, size_t depth);

static void naive_ref(struct buf *out, struct pair *pairs, size_t count, size_t depth)
{
    struct buf node;
    buf_init(&node, 1 << 20);
    naive_node(&node, pairs, count, depth);
    hash32 hash;
    keccak256(&hash, node.data, node.len);
    if (node.len < 32)
        rlp_put_raw(out, node.data, node.len);
    else
        rlp_put_hash(out, &hash);
    buf_fini(&node);
}

static void naive_branch(struct buf *out, struct pair *pairs, size_t count, size_t depth)
{
    size_t mark = rlp_list_begin(out), at = 0;
    const struct pair *value = NULL;
    if (pairs[0].key_len * 2u == depth)
        value = pairs + at++;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        size_t end = at;
        while (end < count && nibble_at(pairs + end, depth) == nibble)
            end++;
        if (end == at)
            rlp_put_bytes(out, NULL, 0);
        else
            naive_ref(out, pairs + at, end - at, depth + 1);
        at = end;
    }
    rlp_put_bytes(out, value ? value->value : NULL, value ? value->value_len : 0);
    rlp_list_end(out, mark);
}

static void naive_node(struct buf *out, struct pair *pairs, size_t count, size_t depth)
{
    if (count == 1) {
        size_t mark = rlp_list_begin(out);
        hex_prefix(out, pairs, depth, pairs->key_len * 2u, true);
        rlp_put_bytes(out, pairs->value, pairs->value_len);
        rlp_list_end(out, mark);
        return;
    }
    size_t end = depth;
    const struct pair *last = pairs + count - 1;
    while (end < pairs->key_len * 2u && nibble_at(pairs, end) == nibble_at(last, end))
        end++;
    if (end == depth) {
        naive_branch(out, pairs, count, depth);
        return;
    }
    size_t mark = rlp_list_begin(out);
    hex_prefix(out, pairs, depth, end, false);
    naive_ref(out, pairs, count, end);
    rlp_list_end(out, mark);
}

static hash32 naive_root(struct model *model)
{
    if (model->count == 0)
        return TRIE_EMPTY_ROOT;
    qsort(model->pairs, model->count, sizeof *model->pairs, pair_cmp);
    struct buf node;
    hash32 root;
    buf_init(&node, 1 << 20);
    naive_node(&node, model->pairs, model->count, 0);
    keccak256(&root, node.data, node.len);
    buf_fini(&node);
    return root;
}

static hash32 sorted_root(struct model *model)
{
    struct trie_item items[256];
    hash32 root;
    for (size_t i = 0; i < model->count; i++) {
        struct pair *pair = model->pairs + i;
        items[i] = (struct trie_item){pair->key, pair->value, pair->key_len, pair->value_len};
    }
    trie_root_sorted(&root, items, model->count);
    return root;
}

static u64 random_state = 42;

static u64 random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Keys that share much: few symbols, lengths from none to long. */
static size_t random_key(u8 key[40], bool same_length)
{
    static const u8 symbols[] = {0x00, 0x01, 0x10, 0x11, 0xff};
    size_t len = same_length ? 32 : random_next() % 6;
    for (size_t i = 0; i < len; i++)
        key[i] = same_length && i > 1 ? 7 : symbols[random_next() % sizeof symbols];
    if (same_length)
        key[31] = (u8)random_next() & 3;
    return len;
}

/* --- the source: a second trie that fetches its nodes from the first -------------------------- */

struct donor {
    struct trie *trie;
    struct arena arena;
};

static const u8 *donor_get(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                           size_t *len)
{
    struct donor *donor = ctx;
    (void)owner;
    return trie_node(donor->trie, path, path_len, &donor->arena, len);
}

static void check_against_model(struct trie *trie, struct model *model)
{
    hash32 root, want = naive_root(model), sorted = sorted_root(model);
    trie_root(trie, &root);
    CHECK_MEM(root.b, want.b, 32);
    CHECK_MEM(sorted.b, want.b, 32);
    for (size_t i = 0; i < model->count; i++) {
        size_t len;
        const struct pair *pair = model->pairs + i;
        const u8 *value = trie_get(trie, pair->key, pair->key_len, &len);
        CHECK(value);
        CHECK_EQ(len, pair->value_len);
        CHECK_MEM(value, pair->value, len);
    }
}

/* Neighbours of every key, and of one that may not be there. The model is sorted by now. */
static void check_order(struct trie *trie, struct model *model)
{
    size_t len;
    for (size_t i = 0; i < model->count; i++) {
        const struct pair *pair = model->pairs + i;
        const u8 *next = trie_next(trie, pair->key, pair->key_len, &len);
        CHECK((next != NULL) == (i + 1 < model->count));
        CHECK(!next || (len == pair[1].key_len && memcmp(next, pair[1].key, len) == 0));
        const u8 *prev = trie_prev(trie, pair->key, pair->key_len, &len);
        CHECK((prev != NULL) == (i > 0));
        CHECK(!prev || (len == pair[-1].key_len && memcmp(prev, pair[-1].key, len) == 0));
    }
    struct pair asked = {.key_len = (u8)(random_next() % 6)};
    for (size_t i = 0; i < asked.key_len; i++)
        asked.key[i] = (u8)random_next();
    size_t at = 0;
    while (at < model->count && pair_cmp(model->pairs + at, &asked) <= 0)
        at++;
    const u8 *next = trie_next(trie, asked.key, asked.key_len, &len);
    CHECK((next != NULL) == (at < model->count));
    CHECK(!next || memcmp(next, model->pairs[at].key, len) == 0);
}

static void random_change(struct trie *trie, struct model *model, bool same_length)
{
    u8 key[40], value[80];
    size_t key_len = random_key(key, same_length);
    if (random_next() % 3 == 0 || model->count >= 250) {
        CHECK(trie_del(trie, key, key_len) == model_del(model, key, key_len));
        return;
    }
    size_t len = 1 + random_next() % (random_next() % 2 ? 3 : 79);
    memset(value, (u8)random_next(), len);
    trie_put(trie, key, key_len, value, len);
    model_put(model, key, key_len, value, len);
}

/* Every few changes, the work goes on in a trie that must fetch what it needs from the last one. */
static void run_random(bool same_length, bool by_source)
{
    struct trie_pool *pool = trie_pool_new();
    struct model *model = NEW(struct model);
    struct trie tries[2];
    struct donor donor = {0};
    const struct trie_source source = {donor_get, &donor};
    struct trie *trie = tries;
    trie_init(trie, pool);
    arena_init(&donor.arena);
    for (int round = 0; round < 300; round++) {
        for (u64 n = random_next() % 20; n > 0; n--)
            random_change(trie, model, same_length);
        check_against_model(trie, model);
        check_order(trie, model);
        if (by_source) {
            hash32 root;
            struct trie *old = trie;
            trie_root(old, &root);
            trie = tries + (trie == tries);
            donor.trie = old;
            trie_init_source(trie, pool, &source, &root, &root);
            for (int n = 0; n < 5; n++)
                random_change(trie, model, same_length);
            check_against_model(trie, model);
            trie_clear(old);
            trie->source = NULL; /* everything was read */
            arena_reset(&donor.arena);
        }
    }
    trie_clear(trie);
    trie_pool_free(pool);
    arena_fini(&donor.arena);
    mem_free(model);
}

static const u8 *donor_get_at_times(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                                    size_t *len)
{
    return random_next() % 4 ? donor_get(ctx, owner, path, path_len, len) : NULL;
}

/* What comes of it then is no trie, and no fault of the program either. */
TEST(trie_survives_a_source_that_fails)
{
    struct trie_pool *pool = trie_pool_new();
    struct trie whole, trie;
    struct donor donor = {.trie = &whole};
    const struct trie_source source = {donor_get_at_times, &donor};
    u8 key[40], value[3] = {1, 2, 3};
    hash32 root;
    trie_init(&whole, pool);
    arena_init(&donor.arena);
    for (int round = 0; round < 2000; round++) {
        trie_put(&whole, key, random_key(key, true), value, sizeof value);
        trie_root(&whole, &root);
        trie_init_source(&trie, pool, &source, &root, &root);
        for (int n = 0; n < 20; n++) {
            size_t len = random_key(key, true);
            if (random_next() % 2)
                trie_put(&trie, key, len, value, sizeof value);
            else
                (void)trie_del(&trie, key, len);
            trie_root(&trie, &root);
        }
        trie_clear(&trie);
        arena_reset(&donor.arena);
    }
    trie_clear(&whole);
    trie_pool_free(pool);
    arena_fini(&donor.arena);
}

TEST(trie_equals_naive_with_mixed_keys)
{
    run_random(false, false);
}

TEST(trie_equals_naive_with_hashed_keys)
{
    run_random(true, false);
}

TEST(trie_equals_naive_when_nodes_are_fetched)
{
    run_random(false, true);
    run_random(true, true);
}

static hash32 hash_of(const char *text)
{
    hash32 hash;
    CHECK(hex_decode_exact(hash.b, 32, text, strlen(text)) == HEX_OK);
    return hash;
}

/* ethereum-tests TrieTests/trietest.json "emptyValues". */
TEST(trie_official_example)
{
    static const char *const steps[][2] = {
        {"do", "verb"},   {"ether", "wookiedoo"}, {"horse", "stallion"}, {"shaman", "horse"},
        {"doge", "coin"}, {"ether", NULL},        {"dog", "puppy"},      {"shaman", NULL},
    };
    struct trie_pool *pool = trie_pool_new();
    struct trie trie;
    trie_init(&trie, pool);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        const u8 *key = (const u8 *)steps[i][0], *value = (const u8 *)steps[i][1];
        if (value)
            trie_put(&trie, key, strlen(steps[i][0]), value, strlen(steps[i][1]));
        else
            CHECK(trie_del(&trie, key, strlen(steps[i][0])));
    }
    hash32 root,
        want = hash_of("0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    trie_root(&trie, &root);
    CHECK_MEM(root.b, want.b, 32);
    trie_pool_free(pool);
}

/* The list root against one that is put together key by key, around every change of key length. */
TEST(trie_list_equals_trie)
{
    static const size_t counts[] = {0, 1, 2, 126, 127, 128, 129, 130, 255, 256, 257, 300};
    u8 value[700];
    const u8 *items[300];
    size_t lens[300];
    for (size_t i = 0; i < 300; i++) {
        items[i] = value + i % 50;
        lens[i] = 1 + i * 2 % 640;
    }
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (u8)(i * 37 + 1);
    struct arena arena;
    arena_init(&arena);
    for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
        struct trie_pool *pool = trie_pool_new();
        struct trie trie;
        trie_init(&trie, pool);
        for (size_t i = 0; i < counts[c]; i++) {
            struct buf key;
            buf_init(&key, 16);
            rlp_put_uint(&key, i);
            trie_put(&trie, key.data, key.len, items[i], lens[i]);
            buf_fini(&key);
        }
        hash32 root, want;
        trie_root(&trie, &want);
        trie_root_list(&root, items, lens, counts[c], &arena);
        CHECK_MEM(root.b, want.b, 32);
        trie_pool_free(pool);
    }
    arena_fini(&arena);
}

/* --- proofs, followed by one who has only the root ------------------------------------------------ */

enum { PROOF_MAX = 64 };

struct proof {
    struct buf nodes[PROOF_MAX];
    size_t count;
};

static void proof_add(void *arg, const u8 *node, size_t len)
{
    struct proof *proof = arg;
    CHECK(proof->count < PROOF_MAX);
    struct buf *copy = proof->nodes + proof->count++;
    buf_init(copy, 1 << 16);
    buf_add(copy, node, len);
}

static void proof_fini(struct proof *proof)
{
    for (size_t i = 0; i < proof->count; i++)
        buf_fini(proof->nodes + i);
}

/* Where the follower stands: the key's nibbles, how many are behind it, and the next node. */
struct follower {
    u8 nibbles[2 * TRIE_KEY_MAX];
    size_t len, at;
    const struct proof *proof;
    size_t used;
};

/* The list of the node that a reference names: the node itself, or a hash of the proof's next. */
static bool follow_ref(struct follower *follower, const struct rlp_item *ref, struct rlp *node)
{
    if (ref->is_list) {
        *node = rlp_open(ref->payload, ref->len);
        return true;
    }
    if (ref->len == 0)
        return false;
    CHECK_EQ(ref->len, 32);
    CHECK(follower->used < follower->proof->count);
    const struct buf *next = follower->proof->nodes + follower->used++;
    hash32 hash;
    keccak256(&hash, next->data, next->len);
    CHECK_MEM(hash.b, ref->payload, 32);
    struct rlp outer = rlp_open(next->data, next->len);
    CHECK(rlp_list(&outer, node) == RLP_OK && rlp_at_end(&outer));
    return true;
}

static bool follow_branch(struct follower *follower, struct rlp items, struct rlp_item *next)
{
    bool ends = follower->at == follower->len;
    unsigned nibble = ends ? 16 : follower->nibbles[follower->at++];
    for (unsigned i = 0; i <= nibble; i++)
        CHECK(rlp_item(&items, next) == RLP_OK);
    return ends;
}

/* False when the path of the node leads elsewhere. */
static bool follow_path(struct follower *follower, const u8 *hp, size_t hp_len)
{
    size_t nibbles = 2 * hp_len - 2 + (hp[0] >> 4 & 1);
    for (size_t i = 0; i < nibbles; i++) {
        size_t from = i + 2 - (hp[0] >> 4 & 1);
        unsigned nibble = from & 1 ? hp[from / 2] & 15 : hp[from / 2] >> 4;
        if (follower->at == follower->len || follower->nibbles[follower->at] != nibble)
            return false;
        follower->at++;
    }
    return true;
}

/* The value that the proof shows, or NULL for absence. All of the proof must be needed. */
static const u8 *proof_value(const struct proof *proof, const hash32 *root, const u8 *key,
                             size_t key_len, size_t *len)
{
    struct follower follower = {.len = 2 * key_len, .proof = proof};
    for (size_t i = 0; i < 2 * key_len; i++)
        follower.nibbles[i] = i & 1 ? key[i / 2] & 15 : key[i / 2] >> 4;
    struct rlp_item ref = {.payload = root->b, .len = 32};
    struct rlp node;
    while (follow_ref(&follower, &ref, &node)) {
        size_t count, hp_len;
        const u8 *hp;
        CHECK(rlp_count(node, &count) == RLP_OK);
        bool is_end;
        if (count == 17) {
            is_end = follow_branch(&follower, node, &ref);
        } else {
            CHECK(rlp_bytes(&node, &hp, &hp_len) == RLP_OK);
            if (!follow_path(&follower, hp, hp_len))
                break;
            CHECK(rlp_item(&node, &ref) == RLP_OK);
            is_end = hp[0] >> 5;
        }
        if (is_end) {
            CHECK_EQ(follower.used, proof->count);
            *len = ref.len;
            return ref.len && follower.at == follower.len ? ref.payload : NULL;
        }
    }
    CHECK_EQ(follower.used, proof->count);
    return NULL;
}

static void check_proof(struct trie *trie, const u8 *key, size_t key_len)
{
    struct proof proof = {.count = 0};
    size_t len, want_len;
    hash32 root;
    trie_root(trie, &root);
    trie_prove(trie, key, key_len, proof_add, &proof);
    const u8 *want = trie_get(trie, key, key_len, &want_len);
    const u8 *value = proof_value(&proof, &root, key, key_len, &len);
    CHECK((value != NULL) == (want != NULL));
    if (want) {
        CHECK_EQ(len, want_len);
        CHECK_MEM(value, want, len);
    }
    proof_fini(&proof);
}

TEST(trie_proofs_convince_who_has_the_root)
{
    struct trie_pool *pool = trie_pool_new();
    struct model *model = NEW(struct model);
    for (int round = 0; round < 100; round++) {
        bool same_length = round & 1;
        struct trie trie;
        trie_init(&trie, pool);
        model->count = 0;
        for (u64 n = 1 + random_next() % 60; n > 0; n--)
            random_change(&trie, model, same_length);
        for (int n = 0; n < 30 && !trie_is_empty(&trie); n++) {
            u8 key[40];
            size_t key_len = random_key(key, same_length);
            check_proof(&trie, key, key_len);
        }
        trie_clear(&trie);
    }
    mem_free(model);
    trie_pool_free(pool);
}
