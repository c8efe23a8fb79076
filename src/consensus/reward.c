#include "consensus/reward.h"

u256 reward_block(enum fork fork)
{
    u64 ether = fork >= FORK_PARIS            ? 0
                : fork >= FORK_CONSTANTINOPLE ? 2 /* EIP-1234 */
                : fork >= FORK_BYZANTIUM      ? 3 /* EIP-649 */
                                              : 5;
    return u256_mul(u256_from_u64(ether), u256_from_u64(1000000000000000000));
}

u256 reward_ommer(u256 block_reward, u64 number, u64 ommer_number)
{
    u256 eighths = u256_from_u64(ommer_number + 8 - number);
    return u256_shr(u256_mul(block_reward, eighths), 3);
}

u256 reward_nephew(u256 block_reward)
{
    return u256_shr(block_reward, 5);
}

u256 reward_sealer(u256 block_reward, u32 ommer_count)
{
    u256 extra = u256_mul(reward_nephew(block_reward), u256_from_u64(ommer_count));
    return u256_add(block_reward, extra);
}
