/* paths.c - both resolvers, side by side, on two trees that are the same: whatever a path is made of, and whatever
 * is done with it, they give the same errno and find the same object, and neither leaves the preopen.
 */
#include "fuzz.h"

enum { CALLS = 12, PATH = 200 };

static const char *const names[] = {"two-openat2", "two-walk"};
static const uint32_t resolvers[] = {WN_RESOLVER_OPENAT2, WN_RESOLVER_WALK};
static char roots[2][256];
static uint64_t inputs;
static bool changed = true; /* the trees are not new any more */

static void at_end(void) {
  for (int k = 0; k < 2; k++) tree_remove(roots[k]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  for (int k = 0; k < 2; k++) tree_new(roots[k], sizeof roots[k], names[k]);
  atexit(at_end);
  return 0;
}

static wn_sys_t *world(int k) {
  wn_sys_config_t config = {.resolver = resolvers[k]};
  wn_sys_t *sys;
  CHECK(wn_sys_new(&config, &sys) == 0, "no world");
  char path[1024];
  snprintf(path, sizeof path, "%s/rw", roots[k]);
  uint32_t fd;
  wn_grant_t grant = {.max_file_size = 65536};
  CHECK(wn_sys_preopen_dir(sys, path, (wn_str_t){"/rw", 3}, &grant, &fd) == 0 && fd == 3, "%s", path);
  return sys;
}

/* Words that mean something in the tree, and bytes that mean nothing. */
static void make_path(input_t *in, char *out) {
  static const char *const words[] = {"f",  "d",  "e",      "g",   "lo",  "ls",   "lf",    "la",
                                      "li", "lj", "dang",   "a",   "up",  "none", "round", "lp",
                                      "..", ".",  "secret", "out", "new", "x",    "y",     "rw"};
  size_t len = 0;
  uint8_t parts = take8(in) % 8;
  for (uint8_t i = 0; i <= parts && len < PATH - 40; i++) {
    uint8_t how = take8(in);
    if (how < 232) {
      const char *word = words[how % (sizeof words / sizeof *words)];
      memcpy(out + len, word, strlen(word));
      len += strlen(word);
    } else {
      for (uint8_t n = how - 231; n; n--) {
        uint8_t byte = take8(in);
        out[len++] = (char)(byte ? byte & 0x7f : '/');
        if (!out[len - 1]) out[len - 1] = '.';
      }
    }
    uint8_t slash = take8(in);
    if (i < parts || slash & 1) out[len++] = '/';
    if ((slash & 0xf0) == 0xf0) out[len++] = '/';
  }
  out[len] = 0;
}

/* What a call answered: enough of it to compare, nothing that differs between two trees (inodes, times). */
typedef struct answer {
  wn_err_t err;
  uint32_t fd;
  uint64_t type, size, nlink;
  char link[PATH];
} answer_t;

static void note(answer_t *a, const wn_stat_t *st) {
  a->type = st->type;
  a->size = st->type == WN_TYPE_REGULAR || st->type == WN_TYPE_SYMLINK ? st->size : 0;
  a->nlink = st->nlink;
}

typedef struct plan {
  uint8_t what, flags;
  uint32_t dir, other;
  char path[PATH], to[PATH];
} plan_t;

static void carry_out(wn_sys_t *sys, const plan_t *p, answer_t *a) {
  wn_stat_t st;
  memset(a, 0, sizeof *a);
  switch (p->what % 12) {
    case 0:
    case 1:
    case 2: {
      wn_open_t how = {.follow = p->flags & 1,
                       .create = p->flags & 2,
                       .directory = p->flags & 4,
                       .exclusive = p->flags & 8,
                       .truncate = p->flags & 16,
                       .rights = WN_RIGHTS_FILE | WN_RIGHTS_DIR,
                       .inheriting = WN_RIGHTS_FILE | WN_RIGHTS_DIR};
      if (p->flags & 32) how.rights &= ~(uint64_t)WN_RIGHTS_WRITING;
      a->err = wn_path_open(sys, p->dir, p->path, &how, &a->fd);
      if (!a->err && !(a->err = wn_file_stat(sys, a->fd, &st))) note(a, &st);
      return;
    }
    case 3:
      a->err = wn_path_stat(sys, p->dir, p->path, p->flags & 1, &st);
      if (!a->err) note(a, &st);
      return;
    case 4: {
      size_t done = 0;
      a->err = wn_path_readlink(sys, p->dir, p->path, a->link, sizeof a->link, &done);
      a->size = a->err ? 0 : done;
      return;
    }
    case 5:
      a->err = wn_path_create_directory(sys, p->dir, p->path);
      return;
    case 6:
      a->err = wn_path_remove_directory(sys, p->dir, p->path);
      return;
    case 7:
      a->err = wn_path_unlink_file(sys, p->dir, p->path);
      return;
    case 8:
      a->err = wn_path_link(sys, p->dir, p->path, p->other, p->to);
      return;
    case 9:
      a->err = wn_path_rename(sys, p->dir, p->path, p->other, p->to);
      return;
    case 10:
      a->err = wn_path_symlink(sys, p->to, p->dir, p->path);
      return;
    default:
      a->err = wn_path_set_times(sys, p->dir, p->path, p->flags & 1, 1000000000, WN_TIME_NOW);
      return;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input_t in = {data, data + size};
  int descriptors = inputs % 16 ? -1 : open_descriptors();
  inputs++;
  for (int k = 0; k < 2 && changed; k++) {
    tree_remove(roots[k]);
    tree_make(roots[k]);
  }
  changed = false;
  wn_sys_t *worlds[2] = {world(0), world(1)};
  for (int call = 0; call < CALLS && in.at < in.end; call++) {
    plan_t plan = {.what = take8(&in), .flags = take8(&in)};
    uint8_t dirs = take8(&in);
    plan.dir = 3 + (dirs & 3);
    plan.other = 3 + (dirs >> 2 & 3);
    make_path(&in, plan.path);
    if (plan.what % 12 >= 8) make_path(&in, plan.to);
    answer_t answers[2];
    for (int k = 0; k < 2; k++) carry_out(worlds[k], &plan, &answers[k]);
    uint8_t what = plan.what % 12;
    changed |= answers[0].err == 0 && (what >= 5 || (what < 3 && plan.flags & (2 | 16)));
    CHECK(memcmp(&answers[0], &answers[1], sizeof answers[0]) == 0,
          "call %u flags %u dir %u path \"%s\" to %u \"%s\": openat2 %s fd %u type %u size %u, walk %s fd %u type %u "
          "size %u",
          what, plan.flags, plan.dir, plan.path, plan.other, plan.to, wn_err_name(answers[0].err), answers[0].fd,
          (unsigned)answers[0].type, (unsigned)answers[0].size, wn_err_name(answers[1].err), answers[1].fd,
          (unsigned)answers[1].type, (unsigned)answers[1].size);
  }
  for (int k = 0; k < 2; k++) {
    wn_sys_delete(worlds[k]);
    tree_check(roots[k]);
  }
  CHECK(descriptors < 0 || open_descriptors() == descriptors, "descriptors were left open");
  return 0;
}
