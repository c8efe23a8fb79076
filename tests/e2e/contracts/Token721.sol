// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";

/// @notice OpenZeppelin's enumerable ERC-721; anybody mints the next number.
contract Token721 is ERC721Enumerable {
    constructor() ERC721("Ashlar Deed", "DEED") {}

    function mint(address to) external returns (uint256 id) {
        id = totalSupply() + 1;
        _safeMint(to, id);
    }
}
