/* What the files of this room share: a frame, code that was looked at, the tables, the machine. */
#pragma once

#include "base/arena.h"
#include "base/assert.h"
#include "evm/evm.h"
#include "evm/hash_memo.h"
#include "evm/opcode.h"
#include "evm/precompile_cache.h"
#include "evm/tracer.h"

/* Behind the stack's last word there are STACK_ROOM more: temporaries of translated code. */
enum { STACK_MAX = 1024, STACK_ROOM = 512, DEPTH_MAX = 1024 };

struct fast_code; /* a translation, owned by the code cache (fast.h) */

/*
 * Contract code, ready to run. The cache keeps it by hash; init code lives for one frame.
 * bytes are followed by at least CODE_PADDING zero bytes, so that a PUSH at the end, running off it
 * and reading whole blocks need no check.
 */
struct code {
    hash32 hash; /* zero for init code */
    const u8 *bytes;
    u32 len;
    const u64 *jumpdests; /* bit i: byte i is a JUMPDEST that is not push data */
    struct fast_code *fast;
    i64 credit;   /* gas it has used, less what translating it has cost (fast.c) */
    u32 users;    /* frames that run it now; the cache drops it only at 0 */
    bool is_used; /* entered since the cache's hand passed by */
    bool is_cached;
};

enum { CODE_PADDING = 64 };

static inline bool code_is_jumpdest(const struct code *code, u64 at)
{
    return at < code->len && (code->jumpdests[at >> 6] >> (at & 63) & 1);
}

/* Bytes that padded code and its bitmap take, for code_prepare. */
size_t code_prepared_size(size_t len);

/* Copies bytes into room (code_prepared_size bytes, 8-aligned) and finds its jump destinations. */
void code_prepare(struct code *code, void *room, const u8 *bytes, size_t len);

/*
 * Code by hash, bounded in bytes. An entry in use is never dropped; one that was not entered
 * lately goes first (a second-chance clock).
 */
struct code_cache {
    struct code **slots; /* open addressing by hash; capacity is a power of two */
    size_t capacity, count, hand;
    size_t bytes, bytes_max;
};

void code_cache_init(struct code_cache *cache, size_t bytes_max);
void code_cache_fini(struct code_cache *cache);

/* The code of a view, prepared; in use until code_cache_put. */
struct code *code_cache_take(struct code_cache *cache, const struct evm_code_view *view);
void code_cache_put(struct code *code);

/*
 * Memory of one frame: a window of the machine's memory stack, grown in words, zeroed when grown.
 * The newest frame's window is the topmost; growing may move it, but never an older frame's.
 */
struct memory {
    u8 *bytes;
    u64 len;   /* multiple of 32 */
    u64 cap;   /* up to the end of the chunk */
    u32 chunk; /* where in the machine's chunks it lies */
};

struct memory_chunk {
    u8 *bytes;
    size_t size;
};

enum { MEMORY_CHUNKS = 24 };
#define MEMORY_MAX ((u64)1 << 32) /* costs 3.5e13 gas; asking for more is out of gas */

/*
 * One running piece of code. Both interpreters run on it and can take over from each other at a basic
 * block's edge: pc, stack height and gas are all that moves.
 */
struct frame {
    struct evm *evm;
    const struct evm_msg *msg;
    struct code *code;
    u256 *stack; /* 1,024 words and some room; stack[0] is the bottom */
    struct memory memory;
    i64 gas;               /* left; negative just after a failed charge */
    const u8 *return_data; /* RETURNDATA of the latest call */
    size_t return_data_len;
    u32 pc;                /* where to begin, or to go on */
    u32 stack_len;         /* the callee's stack begins above it */
    u32 jumps_left;        /* the plain interpreter pauses at a jump's target when this reaches 0 */
    bool is_paused;        /* it did so: pc, stack_len and gas say where */
    bool is_reported;      /* tracing: this instruction's step was reported */
    struct evm_step *step; /* tracing: the step being made; NULL when nobody watches */
    struct frame *parent;
    /* set when it ends */
    enum evm_status status;
    const u8 *output; /* in memory; moved out by evm_call */
    size_t output_len;
};

/* Single EIPs on top of a fork (extra.c): the fork's tables with their instructions in them. */
struct extra {
    u32 eips; /* bit i: row i of the list there */
    struct opcode_info ops[256];
    const void *handlers[256]; /* of the plain interpreter that runs now */
};

const struct opcode_info *extra_opcodes(struct extra *extra, enum fork fork);
const void *const *extra_handlers(struct extra *extra, enum fork fork,
                                  const void *const tables[FORK_COUNT][256]);

struct evm {
    enum fork fork;
    enum evm_engine engine;
    const struct opcode_info *ops; /* of the fork */
    struct extra *extra;           /* NULL: nothing but the fork */
    const struct evm_host_ops *host;
    void *host_ctx;
    const struct evm_block *block;
    const struct evm_tx *tx;
    const struct evm_tracer *tracer;
    evm_visit_fn *visitor; /* NULL: nobody is told */
    void *visitor_ctx;
    const struct precompile_overrides *precompiles; /* NULL: the fork's */
    i64 refund;
    size_t code_max, initcode_max;               /* of the fork, or as configured */
    size_t code_max_config, initcode_max_config; /* 0: the fork's */
    struct frame *top;                           /* running now; NULL outside a message */
    u256 *stack;                                 /* of all frames; each begins above its caller's */
    struct memory_chunk chunks[MEMORY_CHUNKS];   /* each at least twice the one before */
    u8 *returned;                                /* what the latest message returned */
    size_t returned_cap;
    struct arena scratch; /* for precompiles */
    struct precompile_cache answers;
    struct hash_memo *hashes; /* NULL: not remembered */
    struct code_cache codes;
    void *translator; /* the fast interpreter's work table, made when first needed */
    /* Gas that went to some code's credit, or to none: burnt, or paid for what takes no time (fast.c). */
    u64 gas_metered;
    struct evm_step step;
};

/* Runs a frame from its pc to its end, or (plain) to where it pauses. */
void frame_run_plain(struct frame *frame);
void frame_run_traced(struct frame *frame);

/* The machine's memory stack. `memory_begin` opens a window above the parent's (NULL: at the bottom). */
void memory_begin(struct evm *evm, struct memory *memory, const struct memory *parent);
/* Widens the window to len bytes (a multiple of 32, more than now, at most MEMORY_MAX), zeroed. */
void memory_widen(struct evm *evm, struct memory *memory, u64 len);
/* Takes the first len bytes of an empty window away from it and returns them, uninitialised, 32-aligned. */
u8 *memory_reserve(struct evm *evm, struct memory *memory, u64 len);
/* Room for what a message returns: at least len bytes, valid until the next call. */
u8 *evm_returned_room(struct evm *evm, size_t len);
