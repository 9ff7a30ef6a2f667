#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static int closed_on_exec(int ends[2]) {
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0) return 0;
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return error;
}

int assay_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    return pipe(ends) == 0 ? closed_on_exec(ends) : errno;
#endif
}

int assay_socket_pair(int ends[2]) {
#ifdef SOCK_CLOEXEC
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
#else
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return errno;
    int on = 1;
    setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    setsockopt(ends[1], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    return closed_on_exec(ends);
#endif
}

void assay_limit_receive(int socket, int milliseconds) {
    struct timeval limit = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const char *folder,
                   const int *descriptors, int count) {
    int error = 0;
    for (int n = 0; n < count && error == 0; n++) {
        error = descriptors[n] < 0 ? posix_spawn_file_actions_addopen(actions, n, "/dev/null", O_RDWR, 0)
                                   : posix_spawn_file_actions_adddup2(actions, descriptors[n], n);
    }
    if (error == 0 && folder) error = posix_spawn_file_actions_addchdir_np(actions, folder);

    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
#if defined(__APPLE__)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#elif defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    // A descriptor that some library opened without O_CLOEXEC stays here, too.
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, count);
#endif
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

int assay_spawn(int *process, const char *path, char *const arguments[], char *const environment[],
                const char *folder, const int *descriptors, int count) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = prepare(&actions, &attributes, folder, descriptors, count);
        if (error == 0) error = posix_spawn(process, path, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static long long nanoseconds(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

void assay_times(const void *status, long long *modified, long long *changed) {
    const struct stat *found = status;
#ifdef __APPLE__
    *modified = nanoseconds(found->st_mtimespec);
    *changed = nanoseconds(found->st_ctimespec);
#else
    *modified = nanoseconds(found->st_mtim);
    *changed = nanoseconds(found->st_ctim);
#endif
}
