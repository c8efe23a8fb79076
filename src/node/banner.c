#include "node/banner.h"

#include <string.h>

#include "prim/hex.h"
#include "prim/keccak.h"

enum { ADDR_TEXT = 2 * 20 + 3, HASH_TEXT = 2 * 32 + 3, SHOWN_MAX = 50 };

/* EIP-55: the case of the letters is a checksum. */
static void format_addr(char out[ADDR_TEXT], const addr20 *addr)
{
    hash32 hash;
    size_t len = hex_encode(out, addr->b, sizeof addr->b);
    keccak256(&hash, out + 2, len - 2);
    for (size_t i = 2; i < len; i++) {
        u8 nibble = hash.b[(i - 2) / 2] >> (i % 2 ? 0 : 4) & 15;
        if (out[i] >= 'a' && nibble >= 8)
            out[i] = (char)(out[i] - 'a' + 'A');
    }
}

static void print_accounts(FILE *to, const struct dev_accounts *accounts)
{
    u32 shown = accounts->count < SHOWN_MAX ? accounts->count : SHOWN_MAX;
    for (u32 i = 0; i < shown; i++) {
        char addr[ADDR_TEXT], key[HASH_TEXT];
        format_addr(addr, &accounts->list[i].addr);
        hex_encode(key, accounts->list[i].secret.b, sizeof accounts->list[i].secret.b);
        fprintf(to, "  %2u  %s  %s\n", i, addr, key);
    }
    if (shown < accounts->count)
        fprintf(to, "  and %u more\n", accounts->count - shown);
}

static void print_balance(FILE *to, u256 wei)
{
    char text[U256_DEC_MAX];
    u256 ether = u256_div(wei, u256_from_u64(1000000000000000000));
    text[u256_format_dec(text, ether)] = 0;
    fprintf(to,
            "Accounts, %s ether each, and their keys. Everybody knows them: never use them\n"
            "on a network where ether is worth something.\n\n",
            text);
}

static void print_chain(FILE *to, const struct dev *dev, const struct dev_options *options)
{
    const struct header *genesis = &chain_head(dev->chain)->block.header;
    char base_fee[U256_DEC_MAX];
    base_fee[u256_format_dec(base_fee, genesis->base_fee)] = 0;
    fprintf(to, "\n  mnemonic   %s\n", options->mnemonic);
    fprintf(to, "  paths      m/44'/60'/0'/0/i\n");
    fprintf(to, "  chain id   %llu\n", (unsigned long long)options->chain_id);
    fprintf(to, "  rules      %s\n", fork_name(options->fork));
    fprintf(to, "  gas limit  %llu\n", (unsigned long long)genesis->gas_limit);
    fprintf(to, "  base fee   %s wei\n", base_fee);
    if (options->block_time_ms)
        fprintf(to, "  blocks     every %llu.%03llu seconds\n",
                (unsigned long long)options->block_time_ms / 1000,
                (unsigned long long)options->block_time_ms % 1000);
    else
        fprintf(to, "  blocks     one a transaction, at once\n");
}

void banner_print(FILE *to, const struct dev *dev, const struct dev_command *command, u16 port)
{
    const char *host = command->http.host;
    bool is_ipv6 = strchr(host, ':') != NULL;
    if (!command->is_silent) {
        fprintf(to, "Ashlar development chain\n\n");
        if (command->dev.accounts) {
            print_balance(to, command->dev.balance);
            print_accounts(to, &dev->accounts);
        }
        print_chain(to, dev, &command->dev);
        fputc('\n', to);
    }
    if (!command->is_silent || !command->http.port)
        fprintf(to, "Listening on http://%s%s%s:%u\n", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                port);
    fflush(to);
}
