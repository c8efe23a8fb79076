// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice A contract that others make.
contract Made {
    constructor() payable {}

    receive() external payable {}

    function refuse() external pure {
        revert("not today");
    }
}

/// @notice Does inside one transaction everything that an explorer shows: makes contracts, moves ether, fails, ends.
contract Explored {
    error Sour(uint256 code);

    /// @dev Makes three bytes of code: selfdestruct(calldataload(0)).
    bytes private constant MORTAL = hex"625f35ff5f526003601df3";

    address public mortal;

    receive() external payable {}

    function make() external payable {
        new Made{value: msg.value}();
    }

    function makeSalted(bytes32 salt) external payable {
        new Made{value: msg.value, salt: salt}();
    }

    /// @notice Of three payments the one in the middle is undone.
    function pay(address payable first, address payable second) external payable {
        (bool paid,) = first.call{value: 1}("");
        require(paid);
        try this.payAndFail(second) {} catch {}
        (paid,) = second.call{value: 2}("");
        require(paid);
    }

    function payAndFail(address payable to) external {
        (bool paid,) = to.call{value: 3}("");
        require(paid);
        revert Sour(7);
    }

    /// @notice A static call, a precompile, code of another that runs here, and a call that fails.
    function look(address there) external returns (bytes32 hash) {
        (bool ok,) = there.staticcall("");
        require(ok);
        hash = sha256("ashlar");
        (ok,) = there.delegatecall("");
        (ok,) = there.call(abi.encodeCall(Made.refuse, ()));
        require(!ok);
    }

    function makeMortal() external payable returns (address one) {
        bytes memory code = MORTAL;
        assembly {
            one := create(callvalue(), add(code, 0x20), mload(code))
        }
        mortal = one;
    }

    function end(address heir) public {
        (bool ok,) = mortal.call(abi.encode(heir));
        require(ok);
    }

    /// @notice A contract that begins and ends in one transaction.
    function flash(address heir) external payable {
        this.makeMortal{value: msg.value}();
        end(heir);
    }

    function failRich(uint256 code) external pure {
        revert Sour(code);
    }
}
