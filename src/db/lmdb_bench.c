/*
 * What the library under the store takes by itself: look-ups of random keys of 32 bytes among a million and among ten
 * million values of 64 bytes, in one table of one file. What the state's look-ups take is to be seen beside it.
 * The file lies in the folder given by TMPDIR, or /tmp.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/types.h"
#include "sys/clock.h"
#include "sys/file.h"

enum { KEY = 32, VALUE = 64, BATCH = 100000, READS = 200000 };

static void must(int code)
{
    if (!code)
        return;
    fprintf(stderr, "lmdb_bench: %s\n", mdb_strerror(code));
    exit(1);
}

/* Spread over all keys. */
static void key_of(u8 key[KEY], u64 i)
{
    for (unsigned part = 0; part < KEY / 8; part++) {
        i = (i + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        i ^= i >> 27;
        memcpy(key + 8 * part, &i, 8);
    }
}

static void grow(MDB_env *env, MDB_dbi table, u64 from, u64 to)
{
    u8 key[KEY], value[VALUE] = {1};
    while (from < to) {
        MDB_txn *txn;
        must(mdb_txn_begin(env, NULL, 0, &txn));
        for (u64 end = from + BATCH; from < end; from++) {
            key_of(key, from);
            MDB_val k = {KEY, key}, v = {VALUE, value};
            must(mdb_put(txn, table, &k, &v, 0));
        }
        must(mdb_txn_commit(txn));
    }
}

static double read_ns(MDB_env *env, MDB_dbi table, u64 count)
{
    u64 random = 88172645463325252;
    MDB_txn *txn;
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
    u64 begin = clock_thread_ns();
    for (int i = 0; i < READS; i++) {
        u8 key[KEY];
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        key_of(key, (random >> 11) % count);
        MDB_val k = {KEY, key}, v;
        must(mdb_get(txn, table, &k, &v));
    }
    double ns = (double)(clock_thread_ns() - begin) / READS;
    mdb_txn_abort(txn);
    return ns;
}

int main(void)
{
    static const u64 sizes[] = {1000000, 10000000};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    char *folder;
    struct err err;
    u64 count = 0;
    if (file_make_temporary(&folder, &err)) {
        fprintf(stderr, "lmdb_bench: %s\n", err.text);
        return 1;
    }
    must(mdb_env_create(&env));
    must(mdb_env_set_mapsize(env, (size_t)1 << 36));
    must(mdb_env_open(env, folder, MDB_NOSYNC | MDB_NORDAHEAD, 0600));
    must(mdb_txn_begin(env, NULL, 0, &txn));
    must(mdb_dbi_open(txn, NULL, 0, &table));
    must(mdb_txn_commit(txn));
    for (size_t i = 0; i < ARRAY_LEN(sizes); count = sizes[i++]) {
        grow(env, table, count, sizes[i]);
        read_ns(env, table, sizes[i]); /* the pages are read in */
        printf("lmdb_read_%llu %.0f ns\n", (unsigned long long)sizes[i],
               read_ns(env, table, sizes[i]));
        fflush(stdout);
    }
    mdb_env_close(env);
    file_remove_folder(folder);
    mem_free(folder);
    return 0;
}
