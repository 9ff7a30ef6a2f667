#ifndef CSPAWN_H
#define CSPAWN_H

// No header of the system is included: what it declares would belong to this module in the eyes of Swift.

// What Swift cannot see of the C library: extensions that need a feature macro.

/// Makes a pipe whose ends no other program inherits; returns 0 or an error number.
int assay_pipe(int ends[2]);

/// Makes a pair of connected stream sockets that no other program inherits; returns 0 or an error number.
int assay_socket_pair(int ends[2]);

/// Lets no receive on a socket wait longer than this; it then fails with EAGAIN.
void assay_limit_receive(int socket, int milliseconds);

/// Starts a program as the leader of a session of its own, with default signal dispositions and no signal blocked.
///
/// `descriptors[n]` becomes the program's descriptor `n`, -1 stands for /dev/null; it gets no other one.
/// The numbers must be `count` or larger. `folder` may be NULL. Returns 0 or an error number.
int assay_spawn(int *process, const char *path, char *const arguments[], char *const environment[],
                const char *folder, const int *descriptors, int count);

/// Tells when the content of a file, and when anything of it, was last changed, in nanoseconds since 1970.
///
/// `status` points at what `stat` or `fstat` filled in.
void assay_times(const void *status, long long *modified, long long *changed);

#endif
