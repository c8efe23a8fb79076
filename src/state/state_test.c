#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "state/disk.h"
#include "state/disk_test.h"
#include "state/history.h"
#include "state/memory.h"
#include "state/state.h"
#include "state/tries.h"

/* --- a naive model: everything in one struct, copied at every checkpoint ------------------------ */

enum { ACCOUNTS = 8, SLOTS = 6, CODES = 4, DEPTH_MAX = 12, BLOCKS = 400 };

struct model_account {
    bool exists, warm, touched, created, destroyed;
    u64 nonce, balance;
    unsigned code; /* 0: none; else a fill byte, as long as itself */
    u64 slots[SLOTS], originals[SLOTS], transient[SLOTS];
    bool slot_warm[SLOTS];
};

struct model {
    struct model_account accounts[ACCOUNTS];
    u64 logs;
};

struct world {
    struct memory_state *memory; /* or else a store */
    struct db_place place;
    struct db *db;
    struct disk_state *disk;
    struct state *state;
    size_t synced, lowest; /* blocks: the last in the store, the lowest head since then */
    struct model now, checkpoints[DEPTH_MAX];
    u32 marks[DEPTH_MAX];
    unsigned depth;
    enum fork fork;
    u64 random;
};

static u64 rnd(struct world *world, u64 below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (world->random >> 11) % below;
}

/* Number 3 is RIPEMD's address only by accident of the first byte: ours begin with 0xa0. */
static addr20 addr_of(unsigned i)
{
    return (addr20){{0xa0, [19] = (u8)i}};
}

static u256 key_of(unsigned i)
{
    return i == SLOTS - 1 ? u256_not(U256_ZERO) : u256_from_u64(i);
}

static u256 value_of(u64 v)
{
    return v & 1 ? u256_from_u64(v) : u256_shl(u256_from_u64(v), 190);
}

static bool model_empty(const struct model_account *account)
{
    return !account->nonce && !account->balance && !account->code;
}

static void model_touch(struct model_account *account)
{
    account->exists = account->touched = true;
}

static void model_begin_tx(struct model *model)
{
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct model_account *account = model->accounts + i;
        account->warm = account->touched = account->created = account->destroyed = false;
        memcpy(account->originals, account->slots, sizeof account->slots);
        memset(account->slot_warm, 0, sizeof account->slot_warm);
        memset(account->transient, 0, sizeof account->transient);
    }
    model->logs = 0;
}

static void model_end_tx(struct model *model, enum fork fork)
{
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct model_account *account = model->accounts + i;
        bool emptied = fork >= FORK_SPURIOUS && account->touched && model_empty(account);
        if (account->destroyed || (account->exists && emptied))
            *account = (struct model_account){0};
    }
}

static bool model_has_storage(const struct model_account *account)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (account->slots[i])
            return true;
    return false;
}

/* --- one random step on both, results compared -------------------------------------------------- */

static void step_account(struct world *world, unsigned i, u64 kind)
{
    struct model_account *account = world->now.accounts + i;
    const addr20 addr = addr_of(i);
    struct state *state = world->state;
    u64 amount = rnd(world, 3) ? rnd(world, 1000) : 0;
    u256 wei = u256_from_u64(amount);
    u8 code[CODES];
    switch (kind) {
    case 0:
        state_add_balance(state, &addr, &wei);
        model_touch(account);
        account->balance += amount;
        break;
    case 1:
        state_set_balance(state, &addr, &wei);
        model_touch(account);
        account->balance = amount;
        break;
    case 2: {
        unsigned to = (unsigned)rnd(world, ACCOUNTS);
        const addr20 to_addr = addr_of(to);
        amount = account->balance ? rnd(world, account->balance + 1) : 0;
        wei = u256_from_u64(amount);
        state_transfer(state, &addr, &to_addr, &wei);
        model_touch(account);
        model_touch(world->now.accounts + to);
        account->balance -= amount;
        world->now.accounts[to].balance += amount;
        break;
    }
    case 3:
        state_set_nonce(state, &addr, amount);
        account->exists = true;
        account->nonce = amount;
        break;
    case 4:
        account->code = (unsigned)rnd(world, CODES);
        memset(code, (int)account->code, sizeof code);
        state_set_code(state, &addr, code, account->code);
        account->exists = true;
        break;
    case 5:
        state_create_account(state, &addr);
        model_touch(account);
        account->created = true;
        account->nonce = account->code = 0;
        memset(account->slots, 0, sizeof account->slots);
        break;
    case 6:
        CHECK(state_mark_destroyed(state, &addr) == !account->destroyed);
        model_touch(account);
        account->balance = 0;
        account->destroyed = true;
        break;
    case 7:
        CHECK(state_account_warm(state, &addr) == !account->warm);
        account->warm = true;
        break;
    case 8:
        state_touch(state, &addr);
        model_touch(account);
        break;
    default: {
        const hash32 topics[2] = {{{1}}, {{2}}};
        state_add_log(state, &addr, topics, (u32)rnd(world, 3), code, 0);
        world->now.logs++;
    }
    }
}

static void step_slot(struct world *world, unsigned i, unsigned s, u64 kind)
{
    struct model_account *account = world->now.accounts + i;
    const addr20 addr = addr_of(i);
    const u256 key = key_of(s), value = value_of(rnd(world, 3) ? rnd(world, 5) : 0);
    bool cold;
    /* Contracts run at accounts that exist. */
    if (!account->exists)
        return;
    switch (kind) {
    case 0: {
        u256 got = state_storage_get(world->state, &addr, &key, &cold);
        CHECK(u256_eq(got, value_of(account->slots[s])));
        CHECK(cold == !account->slot_warm[s]);
        account->slot_warm[s] = true;
        break;
    }
    case 1:
        CHECK(state_slot_warm(world->state, &addr, &key) == !account->slot_warm[s]);
        account->slot_warm[s] = true;
        break;
    case 2: {
        u256 got = state_transient_get(world->state, &addr, &key);
        CHECK(u256_eq(got, value_of(account->transient[s])));
        account->transient[s] = rnd(world, 4);
        got = value_of(account->transient[s]);
        state_transient_set(world->state, &addr, &key, &got);
        break;
    }
    default: {
        struct state_slot slot = state_storage_slot(world->state, &addr, &key);
        CHECK(slot.was_cold == !account->slot_warm[s]);
        CHECK(u256_eq(slot.current, value_of(account->slots[s])));
        CHECK(u256_eq(slot.original, value_of(account->originals[s])));
        account->slot_warm[s] = true;
        account->slots[s] = u256_is_zero(value) ? 0 : rnd(world, 6);
        u256 set = value_of(account->slots[s]);
        state_storage_set(world->state, slot.handle, &set);
    }
    }
}

static void check_account(struct world *world, unsigned i)
{
    const struct model_account *account = world->now.accounts + i;
    const addr20 addr = addr_of(i);
    struct state *state = world->state;
    CHECK_EQ(state_account_exists(state, &addr), account->exists);
    CHECK_EQ(state_account_is_empty(state, &addr), model_empty(account));
    CHECK_EQ(state_nonce(state, &addr), account->nonce);
    CHECK_EQ(u256_low(state_balance(state, &addr)), account->balance);
    CHECK_EQ(state_created_in_tx(state, &addr), account->created);
    CHECK_EQ(state_has_storage(state, &addr), model_has_storage(account));
    struct state_code code = state_code(state, &addr);
    CHECK_EQ(code.len, account->code);
    for (size_t n = 0; n < code.len; n++)
        CHECK_EQ(code.bytes[n], account->code);
    hash32 hash = state_code_hash(state, &addr);
    CHECK_EQ(hash32_is_zero(&hash), !account->exists || model_empty(account));
    for (unsigned s = 0; s < SLOTS; s++) {
        u256 key = key_of(s), got = state_storage_peek(state, &addr, &key);
        CHECK(u256_eq(got, value_of(account->slots[s])));
    }
}

static void check_all(struct world *world)
{
    size_t logs;
    for (unsigned i = 0; i < ACCOUNTS; i++)
        check_account(world, i);
    state_logs(world->state, &logs);
    CHECK_EQ(logs, world->now.logs);
}

static void step(struct world *world)
{
    unsigned i = (unsigned)rnd(world, ACCOUNTS), s = (unsigned)rnd(world, SLOTS);
    u64 kind = rnd(world, 24);
    if (kind < 2 && world->depth < DEPTH_MAX) {
        world->marks[world->depth] = state_checkpoint(world->state);
        world->checkpoints[world->depth++] = world->now;
    } else if (kind < 4 && world->depth) {
        unsigned to = (unsigned)rnd(world, world->depth);
        world->depth = to;
        world->now = world->checkpoints[to];
        state_rollback(world->state, world->marks[to]);
    } else if (kind < 14) {
        step_account(world, i, kind - 4);
    } else {
        step_slot(world, i, s, rnd(world, 6));
    }
}

static void run_tx(struct world *world)
{
    state_begin_tx(world->state);
    model_begin_tx(&world->now);
    world->depth = 0;
    for (u64 n = rnd(world, 40); n > 0; n--) {
        step(world);
        if (rnd(world, 8) == 0)
            check_all(world);
    }
    state_end_tx(world->state, world->fork);
    model_end_tx(&world->now, world->fork);
    for (unsigned i = 0; i < ACCOUNTS; i++)
        world->now.accounts[i].created = false;
    check_all(world);
}

/* --- the root of a model, by the list builder ---------------------------------------------------- */

static int item_cmp(const void *a, const void *b)
{
    return memcmp(((const struct trie_item *)a)->key, ((const struct trie_item *)b)->key, 32);
}

static void sort_items(struct trie_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && item_cmp(items + j, items + j - 1) < 0; j--) {
            struct trie_item swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
}

static hash32 model_storage_root(const struct model_account *account)
{
    hash32 keys[SLOTS], root;
    u8 values[SLOTS][33];
    struct trie_item items[SLOTS];
    size_t count = 0;
    for (unsigned s = 0; s < SLOTS; s++) {
        if (!account->slots[s])
            continue;
        u8 key[32], value[32];
        u256_store_be(key, key_of(s));
        keccak256(keys + count, key, 32);
        u256_store_be(value, value_of(account->slots[s]));
        size_t skip = 0, len;
        while (!value[skip])
            skip++;
        len = 32 - skip;
        u8 *out = values[count];
        out[0] = (u8)(0x80 + len);
        memcpy(out + (len > 1 || value[skip] >= 0x80), value + skip, len);
        items[count] = (struct trie_item){keys[count].b, out, 32,
                                          (u32)(len + (len > 1 || value[skip] >= 0x80))};
        count++;
    }
    sort_items(items, count);
    trie_root_sorted(&root, items, count);
    return root;
}

static hash32 model_root(const struct model *model)
{
    hash32 keys[ACCOUNTS], root;
    u8 values[ACCOUNTS][ACCOUNT_RLP_MAX];
    struct trie_item items[ACCOUNTS];
    size_t count = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const struct model_account *account = model->accounts + i;
        if (!account->exists)
            continue;
        const addr20 addr = addr_of(i);
        u8 code[CODES];
        memset(code, (int)account->code, sizeof code);
        struct account record = {account->nonce, u256_from_u64(account->balance)};
        keccak256(&record.code_hash, code, account->code);
        record.storage_root = model_storage_root(account);
        keccak256(keys + count, addr.b, 20);
        u32 len = (u32)account_encode(values[count], &record);
        items[count] = (struct trie_item){keys[count].b, values[count], 32, len};
        count++;
    }
    sort_items(items, count);
    trie_root_sorted(&root, items, count);
    return root;
}

static void check_root(struct state *state, const struct model *model)
{
    hash32 root, want = model_root(model);
    state_root(state, &root);
    CHECK_MEM(root.b, want.b, 32);
}

/* --- blocks -------------------------------------------------------------------------------------- */

enum { NODES_MAX = 20000 };

static struct state_backend world_backend(const struct world *world)
{
    return world->memory ? memory_state_backend(world->memory) : disk_state_backend(world->disk);
}

static void state_open(struct world *world, u64 seed)
{
    struct state_backend backend = world_backend(world);
    world->state = state_new(&backend, seed);
    state_set_cache(world->state, seed % 2 ? 4 : 100, 20);
}

static void world_init(struct world *world, u64 seed, enum fork fork, bool on_disk)
{
    *world = (struct world){.random = seed * 0x9e3779b97f4a7c15 + 1, .fork = fork};
    if (on_disk) {
        world->place = db_place_new();
        world->db = db_place_open(&world->place);
        world->disk = disk_state_new(world->db, seed % 3 ? NODES_MAX : 1, seed);
    } else {
        world->memory = memory_state_new(seed);
    }
    state_open(world, seed);
}

static void world_fini(struct world *world)
{
    state_free(world->state);
    memory_state_free(world->memory);
    disk_state_free(world->disk);
    db_close(world->db);
    if (world->disk)
        db_place_remove(&world->place);
}

/* What was committed goes to the store; sometimes all is closed and opened again. */
static void world_sync(struct world *world, size_t head)
{
    db_begin(world->db);
    disk_state_save(world->disk);
    CHECK_EQ(db_commit(world->db, NULL), STATUS_OK);
    disk_check_nodes(world->db);
    world->synced = world->lowest = head;
    if (rnd(world, 2))
        return;
    state_free(world->state);
    disk_state_free(world->disk);
    db_close(world->db);
    u64 seed = rnd(world, 1000);
    world->db = db_place_open(&world->place);
    world->disk = disk_state_new(world->db, seed % 3 ? NODES_MAX : 1, seed);
    state_open(world, seed);
}

/* Everything since the last sync is dropped. */
static void world_go_back(struct world *world)
{
    db_abort(world->db);
    disk_state_forget(world->disk);
    state_forget(world->state);
}

static void run_block(struct world *world)
{
    for (u64 n = rnd(world, 5); n > 0; n--) {
        run_tx(world);
        if (rnd(world, 3) == 0)
            check_root(world->state, &world->now);
    }
}

struct count_slots {
    unsigned found;
    const struct model_account *account;
};

static void count_slot(void *arg, const u256 *key, const u256 *value)
{
    struct count_slots *count = arg;
    for (unsigned s = 0; s < SLOTS; s++)
        if (u256_eq(*key, key_of(s))) {
            CHECK(u256_eq(*value, value_of(count->account->slots[s])));
            count->found++;
        }
}

static void count_account(void *arg, const addr20 *addr, const struct account *account)
{
    (void)addr;
    (void)account;
    ++*(unsigned *)arg;
}

/* A dump names exactly what is there. */
static void check_dump(struct state *state, const struct model *model)
{
    unsigned accounts = 0, want = 0;
    state_each_account(state, count_account, &accounts);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const addr20 addr = addr_of(i);
        struct count_slots count = {0, model->accounts + i};
        unsigned slots = 0;
        for (unsigned s = 0; s < SLOTS; s++)
            slots += model->accounts[i].slots[s] != 0;
        state_each_slot(state, &addr, count_slot, &count);
        CHECK_EQ(count.found, slots);
        want += model->accounts[i].exists;
    }
    CHECK_EQ(accounts, want);
}

static void check_proof(struct state *state, const struct model *model, struct arena *arena)
{
    hash32 root = model_root(model), hash;
    u256 keys[SLOTS];
    for (unsigned s = 0; s < SLOTS; s++)
        keys[s] = key_of(s);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const addr20 addr = addr_of(i);
        const struct model_account *account = model->accounts + i;
        struct state_proof proof;
        state_proof(state, &proof, &addr, keys, SLOTS, arena);
        CHECK_EQ(proof.exists, account->exists);
        if (proof.nodes.count) {
            keccak256(&hash, proof.nodes.nodes[0], proof.nodes.lens[0]);
            CHECK_MEM(hash.b, root.b, 32);
        } else {
            CHECK_MEM(root.b, TRIE_EMPTY_ROOT.b, 32);
        }
        hash32 storage = model_storage_root(account);
        CHECK_MEM(proof.account.storage_root.b, storage.b, 32);
        for (unsigned s = 0; s < SLOTS; s++) {
            CHECK(u256_eq(proof.slots[s].value, value_of(account->slots[s])));
            CHECK_EQ(proof.slots[s].nodes.count == 0, hash32_eq(&storage, &TRIE_EMPTY_ROOT));
            if (proof.slots[s].nodes.count == 0)
                continue;
            keccak256(&hash, proof.slots[s].nodes.nodes[0], proof.slots[s].nodes.lens[0]);
            CHECK_MEM(hash.b, storage.b, 32);
        }
    }
    arena_reset(arena);
}

/* An older block (or the head), seen from the head, and what would be if other things had happened after it. */
static void check_history(struct world *world, const struct model *models,
                          struct state_changes **undo, size_t head, size_t wanted,
                          struct arena *arena)
{
    const struct state_changes *newest_first[BLOCKS];
    for (size_t i = head; i > wanted; i--)
        newest_first[head - i] = undo[i];
    struct state_backend backend = world_backend(world);
    struct history *history = history_open(&backend, newest_first, head - wanted);
    struct state_backend old = history_backend(history);
    struct world past = {.state = state_new(&old, 7),
                         .now = models[wanted],
                         .random = rnd(world, 1u << 30) + 1,
                         .fork = world->fork};
    for (unsigned i = 0; i < ACCOUNTS; i++)
        check_account(&past, i);
    check_dump(past.state, models + wanted);
    check_proof(past.state, models + wanted, arena);
    run_block(&past);
    check_root(past.state, &past.now);
    state_free(past.state);
    history_close(history);
    check_root(world->state, models + head);
}

/* Returns the head, which may have become an older one. */
static size_t sync_or_go_back(struct world *world, const struct model *models,
                              struct state_changes **undo, size_t head)
{
    u64 what = rnd(world, 9);
    if (what < 3)
        world_sync(world, head);
    if (what == 3)
        disk_state_rest(world->disk);
    if (what != 4 || world->lowest < world->synced)
        return head;
    world_go_back(world);
    for (; head > world->synced; head--) {
        state_changes_free(undo[head]);
        undo[head] = NULL;
    }
    world->now = models[head];
    check_dump(world->state, models + head);
    check_root(world->state, models + head);
    return head;
}

/* Blocks are made, dropped, committed, unwound and looked back at; the model says what must be. */
static void run_chain(u64 seed, enum fork fork, bool on_disk)
{
    struct world world;
    struct model *models = NEW_ARRAY(struct model, BLOCKS);
    struct state_changes *undo[BLOCKS] = {0};
    struct arena arena;
    size_t head = 0;
    arena_init(&arena);
    world_init(&world, seed, fork, on_disk);
    while (head + 1 < BLOCKS / 4) {
        run_block(&world);
        if (rnd(&world, 4) == 0) {
            state_reset(world.state);
            world.now = models[head];
        } else {
            for (unsigned i = 0; i < ACCOUNTS; i++)
                world.now.accounts[i].created = false;
            world.now.logs = 0;
            models[++head] = world.now;
            CHECK(state_commit(world.state, undo + head, NULL) == STATUS_OK);
            check_dump(world.state, models + head);
        }
        check_root(world.state, models + head);
        if (head && rnd(&world, 8) == 0) {
            CHECK(state_unwind(world.state, undo[head], NULL) == STATUS_OK);
            state_changes_free(undo[head]);
            undo[head] = NULL;
            world.now = models[--head];
            world.lowest = head < world.lowest ? head : world.lowest;
            check_dump(world.state, models + head);
            check_root(world.state, models + head);
        }
        if (rnd(&world, 4) == 0)
            check_history(&world, models, undo, head, rnd(&world, head + 1), &arena);
        if (rnd(&world, 4) == 0)
            check_proof(world.state, models + head, &arena);
        if (on_disk)
            head = sync_or_go_back(&world, models, undo, head);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        state_changes_free(undo[i]);
    arena_fini(&arena);
    mem_free(models);
    world_fini(&world);
}

TEST(state_equals_model_before_spurious_dragon)
{
    for (u64 seed = 1; seed <= 12; seed++)
        run_chain(seed, FORK_HOMESTEAD, false);
}

TEST(state_equals_model_after_spurious_dragon)
{
    for (u64 seed = 1; seed <= 12; seed++)
        run_chain(seed, FORK_PRAGUE, false);
}

TEST(state_on_disk_equals_model)
{
    for (u64 seed = 1; seed <= 24; seed++)
        run_chain(seed, seed % 2 ? FORK_PRAGUE : FORK_HOMESTEAD, true);
}
