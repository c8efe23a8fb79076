// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// What the chains of the import benchmark call.

/// @notice Fills storage slots that were never written before.
contract Slots {
    mapping(uint256 => uint256) public slots;
    uint256 public next;

    function fill(uint256 count) external {
        uint256 first = next;
        for (uint256 i = 0; i < count; ++i) slots[first + i] = first + i + 1;
        next = first + count;
    }
}

/// @notice Computes: a linear congruence, hashes, a little memory.
contract Work {
    uint256 public last;

    function run(uint256 count) external {
        uint256 seed = last + 88172645463325252;
        uint256[16] memory ring;
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                seed = seed * 6364136223846793005 + 1442695040888963407;
                ring[i % 16] ^= seed >> 7;
                if (i % 32 == 0) seed ^= uint256(keccak256(abi.encode(ring)));
            }
        }
        last = seed;
    }
}
