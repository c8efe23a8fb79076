#include "evm/opcode.h"

#define ROW(F, code, id, in, out, since, gas)                                    \
    [code] = {(F) >= FORK_##since ? #id : NULL, (F) >= FORK_##since ? (gas) : 0, \
              (F) >= FORK_##since ? (in) : 0, (F) >= FORK_##since ? (out) : 0},

static const struct opcode_info tables[FORK_COUNT][256] = {
#define X(id, test_name, name) [FORK_##id] = {OPCODE_LIST(ROW, FORK_##id)},
    FORK_LIST(X)
#undef X
};

const struct opcode_info *opcodes(enum fork fork)
{
    return tables[fork];
}
