/* fake.c - the real kernel behind a gate that counts, fails on demand and makes transfers short. For tests. */
#include <string.h>

#include "core/os/os.h"

/* Every call that can fail and moves no bytes: its name, parameters, and the same as arguments for the real one. */
#define PLAIN_CALLS(X)                                                                                               \
  X(open, (const wn_os_t *os, const char *host_path, uint32_t flags, int *fd), (real, host_path, flags, fd))         \
  X(openat, (const wn_os_t *os, int dir, const char *name, uint32_t flags, uint32_t mode, int *fd),                  \
    (real, dir, name, flags, mode, fd))                                                                              \
  X(openat2, (const wn_os_t *os, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd),                 \
    (real, dir, path, flags, mode, fd))                                                                              \
  X(reopen, (const wn_os_t *os, int fd, uint32_t flags, int *out), (real, fd, flags, out))                           \
  X(dup, (const wn_os_t *os, int fd, int *out), (real, fd, out))                                                     \
  X(lseek, (const wn_os_t *os, int fd, int64_t off, uint32_t whence, uint64_t *pos), (real, fd, off, whence, pos))   \
  X(fstat, (const wn_os_t *os, int fd, wn_stat_t *st), (real, fd, st))                                               \
  X(fstatat, (const wn_os_t *os, int dir, const char *name, wn_stat_t *st), (real, dir, name, st))                   \
  X(ftruncate, (const wn_os_t *os, int fd, uint64_t size), (real, fd, size))                                         \
  X(fallocate, (const wn_os_t *os, int fd, uint64_t off, uint64_t len), (real, fd, off, len))                        \
  X(fadvise, (const wn_os_t *os, int fd, uint64_t off, uint64_t len, uint32_t advice), (real, fd, off, len, advice)) \
  X(fsync, (const wn_os_t *os, int fd), (real, fd))                                                                  \
  X(fdatasync, (const wn_os_t *os, int fd), (real, fd))                                                              \
  X(futimens, (const wn_os_t *os, int fd, int64_t atim, int64_t mtim), (real, fd, atim, mtim))                       \
  X(utimensat, (const wn_os_t *os, int dir, const char *name, int64_t atim, int64_t mtim),                           \
    (real, dir, name, atim, mtim))                                                                                   \
  X(set_append, (const wn_os_t *os, int fd, bool on), (real, fd, on))                                                \
  X(get_flags, (const wn_os_t *os, int fd, uint32_t *flags), (real, fd, flags))                                      \
  X(mkdirat, (const wn_os_t *os, int dir, const char *name, uint32_t mode), (real, dir, name, mode))                 \
  X(unlinkat, (const wn_os_t *os, int dir, const char *name, bool directory), (real, dir, name, directory))          \
  X(renameat, (const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name),                       \
    (real, dir, name, to_dir, to_name))                                                                              \
  X(linkat, (const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name),                         \
    (real, dir, name, to_dir, to_name))                                                                              \
  X(symlinkat, (const wn_os_t *os, const char *target, int dir, const char *name), (real, target, dir, name))        \
  X(readlinkat, (const wn_os_t *os, int dir, const char *name, char *buf, size_t len, size_t *done),                 \
    (real, dir, name, buf, len, done))                                                                               \
  X(getdents, (const wn_os_t *os, int fd, void *buf, size_t len, size_t *done), (real, fd, buf, len, done))          \
  X(accept, (const wn_os_t *os, int fd, int *out), (real, fd, out))                                                  \
  X(shutdown, (const wn_os_t *os, int fd, uint32_t how), (real, fd, how))                                            \
  X(available, (const wn_os_t *os, int fd, uint64_t *bytes), (real, fd, bytes))                                      \
  X(socket_type, (const wn_os_t *os, int fd, uint8_t *type), (real, fd, type))                                       \
  X(socket, (const wn_os_t *os, uint8_t family, bool datagram, int *fd), (real, family, datagram, fd))               \
  X(bind, (const wn_os_t *os, int fd, const wn_addr_t *local), (real, fd, local))                                    \
  X(connect, (const wn_os_t *os, int fd, const wn_addr_t *peer), (real, fd, peer))                                   \
  X(listen, (const wn_os_t *os, int fd, uint32_t backlog), (real, fd, backlog))                                      \
  X(accept_from, (const wn_os_t *os, int fd, int *out, wn_addr_t *peer), (real, fd, out, peer))                      \
  X(address, (const wn_os_t *os, int fd, bool peer, wn_addr_t *out), (real, fd, peer, out))                          \
  X(option_get, (const wn_os_t *os, int fd, uint32_t option, uint32_t *value), (real, fd, option, value))            \
  X(option_set, (const wn_os_t *os, int fd, uint32_t option, uint32_t value), (real, fd, option, value))             \
  X(recv_from, (const wn_os_t *os, int fd, void *buf, size_t len, wn_addr_t *from, uint64_t *done),                  \
    (real, fd, buf, len, from, done))                                                                                \
  X(send_to, (const wn_os_t *os, int fd, const void *buf, size_t len, const wn_addr_t *to, uint64_t *done),          \
    (real, fd, buf, len, to, done))                                                                                  \
  X(lookup_start, (const wn_os_t *os, const char *name, int *fd, wn_lookup_t **out), (real, name, fd, out))          \
  X(lookup_get, (const wn_os_t *os, const wn_lookup_t *lookup, const wn_addr_t **answers, uint32_t *n),              \
    (real, lookup, answers, n))                                                                                      \
  X(poll, (const wn_os_t *os, wn_pollfd_t *fds, uint32_t n, uint64_t deadline, uint32_t *ready),                     \
    (real, fds, n, deadline, ready))                                                                                 \
  X(event_open, (const wn_os_t *os, int *fd), (real, fd))                                                            \
  X(event_signal, (const wn_os_t *os, int fd), (real, fd))                                                           \
  X(yield, (const wn_os_t *os), (real))                                                                              \
  X(clock_get, (const wn_os_t *os, uint32_t id, uint64_t *ns), (real, id, ns))                                       \
  X(clock_res, (const wn_os_t *os, uint32_t id, uint64_t *ns), (real, id, ns))                                       \
  X(thread_start, (const wn_os_t *os, void (*fn)(void *), void *arg, wn_thread_t **out), (real, fn, arg, out))       \
  X(stack_get, (const wn_os_t *os, uintptr_t *low, uintptr_t *high), (real, low, high))

/* The rest, each written out below. */
#define OTHER_CALLS(X) \
  X(close)             \
  X(readv)             \
  X(writev)            \
  X(write_pipe) X(preadv) X(pwritev) X(recv) X(send) X(getrandom) X(page_alloc) X(alloc) X(resize) X(pages_resize)

enum {
#define X(name, params, args) CALL_##name,
  PLAIN_CALLS(X)
#undef X
#define X(name) CALL_##name,
      OTHER_CALLS(X)
#undef X
          CALL_COUNT,
  CALL_ANY = CALL_COUNT
};

static const char *const names[] = {
#define X(name, params, args) #name,
    PLAIN_CALLS(X)
#undef X
#define X(name) #name,
        OTHER_CALLS(X)
#undef X
            "*"};

typedef struct rule {
  uint64_t skip;  /* calls that still pass */
  uint64_t times; /* calls that are then hit; 0: for ever */
  uint64_t short_bytes;
  wn_err_t err;
  bool on;
} rule_t;

typedef struct fake {
  wn_os_t table; /* first: the os that callers hold is this */
  const wn_os_t *real;
  uint64_t counts[CALL_COUNT + 1];
  rule_t rules[CALL_COUNT + 1];
  bool busy; /* a lock of a few instructions: a guest's thread and the ticker may call at once */
} fake_t;

static fake_t *fake_of(const wn_os_t *os) { return (fake_t *)(uintptr_t)os; }

static void lock(fake_t *f) {
  while (__atomic_test_and_set(&f->busy, __ATOMIC_ACQUIRE)) continue;
}

static void unlock(fake_t *f) { __atomic_clear(&f->busy, __ATOMIC_RELEASE); }

static bool hit(rule_t *rule) {
  if (!rule->on) return false;
  if (rule->skip) {
    rule->skip--;
    return false;
  }
  if (rule->times && --rule->times == 0) rule->on = false;
  return true;
}

/* Count the call; what it must answer instead, or 0 and the most bytes it may move. */
static wn_err_t gate(fake_t *f, uint32_t call, uint64_t *most) {
  wn_err_t err = 0;
  *most = UINT64_MAX;
  lock(f);
  const uint32_t both[2] = {call, CALL_ANY};
  for (uint32_t i = 0; i < 2; i++) {
    rule_t *rule = &f->rules[both[i]];
    f->counts[both[i]]++;
    if (!hit(rule)) continue;
    if (!err) err = rule->err;
    if (rule->short_bytes && rule->short_bytes < *most) *most = rule->short_bytes;
  }
  unlock(f);
  return err;
}

#define X(name, params, args)                             \
  static wn_err_t fake_##name params {                    \
    uint64_t most;                                        \
    const wn_os_t *real = fake_of(os)->real;              \
    wn_err_t err = gate(fake_of(os), CALL_##name, &most); \
    return err ? err : real->name args;                   \
  }
PLAIN_CALLS(X)
#undef X

static wn_err_t fake_close(const wn_os_t *os, int fd) {
  uint64_t most;
  wn_err_t err = gate(fake_of(os), CALL_close, &most);
  wn_err_t closed = fake_of(os)->real->close(fake_of(os)->real, fd); /* gone whatever it answers, as in the kernel */
  return err ? err : closed;
}

/* The first piece, cut. */
static const wn_iov_t *cut(const wn_iov_t *iov, uint32_t *n, uint64_t most, wn_iov_t *first) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < *n; i++) total += iov[i].len;
  if (total <= most || *n == 0) return iov;
  *first = iov[0];
  if (first->len > most) first->len = (size_t)most;
  *n = 1;
  return first;
}

#define STREAM(name)                                                                                        \
  static wn_err_t fake_##name(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) { \
    uint64_t most;                                                                                          \
    wn_iov_t first;                                                                                         \
    wn_err_t err = gate(fake_of(os), CALL_##name, &most);                                                   \
    if (err) return err;                                                                                    \
    iov = cut(iov, &n, most, &first);                                                                       \
    return fake_of(os)->real->name(fake_of(os)->real, fd, iov, n, done);                                    \
  }
STREAM(readv)
STREAM(writev)
STREAM(write_pipe)
STREAM(send)
#undef STREAM

#define POSITIONED(name)                                                                                \
  static wn_err_t fake_##name(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, \
                              uint64_t *done) {                                                         \
    uint64_t most;                                                                                      \
    wn_iov_t first;                                                                                     \
    wn_err_t err = gate(fake_of(os), CALL_##name, &most);                                               \
    if (err) return err;                                                                                \
    iov = cut(iov, &n, most, &first);                                                                   \
    return fake_of(os)->real->name(fake_of(os)->real, fd, iov, n, off, done);                           \
  }
POSITIONED(preadv)
POSITIONED(pwritev)
#undef POSITIONED

static wn_err_t fake_recv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                          bool *truncated) {
  uint64_t most;
  wn_iov_t first;
  wn_err_t err = gate(fake_of(os), CALL_recv, &most);
  if (err) return err;
  iov = cut(iov, &n, most, &first);
  return fake_of(os)->real->recv(fake_of(os)->real, fd, iov, n, flags, done, truncated);
}

static wn_err_t fake_getrandom(const wn_os_t *os, void *buf, size_t len, size_t *done) {
  uint64_t most;
  wn_err_t err = gate(fake_of(os), CALL_getrandom, &most);
  if (err) return err;
  return fake_of(os)->real->getrandom(fake_of(os)->real, buf, len < most ? len : (size_t)most, done);
}

static void *fake_page_alloc(const wn_os_t *os, size_t len) {
  uint64_t most;
  if (gate(fake_of(os), CALL_page_alloc, &most)) return NULL;
  return fake_of(os)->real->page_alloc(fake_of(os)->real, len);
}

static void fake_page_free(const wn_os_t *os, void *page, size_t len) {
  fake_of(os)->real->page_free(fake_of(os)->real, page, len);
}

static void *fake_alloc(const wn_os_t *os, size_t len) {
  uint64_t most;
  if (gate(fake_of(os), CALL_alloc, &most)) return NULL;
  return fake_of(os)->real->alloc(fake_of(os)->real, len);
}

static void *fake_resize(const wn_os_t *os, void *ptr, size_t len) {
  uint64_t most;
  if (gate(fake_of(os), CALL_resize, &most)) return NULL;
  return fake_of(os)->real->resize(fake_of(os)->real, ptr, len);
}

static void fake_free(const wn_os_t *os, void *ptr) { fake_of(os)->real->free(fake_of(os)->real, ptr); }

static void *fake_pages_resize(const wn_os_t *os, void *pages, size_t old_len, size_t new_len) {
  uint64_t most;
  if (new_len && gate(fake_of(os), CALL_pages_resize, &most)) return NULL;
  return fake_of(os)->real->pages_resize(fake_of(os)->real, pages, old_len, new_len);
}

static void fake_thread_join(const wn_os_t *os, wn_thread_t *thread) {
  fake_of(os)->real->thread_join(fake_of(os)->real, thread);
}

static void fake_lookup_drop(const wn_os_t *os, wn_lookup_t *lookup) {
  fake_of(os)->real->lookup_drop(fake_of(os)->real, lookup);
}

static void fake_word_wait(const wn_os_t *os, const uint32_t *word, uint32_t expected, uint64_t deadline) {
  fake_of(os)->real->word_wait(fake_of(os)->real, word, expected, deadline);
}

static void fake_word_wake(const wn_os_t *os, const uint32_t *word) {
  fake_of(os)->real->word_wake(fake_of(os)->real, word);
}

static const wn_os_t gated = {
#define X(name, params, args) .name = fake_##name,
    PLAIN_CALLS(X)
#undef X
#define X(name) .name = fake_##name,
        OTHER_CALLS(X)
#undef X
            .page_free = fake_page_free,
    .free = fake_free,
    .thread_join = fake_thread_join,
    .lookup_drop = fake_lookup_drop,
    .word_wait = fake_word_wait,
    .word_wake = fake_word_wake,
};

wn_err_t wn_os_fake_new(const wn_os_t **out) {
  const wn_os_t *real = wn_os_posix();
  fake_t *f = real->alloc(real, sizeof *f);
  if (!f) return WN_ENOMEM;
  f->table = gated;
  f->real = real;
  *out = &f->table;
  return 0;
}

void wn_os_fake_delete(const wn_os_t *os) {
  if (!os) return;
  fake_t *f = fake_of(os);
  f->real->free(f->real, f);
}

/* CALL_ANY + 1: no such call. */
static uint32_t find(const char *call) {
  uint32_t i = 0;
  while (i <= CALL_ANY && strcmp(names[i], call) != 0) i++;
  return i;
}

wn_err_t wn_os_fake_inject(const wn_os_t *os, const char *call, uint64_t nth, uint64_t times, wn_err_t err,
                           uint64_t short_bytes) {
  fake_t *f = fake_of(os);
  uint32_t i = find(call);
  if (i > CALL_ANY || nth == 0) return WN_EINVAL;
  lock(f);
  f->rules[i] = (rule_t){.skip = nth - 1, .times = times, .err = err, .short_bytes = short_bytes, .on = true};
  unlock(f);
  return 0;
}

void wn_os_fake_clear(const wn_os_t *os) {
  fake_t *f = fake_of(os);
  lock(f);
  memset(f->counts, 0, sizeof f->counts);
  memset(f->rules, 0, sizeof f->rules);
  unlock(f);
}

uint64_t wn_os_fake_count(const wn_os_t *os, const char *call) {
  fake_t *f = fake_of(os);
  uint32_t i = find(call);
  if (i > CALL_ANY) return 0;
  lock(f);
  uint64_t count = f->counts[i];
  unlock(f);
  return count;
}
