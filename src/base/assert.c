#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_fail(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: bug: assertion \"%s\" does not hold\n", file, line, cond);
    abort();
}
