/* echo - a TCP echo server on a preopened listener: raw calls only, one connection after another.
 * Serves argv[1] connections (default 1), each until its end of file, and prints how many bytes each sent. */
#include <stdio.h>
#include <stdlib.h>
#include <wasi/api.h>

static uint8_t buffer[16384];

/* The first descriptor from 3 on that is a stream socket; 0: none. */
static __wasi_fd_t listener(void) {
  for (__wasi_fd_t fd = 3; fd < 64; fd++) {
    __wasi_fdstat_t stat;
    if (__wasi_fd_fdstat_get(fd, &stat) == 0 && stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM) return fd;
  }
  return 0;
}

static int wait_readable(__wasi_fd_t fd) {
  __wasi_subscription_t sub = {.userdata = fd};
  __wasi_event_t event;
  __wasi_size_t count = 0;
  sub.u.tag = __WASI_EVENTTYPE_FD_READ;
  sub.u.u.fd_read.file_descriptor = fd;
  return __wasi_poll_oneoff(&sub, &event, 1, &count) == 0 && count == 1 && event.error == 0;
}

static int serve(__wasi_fd_t fd) {
  unsigned long total = 0;
  for (;;) {
    __wasi_iovec_t in = {buffer, sizeof buffer};
    __wasi_size_t got = 0;
    __wasi_roflags_t flags = 0;
    if (!wait_readable(fd)) return 3;
    __wasi_errno_t err = __wasi_sock_recv(fd, &in, 1, 0, &got, &flags);
    if (err == __WASI_ERRNO_AGAIN) continue;
    if (err != 0) return 4;
    if (got == 0) break;
    total += got;
    for (__wasi_size_t at = 0; at < got;) {
      __wasi_ciovec_t out = {buffer + at, got - at};
      __wasi_size_t put = 0;
      err = __wasi_sock_send(fd, &out, 1, 0, &put);
      if (err != 0 && err != __WASI_ERRNO_AGAIN) return 5;
      at += put;
    }
  }
  if (__wasi_sock_shutdown(fd, __WASI_SDFLAGS_RD | __WASI_SDFLAGS_WR) != 0) return 6;
  if (__wasi_fd_close(fd) != 0) return 7;
  printf("echoed %lu\n", total);
  fflush(stdout);
  return 0;
}

int main(int argc, char **argv) {
  int connections = argc > 1 ? atoi(argv[1]) : 1;
  __wasi_fd_t fd = listener();
  if (fd == 0) {
    fputs("echo: no listener among the preopens\n", stderr);
    return 2;
  }
  puts("listening");
  fflush(stdout);
  while (connections > 0) {
    __wasi_fd_t peer = 0;
    if (!wait_readable(fd)) return 8;
    __wasi_errno_t err = __wasi_sock_accept(fd, 0, &peer);
    if (err == __WASI_ERRNO_AGAIN) continue;
    if (err != 0) return 9;
    int code = serve(peer);
    if (code != 0) return code;
    connections--;
  }
  return 0;
}
