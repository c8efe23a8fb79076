#include <string.h>

#include "base/test.h"
#include "evmcli/reader.h"

struct document {
    struct arena arena;
    struct reader reader;
    struct json_doc *doc;
    json root;
};

static void open_document(struct document *document, const char *text)
{
    struct err err;
    document->doc = NULL;
    arena_init(&document->arena);
    reader_init(&document->reader, &document->arena);
    CHECK_EQ(json_parse(&document->doc, text, strlen(text), 10, &err), STATUS_OK);
    document->root = json_root(document->doc);
}

static void close_document(struct document *document)
{
    json_free(document->doc);
    arena_fini(&document->arena);
}

TEST(numbers_in_all_spellings)
{
    struct document d;
    open_document(&d, "{\"a\":\"0x0010\",\"b\":\"16\",\"c\":16,\"d\":\"0x\"}");
    CHECK_EQ(reader_u64(&d.reader, d.root, "a"), 16);
    CHECK_EQ(reader_u64(&d.reader, d.root, "b"), 16);
    CHECK_EQ(reader_u64(&d.reader, d.root, "c"), 16);
    CHECK_EQ(reader_u64(&d.reader, d.root, "d"), 0);
    CHECK_EQ(reader_u64_or(&d.reader, d.root, "e", 7), 7);
    CHECK(!d.reader.failed);
    close_document(&d);
}

TEST(first_failure_is_kept_and_named)
{
    struct document d;
    open_document(&d, "{\"a\":\"0xzz\",\"b\":[]}");
    CHECK_EQ(reader_u64(&d.reader, d.root, "a"), 0);
    reader_hash(&d.reader, d.root, "b");
    CHECK(d.reader.failed);
    CHECK(strncmp(d.reader.err.text, "a is", 4) == 0);
    close_document(&d);
}

TEST(numbers_out_of_range)
{
    static const char *const bad[] = {
        "{\"a\":\"0x10000000000000000\"}",
        "{\"a\":\"18446744073709551616\"}",
        "{\"a\":-1}",
        "{\"a\":\"1x\"}",
        "{\"a\":\"\"}",
        "{\"a\":null}",
        "{}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct document d;
        open_document(&d, bad[i]);
        reader_u64(&d.reader, d.root, "a");
        CHECK(d.reader.failed);
        close_document(&d);
    }
}

TEST(widest_number)
{
    u256 value;
    static const char most[] =
        "0x00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    CHECK(text_u256(&value, most, strlen(most)));
    CHECK(u256_eq(value, u256_not(u256_from_u64(0))));
    static const char more[] =
        "0x10000000000000000000000000000000000000000000000000000000000000000";
    CHECK(!text_u256(&value, more, strlen(more)));
}

TEST(bytes_with_and_without_prefix)
{
    struct document d;
    open_document(&d, "{\"a\":\"0xc0de\",\"b\":\"c0de\",\"c\":\"0xc0d\"}");
    struct bytes a = reader_bytes(&d.reader, d.root, "a"), b = reader_bytes(&d.reader, d.root, "b");
    CHECK_EQ(a.len, 2);
    CHECK_EQ(b.len, 2);
    CHECK_MEM(a.data, b.data, 2);
    CHECK(!d.reader.failed);
    reader_bytes(&d.reader, d.root, "c");
    CHECK(d.reader.failed);
    close_document(&d);
}
