#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "sys/ending.h"
#include "sys/file.h"
#include "sys/stream.h"
#include "sys/thread.h"

enum { LARGE = 3 << 20 };

/* A folder for the while, and a file in it. */
struct place {
    char *folder;
    char path[256];
};

static void place_open(struct place *place, const char *name)
{
    struct err err;
    CHECK_EQ(file_make_temporary(&place->folder, &err), STATUS_OK);
    snprintf(place->path, sizeof place->path, "%s/%s", place->folder, name);
}

static void place_close(struct place *place)
{
    file_remove_folder(place->folder);
    mem_free(place->folder);
}

static void write_stream(const char *path, const void *bytes, size_t len)
{
    struct err err;
    struct stream *stream;
    CHECK_EQ(stream_create(&stream, path, &err), STATUS_OK);
    CHECK_EQ(stream_write(stream, bytes, len, &err), STATUS_OK);
    CHECK_EQ(stream_close(stream, &err), STATUS_OK);
}

/* All of it, in odd pieces; *len is what there was before a failure. */
static enum status read_stream(const char *path, u8 *out, size_t *len, struct err *err)
{
    struct err close_err;
    struct stream *stream;
    enum status status = stream_open(&stream, path, err);
    if (status != STATUS_OK)
        return status;
    size_t got = 1;
    for (*len = 0; status == STATUS_OK && got; *len += got) {
        got = 0;
        status = stream_read(stream, out + *len, 777 + *len % 70000, &got, err);
    }
    CHECK_EQ(stream_close(stream, &close_err), STATUS_OK);
    return status;
}

static void fill_up(u8 *bytes, size_t len)
{
    u32 x = 1;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (u8)((x = x * 1664525 + 1013904223) >> (i % 3 ? 30 : 24));
}

TEST(stream_gives_back_what_was_written_packed_or_not)
{
    static const char *const names[] = {"plain", "packed.gz"};
    static u8 in[LARGE], out[LARGE + 80000];
    fill_up(in, sizeof in);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct place place;
        struct err err;
        size_t len;
        place_open(&place, names[i]);
        write_stream(place.path, in, sizeof in);
        CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_OK);
        CHECK_EQ(len, sizeof in);
        CHECK(memcmp(in, out, len) == 0);
        write_stream(place.path, in, 1);
        CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_OK);
        CHECK_EQ(len, 1);
        write_stream(place.path, in, 0);
        CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_OK);
        CHECK_EQ(len, 0);
        place_close(&place);
    }
}

/* What follows a packed part: another, zeros, or what should not be there. */
TEST(stream_takes_packed_parts_one_after_another)
{
    struct place place;
    struct err err;
    u8 *packed;
    size_t packed_len, len;
    u8 file[4096] = {0}, out[90000];
    place_open(&place, "parts.gz");
    write_stream(place.path, "stone", 5);
    CHECK_EQ(file_read(&packed, &packed_len, place.path, sizeof file / 2, &err), STATUS_OK);
    memcpy(file, packed, packed_len);
    memcpy(file + packed_len, packed, packed_len);
    CHECK_EQ(file_write(place.path, file, 2 * packed_len, &err), STATUS_OK);
    CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_OK);
    CHECK_EQ(len, 10);
    CHECK(memcmp(out, "stonestone", 10) == 0);
    CHECK_EQ(file_write(place.path, file, 2 * packed_len + 512, &err), STATUS_OK);
    CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_OK);
    CHECK_EQ(len, 10);
    file[2 * packed_len + 3] = 'x';
    CHECK_EQ(file_write(place.path, file, 2 * packed_len + 512, &err), STATUS_OK);
    CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "not packed"));
    mem_free(packed);
    place_close(&place);
}

TEST(stream_names_a_packed_file_that_is_cut_off_or_damaged)
{
    static u8 in[LARGE], out[LARGE + 80000];
    struct place place;
    struct err err;
    u8 *packed;
    size_t packed_len, len;
    fill_up(in, sizeof in);
    place_open(&place, "damaged.gz");
    write_stream(place.path, in, sizeof in);
    CHECK_EQ(file_read(&packed, &packed_len, place.path, LARGE, &err), STATUS_OK);
    size_t cuts[] = {3, packed_len / 2, packed_len - 1};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        CHECK_EQ(file_write(place.path, packed, cuts[i], &err), STATUS_OK);
        CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_INVALID);
        CHECK(strstr(err.text, "ends too early"));
    }
    packed[packed_len / 2] ^= 4;
    CHECK_EQ(file_write(place.path, packed, packed_len, &err), STATUS_OK);
    CHECK_EQ(read_stream(place.path, out, &len, &err), STATUS_INVALID);
    CHECK(strstr(err.text, place.path));
    mem_free(packed);
    place_close(&place);
}

/* --- pipes ------------------------------------------------------------------------------------ */

struct writer {
    const char *path;
    struct mutex mutex;
    struct signal moved;
    bool was_read;
};

/* A byte, and no more of the file until that one has been read. */
static void write_slowly(void *arg)
{
    struct writer *writer = arg;
    FILE *file = fopen(writer->path, "w");
    CHECK(file);
    CHECK(fputc('a', file) == 'a');
    CHECK_EQ(fflush(file), 0);
    CHECK(fputc('b', file) == 'b');
    CHECK_EQ(fflush(file), 0);
    mutex_lock(&writer->mutex);
    while (!writer->was_read)
        signal_wait(&writer->moved, &writer->mutex);
    mutex_unlock(&writer->mutex);
    CHECK(fputc('c', file) == 'c');
    CHECK_EQ(fclose(file), 0);
}

TEST(stream_waits_for_a_writer_and_gives_what_is_there)
{
    struct place place;
    struct err err;
    struct stream *stream;
    struct thread *thread;
    u8 out[64];
    size_t len = 0, got = 1;
    place_open(&place, "pipe");
    CHECK_EQ(mkfifo(place.path, 0600), 0);
    struct writer writer = {.path = place.path};
    mutex_init(&writer.mutex);
    signal_init(&writer.moved);
    CHECK_EQ(stream_open(&stream, place.path, &err), STATUS_OK);
    CHECK_EQ(thread_start(&thread, write_slowly, &writer, 0, &err), STATUS_OK);
    for (; got; len += got) {
        CHECK_EQ(stream_read(stream, out + len, sizeof out - len, &got, &err), STATUS_OK);
        if (len + got < 2)
            continue;
        mutex_lock(&writer.mutex);
        writer.was_read = true;
        signal_wake_all(&writer.moved);
        mutex_unlock(&writer.mutex);
    }
    CHECK_EQ(len, 3);
    CHECK(memcmp(out, "abc", 3) == 0);
    thread_join(thread);
    CHECK_EQ(stream_close(stream, &err), STATUS_OK);
    signal_fini(&writer.moved);
    mutex_fini(&writer.mutex);
    place_close(&place);
}

static void wish_soon(void *arg)
{
    (void)arg;
    usleep(20000);
    CHECK_EQ(kill(getpid(), SIGTERM), 0);
}

static void interrupt_soon(void *stream)
{
    stream_interrupt(stream);
}

TEST(stream_that_waits_can_be_interrupted)
{
    struct place place;
    struct err err;
    struct stream *stream;
    struct thread *thread;
    u8 out[64];
    size_t got;
    place_open(&place, "pipe");
    CHECK_EQ(mkfifo(place.path, 0600), 0);
    CHECK_EQ(stream_open(&stream, place.path, &err), STATUS_OK);
    CHECK_EQ(thread_start(&thread, interrupt_soon, stream, 0, &err), STATUS_OK);
    CHECK_EQ(stream_read(stream, out, sizeof out, &got, &err), STATUS_STOPPED);
    thread_join(thread);
    CHECK_EQ(stream_close(stream, &err), STATUS_OK);
    place_close(&place);
}

TEST(stream_that_waits_ends_when_the_process_is_told_to)
{
    struct place place;
    struct err err;
    struct stream *stream;
    struct thread *thread;
    u8 out[64];
    size_t got;
    place_open(&place, "pipe");
    CHECK_EQ(mkfifo(place.path, 0600), 0);
    CHECK_EQ(ending_watch(&err), STATUS_OK);
    CHECK_EQ(stream_open(&stream, place.path, &err), STATUS_OK);
    CHECK_EQ(thread_start(&thread, wish_soon, NULL, 0, &err), STATUS_OK);
    CHECK_EQ(stream_read(stream, out, sizeof out, &got, &err), STATUS_STOPPED);
    thread_join(thread);
    CHECK_EQ(stream_close(stream, &err), STATUS_OK);
    ending_forget();
    place_close(&place);
}
