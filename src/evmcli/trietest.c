/*
 * Official trie tests: operations and the root they lead to (keys hashed first in files named
 * "secure"), and the neighbours of keys in key order.
 */
#include "state/trie.h"

#include <string.h>

#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "prim/hex.h"
#include "prim/keccak.h"

struct trie_case {
    struct trie trie;
    struct reader reader;
    bool is_secure;
};

/* "0x..." is hex, anything else the characters themselves. */
static struct bytes text_or_hex(struct reader *reader, const char *text, size_t len)
{
    if (len >= 2 && text[0] == '0' && text[1] == 'x')
        return text_bytes(reader, text, len, "key or value");
    return (struct bytes){(const u8 *)text, len};
}

static void apply(struct trie_case *test, const char *key_text, size_t key_len, json value)
{
    struct bytes key = text_or_hex(&test->reader, key_text, key_len);
    hash32 hashed;
    if (test->is_secure) {
        keccak256(&hashed, key.data, key.len);
        key = (struct bytes){hashed.b, sizeof hashed.b};
    }
    size_t len;
    const char *text = json_text_len(value, &len);
    if (!text) {
        trie_del(&test->trie, key.data, key.len);
        return;
    }
    struct bytes put = text_or_hex(&test->reader, text, len);
    if (put.len)
        trie_put(&test->trie, key.data, key.len, put.data, put.len);
    else
        trie_del(&test->trie, key.data, key.len);
}

static void apply_all(struct trie_case *test, json in)
{
    struct json_iter iter = json_iter(in);
    bool is_map = json_kind(in) == JSON_KIND_OBJECT;
    while (json_next(&iter)) {
        size_t len;
        if (is_map) {
            apply(test, iter.key, iter.key_len, iter.value);
            continue;
        }
        const char *key = json_text_len(json_at(iter.value, 0), &len);
        if (key)
            apply(test, key, len, json_at(iter.value, 1));
        else
            reader_fail(&test->reader, "in: an operation without a key");
    }
}

static void run_root_case(struct report *report, json value, struct arena *arena)
{
    struct trie_pool *pool = trie_pool_new();
    struct trie_case test = {.is_secure = strcasestr(report->path, "secure") != NULL};
    hash32 root;
    reader_init(&test.reader, arena);
    trie_init(&test.trie, pool);
    apply_all(&test, json_get(value, "in"));
    hash32 want = reader_hash(&test.reader, value, "root");
    trie_root(&test.trie, &root);
    char got[67];
    hex_encode(got, root.b, sizeof root.b);
    if (test.reader.failed)
        report_fail(report, "%s", test.reader.err.text);
    else if (!hash32_eq(&root, &want))
        report_fail(report, "root is %s, not %s", got, json_text(json_get(value, "root")));
    else
        report_pass(report);
    trie_clear(&test.trie);
    trie_pool_free(pool);
}

/* The greatest key below text, or the least above it; "" when there is none. */
static const char *neighbour(json keys, const char *text, bool above)
{
    const char *best = "";
    struct json_iter iter = json_iter(keys);
    while (json_next(&iter)) {
        const char *key = json_text(iter.value);
        int order = key ? strcmp(key, text) : 0;
        bool is_candidate = above ? order > 0 : order < 0;
        bool is_nearer = !*best || (above ? strcmp(key, best) < 0 : strcmp(key, best) > 0);
        if (is_candidate && is_nearer)
            best = key;
    }
    return best;
}

static void run_neighbour_case(struct report *report, json value)
{
    json keys = json_get(value, "in");
    struct json_iter iter = json_iter(json_get(value, "tests"));
    while (json_next(&iter)) {
        const char *text = json_text(json_at(iter.value, 0));
        const char *before = json_text(json_at(iter.value, 1));
        const char *after = json_text(json_at(iter.value, 2));
        if (!text || !before || !after) {
            report_fail(report, "tests: a row is not three strings");
            return;
        }
        if (strcmp(neighbour(keys, text, false), before) != 0 ||
            strcmp(neighbour(keys, text, true), after) != 0) {
            report_fail(report, "the keys around \"%s\" are not \"%s\" and \"%s\"", text, before,
                        after);
            return;
        }
    }
    report_pass(report);
}

static void run_case(void *worker, struct report *report, const char *name, json value)
{
    (void)worker;
    if (!report_begin(report, "%s", name))
        return;
    struct arena arena;
    arena_init(&arena);
    if (json_get(value, "tests"))
        run_neighbour_case(report, value);
    else
        run_root_case(report, value, &arena);
    arena_fini(&arena);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    suite_each_member(worker, report, bytes, len, run_case);
}

int trietest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm trietest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs official trie tests: {name: {in, root}}.",
        "Keys are hashed first where the file's path has \"secure\" in it."};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
