/* fuzz.h - what the targets share: input taken byte by byte, a tree on the disk, and what must never happen. */
#ifndef WN_FUZZ_H
#define WN_FUZZ_H

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/link.h"
#include "core/sys/sys.h"
#include "wasi_native.h"

#define CHECK(condition, ...)                                         \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf(stderr, __VA_ARGS__);                                   \
      fputc('\n', stderr);                                            \
      abort();                                                        \
    }                                                                 \
  } while (0)

typedef struct input {
  const uint8_t *at, *end;
} input_t;

static inline uint8_t take8(input_t *in) { return in->at < in->end ? *in->at++ : 0; }
static inline uint32_t take32(input_t *in) {
  uint32_t v = take8(in);
  v |= (uint32_t)take8(in) << 8;
  v |= (uint32_t)take8(in) << 16;
  return v | (uint32_t)take8(in) << 24;
}
static inline uint64_t take64(input_t *in) {
  uint64_t low = take32(in);
  return low | (uint64_t)take32(in) << 32;
}

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
  (void)st, (void)kind, (void)ftw;
  return remove(path);
}

static inline void put_file(int dir, const char *name, const char *text) {
  int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return;
  CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s", name);
  close(fd);
}

/* out/{secret, sub/} beside rw/{f, d/{e/{g}}, links of every kind}: the tree of the attacks. */
static inline void tree_make(const char *root) {
  char path[1024];
  static const char *const dirs[] = {"", "/out", "/out/sub", "/rw", "/rw/d", "/rw/d/e"};
  for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
    snprintf(path, sizeof path, "%s%s", root, dirs[i]);
    mkdir(path, 0755);
  }
  int base = open(root, O_RDONLY | O_DIRECTORY);
  CHECK(base >= 0, "%s", root);
  put_file(base, "out/secret", "SECRET");
  put_file(base, "rw/f", "hello");
  put_file(base, "rw/d/e/g", "deep");
  static const char *const links[][2] = {
      {"../out", "rw/lo"},   {"../out/", "rw/ls"}, {"../out/secret", "rw/lf"},  {"/etc", "rw/la"},
      {"d", "rw/li"},        {"d/", "rw/lj"},      {"../out/new", "rw/dang"},   {"b", "rw/a"},
      {"a", "rw/b"},         {"../..", "rw/d/up"}, {"e/../../f", "rw/d/round"}, {"/proc/self/root", "rw/lp"},
      {"missing", "rw/none"}};
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) (void)!symlinkat(links[i][0], base, links[i][1]);
  close(base);
}

static inline void tree_remove(const char *root) { nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

static inline void tree_new(char *root, size_t size, const char *name) {
  const char *home = getenv("TMPDIR");
  snprintf(root, size, "%s/wn-fuzz-%s-%ld", home ? home : "/tmp", name, (long)getpid());
  tree_remove(root);
  tree_make(root);
}

/* Nothing outside of the preopen was read into being, written, or made. */
static inline void tree_check(const char *root) {
  char path[1024], text[16] = {0};
  snprintf(path, sizeof path, "%s/out/secret", root);
  int fd = open(path, O_RDONLY | O_NOFOLLOW);
  CHECK(fd >= 0, "the secret is gone");
  CHECK(read(fd, text, sizeof text) == 6 && memcmp(text, "SECRET", 6) == 0, "the secret was changed");
  struct stat st;
  fstat(fd, &st);
  CHECK(st.st_nlink == 1, "the secret has another name");
  close(fd);
  snprintf(path, sizeof path, "%s/out", root);
  DIR *dir = opendir(path);
  int entries = 0;
  while (dir && readdir(dir)) entries++;
  if (dir) closedir(dir);
  CHECK(entries == 4, "outside of the preopen something was made or removed");
}

static inline int open_descriptors(void) {
  int count = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir && readdir(dir)) count++;
  if (dir) closedir(dir);
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
