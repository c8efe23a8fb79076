/* Instructions ahead of their fork: single EIPs on top of a fork's rules, as state transition tools name them. */
#include <string.h>

#include "base/mem.h"
#include "evm/evm_int.h"

/* What an EIP adds to the table of instructions, or prices anew there; the rows are those of its fork. */
static const struct extra_eip {
    u16 eip;
    enum fork fork;
    u8 opcodes[4]; /* up to a zero */
} EIPS[] = {
    {1153, FORK_CANCUN, {OP_TLOAD, OP_TSTORE}},
    {1344, FORK_ISTANBUL, {OP_CHAINID}},
    {1884, FORK_ISTANBUL, {OP_SLOAD, OP_BALANCE, OP_EXTCODEHASH, OP_SELFBALANCE}},
    {3198, FORK_LONDON, {OP_BASEFEE}},
    {3855, FORK_SHANGHAI, {OP_PUSH0}},
    {5656, FORK_CANCUN, {OP_MCOPY}},
    {7939, FORK_OSAKA, {OP_CLZ}},
};

bool evm_activate_eip(struct evm *evm, unsigned eip)
{
    for (size_t i = 0; i < ARRAY_LEN(EIPS); i++) {
        if (EIPS[i].eip != eip)
            continue;
        if (!evm->extra)
            evm->extra = NEW(struct extra);
        evm->extra->eips |= 1u << i;
        evm->engine = EVM_ENGINE_PLAIN;
        return true;
    }
    return false;
}

/* For each opcode that is ahead of the fork. */
#define EACH_OPCODE(extra, of_fork, row, at)                                      \
    for (const struct extra_eip *row = EIPS; row < EIPS + ARRAY_LEN(EIPS); row++) \
        if (((extra)->eips >> (row - EIPS) & 1) && (of_fork) < row->fork)         \
            for (unsigned at = 0; at < ARRAY_LEN(row->opcodes) && row->opcodes[at]; at++)

const struct opcode_info *extra_opcodes(struct extra *extra, enum fork fork)
{
    memcpy(extra->ops, opcodes(fork), sizeof extra->ops);
    EACH_OPCODE(extra, fork, row, i)
    extra->ops[row->opcodes[i]] = opcodes(row->fork)[row->opcodes[i]];
    return extra->ops;
}

const void *const *extra_handlers(struct extra *extra, enum fork fork,
                                  const void *const tables[FORK_COUNT][256])
{
    memcpy(extra->handlers, tables[fork], sizeof extra->handlers);
    EACH_OPCODE(extra, fork, row, i)
    extra->handlers[row->opcodes[i]] = tables[row->fork][row->opcodes[i]];
    return extra->handlers;
}
