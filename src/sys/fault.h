/*
 * Memory that cannot be read: a page of a mapped file that the disk does not give (SIGBUS), or none at all
 * (SIGSEGV). What reads such memory on somebody else's word is put between FAULT_CAUGHT and fault_leave:
 *
 *     struct fault fault;
 *     if (FAULT_CAUGHT(&fault, map, map + size))
 *         return ... fault.at says where ...
 *     ... reads ...
 *     fault_leave(&fault);
 *
 * Whoever jumps out leaves everything as it was in the middle: no locks, and nothing of the heap, are to be
 * half done in between. What is read outside of the range (and is not a member of NULL), or outside of any such
 * part, ends the process as ever.
 */
#pragma once

#include <setjmp.h>

#include "base/types.h"

struct fault {
    const void *from, *to; /* the memory in question */
    const void *at;        /* where it could not be read; NULL: fault_raise */
    bool is_io; /* the file's page could not be had from the disk, or lies beyond the file's end */
    struct fault *outer;
    sigjmp_buf back;
};

/* The handlers, before the first use; again is nothing. */
void fault_init(void);

/* False; true when it is come back to from a fault below, and then it has been left. Its function must not return
 * before fault_leave otherwise. */
#define FAULT_CAUGHT(fault, from, to) \
    (fault_enter(fault, from, to), sigsetjmp((fault)->back, 0) != 0)
void fault_enter(struct fault *fault, const void *from, const void *to);
void fault_leave(struct fault *fault);

/* Goes back to the innermost; returns if there is none. */
void fault_raise(void);
