/*
 * The fast interpreter: runs code that was translated into three-address operations on stack slots.
 * PUSH, DUP, SWAP and POP cost nothing there; gas and stack are checked once a trace; constants are
 * folded and jump targets are in place. It has two tiers: code starts on the plain interpreter, and
 * what is reached often is translated, one trace at a time.
 *
 * The translation of a piece of code belongs to that code, holds for one fork, and is bounded by the
 * code's length. Results equal the plain interpreter's at every gas limit.
 */
#pragma once

#include "evm/evm_int.h"

/* Runs a frame to its end on whichever interpreter suits (AUTO), or on the fast one wherever it can (FAST). */
void frame_run_fast(struct frame *frame);

/* Frees what code->fast holds and forgets it; fine when there is nothing. No frame may run in it. */
void fast_code_free(struct code *code);

/* Bytes held by code->fast, for the code cache's account. */
size_t fast_code_size(const struct code *code);
