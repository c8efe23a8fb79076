/* What the files of this room share: a frame, code that was looked at, the tables, the machine. */
#pragma once

#include "base/assert.h"
#include "evm/evm.h"
#include "evm/tracer.h"

enum { STACK_MAX = 1024, DEPTH_MAX = 1024 };

struct fast_code; /* a translation, owned by the code cache (fast.h) */

/*
 * Contract code, ready to run. The cache keeps it by hash; init code lives for one frame.
 * bytes are followed by at least 33 zero bytes, so that a PUSH at the end and running off it need no check.
 */
struct code {
    hash32 hash; /* zero for init code */
    const u8 *bytes;
    u32 len;
    const u64 *jumpdests; /* bit i: byte i is a JUMPDEST that is not push data */
    u32 entries;          /* how often it was entered (decides on translation) */
    struct fast_code *fast;
};

static inline bool code_is_jumpdest(const struct code *code, u64 at)
{
    return at < code->len && (code->jumpdests[at >> 6] >> (at & 63) & 1);
}

/* Memory of one frame: a window of the machine's memory stack, grown in words, zeroed when grown. */
struct memory {
    u8 *bytes;
    u64 len; /* multiple of 32 */
};

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
    i64 gas;               /* left */
    const u8 *return_data; /* RETURNDATA of the latest call */
    size_t return_data_len;
    u32 pc; /* where to begin, or to go on */
    u32 stack_len;
    /* set when it ends */
    enum evm_status status;
    const u8 *output; /* in memory; moved out by evm_call */
    size_t output_len;
};
