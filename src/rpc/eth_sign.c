/* eth and personal: signatures by the node's own accounts. */
#include <stdio.h>
#include <string.h>

#include "prim/keccak.h"
#include "rpc/param.h"
#include "rpc/typed_data.h"

enum { SIGNATURE_SIZE = 65, V_BASE = 27, TYPED_DEPTH = 64 };

/* EIP-191, version 'E': what keeps a message from being a transaction. */
static hash32 message_hash(const u8 *bytes, size_t len)
{
    char prefix[64];
    int prefix_len = snprintf(prefix, sizeof prefix,
                              "\x19"
                              "Ethereum Signed Message:\n%zu",
                              len);
    struct keccak keccak;
    hash32 hash;
    keccak_init(&keccak);
    keccak_update(&keccak, prefix, (size_t)prefix_len);
    keccak_update(&keccak, bytes, len);
    keccak_final(&keccak, &hash);
    return hash;
}

/* Asked before a message is looked at: that of a stranger is not worth the work. */
static const struct dev_account *param_account(struct rpc_call *call, size_t index)
{
    addr20 addr;
    if (!param_addr(call, index, &addr))
        return NULL;
    const struct dev_account *account = dev_accounts_find(&call->dev->accounts, &addr);
    if (!account)
        rpc_fail(call, RPC_SERVER_ERROR, "unknown account");
    return account;
}

static void answer_signature(struct rpc_call *call, const struct dev_account *account,
                             const hash32 *hash)
{
    struct signature signature;
    if (!secp256k1_sign(call->dev->accounts.signer, &signature, hash, &account->secret)) {
        rpc_fail(call, RPC_INTERNAL, "the hash cannot be signed");
        return;
    }
    u8 bytes[SIGNATURE_SIZE];
    memcpy(bytes, signature.r.b, 32);
    memcpy(bytes + 32, signature.s.b, 32);
    bytes[64] = (u8)(V_BASE + signature.parity);
    json_out_data(call->out, RPC_RESULT, bytes, sizeof bytes);
}

/* Messages are hexadecimal data; text that is not is taken as it stands, as some wallets send it. */
static bool read_message(struct rpc_call *call, size_t index, const u8 **bytes, size_t *len)
{
    const char *text = json_text_len(param_need(call, index), len);
    if (text && strncmp(text, "0x", 2) != 0) {
        *bytes = (const u8 *)text;
        return true;
    }
    return param_data(call, index, bytes, len);
}

static void sign_message(struct rpc_call *call, size_t addr_index, size_t message_index)
{
    const u8 *bytes;
    size_t len;
    const struct dev_account *account = param_account(call, addr_index);
    if (!account || !read_message(call, message_index, &bytes, &len))
        return;
    hash32 hash = message_hash(bytes, len);
    answer_signature(call, account, &hash);
}

static void eth_sign(struct rpc_call *call)
{
    sign_message(call, 0, 1);
}

static void personal_sign(struct rpc_call *call)
{
    sign_message(call, 1, 0);
}

static void personal_ecRecover(struct rpc_call *call)
{
    addr20 addr;
    const u8 *message, *bytes;
    size_t message_len, len;
    if (!read_message(call, 0, &message, &message_len) || !param_data(call, 1, &bytes, &len))
        return;
    u8 v = len == SIGNATURE_SIZE ? bytes[64] : 0;
    if (v != V_BASE && v != V_BASE + 1) {
        rpc_fail(call, RPC_SERVER_ERROR, "invalid Ethereum signature (V is not 27 or 28)");
        return;
    }
    struct signature signature = {.parity = (u8)(v - V_BASE)};
    memcpy(signature.r.b, bytes, 32);
    memcpy(signature.s.b, bytes + 32, 32);
    hash32 hash = message_hash(message, message_len);
    if (secp256k1_recover(&addr, &hash, &signature))
        json_out_addr(call->out, RPC_RESULT, &addr);
    else
        rpc_fail(call, RPC_SERVER_ERROR, "recovery failed");
}

/* The data is an object, or the same as JSON text. */
static void eth_signTypedData_v4(struct rpc_call *call)
{
    hash32 hash;
    struct err err;
    size_t len;
    const struct dev_account *account = param_account(call, 0);
    if (!account)
        return;
    json typed = param_need(call, 1);
    const char *text = json_text_len(typed, &len);
    if (text && rpc_parse(call->rpc, &typed, text, len, TYPED_DEPTH, &err) != STATUS_OK)
        rpc_fail(call, RPC_INVALID_PARAMS, "typed data: %s", err.text);
    if (!rpc_failed(call) && typed_data_hash(call, typed, &hash))
        answer_signature(call, account, &hash);
}

const struct rpc_method RPC_ETH_SIGN[] = {
    {"eth_sign", eth_sign, "address data"},
    {"eth_signTypedData", eth_signTypedData_v4, "address typedData"},
    {"eth_signTypedData_v4", eth_signTypedData_v4, "address typedData"},
    {"personal_ecRecover", personal_ecRecover, "data signature"},
    {"personal_sign", personal_sign, "data address password?"},
    {NULL, NULL, NULL},
};
