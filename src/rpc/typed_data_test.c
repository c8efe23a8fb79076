#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "prim/hex.h"
#include "rpc/typed_data.h"
#include "rpc/typed_data_fixture.h"

static int hash_of(const char *text, hash32 *hash)
{
    json typed;
    struct arena arena;
    struct rpc_call call = {.arena = &arena};
    arena_init(&arena);
    CHECK_EQ(json_parse_in(&typed, &arena, text, strlen(text), 64, NULL), STATUS_OK);
    bool fine = typed_data_hash(&call, typed, hash);
    CHECK_EQ(fine, call.code == 0);
    arena_fini(&arena);
    return call.code;
}

TEST(typed_data_hashes_the_example_of_the_specification)
{
    hash32 hash, want;
    static const char digest[] =
        "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";
    CHECK_EQ(hash_of(TYPED_MAIL, &hash), 0);
    CHECK_EQ(hex_decode_exact(want.b, sizeof want.b, digest, strlen(digest)), HEX_OK);
    CHECK_MEM(hash.b, want.b, sizeof hash.b);
}

/* A document with one field of this type and value. */
static int code_of(const char *type, const char *value)
{
    char text[512];
    hash32 hash;
    snprintf(text, sizeof text,
             "{\"types\":{\"EIP712Domain\":[],\"T\":[{\"name\":\"x\",\"type\":\"%s\"}]},"
             "\"primaryType\":\"T\",\"domain\":{},\"message\":{\"x\":%s}}",
             type, value);
    return hash_of(text, &hash);
}

TEST(typed_data_holds_values_against_their_types)
{
    static const struct {
        const char *type, *value;
        bool is_good;
    } cases[] = {
        {"uint8", "255", true},
        {"uint8", "256", false},
        {"uint8", "\"0xff\"", true},
        {"uint8", "-1", false},
        {"int8", "-128", true},
        {"int8", "-129", false},
        {"int8", "127", true},
        {"int8", "128", false},
        {"uint", "1", true},
        {"uint7", "1", false},
        {"uint264", "1", false},
        {"uint8", "1.5", false},
        {"bytes2", "\"0x1234\"", true},
        {"bytes2", "\"0x12\"", false},
        {"bytes33", "\"0x12\"", false},
        {"bytes", "\"0x\"", true},
        {"bool", "true", true},
        {"bool", "1", false},
        {"string", "\"a\"", true},
        {"string", "null", false},
        {"uint8[]", "[1,2]", true},
        {"uint8[2]", "[1,2]", true},
        {"uint8[2]", "[1]", false},
        {"uint8[2][]", "[[1,2],[3,4]]", true},
        {"uint8[", "[1]", false},
        {"nonsense", "1", false},
        {"address", "\"0x12\"", false},
        {"T", "{\"x\":null}", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQ(code_of(cases[i].type, cases[i].value) == 0, cases[i].is_good);
}
