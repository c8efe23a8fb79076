/*
 * Blocks made ready ahead of the thread that executes them: other threads read, decode and find the senders, so that
 * execution never waits for what can be done early. What is ready and not taken is bounded in bytes.
 */
#pragma once

#include "chain/chain.h"
#include "node/block_file.h"

struct ahead;

/* Blocks of this file, in its order; at most so many bytes of them on their way, and always one. */
MUST_READ enum status ahead_open(struct ahead **ahead, struct chain *chain, struct block_file *file,
                                 size_t bytes_max, struct err *err);
void ahead_close(struct ahead *ahead);

/* The next block, for chain_add or chain_incoming_free; *incoming is NULL at the end. A failure to read comes after
 * the blocks before it. */
MUST_READ enum status ahead_next(struct ahead *ahead, struct chain_incoming **incoming,
                                 struct err *err);
