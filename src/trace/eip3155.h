/*
 * Execution as lines of JSON, one an instruction and one at each call's end (EIP-3155, in the fields and
 * order of geth's `evm --json`). Lines are handed out as they are made; nothing is kept.
 */
#pragma once

#include "evm/tracer.h"

struct eip3155;

struct eip3155_options {
    bool memory, return_data, no_stack;
    bool call_frames; /* also a line where a call begins */
};

/* line ends with a newline and is borrowed for the call. */
typedef void eip3155_write_fn(void *ctx, const char *line, size_t len);

struct eip3155 *eip3155_new(const struct eip3155_options *options, eip3155_write_fn *write,
                            void *ctx);
void eip3155_free(struct eip3155 *trace);

/* For evm_set_tracer. */
const struct evm_tracer *eip3155_hooks(const struct eip3155 *trace);
