#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/random.h"
#include "sys/sealed.h"
#include "sys/thread.h"

TEST(names_sort_by_number)
{
    CHECK(file_name_compare("2.json", "10.json") < 0);
    CHECK(file_name_compare("a10b", "a9b") > 0);
    CHECK(file_name_compare("a", "ab") < 0);
    CHECK(file_name_compare("a01", "a1") != 0);
    CHECK_EQ(file_name_compare("same7", "same7"), 0);
}

TEST(missing_file_is_named)
{
    u8 *bytes = NULL;
    size_t len = 0;
    struct err err;
    CHECK_EQ(file_read(&bytes, &len, "no/such/file", 10, &err), STATUS_NOT_FOUND);
    CHECK(strstr(err.text, "no/such/file") != NULL);
    CHECK(bytes == NULL);
}

TEST(large_file_is_refused)
{
    u8 *bytes = NULL;
    size_t len = 0;
    struct err err;
    CHECK_EQ(file_read(&bytes, &len, "/proc/self/maps", 10, &err), STATUS_TOO_LARGE);
}

TEST(room_is_told)
{
    CHECK(file_room("/tmp") > 0);
    CHECK_EQ(file_room("no/such/folder"), UINT64_MAX);
}

TEST(empty_folder_is_told)
{
    char *folder;
    struct err err;
    CHECK_EQ(file_make_temporary(&folder, &err), STATUS_OK);
    CHECK(file_is_empty_folder(folder));
    char path[256];
    snprintf(path, sizeof path, "%s/inner", folder);
    CHECK(!file_is_empty_folder(path));
    CHECK_EQ(file_make_folder(path, &err), STATUS_OK);
    CHECK(!file_is_empty_folder(folder));
    file_remove_folder(folder);
    mem_free(folder);
}

/* As somebody who may not look; root may, and becomes another for it. */
TEST(kind_of_what_may_not_be_seen_is_not_absent)
{
    char *folder, path[256];
    struct err err;
    bool is_root = geteuid() == 0;
    CHECK_EQ(file_make_temporary(&folder, &err), STATUS_OK);
    snprintf(path, sizeof path, "%s/x", folder);
    CHECK_EQ(file_kind(path), FILE_KIND_ABSENT);
    CHECK_EQ(chmod(folder, 0), 0);
    CHECK(!is_root || seteuid(65534) == 0);
    CHECK_EQ(file_kind(path), FILE_KIND_OTHER);
    CHECK(!is_root || seteuid(0) == 0);
    CHECK_EQ(chmod(folder, 0700), 0);
    file_remove_folder(folder);
    mem_free(folder);
}

TEST(sealed_files_take_no_device_s_or_link_s_place)
{
    char *folder, path[256];
    struct err err;
    struct sealed_out *out;
    CHECK_EQ(file_make_temporary(&folder, &err), STATUS_OK);
    snprintf(path, sizeof path, "%s/x", folder);
    CHECK_EQ(sealed_create(&out, folder, &err), STATUS_IO);
    CHECK_EQ(sealed_create(&out, "/dev/null", &err), STATUS_IO);
    CHECK(strstr(err.text, "/dev/null"));
    CHECK_EQ(symlink("/dev/null", path), 0);
    CHECK_EQ(sealed_create(&out, path, &err), STATUS_IO);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(file_write(path, "old", 3, &err), STATUS_OK);
    CHECK_EQ(sealed_create(&out, path, &err), STATUS_OK);
    sealed_add(out, "new", 3);
    CHECK_EQ(sealed_finish(out, &err), STATUS_OK);
    file_remove_folder(folder);
    mem_free(folder);
}

TEST(lock_is_one_process_s)
{
    char *folder, path[256], pid[32];
    struct err err;
    struct lock *mine, *second;
    CHECK_EQ(file_make_temporary(&folder, &err), STATUS_OK);
    snprintf(path, sizeof path, "%s/lock", folder);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    CHECK_EQ(lock_look(path, &err), STATUS_OK);
    CHECK_EQ(file_kind(path), FILE_KIND_ABSENT);
    CHECK_EQ(file_write(path, "4194305\n", 8, &err), STATUS_OK); /* of one that was killed */
    CHECK_EQ(lock_look(path, &err), STATUS_OK);
    CHECK_EQ(lock_take(&mine, path, &err), STATUS_OK);
    CHECK_EQ(lock_look(path, &err), STATUS_EXISTS);
    CHECK(strstr(err.text, pid));
    CHECK_EQ(lock_take(&second, path, &err), STATUS_EXISTS);
    CHECK(strstr(err.text, pid));
    lock_release(mine);
    CHECK_EQ(lock_look(path, &err), STATUS_OK);
    CHECK_EQ(lock_take(&second, path, &err), STATUS_OK);
    lock_release(second);
    file_remove_folder(folder);
    mem_free(folder);
}

TEST(clocks_run)
{
    u64 start = clock_monotonic_ns();
    CHECK(clock_monotonic_ns() >= start);
    CHECK(clock_wall_ns() > 1600000000ull * 1000000000);
    CHECK(clock_thread_ns() > 0);
}

TEST(random_differs)
{
    CHECK(random_u64() != random_u64());
}

struct shared {
    struct mutex mutex;
    struct signal signal;
    unsigned count;
};

static void add_one(void *arg)
{
    struct shared *shared = arg;
    mutex_lock(&shared->mutex);
    shared->count++;
    signal_wake_all(&shared->signal);
    mutex_unlock(&shared->mutex);
}

TEST(threads_meet)
{
    struct shared shared = {0};
    mutex_init(&shared.mutex);
    signal_init(&shared.signal);
    struct thread *threads[3];
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(thread_start(&threads[i], add_one, &shared, 0, NULL), STATUS_OK);
    mutex_lock(&shared.mutex);
    while (shared.count < 3)
        signal_wait(&shared.signal, &shared.mutex);
    mutex_unlock(&shared.mutex);
    for (unsigned i = 0; i < 3; i++)
        thread_join(threads[i]);
    signal_fini(&shared.signal);
    mutex_fini(&shared.mutex);
    CHECK_EQ(shared.count, 3);
    CHECK(thread_cpu_count() >= 1);
}
