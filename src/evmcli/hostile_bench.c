/*
 * Code made to be expensive for the fast interpreter, and how much longer it takes than on the plain
 * one. Prints "name ratio"; the bar is 2. Shapes known to have been bad come first; then as many
 * random ones as the first argument says (80), from the seed that the second one gives (1).
 * With a third argument each shape is described.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "chain/exec.h"
#include "evm/opcode.h"
#include "evmcli/prestate.h"
#include "sys/clock.h"

enum { CODE_MAX = 24576, CONTRACTS_MAX = 300, LOOP_ADDR = 999, BURNER_ADDR, INPUT_MAX = 32 * 4096 };

enum filler {
    FILL_NOTHING,
    FILL_GAS,     /* GAS POP: whatever is prepaid must be known */
    FILL_ADD,     /* DUP1 ADD */
    FILL_MUL,     /* operands of four limbs */
    FILL_PUSH,    /* 32 bytes of constant */
    FILL_SWAP,    /* words out of order, to be moved at every exit */
    FILL_MEMORY,  /* loads and stores */
    FILL_GROW,    /* memory that grows */
    FILL_STORAGE, /* warm loads */
    FILL_BRANCH,  /* a side exit that is never taken */
    FILL_TAKEN,   /* ... and one that always is, unlike what is guessed */
    FILL_DESTS,   /* JUMPDESTs: places where a trace could begin */
    FILL_KECCAK,
    FILL_CALL,    /* a call to an account without code */
    FILL_BURN,    /* a call that fails and burns the gas given to it, which is no time spent */
    FILL_STORE,   /* changes a slot: gas for which little happens */
    FILL_DESTROY, /* a contract made and destroyed */
    FILL_KINDS
};

enum jump {
    JUMP_CONST,  /* to the next block, an address as constant */
    JUMP_HIDDEN, /* ... as a sum that is not constant to the translator */
    JUMP_INPUT,  /* ... read from call data */
    JUMP_RANDOM, /* to wherever the low bits of a random sequence say */
    JUMP_EITHER, /* to one of two blocks, by the same sequence */
    JUMP_FALL,   /* none: code runs on into the next block */
    JUMP_KINDS
};

/* How the blocks are run: by themselves; called in turn as many contracts; as init code. */
enum mode { MODE_LOOP, MODE_CALLS, MODE_CREATIONS, MODE_KINDS };

struct shape {
    unsigned blocks;
    enum filler filler;
    unsigned filler_count;
    enum jump jump;
    unsigned depth; /* words on the stack while the blocks run */
    enum mode mode;
    unsigned contracts; /* of MODE_CALLS */
    unsigned inner_gas; /* of each call or creation */
    i64 gas;            /* of each message */
    bool is_shuffled;   /* blocks follow each other in random order */
};

/* --- code ------------------------------------------------------------------------------------ */

struct maker {
    const struct shape *shape;
    u64 random;
    u8 code[CODE_MAX + 256];
    u32 len;
    u8 input[INPUT_MAX];
    unsigned blocks;
    u32 begin, stride;
};

static u32 random_below(u64 *state, u32 below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (u32)((*state >> 32) * below >> 32);
}

static void put(struct maker *m, u8 byte)
{
    if (m->len < CODE_MAX)
        m->code[m->len++] = byte;
}

static void put_push(struct maker *m, unsigned bytes, u64 value)
{
    put(m, (u8)(OP_PUSH1 + bytes - 1));
    while (bytes-- > 0)
        put(m, bytes >= 8 ? 0 : (u8)(value >> 8 * bytes));
}

static void put_list(struct maker *m, const u8 *ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(m, ops[i]);
}
#define PUT(...)                         \
    do {                                 \
        const u8 list[] = {__VA_ARGS__}; \
        put_list(m, list, sizeof list);  \
    } while (0)

/* Leaves the stack as high as it was; its top is the random sequence's state. */
static void put_filler(struct maker *m)
{
    u32 skip;
    switch (m->shape->filler) {
    case FILL_NOTHING: break;
    case FILL_GAS: PUT(OP_GAS, OP_POP); break;
    case FILL_ADD: PUT(OP_DUP1, OP_ADD); break;
    case FILL_MUL: PUT(OP_DUP1, OP_DUP1, OP_MUL, OP_NOT, OP_XOR); break;
    case FILL_PUSH:
        put(m, OP_PUSH32);
        for (unsigned i = 0; i < 32; i++)
            put(m, (u8)random_below(&m->random, 256));
        put(m, OP_XOR);
        break;
    case FILL_SWAP:
        put(m,
            (u8)(OP_SWAP1 + random_below(&m->random, m->shape->depth > 16 ? 16 : m->shape->depth)));
        break;
    case FILL_MEMORY:
        PUT(OP_DUP1);
        put_push(m, 1, random_below(&m->random, 8) * 32);
        PUT(OP_MSTORE);
        break;
    case FILL_GROW: PUT(OP_DUP1, OP_MSIZE, OP_MSTORE); break;
    case FILL_STORAGE: PUT(OP_PUSH0, OP_SLOAD, OP_POP); break;
    case FILL_BRANCH: PUT(OP_CALLVALUE, OP_PUSH0, OP_JUMPI); break;
    case FILL_TAKEN:
        skip = m->len + 7;
        PUT(OP_CALLER);
        put_push(m, 2, skip);
        PUT(OP_JUMPI, OP_CALLER, OP_POP, OP_JUMPDEST);
        break;
    case FILL_DESTS: PUT(OP_JUMPDEST); break;
    case FILL_KECCAK: PUT(OP_PUSH1, 32, OP_PUSH0, OP_KECCAK256, OP_POP); break;
    case FILL_CALL:
        PUT(OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_CALLER, OP_GAS, OP_STATICCALL, OP_POP);
        break;
    case FILL_BURN:
        PUT(OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0);
        put_push(m, 4, 0x0c0d0000 + BURNER_ADDR);
        put_push(m, 2, 10000);
        PUT(OP_CALL, OP_POP);
        break;
    case FILL_STORE: PUT(OP_DUP1, OP_DUP1, OP_SSTORE); break;
    case FILL_DESTROY:
        /* Init code: CALLER SELFDESTRUCT. */
        put_push(m, 2, 0x33ff);
        PUT(OP_PUSH0, OP_MSTORE, OP_PUSH1, 2, OP_PUSH1, 30, OP_PUSH0, OP_CREATE, OP_POP);
        break;
    case FILL_KINDS: break;
    }
}

static u32 block_at(const struct maker *m, u32 which)
{
    return m->begin + which * m->stride;
}

/* Ends block `which`, after which `next` comes in the order of blocks. */
static void put_jump(struct maker *m, u32 which, u32 next)
{
    u32 mask = (m->blocks - 1) * m->stride;
    switch (m->shape->jump) {
    case JUMP_CONST:
        put_push(m, 2, block_at(m, next));
        PUT(OP_JUMP);
        break;
    case JUMP_HIDDEN:
        put_push(m, 2, block_at(m, next));
        PUT(OP_CALLVALUE, OP_ADD, OP_JUMP);
        break;
    case JUMP_INPUT:
        m->input[which * 32 + 30] = (u8)(block_at(m, next) >> 8);
        m->input[which * 32 + 31] = (u8)block_at(m, next);
        put_push(m, 3, which * 32);
        PUT(OP_CALLDATALOAD, OP_JUMP);
        break;
    case JUMP_RANDOM:
        put_push(m, 5, 0x5851f42d4c % 0xffffffffff);
        PUT(OP_MUL);
        put_push(m, 4, 0x4c957f2d);
        PUT(OP_ADD, OP_DUP1, OP_PUSH1, 64, OP_SHR);
        put_push(m, 2, mask);
        PUT(OP_AND);
        put_push(m, 2, m->begin);
        PUT(OP_ADD, OP_JUMP);
        break;
    case JUMP_EITHER:
        put_push(m, 4, 0x4c957f2d);
        PUT(OP_MUL, OP_PUSH1, 1, OP_ADD, OP_DUP1, OP_PUSH1, 40, OP_SHR, OP_PUSH1, 1, OP_AND);
        put_push(m, 2, block_at(m, next));
        PUT(OP_JUMPI);
        put_push(m, 2, block_at(m, random_below(&m->random, m->blocks)));
        PUT(OP_JUMP);
        break;
    case JUMP_FALL:
    case JUMP_KINDS: break;
    }
}

static void put_block(struct maker *m, u32 which, u32 next)
{
    PUT(OP_JUMPDEST);
    for (unsigned i = 0; i < m->shape->filler_count; i++)
        put_filler(m);
    put_jump(m, which, next);
}

/* How long a block is, and so how many fit. Random jumps want powers of two of both. */
static void measure_blocks(struct maker *m)
{
    u64 random = m->random;
    u32 start = m->len;
    m->blocks = 2;
    m->stride = 1;
    put_block(m, 0, 0);
    m->stride = m->len - start;
    m->len = start;
    m->random = random;
    m->blocks = m->shape->blocks;
    if (m->shape->jump == JUMP_RANDOM)
        for (u32 size = 1;; size *= 2)
            if (size >= m->stride) {
                m->stride = size;
                break;
            }
    u32 most = (CODE_MAX - m->begin - 64) / m->stride;
    if (m->blocks > most)
        m->blocks = most;
    while (m->shape->jump == JUMP_RANDOM && m->blocks & (m->blocks - 1))
        m->blocks &= m->blocks - 1;
    if (m->blocks == 0)
        m->blocks = 1;
}

/* The blocks' code. */
static void make_blocks(struct maker *m)
{
    for (unsigned i = 0; i < m->shape->depth; i++)
        put_push(m, 2, i + 1);
    PUT(OP_ORIGIN, OP_DUP1, OP_MUL);
    m->begin = m->len + 4;
    measure_blocks(m);
    u32 *order = NEW_ARRAY(u32, m->blocks), *next = NEW_ARRAY(u32, m->blocks);
    for (u32 i = 0; i < m->blocks; i++)
        order[i] = i;
    for (u32 i = m->blocks - 1; m->shape->is_shuffled && i > 0; i--) {
        u32 j = random_below(&m->random, i + 1), was = order[i];
        order[i] = order[j];
        order[j] = was;
    }
    for (u32 i = 0; i < m->blocks; i++)
        next[order[i]] = order[(i + 1) % m->blocks];
    put_push(m, 2, block_at(m, order[0]));
    PUT(OP_JUMP);
    for (u32 i = 0; i < m->blocks; i++) {
        m->len = block_at(m, i);
        put_block(m, i, next[i]);
    }
    /* Falling through the last block, or never coming here. */
    PUT(OP_JUMPDEST);
    put_push(m, 2, m->begin);
    PUT(OP_JUMP);
    mem_free(order);
    mem_free(next);
}

/* --- worlds ---------------------------------------------------------------------------------- */

struct world {
    struct prestate prestate;
    struct exec exec;
    struct evm *evm;
    struct evm_tx tx;
    const struct maker *blocks;
};

static addr20 contract_addr(u32 which)
{
    return (addr20){{[16] = 0x0c, [17] = 0x0d, [18] = (u8)(which >> 8), [19] = (u8)which}};
}

static void put_code(struct world *world, u32 which, const u8 *code, size_t len)
{
    addr20 addr = contract_addr(which);
    state_set_code(world->prestate.state, &addr, code, len);
}

/* Calls contracts 1 to n in turn for ever. */
static void make_caller(struct maker *m, unsigned contracts, unsigned gas)
{
    PUT(OP_PUSH0, OP_JUMPDEST, OP_PUSH1, 1, OP_ADD);
    PUT(OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_DUP6);
    put_push(m, 2, contracts);
    PUT(OP_SWAP1, OP_MOD);
    put_push(m, 4, 0x0c0d0001);
    PUT(OP_ADD);
    put_push(m, 4, gas);
    PUT(OP_CALL, OP_POP, OP_PUSH1, 1, OP_JUMP);
}

/* Runs its tail as init code for ever; each ends by running out of the gas that it gets by calls to itself. */
static void make_creator(struct maker *m, const struct maker *init, unsigned gas)
{
    PUT(OP_CALLER, OP_ADDRESS, OP_EQ, OP_PUSH1, 0, OP_JUMPI);
    u32 branch = m->len - 2;
    PUT(OP_JUMPDEST);
    u32 loop = m->len - 1;
    PUT(OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_PUSH0, OP_ADDRESS);
    put_push(m, 4, gas);
    PUT(OP_CALL, OP_POP);
    put_push(m, 1, loop);
    PUT(OP_JUMP);
    m->code[branch] = (u8)m->len;
    PUT(OP_JUMPDEST);
    u32 size = init->len > CODE_MAX - 200 ? CODE_MAX - 200 : init->len;
    put_push(m, 2, size);
    put_push(m, 2, 100);
    PUT(OP_PUSH0, OP_CODECOPY);
    put_push(m, 2, size);
    PUT(OP_PUSH0, OP_PUSH0, OP_CREATE, OP_STOP);
    m->len = 100;
    memcpy(m->code + 100, init->code, size);
    m->len += size;
}

static void world_fill(struct world *world, const struct shape *shape, u64 seed)
{
    struct maker *blocks = NEW(struct maker), *outer = NEW(struct maker);
    struct err err;
    state_begin_tx(world->prestate.state);
    blocks->shape = shape;
    blocks->random = seed;
    make_blocks(blocks);
    if (shape->mode == MODE_LOOP)
        put_code(world, 0, blocks->code, blocks->len);
    if (shape->mode == MODE_CREATIONS) {
        make_creator(outer, blocks, shape->inner_gas);
        put_code(world, 0, outer->code, outer->len);
    }
    if (shape->mode == MODE_CALLS) {
        make_caller(outer, shape->contracts, shape->inner_gas);
        put_code(world, 0, outer->code, outer->len);
        for (unsigned i = 0; i < shape->contracts; i++) {
            /* The same blocks, in other code. */
            blocks->code[blocks->len] = (u8)i;
            blocks->code[blocks->len + 1] = (u8)(i >> 8);
            put_code(world, i + 1, blocks->code, blocks->len + 2);
        }
    }
    mem_free(outer);
    state_end_tx(world->prestate.state, FORK_FRONTIER);
    if (state_commit(world->prestate.state, NULL, &err) != STATUS_OK)
        abort();
    world->blocks = blocks;
}

/* A machine in use has its work tables in memory already: some loop was hot before. */
static void world_warm(struct world *world)
{
    static const u8 loop[] = {OP_PUSH2, 0xff,    0xff,     OP_JUMPDEST, OP_PUSH1, 1,      OP_SWAP1,
                              OP_SUB,   OP_DUP1, OP_PUSH1, 3,           OP_JUMPI, OP_STOP};
    static const u8 invalid = OP_INVALID;
    struct evm_result result;
    struct evm_msg msg = {.kind = EVM_CALL, .gas = 10000000, .code_addr = contract_addr(LOOP_ADDR)};
    state_begin_tx(world->prestate.state);
    put_code(world, LOOP_ADDR, loop, sizeof loop);
    put_code(world, BURNER_ADDR, &invalid, 1);
    evm_begin(world->evm, FORK_PRAGUE, &world->exec.host, &world->exec.block, &world->tx);
    evm_call(world->evm, &msg, &result);
    state_end_tx(world->prestate.state, FORK_PRAGUE);
}

static void world_init(struct world *world, const struct shape *shape, enum evm_engine engine,
                       u64 seed)
{
    static struct chain_config config;
    struct evm_block block = {.number = 1, .timestamp = 1, .gas_limit = 30000000};
    prestate_init(&world->prestate);
    if (!chain_config_named(&config, "Prague"))
        abort();
    world->evm = evm_new();
    evm_set_engine(world->evm, engine);
    exec_init(&world->exec, world->prestate.state, world->evm, &config, FORK_PRAGUE, &block);
    world->tx = (struct evm_tx){.origin = {{1, 2, 3, 4, 5, [19] = 77}}, .chain_id = U256_ONE};
    world_fill(world, shape, seed);
    world_warm(world);
}

static void world_fini(struct world *world)
{
    evm_free(world->evm);
    prestate_fini(&world->prestate);
    mem_free((void *)world->blocks);
}

/* One message; nanoseconds of the thread's processor time. */
static u64 world_run(struct world *world, i64 gas)
{
    struct state *state = world->prestate.state;
    struct evm_result result;
    struct evm_msg msg = {.kind = EVM_CALL,
                          .gas = gas,
                          .sender = world->tx.origin,
                          .recipient = contract_addr(0),
                          .code_addr = contract_addr(0),
                          .input = world->blocks->input,
                          .input_len = sizeof world->blocks->input};
    u64 begin = clock_thread_ns();
    state_begin_tx(state);
    u32 checkpoint = state_checkpoint(state);
    evm_begin(world->evm, FORK_PRAGUE, &world->exec.host, &world->exec.block, &world->tx);
    evm_call(world->evm, &msg, &result);
    state_rollback(state, checkpoint);
    u64 took = clock_thread_ns() - begin;
    state_end_tx(state, FORK_PRAGUE);
    return took;
}

/* --- measuring ------------------------------------------------------------------------------- */

enum { SAMPLES = 5, WARM_RUNS = 24 };

struct ratios {
    double first, warm;
};

/* First message of a machine, and all of WARM_RUNS. The least of some samples, both sides in turn. */
static struct ratios shape_measure(const struct shape *shape, u64 seed)
{
    u64 first[2] = {~(u64)0, ~(u64)0}, all[2] = {~(u64)0, ~(u64)0};
    static const enum evm_engine engines[2] = {EVM_ENGINE_PLAIN, EVM_ENGINE_AUTO};
    for (unsigned sample = 0; sample < SAMPLES; sample++)
        for (unsigned side = 0; side < 2; side++) {
            struct world world;
            world_init(&world, shape, engines[side], seed);
            u64 one = world_run(&world, shape->gas), sum = one;
            for (unsigned run = 1; run < WARM_RUNS; run++)
                sum += world_run(&world, shape->gas);
            first[side] = one < first[side] ? one : first[side];
            all[side] = sum < all[side] ? sum : all[side];
            world_fini(&world);
        }
    return (struct ratios){(double)first[1] / (double)first[0], (double)all[1] / (double)all[0]};
}

static void shape_print(const struct shape *s)
{
    printf("  {%u, %d, %u, %d, %u, %d, %u, %u, %lld, %d}\n", s->blocks, (int)s->filler,
           s->filler_count, (int)s->jump, s->depth, (int)s->mode, s->contracts, s->inner_gas,
           (long long)s->gas, s->is_shuffled);
}

static void shape_random(struct shape *s, u64 *random)
{
    static const unsigned blocks[] = {1, 2, 8, 40, 200, 600, 1200, 2400, 5000};
    static const unsigned counts[] = {0, 1, 2, 4, 8, 16, 40, 300, 3000};
    static const unsigned depths[] = {1, 2, 16, 40};
    static const i64 gas[] = {30000, 300000, 1000000, 3000000};
    static const unsigned inner[] = {500, 3000, 12000, 50000, 200000};
    static const unsigned contracts[] = {1, 3, 20, 80, CONTRACTS_MAX};
    *s = (struct shape){
        .blocks = blocks[random_below(random, ARRAY_LEN(blocks))],
        .filler = (enum filler)random_below(random, FILL_KINDS),
        .filler_count = counts[random_below(random, ARRAY_LEN(counts))],
        .jump = (enum jump)random_below(random, JUMP_KINDS),
        .depth = depths[random_below(random, ARRAY_LEN(depths))],
        .mode = random_below(random, 2) ? MODE_LOOP : (enum mode)random_below(random, MODE_KINDS),
        .contracts = contracts[random_below(random, ARRAY_LEN(contracts))],
        .inner_gas = inner[random_below(random, ARRAY_LEN(inner))],
        .gas = gas[random_below(random, ARRAY_LEN(gas))],
        .is_shuffled = random_below(random, 4) > 0,
    };
    if (s->mode == MODE_CREATIONS)
        s->inner_gas += 50000;
}

/* Shapes that were bad once. */
static const struct {
    const char *name;
    struct shape shape;
} known[] = {
    {"blocks_hidden", {2400, FILL_NOTHING, 0, JUMP_HIDDEN, 1, .gas = 3000000, .is_shuffled = true}},
    {"blocks_input", {2400, FILL_NOTHING, 0, JUMP_INPUT, 1, .gas = 3000000, .is_shuffled = true}},
    {"blocks_random", {1024, FILL_NOTHING, 0, JUMP_RANDOM, 1, .gas = 3000000}},
    {"blocks_either", {1200, FILL_STORAGE, 1, JUMP_EITHER, 2, .gas = 3000000, .is_shuffled = true}},
    {"blocks_const", {4500, FILL_NOTHING, 0, JUMP_CONST, 1, .gas = 3000000, .is_shuffled = true}},
    {"branches_taken", {2400, FILL_TAKEN, 8, JUMP_CONST, 2, .gas = 3000000, .is_shuffled = true}},
    {"branches_unordered",
     {2400, FILL_BRANCH, 1, JUMP_EITHER, 40, .gas = 3000000, .is_shuffled = true}},
    {"swaps", {600, FILL_SWAP, 8, JUMP_HIDDEN, 30, .gas = 3000000, .is_shuffled = true}},
    {"long_unreached", {1, FILL_CALL, 3000, JUMP_EITHER, 2, MODE_CALLS, 3, 500, .gas = 30000}},
    {"creations", {1, FILL_STORAGE, 8, JUMP_INPUT, 16, MODE_CREATIONS, 1, 62000, .gas = 300000}},
};

static double shape_most(const struct shape *shape, u64 seed, bool is_shown)
{
    struct ratios r = shape_measure(shape, seed);
    double most = r.first > r.warm ? r.first : r.warm;
    if (is_shown) {
        printf("%.2f %.2f", r.first, r.warm);
        shape_print(shape);
        fflush(stdout);
    }
    return most;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 80;
    u64 random = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15u + 1;
    bool is_shown = argc > 3;
    double worst = 0;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        printf("hostile_%s %.2f\n", known[i].name, shape_most(&known[i].shape, 1, is_shown));
    for (unsigned i = 0; i < count; i++) {
        struct shape shape;
        shape_random(&shape, &random);
        double most = shape_most(&shape, i + 1, is_shown);
        worst = most > worst ? most : worst;
    }
    printf("hostile_worst_of_%u_random %.2f\n", count, worst);
    return 0;
}
