#include "types/fork_id.h"

/* Blocks in order, then times in order. */
struct steps {
    u64 at[FORK_COUNT + BLOB_UPGRADE_COUNT + 5];
    u32 count, blocks;
};

/* Keeps the list sorted from the first place that may be looked at; what stands there already, and what the
 * genesis block had, is no step. */
static void add(struct steps *steps, u32 first, u64 at, u64 genesis)
{
    u32 i = steps->count;
    if (at <= genesis || at == CONFIG_NEVER)
        return;
    for (u32 j = first; j < steps->count; j++)
        if (steps->at[j] == at)
            return;
    for (; i > first && steps->at[i - 1] > at; i--)
        steps->at[i] = steps->at[i - 1];
    steps->at[i] = at;
    steps->count++;
}

static struct steps steps_of(const struct chain_config *config, u64 genesis_time)
{
    struct steps steps = {.count = 0};
    const u64 others[] = {config->dao_block, config->muir_glacier, config->arrow_glacier,
                          config->gray_glacier, config->merge_netsplit};
    for (enum fork f = FORK_HOMESTEAD; f < FORK_PARIS; f++)
        add(&steps, 0, config->fork_at[f], 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        add(&steps, 0, others[i], 0);
    steps.blocks = steps.count;
    for (enum fork f = FORK_SHANGHAI; f < FORK_COUNT; f++)
        add(&steps, steps.blocks, config->fork_at[f], genesis_time);
    for (int i = 0; i < BLOB_UPGRADE_COUNT; i++)
        add(&steps, steps.blocks, config->blob_at[i], genesis_time);
    return steps;
}

/* CRC-32 of IEEE 802.3, continued. */
static u32 crc_add(u32 crc, const u8 *bytes, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

struct fork_id fork_id_at(const struct chain_config *config, const hash32 *genesis_hash,
                          u64 genesis_time, u64 number, u64 timestamp)
{
    struct steps steps = steps_of(config, genesis_time);
    u32 crc = crc_add(0, genesis_hash->b, sizeof genesis_hash->b);
    for (u32 i = 0; i < steps.count; i++) {
        u8 bytes[8];
        if (steps.at[i] > (i < steps.blocks ? number : timestamp))
            return (struct fork_id){crc, steps.at[i]};
        for (int j = 0; j < 8; j++)
            bytes[j] = (u8)(steps.at[i] >> (56 - 8 * j));
        crc = crc_add(crc, bytes, sizeof bytes);
    }
    return (struct fork_id){crc, 0};
}
