// What stands below one directory fails as it is told: loaded before a server (LD_PRELOAD), it makes calls of the C library on files there fail,
// and those that ask the system for large blocks of memory, and counts them. Who tells it maps the file NTK_FAULTS, which begins with the path of the directory.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { OPEN, CREATE, READ, WRITE, SYNC, RENAME, MKDIR, ALLOCATE, REMOVE, LIST, LOOK, MEMORY, KINDS };

// Bytes of memory from which on a block is large.
static const size_t large = 1 << 20;

struct control {
    char directory[4096];
    _Atomic int32_t mode;        // 0: nothing fails; 1: the call that `countdown` comes to; 2: every call.
    _Atomic int32_t error;
    _Atomic uint32_t kinds;      // A bit for each kind that may fail.
    _Atomic uint32_t hits;       // Calls that failed.
    _Atomic int64_t countdown;
    _Atomic uint64_t calls[KINDS];
};

static struct control *control;
enum { DESCRIPTORS = 65536 };
static _Atomic char tracked[DESCRIPTORS];

#define REAL(name, result, ...) \
    static result (*real)(__VA_ARGS__); \
    if (real == NULL) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("NTK_FAULTS");
    if (path == NULL) return;
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) abort();
    void *memory = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) abort();
    close(descriptor);
    control = memory;
}

static int is_below(const char *path) {
    if (control == NULL || path == NULL) return 0;
    size_t length = strlen(control->directory);
    return length > 0 && strncmp(path, control->directory, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int is_tracked(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS && tracked[descriptor]; }

static int fails(enum kind kind, int is_ours) {
    if (!is_ours || control == NULL) return 0;
    control->calls[kind]++;
    if (control->mode == 0 || (control->kinds & 1u << kind) == 0) return 0;
    if (control->mode == 1 && atomic_fetch_sub(&control->countdown, 1) != 1) return 0;
    control->hits++;
    errno = control->error;
    return 1;
}

static int opened(int descriptor, int is_ours) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) tracked[descriptor] = (char)is_ours;
    return descriptor;
}

#define MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode = va_arg(arguments, mode_t); \
        va_end(arguments); \
    }

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        MODE \
        REAL(#name, int, const char *, int, ...); \
        int is_ours = is_below(path); \
        if (fails(flags & O_CREAT ? CREATE : OPEN, is_ours)) return -1; \
        return opened(real(path, flags, mode), is_ours); \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        MODE \
        REAL(#name, int, int, const char *, int, ...); \
        int is_ours = is_below(path) || (path[0] != '/' && is_tracked(directory)); \
        if (fails(flags & O_CREAT ? CREATE : OPEN, is_ours)) return -1; \
        return opened(real(directory, path, flags, mode), is_ours); \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

int close(int descriptor) {
    REAL("close", int, int);
    opened(descriptor, 0);
    return real(descriptor);
}

ssize_t read(int descriptor, void *buffer, size_t size) {
    REAL("read", ssize_t, int, void *, size_t);
    return fails(READ, is_tracked(descriptor)) ? -1 : real(descriptor, buffer, size);
}

#define READING(name, offset_type) \
    ssize_t name(int descriptor, void *buffer, size_t size, offset_type offset) { \
        REAL(#name, ssize_t, int, void *, size_t, offset_type); \
        return fails(READ, is_tracked(descriptor)) ? -1 : real(descriptor, buffer, size, offset); \
    }
READING(pread, off_t)
READING(pread64, off64_t)

ssize_t write(int descriptor, const void *buffer, size_t size) {
    REAL("write", ssize_t, int, const void *, size_t);
    return fails(WRITE, is_tracked(descriptor)) ? -1 : real(descriptor, buffer, size);
}

#define WRITING(name, offset_type) \
    ssize_t name(int descriptor, const void *buffer, size_t size, offset_type offset) { \
        REAL(#name, ssize_t, int, const void *, size_t, offset_type); \
        return fails(WRITE, is_tracked(descriptor)) ? -1 : real(descriptor, buffer, size, offset); \
    }
WRITING(pwrite, off_t)
WRITING(pwrite64, off64_t)

#define OF_DESCRIPTOR(name, kind) \
    int name(int descriptor) { \
        REAL(#name, int, int); \
        return fails(kind, is_tracked(descriptor)) ? -1 : real(descriptor); \
    }
OF_DESCRIPTOR(fsync, SYNC)
OF_DESCRIPTOR(fdatasync, SYNC)

#define TRUNCATING(name, offset_type) \
    int name(int descriptor, offset_type size) { \
        REAL(#name, int, int, offset_type); \
        return fails(ALLOCATE, is_tracked(descriptor)) ? -1 : real(descriptor, size); \
    }
TRUNCATING(ftruncate, off_t)
TRUNCATING(ftruncate64, off64_t)

// It returns the error.
#define ALLOCATING(name, offset_type) \
    int name(int descriptor, offset_type start, offset_type size) { \
        REAL(#name, int, int, offset_type, offset_type); \
        return fails(ALLOCATE, is_tracked(descriptor)) ? errno : real(descriptor, start, size); \
    }
ALLOCATING(posix_fallocate, off_t)
ALLOCATING(posix_fallocate64, off64_t)

#define MAPPING(name, offset_type) \
    void *name(void *address, size_t size, int protection, int flags, int descriptor, offset_type offset) { \
        REAL(#name, void *, void *, size_t, int, int, int, offset_type); \
        enum kind kind = flags & MAP_ANONYMOUS ? MEMORY : ALLOCATE; \
        return fails(kind, flags & MAP_ANONYMOUS ? size >= large : is_tracked(descriptor)) ? MAP_FAILED : real(address, size, protection, flags, descriptor, offset); \
    }
MAPPING(mmap, off_t)
MAPPING(mmap64, off64_t)

#define OF_PATHS(name) \
    int name(const char *path, const char *new) { \
        REAL(#name, int, const char *, const char *); \
        return fails(RENAME, is_below(path)) ? -1 : real(path, new); \
    }
OF_PATHS(rename)
OF_PATHS(link)

#define OF_PATH(name, kind) \
    int name(const char *path) { \
        REAL(#name, int, const char *); \
        return fails(kind, is_below(path)) ? -1 : real(path); \
    }
OF_PATH(unlink, REMOVE)
OF_PATH(rmdir, REMOVE)

int unlinkat(int directory, const char *path, int flags) {
    REAL("unlinkat", int, int, const char *, int);
    return fails(REMOVE, is_below(path) || (path[0] != '/' && is_tracked(directory))) ? -1 : real(directory, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    REAL("mkdir", int, const char *, mode_t);
    return fails(MKDIR, is_below(path)) ? -1 : real(path, mode);
}

DIR *opendir(const char *path) {
    REAL("opendir", DIR *, const char *);
    return fails(LIST, is_below(path)) ? NULL : real(path);
}

int access(const char *path, int kind) {
    REAL("access", int, const char *, int);
    // What is not there is told by no other error: counted only.
    if (is_below(path) && control != NULL) control->calls[LOOK]++;
    return real(path, kind);
}

int stat(const char *path, struct stat *status) {
    REAL("stat", int, const char *, struct stat *);
    if (is_below(path) && control != NULL) control->calls[LOOK]++;
    return real(path, status);
}
