// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @notice OpenZeppelin's ERC-20 with permits; the whole supply goes to the deployer.
contract Token20 is ERC20Permit {
    constructor(uint256 supply) ERC20("Ashlar Token", "ASH") ERC20Permit("Ashlar Token") {
        _mint(msg.sender, supply);
    }
}
