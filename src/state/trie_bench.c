/*
 * The root of a million accounts, three ways: from sorted items, from an empty trie filled in, and
 * after 1,000 of the million have changed. One line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "prim/keccak.h"
#include "state/tries.h"
#include "sys/clock.h"
#include "sys/workers.h"

enum { ACCOUNTS = 1000000, CHANGED = 1000 };

struct leaf {
    hash32 key;
    u8 rlp[ACCOUNT_RLP_MAX];
    u32 len;
};

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int leaf_cmp(const void *a, const void *b)
{
    return memcmp(((const struct leaf *)a)->key.b, ((const struct leaf *)b)->key.b, 32);
}

static struct leaf *make_leaves(void)
{
    struct leaf *leaves = NEW_ARRAY(struct leaf, ACCOUNTS);
    for (u64 i = 0; i < ACCOUNTS; i++) {
        struct account account = {i % 100, u256_from_u64(i * 1000000007), KECCAK256_EMPTY,
                                  TRIE_EMPTY_ROOT};
        keccak256(&leaves[i].key, &i, sizeof i);
        leaves[i].len = (u32)account_encode(leaves[i].rlp, &account);
    }
    qsort(leaves, ACCOUNTS, sizeof *leaves, leaf_cmp);
    return leaves;
}

static hash32 bench_sorted(const struct leaf *leaves)
{
    struct trie_item *items = NEW_ARRAY(struct trie_item, ACCOUNTS);
    for (size_t i = 0; i < ACCOUNTS; i++)
        items[i] = (struct trie_item){leaves[i].key.b, leaves[i].rlp, 32, leaves[i].len};
    hash32 root;
    double start = now_ms();
    trie_root_sorted(&root, items, ACCOUNTS);
    printf("trie_root_1M %.0f ms\n", now_ms() - start);
    mem_free(items);
    return root;
}

static hash32 bench_filled(struct trie *trie, const struct leaf *leaves)
{
    hash32 root;
    double start = now_ms();
    for (size_t i = 0; i < ACCOUNTS; i++)
        trie_put(trie, leaves[i].key.b, 32, leaves[i].rlp, leaves[i].len);
    double filled = now_ms();
    trie_root(trie, &root);
    double end = now_ms();
    printf("trie_fill_1M %.0f ms (put %.0f, hash %.0f)\n", end - start, filled - start,
           end - filled);
    return root;
}

static void bench_changed(struct trie *trie, const struct leaf *leaves)
{
    hash32 root;
    double best = 1e9;
    for (u8 round = 1; round < 8; round++) {
        double start = now_ms();
        for (size_t i = 0; i < CHANGED; i++) {
            struct leaf leaf = leaves[i * (ACCOUNTS / CHANGED) + round];
            leaf.rlp[3] ^= round;
            trie_put(trie, leaf.key.b, 32, leaf.rlp, leaf.len);
        }
        trie_root(trie, &root);
        double took = now_ms() - start;
        best = took < best ? took : best;
    }
    printf("trie_change_1000_of_1M %.2f ms\n", best);
}

/* Elapsed time of hashing a tenth of the leaves changed, with so many threads beside this one. */
static void bench_shared(struct trie *one, const struct leaf *leaves, unsigned threads)
{
    u64 best = UINT64_MAX;
    struct workers *workers = threads ? workers_new(NULL, threads) : NULL;
    for (u8 round = 1; round < 6; round++) {
        for (size_t i = 0; i < ACCOUNTS / 10; i++) {
            struct leaf leaf = leaves[10 * i + round];
            leaf.rlp[3] ^= (u8)(round + threads);
            trie_put(one, leaf.key.b, 32, leaf.rlp, leaf.len);
        }
        u64 start = clock_monotonic_ns();
        trie_hash_shared(&one, 1, workers);
        u64 took = clock_monotonic_ns() - start;
        best = took < best ? took : best;
    }
    if (workers)
        workers_free(workers);
    printf("trie_hash_100000_of_1M_threads_%u %.1f ms by the clock\n", threads + 1,
           (double)best / 1e6);
}

int main(void)
{
    struct leaf *leaves = make_leaves();
    struct trie_pool *pool = trie_pool_new();
    struct trie trie;
    trie_init(&trie, pool);
    hash32 sorted = bench_sorted(leaves), filled = bench_filled(&trie, leaves);
    if (!hash32_eq(&sorted, &filled)) {
        fputs("the two roots differ\n", stderr);
        return 1;
    }
    bench_changed(&trie, leaves);
    bench_shared(&trie, leaves, 0);
    bench_shared(&trie, leaves, 1);
    trie_pool_free(pool);
    mem_free(leaves);
    return 0;
}
