/*
 * Where a value of a JSON text stands: the tree that json_parse makes holds no positions, as hardly anybody
 * asks for them. Costs one pass over the text up to the place.
 */
#pragma once

#include "base/types.h"

struct json_place {
    unsigned line, column; /* from 1; columns count bytes */
};

/*
 * The place of the value reached from the root by taking, level by level, the member or element number path[i],
 * counted from 0 in the order of the text; of_key: of the member's name instead. The text is one that json_parse
 * accepted; where it does not hold such a path the place is the text's end.
 */
struct json_place json_locate(const char *text, size_t len, const u32 *path, size_t depth,
                              bool of_key);
