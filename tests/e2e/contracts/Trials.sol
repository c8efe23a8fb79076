// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice Fails in every way a contract can, and shows its surroundings.
contract Trials {
    struct Point {
        uint256 x;
        int128 y;
        bytes32[] tags;
    }

    event Plain(uint256 value);
    event Indexed(address indexed who, bytes32 indexed key, string indexed text, bytes data);
    event Point3(Point point) anonymous;

    error Bare();
    error Rich(address who, string text, Point point);

    mapping(uint256 => uint256) public slots;
    uint256 public counter;
    address public lastSender;

    receive() external payable {}

    function failBare() external pure {
        revert Bare();
    }

    function failRich(string calldata text, Point calldata point) external view {
        revert Rich(msg.sender, text, point);
    }

    function failText(string calldata text) external pure {
        revert(text);
    }

    function failSilently() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function failAssert() external pure {
        assert(false);
    }

    function failOverflow(uint256 a, uint256 b) external pure returns (uint256) {
        return a + b;
    }

    function failDivision(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }

    function failIndex(uint256 i) external pure returns (uint256) {
        uint256[] memory list = new uint256[](3);
        return list[i];
    }

    function failInvalid() external pure {
        assembly {
            invalid()
        }
    }

    function failInner(string calldata text) external view {
        this.failText(text);
    }

    function catchInner(string calldata text) external view returns (string memory reason) {
        try this.failText(text) {
            return "";
        } catch Error(string memory caught) {
            return caught;
        }
    }

    function burnAll() external {
        while (true) {
            ++counter;
        }
    }

    function log(string calldata text, bytes calldata data) external {
        emit Plain(data.length);
        emit Indexed(msg.sender, keccak256(data), text, data);
        emit Point3(Point(1, -2, new bytes32[](1)));
    }

    function logMany(uint256 n) external {
        for (uint256 i = 0; i < n; ++i) {
            emit Plain(i);
        }
    }

    function set(uint256 key, uint256 value) external {
        slots[key] = value;
    }

    function bump() external returns (uint256) {
        lastSender = msg.sender;
        return ++counter;
    }

    function world()
        external
        view
        returns (uint256 number, uint256 time, address coinbase, uint256 baseFee, uint256 gasLimit, uint256 chainId)
    {
        return (block.number, block.timestamp, block.coinbase, block.basefee, block.gaslimit, block.chainid);
    }

    function funds() external view returns (address sender, uint256 balance, uint256 price) {
        return (msg.sender, msg.sender.balance, tx.gasprice);
    }

    function blobs() external view returns (bytes32 first, uint256 fee) {
        return (blobhash(0), block.blobbasefee);
    }
}
