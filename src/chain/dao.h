/*
 * The DAO fork (EIP-779): the ether of 116 accounts moves to one contract, before anything else
 * happens in the fork's block. The accounts are mainnet's, as go-ethereum's params/dao.go and the
 * EIP's references list them.
 */
#pragma once

#include "state/state.h"

void dao_move_ether(struct state *state);
