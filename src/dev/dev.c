#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "chain/predeploy.h"
#include "dev/dev_int.h"
#include "prim/keccak.h"
#include "sys/clock.h"
#include "sys/random.h"

static const char EXTRA[] = "ashlar";

struct dev_options dev_options_default(void)
{
    struct dev_options options = {
        .chain_id = 31337,
        .fork = FORK_OSAKA,
        .mnemonic = "test test test test test test test test test test test junk",
        .accounts = 10,
        .gas_limit = 30000000,
        .base_fee = u256_from_u64(1000000000),
    };
    bool parsed = u256_parse(&options.balance, "10000000000000000000000");
    assert(parsed);
    return options;
}

/* --- opening -------------------------------------------------------------------------------- */

static enum status check_options(const struct dev_options *options, struct err *err)
{
    if (options->fork < FORK_LONDON)
        return err_set(err, STATUS_UNSUPPORTED,
                       "--fork: a development chain begins at london or later");
    if (options->gas_limit < 5000 || options->gas_limit > INT64_MAX)
        return err_set(err, STATUS_INVALID, "--gas-limit: from 5000 to 9223372036854775807");
    if (!options->chain_id || options->chain_id > INT64_MAX)
        return err_set(err, STATUS_INVALID, "--chain-id: from 1 to 9223372036854775807");
    return STATUS_OK;
}

static void put_accounts(const struct dev *dev, struct genesis *genesis, struct arena *arena)
{
    u32 count = dev->accounts.count, system_count;
    const struct genesis_account *system = predeploy_list(dev->options.fork, &system_count);
    struct genesis_account *list = arena_zalloc(arena, (count + system_count) * sizeof *list);
    for (u32 i = 0; i < count; i++) {
        list[i].addr = dev->accounts.list[i].addr;
        list[i].balance = dev->options.balance;
    }
    if (system_count)
        memcpy(list + count, system, system_count * sizeof *list);
    genesis->accounts = list;
    genesis->account_count = count + system_count;
}

enum { SYNC_AFTER_MS = 500, PRUNE_AFTER_MS = 100 };

static enum status check_chain(struct dev *dev, struct err *err)
{
    u64 chain_id = chain_config(dev->chain)->chain_id;
    const struct chain_block *first = chain_by_number(dev->chain, 0);
    if (chain_id != dev->options.chain_id)
        return err_set(err, STATUS_INVALID,
                       "the data folder holds a chain of id %llu: --chain-id %llu goes on with it",
                       (unsigned long long)chain_id, (unsigned long long)chain_id);
    if (first)
        dev->genesis_hash = first->block.hash;
    return STATUS_OK;
}

static enum status open_chain(struct dev *dev, u64 seed, struct err *err)
{
    struct genesis genesis = {0};
    struct chain_options options = {
        .history = dev->options.history,
        .seed = seed,
        .db = dev->options.db,
        .segments = dev->options.segments,
        .archive = dev->options.archive,
        .addresses = dev->options.addresses || !dev->options.db,
        .indexing = dev->options.indexing,
        .indexing_ctx = dev->options.indexing_ctx,
        .unsynced_max = dev->options.unsynced_max,
        .memory = dev->options.memory,
    };
    if (options.db) {
        options.whole = options.segments ? options.history : 0;
        options.history = dev->options.states ? dev->options.states : DEV_STATES_STORED;
    }
    chain_config_init(&genesis.config, dev->options.fork);
    genesis.config.chain_id = dev->options.chain_id;
    struct header *header = &genesis.header;
    header->timestamp = clock_wall_ns() / 1000000000;
    header->gas_limit = dev->options.gas_limit;
    header->base_fee = dev->options.base_fee;
    header->extra = (const u8 *)EXTRA;
    header->extra_len = sizeof EXTRA - 1;
    header->fields = header_fields_of(dev->options.fork);
    genesis_complete_header(header, &genesis.config);
    struct arena arena;
    arena_init(&arena);
    put_accounts(dev, &genesis, &arena);
    /* One that is there goes on; its genesis had another timestamp. */
    enum status status = STATUS_NOT_FOUND;
    if (options.db)
        status = chain_open(&dev->chain, NULL, &options, err);
    if (status == STATUS_NOT_FOUND)
        status = chain_open(&dev->chain, &genesis, &options, err);
    arena_fini(&arena);
    return status == STATUS_OK ? check_chain(dev, err) : status;
}

/* --- making it last --------------------------------------------------------------------------- */

/* Old blocks go with new ones; when many have to at once, so do they while nothing comes. */
static void prune_soon(struct dev *dev)
{
    if (dev->is_syncing || !chain_prunes(dev->chain))
        return;
    dev->is_syncing = true;
    timer_start(dev->sync_timer, PRUNE_AFTER_MS, 0);
}

static void on_sync(void *ctx)
{
    struct dev *dev = ctx;
    dev->is_syncing = false;
    dev->sync_failed = chain_sync(dev->chain, &dev->sync_failure) != STATUS_OK;
    if (dev->sync_failed)
        loop_stop(dev->loop); /* what follows could not be kept */
    else
        prune_soon(dev);
}

void dev_sync_now(struct dev *dev)
{
    if (!dev->options.db || dev->sync_failed)
        return;
    timer_stop(dev->sync_timer);
    on_sync(dev);
}

void dev_sync_soon(struct dev *dev)
{
    if (!dev->options.db || dev->is_syncing)
        return;
    dev->is_syncing = true;
    timer_start(dev->sync_timer, SYNC_AFTER_MS, 0);
}

enum status dev_sync(struct dev *dev, struct err *err)
{
    if (dev->sync_failed)
        return err_set(err, STATUS_IO, "%s", dev->sync_failure.text);
    return chain_sync(dev->chain, err);
}

static bool is_much_unsynced(const struct dev *dev)
{
    return dev->options.unsynced_max && chain_unsynced(dev->chain) > dev->options.unsynced_max;
}

void dev_tell_changed(struct dev *dev)
{
    if (dev->watcher.changed)
        dev->watcher.changed(dev->watcher.ctx);
    if (is_much_unsynced(dev))
        dev_sync_now(dev);
    else
        dev_sync_soon(dev);
}

static void on_timer(void *ctx)
{
    struct err err;
    struct dev *dev = ctx;
    if (dev_mine(dev, 1, 0, &err) != STATUS_OK)
        timer_stop(dev->timer); /* the system contracts were taken away: no block can be made */
}

/* All users of a chain of one's own are its own. */
static struct txpool *pool_new(const struct dev_options *options, bool is_follower)
{
    struct txpool_options pool = txpool_options_default();
    pool.seed = random_u64();
    if (!is_follower) {
        pool.local_percent = 100;
        pool.sender_local_max = pool.sender_txs_max;
    }
    if (options->pool_max)
        pool.bytes_max = options->pool_max;
    return txpool_new(&pool);
}

enum status dev_open(struct dev **out, struct loop *loop, const struct dev_options *options,
                     struct err *err)
{
    enum status status = check_options(options, err);
    if (status != STATUS_OK)
        return status;
    struct dev *dev = NEW(struct dev);
    dev->loop = loop;
    dev->options = *options;
    dev->gas_limit = options->gas_limit;
    status = dev_accounts_init(&dev->accounts, options->mnemonic, options->accounts, err);
    if (status == STATUS_OK)
        status = open_chain(dev, random_u64(), err);
    if (status != STATUS_OK) {
        chain_close(dev->chain);
        dev_accounts_fini(&dev->accounts);
        mem_free(dev);
        return status;
    }
    dev->pool = pool_new(options, false);
    dev->timer = timer_new(loop, on_timer, dev);
    dev->sync_timer = timer_new(loop, on_sync, dev);
    dev->arrivals = NEW_ARRAY(hash32, DEV_ARRIVALS);
    if (options->db)
        dev_pool_keep(dev, options->db);
    prune_soon(dev);
    dev_set_sealing(dev, (struct dev_sealing){.automine = !options->block_time_ms,
                                              .interval_ms = options->block_time_ms});
    *out = dev;
    return STATUS_OK;
}

struct dev *dev_follow(struct loop *loop, struct chain *chain, const struct dev_options *options)
{
    struct dev *dev = NEW(struct dev);
    const struct chain_block *genesis = chain_by_number(chain, 0);
    dev->loop = loop;
    dev->chain = chain;
    dev->is_follower = true;
    dev->options = *options;
    dev->gas_limit = chain_head(chain)->block.header.gas_limit;
    if (genesis)
        dev->genesis_hash = genesis->block.hash;
    dev->pool = pool_new(options, true);
    dev->timer = timer_new(loop, on_timer, dev);
    dev->sync_timer = timer_new(loop, on_sync, dev);
    dev->arrivals = NEW_ARRAY(hash32, DEV_ARRIVALS);
    dev_pool_keep(dev, options->db);
    prune_soon(dev);
    return dev;
}

void dev_close(struct dev *dev)
{
    if (!dev)
        return;
    timer_free(dev->timer);
    timer_free(dev->sync_timer);
    txpool_free(dev->pool);
    if (!dev->is_follower)
        chain_close(dev->chain);
    dev_accounts_fini(&dev->accounts);
    mem_free(dev->impersonated);
    mem_free(dev->snapshots);
    mem_free(dev->arrivals);
    mem_free(dev);
}

/* --- the clock ------------------------------------------------------------------------------ */

static i64 host_seconds(void)
{
    return (i64)(clock_wall_ns() / 1000000000);
}

static u64 head_timestamp(const struct dev *dev)
{
    return chain_head(dev->chain)->block.header.timestamp;
}

u64 dev_timestamp(const struct dev *dev)
{
    u64 head = head_timestamp(dev);
    if (dev->next_timestamp > head)
        return dev->next_timestamp;
    if (dev->timestamp_step_s)
        return head + dev->timestamp_step_s;
    i64 now = host_seconds() + dev->clock_offset_s;
    return now > 0 && (u64)now > head ? (u64)now : head + 1;
}

/* Leaves room for later blocks and for sums in signed numbers. */
static bool is_usable(u64 timestamp)
{
    return timestamp < (u64)1 << 62;
}

enum status dev_set_next_timestamp(struct dev *dev, u64 timestamp, struct err *err)
{
    if (timestamp <= head_timestamp(dev) || !is_usable(timestamp))
        return err_set(err, STATUS_INVALID,
                       "Timestamp error: %llu is lower than or equal to previous block's timestamp",
                       (unsigned long long)timestamp);
    dev->next_timestamp = timestamp;
    dev->clock_offset_s = (i64)timestamp - host_seconds();
    return STATUS_OK;
}

/* Blocks that follow quickly are each a second apart and may be ahead of the clock, so the head counts, too. */
enum status dev_increase_time(struct dev *dev, u64 seconds, struct err *err)
{
    i64 now = host_seconds();
    i64 from = now + dev->clock_offset_s;
    if (from < (i64)head_timestamp(dev))
        from = (i64)head_timestamp(dev);
    if (!is_usable(seconds) || !is_usable((u64)from + seconds))
        return err_set(err, STATUS_INVALID, "the time would be out of range");
    dev->clock_offset_s = from + (i64)seconds - now;
    return STATUS_OK;
}

enum status dev_set_time(struct dev *dev, u64 timestamp, struct err *err)
{
    if (!is_usable(timestamp))
        return err_set(err, STATUS_INVALID, "the time is out of range");
    dev->clock_offset_s = (i64)timestamp - host_seconds();
    return STATUS_OK;
}

void dev_set_sealing(struct dev *dev, struct dev_sealing sealing)
{
    dev->sealing = sealing;
    timer_stop(dev->timer);
    if (sealing.interval_ms)
        timer_start(dev->timer, sealing.interval_ms, sealing.interval_ms);
}

/* --- whose name may be used ----------------------------------------------------------------- */

static i64 impersonated_place(const struct dev *dev, const addr20 *addr)
{
    for (u32 i = 0; i < dev->impersonated_count; i++)
        if (addr20_eq(&dev->impersonated[i], addr))
            return i;
    return -1;
}

bool dev_is_impersonated(const struct dev *dev, const addr20 *addr)
{
    return dev->impersonate_all || impersonated_place(dev, addr) >= 0;
}

void dev_impersonate(struct dev *dev, const addr20 *addr)
{
    if (impersonated_place(dev, addr) >= 0)
        return;
    if (dev->impersonated_count == dev->impersonated_cap) {
        dev->impersonated_cap = dev->impersonated_cap ? 2 * dev->impersonated_cap : 8;
        dev->impersonated =
            mem_realloc(dev->impersonated, dev->impersonated_cap * sizeof *dev->impersonated);
    }
    dev->impersonated[dev->impersonated_count++] = *addr;
}

bool dev_stop_impersonating(struct dev *dev, const addr20 *addr)
{
    i64 place = impersonated_place(dev, addr);
    if (place < 0)
        return false;
    dev->impersonated[place] = dev->impersonated[--dev->impersonated_count];
    return true;
}

/* --- snapshots ------------------------------------------------------------------------------ */

/* A moment: the head, how often its state had been edited, and what was set for the next block. */
struct dev_snapshot {
    u64 id;
    hash32 head;
    u64 number;
    u32 edits;
    i64 clock_offset_s;
    u64 next_timestamp;
    addr20 coinbase;
    u64 gas_limit;
    bool has_base_fee;
    u256 base_fee;
    bool has_prev_randao;
    hash32 prev_randao;
};

enum status dev_snapshot_take(struct dev *dev, u64 *id, struct err *err)
{
    if (dev->snapshot_count == DEV_SNAPSHOTS_MAX)
        return err_set(err, STATUS_TOO_LARGE, "there are %u snapshots already", DEV_SNAPSHOTS_MAX);
    if (dev->snapshot_count == dev->snapshot_cap) {
        dev->snapshot_cap = dev->snapshot_cap ? 2 * dev->snapshot_cap : 8;
        dev->snapshots = mem_realloc(dev->snapshots, dev->snapshot_cap * sizeof *dev->snapshots);
    }
    const struct chain_block *head = chain_head(dev->chain);
    dev->snapshots[dev->snapshot_count++] = (struct dev_snapshot){
        .id = *id = dev->next_snapshot++,
        .head = head->block.hash,
        .number = head->block.header.number,
        .edits = chain_state_edits(dev->chain),
        .clock_offset_s = dev->clock_offset_s,
        .next_timestamp = dev->next_timestamp,
        .coinbase = dev->coinbase,
        .gas_limit = dev->gas_limit,
        .has_base_fee = dev->has_base_fee,
        .base_fee = dev->base_fee,
        .has_prev_randao = dev->has_prev_randao,
        .prev_randao = dev->prev_randao,
    };
    return STATUS_OK;
}

/* Block by block, each step a chain of its own: what a store is to change is in memory until it is made durable. */
static bool unwind(struct dev *dev, u64 number)
{
    for (u64 at = chain_head(dev->chain)->block.header.number; at > number; at--) {
        if (!chain_unwind(dev->chain, at - 1))
            return false;
        if (is_much_unsynced(dev))
            dev_sync_now(dev);
        if (dev->sync_failed)
            return false;
    }
    return true;
}

static bool go_back(struct dev *dev, u64 number)
{
    if (number < chain_oldest_state(dev->chain) ||
        number > chain_head(dev->chain)->block.header.number)
        return false;
    if (dev->watcher.leaving)
        dev->watcher.leaving(dev->watcher.ctx, number);
    if (!unwind(dev, number))
        return false;
    dev_sync_soon(dev);
    return true;
}

bool dev_snapshot_revert(struct dev *dev, u64 id)
{
    u32 place = 0;
    while (place < dev->snapshot_count && dev->snapshots[place].id != id)
        place++;
    if (place == dev->snapshot_count)
        return false;
    struct dev_snapshot then = dev->snapshots[place];
    const struct chain_block *block = chain_by_number(dev->chain, then.number);
    if (!block || !hash32_eq(&block->block.hash, &then.head) || !go_back(dev, then.number))
        return false;
    chain_state_unedit(dev->chain, then.edits);
    dev->snapshot_count = place;
    dev->clock_offset_s = then.clock_offset_s;
    dev->next_timestamp = then.next_timestamp;
    dev->coinbase = then.coinbase;
    dev->gas_limit = then.gas_limit;
    dev->has_base_fee = then.has_base_fee;
    dev->base_fee = then.base_fee;
    dev->has_prev_randao = then.has_prev_randao;
    dev->prev_randao = then.prev_randao;
    dev_pool_follow(dev);
    return true;
}

enum status dev_rollback(struct dev *dev, u64 count, struct err *err)
{
    u64 number = chain_head(dev->chain)->block.header.number;
    if (count > number || !go_back(dev, number - count))
        return err_set(err, STATUS_INVALID, "only the last %llu blocks can be taken back",
                       (unsigned long long)(number - chain_oldest_state(dev->chain)));
    while (dev->snapshot_count && dev->snapshots[dev->snapshot_count - 1].number > number - count)
        dev->snapshot_count--;
    dev_pool_follow(dev);
    return STATUS_OK;
}
