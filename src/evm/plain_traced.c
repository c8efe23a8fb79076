/* The plain interpreter once more, reporting every step to the machine's tracer. */
#define TRACED 1
#include "evm/plain.c"
