/*
 * Vectors of c-kzg-4844 (EIP-4844 and EIP-7594): a folder a function, a folder a case, in it data.yaml with input and
 * output; output null: the function must refuse its input.
 */
#include "crypto/kzg.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/sha256.h"
#include "evmcli/commands.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "evmcli/yaml.h"

enum { BLOB_ELEMENTS = 4096, CELL_ELEMENTS = 64 };

/* What a function made of the input: refused, or a list of pieces to compare with the output. */
struct answer {
    bool refused;
    bool is_bool, value;
    struct bytes pieces[2 * KZG_CELLS];
    size_t count;
};

/* One test: its input, read as the function wants it. A piece of the wrong size is a refusal, as c-kzg's
 * bindings have it. */
struct kzg_case {
    struct reader *reader;
    json input;
    bool wrong_size;
};

static const u8 *sized(struct kzg_case *test, json value, size_t size)
{
    struct reader reader;
    reader_init(&reader, test->reader->arena);
    struct bytes bytes = value_bytes(&reader, value, "input");
    u8 *padded = arena_zalloc(test->reader->arena, size);
    test->wrong_size |= reader.failed || bytes.len != size;
    if (bytes.len == size)
        memcpy(padded, bytes.data, size);
    return padded;
}

static const u8 *get(struct kzg_case *test, const char *key, size_t size)
{
    return sized(test, json_get(test->input, key), size);
}

/* All pieces of a list side by side. */
static const u8 *get_list(struct kzg_case *test, const char *key, size_t size, size_t *count)
{
    json list = json_get(test->input, key);
    *count = json_count(list);
    u8 *joined = arena_alloc(test->reader->arena, *count * size + 1);
    for (size_t i = 0; i < *count; i++)
        memcpy(joined + i * size, sized(test, json_at(list, i), size), size);
    return joined;
}

static const u64 *get_numbers(struct kzg_case *test, const char *key, size_t *count)
{
    json list = json_get(test->input, key);
    *count = json_count(list);
    u64 *numbers = arena_alloc(test->reader->arena, (*count + 1) * sizeof *numbers);
    for (size_t i = 0; i < *count; i++)
        numbers[i] = value_u64(test->reader, json_at(list, i), key);
    return numbers;
}

static void add_piece(struct answer *answer, const void *data, size_t len)
{
    answer->pieces[answer->count++] = (struct bytes){data, len};
}

static void set_verdict(struct answer *answer, enum kzg_verdict verdict)
{
    answer->is_bool = true;
    answer->value = verdict == KZG_OK;
    answer->refused |= verdict == KZG_MALFORMED;
}

static void run_commit(struct kzg_case *test, struct answer *answer)
{
    kzg48 *out = arena_zalloc(test->reader->arena, sizeof *out);
    const u8 *blob = get(test, "blob", KZG_BLOB_SIZE);
    answer->refused = test->wrong_size || kzg_commit(out, blob) != KZG_OK;
    add_piece(answer, out, sizeof *out);
}

static void run_prove_point(struct kzg_case *test, struct answer *answer)
{
    kzg48 *proof = arena_zalloc(test->reader->arena, sizeof *proof);
    hash32 *y = arena_zalloc(test->reader->arena, sizeof *y), z;
    const u8 *blob = get(test, "blob", KZG_BLOB_SIZE);
    memcpy(z.b, get(test, "z", 32), 32);
    answer->refused = test->wrong_size || kzg_prove_point(proof, y, blob, &z) != KZG_OK;
    add_piece(answer, proof, sizeof *proof);
    add_piece(answer, y, sizeof *y);
}

static void run_prove_blob(struct kzg_case *test, struct answer *answer)
{
    kzg48 *proof = arena_zalloc(test->reader->arena, sizeof *proof), commitment;
    const u8 *blob = get(test, "blob", KZG_BLOB_SIZE);
    memcpy(commitment.b, get(test, "commitment", 48), 48);
    answer->refused = test->wrong_size || kzg_prove_blob(proof, blob, &commitment) != KZG_OK;
    add_piece(answer, proof, sizeof *proof);
}

static void run_verify_point(struct kzg_case *test, struct answer *answer)
{
    kzg48 commitment, proof;
    hash32 z, y;
    memcpy(commitment.b, get(test, "commitment", 48), 48);
    memcpy(z.b, get(test, "z", 32), 32);
    memcpy(y.b, get(test, "y", 32), 32);
    memcpy(proof.b, get(test, "proof", 48), 48);
    answer->refused = test->wrong_size;
    if (!test->wrong_size)
        set_verdict(answer, kzg_verify_point(&commitment, &z, &y, &proof));
}

static void run_verify_blob(struct kzg_case *test, struct answer *answer)
{
    kzg48 commitment, proof;
    const u8 *blob = get(test, "blob", KZG_BLOB_SIZE);
    memcpy(commitment.b, get(test, "commitment", 48), 48);
    memcpy(proof.b, get(test, "proof", 48), 48);
    answer->refused = test->wrong_size;
    if (!test->wrong_size)
        set_verdict(answer, kzg_verify_blobs(blob, &commitment, &proof, 1));
}

static void run_verify_blobs(struct kzg_case *test, struct answer *answer)
{
    size_t blobs_count, commitments_count, proofs_count;
    const u8 *blobs = get_list(test, "blobs", KZG_BLOB_SIZE, &blobs_count);
    const kzg48 *commitments = (const kzg48 *)get_list(test, "commitments", 48, &commitments_count);
    const kzg48 *proofs = (const kzg48 *)get_list(test, "proofs", 48, &proofs_count);
    answer->refused =
        test->wrong_size || blobs_count != commitments_count || blobs_count != proofs_count;
    if (!answer->refused)
        set_verdict(answer, kzg_verify_blobs(blobs, commitments, proofs, blobs_count));
}

static void run_verify_cells(struct kzg_case *test, struct answer *answer)
{
    size_t cells_count, commitments_count, proofs_count, indices_count;
    const u8 *cells = get_list(test, "cells", KZG_CELL_SIZE, &cells_count);
    const kzg48 *commitments = (const kzg48 *)get_list(test, "commitments", 48, &commitments_count);
    const kzg48 *proofs = (const kzg48 *)get_list(test, "proofs", 48, &proofs_count);
    const u64 *indices = get_numbers(test, "cell_indices", &indices_count);
    answer->refused = test->wrong_size || cells_count != commitments_count ||
                      cells_count != proofs_count || cells_count != indices_count;
    if (!answer->refused)
        set_verdict(answer, kzg_verify_cells(commitments, indices, cells, proofs, cells_count));
}

static void add_cells(struct answer *answer, const u8 *cells, const kzg48 *proofs)
{
    for (size_t i = 0; i < KZG_CELLS; i++)
        add_piece(answer, cells + i * KZG_CELL_SIZE, KZG_CELL_SIZE);
    for (size_t i = 0; proofs && i < KZG_CELLS; i++)
        add_piece(answer, &proofs[i], sizeof proofs[i]);
}

static void make_cells(struct kzg_case *test, struct answer *answer, bool with_proofs)
{
    u8 *cells = arena_alloc(test->reader->arena, (size_t)KZG_CELLS * KZG_CELL_SIZE);
    kzg48 *proofs =
        with_proofs ? arena_alloc(test->reader->arena, KZG_CELLS * sizeof *proofs) : NULL;
    const u8 *blob = get(test, "blob", KZG_BLOB_SIZE);
    answer->refused = test->wrong_size || kzg_cells(cells, proofs, blob) != KZG_OK;
    add_cells(answer, cells, proofs);
}

static void run_cells(struct kzg_case *test, struct answer *answer)
{
    make_cells(test, answer, false);
}

static void run_cells_and_proofs(struct kzg_case *test, struct answer *answer)
{
    make_cells(test, answer, true);
}

static void run_recover(struct kzg_case *test, struct answer *answer)
{
    size_t cells_count, indices_count;
    u8 *cells = arena_alloc(test->reader->arena, (size_t)KZG_CELLS * KZG_CELL_SIZE);
    kzg48 *proofs = arena_alloc(test->reader->arena, KZG_CELLS * sizeof *proofs);
    const u8 *known = get_list(test, "cells", KZG_CELL_SIZE, &cells_count);
    const u64 *indices = get_numbers(test, "cell_indices", &indices_count);
    answer->refused = test->wrong_size || cells_count != indices_count ||
                      kzg_recover_cells(cells, proofs, indices, known, cells_count) != KZG_OK;
    add_cells(answer, cells, proofs);
}

/* --- the two challenges: SHA-256 of a transcript, modulo the order of the group ---------------------- */

static void put_u64(struct buf *out, u64 value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_add_byte(out, (u8)(value >> shift));
}

static void add_challenge(struct kzg_case *test, struct answer *answer,
                          const struct buf *transcript)
{
    static const u256 order = {
        {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805, 0x73eda753299d7d48}};
    hash32 digest, *out = arena_alloc(test->reader->arena, sizeof *out);
    sha256(&digest, transcript->data, transcript->len);
    *out = u256_to_hash(u256_mod(u256_from_hash(&digest), order));
    add_piece(answer, out, sizeof *out);
}

static void run_challenge(struct kzg_case *test, struct answer *answer)
{
    struct buf transcript;
    buf_init(&transcript, 1 << 20);
    buf_add_text(&transcript, "FSBLOBVERIFY_V1_");
    put_u64(&transcript, 0);
    put_u64(&transcript, BLOB_ELEMENTS);
    buf_add(&transcript, get(test, "blob", KZG_BLOB_SIZE), KZG_BLOB_SIZE);
    buf_add(&transcript, get(test, "commitment", 48), 48);
    answer->refused = test->wrong_size;
    add_challenge(test, answer, &transcript);
    buf_fini(&transcript);
}

static void put_coset(struct kzg_case *test, struct buf *transcript, json evals)
{
    for (size_t i = 0; i < CELL_ELEMENTS; i++)
        buf_add(transcript, sized(test, json_at(evals, i), 32), 32);
}

static void run_cell_challenge(struct kzg_case *test, struct answer *answer)
{
    struct buf transcript;
    size_t commitments_count, proofs_count, cells_count, count;
    const u8 *commitments = get_list(test, "commitments", 48, &commitments_count);
    const u8 *proofs = get_list(test, "proofs", 48, &proofs_count);
    const u64 *cells = get_numbers(test, "cell_indices", &cells_count);
    const u64 *rows = get_numbers(test, "commitment_indices", &count);
    buf_init(&transcript, 64 << 20);
    buf_add_text(&transcript, "RCKZGCBATCH__V1_");
    put_u64(&transcript, BLOB_ELEMENTS);
    put_u64(&transcript, CELL_ELEMENTS);
    put_u64(&transcript, commitments_count);
    put_u64(&transcript, cells_count);
    buf_add(&transcript, commitments, commitments_count * 48);
    for (size_t i = 0; i < cells_count && i < count && i < proofs_count; i++) {
        put_u64(&transcript, rows[i]);
        put_u64(&transcript, cells[i]);
        put_coset(test, &transcript, json_at(json_get(test->input, "cosets_evals"), i));
        buf_add(&transcript, proofs + i * 48, 48);
    }
    answer->refused = test->wrong_size;
    add_challenge(test, answer, &transcript);
    buf_fini(&transcript);
}

/* --- comparing ------------------------------------------------------------------------------------- */

static bool same_piece(struct reader *reader, const struct bytes *got, json want)
{
    struct bytes bytes = value_bytes(reader, want, "output");
    return bytes.len == got->len && memcmp(bytes.data, got->data, got->len) == 0;
}

/* The output's strings, lists of lists too, in order. */
static void compare_pieces(struct reader *reader, const struct answer *answer, json want,
                           size_t *index)
{
    if (json_kind(want) == JSON_KIND_ARRAY) {
        struct json_iter iter = json_iter(want);
        while (json_next(&iter))
            compare_pieces(reader, answer, iter.value, index);
        return;
    }
    if (*index >= answer->count || !same_piece(reader, &answer->pieces[*index], want))
        reader_fail(reader, "piece %zu of the output differs", *index);
    ++*index;
}

static void compare(struct reader *reader, const struct answer *answer, json want)
{
    bool flag;
    size_t index = 0;
    if (json_kind(want) == JSON_KIND_NULL) {
        if (!answer->refused)
            reader_fail(reader, "the input was accepted, but must be refused");
    } else if (answer->refused) {
        reader_fail(reader, "the input was refused");
    } else if (json_bool(want, &flag)) {
        if (!answer->is_bool || answer->value != flag)
            reader_fail(reader, "it is not %s", flag ? "true" : "false");
    } else {
        compare_pieces(reader, answer, want, &index);
        if (index != answer->count)
            reader_fail(reader, "there are %zu pieces of output, not %zu", answer->count, index);
    }
}

struct function {
    const char *folder;
    void (*run)(struct kzg_case *test, struct answer *answer);
};

static const struct function FUNCTIONS[] = {
    {"/blob_to_kzg_commitment/", run_commit},
    {"/compute_kzg_proof/", run_prove_point},
    {"/compute_blob_kzg_proof/", run_prove_blob},
    {"/verify_kzg_proof/", run_verify_point},
    {"/verify_blob_kzg_proof/", run_verify_blob},
    {"/verify_blob_kzg_proof_batch/", run_verify_blobs},
    {"/compute_cells/", run_cells},
    {"/compute_cells_and_kzg_proofs/", run_cells_and_proofs},
    {"/recover_cells_and_kzg_proofs/", run_recover},
    {"/verify_cell_kzg_proof_batch/", run_verify_cells},
    {"/compute_challenge/", run_challenge},
    {"/compute_verify_cell_kzg_proof_batch_challenge/", run_cell_challenge},
};

static const struct function *find_function(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(FUNCTIONS); i++)
        if (strstr(path, FUNCTIONS[i].folder))
            return &FUNCTIONS[i];
    return NULL;
}

static void run_document(struct report *report, const struct function *function, json root)
{
    struct arena arena;
    struct reader reader;
    struct answer *answer = NEW(struct answer);
    arena_init(&arena);
    reader_init(&reader, &arena);
    struct kzg_case test = {.reader = &reader, .input = json_get(root, "input")};
    function->run(&test, answer);
    compare(&reader, answer, json_get(root, "output"));
    report_end(report, !reader.failed, &reader.err);
    mem_free(answer);
    arena_fini(&arena);
}

static void run_file(void *worker, struct report *report, const char *bytes, size_t len)
{
    (void)worker;
    struct json_doc *doc = NULL;
    struct err err;
    const struct function *function = find_function(report->path);
    if (!report_begin(report, "%.*s", function ? (int)strlen(function->folder) - 2 : 8,
                      function ? function->folder + 1 : "unknown"))
        return;
    if (!function)
        report_fail(report, "the folder's name tells no function");
    else if (yaml_parse(&doc, bytes, len, &err) != STATUS_OK)
        report_fail(report, "%s", err.text);
    else
        run_document(report, function, json_root(doc));
    json_free(doc);
}

int kzgtest_main(int argc, char **argv)
{
    static const char *const suffixes[] = {".yaml", NULL};
    static const struct args_command command = {
        "ashlar-evm kzgtest", "PATH... [--run REGEX] [--jobs N] [--json]",
        "Runs vectors of c-kzg-4844: FUNCTION/.../data.yaml with input and output.", NULL};
    static const struct suite suite = {&command, suffixes, NULL, NULL, run_file};
    return suite_main(&suite, argc, argv);
}
