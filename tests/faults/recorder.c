/* Writes down what a process asks of the disk below one folder: writes, truncations, syncs, names that come and go.
   Loaded before everything else (LD_PRELOAD), so it sees SQLite and SQLCipher as they really work.
   POWER_FOLDER: the folder; POWER_LOG: the file of records {kind, path length, offset, data length} path data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_length;
static int record = -1;

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *place = getenv("POWER_FOLDER"), *file = getenv("POWER_LOG");
    if (!place || !file) return;
    snprintf(folder, sizeof folder, "%s/", place);
    folder_length = strlen(folder);
    record = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) { return record >= 0 && strncmp(path, folder, folder_length) == 0; }

static int path_of(int handle, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static void put(const void *data, size_t size) {
    REAL(write);
    const char *rest = data;
    while (size) {
        ssize_t done = real(record, rest, size);
        if (done <= 0) abort();
        rest += done;
        size -= (size_t)done;
    }
}

static void note(char kind, const char *path, uint64_t offset, const void *data, uint64_t size) {
    uint64_t head[4] = {(uint64_t)kind, strlen(path), offset, size};
    pthread_mutex_lock(&gate);
    put(head, sizeof head);
    put(path, strlen(path));
    put(data, size);
    pthread_mutex_unlock(&gate);
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t offset) {
    REAL(pwrite64);
    char path[4096];
    ssize_t done = real(handle, data, size, offset);
    if (done > 0 && path_of(handle, path)) note('w', path, (uint64_t)offset, data, (uint64_t)done);
    return done;
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) { return pwrite64(handle, data, size, offset); }

ssize_t write(int handle, const void *data, size_t size) {
    REAL(write);
    char path[4096];
    int ours = handle != record && path_of(handle, path);
    off_t offset = ours ? lseek(handle, 0, SEEK_CUR) : 0;
    ssize_t done = real(handle, data, size);
    if (done > 0 && ours) note('w', path, (uint64_t)offset, data, (uint64_t)done);
    return done;
}

int ftruncate64(int handle, off64_t size) {
    REAL(ftruncate64);
    char path[4096];
    int failed = real(handle, size);
    if (!failed && path_of(handle, path)) note('t', path, (uint64_t)size, "", 0);
    return failed;
}

int ftruncate(int handle, off_t size) { return ftruncate64(handle, size); }

int fsync(int handle) {
    REAL(fsync);
    char path[4096];
    int failed = real(handle);
    if (!failed && path_of(handle, path)) note('s', path, 0, "", 0);
    return failed;
}

int fdatasync(int handle) {
    REAL(fdatasync);
    char path[4096];
    int failed = real(handle);
    if (!failed && path_of(handle, path)) note('s', path, 0, "", 0);
    return failed;
}

int unlink(const char *path) {
    REAL(unlink);
    int failed = real(path);
    if (!failed && below(path)) note('d', path, 0, "", 0);
    return failed;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    int failed = real(from, to);
    if (!failed && below(to)) note('r', from, 0, to, strlen(to));
    return failed;
}
