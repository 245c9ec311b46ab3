/*
 * Records every change below one directory, in order: preloaded into a process that runs a real store.
 *
 * The Rust standard library and SQLite reach the disk through these functions of the C library and no
 * others. Whatever reached it in another way is found out: each record carries the file's length before
 * it, and whoever plays the records compares the result with the directory that the process left.
 *
 *   record = kind u8 | path length u32 | second length u32 | offset u64 | length before u64 | path | second
 *            numbers in the machine's order; "second" is what was written, or the new path
 *
 *   C file made   M directory made   R renamed   U removed   D directory removed
 *   W written at offset              T cut or extended to offset
 *   S file or directory synced       A the process said: the path is the text
 *
 * A process says something by opening /said/TEXT, which is not there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SAID "/said/"

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int out = -1;

__attribute__((constructor)) static void begin(void) {
    const char *below = getenv("WARDKEEP_RECORD_BELOW"), *into = getenv("WARDKEEP_RECORD_INTO");
    if (!below || !into || strlen(below) >= sizeof root) return;
    strcpy(root, below);
    root_len = strlen(root);
    out = (int)syscall(SYS_openat, AT_FDCWD, into, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void die(const char *why) {
    dprintf(2, "recorder: %s\n", why);
    _exit(97);
}

static void note(char kind, const char *path, const void *second, size_t second_len, uint64_t offset,
                 uint64_t before) {
    uint32_t lengths[2] = {(uint32_t)strlen(path), (uint32_t)second_len};
    uint64_t numbers[2] = {offset, before};
    struct iovec parts[] = {
        {&kind, 1},
        {lengths, sizeof lengths},
        {numbers, sizeof numbers},
        {(void *)path, lengths[0]},
        {(void *)second, second_len},
    };
    size_t whole = 1 + sizeof lengths + sizeof numbers + lengths[0] + second_len;
    if (syscall(SYS_writev, out, parts, 5) != (long)whole) die("the log takes no more");
}

static int is_below(const char *path) {
    return out >= 0 && strncmp(path, root, root_len) == 0 && (path[root_len] == '/' || !path[root_len]);
}

/* The path of an open file; whether it is below the root and still has a name. */
static int path_of(int fd, char *path) {
    char link[64];
    if (out < 0 || fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long len = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (len <= 0) return 0;
    path[len] = 0;
    const char *deleted = " (deleted)";
    size_t tail = strlen(deleted);
    if ((size_t)len > tail && strcmp(path + len - tail, deleted) == 0) return 0;
    return is_below(path);
}

/* An absolute path; whether it is below the root. */
static int absolute(int dir, const char *path, char *whole) {
    if (out < 0 || !path) return 0;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) return 0;
        strcpy(whole, path);
        return is_below(whole);
    }
    char front[PATH_MAX];
    if (dir == AT_FDCWD) {
        if (syscall(SYS_getcwd, front, sizeof front) < 0 || !is_below(front)) return 0;
    } else if (!path_of(dir, front)) {
        return 0;
    }
    return snprintf(whole, PATH_MAX, "%s/%s", front, path) < PATH_MAX;
}

static uint64_t length(int fd) {
    struct stat facts;
    return fstat(fd, &facts) == 0 ? (uint64_t)facts.st_size : 0;
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    if (out >= 0 && path && strncmp(path, SAID, strlen(SAID)) == 0) {
        pthread_mutex_lock(&order);
        note('A', path + strlen(SAID), "", 0, 0, 0);
        pthread_mutex_unlock(&order);
        errno = ENOENT;
        return -1;
    }
    if ((flags & (O_CREAT | O_TRUNC)) == 0 || !absolute(dir, path, whole))
        return (int)syscall(SYS_openat, dir, path, flags, mode);
    if ((flags & O_TMPFILE) == O_TMPFILE) die("a file without a name");
    pthread_mutex_lock(&order);
    struct stat facts;
    int was = fstatat(AT_FDCWD, whole, &facts, 0) == 0;
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    int error = errno;
    if (fd >= 0 && !was) note('C', whole, "", 0, 0, 0);
    if (fd >= 0 && was && (flags & O_TRUNC) && facts.st_size > 0)
        note('T', whole, "", 0, 0, (uint64_t)facts.st_size);
    pthread_mutex_unlock(&order);
    errno = error;
    return fd;
}

#define MODE_OF(flags)                                                                                     \
    mode_t mode = 0;                                                                                       \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                 \
        va_list rest;                                                                                      \
        va_start(rest, flags);                                                                             \
        mode = (mode_t)va_arg(rest, int);                                                                  \
        va_end(rest);                                                                                      \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE_OF(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE_OF(flags) return opened(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* Writes at `offset`, or where the file stands if that is negative. */
static ssize_t written(int fd, const void *bytes, size_t len, off_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path))
        return offset < 0 ? syscall(SYS_write, fd, bytes, len) : syscall(SYS_pwrite64, fd, bytes, len, offset);
    pthread_mutex_lock(&order);
    uint64_t before = length(fd);
    off_t at = offset;
    if (offset < 0) {
        int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
        at = flags & O_APPEND ? (off_t)before : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    }
    ssize_t done = offset < 0 ? syscall(SYS_write, fd, bytes, len) : syscall(SYS_pwrite64, fd, bytes, len, offset);
    int error = errno;
    if (done > 0) note('W', path, bytes, (size_t)done, (uint64_t)at, before);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t len) { return written(fd, bytes, len, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset) { return written(fd, bytes, len, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset) { return written(fd, bytes, len, offset); }

/* One part at a time: callers go on after a short write. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_writev, fd, parts, count);
    for (int part = 0; part < count; part++)
        if (parts[part].iov_len > 0) return written(fd, parts[part].iov_base, parts[part].iov_len, -1);
    return 0;
}

static int resized(int fd, off_t len) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (int)syscall(SYS_ftruncate, fd, len);
    pthread_mutex_lock(&order);
    uint64_t before = length(fd);
    int done = (int)syscall(SYS_ftruncate, fd, len);
    int error = errno;
    if (done == 0 && before != (uint64_t)len) note('T', path, "", 0, (uint64_t)len, before);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int ftruncate(int fd, off_t len) { return resized(fd, len); }
int ftruncate64(int fd, off64_t len) { return resized(fd, len); }

static int synced(long call, int fd) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return (int)syscall(call, fd);
    pthread_mutex_lock(&order);
    int done = (int)syscall(call, fd);
    int error = errno;
    if (done == 0) note('S', path, "", 0, 0, length(fd));
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int fsync(int fd) { return synced(SYS_fsync, fd); }
int fdatasync(int fd) { return synced(SYS_fdatasync, fd); }

static int renamed(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    int is_ours = absolute(from_dir, from, old);
    if (absolute(to_dir, to, new) != is_ours) die("a file came or went over the directory's border");
    if (!is_ours) return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (flags & RENAME_EXCHANGE) die("files were exchanged");
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    int error = errno;
    if (done == 0) note('R', old, new, strlen(new), 0, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renamed(from_dir, from, to_dir, to, 0);
}
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return renamed(from_dir, from, to_dir, to, flags);
}

static int removed(int dir, const char *path, int flags) {
    char whole[PATH_MAX];
    if (!absolute(dir, path, whole)) return (int)syscall(SYS_unlinkat, dir, path, flags);
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_unlinkat, dir, path, flags);
    int error = errno;
    if (done == 0) note(flags & AT_REMOVEDIR ? 'D' : 'U', whole, "", 0, 0, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int dir, const char *path, int flags) { return removed(dir, path, flags); }

static int made(int dir, const char *path, mode_t mode) {
    char whole[PATH_MAX];
    if (!absolute(dir, path, whole)) return (int)syscall(SYS_mkdirat, dir, path, mode);
    pthread_mutex_lock(&order);
    int done = (int)syscall(SYS_mkdirat, dir, path, mode);
    int error = errno;
    if (done == 0) note('M', whole, "", 0, 0, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return done;
}

int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int dir, const char *path, mode_t mode) { return made(dir, path, mode); }

/* Copies within the kernel: refused, so that the caller reads and writes. */
ssize_t sendfile64(int to, int from, off64_t *offset, size_t len) {
    char path[PATH_MAX];
    if (!path_of(to, path)) return syscall(SYS_sendfile, to, from, offset, len);
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *offset, size_t len) { return sendfile64(to, from, offset, len); }
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *offset, size_t len, unsigned flags) {
    char path[PATH_MAX];
    if (!path_of(to, path)) return syscall(SYS_copy_file_range, from, at, to, offset, len, flags);
    errno = ENOSYS;
    return -1;
}

/* Ways to change a file or a name that nobody takes up to now. */
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char new[PATH_MAX];
    if (absolute(to_dir, to, new)) die("a second name was made");
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
