#include "chain/revisit.h"

#include "base/mem.h"
#include "chain/process.h"
#include "chain/store.h"
#include "state/disk.h"
#include "state/past.h"

struct revisit {
    struct db *db;
    const struct chain_config *config;
    struct disk_state *disk;
    struct state_backend backend;
    struct evm *evm;
    struct arena arena;
    struct visits visits;
    struct process process;
};

struct revisit *revisit_new(struct db *db, const struct chain_config *config)
{
    struct revisit *revisit = NEW(struct revisit);
    revisit->db = db;
    revisit->config = config;
    revisit->disk = disk_state_new(db, 0, 0);
    revisit->backend = disk_state_backend(revisit->disk);
    revisit->evm = evm_new();
    arena_init(&revisit->arena);
    visits_init(&revisit->visits, 0);
    return revisit;
}

void revisit_free(struct revisit *revisit)
{
    if (!revisit)
        return;
    visits_fini(&revisit->visits);
    arena_fini(&revisit->arena);
    evm_free(revisit->evm);
    disk_state_free(revisit->disk);
    mem_free(revisit);
}

static hash32 hash_of(void *ctx, u64 number)
{
    hash32 hash;
    const struct revisit *revisit = ctx;
    return store_get_canonical(revisit->db, &hash, number) ? hash : (hash32){{0}};
}

static bool run(struct revisit *revisit, const struct chain_block *block, struct state *state)
{
    struct process *process = &revisit->process;
    const struct header *header = &block->block.header;
    u256 parent_td = u256_sub(block->total_difficulty, header->difficulty);
    enum fork fork =
        chain_config_fork(revisit->config, header->number, header->timestamp, parent_td);
    struct evm_block env = process_env(header, fork, revisit->config);
    struct exec_result result;
    process_begin(process, state, revisit->evm, &revisit->arena, revisit->config, fork, &env);
    process->exec.block_hash = hash_of;
    process->exec.block_hash_ctx = revisit;
    process->exec.visits = &revisit->visits;
    process->without_roots = true;
    process_start(process, &header->parent_hash, &header->parent_beacon_root);
    for (u32 i = 0; i < block->block.tx_count; i++)
        if (process_tx(process, &block->block.txs[i], &result) != TX_OK)
            return false;
    return true;
}

bool revisit_block(struct revisit *revisit, const struct chain_block *block,
                   const struct visits **visits)
{
    struct past *past = past_open(revisit->db, &revisit->backend, block->block.header.number - 1);
    struct state_backend backend = past_backend(past);
    struct state *state = state_new(&backend, 0);
    visits_reset(&revisit->visits);
    bool has_run = run(revisit, block, state);
    state_free(state);
    past_close(past);
    arena_reset(&revisit->arena);
    *visits = &revisit->visits;
    return has_run;
}
