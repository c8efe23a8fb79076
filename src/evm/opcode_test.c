#include <string.h>

#include "base/test.h"
#include "evm/opcode.h"

static unsigned count_at(enum fork fork)
{
    unsigned n = 0;
    for (int op = 0; op < 256; op++)
        n += opcodes(fork)[op].name != NULL;
    return n;
}

/* How many instructions there were after each fork: nothing was ever taken away. */
TEST(instructions_of_each_fork)
{
    CHECK_EQ(count_at(FORK_FRONTIER), 129 + 1);  /* with INVALID */
    CHECK_EQ(count_at(FORK_HOMESTEAD), 130 + 1); /* DELEGATECALL */
    CHECK_EQ(count_at(FORK_SPURIOUS), 130 + 1);
    CHECK_EQ(count_at(FORK_BYZANTIUM), 134 + 1);      /* RETURNDATA*, STATICCALL, REVERT */
    CHECK_EQ(count_at(FORK_CONSTANTINOPLE), 139 + 1); /* shifts, EXTCODEHASH, CREATE2 */
    CHECK_EQ(count_at(FORK_ISTANBUL), 141 + 1);       /* CHAINID, SELFBALANCE */
    CHECK_EQ(count_at(FORK_LONDON), 142 + 1);         /* BASEFEE */
    CHECK_EQ(count_at(FORK_SHANGHAI), 143 + 1);       /* PUSH0 */
    CHECK_EQ(count_at(FORK_CANCUN), 148 + 1); /* TLOAD, TSTORE, MCOPY, BLOBHASH, BLOBBASEFEE */
    CHECK_EQ(count_at(FORK_OSAKA), 149 + 1);  /* CLZ */
}

TEST(prices_move_with_forks)
{
    CHECK_EQ(opcodes(FORK_FRONTIER)[OP_SLOAD].gas, 50);
    CHECK_EQ(opcodes(FORK_TANGERINE)[OP_SLOAD].gas, 200);
    CHECK_EQ(opcodes(FORK_PETERSBURG)[OP_SLOAD].gas, 200);
    CHECK_EQ(opcodes(FORK_ISTANBUL)[OP_SLOAD].gas, 800);
    CHECK_EQ(opcodes(FORK_OSAKA)[OP_SLOAD].gas, 100);
    CHECK_EQ(opcodes(FORK_HOMESTEAD)[OP_CALL].gas, 40);
    CHECK_EQ(opcodes(FORK_SPURIOUS)[OP_CALL].gas, 700);
    CHECK_EQ(opcodes(FORK_HOMESTEAD)[OP_SELFDESTRUCT].gas, 0);
    CHECK_EQ(opcodes(FORK_TANGERINE)[OP_SELFDESTRUCT].gas, 5000);
    CHECK_EQ(opcodes(FORK_HOMESTEAD)[OP_STATICCALL].gas, 0);
}

TEST(rows_stand_where_they_belong)
{
    const struct opcode_info *ops = opcodes(FORK_OSAKA);
    CHECK_STR(ops[0x60].name, "PUSH1");
    CHECK_STR(ops[0x7f].name, "PUSH32");
    CHECK_STR(ops[0x8f].name, "DUP16");
    CHECK_STR(ops[0x9f].name, "SWAP16");
    for (int n = 1; n <= 16; n++) {
        CHECK_EQ(ops[OP_DUP1 + n - 1].in, n);
        CHECK_EQ(ops[OP_DUP1 + n - 1].out, n + 1);
        CHECK_EQ(ops[OP_SWAP1 + n - 1].in, n + 1);
        CHECK_EQ(ops[OP_SWAP1 + n - 1].out, n + 1);
    }
}
