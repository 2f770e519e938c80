/* os.c - the kernel's door at its edges: what no guest and no Python can ask for, since the rooms above look first.
 */
#include "check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "core/os/posix/posix.h"

static const wn_os_t *os;

static void errnos(void) {
  CHECK(wn_posix_err(ENOENT) == WN_ENOENT);
  CHECK(wn_posix_err(0) == WN_EIO && wn_posix_err(-1) == WN_EIO && wn_posix_err(100000) == WN_EIO);
  CHECK(wn_posix_err(ENOTBLK) == WN_EIO); /* WASI has no number for it */
}

static void clocks(void) {
  uint64_t ns = 7;
  CHECK(os->clock_get(os, 99, &ns) == WN_EINVAL && os->clock_res(os, 99, &ns) == WN_EINVAL && ns == 7);
  for (uint32_t id = 0; id <= WN_CLOCK_THREAD_CPU; id++) CHECK(os->clock_res(os, id, &ns) == 0 && ns > 0);
}

static void entries(void) {
  uint8_t buf[64] = {0};
  wn_os_dirent_t e;
  const uint16_t fits = 24, small = 19, large = 100;
  memcpy(buf + 19, "name", 4);
  memcpy(buf + 16, &fits, 2);
  buf[18] = 8;
  CHECK(wn_os_dirent_next(buf, sizeof buf, 0, &e) && e.type == WN_TYPE_REGULAR && e.name_len == 4 && e.size == 24);
  buf[18] = 14; /* a whiteout: no type of WASI */
  CHECK(wn_os_dirent_next(buf, sizeof buf, 0, &e) && e.type == WN_TYPE_UNKNOWN);
  CHECK(!wn_os_dirent_next(buf, sizeof buf, 65, &e));
  CHECK(!wn_os_dirent_next(buf, sizeof buf, 50, &e));
  memcpy(buf + 16, &small, 2);
  CHECK(!wn_os_dirent_next(buf, sizeof buf, 0, &e));
  memcpy(buf + 16, &large, 2);
  CHECK(!wn_os_dirent_next(buf, sizeof buf, 0, &e));
}

static void files(void) {
  int fd, file = file_with("file", "hello", O_TRUNC);
  uint32_t flags;
  uint64_t pos;
  wn_stat_t st;
  CHECK(os->reopen(os, -1, WN_O_READ, &fd) == WN_EBADF);
  CHECK(os->reopen(os, CLOSED_FD, WN_O_READ, &fd) == WN_ENOENT);
  CHECK(os->dup(os, CLOSED_FD, &fd) == WN_EBADF);
  CHECK(os->get_flags(os, CLOSED_FD, &flags) == WN_EBADF && os->set_append(os, CLOSED_FD, true) == WN_EBADF);
  CHECK(os->lseek(os, file, 0, 9, &pos) == WN_EINVAL);
  CHECK(os->fadvise(os, file, 0, 1, 9) == WN_EINVAL);
  CHECK(os->fadvise(os, CLOSED_FD, 0, 1, 0) == WN_EBADF);

  CHECK(os->open(os, "file", WN_O_PATH, &fd) == 0 && os->get_flags(os, fd, &flags) == 0 && flags == WN_O_PATH);
  close(fd);
  CHECK(os->open(os, "file", WN_O_WRITE | WN_O_CREAT | WN_O_TRUNC, &fd) == 0); /* opens, never creates */
  CHECK(os->fstat(os, fd, &st) == 0 && st.size == 0 && st.type == WN_TYPE_REGULAR);
  CHECK(os->open(os, "none", WN_O_WRITE | WN_O_CREAT, &fd) == WN_ENOENT);

  /* The second before 1970, as floor division gives it. */
  CHECK(os->futimens(os, file, -1, WN_TIME_KEEP) == 0 && os->fstat(os, file, &st) == 0 && st.atim == -1);
  close(fd);
  close(file);
}

/* Numbers 0 to 2 stay those of the standard streams, even where the host closed them. */
static void low_numbers(void) {
  struct rlimit limit, low;
  int fd = -1, kept = dup(0);
  close(0);
  CHECK(os->open(os, "file", WN_O_READ, &fd) == 0 && fd > 2 && fcntl(0, F_GETFD) < 0);
  close(fd);
  fd = -1;
  getrlimit(RLIMIT_NOFILE, &limit);
  low = (struct rlimit){3, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  wn_err_t err = os->open(os, "file", WN_O_READ, &fd);
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(err != 0 && fd == -1 && fcntl(0, F_GETFD) < 0);
  CHECK(dup2(kept, 0) == 0);
  close(kept);
}

static void memory(void) {
  CHECK(os->page_alloc(os, SIZE_MAX / 2) == NULL);
  os->page_free(os, NULL, 4096);
  void *p = os->resize(os, NULL, 0);
  CHECK(p != NULL);
  os->free(os, p);
  unsigned char *pages = os->pages_resize(os, NULL, 0, 65536);
  CHECK(pages && pages[0] == 0 && pages[65535] == 0);
  pages[65535] = 7;
  CHECK(os->pages_resize(os, pages, 65536, SIZE_MAX / 2 & ~(size_t)65535) == NULL && pages[65535] == 7);
  pages = os->pages_resize(os, pages, 65536, 64 << 20);
  CHECK(pages && pages[65535] == 7 && pages[65536] == 0 && pages[(64 << 20) - 1] == 0);
  CHECK(os->pages_resize(os, pages, 64 << 20, 0) == NULL);
  wn_os_library_close(NULL);
  const char *why = NULL;
  CHECK(wn_os_library_open("./no-such-library.so", &why) == NULL && why);
}

static void sockets(void) {
  int pair[2], fd;
  uint64_t n = 0;
  uint8_t type;
  wn_stat_t st;
  char bytes[4];
  bool truncated = false;
  wn_iov_t pieces[2] = {{bytes, 1}, {bytes + 1, 1}};
  CHECK(os->accept(os, CLOSED_FD, &fd) == WN_EBADF && os->available(os, CLOSED_FD, &n) == WN_EBADF);
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  CHECK(os->socket_type(os, pair[0], &type) == 0 && type == WN_TYPE_SOCKET_DGRAM);
  CHECK(send(pair[1], "long", 4, 0) == 4 && send(pair[1], "ab", 2, 0) == 2);
  CHECK(os->recv(os, pair[0], pieces, 2, 0, &n, &truncated) == 0 && n == 2 && truncated);
  CHECK(os->recv(os, pair[0], pieces, 2, 0, &n, NULL) == 0 && n == 2);
  CHECK(os->recv(os, pair[0], pieces, 2, 0, &n, &truncated) == WN_EAGAIN);
  CHECK(os->shutdown(os, pair[0], 0) == WN_EINVAL && os->shutdown(os, pair[0], 9) == WN_EINVAL);
  close(pair[0]);
  close(pair[1]);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK(os->accept(os, listener, &fd) == WN_EINVAL); /* it does not listen */
  close(listener);

  int event;
  CHECK(os->event_open(os, &event) == 0 && os->fstat(os, event, &st) == 0 && st.type == WN_TYPE_UNKNOWN);
  CHECK(os->event_signal(os, event) == 0 && os->event_signal(os, CLOSED_FD) == WN_EBADF);
  wn_pollfd_t poll = {.fd = event, .events = WN_POLL_IN};
  uint32_t ready = 0;
  CHECK(os->poll(os, &poll, 1, UINT64_MAX - 1, &ready) == 0 && ready == 1 && poll.revents == WN_POLL_IN);
  close(event);
}

static void *no_memory(const wn_os_t *self, size_t len) {
  (void)self, (void)len;
  return NULL;
}
static void nothing(void *arg) { (void)arg; }

/* A thread's stack holds its own variables, and is no larger than it was made. */
static void own_stack(void *arg) {
  uintptr_t *range = arg, here = (uintptr_t)&range;
  CHECK(os->stack_get(os, &range[0], &range[1]) == 0);
  CHECK(range[0] < here && here < range[1]);
}

static void threads(void) {
  wn_os_t poor = *os;
  wn_thread_t *thread = NULL;
  poor.alloc = no_memory;
  CHECK(poor.thread_start(&poor, nothing, NULL, &thread) == WN_ENOMEM && !thread);
  os->thread_join(os, NULL);
  CHECK(os->thread_start(os, nothing, NULL, &thread) == 0);
  os->thread_join(os, thread);

  uintptr_t first[2], other[2];
  own_stack(first);
  CHECK(os->thread_start(os, own_stack, other, &thread) == 0);
  os->thread_join(os, thread);
  CHECK(other[1] - other[0] <= 131072 && (other[1] <= first[0] || other[0] >= first[1]));
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  CHECK(first[1] - first[0] == (limit.rlim_cur == RLIM_INFINITY ? 8u << 20 : limit.rlim_cur));
}

/* From here on pwritev2 is not there, as on a kernel before 4.6 or in an old sandbox. */
static bool take_pwritev2_away(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

/* PIPE and no signal, whatever the mask of the thread was; and the mask and what was pending stay. */
static void pipes(void) {
  int ends[2];
  uint64_t n = 0;
  char bytes[2] = "xy";
  wn_iov_t piece = {bytes, 2};
  sigset_t mask, before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGPIPE);
  CHECK(pipe(ends) == 0);
  CHECK(os->write_pipe(os, ends[1], &piece, 1, &n) == 0 && n == 2);
  CHECK(os->write_pipe(os, CLOSED_FD, &piece, 1, &n) == WN_EBADF);
  close(ends[0]);
  CHECK(os->write_pipe(os, ends[1], &piece, 1, &n) == WN_EPIPE);
  sigprocmask(SIG_BLOCK, NULL, &before);
  CHECK(sigismember(&before, SIGPIPE) == 0 && !is_pending());
  sigprocmask(SIG_BLOCK, &mask, NULL);
  CHECK(os->write_pipe(os, ends[1], &piece, 1, &n) == WN_EPIPE && !is_pending());
  raise(SIGPIPE); /* the host's own */
  CHECK(os->write_pipe(os, ends[1], &piece, 1, &n) == WN_EPIPE && is_pending());
  signal(SIGPIPE, SIG_IGN); /* which forgets it */
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
  close(ends[1]);
}

int main(void) {
  os = wn_os_posix();
  errnos();
  clocks();
  entries();
  files();
  low_numbers();
  memory();
  sockets();
  threads();
  pipes();
  if (take_pwritev2_away()) pipes();
  puts("fine");
  return 0;
}
