/*
 * A trie's root and branches from its items in order, one at a time, without keeping the trie: what is
 * held is the branches on the way to the newest item. Keys are of 32 bytes.
 */
#pragma once

#include "state/trie.h"

struct trie_stream;

/* put (may be NULL) is called as by trie_save, children before parents. */
struct trie_stream *trie_stream_new(trie_put_fn *put, void *arg);
void trie_stream_free(struct trie_stream *stream);

void trie_stream_begin(struct trie_stream *stream, const hash32 *owner);
/* value: at most TRIE_STREAM_VALUE_MAX bytes. False, and left out, when the key does not come after the
 * one before. */
enum { TRIE_STREAM_VALUE_MAX = 128 };
bool trie_stream_add(struct trie_stream *stream, const u8 key[32], const u8 *value, size_t len);
void trie_stream_end(struct trie_stream *stream, hash32 *root);
