/* The command run: code on a state of its own, or of a genesis file; the result in words, or a trace. */
#include <stdio.h>
#include <string.h>

#include "args/args.h"
#include "base/mem.h"
#include "chain/exec.h"
#include "evmcli/commands.h"
#include "evmcli/prestate.h"
#include "prim/hex.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "trace/eip3155.h"

enum { CODE_FILE_MAX = 64 << 20, GENESIS_MAX = 1 << 30 };

/* Where nothing is said, things are as under geth's `evm run`: block 0 at time 0, names as addresses. */
enum { CHAIN_ID = 1337, BASE_FEE = 1000000000 };
static const char SENDER[] = "0x000000000000000000000000000073656e646572";
static const char RECEIVER[] = "0x0000000000000000000000007265636569766572";

struct run_flags {
    const char *code, *input, *fork, *prestate;
    const char *sender, *receiver, *value, *price;
    const char *code_file, *input_file;
    u64 gas;
    bool trace, memory, create;
};

struct run {
    struct run_flags flags;
    struct arena arena;
    struct reader reader;
    struct prestate prestate;
    struct evm *evm;
    struct chain_config config;
    struct exec exec;
    struct evm_msg msg;
    struct evm_tx tx;
};

static const struct args_command COMMAND = {
    "ashlar-evm run",
    "[--code] HEX|@FILE [--input HEX|@FILE] [--gas N] [--fork F] [--trace] [--prestate F]",
    "Runs code and prints what it returns, the gas it used and how it ended.",
    "Without --code the code at --receiver in the pre-state runs. --trace prints EIP-3155 lines "
    "first."};

/* Hex, or of "@FILE" the hex in the file. Blanks at the end are allowed. */
static struct bytes read_hex(struct reader *reader, const char *text, const char *what)
{
    u8 *file = NULL;
    size_t len = strlen(text);
    struct err err;
    if (text[0] == '@') {
        if (file_read(&file, &len, text + 1, CODE_FILE_MAX, &err) != STATUS_OK) {
            reader_fail(reader, "%s: %s", what, err.text);
            return (struct bytes){NULL, 0};
        }
        text = (const char *)file;
    }
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    struct bytes bytes = text_bytes(reader, text, len, what);
    mem_free(file);
    return bytes;
}

/* --codefile and --inputfile: the same as @FILE. */
static void name_files(struct run *run)
{
    struct run_flags *flags = &run->flags;
    if (flags->code_file)
        flags->code = arena_format(&run->arena, "@%s", flags->code_file);
    if (flags->input_file)
        flags->input = arena_format(&run->arena, "@%s", flags->input_file);
}

/* A genesis file's alloc, or a bare alloc. */
static void read_prestate(struct run *run)
{
    u8 *bytes = NULL;
    size_t len;
    struct json_doc *doc = NULL;
    struct err err;
    if (!run->flags.prestate)
        return;
    if (file_read(&bytes, &len, run->flags.prestate, GENESIS_MAX, &err) != STATUS_OK ||
        json_parse(&doc, (const char *)bytes, len, 64, &err) != STATUS_OK) {
        reader_fail(&run->reader, "--prestate: %s", err.text);
    } else {
        json alloc = json_get(json_root(doc), "alloc");
        prestate_fill(&run->reader, run->prestate.state, alloc ? alloc : json_root(doc));
    }
    json_free(doc);
    mem_free(bytes);
}

static void set_code(struct run *run)
{
    struct state *state = run->prestate.state;
    struct err err;
    if (!run->flags.code || run->flags.create)
        return;
    struct bytes code = read_hex(&run->reader, run->flags.code, "--code");
    if (run->reader.failed)
        return;
    state_begin_tx(state);
    state_set_code(state, &run->msg.recipient, code.data, code.len);
    state_end_tx(state, FORK_FRONTIER);
    if (state_commit(state, NULL, &err) != STATUS_OK)
        reader_fail(&run->reader, "%s", err.text);
}

static void set_message(struct run *run)
{
    const struct run_flags *flags = &run->flags;
    struct reader *reader = &run->reader;
    addr20 receiver = text_addr(reader, flags->receiver);
    struct bytes input = flags->create ? read_hex(reader, flags->code ? flags->code : "", "--code")
                                       : read_hex(reader, flags->input, "--input");
    run->msg = (struct evm_msg){.kind = flags->create ? EVM_CREATE : EVM_CALL,
                                .gas = (i64)flags->gas,
                                .sender = text_addr(reader, flags->sender),
                                .recipient = receiver,
                                .code_addr = receiver,
                                .input = input.data,
                                .input_len = input.len};
    if (!text_u256(&run->msg.value, flags->value, strlen(flags->value)))
        reader_fail(reader, "--value is \"%s\", not a number below 2^256", flags->value);
    run->tx = (struct evm_tx){.origin = run->msg.sender, .chain_id = u256_from_u64(CHAIN_ID)};
    if (!text_u256(&run->tx.gas_price, flags->price, strlen(flags->price)))
        reader_fail(reader, "--price is \"%s\", not a number below 2^256", flags->price);
}

/* The sender has the value it sends, and a creation's nonce. */
static void set_sender(struct run *run)
{
    struct state *state = run->prestate.state;
    u256 have = state_balance(state, &run->msg.sender);
    if (u256_lt(have, run->msg.value))
        state_set_balance(state, &run->msg.sender, &run->msg.value);
    if (run->flags.create)
        state_set_nonce(state, &run->msg.sender, state_nonce(state, &run->msg.sender) + 1);
    state_account_warm(state, &run->msg.sender);
    state_account_warm(state, &run->msg.recipient);
    if (run->exec.fork >= FORK_SHANGHAI) /* EIP-3651 */
        state_account_warm(state, &run->exec.block.coinbase);
}

static void print_line(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    fwrite(line, 1, len, stdout);
}

static void print_result(const struct run *run, const struct evm_result *result, u64 ns)
{
    char *hex = mem_alloc(2 * result->output_len + 3), status[EVM_ERROR_TEXT_MAX];
    hex_encode(hex, result->output, result->output_len);
    printf("output    %s\n", hex);
    printf("gas used  %lld\n", (long long)(run->msg.gas - result->gas_left));
    printf("refund    %lld\n", (long long)evm_refund(run->evm));
    evm_error_text(status, result->status, result->opcode, result->stack_len);
    printf("status    %s\n", status);
    printf("time      %.3f us\n", (double)ns / 1000);
    mem_free(hex);
}

static int execute(struct run *run)
{
    struct evm_block block = {.gas_limit = run->flags.gas, .base_fee = u256_from_u64(BASE_FEE)};
    struct evm_result result;
    struct eip3155 *trace = NULL;
    const struct eip3155_options options = {.memory = run->flags.memory};
    enum fork fork = chain_config_fork(&run->config, 0, 0, u256_from_u64(0));
    exec_init(&run->exec, run->prestate.state, run->evm, &run->config, fork, &block);
    state_begin_tx(run->prestate.state);
    set_sender(run);
    if (run->flags.trace) {
        trace = eip3155_new(&options, print_line, NULL);
        evm_set_tracer(run->evm, eip3155_hooks(trace));
    }
    evm_begin(run->evm, fork, &run->exec.host, &run->exec.block, &run->tx);
    u64 begin = clock_thread_ns();
    evm_call(run->evm, &run->msg, &result);
    u64 ns = clock_thread_ns() - begin;
    evm_set_tracer(run->evm, NULL);
    eip3155_free(trace);
    print_result(run, &result, ns);
    return result.status == EVM_SUCCESS ? EXIT_OK : EXIT_FAILED;
}

static int run_all(struct run *run)
{
    if (!chain_config_named(&run->config, run->flags.fork))
        return args_fail(&COMMAND, "there is no fork \"%s\"", run->flags.fork);
    if (run->flags.gas > INT64_MAX)
        return args_fail(&COMMAND, "--gas is at most 9223372036854775807");
    name_files(run);
    set_message(run);
    read_prestate(run);
    set_code(run);
    if (run->reader.failed)
        return args_fail(&COMMAND, "%s", run->reader.err.text);
    return execute(run);
}

int run_main(int argc, char **argv)
{
    struct run run = {.flags = {.input = "0x",
                                .fork = "Osaka",
                                .sender = SENDER,
                                .receiver = RECEIVER,
                                .value = "0",
                                .price = "0",
                                .gas = 10000000000}};
    struct run_flags *flags = &run.flags;
    const struct args_option options[] = {
        {"code", ARGS_TEXT, &flags->code, "HEX|@FILE", "the code"},
        {"codefile", ARGS_TEXT, &flags->code_file, "FILE", "the code, from a file (- for stdin)"},
        {"input", ARGS_TEXT, &flags->input, "HEX|@FILE", "the call data"},
        {"inputfile", ARGS_TEXT, &flags->input_file, "FILE", "the call data, from a file"},
        {"price", ARGS_TEXT, &flags->price, "WEI", "GASPRICE (0)"},
        {"gas", ARGS_U64, &flags->gas, "N", "gas to run with (10000000000)"},
        {"fork", ARGS_TEXT, &flags->fork, "F", "rules (Osaka)"},
        {"prestate", ARGS_TEXT, &flags->prestate, "FILE", "accounts: a genesis file, or its alloc"},
        {"sender", ARGS_TEXT, &flags->sender, "ADDRESS", "who calls"},
        {"receiver", ARGS_TEXT, &flags->receiver, "ADDRESS", "whom; the code is put there"},
        {"value", ARGS_TEXT, &flags->value, "WEI", "what is sent along (0)"},
        {"create", ARGS_FLAG, &flags->create, NULL, "the code creates a contract"},
        {"trace", ARGS_FLAG, &flags->trace, NULL, "print EIP-3155 lines"},
        {"trace.memory", ARGS_FLAG, &flags->memory, NULL, "with memory"},
        {0},
    };
    int rest, code;
    if (!args_begin(&COMMAND, options, argc, argv, &rest, &code))
        return code;
    if (rest == 1 && !flags->code && !flags->code_file)
        flags->code = argv[0];
    else if (rest)
        return args_fail(&COMMAND, "\"%s\" is no option, and there is code already", argv[0]);
    arena_init(&run.arena);
    reader_init(&run.reader, &run.arena);
    prestate_init(&run.prestate);
    run.evm = evm_new();
    code = run_all(&run);
    evm_free(run.evm);
    prestate_fini(&run.prestate);
    arena_fini(&run.arena);
    return code;
}
