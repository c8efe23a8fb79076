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

const char *opcode_name(u8 opcode)
{
    static const char *const proposed[256] = {
        [0x4b] = "SLOTNUM",         [0xd0] = "DATALOAD",
        [0xd1] = "DATALOADN",       [0xd2] = "DATASIZE",
        [0xd3] = "DATACOPY",        [0xe0] = "RJUMP",
        [0xe1] = "RJUMPI",          [0xe2] = "RJUMPV",
        [0xe3] = "CALLF",           [0xe4] = "RETF",
        [0xe5] = "JUMPF",           [0xe6] = "DUPN",
        [0xe7] = "SWAPN",           [0xe8] = "EXCHANGE",
        [0xec] = "EOFCREATE",       [0xee] = "RETURNCONTRACT",
        [0xf7] = "RETURNDATALOAD",  [0xf8] = "EXTCALL",
        [0xf9] = "EXTDELEGATECALL", [0xfb] = "EXTSTATICCALL",
    };
    const char *name = opcodes(FORK_COUNT - 1)[opcode].name;
    return name ? name : proposed[opcode];
}
