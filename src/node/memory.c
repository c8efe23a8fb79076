#include "node/memory.h"

#include <stdlib.h>

#include "args/args.h"
#include "base/mem.h"

#define MIB ((u64)1 << 20)

/* The program's own pages, stacks, tables of fixed size, and what the heap loses between blocks; a body on its way. */
static const u64 PROGRAM = 8 * MIB, BODIES_LEAST = 4 * MIB, REST_LEAST = 16 * MIB, ENTRY = 1536;

enum { GAS_USUAL = 30000000, SMALL_MIB = 256, REST_EVERY_MS = 250 };

/*
 * The memory of all frames of a call together. A frame of w words costs 3w + w^2/512 gas, and hands on 63/64 of its
 * gas at most (EIP-150): the sum of all w is greatest when frames take gas in falling geometric order, and then below
 * sqrt(512 * 64 * gas) words of 32 bytes.
 */
static u64 memory_of_gas(u64 gas)
{
    u64 words = 1, square = 512 * 64 * (gas < (u64)1 << 40 ? gas : (u64)1 << 40);
    while (words * words < square)
        words += 1 + words / 64;
    return words * 32;
}

static u64 fixed(u64 states, u64 gas_limit)
{
    u64 gas = gas_limit > GAS_USUAL ? gas_limit : GAS_USUAL;
    return PROGRAM + BODIES_LEAST + memory_of_gas(gas) + states * ENTRY;
}

/* "64M" as bytes; false when it is no size. */
static bool size_parse(u64 *bytes, const char *text)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = 0;
    switch (*end) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    case 0: break;
    default: return false;
    }
    if ((shift && end[1]) || number > ((u64)1 << 50) >> shift)
        return false;
    *bytes = (u64)number << shift;
    return true;
}

enum status memory_check(const struct memory_plan *plan, u64 states, u64 gas_limit, struct err *err)
{
    u64 least = (fixed(states, gas_limit) + REST_LEAST + MIB - 1) / MIB;
    if (plan->ceiling >= least * MIB)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID,
                   "--memory: at least %lluM is needed with blocks of %llu million gas and %llu "
                   "states kept",
                   (unsigned long long)least, (unsigned long long)(gas_limit / 1000000),
                   (unsigned long long)states);
}

enum status memory_check_genesis(const struct memory_plan *plan, const u8 *text, size_t len,
                                 struct err *err)
{
    /* A value, and what becomes of it in the state and its tries, as measured; text, code and its copies. */
    enum { MEMBER_BYTES = 900, TEXT_TIMES = 3 };
    u64 members = 0;
    for (size_t i = 0; i < len; i++)
        members += text[i] == ':';
    u64 bytes = PROGRAM + members * MEMBER_BYTES + len * TEXT_TIMES;
    if (bytes <= plan->ceiling)
        return STATUS_OK;
    return err_set(
        err, STATUS_TOO_LARGE,
        "a genesis file as large as this takes up to %lluM of memory: --memory has to be "
        "that much once, or ashlar-node init, which has no ceiling, begins the chain, "
        "and then --genesis is left out",
        (unsigned long long)((bytes + MIB - 1) / MIB));
}

enum status memory_divide(struct memory_plan *plan, const char *text, u64 states, struct err *err)
{
    static const struct {
        u64 share, most_mib;
    } rows[] = {
#define X(name, share, most) {share, most},
        MEMORY_SHARES(X)
#undef X
    };
    if (!size_parse(&plan->ceiling, text))
        return err_set(err, STATUS_INVALID, "--memory %.40s: a size is needed, like 256M or 2G",
                       text);
    enum status status = memory_check(plan, states, GAS_USUAL, err);
    if (status != STATUS_OK)
        return status;
    u64 rest = plan->ceiling - fixed(states, GAS_USUAL);
    for (int i = 0; i < MEMORY_SHARE_COUNT; i++) {
        u64 bytes = rest / 64 * rows[i].share;
        plan->shares[i] = bytes < rows[i].most_mib * MIB ? bytes : rows[i].most_mib * MIB;
    }
    return STATUS_OK;
}

static bool is_tight(const struct memory_plan *plan)
{
    return plan->ceiling < 2 * SMALL_MIB * MIB;
}

void memory_tighten(const struct memory_plan *plan)
{
    if (is_tight(plan))
        mem_set_tight();
}

struct chain_memory memory_of_chain(const struct memory_plan *plan)
{
    return (struct chain_memory){
        .nodes = plan->shares[MEMORY_NODES],
        .accounts = plan->shares[MEMORY_ACCOUNTS],
        .code = plan->shares[MEMORY_CODE],
        .held = plan->shares[MEMORY_HELD],
    };
}

void memory_bound_dev(const struct memory_plan *plan, struct dev_options *dev)
{
    dev->memory = memory_of_chain(plan);
    dev->pool_max = plan->shares[MEMORY_POOL];
    dev->unsynced_max = plan->shares[MEMORY_UNSYNCED];
}

static u32 at_most(u32 usual, u64 bytes)
{
    return bytes < usual ? (u32)bytes : usual;
}

void memory_bound_service(const struct memory_plan *plan, struct rpc_options *rpc,
                          struct http_options *http)
{
    enum { VALUE_BYTES = 150 }; /* prim/json.h */
    u64 lines = plan->shares[MEMORY_LINES];
    u64 bodies = lines > BODIES_LEAST ? lines : BODIES_LEAST;
    rpc->answer_max = at_most(rpc->answer_max, plan->shares[MEMORY_ANSWER]);
    rpc->values_max = (u32)(plan->shares[MEMORY_VALUES] / VALUE_BYTES);
    if (plan->ceiling < SMALL_MIB * MIB && rpc->call_gas_max > GAS_USUAL)
        rpc->call_gas_max = GAS_USUAL;
    http->bodies_max = bodies;
    http->body_max = at_most(http->body_max, bodies);
    http->pipeline_max = at_most(http->pipeline_max, lines / 16);
    http->unsent_max = at_most(http->unsent_max, lines / 4);
    http->websocket_options.message_max =
        at_most((u32)http->websocket_options.message_max, bodies / 2);
    http->websocket_options.unsent_max =
        at_most((u32)http->websocket_options.unsent_max, lines / 4);
}

/* --- watching --------------------------------------------------------------------------------- */

void memory_watch_open(struct memory_watch *watch, const struct memory_plan *plan)
{
    /* What the next request or block may take at once must still fit: the machine's memory, and an answer's copies. */
    u64 at_once = memory_of_gas(GAS_USUAL) + 2 * plan->shares[MEMORY_ANSWER];
    u64 spare = at_once > plan->ceiling / 8 ? at_once : plan->ceiling / 8;
    *watch = (struct memory_watch){.near = plan->ceiling - spare, .is_tight = is_tight(plan)};
    usage_open(&watch->usage);
}

void memory_watch_close(struct memory_watch *watch)
{
    if (watch->near)
        usage_close(&watch->usage);
    watch->near = 0;
}

static bool is_near(const struct memory_watch *watch)
{
    u64 virtual_bytes, resident_bytes;
    return watch->near && usage_memory(&watch->usage, &virtual_bytes, &resident_bytes) &&
           resident_bytes > watch->near;
}

bool memory_is_short(struct memory_watch *watch, struct chain *chain, u64 now_ms)
{
    evm_settle(chain_evm(chain));
    if (LIKELY(!is_near(watch)))
        return false;
    chain_ease(chain);
    if (!is_near(watch) || now_ms - watch->rested_ms < REST_EVERY_MS)
        return false;
    watch->rested_ms = now_ms;
    return true;
}
