/* Several tracers on one transaction: for those that are made of others. */
#pragma once

#include "trace/trace_int.h"

enum { MUX_MAX = 8 };

/* Embedded in the struct of a tracer, as its first member. */
struct mux_trace {
    struct trace trace;
    struct trace *parts[MUX_MAX];
    unsigned count;
};

/* Sets the hooks. */
void mux_init(struct mux_trace *mux);
/* The part is the mux's from now on; MUX_MAX at most. */
void mux_add(struct mux_trace *mux, struct trace *part);

/* The tracer's own, for its kind or to be called from there. */
void mux_begin(struct trace *trace);
void mux_end(struct trace *trace);
void mux_fini(struct trace *trace);
