// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

// Programs for the interpreter, one a contract: run(n) does the work n times and returns something that
// depends on all of it. bench/evm.mjs makes state-test files of them.

/// @notice OpenZeppelin's ERC-20 moves tokens round a ring of holders.
contract TokenTransfers is ERC20("Ring", "RING") {
    function run(uint256 n) external returns (uint256) {
        _mint(address(1000), 1e30);
        for (uint256 i = 0; i < n; ++i) {
            _transfer(address(uint160(1000 + (i % 16))), address(uint160(1000 + ((i + 1) % 16))), 1e20);
        }
        return balanceOf(address(uint160(1000 + (n % 16))));
    }
}

/// @notice A constant-product pair's arithmetic: amounts out, fees, liquidity by square root, 512-bit products.
contract SwapMath {
    function amountOut(uint256 amountIn, uint256 reserveIn, uint256 reserveOut) internal pure returns (uint256) {
        require(amountIn > 0 && reserveIn > 0 && reserveOut > 0, "SwapMath: empty");
        uint256 withFee = amountIn * 997;
        return (withFee * reserveOut) / (reserveIn * 1000 + withFee);
    }

    function run(uint256 n) external pure returns (uint256 sum) {
        uint256 x = 5_000_000e18;
        uint256 y = 3_000_000e18;
        for (uint256 i = 0; i < n; ++i) {
            uint256 amount = 1e18 + i * 1e15;
            uint256 out = amountOut(amount, x, y);
            x += amount;
            y -= out;
            (x, y) = (y, x);
            sum += Math.sqrt(x * y) + Math.mulDiv(x << 100, y, 1e18 + amount);
        }
    }
}

/// @notice Structs and dynamic arrays in memory.
contract Allocator {
    struct Item {
        uint256 id;
        address owner;
        uint256[] parts;
        bytes name;
    }

    function make(uint256 seed) internal pure returns (Item memory item) {
        item.id = seed;
        item.owner = address(uint160(seed * 7919));
        item.parts = new uint256[](4 + (seed % 5));
        for (uint256 i = 0; i < item.parts.length; ++i) item.parts[i] = seed ^ i;
        item.name = abi.encodePacked("item-", seed);
    }

    function run(uint256 n) external pure returns (uint256 sum) {
        Item[] memory items = new Item[](n);
        for (uint256 i = 0; i < n; ++i) items[i] = make(i);
        for (uint256 i = 0; i < n; ++i) {
            Item memory item = items[(i * 31) % n];
            sum += item.id + item.parts[item.parts.length - 1] + item.name.length + uint160(item.owner);
        }
    }
}

/// @notice Quicksort of pseudo-random words.
contract Sorting {
    function sort(uint256[] memory a, int256 low, int256 high) internal pure {
        if (low >= high) return;
        int256 i = low;
        int256 j = high;
        uint256 pivot = a[uint256(low + (high - low) / 2)];
        while (i <= j) {
            while (a[uint256(i)] < pivot) ++i;
            while (a[uint256(j)] > pivot) --j;
            if (i <= j) {
                (a[uint256(i)], a[uint256(j)]) = (a[uint256(j)], a[uint256(i)]);
                ++i;
                --j;
            }
        }
        sort(a, low, j);
        sort(a, i, high);
    }

    function run(uint256 n) external pure returns (uint256) {
        uint256[] memory a = new uint256[](n);
        uint256 seed = 88172645463325252;
        for (uint256 i = 0; i < n; ++i) {
            unchecked {
                seed = seed * 6364136223846793005 + 1442695040888963407;
            }
            a[i] = seed >> 64;
        }
        sort(a, 0, int256(n) - 1);
        for (uint256 i = 1; i < n; ++i) require(a[i - 1] <= a[i], "Sorting: out of order");
        return a[n / 2];
    }
}

/// @notice A chain of hashes and a Merkle root.
contract Hashing {
    function run(uint256 n) external pure returns (bytes32 h) {
        for (uint256 i = 0; i < n; ++i) h = keccak256(abi.encode(h, i));
        bytes32[] memory row = new bytes32[](n);
        for (uint256 i = 0; i < n; ++i) row[i] = keccak256(abi.encodePacked(i));
        for (uint256 length = n; length > 1; length = (length + 1) / 2) {
            for (uint256 i = 0; i < length / 2; ++i) row[i] = keccak256(abi.encodePacked(row[2 * i], row[2 * i + 1]));
            if (length % 2 == 1) row[length / 2] = row[length - 1];
        }
        return h ^ row[0];
    }
}

/// @notice The compression of SHA-256 in 32-bit words.
contract ShaRounds {
    function rotate(uint32 x, uint32 by) internal pure returns (uint32) {
        return (x >> by) | (x << (32 - by));
    }

    function run(uint256 n) external pure returns (uint256) {
        uint32[8] memory s = [
            uint32(0x6a09e667), 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
        ];
        uint32[64] memory w;
        for (uint256 block_ = 0; block_ < n; ++block_) {
            for (uint256 i = 0; i < 16; ++i) w[i] = uint32(uint256(block_ * 16 + i) * 0x9e3779b1);
            for (uint256 i = 16; i < 64; ++i) {
                unchecked {
                    uint32 a = w[i - 15];
                    uint32 b = w[i - 2];
                    a = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3);
                    b = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10);
                    w[i] = w[i - 16] + a + w[i - 7] + b;
                }
            }
            for (uint256 i = 0; i < 64; ++i) {
                unchecked {
                    uint32 e = s[4];
                    uint32 t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + w[i]
                        + uint32(i * 0x428a2f98);
                    uint32 a = s[0];
                    uint32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
                    (s[7], s[6], s[5], s[4]) = (s[6], s[5], e, s[3] + t1);
                    (s[3], s[2], s[1], s[0]) = (s[2], s[1], a, t1 + t2);
                }
            }
        }
        return (uint256(s[0]) << 32) | s[7];
    }
}

/// @notice Scalar multiplication on secp256k1 in Jacobian coordinates by MULMOD and ADDMOD.
contract Curve {
    uint256 constant P = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 constant GX = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;
    uint256 constant GY = 0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8;

    function double(uint256 x, uint256 y, uint256 z) internal pure returns (uint256, uint256, uint256) {
        uint256 yy = mulmod(y, y, P);
        uint256 s = mulmod(4, mulmod(x, yy, P), P);
        uint256 m = mulmod(3, mulmod(x, x, P), P);
        uint256 t = addmod(mulmod(m, m, P), P - mulmod(2, s, P), P);
        uint256 u = addmod(mulmod(m, addmod(s, P - t, P), P), P - mulmod(8, mulmod(yy, yy, P), P), P);
        return (t, u, mulmod(2, mulmod(y, z, P), P));
    }

    function addBase(uint256 x, uint256 y, uint256 z) internal pure returns (uint256, uint256, uint256) {
        if (z == 0) return (GX, GY, 1);
        uint256 zz = mulmod(z, z, P);
        uint256 h = addmod(mulmod(GX, zz, P), P - x, P);
        uint256 r = addmod(mulmod(GY, mulmod(zz, z, P), P), P - y, P);
        uint256 hh = mulmod(h, h, P);
        uint256 hhh = mulmod(hh, h, P);
        uint256 v = mulmod(x, hh, P);
        uint256 x3 = addmod(addmod(mulmod(r, r, P), P - hhh, P), P - mulmod(2, v, P), P);
        uint256 y3 = addmod(mulmod(r, addmod(v, P - x3, P), P), P - mulmod(y, hhh, P), P);
        return (x3, y3, mulmod(z, h, P));
    }

    function run(uint256 n) external pure returns (uint256) {
        uint256 x;
        uint256 y;
        uint256 z;
        uint256 k = uint256(keccak256("scalar"));
        for (uint256 i = 0; i < n; ++i) {
            if (z != 0) (x, y, z) = double(x, y, z);
            if ((k >> (i % 256)) & 1 == 1) (x, y, z) = addBase(x, y, z);
        }
        return x ^ y ^ z;
    }
}

/// @notice Binary exponential and logarithm in 64.64 fixed point.
contract FixedPoint {
    function exp2(uint256 x) internal pure returns (uint256 result) {
        unchecked {
            result = 0x800000000000000000000000000000000000000000000000;
            if (x & 0x8000000000000000 > 0) result = (result * 0x16A09E667F3BCC909) >> 64;
            if (x & 0x4000000000000000 > 0) result = (result * 0x1306FE0A31B7152DF) >> 64;
            if (x & 0x2000000000000000 > 0) result = (result * 0x1172B83C7D517ADCE) >> 64;
            if (x & 0x1000000000000000 > 0) result = (result * 0x10B5586CF9890F62A) >> 64;
            if (x & 0x0800000000000000 > 0) result = (result * 0x1059B0D31585743AE) >> 64;
            if (x & 0x0400000000000000 > 0) result = (result * 0x102C9A3E778060EE7) >> 64;
            if (x & 0x0200000000000000 > 0) result = (result * 0x10163DA9FB33356D8) >> 64;
            if (x & 0x0100000000000000 > 0) result = (result * 0x100B1AFA5ABCBED61) >> 64;
            result <<= (x >> 64);
            result >>= 63;
        }
    }

    function log2(uint256 x) internal pure returns (uint256 result) {
        unchecked {
            uint256 n = Math.log2(x >> 64);
            result = n << 64;
            uint256 y = x >> n;
            for (uint256 bit = 1 << 63; bit > 1 << 40; bit >>= 1) {
                y = (y * y) >> 64;
                if (y >= 2 << 64) {
                    result += bit;
                    y >>= 1;
                }
            }
        }
    }

    function run(uint256 n) external pure returns (uint256 sum) {
        for (uint256 i = 1; i <= n; ++i) {
            uint256 x = (3 << 64) + i * 0x9E3779B97F4A7;
            sum += exp2(x) + log2(x);
        }
    }
}

/// @notice Mappings, packed structs and an array in storage.
contract StorageLoops {
    struct Entry {
        uint64 hits;
        uint64 last;
        address who;
    }

    mapping(uint256 => Entry) private entries;
    mapping(address => mapping(uint256 => uint256)) private nested;
    uint256[] private list;

    function run(uint256 n) external returns (uint256 sum) {
        for (uint256 i = 0; i < n; ++i) {
            Entry storage entry = entries[i % 32];
            entry.hits += 1;
            entry.last = uint64(i);
            entry.who = address(uint160(i));
            nested[address(uint160(i % 8))][i % 16] += i;
            if (list.length < 64) list.push(i);
            else list[i % 64] = i;
            sum += entry.hits + nested[address(uint160(i % 8))][i % 16] + list[i % list.length];
        }
    }
}

/// @notice A contract that calls itself: many small frames, and deep ones.
contract NestedCalls {
    function leaf(uint256 x) external pure returns (uint256) {
        return x * 3 + 1;
    }

    function down(uint256 depth) external view returns (uint256) {
        return depth == 0 ? 1 : this.down(depth - 1) + depth;
    }

    function run(uint256 n) external view returns (uint256 sum) {
        for (uint256 i = 0; i < n; ++i) sum += this.leaf(i);
        sum += this.down(n < 200 ? n : 200);
    }
}

/// @notice Copies: concatenation, slices by abi.encode and decode, MCOPY.
contract Copies {
    function run(uint256 n) external pure returns (uint256 sum) {
        bytes memory text = new bytes(1024);
        for (uint256 i = 0; i < n; ++i) {
            bytes memory whole = bytes.concat(text, bytes32(i), text);
            (bytes memory left, uint256 number) = abi.decode(abi.encode(whole, i), (bytes, uint256));
            sum += left.length + number + uint8(left[1024 + 31]);
            assembly {
                mcopy(add(text, 64), add(text, 32), 960)
                mstore(0x40, add(text, 0x500))
            }
            text[0] = bytes1(uint8(i));
        }
    }
}

/// @notice Arithmetic of narrow signed types: SIGNEXTEND, SDIV, SMOD, SLT, SAR.
contract Narrow {
    function run(uint256 n) external pure returns (int256 sum) {
        unchecked {
            int8 a = -3;
            int16 b = 1234;
            int64 c = -98765432101;
            for (uint256 i = 0; i < n; ++i) {
                a = a * 7 + int8(uint8(i));
                b = b / 3 + int16(a) * 17;
                c = (c >> 1) ^ (int64(b) << 20);
                c = c % 1000003 + int64(int256(i));
                sum += a < b ? int256(c) : -int256(b);
            }
        }
    }
}

/// @notice Numbers and bytes as text, by OpenZeppelin's Strings.
contract Texts {
    using Strings for uint256;

    function run(uint256 n) external pure returns (bytes32 h) {
        for (uint256 i = 0; i < n; ++i) {
            string memory uri = string.concat("https://example.org/", (i * 7919).toString(), "/", i.toHexString(32));
            h = keccak256(abi.encodePacked(h, uri));
        }
    }
}

/// @notice Checked multiplication of square matrices.
contract Matrices {
    uint256 constant SIDE = 12;

    function run(uint256 n) external pure returns (uint256) {
        uint256[SIDE][SIDE] memory a;
        uint256[SIDE][SIDE] memory b;
        uint256[SIDE][SIDE] memory c;
        for (uint256 i = 0; i < SIDE; ++i) {
            for (uint256 j = 0; j < SIDE; ++j) (a[i][j], b[i][j]) = (i * 3 + j, i + j * 5);
        }
        for (uint256 round = 0; round < n; ++round) {
            for (uint256 i = 0; i < SIDE; ++i) {
                for (uint256 j = 0; j < SIDE; ++j) {
                    uint256 sum = round;
                    for (uint256 k = 0; k < SIDE; ++k) sum += a[i][k] * b[k][j];
                    c[i][j] = sum % 1_000_003;
                }
            }
            (a, c) = (c, a);
        }
        return a[SIDE - 1][SIDE - 2];
    }
}

/// @notice Calls through internal function pointers: jumps whose targets are not constants.
contract Pointers {
    function add(uint256 x) internal pure returns (uint256) {
        return x + 7;
    }

    function twist(uint256 x) internal pure returns (uint256) {
        return x ^ (x >> 13);
    }

    function scale(uint256 x) internal pure returns (uint256) {
        return (x * 5) & type(uint128).max;
    }

    function fold(uint256 x) internal pure returns (uint256) {
        return (x >> 3) + (x & 7);
    }

    function run(uint256 n) external pure returns (uint256 x) {
        function(uint256) internal pure returns (uint256)[4] memory table = [add, twist, scale, fold];
        for (uint256 i = 0; i < n; ++i) x = table[(x + i) % 4](x);
    }
}

/// @notice Division in all widths, and remainders.
contract Divisions {
    function run(uint256 n) external pure returns (uint256 sum) {
        uint256 x = uint256(keccak256("dividend"));
        for (uint256 i = 1; i <= n; ++i) {
            unchecked {
                uint256 wide = x / ((i << 140) | 0x1234567);
                uint256 half = x / ((i << 80) | 0x7654321);
                uint256 narrow = x % (i * 1_000_003);
                sum += wide + half + narrow + mulmod(x, sum | 1, (i << 200) | 3) + addmod(x, sum, i << 130 | 9);
                x = x * 6364136223846793005 + i;
            }
        }
    }
}

/// @notice A sieve of primes and the Collatz problem: bytes in memory, short loops.
contract Numbers {
    function run(uint256 n) external pure returns (uint256 count) {
        bytes memory composite = new bytes(n + 1);
        for (uint256 i = 2; i <= n; ++i) {
            if (composite[i] != 0) continue;
            ++count;
            for (uint256 j = i * i; j <= n; j += i) composite[j] = 0x01;
        }
        for (uint256 i = 1; i <= n / 16; ++i) {
            for (uint256 x = i; x != 1; ++count) x = x % 2 == 0 ? x / 2 : 3 * x + 1;
        }
    }
}

/// @notice Logs of every number of topics.
contract Logs {
    event Zero(uint256 value) anonymous;
    event Two(uint256 indexed a, uint256 value);
    event Four(uint256 indexed a, uint256 indexed b, address indexed c, bytes data);

    function run(uint256 n) external returns (uint256) {
        for (uint256 i = 0; i < n; ++i) {
            emit Zero(i);
            emit Two(i, i * 2);
            emit Four(i, i + 1, msg.sender, abi.encode(i, i));
        }
        return n;
    }
}
