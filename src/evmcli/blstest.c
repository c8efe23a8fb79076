/*
 * Vectors of BLS signatures ({input, output}, a folder a function; output null: the input must be refused) and of
 * hashing to the curve (RFC 9380: {ciphersuite, dst, vectors}, and {DST, name, tests} for the expansion of messages).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/bls_sig.h"
#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"

enum { LIST_MAX = 4096 };

/* What a function made of the input. */
struct answer {
    bool refused; /* an input that is no key, signature or secret */
    bool is_bool, value;
    struct bytes bytes;
};

struct bls_case {
    struct reader *reader;
    json input;
    struct answer answer;
};

/* A member of exactly that many bytes; any other length is a refusal. */
static void get(struct bls_case *test, json value, void *out, size_t size)
{
    struct reader reader;
    reader_init(&reader, test->reader->arena);
    struct bytes bytes = value_bytes(&reader, value, "input");
    memset(out, 0, size);
    if (reader.failed || bytes.len != size)
        test->answer.refused = true;
    else
        memcpy(out, bytes.data, size);
}

static struct bls_message get_message(struct bls_case *test, json value)
{
    struct bytes bytes = value_bytes(test->reader, value, "message");
    return (struct bls_message){bytes.data, bytes.len};
}

static void *get_list(struct bls_case *test, json list, size_t size, size_t *count)
{
    *count = json_count(list);
    u8 *joined = arena_zalloc(test->reader->arena, (*count + 1) * size);
    for (size_t i = 0; i < *count; i++)
        get(test, json_at(list, i), joined + i * size, size);
    return joined;
}

static struct bls_message *get_messages(struct bls_case *test, json list)
{
    size_t count = json_count(list);
    struct bls_message *messages =
        arena_zalloc(test->reader->arena, (count + 1) * sizeof *messages);
    for (size_t i = 0; i < count; i++)
        messages[i] = get_message(test, json_at(list, i));
    return messages;
}

static void set_bool(struct bls_case *test, bool value)
{
    test->answer.is_bool = true;
    test->answer.value = value && !test->answer.refused;
    test->answer.refused = false;
}

static void run_sign(struct bls_case *test)
{
    hash32 secret;
    bls_sig *sig = arena_zalloc(test->reader->arena, sizeof *sig);
    struct bls_message message = get_message(test, json_get(test->input, "message"));
    get(test, json_get(test->input, "privkey"), secret.b, 32);
    test->answer.refused = test->answer.refused || !bls_sign(sig, &secret, &message);
    test->answer.bytes = (struct bytes){sig->b, sizeof *sig};
}

static void run_verify(struct bls_case *test)
{
    bls_key key;
    bls_sig sig;
    struct bls_message message = get_message(test, json_get(test->input, "message"));
    get(test, json_get(test->input, "pubkey"), &key, sizeof key);
    get(test, json_get(test->input, "signature"), &sig, sizeof sig);
    set_bool(test, bls_verify(&key, &message, &sig));
}

static void run_aggregate(struct bls_case *test)
{
    size_t count;
    bls_sig *sum = arena_zalloc(test->reader->arena, sizeof *sum);
    const bls_sig *sigs = get_list(test, test->input, sizeof *sigs, &count);
    test->answer.refused = test->answer.refused || !bls_sig_sum(sum, sigs, count);
    test->answer.bytes = (struct bytes){sum->b, sizeof *sum};
}

static void run_verify_same(struct bls_case *test)
{
    size_t count;
    bls_sig sig;
    const bls_key *keys = get_list(test, json_get(test->input, "pubkeys"), sizeof *keys, &count);
    struct bls_message message = get_message(test, json_get(test->input, "message"));
    get(test, json_get(test->input, "signature"), &sig, sizeof sig);
    set_bool(test, bls_verify_same(keys, count, &message, &sig));
}

static void run_verify_each(struct bls_case *test)
{
    size_t count;
    bls_sig sig;
    const bls_key *keys = get_list(test, json_get(test->input, "pubkeys"), sizeof *keys, &count);
    const struct bls_message *messages = get_messages(test, json_get(test->input, "messages"));
    get(test, json_get(test->input, "signature"), &sig, sizeof sig);
    bool same_count = count == json_count(json_get(test->input, "messages"));
    set_bool(test, same_count && bls_verify_each(keys, messages, count, &sig));
}

/* A batch is valid when each signature is; how several are checked at once is the implementation's own. */
static void run_verify_batch(struct bls_case *test)
{
    size_t count, sig_count;
    const bls_key *keys = get_list(test, json_get(test->input, "pubkeys"), sizeof *keys, &count);
    const bls_sig *sigs =
        get_list(test, json_get(test->input, "signatures"), sizeof *sigs, &sig_count);
    const struct bls_message *messages = get_messages(test, json_get(test->input, "messages"));
    bool valid = count == sig_count && count == json_count(json_get(test->input, "messages"));
    for (size_t i = 0; valid && i < count; i++)
        valid = bls_verify(&keys[i], &messages[i], &sigs[i]);
    set_bool(test, valid);
}

static void run_key_check(struct bls_case *test)
{
    bls_key key;
    get(test, json_get(test->input, "pubkey"), &key, sizeof key);
    set_bool(test, bls_key_check(&key));
}

static void run_sig_check(struct bls_case *test)
{
    bls_sig sig;
    get(test, json_get(test->input, "signature"), &sig, sizeof sig);
    set_bool(test, bls_sig_check(&sig));
}

/* --- hashing to the curve -------------------------------------------------------------------------- */

/* "c0" or "c0,c1" in hex, each as the 64 bytes of EIP-2537. False when that is not what stands there. */
static bool read_coordinate(struct reader *reader, u8 *out, unsigned degree, json value)
{
    const char *text = json_text(value);
    for (unsigned i = 0; text && i < degree; i++) {
        const char *comma = strchr(text, ',');
        size_t len = comma ? (size_t)(comma - text) : strlen(text);
        struct bytes bytes = text_bytes(reader, text, len, "coordinate");
        if (reader->failed || bytes.len > BLS_FP_SIZE)
            return false;
        memset(out, 0, BLS_FP_SIZE);
        memcpy(out + BLS_FP_SIZE - bytes.len, bytes.data, bytes.len);
        out += BLS_FP_SIZE;
        text = comma ? comma + 1 : NULL;
        if (i + 1 < degree && !text)
            return false;
    }
    return json_text(value) != NULL;
}

static void compare_point(struct reader *reader, const u8 *got, unsigned degree, json want)
{
    u8 point[BLS_G2_SIZE];
    size_t half = (size_t)degree * BLS_FP_SIZE;
    if (!read_coordinate(reader, point, degree, json_get(want, "x")) ||
        !read_coordinate(reader, point + half, degree, json_get(want, "y")))
        reader_fail(reader, "P: x and y are not coordinates in hex");
    else if (memcmp(got, point, 2 * half) != 0)
        reader_fail(reader, "the point differs");
}

struct hash_suite {
    const char *name;
    unsigned degree;
    void (*hash)(u8 *out, const struct bls_message *message, const char *tag);
};

static const struct hash_suite HASH_SUITES[] = {
    {"BLS12381G1_XMD:SHA-256_SSWU_RO_", 1, bls_hash_to_g1},
    {"BLS12381G2_XMD:SHA-256_SSWU_RO_", 2, bls_hash_to_g2},
    {"BLS12381G1_XMD:SHA-256_SSWU_NU_", 1, bls_encode_to_g1},
    {"BLS12381G2_XMD:SHA-256_SSWU_NU_", 2, bls_encode_to_g2},
};

static const struct hash_suite *find_hash_suite(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(HASH_SUITES); i++)
        if (strcmp(HASH_SUITES[i].name, name) == 0)
            return &HASH_SUITES[i];
    return NULL;
}

static void run_hash_vector(struct report *report, const struct hash_suite *suite, json root,
                            json vector)
{
    struct arena arena;
    struct reader reader;
    u8 point[BLS_G2_SIZE];
    size_t len = 0;
    const char *text = json_text_len(json_get(vector, "msg"), &len);
    struct bls_message message = {(const u8 *)text, len};
    arena_init(&arena);
    reader_init(&reader, &arena);
    suite->hash(point, &message, json_text(json_get(root, "dst")));
    compare_point(&reader, point, suite->degree, json_get(vector, "P"));
    report_end(report, !reader.failed, &reader.err);
    arena_fini(&arena);
}

static void run_hash_file(struct report *report, json root)
{
    const char *name = json_text(json_get(root, "ciphersuite"));
    const struct hash_suite *suite = find_hash_suite(name);
    struct json_iter iter = json_iter(json_get(root, "vectors"));
    size_t index = 0;
    while (json_next(&iter)) {
        if (!report_begin(report, "%s %zu", name ? name : "", index++))
            continue;
        if (strstr(report->path, "tv_h2c_v7"))
            report_skip(report, "draft 7 ends the domain tag in another way than RFC 9380");
        else if (!suite)
            report_skip(report, "a map that Ethereum does not use");
        else
            run_hash_vector(report, suite, root, iter.value);
    }
}

static void run_expansion(struct report *report, json root, json vector)
{
    struct arena arena;
    struct reader reader;
    size_t len = 0;
    const char *text = json_text_len(json_get(vector, "msg"), &len);
    struct bls_message message = {(const u8 *)text, len};
    arena_init(&arena);
    reader_init(&reader, &arena);
    struct bytes want = reader_bytes(&reader, vector, "uniform_bytes");
    u8 *got = arena_alloc(&arena, want.len + 1);
    bls_expand_message(got, want.len, &message, json_text(json_get(root, "DST")));
    if (!reader.failed && memcmp(got, want.data, want.len) != 0)
        reader_fail(&reader, "uniform_bytes differ");
    report_end(report, !reader.failed, &reader.err);
    arena_fini(&arena);
}

static void run_expansion_file(struct report *report, json root)
{
    struct json_iter iter = json_iter(json_get(root, "tests"));
    size_t index = 0;
    while (json_next(&iter))
        if (report_begin(report, "expand_message %zu", index++))
            run_expansion(report, root, iter.value);
}

static void run_hash_to_g2(struct bls_case *test, json output)
{
    static const char tag[] = "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    u8 point[BLS_G2_SIZE];
    size_t len = 0;
    const char *text = json_text_len(json_get(test->input, "msg"), &len);
    struct bls_message message = {(const u8 *)text, len};
    bls_hash_to_g2(point, &message, tag);
    compare_point(test->reader, point, 2, output);
}

/* --- which function, and comparing ------------------------------------------------------------------ */

struct function {
    const char *folder;
    void (*run)(struct bls_case *test);
};

static const struct function FUNCTIONS[] = {
    {"/sign/", run_sign},
    {"/verify/", run_verify},
    {"/aggregate/", run_aggregate},
    {"/fast_aggregate_verify/", run_verify_same},
    {"/aggregate_verify/", run_verify_each},
    {"/batch_verify/", run_verify_batch},
    {"/deserialization_G1/", run_key_check},
    {"/deserialization_G2/", run_sig_check},
};

static void compare(struct bls_case *test, json want)
{
    bool flag;
    const struct answer *answer = &test->answer;
    if (json_kind(want) == JSON_KIND_NULL) {
        if (!answer->refused)
            reader_fail(test->reader, "the input was accepted, but must be refused");
    } else if (answer->refused) {
        reader_fail(test->reader, "the input was refused");
    } else if (json_bool(want, &flag)) {
        if (!answer->is_bool || answer->value != flag)
            reader_fail(test->reader, "it is not %s", flag ? "true" : "false");
    } else {
        struct bytes bytes = value_bytes(test->reader, want, "output");
        if (bytes.len != answer->bytes.len ||
            memcmp(bytes.data, answer->bytes.data, bytes.len) != 0)
            reader_fail(test->reader, "the output differs");
    }
}

static void run_function(struct report *report, json root)
{
    struct arena arena;
    struct reader reader;
    arena_init(&arena);
    reader_init(&reader, &arena);
    struct bls_case test = {.reader = &reader, .input = json_get(root, "input")};
    json output = json_get(root, "output");
    size_t i = 0;
    while (i < ARRAY_LEN(FUNCTIONS) && !strstr(report->path, FUNCTIONS[i].folder))
        i++;
    if (strstr(report->path, "/hash_to_G2/")) {
        run_hash_to_g2(&test, output);
    } else if (i < ARRAY_LEN(FUNCTIONS)) {
        FUNCTIONS[i].run(&test);
        compare(&test, output);
    } else {
        reader_fail(&reader, "the folder's name tells no function");
    }
    report_end(report, !reader.failed, &reader.err);
    arena_fini(&arena);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    (void)worker;
    struct json_doc *doc = NULL;
    struct err err;
    if (json_parse(&doc, bytes, len, 100, &err) != STATUS_OK) {
        report_broken(report, &err);
        return;
    }
    json root = json_root(doc);
    if (json_get(root, "vectors"))
        run_hash_file(report, root);
    else if (json_get(root, "tests"))
        run_expansion_file(report, root);
    else if (report_begin(report, "signature"))
        run_function(report, root);
    json_free(doc);
}

int blstest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".json", NULL};
    static const struct args_command command = {
        "ashlar-evm blstest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs vectors of BLS signatures and of hashing to BLS12-381.", NULL};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
