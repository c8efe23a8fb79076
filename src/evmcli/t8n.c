/* The command t8n: flags, inputs, and the order of the steps. */
#include "evmcli/t8n.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "base/mem.h"
#include "evmcli/commands.h"
#include "evmcli/engine.h"
#include "sys/file.h"

enum { INPUT_MAX = 1 << 30, INPUT_DEPTH_MAX = 64 };

static const char STDIN[] = "stdin";

enum t8n_exit t8n_fail(enum t8n_exit code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "ERROR(%d): ", (int)code);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

static bool is_stdin(const char *where)
{
    return strcmp(where, STDIN) == 0;
}

/* Reads and parses one input. The text need not outlive the document. */
static enum t8n_exit load(struct json_doc **doc, const char *path, const char *what)
{
    u8 *bytes = NULL;
    size_t len;
    struct err err;
    if (file_read(&bytes, &len, path, INPUT_MAX, &err) != STATUS_OK)
        return t8n_fail(T8N_IO, "failed reading %s file: %s", what, err.text);
    enum status status = json_parse(doc, (const char *)bytes, len, INPUT_DEPTH_MAX, &err);
    mem_free(bytes);
    if (status != STATUS_OK)
        return t8n_fail(T8N_JSON, "failed unmarshalling %s file %s: %s", what, path, err.text);
    return T8N_OK;
}

static enum t8n_exit load_stdin(struct t8n *t8n)
{
    const struct t8n_flags *flags = &t8n->flags;
    if (!is_stdin(flags->alloc_in) && !is_stdin(flags->env_in) && !is_stdin(flags->txs_in))
        return T8N_OK;
    return load(&t8n->stdin_doc, "-", "stdin");
}

static json stdin_member(const struct t8n *t8n, const char *key)
{
    return json_get(json_root(t8n->stdin_doc), key);
}

static enum t8n_exit read_config(struct t8n *t8n)
{
    const char *fork = t8n->flags.fork, *plus = strchr(fork, '+');
    if (plus)
        fork = arena_format(&t8n->arena, "%.*s", (int)(plus - fork), fork);
    if (!chain_config_named(&t8n->config, fork))
        return t8n_fail(T8N_CONFIG,
                        "failed constructing chain configuration: unsupported fork \"%s\"", fork);
    t8n->config.chain_id = t8n->flags.chain_id;
    return T8N_OK;
}

/* The fork whose rules have an EIP that is more than instructions; FORK_COUNT: no such EIP. */
static enum fork fork_of_eip(u64 eip)
{
    static const struct {
        u16 eip, fork;
    } rows[] = {{2200, FORK_ISTANBUL}, {2929, FORK_BERLIN}, {3529, FORK_LONDON},
                {3860, FORK_SHANGHAI}, {6780, FORK_CANCUN}, {7702, FORK_PRAGUE}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].eip == eip)
            return (enum fork)rows[i].fork;
    return FORK_COUNT;
}

/* The EIPs behind the fork's name, each after a plus. */
static enum t8n_exit activate_eips(struct t8n *t8n)
{
    const char *at = strchr(t8n->flags.fork, '+');
    while (at) {
        const char *text = at + 1;
        at = strchr(text, '+');
        size_t len = at ? (size_t)(at - text) : strlen(text);
        u256 word;
        u64 eip = text_u256(&word, text, len) ? u256_to_u64_sat(word) : 0;
        enum fork fork = fork_of_eip(eip);
        if (eip <= UINT32_MAX && evm_activate_eip(t8n->evm, (unsigned)eip))
            continue;
        if (fork == FORK_COUNT)
            return t8n_fail(T8N_CONFIG,
                            "failed constructing chain configuration: syntax error, invalid eip "
                            "number %.*s",
                            (int)len, text);
        if (t8n->fork < fork)
            return t8n_fail(T8N_CONFIG,
                            "failed constructing chain configuration: EIP-%llu changes more than "
                            "instructions and cannot be had before %s",
                            (unsigned long long)eip, fork_name(fork));
    }
    return T8N_OK;
}

static enum t8n_exit read_env(struct t8n *t8n)
{
    if (is_stdin(t8n->flags.env_in))
        return t8n_read_env(t8n, stdin_member(t8n, "env"));
    enum t8n_exit code = load(&t8n->env_doc, t8n->flags.env_in, "env");
    return code == T8N_OK ? t8n_read_env(t8n, json_root(t8n->env_doc)) : code;
}

static enum t8n_exit read_alloc(struct t8n *t8n)
{
    struct json_doc *doc = NULL;
    json alloc = NULL;
    if (is_stdin(t8n->flags.alloc_in)) {
        alloc = stdin_member(t8n, "alloc");
    } else {
        enum t8n_exit code = load(&doc, t8n->flags.alloc_in, "alloc");
        if (code != T8N_OK)
            return code;
        alloc = json_root(doc);
    }
    prestate_fill(&t8n->reader, t8n->prestate.state, alloc);
    json_free(doc);
    if (t8n->reader.failed)
        return t8n_fail(T8N_JSON, "failed unmarshalling alloc: %s", t8n->reader.err.text);
    return T8N_OK;
}

static enum t8n_exit read_rlp_value(struct t8n *t8n, json value)
{
    struct bytes rlp = value_bytes(&t8n->reader, value, "txs");
    if (t8n->reader.failed)
        return t8n_fail(T8N_JSON, "%s", t8n->reader.err.text);
    return t8n_read_txs_rlp(t8n, rlp);
}

static enum t8n_exit read_txs(struct t8n *t8n)
{
    const char *where = t8n->flags.txs_in;
    if (is_stdin(where)) {
        json rlp = stdin_member(t8n, "txsRlp");
        const char *text = json_text(rlp);
        return text && *text ? read_rlp_value(t8n, rlp)
                             : t8n_read_txs(t8n, stdin_member(t8n, "txs"));
    }
    enum t8n_exit code = load(&t8n->txs_doc, where, "txs");
    size_t len = strlen(where);
    if (code != T8N_OK)
        return code;
    if (len > 4 && strcmp(where + len - 4, ".rlp") == 0)
        return read_rlp_value(t8n, json_root(t8n->txs_doc));
    return t8n_read_txs(t8n, json_root(t8n->txs_doc));
}

static enum t8n_exit make_basedir(const struct t8n *t8n)
{
    struct err err;
    const char *base = t8n->flags.basedir;
    if (!base || !*base || file_make_folder(base, &err) == STATUS_OK)
        return T8N_OK;
    return t8n_fail(T8N_IO, "failed creating output basedir: %s", err.text);
}

static enum t8n_exit run(struct t8n *t8n)
{
    static enum t8n_exit (*const steps[])(struct t8n *) = {load_stdin,    read_config, read_env,
                                                           activate_eips, read_alloc,  read_txs,
                                                           t8n_execute,   t8n_write};
    enum t8n_exit code = make_basedir(t8n);
    for (size_t i = 0; code == T8N_OK && i < ARRAY_LEN(steps); i++)
        code = steps[i](t8n);
    return code;
}

static const struct args_command COMMAND = {
    "ashlar-evm t8n",
    "[--state.fork FORK] [--input.alloc F] [--input.env F] [--input.txs F] [--output.* F]",
    "Executes transactions as one block on a pre-state, as go-ethereum's evm t8n does.",
    "Inputs are files, or \"stdin\" for members of one object there: alloc, env, txs or txsRlp.\n"
    "Outputs are files, or \"stdout\" or \"stderr\" for members of one object there.\n"
    "Exit code: 2 execution, 3 configuration, 4 missing block hash, 10 JSON, 11 files, 12 RLP."};

static bool read_flags(struct t8n_flags *flags, int argc, char **argv, int *code)
{
    const struct args_option options[] = {
        {"state.fork", ARGS_TEXT, &flags->fork, "FORK[+EIP]", "rules to use (GrayGlacier)"},
        {"state.chainid", ARGS_U64, &flags->chain_id, "N", "chain id (1)"},
        {"state.reward", ARGS_TEXT, &flags->reward, "WEI", "block reward; -1 for none (0)"},
        {"input.alloc", ARGS_TEXT, &flags->alloc_in, "FILE", "the pre-state (alloc.json)"},
        {"input.env", ARGS_TEXT, &flags->env_in, "FILE", "the block environment (env.json)"},
        {"input.txs", ARGS_TEXT, &flags->txs_in, "FILE", "JSON, or RLP in *.rlp (txs.json)"},
        {"output.basedir", ARGS_TEXT, &flags->basedir, "FOLDER", "where files go"},
        {"output.alloc", ARGS_TEXT, &flags->alloc_out, "FILE", "the post-state (alloc.json)"},
        {"output.result", ARGS_TEXT, &flags->result_out, "FILE", "roots, receipts (result.json)"},
        {"output.body", ARGS_TEXT, &flags->body_out, "FILE", "RLP of what was included"},
        {"trace", ARGS_FLAG, &flags->trace, NULL, "a file of EIP-3155 lines for each transaction"},
        {"trace.memory", ARGS_FLAG, &flags->trace_memory, NULL, "with memory"},
        {"trace.nostack", ARGS_FLAG, &flags->trace_nostack, NULL, "without the stack"},
        {"trace.returndata", ARGS_FLAG, &flags->trace_returndata, NULL, "with return data"},
        {"trace.callframes", ARGS_FLAG, &flags->trace_callframes, NULL,
         "with the beginnings of calls"},
        {"trace.tracer", ARGS_TEXT, &flags->tracer, "NAME", "a named tracer's result instead"},
        {"trace.jsonconfig", ARGS_TEXT, &flags->tracer_config, "JSON", "what that tracer is told"},
        {"opcode.count", ARGS_TEXT, &flags->opcode_count, "FILE", "how often each instruction ran"},
        {"engine", ARGS_TEXT, &flags->engine, "NAME", ENGINE_HELP},
        {0},
    };
    int rest;
    if (!args_begin(&COMMAND, options, argc, argv, &rest, code))
        return false;
    if (rest) {
        *code = args_fail(&COMMAND, "\"%s\" is no option; inputs are named by --input.*", argv[0]);
        return false;
    }
    return true;
}

static void t8n_fini(struct t8n *t8n)
{
    json_free(t8n->stdin_doc);
    json_free(t8n->env_doc);
    json_free(t8n->txs_doc);
    prestate_fini(&t8n->prestate);
    evm_free(t8n->evm);
    arena_fini(&t8n->arena);
}

int t8n_main(int argc, char **argv)
{
    struct t8n t8n = {.flags = {.alloc_in = "alloc.json",
                                .env_in = "env.json",
                                .txs_in = "txs.json",
                                .alloc_out = "alloc.json",
                                .result_out = "result.json",
                                .fork = "GrayGlacier",
                                .reward = "0",
                                .engine = "auto",
                                .chain_id = 1}};
    int code;
    if (!read_flags(&t8n.flags, argc, argv, &code))
        return code;
    enum evm_engine engine;
    if (!engine_parse(&engine, t8n.flags.engine))
        return args_fail(&COMMAND, "--engine is plain, fast or auto, not \"%s\"", t8n.flags.engine);
    arena_init(&t8n.arena);
    reader_init(&t8n.reader, &t8n.arena);
    prestate_init(&t8n.prestate);
    t8n.evm = evm_new();
    evm_set_engine(t8n.evm, engine);
    code = run(&t8n);
    t8n_fini(&t8n);
    return code;
}
