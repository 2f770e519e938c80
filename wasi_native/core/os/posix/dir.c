/* dir.c - the calls that change or list a directory. Names are one component, none of the calls follows a link. */
#include "core/os/posix/call.h"

#include <stdio.h>
#include <string.h>

wn_err_t wn_posix_mkdirat(const wn_os_t *os, int dir, const char *name, uint32_t mode) {
  (void)os;
  return kernel_result(kernel_mkdirat(dir, name, mode));
}

wn_err_t wn_posix_unlinkat(const wn_os_t *os, int dir, const char *name, bool directory) {
  (void)os;
  return kernel_result(kernel_unlinkat(dir, name, directory ? AT_REMOVEDIR : 0));
}

wn_err_t wn_posix_renameat(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name) {
  (void)os;
  return kernel_result(kernel_renameat(dir, name, to_dir, to_name));
}

wn_err_t wn_posix_linkat(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name) {
  (void)os;
  return wn_posix_result(linkat(dir, name, to_dir, to_name, 0));
}

wn_err_t wn_posix_symlinkat(const wn_os_t *os, const char *target, int dir, const char *name) {
  (void)os;
  return wn_posix_result(symlinkat(target, dir, name));
}

wn_err_t wn_posix_readlinkat(const wn_os_t *os, int dir, const char *name, char *buf, size_t len, size_t *done) {
  (void)os;
  ssize_t r = readlinkat(dir, name, buf, len);
  if (r < 0) return wn_posix_err(errno);
  *done = (size_t)r;
  return 0;
}

wn_err_t wn_posix_getdents(const wn_os_t *os, int fd, void *buf, size_t len, size_t *done) {
  (void)os;
  long r = WN_CALL(syscall(SYS_getdents64, fd, buf, len), SYS_getdents64, fd, buf, len, 0);
  if (r < 0) return wn_posix_err((int)-r);
  *done = (size_t)r;
  return 0;
}

/* linux_dirent64: ino 8, off 8, reclen 2, type 1, name. */
enum { AT_INO = 0, AT_OFF = 8, AT_LEN = 16, AT_TYPE = 18, AT_NAME = 19 };

static uint8_t to_type(uint8_t kernel) {
  /* DT_* as the kernel writes them; libc's headers hide them behind macros that not all define. */
  static const uint8_t types[] = {[1] = WN_TYPE_FIFO,          [2] = WN_TYPE_CHARACTER, [4] = WN_TYPE_DIRECTORY,
                                  [6] = WN_TYPE_BLOCK,         [8] = WN_TYPE_REGULAR,   [10] = WN_TYPE_SYMLINK,
                                  [12] = WN_TYPE_SOCKET_STREAM};
  return kernel < sizeof types ? types[kernel] : WN_TYPE_UNKNOWN;
}

bool wn_os_dirent_next(const void *buf, size_t len, size_t off, wn_os_dirent_t *out) {
  if (off > len || len - off <= AT_NAME) return false;
  const char *entry = (const char *)buf + off;
  uint16_t size;
  memcpy(&size, entry + AT_LEN, sizeof size);
  if (size <= AT_NAME || size > len - off) return false;
  memcpy(&out->ino, entry + AT_INO, sizeof out->ino);
  memcpy(&out->next_off, entry + AT_OFF, sizeof out->next_off);
  out->type = to_type((uint8_t)entry[AT_TYPE]);
  out->name = entry + AT_NAME;
  out->name_len = (uint32_t)strnlen(out->name, (size_t)size - AT_NAME);
  out->size = size;
  return true;
}
