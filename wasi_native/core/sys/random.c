/* random.c - random numbers from the kernel, drawn in advance, or a repeatable sequence. */
#include <string.h>

#include "core/sys/sys.h"

/* The page is wiped in a forked child: its count is then 0, so the child draws anew and never repeats its parent.
 *
 *   page: | left (4) | - (12) | unused bytes ... left of them ... |
 *
 * Bytes are taken from the end and zeroed at once: what was handed out cannot be read from here later. */
#define PAGE_SIZE 4096u
#define HEAD 16u
#define BUFFER (PAGE_SIZE - HEAD)
#define DIRECT 256u  /* requests above it go past the buffer */
#define PIECE 65536u /* bytes between two looks at deadline and cancel */
#define RETRY_NS 10000000u

wn_err_t wn_random_init(wn_sys_t *sys) {
  sys->random = (wn_random_t){.page = sys->os->page_alloc(sys->os, PAGE_SIZE)};
  return 0; /* without such a page each request is a call of the kernel */
}

void wn_random_deinit(wn_sys_t *sys) {
  if (sys->random.page) sys->os->page_free(sys->os, sys->random.page, PAGE_SIZE);
  sys->random.page = NULL;
}

/* Kernels before 3.17, and sandboxes that forbid the call. */
static wn_err_t from_device(wn_sys_t *sys, uint8_t *buf, size_t len, size_t *done) {
  int fd;
  wn_err_t err = sys->os->open(sys->os, "/dev/urandom", WN_O_READ, &fd);
  if (err) return err;
  const wn_iov_t iov = {buf, len};
  uint64_t n = 0;
  err = sys->os->readv(sys->os, fd, &iov, 1, &n);
  sys->os->close(sys->os, fd);
  if (!err && n == 0) err = WN_EIO;
  *done = (size_t)n;
  return err;
}

static wn_err_t from_kernel(wn_sys_t *sys, uint8_t *buf, size_t len) {
  while (len) {
    size_t piece = len < PIECE ? len : PIECE, done = 0;
    wn_err_t err = sys->os->getrandom(sys->os, buf, piece, &done);
    if (err == WN_ENOSYS || err == WN_EPERM) err = from_device(sys, buf, piece, &done);
    if (err == WN_EAGAIN) { /* the kernel has not gathered enough since it booted */
      wn_pollfd_t none[1];
      uint32_t ready;
      uint64_t now = 0;
      err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now);
      if (!err) err = wn_wait(sys, none, 0, now + RETRY_NS, &ready);
    } else if (!err || err == WN_EINTR) {
      buf += done;
      len -= done;
      err = len ? wn_wait_check(sys) : 0;
    }
    if (err) return err;
  }
  return 0;
}

static wn_err_t take(wn_sys_t *sys, uint8_t *buf, size_t len) {
  uint8_t *page = sys->random.page, *bytes = page + HEAD;
  uint32_t left;
  memcpy(&left, page, sizeof left);
  if (left < len) {
    wn_err_t err = from_kernel(sys, bytes, BUFFER);
    if (err) return err;
    left = BUFFER;
  }
  left -= (uint32_t)len;
  memcpy(page, &left, sizeof left); /* before the bytes leave: a fork in between must not find them again */
  if (WN_LIKELY(len == 16)) {       /* what run-times seed their hashes with: two moves instead of two calls */
    memcpy(buf, bytes + left, 16);
    memset(bytes + left, 0, 16);
    return 0;
  }
  memcpy(buf, bytes + left, len);
  memset(bytes + left, 0, len);
  return 0;
}

static uint64_t rotate(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

/* xoshiro256**, by Blackman and Vigna. */
static uint64_t next_seeded(uint64_t s[4]) {
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

static wn_err_t fill_seeded(wn_sys_t *sys, uint8_t *buf, size_t len) {
  for (size_t at = 0; at < len;) {
    if (at % PIECE == 0 && at) {
      wn_err_t err = wn_wait_check(sys);
      if (err) return err;
    }
    uint64_t word = next_seeded(sys->random.state);
    for (unsigned i = 0; i < 8 && at < len; i++, word >>= 8) buf[at++] = (uint8_t)word;
  }
  return 0;
}

void wn_sys_set_seed(wn_sys_t *sys, uint64_t seed) {
  sys->random.seeded = true;
  for (unsigned i = 0; i < 4; i++) { /* splitmix64: four good words from any seed */
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    sys->random.state[i] = z ^ z >> 31;
  }
}

wn_err_t wn_random_fill(wn_sys_t *sys, void *buf, size_t len) {
  if (WN_UNLIKELY(sys->random.seeded)) return fill_seeded(sys, buf, len);
  if (WN_LIKELY(len <= DIRECT && sys->random.page)) return take(sys, buf, len);
  return from_kernel(sys, buf, len);
}

wn_err_t wn_random_secret(wn_sys_t *sys, void *buf, size_t len) { return from_kernel(sys, buf, len); }
