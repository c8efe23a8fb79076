/*
 * A chain: blocks by hash and by number, side chains, the head, receipts, transactions by hash, and
 * the state at every block that history still holds. In memory, or in a store that outlives the
 * process. One writer; readers share its thread.
 *
 *   chain_open(&chain, &genesis, &options, &err);
 *   verdict = chain_import(chain, rlp, len, &report);
 *   const struct chain_block *head = chain_head(chain);
 *   status = chain_sync(chain, &err);
 *
 * Blocks returned are borrowed from the chain until it changes: until chain_import, chain_add,
 * chain_build, chain_set_head, chain_unwind or chain_rest. With a store, those that are older than
 * history, or past the bound of memory, are read from it when asked for; such a block is borrowed
 * until 16 others have been asked for since it was asked for last. The head is always there.
 */
#pragma once

#include "base/status.h"
#include "chain/process.h"
#include "types/genesis.h"

struct chain;
struct workers;

struct chain_block {
    struct block block;
    u256 total_difficulty;
    struct receipt *receipts; /* block.tx_count of them; NULL while it has never been executed */
    const struct request *requests;
    u32 request_count;
    bool is_canonical;
    bool is_pruned; /* only the header and the total difficulty are left (chain_header_by_number) */
};

/* Bounds in bytes; 0: as much as is usual. */
struct chain_memory {
    size_t nodes;    /* with a store: of trie nodes between syncs */
    size_t accounts; /* of accounts and slots looked at lately, in each of two caches */
    size_t code;     /* of contracts made ready to run */
    /* With a store: of held blocks and of what leads back from them, each; 0: no bound. The rest is read from the
     * store when asked for. A state is refused when what leads back to it takes more. */
    size_t held;
};

struct chain_options {
    u32 history; /* blocks kept behind the head, with their states; 0: all */
    enum evm_engine engine;
    u64 seed; /* random per process: see state_new */
    /* Where the chain is kept; borrowed. NULL: in memory, and gone with the process. */
    struct db *db;
    /* A folder for blocks that no longer change (chain/archive.h); copied. NULL: they stay in the store. */
    const char *segments;
    /* With segments: blocks kept whole behind the head, history at least; of those before only the header stays. What is
     * gone does not come back. 0: all. */
    u32 whole;
    struct chain_memory memory;
    /* With a store: the state of every block stays readable, of a chain that began so from the first one on. The
     * store remembers that it is so. */
    bool archive;
    /* An index by address is kept (chain/addresses.h). With a store it remembers so, and blocks that are there without one are
     * executed again for it, from the newest back to where states can no longer be read. */
    bool addresses;
    /* Told of each block before that is done, and of the last there is to do; NULL: nobody. When the process has been told
     * to end (sys/ending.h) the rest is left to the next opening. */
    void (*indexing)(void *ctx, u64 number, u64 oldest);
    void *indexing_ctx;
    size_t unsynced_max; /* bytes of it that may wait to be made durable; 0: as many as is usual */
    /* Threads that share what takes long of a block that comes whole: its senders, where they are not known yet, and the
     * hashing of large changes. Of their own, without a loop (sys/workers.h); borrowed. NULL: none. */
    struct workers *workers;
};

/*
 * With a store that holds a chain, goes on at its last sync; genesis may then be NULL, and otherwise
 * must be that chain's own. Rules that the head has not reached yet may have changed since; the
 * store takes them over. NOT_FOUND: the store is empty and there is no genesis. INVALID: it belongs
 * to another chain, or cannot be read.
 */
MUST_READ enum status chain_open(struct chain **chain, const struct genesis *genesis,
                                 const struct chain_options *options, struct err *err);
/* What was not synced is lost. */
void chain_close(struct chain *chain);

/* Makes everything so far last: when it returns STATUS_OK, no crash takes it away. On failure the
 * store is as it was at the last sync, and the chain must be closed. Without a store it does
 * nothing. */
MUST_READ enum status chain_sync(struct chain *chain, struct err *err);

/* Between blocks and calls: gives back what the largest of them needed, and mapped pages. Cheap, and costs little later. */
void chain_ease(struct chain *chain);

/* All being synced: as chain_ease, and with a store gives back what can be had again from it. For when nothing
 * happens; takes some milliseconds. */
void chain_rest(struct chain *chain);

/*
 * Checks all that a store and its segments hold: every record on the canonical chain, how they are linked, their lists' roots, the
 * indexes, and the state of the head. progress and fault may be NULL: progress is told of each block, fault of each
 * thing that is wrong in the state. INVALID names the first fault.
 */
struct chain_verify_watcher {
    void (*progress)(void *ctx, u64 number, u64 head);
    void (*fault)(void *ctx, const char *words);
    void *ctx;
};
struct chain_verified {
    u64 head;
    u64 whole; /* before this number, blocks are pruned */
    hash32 hash;
    u64 accounts, slots;
};
MUST_READ enum status chain_verify(struct db *db, const char *segments,
                                   const struct chain_verify_watcher *watcher,
                                   struct chain_verified *verified, struct err *err);

/* How much waits for the next sync, in bytes of memory, about. */
size_t chain_unsynced(const struct chain *chain);

/* STATUS_OK, or why the store cannot be trusted: then a verdict says nothing about the block. */
MUST_READ enum status chain_status(const struct chain *chain, struct err *err);

const struct chain_config *chain_config(const struct chain *chain);

/*
 * Decodes, checks and adds one block. It becomes the head when its chain is the better one: more
 * total difficulty before the merge, any child of the head after it. BLOCK_KNOWN for one that is
 * there already. A block that was refused after execution is refused again without. The bytes are
 * copied. report may be NULL.
 */
MUST_READ enum block_verdict chain_import(struct chain *chain, const u8 *rlp, size_t len,
                                          struct chain_report *report);

/*
 * The same in two steps, of which the first may run on another thread, and for several blocks at once:
 * decoding, and finding the senders, which costs as much as all the rest of a plain block. It looks
 * at nothing of the chain that changes. Senders are left for later in blocks below senders_from,
 * which are probably known. chain_add takes the block in any case.
 */
struct chain_incoming;
struct chain_incoming *chain_prepare(const struct chain *chain, const u8 *rlp, size_t len,
                                     u64 senders_from);
MUST_READ enum block_verdict chain_add(struct chain *chain, struct chain_incoming *incoming,
                                       struct chain_report *report);
void chain_incoming_free(struct chain_incoming *incoming); /* instead of chain_add */
/* What it is; false when it could not be decoded. */
MUST_READ bool chain_incoming_block(const struct chain_incoming *incoming,
                                    const struct block **block);

/* Is it there, on whatever branch? Costs a look-up. */
bool chain_knows(const struct chain *chain, const hash32 *hash);

/* Makes a known block the head, going back and forth as needed (engine_forkchoiceUpdated). */
MUST_READ enum block_verdict chain_set_head(struct chain *chain, const hash32 *hash);

/* --- looking up: NULL or false for what is not there ------------------------------------------ */

const struct chain_block *chain_head(const struct chain *chain);
const struct chain_block *chain_by_number(const struct chain *chain, u64 number); /* canonical */
const struct chain_block *chain_by_hash(const struct chain *chain, const hash32 *hash);
/* The canonical block that holds a transaction, and its place there. */
const struct chain_block *chain_find_tx(const struct chain *chain, const hash32 *hash, u32 *index);
/* The oldest from which on all are whole. Before it the genesis is, which consists of its header. */
u64 chain_oldest(const struct chain *chain);
/*
 * The same of any block, also of one that is pruned: of those before chain_oldest only the header, the hash and the
 * total difficulty are left, which chain_by_number and chain_by_hash do not give. Nothing else may be looked at.
 */
const struct chain_block *chain_header_by_number(const struct chain *chain, u64 number);
const struct chain_block *chain_header_by_hash(const struct chain *chain, const hash32 *hash);

/* What goes as the chain grows: so many blocks behind the head stay; 0: all. */
struct chain_kept {
    u32 blocks, states, proofs;
};
struct chain_kept chain_kept(const struct chain *chain);

/* Are there blocks that should be pruned and are not yet? Each chain_sync prunes as many as came, and some more. */
bool chain_prunes(const struct chain *chain);
/* The oldest whose state is; no branch can begin below it. */
u64 chain_oldest_state(const struct chain *chain);
/* The oldest whose state can be read: the same, but for an archive. */
u64 chain_oldest_readable(const struct chain *chain);

/* Is the state after this block still to be had? Then *state is a view of it, to be written to
 * freely (writes go nowhere) and given back with chain_state_release. The head's is the cheapest.
 * One that is held may yet take more memory than there is for it. Of an archive, one that is not held has neither
 * roots nor proofs. */
MUST_READ bool chain_state_at(struct chain *chain, u64 number, struct state **state);
/* The same as the beginning of a branch that is never kept: state_root tells the root of what was written. */
MUST_READ bool chain_state_branch(struct chain *chain, u64 number, struct state **state);
void chain_state_release(struct chain *chain, struct state *state);

/* The head's own state, to be looked at and not written to, until the chain changes: cheaper than a view, for
 * what is asked between any two blocks. */
struct state *chain_state_look(struct chain *chain);

/* The hash that the first block of such a chain has. */
void chain_genesis_hash(const struct genesis *genesis, hash32 *hash);

/* Puts accounts into a state as a genesis block does, empty ones too; uncommitted. */
void chain_populate(struct state *state, const struct genesis_account *accounts, u32 count);

/* The fork that is in force inside `header`'s block. */
enum fork chain_fork(const struct chain *chain, const struct header *header);

/* The chain's own machine, for calls between blocks. */
struct evm *chain_evm(struct chain *chain);

/* Sets up exec to run as if inside `header`'s block, on any state view (eth_call, traces). It borrows the block before. */
void chain_exec_init(struct chain *chain, struct exec *exec, struct state *state,
                     const struct header *header);

/* --- making blocks ---------------------------------------------------------------------------- */

/* What the maker of the next block decides; the rest follows from the head. */
struct chain_attributes {
    u64 timestamp; /* later than the head's */
    addr20 coinbase;
    u64 gas_limit; /* as given, without the 1/1024 rule, which dev chains do not keep */
    hash32 prev_randao;
    hash32 parent_beacon_root;
    bool has_base_fee; /* base_fee replaces what EIP-1559 gives */
    u256 base_fee;
    const u8 *extra;
    size_t extra_len;
    const struct withdrawal *withdrawals;
    u32 withdrawal_count;
};

/* The header of a block on top of that one as far as it is known before execution. */
void chain_header_after(const struct chain *chain, const struct chain_block *parent,
                        const struct chain_attributes *attributes, struct header *header);

/* The same of the next block. */
void chain_next_header(const struct chain *chain, const struct chain_attributes *attributes,
                       struct header *header);

/*
 * Builds a block of the transactions that can be included, in order, and makes it the head.
 * verdicts (if not NULL) has a place for each. Senders must be set or recoverable. Transactions
 * are copied. NULL, with nothing changed, when a system contract of the fork is absent (see
 * chain/predeploy.h).
 */
const struct chain_block *chain_build(struct chain *chain,
                                      const struct chain_attributes *attributes,
                                      const struct tx *txs, u32 count, enum tx_verdict *verdicts);

/*
 * Builds on `parent` what chain_build builds on the head, and keeps nothing. state: the parent's, from
 * chain_state_branch; the draft's afterwards. Everything in the draft is the arena's or the transactions'.
 * BLOCK_SYSTEM_CALL or BLOCK_DEPOSIT_EVENT when no block can be made.
 */
MUST_READ enum block_verdict chain_draft(struct chain *chain, struct chain_block *draft,
                                         struct arena *arena, struct state *state,
                                         const struct chain_block *parent,
                                         const struct chain_attributes *attributes,
                                         const struct tx *txs, u32 count,
                                         enum tx_verdict *verdicts);

/* Takes blocks off until `number` is the head; they are forgotten. False when history does not
 * reach back. */
MUST_READ bool chain_unwind(struct chain *chain, u64 number);

/* --- direct changes to the state, as dev nodes allow ------------------------------------------ */

/* The head's own state, to be changed outside any block. chain_state_commit makes the changes one
 * edit of the head block: they stay below later blocks, and a chain that unwinds past the block
 * loses them. */
struct state *chain_state_edit(struct chain *chain);
void chain_state_commit(struct chain *chain);

/* How many edits the head block has, and taking back all but the first `kept`. */
u32 chain_state_edits(const struct chain *chain);
void chain_state_unedit(struct chain *chain, u32 kept);
