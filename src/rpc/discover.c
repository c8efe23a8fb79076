/* rpc_discover: what there is, as an OpenRPC 1.2.6 document made from the tables of methods. */
#include <string.h>

#include "rpc/call.h"

/* What a parameter's name stands for: words, and its JSON schema (draft 7). */
static const struct {
    const char *name, *words, *schema;
} params[] = {
    {"address", "An account.", "{\"$ref\":\"#/components/schemas/address\"}"},
    {"amount", "Wei.", "{\"$ref\":\"#/components/schemas/uint\"}"},
    {"attributes", "What the Engine API calls payload attributes.", "{\"type\":\"object\"}"},
    {"block", "A number, a tag, or EIP-1898's object.",
     "{\"$ref\":\"#/components/schemas/block\"}"},
    {"blockOverrides", "Members of the block to pretend.", "{\"type\":\"object\"}"},
    {"count", "How many.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"data", "Bytes.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"enabled", "On or off.", "{\"type\":\"boolean\"}"},
    {"end", "The second block.", "{\"$ref\":\"#/components/schemas/block\"}"},
    {"extraData", "Bytes for the header.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"filter", "Which logs.", "{\"type\":\"object\"}"},
    {"gas", "An amount of gas.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"hash", "The hash of a block or transaction.", "{\"$ref\":\"#/components/schemas/hash32\"}"},
    {"id", "What a filter or subscription was named when it was made.",
     "{\"$ref\":\"#/components/schemas/uint\"}"},
    {"index", "The place in the block.", "{\"$ref\":\"#/components/schemas/uint\"}"},
    {"levels", "What is logged: a level, or levels by room as warn,rpc=debug.",
     "{\"type\":\"string\"}"},
    {"milliseconds", "Milliseconds.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"nocode", "Without code.", "{\"type\":\"boolean\"}"},
    {"nonce", "A nonce.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"nostorage", "Without storage.", "{\"type\":\"boolean\"}"},
    {"number", "A block's number.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"options", "Options of the method.", "{}"},
    {"page", "Which page, from 0 on.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"pageSize", "How many on a page, 100 at most.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"password", "Not looked at.", "{}"},
    {"path", "Which call: its place among those of its caller, down from the transaction's.",
     "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/uint\"}}"},
    {"percentiles", "Of tips by gas, ascending.",
     "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}"},
    {"seconds", "Seconds.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"signature", "65 bytes.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"simulation", "Blocks of calls.", "{\"type\":\"object\"}"},
    {"slot", "A place in storage.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"slots", "Places in storage.",
     "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/bytes\"}}"},
    {"slotsByAddress", "Places in storage by account.", "{\"type\":\"object\"}"},
    {"snapshot", "The number of a snapshot.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"start", "The hash to begin at.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"state", "What the dump gave.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
    {"stateOverrides", "Accounts to pretend.", "{\"type\":\"object\"}"},
    {"subscription", "What to tell of.",
     "{\"enum\":[\"newHeads\",\"logs\",\"newPendingTransactions\",\"syncing\"]}"},
    {"timeout", "Milliseconds.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"timestamp", "Seconds since 1970.", "{\"$ref\":\"#/components/schemas/number\"}"},
    {"traceTypes", "What is told of each transaction.",
     "{\"type\":\"array\",\"items\":{\"enum\":[\"trace\",\"stateDiff\",\"vmTrace\"]}}"},
    {"transaction", "A transaction or call.", "{\"type\":\"object\"}"},
    {"transactions", "Signed transactions; null: what waits in the pool.",
     "{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/components/schemas/bytes\"}}"},
    {"typedData", "EIP-712's structured data.", "{\"type\":[\"object\",\"string\"]}"},
    {"whole", "Transactions whole, not only hashes.", "{\"type\":\"boolean\"}"},
    {"word", "32 bytes.", "{\"$ref\":\"#/components/schemas/bytes\"}"},
};

static const char schemas[] =
    "{\"address\":{\"title\":\"hex encoded address\",\"type\":\"string\","
    "\"pattern\":\"^0x[0-9a-fA-F]{40}$\"},"
    "\"hash32\":{\"title\":\"32 byte hex value\",\"type\":\"string\","
    "\"pattern\":\"^0x[0-9a-fA-F]{64}$\"},"
    "\"bytes\":{\"title\":\"hex encoded "
    "bytes\",\"type\":\"string\",\"pattern\":\"^0x[0-9a-fA-F]*$\"},"
    "\"uint\":{\"title\":\"hex encoded unsigned integer\",\"type\":\"string\","
    "\"pattern\":\"^0x(0|[1-9a-fA-F][0-9a-fA-F]*)$\"},"
    "\"number\":{\"title\":\"a number, in hex or not\",\"type\":[\"string\",\"integer\"]},"
    "\"block\":{\"title\":\"a block\",\"oneOf\":[{\"$ref\":\"#/components/schemas/uint\"},"
    "{\"enum\":[\"earliest\",\"finalized\",\"safe\",\"latest\",\"pending\"]},"
    "{\"$ref\":\"#/components/schemas/hash32\"},{\"type\":\"object\"}]}}";

static void put_param(struct rpc_call *call, const char *name, size_t len)
{
    bool is_optional = name[len - 1] == '?';
    len -= is_optional;
    json_out_object(call->out, NULL);
    json_out_text_len(call->out, "name", name, len);
    json_out_bool(call->out, "required", !is_optional);
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        if (strlen(params[i].name) != len || memcmp(params[i].name, name, len) != 0)
            continue;
        json_out_text(call->out, "description", params[i].words);
        json_out_raw(call->out, "schema", params[i].schema, strlen(params[i].schema));
        break;
    }
    json_out_object_end(call->out);
}

static void put_method(struct rpc_call *call, const struct rpc_method *method)
{
    struct buf *out = call->out;
    json_out_object(out, NULL);
    json_out_text(out, "name", method->name);
    json_out_text(out, "paramStructure", "by-position");
    json_out_array(out, "params");
    for (const char *at = method->params; *at;) {
        size_t len = strcspn(at, " ");
        put_param(call, at, len);
        at += len + (at[len] == ' ');
    }
    json_out_array_end(out);
    json_out_object(out, "result");
    json_out_text(out, "name", "result");
    json_out_raw(out, "schema", "{}", 2);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void rpc_discover(struct rpc_call *call)
{
    u32 count;
    struct buf *out = call->out;
    const struct rpc_method *const *list = rpc_method_list(call->rpc, &count);
    json_out_object(out, RPC_RESULT);
    json_out_text(out, "openrpc", "1.2.6");
    json_out_object(out, "info");
    json_out_text(out, "title", "Ashlar JSON-RPC");
    json_out_text(out, "version", call->rpc->options.client);
    json_out_object_end(out);
    json_out_array(out, "methods");
    for (u32 i = 0; i < count; i++)
        put_method(call, list[i]);
    json_out_array_end(out);
    json_out_object(out, "components");
    json_out_raw(out, "schemas", schemas, sizeof schemas - 1);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* The namespaces are those of the methods offered. */
static void rpc_modules(struct rpc_call *call)
{
    u32 count;
    const struct rpc_method *const *list = rpc_method_list(call->rpc, &count);
    size_t last_len = 0;
    json_out_object(call->out, RPC_RESULT);
    for (u32 i = 0; i < count; i++) {
        size_t len = strcspn(list[i]->name, "_");
        if (i && len == last_len && memcmp(list[i]->name, list[i - 1]->name, len) == 0)
            continue;
        last_len = len;
        json_out_text(call->out, arena_format(call->arena, "%.*s", (int)len, list[i]->name), "1.0");
    }
    json_out_object_end(call->out);
}

const struct rpc_method RPC_SELF[] = {
    {"rpc_discover", rpc_discover, ""},
    {"rpc_modules", rpc_modules, ""},
    {NULL, NULL, NULL},
};
