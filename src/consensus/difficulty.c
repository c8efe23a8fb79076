#include "consensus/difficulty.h"

enum {
    DIFFICULTY_MIN = 131072,
    BOUND_DIVISOR = 2048,
    STEPS_DOWN_MAX = 99,
    BOMB_PERIOD = 100000, /* blocks */
};

/* By how many steps the difficulty goes up (or, negative, down), given how long the block took. */
static int steps(enum fork fork, u64 seconds, bool parent_has_ommers)
{
    if (fork < FORK_HOMESTEAD)
        return seconds < 13 ? 1 : -1;
    int top = fork >= FORK_BYZANTIUM && parent_has_ommers ? 2 : 1; /* EIP-100 */
    u64 down = seconds / (fork >= FORK_BYZANTIUM ? 9 : 10);        /* EIP-100, EIP-2 */
    return down > STEPS_DOWN_MAX + (u64)top ? -STEPS_DOWN_MAX : top - (int)down;
}

static u256 max(u256 a, u256 b)
{
    return u256_lt(a, b) ? b : a;
}

u256 difficulty_next(enum fork fork, u64 bomb_delay, u64 number, u64 timestamp,
                     const struct difficulty_parent *parent)
{
    const u256 least = u256_from_u64(DIFFICULTY_MIN);
    u64 seconds = timestamp > parent->timestamp ? timestamp - parent->timestamp : 0;
    int n = steps(fork, seconds, parent->has_ommers);
    u256 step = u256_div(parent->difficulty, u256_from_u64(BOUND_DIVISOR));
    u256 change = u256_mul(step, u256_from_u64((u64)(n < 0 ? -n : n)));
    u256 difficulty =
        n < 0 ? u256_sub(parent->difficulty, change) : u256_add(parent->difficulty, change);
    /* The official tests have parents below the minimum, which no network has: for those the bomb is added first. */
    if (!u256_lt(parent->difficulty, least))
        difficulty = max(difficulty, least);
    u64 period = (number > bomb_delay ? number - bomb_delay : 0) / BOMB_PERIOD;
    if (period > 1)
        difficulty = u256_add(difficulty, u256_shl_by(U256_ONE, u256_from_u64(period - 2)));
    return max(difficulty, least);
}
