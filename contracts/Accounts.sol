// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

/// @title A register of user accounts
/// @notice Anybody may hold one account under a unique name. Its holder edits it, hands it on in two steps and
/// closes it; registrars open and edit accounts for others; moderators suspend and reinstate them.
/// @dev Ownership and roles are OpenZeppelin's `AccessControlDefaultAdminRules`: `owner()` is the one default
/// administrator and changes hands in two steps with a delay. Accounts are numbered from 1 and never deleted, so
/// a page of numbers once read stays what it was; a closed account gives its name and its holder free.
contract Accounts is AccessControlDefaultAdminRules, Pausable {
    enum Status {
        None,
        Active,
        Suspended,
        Closed
    }

    /// @dev One slot for the fixed part (20 + 5 + 5 + 1 bytes), then the two texts.
    struct Account {
        address holder;
        uint40 createdAt;
        uint40 updatedAt;
        Status status;
        string name;
        string uri;
    }

    /// @notice May create and update accounts for others.
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");
    /// @notice May suspend and reinstate accounts, and pause the register.
    bytes32 public constant MODERATOR_ROLE = keccak256("MODERATOR_ROLE");

    uint256 public constant NAME_MIN = 3;
    uint256 public constant NAME_MAX = 31;
    uint256 public constant URI_MAX = 256;
    uint256 public constant PAGE_MAX = 100;

    event AccountCreated(uint256 indexed id, address indexed holder, string name, string uri);
    event AccountUpdated(uint256 indexed id, address indexed by, string name, string uri);
    event AccountStatusChanged(uint256 indexed id, address indexed by, Status from, Status to);
    event HandoverProposed(uint256 indexed id, address indexed holder, address indexed successor);
    event AccountHandedOver(uint256 indexed id, address indexed from, address indexed to);

    error AccountNotFound(uint256 id);
    error HolderUnknown(address holder);
    error HolderInvalid(address holder);
    error HolderTaken(address holder, uint256 id);
    error NameUnknown(string name);
    error NameTaken(string name, uint256 id);
    error NameLengthInvalid(uint256 length, uint256 min, uint256 max);
    error NameCharacterInvalid(uint256 position, bytes1 character);
    error UriTooLong(uint256 length, uint256 max);
    error NotAllowed(address caller, uint256 id);
    error StatusInvalid(uint256 id, Status status);
    error NotSuccessor(address caller, uint256 id);
    error PageLimitInvalid(uint256 limit, uint256 max);

    uint256 private _count;
    mapping(uint256 id => Account) private _accounts;
    mapping(address holder => uint256 id) private _idOfHolder;
    mapping(bytes32 nameHash => uint256 id) private _idOfName;
    mapping(uint256 id => address) private _successor;

    /// @param initialOwner the first owner, registrar and moderator
    /// @param ownerDelay seconds between proposing a new owner and their acceptance
    constructor(address initialOwner, uint48 ownerDelay) AccessControlDefaultAdminRules(ownerDelay, initialOwner) {
        _grantRole(REGISTRAR_ROLE, initialOwner);
        _grantRole(MODERATOR_ROLE, initialOwner);
    }

    // --- create and update -----------------------------------------------------------------------

    /// @notice Opens the caller's own account.
    /// @param name lower-case letters, digits and hyphens; unique among accounts that are not closed
    /// @param uri where the profile is kept; free text, may be empty
    /// @return id the number of the new account
    function create(string calldata name, string calldata uri) external whenNotPaused returns (uint256 id) {
        return _create(msg.sender, name, uri);
    }

    /// @notice Opens an account for somebody else.
    function createFor(address holder, string calldata name, string calldata uri)
        external
        whenNotPaused
        onlyRole(REGISTRAR_ROLE)
        returns (uint256 id)
    {
        return _create(holder, name, uri);
    }

    /// @notice Replaces name and URI. The holder may while the account is active, a registrar until it is closed.
    function update(uint256 id, string calldata name, string calldata uri) external whenNotPaused {
        Account storage account = _existing(id);
        Status status = account.status;
        bool registrar = hasRole(REGISTRAR_ROLE, msg.sender);
        if (!registrar && msg.sender != account.holder) revert NotAllowed(msg.sender, id);
        if (status == Status.Closed || (status == Status.Suspended && !registrar)) revert StatusInvalid(id, status);
        _checkUri(uri);

        bytes32 newHash = keccak256(bytes(name));
        bytes32 oldHash = keccak256(bytes(account.name));
        if (newHash != oldHash) {
            _claimName(newHash, name, id);
            delete _idOfName[oldHash];
            account.name = name;
        }
        account.uri = uri;
        account.updatedAt = uint40(block.timestamp);
        emit AccountUpdated(id, msg.sender, name, uri);
    }

    /// @notice Offers the caller's account to another address, which accepts with `acceptHandover`.
    /// @dev A later proposal replaces an earlier one; the zero address withdraws it.
    function proposeHandover(uint256 id, address successor) external whenNotPaused {
        Account storage account = _existing(id);
        if (msg.sender != account.holder) revert NotAllowed(msg.sender, id);
        if (account.status != Status.Active) revert StatusInvalid(id, account.status);
        _successor[id] = successor;
        emit HandoverProposed(id, msg.sender, successor);
    }

    /// @notice Takes over an account that was offered to the caller.
    function acceptHandover(uint256 id) external whenNotPaused {
        Account storage account = _existing(id);
        if (msg.sender != _successor[id]) revert NotSuccessor(msg.sender, id);
        if (account.status != Status.Active) revert StatusInvalid(id, account.status);
        _requireFree(msg.sender);
        address from = account.holder;
        delete _successor[id];
        delete _idOfHolder[from];
        _idOfHolder[msg.sender] = id;
        account.holder = msg.sender;
        account.updatedAt = uint40(block.timestamp);
        emit AccountHandedOver(id, from, msg.sender);
    }

    // --- status ----------------------------------------------------------------------------------

    function suspend(uint256 id) external onlyRole(MODERATOR_ROLE) {
        _changeStatus(id, Status.Active, Status.Suspended);
    }

    function reinstate(uint256 id) external onlyRole(MODERATOR_ROLE) {
        _changeStatus(id, Status.Suspended, Status.Active);
    }

    /// @notice Closes the caller's account for good; its name and its holder may open another.
    function close(uint256 id) external {
        Account storage account = _existing(id);
        if (msg.sender != account.holder) revert NotAllowed(msg.sender, id);
        _changeStatus(id, Status.Active, Status.Closed);
        delete _idOfHolder[msg.sender];
        delete _idOfName[keccak256(bytes(account.name))];
        delete _successor[id];
    }

    /// @notice Stops creation, updates and handovers; reading, closing and moderation go on.
    function pause() external onlyRole(MODERATOR_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(MODERATOR_ROLE) {
        _unpause();
    }

    // --- query -----------------------------------------------------------------------------------

    /// @notice How many accounts were ever created; numbers run from 1 to this.
    function count() external view returns (uint256) {
        return _count;
    }

    function get(uint256 id) external view returns (Account memory) {
        return _existing(id);
    }

    function getByHolder(address holder) external view returns (uint256 id, Account memory account) {
        id = _idOfHolder[holder];
        if (id == 0) revert HolderUnknown(holder);
        account = _accounts[id];
    }

    function getByName(string calldata name) external view returns (uint256 id, Account memory account) {
        id = _idOfName[keccak256(bytes(name))];
        if (id == 0) revert NameUnknown(name);
        account = _accounts[id];
    }

    /// @notice The address an account is offered to, or zero.
    function successorOf(uint256 id) external view returns (address) {
        _existing(id);
        return _successor[id];
    }

    /// @notice One page of accounts in order of creation.
    /// @param offset how many accounts to skip; past the end the page is empty
    /// @param limit the most accounts wanted, from 1 to `PAGE_MAX`
    /// @return accounts the page; the account at index i has number `offset + i + 1`
    /// @return total how many accounts there are
    function page(uint256 offset, uint256 limit) external view returns (Account[] memory accounts, uint256 total) {
        if (limit == 0 || limit > PAGE_MAX) revert PageLimitInvalid(limit, PAGE_MAX);
        total = _count;
        uint256 left = offset < total ? total - offset : 0;
        uint256 length = left < limit ? left : limit;
        accounts = new Account[](length);
        for (uint256 i = 0; i < length; ++i) {
            accounts[i] = _accounts[offset + i + 1];
        }
    }

    // --- inside ----------------------------------------------------------------------------------

    function _create(address holder, string calldata name, string calldata uri) private returns (uint256 id) {
        if (holder == address(0) || holder == address(this)) revert HolderInvalid(holder);
        _requireFree(holder);
        _checkUri(uri);
        id = ++_count;
        _claimName(keccak256(bytes(name)), name, id);
        _idOfHolder[holder] = id;

        Account storage account = _accounts[id];
        account.holder = holder;
        account.createdAt = uint40(block.timestamp);
        account.updatedAt = uint40(block.timestamp);
        account.status = Status.Active;
        account.name = name;
        account.uri = uri;
        emit AccountCreated(id, holder, name, uri);
    }

    function _changeStatus(uint256 id, Status from, Status to) private {
        Account storage account = _existing(id);
        if (account.status != from) revert StatusInvalid(id, account.status);
        account.status = to;
        account.updatedAt = uint40(block.timestamp);
        emit AccountStatusChanged(id, msg.sender, from, to);
    }

    /// @dev Checks a name and enters it as the account's.
    function _claimName(bytes32 hash, string calldata name, uint256 id) private {
        uint256 length = bytes(name).length;
        if (length < NAME_MIN || length > NAME_MAX) revert NameLengthInvalid(length, NAME_MIN, NAME_MAX);
        for (uint256 i = 0; i < length; ++i) {
            bytes1 c = bytes(name)[i];
            bool allowed = (c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "-";
            if (!allowed) revert NameCharacterInvalid(i, c);
        }
        uint256 taken = _idOfName[hash];
        if (taken != 0) revert NameTaken(name, taken);
        _idOfName[hash] = id;
    }

    function _checkUri(string calldata uri) private pure {
        uint256 length = bytes(uri).length;
        if (length > URI_MAX) revert UriTooLong(length, URI_MAX);
    }

    function _requireFree(address holder) private view {
        uint256 taken = _idOfHolder[holder];
        if (taken != 0) revert HolderTaken(holder, taken);
    }

    function _existing(uint256 id) private view returns (Account storage account) {
        account = _accounts[id];
        if (account.status == Status.None) revert AccountNotFound(id);
    }
}
