/*
 * What the state alone costs a transaction, without an EVM: the journal's part of an ether transfer
 * and of an ERC-20 transfer, blocks of 200 with root and commit, over 10,000 accounts.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "state/memory.h"
#include "state/state.h"

enum { ACCOUNTS = 10000, BLOCK = 200, BLOCKS = 200 };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static addr20 addr_of(u64 i)
{
    addr20 addr = {{0}};
    i *= 0x9e3779b97f4a7c15;
    memcpy(addr.b, &i, sizeof i);
    return addr;
}

static u256 balance_key(const addr20 *owner)
{
    hash32 key;
    keccak256(&key, owner->b, sizeof owner->b);
    return u256_from_hash(&key);
}

static void prepare(struct state *state, const addr20 *token)
{
    const u256 wei = u256_shl(u256_from_u64(1), 80);
    const u8 code[] = {0x60, 0x00};
    state_begin_tx(state);
    state_create_account(state, token);
    state_set_nonce(state, token, 1);
    state_set_code(state, token, code, sizeof code);
    for (u64 i = 0; i < ACCOUNTS; i++) {
        const addr20 addr = addr_of(i);
        const u256 key = balance_key(&addr);
        state_add_balance(state, &addr, &wei);
        state_storage_set(state, state_storage_slot(state, token, &key).handle, &wei);
    }
    state_end_tx(state, FORK_PRAGUE);
    if (state_commit(state, NULL, NULL) != STATUS_OK)
        return;
}

static void pay_gas(struct state *state, const addr20 *from, const addr20 *coinbase)
{
    const u256 limit = u256_from_u64(60000), rest = u256_from_u64(20000);
    state_sub_balance(state, from, &limit);
    state_set_nonce(state, from, state_nonce(state, from) + 1);
    state_account_warm(state, from);
    state_account_warm(state, coinbase);
    state_add_balance(state, from, &rest);
    state_add_balance(state, coinbase, &rest);
}

static void move_tokens(struct state *state, const addr20 *token, const u256 *key, bool add)
{
    const u256 one = u256_from_u64(1);
    bool cold;
    u256 value = state_storage_get(state, token, key, &cold);
    struct state_slot slot = state_storage_slot(state, token, key);
    value = add ? u256_add(value, one) : u256_sub(value, one);
    state_storage_set(state, slot.handle, &value);
}

static void token_tx(struct state *state, const addr20 *token, u64 n)
{
    const addr20 from = addr_of(n % ACCOUNTS), to = addr_of(n * 7919 % ACCOUNTS);
    const hash32 topics[3] = {{{1}}, {{2}}, {{3}}};
    const u256 keys[2] = {balance_key(&from), balance_key(&to)};
    state_account_warm(state, token);
    if (state_code(state, token).len == 0)
        return;
    move_tokens(state, token, keys, false);
    move_tokens(state, token, keys + 1, true);
    state_add_log(state, token, topics, 3, (const u8 *)topics, 32);
}

static void run(struct state *state, const addr20 *token, bool tokens, const char *name)
{
    const addr20 coinbase = addr_of(1 << 20);
    const u256 one = u256_from_u64(1);
    double execute = 0, commit = 0;
    u64 allocations = 0;
    for (u64 block = 0; block < BLOCKS; block++) {
        double start = now_ns();
        u64 before = mem_allocations();
        for (u64 n = block * BLOCK; n < (block + 1) * BLOCK; n++) {
            const addr20 from = addr_of(n % ACCOUNTS), to = addr_of(n * 7919 % ACCOUNTS);
            state_begin_tx(state);
            if (tokens)
                token_tx(state, token, n);
            else
                state_transfer(state, &from, &to, &one);
            pay_gas(state, &from, &coinbase);
            state_end_tx(state, FORK_PRAGUE);
        }
        double executed = now_ns();
        if (block > 2)
            allocations += mem_allocations() - before;
        if (state_commit(state, NULL, NULL) != STATUS_OK)
            return;
        execute += executed - start;
        commit += now_ns() - executed;
    }
    printf("state_%s execute %.0f ns/tx, root and commit %.0f ns/tx, allocations %llu\n", name,
           execute / (BLOCK * BLOCKS), commit / (BLOCK * BLOCKS), (unsigned long long)allocations);
}

int main(void)
{
    struct memory_state *memory = memory_state_new(1);
    struct state_backend backend = memory_state_backend(memory);
    struct state *state = state_new(&backend, 1);
    const addr20 token = addr_of(1 << 21);
    prepare(state, &token);
    run(state, &token, false, "transfer");
    run(state, &token, true, "erc20");
    state_free(state);
    memory_state_free(memory);
    return 0;
}
