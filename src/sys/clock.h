/* Time, in nanoseconds. */
#pragma once

#include "base/types.h"

u64 clock_wall_ns(void);      /* since 1970, as the host's clock has it; may jump */
u64 clock_monotonic_ns(void); /* since some moment; never goes back */
u64 clock_thread_ns(void);    /* processor time used by the calling thread */
u64 clock_process_ns(void);   /* and by all threads */
