/* Nodes as RLP (Yellow Paper appendices C and D). */
#include "prim/keccak.h"
#include "prim/rlp.h"
#include "state/trie_int.h"

/* Bytes of a payload with its header. */
static size_t with_header(size_t payload)
{
    return rlp_size_list(payload);
}

static size_t string_size(const u8 *bytes, size_t len)
{
    return rlp_size_bytes(bytes, len);
}

size_t string_header(u8 out[RLP_HEADER_MAX], const u8 *bytes, size_t len)
{
    if (len != 1)
        return rlp_write_bytes_header(out, len);
    out[0] = 0x81;
    return bytes[0] >= 0x80;
}

static u8 *string_put(u8 *out, const u8 *bytes, size_t len)
{
    out += string_header(out, bytes, len);
    memcpy(out, bytes, len);
    return out + len;
}

/* A hex prefix of n nibbles takes n / 2 + 1 bytes; a single byte is always its own encoding. */
static size_t hex_prefix_size(size_t nibbles)
{
    size_t bytes = nibbles / 2 + 1;
    return bytes == 1 ? 1 : with_header(bytes);
}

static size_t leaf_payload(const struct leaf *leaf, size_t depth)
{
    const u8 *value = leaf->bytes + leaf->key_len;
    return hex_prefix_size(2 * (size_t)leaf->key_len - depth) + string_size(value, leaf->value_len);
}

size_t leaf_encoded_size(const struct leaf *leaf, size_t depth)
{
    return with_header(leaf_payload(leaf, depth));
}

size_t leaf_encode(u8 *out, const struct leaf *leaf, size_t depth)
{
    u8 *p = out + rlp_write_list_header(out, leaf_payload(leaf, depth));
    size_t nibbles = 2 * (size_t)leaf->key_len - depth;
    if (nibbles > 1)
        p += rlp_write_bytes_header(p, nibbles / 2 + 1);
    const u8 *rest = leaf->bytes + depth / 2;
    *p++ = nibbles & 1 ? 0x30 | (*rest++ & 15) : 0x20;
    memcpy(p, rest, nibbles / 2);
    p = string_put(p + nibbles / 2, leaf->bytes + leaf->key_len, leaf->value_len);
    return (size_t)(p - out);
}

/* What the parent holds of this child is link->ref, as a string or, embedded, as it is. */
static size_t link_size(const struct trie_link *link)
{
    return link->bits & LINK_EMBEDDED ? (size_t)(link->ref[0] - 0xc0) + 1 : 33;
}

size_t link_ref_encode(u8 out[33], const struct trie_link *link)
{
    assert(link->bits & LINK_REF);
    size_t len = link_size(link);
    u8 *p = out;
    if (!(link->bits & LINK_EMBEDDED))
        *p++ = 0xa0;
    memcpy(p, link->ref, len - (size_t)(p - out));
    return len;
}

static const struct leaf *branch_value(const struct branch *branch)
{
    return branch->mask >> TRIE_END ? link_node(branch->links + branch_count(branch) - 1) : NULL;
}

static size_t branch_payload(const struct branch *branch)
{
    const struct leaf *value = branch_value(branch);
    unsigned links = branch_count(branch) - (value != NULL);
    size_t size = 16 - links;
    for (unsigned i = 0; i < links; i++)
        size += link_size(branch->links + i);
    return size + (value ? string_size(value->bytes + value->key_len, value->value_len) : 1);
}

size_t branch_encoded_size(const struct branch *branch)
{
    return with_header(branch_payload(branch));
}

size_t branch_encode(u8 *out, const struct branch *branch)
{
    u8 *p = out + rlp_write_list_header(out, branch_payload(branch));
    const struct trie_link *link = branch->links;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        if (branch->mask >> nibble & 1)
            p += link_ref_encode(p, link++);
        else
            *p++ = RLP_EMPTY_BYTES;
    }
    const struct leaf *value = branch_value(branch);
    if (value)
        p = string_put(p, value->bytes + value->key_len, value->value_len);
    else
        *p++ = RLP_EMPTY_BYTES;
    return (size_t)(p - out);
}

size_t extension_encode(u8 *out, const u8 *prefix, size_t prefix_len, const u8 *ref, size_t ref_len)
{
    u8 *p = out + rlp_write_list_header(out, hex_prefix_size(prefix_len) + ref_len);
    if (prefix_len > 1)
        p += rlp_write_bytes_header(p, prefix_len / 2 + 1);
    size_t i = prefix_len & 1;
    *p++ = i ? 0x10 | prefix[0] : 0;
    for (; i < prefix_len; i += 2)
        *p++ = (u8)(prefix[i] << 4 | prefix[i + 1]);
    memcpy(p, ref, ref_len);
    return (size_t)(p + ref_len - out);
}

size_t ref_encode(u8 out[33], const u8 *node, size_t len)
{
    if (len < 32) {
        memcpy(out, node, len);
        return len;
    }
    hash32 hash;
    keccak256(&hash, node, len);
    out[0] = 0xa0;
    memcpy(out + 1, hash.b, sizeof hash.b);
    return 33;
}

void hash_few(hash32 *hashes, const void *const *data, const size_t *lens, unsigned count)
{
    if (count == 4) {
        keccak256_x4(hashes, data, lens);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        keccak256(hashes + i, data[i], lens[i]);
}

void link_set_hash(struct trie_link *link, const hash32 *hash)
{
    memcpy(link->ref, hash->b, sizeof hash->b);
    link->bits = (link->bits & ~(u64)LINK_FLAGS) | LINK_REF;
}

void link_set_ref(struct trie_link *link, const u8 *node, size_t len)
{
    if (len < 32) {
        memcpy(link->ref, node, len);
        link->bits |= LINK_REF | LINK_EMBEDDED;
        return;
    }
    hash32 hash;
    keccak256(&hash, node, len);
    link_set_hash(link, &hash);
}
