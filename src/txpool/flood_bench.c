/*
 * Floods a pool with junk: ten million transactions unless told otherwise, of every kind that costs a sender nothing
 * or next to nothing, and then with a fifth as many that come as local ones. In the middle of it an honest sender's
 * transaction must be taken, and must come first; local ones must stay, against local junk those that pay; the pool and
 * what is local in it must keep to their bounds, and the process's memory to what it was early on. Ends with "N passed, M
 * failed", and status 1 if any failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "crypto/secp256k1.h"
#include "state/memory.h"
#include "sys/clock.h"
#include "sys/usage.h"
#include "txpool/txpool.h"

enum {
    COUNT = 10000000,
    FUNDED = 50000, /* accounts that the flood has, each with little */
    BYTES_MAX = 16 << 20,
    MEMORY_SLACK = 24 << 20,
    LOCALS = 5,
    LOCAL_PART = 5, /* a fifth */
};

/* X(enumerator, what is sent) */
#define KINDS(X)                                            \
    X(NOISE, "noise")                                       \
    X(BROKEN, "changed bytes")                              \
    X(UNSIGNED, "signatures that nobody made")              \
    X(TWICE, "known transactions")                          \
    X(POOR, "senders who cannot pay")                       \
    X(GAPS, "nonces far ahead")                             \
    X(CHEAP, "ready ones that pay next to nothing")         \
    X(REPLACING, "replacements for less than a tenth more") \
    X(FAT, "much data for little gas")                      \
    X(FOREIGN, "of other chains, and for too much gas")

enum kind {
#define X(id, name) KIND_##id,
    KINDS(X)
#undef X
        KIND_COUNT
};

static const char *const kind_names[] = {
#define X(id, name) name,
    KINDS(X)
#undef X
};

struct flood {
    struct memory_state *memory;
    struct state *state;
    struct chain_config config;
    struct txpool *pool;
    struct secp256k1_signer *signer;
    struct usage usage;
    bool is_local; /* what is sent */
    u64 random;
    u64 sent[KIND_COUNT], taken[KIND_COUNT];
    struct buf wire, known; /* known: one that is in the pool, or was */
    addr20 known_sender;
    u64 early, highest; /* bytes of memory */
    u32 passed, failed;
};

static const addr20 honest = {{0xaa, 1}}, local = {{0xbb, 1}};

static u64 random_next(struct flood *flood)
{
    flood->random = flood->random * 6364136223846793005u + 1442695040888963407u;
    return flood->random >> 20;
}

static void check(struct flood *flood, bool holds, const char *what)
{
    printf("%s  %s\n", holds ? "ok  " : "FAIL", what);
    flood->passed += holds;
    flood->failed += !holds;
}

static addr20 funded(u64 number)
{
    addr20 addr = {{0xf0}};
    number %= FUNDED;
    memcpy(addr.b + 8, &number, sizeof number);
    return addr;
}

static addr20 stranger(struct flood *flood)
{
    addr20 addr = {{0x50}};
    u64 number = random_next(flood);
    memcpy(addr.b + 8, &number, sizeof number);
    return addr;
}

static void fund(struct flood *flood, const addr20 *addr, u64 wei)
{
    u256 balance = u256_from_u64(wei);
    state_set_balance(flood->state, addr, &balance);
}

static void flood_open(struct flood *flood, u64 seed, bool is_local)
{
    u8 key[32] = {5};
    struct err err;
    *flood = (struct flood){.memory = memory_state_new(1), .random = seed, .is_local = is_local};
    struct state_backend backend = memory_state_backend(flood->memory);
    flood->state = state_new(&backend, 1);
    state_begin_tx(flood->state);
    for (u64 i = 0; i < FUNDED; i++) {
        addr20 addr = funded(i);
        fund(flood, &addr, 1000000000000000);
    }
    fund(flood, &honest, 1000000000000000000);
    fund(flood, &local, 1000000000000000000);
    state_end_tx(flood->state, FORK_OSAKA);
    struct state_changes *undo;
    if (state_commit(flood->state, &undo, &err) == STATUS_OK)
        state_changes_free(undo);
    chain_config_init(&flood->config, FORK_OSAKA);
    struct txpool_options options = txpool_options_default();
    options.bytes_max = BYTES_MAX;
    options.seed = seed;
    flood->pool = txpool_new(&options);
    flood->signer = secp256k1_signer_new(key);
    usage_open(&flood->usage);
    mem_trim();
    buf_init(&flood->wire, 1 << 20);
    buf_init(&flood->known, 1 << 20);
}

static void flood_close(struct flood *flood)
{
    buf_fini(&flood->wire);
    buf_fini(&flood->known);
    usage_close(&flood->usage);
    secp256k1_signer_free(flood->signer);
    txpool_free(flood->pool);
    state_free(flood->state);
    memory_state_free(flood->memory);
}

static enum status offer(struct flood *flood, const struct buf *wire, const addr20 *sender,
                         bool is_local, const struct tx **out)
{
    struct err err;
    struct txpool_view view = {
        .config = &flood->config,
        .state = flood->state,
        .fork = FORK_OSAKA,
        .number = 1,
        .timestamp = 1,
        .gas_limit = 30000000,
        .base_fee = u256_from_u64(1000),
    };
    state_settle(flood->state);
    struct txpool_arrival arrival = {wire->data, wire->len, sender, is_local, false};
    return txpool_add(flood->pool, &view, &arrival, out, &err);
}

static struct tx plain(u64 nonce, u64 fee, u64 salt)
{
    struct tx tx = {
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = 1,
        .nonce = nonce,
        .gas = 21000,
        .to = honest,
        .value = u256_from_u64(salt % 1000),
    };
    tx.max_fee = tx.max_priority_fee = u256_from_u64(fee);
    tx.r = u256_from_u64(salt | 1);
    tx.s = U256_ONE;
    return tx;
}

static void encode(struct flood *flood, const struct tx *tx)
{
    buf_reset(&flood->wire);
    tx_encode(&flood->wire, tx);
}

/* --- the kinds -------------------------------------------------------------------------------- */

static void noise(struct flood *flood)
{
    u8 bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)random_next(flood);
    bytes[0] &= 7;
    buf_reset(&flood->wire);
    buf_add(&flood->wire, bytes, 1 + random_next(flood) % sizeof bytes);
}

static void broken(struct flood *flood)
{
    struct tx tx = plain(0, 5000, random_next(flood));
    encode(flood, &tx);
    flood->wire.data[random_next(flood) % flood->wire.len] ^= (u8)(1 << random_next(flood) % 8);
}

static const u8 zeroes[60000];

/* Who is said to have signed; NULL: the signature is to be looked at. */
static const addr20 *make(struct flood *flood, enum kind kind, addr20 *sender)
{
    u64 salt = random_next(flood);
    struct tx tx = plain(0, 2000, salt);
    *sender = funded(salt);
    switch (kind) {
    case KIND_NOISE: noise(flood); return NULL;
    case KIND_BROKEN: broken(flood); return NULL;
    case KIND_TWICE:
        buf_reset(&flood->wire);
        buf_add(&flood->wire, flood->known.data, flood->known.len);
        *sender = flood->known_sender;
        return sender;
    case KIND_UNSIGNED: encode(flood, &tx); return NULL;
    case KIND_POOR: *sender = stranger(flood); break;
    case KIND_GAPS: tx.nonce = 5 + salt % 1000000; break;
    case KIND_CHEAP: tx.max_fee = tx.max_priority_fee = u256_from_u64(1 + salt % 3000); break;
    case KIND_REPLACING:
        tx.max_fee = tx.max_priority_fee = u256_from_u64(2001 + salt % 100);
        *sender = flood->known_sender;
        break;
    case KIND_FAT:
        tx.data = zeroes;
        tx.data_len = sizeof zeroes;
        tx.gas = 700000;
        break;
    case KIND_FOREIGN:
        tx.chain_id = salt % 2 ? 5 : 1;
        tx.gas = 40000000;
        break;
    case KIND_COUNT: break;
    }
    encode(flood, &tx);
    return sender;
}

static void send_one(struct flood *flood)
{
    addr20 sender;
    const struct tx *out;
    /* Looking at a signature costs fifty times what the rest does; one in forty is enough of them. */
    enum kind kind = (enum kind)(random_next(flood) % KIND_COUNT);
    if (kind == KIND_UNSIGNED && random_next(flood) % 4)
        kind = KIND_GAPS;
    const addr20 *who = make(flood, kind, &sender);
    bool is_taken = offer(flood, &flood->wire, who, flood->is_local, &out) == STATUS_OK;
    flood->sent[kind]++;
    flood->taken[kind] += is_taken;
    if (is_taken && who && kind != KIND_FAT) {
        buf_reset(&flood->known);
        buf_add(&flood->known, flood->wire.data, flood->wire.len);
        flood->known_sender = *who;
    }
}

/* --- what must hold --------------------------------------------------------------------------- */

static u64 resident(const struct flood *flood)
{
    u64 virtual_bytes, bytes;
    return usage_memory(&flood->usage, &virtual_bytes, &bytes) ? bytes : 0;
}

static void send_locals(struct flood *flood)
{
    const struct tx *out;
    u32 taken = 0;
    u64 fee = flood->is_local ? 500000 : 2;
    for (u64 i = 0; i < LOCALS; i++) {
        struct tx tx = plain(i, fee, 77);
        encode(flood, &tx);
        taken += offer(flood, &flood->wire, &local, true, &out) == STATUS_OK;
    }
    check(flood, taken == LOCALS, "local transactions are taken, whatever they pay");
}

/* They still are, though all the rest of what is local is junk. */
static void check_locals(struct flood *flood)
{
    struct txpool_usage usage = txpool_local_usage(flood->pool);
    check(flood, txpool_next_nonce(flood->pool, &local, 0) == LOCALS, "local ones are still there");
    check(flood, usage.bytes <= BYTES_MAX / 4 && usage.txs >= LOCALS,
          "a quarter of the pool is local at most");
    if (flood->is_local)
        check(flood, usage.bytes > BYTES_MAX / 5, "and local junk has filled that");
}

static void check_honest(struct flood *flood, u64 nonce)
{
    const struct tx *out;
    struct tx picked[2];
    struct tx tx = plain(nonce, 1000000, 9);
    encode(flood, &tx);
    bool is_taken = offer(flood, &flood->wire, &honest, false, &out) == STATUS_OK;
    check(flood, is_taken, "who pays well is taken in the middle of it");
    u32 count = txpool_pick(flood->pool, flood->state, u256_from_u64(1000), picked, 2);
    check(flood, count > 0 && addr20_eq(&picked[0].sender, &honest), "and comes first");
}

static void check_bounds(struct flood *flood)
{
    struct txpool_usage usage = txpool_usage(flood->pool);
    u64 bytes = resident(flood);
    flood->highest = bytes > flood->highest ? bytes : flood->highest;
    if (usage.bytes > BYTES_MAX + (64 << 10) || usage.txs > txpool_options_default().txs_max)
        check(flood, false, "the pool keeps to its bounds");
}

static void run(struct flood *flood, u64 count)
{
    u64 began = clock_monotonic_ns(), part = count / 10 ? count / 10 : 1;
    for (u64 i = 1; i <= count; i++) {
        send_one(flood);
        if (i % 1000 == 0)
            check_bounds(flood);
        if (i % part)
            continue;
        struct txpool_usage usage = txpool_usage(flood->pool);
        if (!flood->early && i == 2 * part)
            flood->early = flood->highest;
        printf("%9llu sent  %6u wait in %5.1f MiB  %6.1f MiB resident  %5.1f s\n",
               (unsigned long long)i, usage.txs, (double)usage.bytes / (1 << 20),
               (double)resident(flood) / (1 << 20), (double)(clock_monotonic_ns() - began) / 1e9);
        fflush(stdout);
    }
}

static void check_kinds(struct flood *flood)
{
    for (int i = 0; i < KIND_COUNT; i++)
        printf("%9llu of %9llu taken: %s\n", (unsigned long long)flood->taken[i],
               (unsigned long long)flood->sent[i], kind_names[i]);
    check(flood,
          flood->taken[KIND_NOISE] + flood->taken[KIND_POOR] + flood->taken[KIND_UNSIGNED] +
                  flood->taken[KIND_FOREIGN] ==
              0,
          "what breaks a rule is not taken");
    check(flood, txpool_usage(flood->pool).bytes <= BYTES_MAX + (64 << 10),
          "the pool keeps to its bounds");
    printf("memory: %.1f MiB after a tenth, %.1f at most\n", (double)flood->early / (1 << 20),
           (double)flood->highest / (1 << 20));
    check(flood, flood->highest < flood->early + MEMORY_SLACK,
          "memory does not grow with the flood");
}

/* Adds what passed and failed to the sums. */
static void flood_all(u64 count, u64 seed, bool is_local, u32 *passed, u32 *failed)
{
    struct flood *flood = NEW(struct flood);
    printf("%llu transactions%s\n", (unsigned long long)count,
           is_local ? ", all of them as local ones" : "");
    flood_open(flood, seed, is_local);
    send_locals(flood);
    run(flood, count / 2);
    check_honest(flood, 0);
    run(flood, count - count / 2);
    check_honest(flood, 1);
    check_kinds(flood);
    check_locals(flood);
    *passed += flood->passed;
    *failed += flood->failed;
    flood_close(flood);
    mem_free(flood);
}

int main(int argc, char **argv)
{
    u64 count = argc > 1 ? strtoull(argv[1], NULL, 10) : COUNT;
    u64 seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    u32 passed = 0, failed = 0;
    flood_all(count, seed, false, &passed, &failed);
    flood_all(count / LOCAL_PART, seed + 1, true, &passed, &failed);
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
