/* net and web3: small questions about the node itself. */
#include "prim/keccak.h"
#include "rpc/param.h"

static void net_version(struct rpc_call *call)
{
    char *text =
        arena_format(call->arena, "%llu", (unsigned long long)chain_config(call->chain)->chain_id);
    json_out_text(call->out, RPC_RESULT, text);
}

static void net_listening(struct rpc_call *call)
{
    json_out_bool(call->out, RPC_RESULT, true);
}

static void net_peerCount(struct rpc_call *call)
{
    json_out_quantity(call->out, RPC_RESULT, 0);
}

static void web3_clientVersion(struct rpc_call *call)
{
    json_out_text(call->out, RPC_RESULT, call->rpc->options.client);
}

static void web3_sha3(struct rpc_call *call)
{
    const u8 *bytes;
    size_t len;
    hash32 hash;
    if (!param_data(call, 0, &bytes, &len))
        return;
    keccak256(&hash, bytes, len);
    json_out_hash(call->out, RPC_RESULT, &hash);
}

const struct rpc_method RPC_NET[] = {
    {"net_listening", net_listening, ""},
    {"net_peerCount", net_peerCount, ""},
    {"net_version", net_version, ""},
    {NULL, NULL, NULL},
};

const struct rpc_method RPC_WEB3[] = {
    {"web3_clientVersion", web3_clientVersion, ""},
    {"web3_sha3", web3_sha3, "data"},
    {NULL, NULL, NULL},
};
