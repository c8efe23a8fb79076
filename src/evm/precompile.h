/*
 * The contracts that Ethereum has built in, at low addresses: what each costs and what it answers.
 * One table holds them all; a fork adds rows or moves a price.
 */
#pragma once

#include "base/arena.h"
#include "base/types.h"
#include "prim/addr20.h"
#include "types/fork.h"

struct precompile {
    u16 address; /* the low two bytes; the other eighteen are zero */
    enum fork since;
    const char *name;

    /* The price of this input; ~0, more than anybody has, when the input is not to run at all. */
    u64 (*gas)(enum fork fork, const u8 *in, size_t len);

    /*
     * The answer. False when the input is not valid: the call fails and its gas is gone. *out points
     * into the input, into the arena, or to constants; an empty answer has *out_len 0 and is a
     * success. Call it only after its gas was paid: the price is what bounds its time and memory.
     */
    bool (*run)(const u8 **out, size_t *out_len, const u8 *in, size_t len, struct arena *arena);
};

enum { PRECOMPILE_COUNT = 18 };

/* By rising address; the rows of later forks are there too. */
extern const struct precompile PRECOMPILES[PRECOMPILE_COUNT];

/* The one at this address under this fork's rules, or NULL. */
const struct precompile *precompile_find(enum fork fork, const addr20 *addr);

/*
 * Some addresses where it is otherwise than the fork says, as simulations may pretend. Zeroed it changes nothing.
 * Source: execution-apis, movePrecompileToAddress.
 */
struct precompile_overrides {
    struct {
        addr20 addr;
        const struct precompile *precompile; /* NULL: an account like any other */
    } rows[2 * PRECOMPILE_COUNT];
    u32 count;
};

/* The one at this address under the fork's rules and the overrides (which may be NULL), or NULL. */
const struct precompile *precompile_find_among(const struct precompile_overrides *overrides,
                                               enum fork fork, const addr20 *addr);

/* Puts a precompile (NULL: none) at this address. At most two rows a precompile: where it was, and where it is. */
void precompile_override(struct precompile_overrides *overrides, const addr20 *addr,
                         const struct precompile *precompile);

/* The address as twenty bytes. */
addr20 precompile_addr(const struct precompile *precompile);
