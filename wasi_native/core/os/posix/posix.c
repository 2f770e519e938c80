/* posix.c - the real kernel: the table, the map of its errnos, memory and random numbers. */
#include "core/os/posix/posix.h"

#include <stdlib.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#define GETRANDOM_NONBLOCK 1u

/* Kernel numbers differ between machines (1133 is the highest, on mips): the table is filled by name. What has no
 * counterpart goes behind all of them, where no look-up comes. */
#define HOST_END 1134
static const uint8_t errnos[] = {
#define WN_ERRNO(name, number, host, p2, text) [(host) ? (host) : HOST_END + (number)] = number,
#include "wasi_native/errno.def"
#undef WN_ERRNO
#if ENOTSUP != EOPNOTSUPP
    [ENOTSUP] = WN_ENOTSUP,
#endif
#if EWOULDBLOCK != EAGAIN
    [EWOULDBLOCK] = WN_EAGAIN,
#endif
};

wn_err_t wn_posix_err(int host) {
  if (host <= 0 || host >= HOST_END || !errnos[host]) return WN_EIO;
  return errnos[host];
}

static wn_err_t posix_getrandom(const wn_os_t *os, void *buf, size_t len, size_t *done) {
  (void)os;
  long r = syscall(SYS_getrandom, buf, len, GETRANDOM_NONBLOCK);
  if (r < 0) return wn_posix_err(errno);
  *done = (size_t)r;
  return 0;
}

static void *posix_page_alloc(const wn_os_t *os, size_t len) {
  (void)os;
  void *page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (madvise(page, len, MADV_WIPEONFORK) == 0) return page;
  munmap(page, len);
  return NULL;
}

static void posix_page_free(const wn_os_t *os, void *page, size_t len) {
  (void)os;
  if (page) munmap(page, len);
}

static void *posix_alloc(const wn_os_t *os, size_t len) {
  (void)os;
  return calloc(1, len ? len : 1);
}

static void *posix_resize(const wn_os_t *os, void *ptr, size_t len) {
  (void)os;
  return realloc(ptr, len ? len : 1);
}

static void posix_free(const wn_os_t *os, void *ptr) {
  (void)os;
  free(ptr);
}

static void *posix_pages_resize(const wn_os_t *os, void *pages, size_t old_len, size_t new_len) {
  (void)os;
  void *out = NULL;
  if (!new_len) munmap(pages, old_len);
  else if (old_len) out = mremap(pages, old_len, new_len, MREMAP_MAYMOVE);
  else out = mmap(NULL, new_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return out == MAP_FAILED ? NULL : out;
}

static const wn_os_t posix = {
    .open = wn_posix_open,
    .openat = wn_posix_openat,
    .openat2 = wn_posix_openat2,
    .reopen = wn_posix_reopen,
    .dup = wn_posix_dup,
    .close = wn_posix_close,
    .readv = wn_posix_readv,
    .writev = wn_posix_writev,
    .write_pipe = wn_posix_write_pipe,
    .preadv = wn_posix_preadv,
    .pwritev = wn_posix_pwritev,
    .lseek = wn_posix_lseek,
    .fstat = wn_posix_fstat,
    .fstatat = wn_posix_fstatat,
    .ftruncate = wn_posix_ftruncate,
    .fallocate = wn_posix_fallocate,
    .fadvise = wn_posix_fadvise,
    .fsync = wn_posix_fsync,
    .fdatasync = wn_posix_fdatasync,
    .futimens = wn_posix_futimens,
    .utimensat = wn_posix_utimensat,
    .set_append = wn_posix_set_append,
    .get_flags = wn_posix_get_flags,
    .mkdirat = wn_posix_mkdirat,
    .unlinkat = wn_posix_unlinkat,
    .renameat = wn_posix_renameat,
    .linkat = wn_posix_linkat,
    .symlinkat = wn_posix_symlinkat,
    .readlinkat = wn_posix_readlinkat,
    .getdents = wn_posix_getdents,
    .accept = wn_posix_accept,
    .recv = wn_posix_recv,
    .send = wn_posix_send,
    .shutdown = wn_posix_shutdown,
    .available = wn_posix_available,
    .socket_type = wn_posix_socket_type,
    .socket = wn_posix_socket,
    .bind = wn_posix_bind,
    .connect = wn_posix_connect,
    .listen = wn_posix_listen,
    .accept_from = wn_posix_accept_from,
    .address = wn_posix_address,
    .option_get = wn_posix_option_get,
    .option_set = wn_posix_option_set,
    .recv_from = wn_posix_recv_from,
    .send_to = wn_posix_send_to,
    .lookup_start = wn_posix_lookup_start,
    .lookup_get = wn_posix_lookup_get,
    .lookup_drop = wn_posix_lookup_drop,
    .poll = wn_posix_poll,
    .event_open = wn_posix_event_open,
    .event_signal = wn_posix_event_signal,
    .yield = wn_posix_yield,
    .clock_get = wn_posix_clock_get,
    .clock_res = wn_posix_clock_res,
    .getrandom = posix_getrandom,
    .page_alloc = posix_page_alloc,
    .page_free = posix_page_free,
    .alloc = posix_alloc,
    .resize = posix_resize,
    .free = posix_free,
    .pages_resize = posix_pages_resize,
    .stack_get = wn_posix_stack_get,
    .thread_start = wn_posix_thread_start,
    .thread_join = wn_posix_thread_join,
    .word_wait = wn_posix_word_wait,
    .word_wake = wn_posix_word_wake,
};

const wn_os_t *wn_os_posix(void) { return &posix; }
