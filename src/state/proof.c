/* EIP-1186: the nodes that prove an account and its slots, present or absent. */
#include "prim/keccak.h"
#include "state/state_int.h"
#include "state/tries.h"

struct collector {
    struct arena *arena;
    struct proof_nodes nodes;
    size_t cap;
};

static void *grow(struct arena *arena, const void *old, size_t count, size_t cap, size_t size)
{
    void *grown = arena_alloc(arena, cap * size);
    if (count)
        memcpy(grown, old, count * size);
    return grown;
}

static void collect(void *arg, const u8 *node, size_t len)
{
    struct collector *collector = arg;
    struct proof_nodes *nodes = &collector->nodes;
    if (nodes->count == collector->cap) {
        collector->cap = collector->cap ? 2 * collector->cap : 8;
        nodes->nodes = grow(collector->arena, nodes->nodes, nodes->count, collector->cap,
                            sizeof *nodes->nodes);
        nodes->lens =
            grow(collector->arena, nodes->lens, nodes->count, collector->cap, sizeof *nodes->lens);
    }
    nodes->nodes[nodes->count] = arena_dup(collector->arena, node, len);
    nodes->lens[nodes->count++] = len;
}

static struct proof_nodes prove(struct trie *trie, const hash32 *key, struct arena *arena)
{
    struct collector collector = {.arena = arena};
    trie_hash(&trie, 1);
    trie_prove(trie, key->b, sizeof key->b, collect, &collector);
    return collector.nodes;
}

static void prove_slot(struct state *state, struct slot_proof *proof, struct account_entry *account,
                       struct trie *trie, struct arena *arena)
{
    struct slot_entry *slot = slot_entry(state, account, &proof->key);
    proof->value = slot->value;
    if (trie)
        proof->nodes = prove(trie, slot_entry_hash(slot), arena);
}

void state_proof(struct state *state, struct state_proof *proof, const addr20 *addr,
                 const u256 *keys, size_t key_count, struct arena *arena)
{
    *proof = (struct state_proof){.account = absent_account, .slot_count = key_count};
    if (state->backend.ops->apply)
        state_flush(state);
    proof->exists = state_account_get(state, addr, &proof->account);
    struct account_entry *account = account_entry(state, addr);
    struct state_tries *tries = state->backend.ops->tries(state->backend.ctx);
    proof->nodes = prove(&tries->accounts, account_entry_hash(account), arena);
    bool has_storage = !hash32_eq(&proof->account.storage_root, &TRIE_EMPTY_ROOT);
    struct trie *storage = has_storage ? tries_storage(tries, &account->addr_hash) : NULL;
    proof->slots = arena_zalloc(arena, key_count * sizeof *proof->slots);
    for (size_t i = 0; i < key_count; i++) {
        proof->slots[i].key = keys[i];
        prove_slot(state, proof->slots + i, account, storage, arena);
    }
}
