/*
 * The index by address, through reorganisations: blocks of random programs that call, create, fail and destroy. What
 * is collected is held against a tracer that sees every call, and what a store finds against what memory finds.
 */
#include "base/mem.h"
#include "chain/chain_fixture.h"
#include "chain/chain_int.h"
#include "evm/tracer.h"
#include "sys/file.h"

enum { HISTORY = 6, ROUNDS = 60, KNOWN_MAX = 64, MET_MAX = 64 };

struct address_bench {
    struct fixture maker; /* in memory, holds everything */
    struct chain *chain;  /* in a store */
    struct db *db;
    char *folder;
    u32 random;
    addr20 known[KNOWN_MAX]; /* what programs call */
    u32 known_count;
};

static u32 below(struct address_bench *bench, u32 bound)
{
    bench->random = bench->random * 1664525u + 1013904223u;
    return (bench->random >> 8) % bound;
}

/* --- programs --------------------------------------------------------------------------------- */

#define ADD(code, text) buf_add((code), (text), sizeof(text) - 1)

static void add_addr(struct address_bench *bench, struct buf *code)
{
    buf_add_byte(code, 0x73); /* PUSH20 */
    buf_add(code, bench->known[below(bench, bench->known_count)].b, sizeof(addr20));
}

static void add_call(struct address_bench *bench, struct buf *code)
{
    static const u8 ops[] = {0xf1, 0xf2, 0xf4, 0xfa};
    u8 op = ops[below(bench, 4)];
    ADD(code, "\x5f\x5f\x5f\x5f");
    if (op < 0xf4)
        buf_add(code, (u8[]){0x60, (u8)below(bench, 3)}, 2); /* sometimes more than there is */
    add_addr(bench, code);
    ADD(code, "\x61\x75\x30");
    buf_add(code, (u8[]){op, 0x50}, 2);
}

/* CREATE or CREATE2 of code that destroys itself, of a failure, or of nothing. */
static void add_create(struct address_bench *bench, struct buf *code)
{
    static const u8 inits[3][9] = {
        {0x61, 0x33, 0xff, 0x5f, 0x52, 0x60, 2, 0x60, 0x1e}, {0x5f, 0x5f, 0xfd}, {0}};
    u8 word[32] = {0};
    u32 which = below(bench, 3);
    memcpy(word, inits[which], sizeof inits[which]);
    if (which == 0)
        word[9] = 0xf3;
    bool is_salted = below(bench, 2);
    buf_add_byte(code, 0x7f); /* PUSH32 */
    buf_add(code, word, sizeof word);
    ADD(code, "\x5f\x52");
    if (is_salted)
        buf_add(code, (u8[]){0x60, (u8)below(bench, 2)}, 2);
    ADD(code, "\x60\x0a\x5f\x5f");
    buf_add(code, (u8[]){is_salted ? 0xf5 : 0xf0, 0x50}, 2);
}

static void add_end(struct address_bench *bench, struct buf *code)
{
    switch (below(bench, 5)) {
    case 0: ADD(code, "\x61\x33\xff\x5f\x52\x60\x02\x60\x1e\xf3"); break; /* as add_create's */
    case 1: ADD(code, "\x5f\x5f\xfd"); break;
    case 2: ADD(code, "\xfe"); break;
    case 3: ADD(code, "\x00"); break;
    default: add_addr(bench, code); ADD(code, "\xff");
    }
}

static struct tx random_tx(struct address_bench *bench, struct buf *code, u64 nonce)
{
    struct tx tx = call_counter(&bench->maker, nonce);
    tx.gas = 1000000;
    tx.has_sender = false;
    buf_init(code, 1 << 16);
    if (below(bench, 3)) {
        tx.is_create = true;
        memset(&tx.to, 0, sizeof tx.to);
        for (u32 i = below(bench, 5); i; i--)
            (below(bench, 2) ? add_call : add_create)(bench, code);
        add_end(bench, code);
        tx.data = code->data;
        tx.data_len = code->len;
        tx.value = u256_from_u64(below(bench, 3));
    } else {
        tx.to = bench->known[below(bench, bench->known_count)];
    }
    CHECK(tx_sign(&tx, bench->maker.signer, &bench->maker.secret));
    return tx;
}

/* --- the tracer ------------------------------------------------------------------------------- */

struct seen {
    addr20 met[MET_MAX];
    bool may_be_created[MET_MAX];
    u32 count;
};

static u32 see(struct seen *seen, const addr20 *addr)
{
    u32 i = 0;
    while (i < seen->count && !addr20_eq(&seen->met[i], addr))
        i++;
    CHECK(i < MET_MAX);
    if (i == seen->count)
        seen->met[seen->count++] = *addr;
    return i;
}

static void on_enter(void *ctx, const struct evm_msg *msg)
{
    struct seen *seen = ctx;
    see(seen, msg->kind == EVM_DELEGATECALL ? &msg->recipient : &msg->sender);
    bool is_borrowed = msg->kind == EVM_CALLCODE || msg->kind == EVM_DELEGATECALL;
    u32 at = see(seen, is_borrowed ? &msg->code_addr : &msg->recipient);
    seen->may_be_created[at] |= msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
}

static void on_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                            const u256 *wei, u16 depth)
{
    (void)wei;
    (void)depth;
    see(ctx, addr);
    see(ctx, beneficiary);
}

/* The visits of one transaction, from where the list is on, are what the tracer saw. */
static void check_tx(const struct seen *seen, const bool *had_code, struct state *state,
                     const struct tx *tx, u32 index, const u8 **list, size_t *len)
{
    struct visit visit;
    for (u32 i = 0; i < seen->count; i++) {
        CHECK(visits_next(&visit, list, len));
        CHECK_EQ(visit.index, index);
        u32 at = see((struct seen *)seen, &visit.addr);
        bool is_new =
            seen->may_be_created[at] && !had_code[at] && state_code(state, &visit.addr).len;
        bool is_sender = addr20_eq(&visit.addr, &tx->sender);
        CHECK_EQ(visit.role, is_sender ? VISIT_SENT : is_new ? VISIT_CREATED : VISIT_MET);
        if (is_sender)
            CHECK_EQ(visit.nonce, tx->nonce);
    }
}

/* One state goes ahead, watched, and one comes a transaction behind. */
static void check_block(struct address_bench *bench, u64 number)
{
    struct chain *maker = bench->maker.chain;
    const struct entry *entry = canonical_at(maker, number);
    const struct block *block = &entry->pub.block;
    const u8 *list = entry->visits;
    size_t len = entry->visits_len;
    struct state *ahead, *behind;
    struct exec first, second;
    struct exec_result result;
    CHECK(chain_state_at(maker, number - 1, &ahead) && chain_state_at(maker, number - 1, &behind));
    chain_exec_init(maker, &first, ahead, &block->header);
    chain_exec_init(maker, &second, behind, &block->header);
    for (u32 i = 0; i < block->tx_count; i++) {
        struct seen seen = {.count = 0};
        bool had_code[MET_MAX];
        struct evm_tracer tracer = {
            .ctx = &seen, .enter = on_enter, .selfdestruct = on_selfdestruct};
        evm_set_tracer(first.evm, &tracer);
        CHECK_EQ(exec_tx(&first, &block->txs[i], 0, &result), TX_OK);
        evm_set_tracer(first.evm, NULL);
        for (u32 n = 0; n < seen.count; n++)
            had_code[n] = state_code(behind, &seen.met[n]).len != 0;
        CHECK_EQ(exec_tx(&second, &block->txs[i], 0, &result), TX_OK);
        check_tx(&seen, had_code, ahead, &block->txs[i], i, &list, &len);
    }
    CHECK_EQ(len, 0);
    chain_state_release(maker, ahead);
    chain_state_release(maker, behind);
}

/* --- two chains ------------------------------------------------------------------------------- */

static void open_store(struct address_bench *bench, const struct chain_options *wanted)
{
    struct err err = {""};
    struct chain_options options = *wanted;
    struct db_options store = {.volatile_commits = true};
    if (bench->chain) {
        CHECK_EQ(chain_sync(bench->chain, &err), STATUS_OK);
        chain_close(bench->chain);
        db_close(bench->db);
    }
    bench->chain = NULL;
    CHECK_EQ(db_open(&bench->db, bench->folder, &store, &err), STATUS_OK);
    options.db = bench->db;
    options.history = HISTORY;
    if (chain_open(&bench->chain, &bench->maker.genesis, &options, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

static void open_bench(struct address_bench *bench, u32 seed, const struct chain_options *wanted)
{
    struct err err;
    struct chain_options held = {.seed = 3, .addresses = true};
    *bench = (struct address_bench){.random = seed};
    CHECK_EQ(file_make_temporary(&bench->folder, &err), STATUS_OK);
    fixture_open(&bench->maker, FORK_SHANGHAI, 0);
    chain_close(bench->maker.chain);
    CHECK_EQ(chain_open(&bench->maker.chain, &bench->maker.genesis, &held, &err), STATUS_OK);
    bench->known[bench->known_count++] = COUNTER;
    bench->known[bench->known_count++] = bench->maker.rich;
    bench->known[bench->known_count++] = (addr20){{[19] = 4}}; /* a precompile */
    bench->known[bench->known_count++] = (addr20){{0x77}};     /* nobody */
    open_store(bench, wanted);
}

static void close_bench(struct address_bench *bench)
{
    chain_close(bench->chain);
    db_close(bench->db);
    fixture_close(&bench->maker);
    file_remove_folder(bench->folder);
    mem_free(bench->folder);
}

static void know(struct address_bench *bench, const struct entry *entry)
{
    struct visit visit;
    const u8 *list = entry->visits;
    size_t len = entry->visits_len;
    while (visits_next(&visit, &list, &len))
        if (visit.role == VISIT_CREATED && bench->known_count < KNOWN_MAX)
            bench->known[bench->known_count++] = visit.addr;
}

/* A block on the head or near it, which becomes both chains' head. */
static void give(struct address_bench *bench, const struct chain_block *made)
{
    struct buf rlp;
    struct chain_report report;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &made->block);
    if (chain_import(bench->chain, rlp.data, rlp.len, &report) != BLOCK_OK)
        test_fail(__FILE__, __LINE__, "%s", report.text);
    buf_fini(&rlp);
}

static void add_block(struct address_bench *bench)
{
    enum { TXS = 4 };
    struct chain *maker = bench->maker.chain;
    struct tx txs[TXS];
    struct buf codes[TXS];
    u64 head = chain_head(maker)->block.header.number;
    if (head > 4 && below(bench, 4) == 0) {
        hash32 hash = chain_by_number(maker, head - 1 - below(bench, 3))->block.hash;
        CHECK_EQ(chain_set_head(maker, &hash), BLOCK_OK);
    }
    u32 count = below(bench, TXS + 1);
    u64 nonce = state_nonce(chain_state_look(maker), &bench->maker.rich);
    for (u32 i = 0; i < count; i++)
        txs[i] = random_tx(bench, &codes[i], nonce + i);
    struct chain_attributes attributes = {
        .timestamp = chain_head(maker)->block.header.timestamp + 1 + below(bench, 9),
        .gas_limit = 30000000,
    };
    const struct chain_block *made = chain_build(maker, &attributes, txs, count, NULL);
    CHECK(made && made->block.tx_count == count);
    know(bench, entry_of(made));
    give(bench, made);
    for (u32 i = 0; i < count; i++)
        buf_fini(&codes[i]);
}

static bool note(void *ctx, struct chain_place place)
{
    buf_add(ctx, &place.number, sizeof place.number);
    buf_add(ctx, &place.index, sizeof place.index);
    return ((struct buf *)ctx)->len < 1 << 16;
}

static void check_places(struct address_bench *bench, const addr20 *addr, u64 number, bool is_back)
{
    struct buf is, was;
    buf_init(&is, 1 << 20);
    buf_init(&was, 1 << 20);
    chain_each_place(bench->chain, addr, number, is_back, note, &is);
    chain_each_place(bench->maker.chain, addr, number, is_back, note, &was);
    CHECK_EQ(is.len, was.len);
    if (is.len)
        CHECK_MEM(is.data, was.data, was.len);
    buf_fini(&is);
    buf_fini(&was);
}

static void check_finding(struct address_bench *bench)
{
    struct chain_place is, was;
    addr20 creator, as;
    u64 head = chain_head(bench->chain)->block.header.number;
    for (u32 i = 0; i < bench->known_count; i++) {
        const addr20 *addr = &bench->known[i];
        check_places(bench, addr, 0, false);
        check_places(bench, addr, UINT64_MAX, true);
        check_places(bench, addr, below(bench, (u32)head + 2), below(bench, 2));
        bool is_found = chain_find_creation(bench->chain, addr, &is, &creator);
        CHECK_EQ(is_found, chain_find_creation(bench->maker.chain, addr, &was, &as));
        if (is_found)
            CHECK(is.number == was.number && is.index == was.index && addr20_eq(&creator, &as));
    }
    const addr20 *rich = &bench->maker.rich;
    u64 nonces = state_nonce(chain_state_look(bench->chain), rich);
    for (u64 nonce = 0; nonce < nonces; nonce++) {
        CHECK(chain_find_sent(bench->chain, rich, nonce, &is));
        CHECK(chain_find_sent(bench->maker.chain, rich, nonce, &was));
        CHECK(is.number == was.number && is.index == was.index);
    }
    CHECK(!chain_find_sent(bench->chain, rich, nonces, &is));
    CHECK(!chain_find_sent(bench->chain, &COUNTER, 0, &is));
}

static enum status verified(struct address_bench *bench, struct err *err)
{
    struct chain_verified found;
    struct chain_verify_watcher nobody = {0};
    CHECK_EQ(chain_sync(bench->chain, err), STATUS_OK);
    return chain_verify(bench->db, NULL, &nobody, &found, err);
}

static void check_verified(struct address_bench *bench)
{
    struct err err = {""};
    if (verified(bench, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

TEST(addresses_are_what_a_tracer_sees_and_follow_reorganisations)
{
    const struct chain_options on = {.addresses = true, .engine = EVM_ENGINE_FAST},
                               as_before = {.seed = 9}, tight = {.memory = {.held = 1}};
    for (u32 seed = 1; seed <= 3; seed++) {
        struct address_bench bench;
        u64 from = 99;
        open_bench(&bench, seed, &on);
        for (u32 i = 0; i < ROUNDS; i++) {
            add_block(&bench);
            if (i % 20 == 9)
                open_store(&bench, &as_before); /* the store remembers that it has one */
            if (i % 20 == 19)
                open_store(&bench, &tight);
        }
        u64 head = chain_head(bench.chain)->block.header.number;
        for (u64 number = 1; number <= head; number++) {
            const struct entry *entry = canonical_at(bench.maker.chain, number);
            struct db_bytes list = addresses_list(bench.db, number);
            check_block(&bench, number);
            CHECK_EQ(list.len, entry->visits_len);
            if (list.len)
                CHECK_MEM(list.at, entry->visits, list.len);
        }
        CHECK(chain_addresses_from(bench.chain, &from));
        CHECK_EQ(from, 0);
        check_finding(&bench);
        check_verified(&bench);
        CHECK(bench.known_count > 8); /* or it would say little */
        CHECK(chain_unwind(bench.chain, head - 3));
        CHECK(chain_unwind(bench.maker.chain, head - 3));
        check_finding(&bench);
        check_verified(&bench);
        close_bench(&bench);
    }
}

TEST(addresses_of_an_older_store_begin_where_states_can_be_read)
{
    const struct chain_options off = {0}, on = {.addresses = true};
    struct address_bench bench;
    u64 from;
    open_bench(&bench, 21, &off);
    while (chain_head(bench.maker.chain)->block.header.number < 3 * HISTORY)
        add_block(&bench);
    CHECK(!chain_addresses_from(bench.chain, &from));
    open_store(&bench, &on);
    CHECK(chain_addresses_from(bench.chain, &from));
    CHECK(from > 0 && from <= chain_oldest_state(bench.chain) + 1);
    check_verified(&bench);
    for (u64 number = from; number <= chain_head(bench.chain)->block.header.number; number++) {
        const struct entry *entry = canonical_at(bench.maker.chain, number);
        struct db_bytes list = addresses_list(bench.db, number);
        CHECK_EQ(list.len, entry->visits_len);
        if (list.len)
            CHECK_MEM(list.at, entry->visits, list.len);
    }
    for (u32 i = 0; i < 2 * HISTORY; i++)
        add_block(&bench);
    check_verified(&bench);
    close_bench(&bench);
}

TEST(addresses_of_an_archive_begin_with_it)
{
    const struct chain_options archive = {.archive = true},
                               both = {.archive = true, .addresses = true};
    struct address_bench bench;
    u64 from;
    open_bench(&bench, 22, &archive);
    for (u32 i = 0; i < ROUNDS; i++)
        add_block(&bench);
    open_store(&bench, &both);
    CHECK(chain_addresses_from(bench.chain, &from));
    CHECK_EQ(from, 0);
    check_finding(&bench);
    check_verified(&bench);
    close_bench(&bench);
}

/* Receipts of then hold the state's root, which a past state cannot tell. */
TEST(addresses_of_an_archive_reach_before_byzantium)
{
    const struct chain_options archive = {.archive = true},
                               both = {.archive = true, .addresses = true};
    struct address_bench bench = {0};
    struct chain_attributes attributes = {.gas_limit = 30000000};
    struct err err;
    u64 from;
    CHECK_EQ(file_make_temporary(&bench.folder, &err), STATUS_OK);
    fixture_open(&bench.maker, FORK_SPURIOUS, 0);
    open_store(&bench, &archive);
    for (u64 nonce = 0; nonce < 2 * (u64)HISTORY; nonce++) {
        const struct tx tx = call_counter(&bench.maker, nonce);
        attributes.timestamp += 13;
        const struct chain_block *made = chain_build(bench.maker.chain, &attributes, &tx, 1, NULL);
        CHECK(made && made->block.tx_count == 1);
        give(&bench, made);
    }
    open_store(&bench, &both);
    CHECK(chain_addresses_from(bench.chain, &from));
    CHECK_EQ(from, 0);
    check_verified(&bench);
    close_bench(&bench);
}

static bool is_replaceable(const struct visit *visit)
{
    return visit->role == VISIT_MET && visit->addr.b[19] == 4;
}

/* One whole entry in another's place: only executing the block again tells. */
TEST(addresses_of_an_archive_are_held_against_executing_again)
{
    const struct chain_options both = {.archive = true, .addresses = true};
    struct address_bench bench;
    struct err err = {""};
    struct visit visit = {.role = VISIT_SENT};
    u8 copy[1 << 12];
    open_bench(&bench, 25, &both);
    for (u32 i = 0; i < ROUNDS; i++)
        add_block(&bench);
    check_verified(&bench);
    u64 number = chain_head(bench.chain)->block.header.number;
    size_t len = 0;
    for (; !is_replaceable(&visit); number--) {
        CHECK(number);
        struct db_bytes list = addresses_list(bench.db, number);
        len = list.len;
        CHECK(len <= sizeof copy);
        if (len)
            memcpy(copy, list.at, len);
        const u8 *at = copy;
        for (size_t left = len; visits_next(&visit, &at, &left) && !is_replaceable(&visit);)
            continue;
        if (is_replaceable(&visit))
            copy[at - copy - 25 + 19]++; /* another address, after which come place and role */
    }
    addresses_del(bench.db, number + 1);
    addresses_put(bench.db, number + 1, copy, len);
    CHECK_EQ(verified(&bench, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "executing it again"));
    close_bench(&bench);
}

/* A branch that begins below the index brings it down to where it begins. */
TEST(addresses_reach_down_to_a_branch)
{
    const struct chain_options off = {0}, on = {.addresses = true};
    struct address_bench bench;
    struct err err;
    u64 from, head = 0;
    open_bench(&bench, 23, &off);
    while (head < 2 * HISTORY) {
        add_block(&bench);
        head = chain_head(bench.maker.chain)->block.header.number;
    }
    open_store(&bench, &on);
    CHECK(chain_addresses_from(bench.chain, &from));
    CHECK(chain_unwind(bench.chain, chain_oldest_state(bench.chain)));
    CHECK(chain_unwind(bench.maker.chain, chain_head(bench.chain)->block.header.number));
    CHECK_EQ(chain_sync(bench.chain, &err), STATUS_OK);
    add_block(&bench);
    CHECK(chain_addresses_from(bench.chain, &from));
    CHECK(from <= chain_head(bench.chain)->block.header.number);
    check_verified(&bench);
    close_bench(&bench);
}

TEST(addresses_that_were_changed_are_found)
{
    const struct chain_options on = {.addresses = true};
    struct address_bench bench;
    struct err err = {""};
    open_bench(&bench, 24, &on);
    for (u32 i = 0; i < 12; i++)
        add_block(&bench);
    check_verified(&bench);
    u64 head = chain_head(bench.chain)->block.header.number;
    struct visit stray = {.addr = {{0x42}}, .index = 0};
    u8 list[25] = {0x42};
    db_begin(bench.db);
    addresses_put(bench.db, head + 7, list, sizeof list);
    CHECK(addresses_has(bench.db, head + 7, &stray));
    CHECK_EQ(verified(&bench, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "belong to no block"));
    db_begin(bench.db);
    addresses_del(bench.db, head + 7);
    check_verified(&bench);
    struct db_cursor *cursor = db_cursor_new(bench.db, DB_ADDRESSES);
    CHECK(db_seek(cursor, bench.maker.rich.b, sizeof bench.maker.rich.b));
    u8 key[33];
    CHECK_EQ(db_key(cursor).len, sizeof key);
    memcpy(key, db_key(cursor).at, sizeof key);
    db_cursor_free(cursor);
    db_begin(bench.db);
    db_del(bench.db, DB_ADDRESSES, key, sizeof key);
    CHECK_EQ(verified(&bench, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "is not in the index"));
    close_bench(&bench);
}

TEST(lists_of_visits_that_make_no_sense_are_refused)
{
    u8 bytes[45] = {[24] = VISIT_CREATED, [25] = 0x99};
    struct visit visit;
    const u8 *at = bytes;
    size_t len = sizeof bytes;
    CHECK(visits_next(&visit, &at, &len));
    CHECK_EQ(len, 0);
    CHECK_EQ(visit.creator.b[0], 0x99);
    CHECK(!visits_next(&visit, &at, &len));
    for (len = 0; len < sizeof bytes; len++) {
        size_t left = len;
        at = bytes;
        CHECK(!visits_next(&visit, &at, &left));
        CHECK_EQ(left, len);
    }
    bytes[24] = VISIT_ROLES;
    at = bytes;
    CHECK(!visits_next(&visit, &at, &len));
}
