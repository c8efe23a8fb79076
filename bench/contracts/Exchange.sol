// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @notice The token of the transaction scenarios; the supply goes to the deployer.
contract Coin is ERC20 {
    constructor(string memory symbol, uint256 supply) ERC20(symbol, symbol) {
        _mint(msg.sender, supply);
    }
}

/// @notice A constant-product pair with a fee of 0.3% and cumulative prices.
contract Pair is ERC20("Share", "SHARE"), ReentrancyGuard {
    using SafeERC20 for IERC20;

    event Minted(address indexed to, uint256 amount0, uint256 amount1, uint256 shares);
    event Swapped(address indexed to, uint256 in0, uint256 in1, uint256 out0, uint256 out1);
    event Synced(uint112 reserve0, uint112 reserve1);

    error NothingIn();
    error TooLittleLiquidity();
    error ConstantBroken();

    IERC20 public immutable token0;
    IERC20 public immutable token1;
    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private updatedAt;
    uint256 public cumulative0;
    uint256 public cumulative1;

    constructor(IERC20 token0_, IERC20 token1_) {
        (token0, token1) = (token0_, token1_);
    }

    function reserves() external view returns (uint112, uint112) {
        return (reserve0, reserve1);
    }

    function mint(address to) external nonReentrant returns (uint256 shares) {
        (uint256 balance0, uint256 balance1) = balances();
        (uint256 amount0, uint256 amount1) = (balance0 - reserve0, balance1 - reserve1);
        uint256 supply = totalSupply();
        shares = supply == 0
            ? Math.sqrt(amount0 * amount1)
            : Math.min((amount0 * supply) / reserve0, (amount1 * supply) / reserve1);
        if (shares == 0) revert TooLittleLiquidity();
        _mint(to, shares);
        sync(balance0, balance1);
        emit Minted(to, amount0, amount1, shares);
    }

    function swap(uint256 out0, uint256 out1, address to) external nonReentrant {
        (uint256 old0, uint256 old1) = (reserve0, reserve1);
        if (out0 >= old0 || out1 >= old1) revert TooLittleLiquidity();
        if (out0 > 0) token0.safeTransfer(to, out0);
        if (out1 > 0) token1.safeTransfer(to, out1);
        (uint256 balance0, uint256 balance1) = balances();
        uint256 in0 = balance0 > old0 - out0 ? balance0 - (old0 - out0) : 0;
        uint256 in1 = balance1 > old1 - out1 ? balance1 - (old1 - out1) : 0;
        if (in0 == 0 && in1 == 0) revert NothingIn();
        if ((balance0 * 1000 - in0 * 3) * (balance1 * 1000 - in1 * 3) < old0 * old1 * 1e6) revert ConstantBroken();
        sync(balance0, balance1);
        emit Swapped(to, in0, in1, out0, out1);
    }

    function balances() private view returns (uint256, uint256) {
        return (token0.balanceOf(address(this)), token1.balanceOf(address(this)));
    }

    function sync(uint256 balance0, uint256 balance1) private {
        unchecked {
            uint32 elapsed = uint32(block.timestamp) - updatedAt;
            if (elapsed > 0 && reserve0 != 0 && reserve1 != 0) {
                cumulative0 += ((uint256(reserve1) << 112) / reserve0) * elapsed;
                cumulative1 += ((uint256(reserve0) << 112) / reserve1) * elapsed;
            }
        }
        (reserve0, reserve1, updatedAt) = (uint112(balance0), uint112(balance1), uint32(block.timestamp));
        emit Synced(uint112(balance0), uint112(balance1));
    }
}

/// @notice Adds liquidity to a pair and swaps through it with a bound on the price.
contract Router {
    using SafeERC20 for IERC20;

    error Expired();
    error TooLittleOut(uint256 out, uint256 wanted);

    function addLiquidity(Pair pair, uint256 amount0, uint256 amount1) external returns (uint256 shares) {
        pair.token0().safeTransferFrom(msg.sender, address(pair), amount0);
        pair.token1().safeTransferFrom(msg.sender, address(pair), amount1);
        return pair.mint(msg.sender);
    }

    function swap(Pair pair, bool zeroForOne, uint256 amountIn, uint256 outMin, uint256 deadline)
        external
        returns (uint256 out)
    {
        if (block.timestamp > deadline) revert Expired();
        (uint256 reserve0, uint256 reserve1) = pair.reserves();
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        uint256 withFee = amountIn * 997;
        out = (withFee * reserveOut) / (reserveIn * 1000 + withFee);
        if (out < outMin) revert TooLittleOut(out, outMin);
        (zeroForOne ? pair.token0() : pair.token1()).safeTransferFrom(msg.sender, address(pair), amountIn);
        (uint256 out0, uint256 out1) = zeroForOne ? (uint256(0), out) : (out, uint256(0));
        pair.swap(out0, out1, msg.sender);
    }
}
