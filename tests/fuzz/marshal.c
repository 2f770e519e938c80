/* marshal.c - any call with any numbers on any memory: nothing outside memory is touched, nothing leaks out of the
 * preopen, every answer is an errno or a verdict.
 *
 * An input is a setting, then calls: the row, and a recipe for each parameter. The rest of it fills the memory, so
 * that lists and structures in it mean something. The memory is a block of just its size: one byte beyond is a
 * report of the sanitizer.
 */
#include "fuzz.h"

enum { MEMORY = 16384, CALLS = 24, PARAMS = 16 };

static char root[256];
static uint64_t inputs;

static void at_end(void) { tree_remove(root); }

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  tree_new(root, sizeof root, "marshal");
  atexit(at_end);
  return 0;
}

static wn_str_t text(const char *s) { return (wn_str_t){s, strlen(s)}; }

static wn_sys_t *world(uint8_t setting) {
  wn_sys_config_t config = {
      .resolver = setting & 1 ? WN_RESOLVER_WALK : WN_RESOLVER_OPENAT2,
      .limits = {.fds = 24, .iovs = setting & 2 ? 16 : 0, .subscriptions = 64, .output_bytes = 65536}};
  wn_sys_t *sys;
  CHECK(wn_sys_new(&config, &sys) == 0, "no world");
  wn_str_t items[] = {text("program"), text("argument=1")};
  wn_sys_set_args(sys, items, 2);
  wn_sys_set_env(sys, items + 1, 1);
  for (uint32_t fd = 0; fd < 3; fd++) wn_sys_stdio_null(sys, fd);
  wn_sys_stdio_bytes(sys, 0, text("some input\n"));
  wn_sys_stdio_capture(sys, 1, 4096);
  wn_grant_t grant = {.quota_bytes = 1u << 20, .quota_inodes = 64, .max_file_size = 1u << 16};
  char path[1024];
  snprintf(path, sizeof path, "%s/rw", root);
  uint32_t fd;
  CHECK(wn_sys_preopen_dir(sys, path, text("/rw"), &grant, &fd) == 0, "%s", path);
  grant.flags = WN_GRANT_READ_ONLY;
  CHECK(wn_sys_preopen_dir(sys, path, text("/ro"), &grant, &fd) == 0, "%s", path);
  grant.flags = 0;
  CHECK(wn_sys_preopen_memory(sys, text("/mem"), &grant, &fd) == 0, "memory");
  wn_sys_set_clock(sys, WN_CLOCK_MONOTONIC, setting & 4 ? WN_CLOCK_FIXED : WN_CLOCK_SYSTEM, 1000, 1000);
  wn_sys_set_deadline(sys, now_ns() + 20000000u);
  return sys;
}

/* A parameter: small, a place in memory, its end, or anything. */
static uint64_t parameter(input_t *in) {
  uint8_t how = take8(in);
  switch (how & 7) {
    case 0:
      return how >> 3; /* a descriptor, a flag, a length */
    case 1:
      return (uint64_t)take8(in) * 8; /* aligned, near the start */
    case 2:
      return take32(in) % MEMORY;
    case 3:
      return MEMORY - (how >> 3); /* at the end */
    case 4:
      return 1ull << (how >> 3);
    case 5:
      return (uint64_t)-(int64_t)(how >> 3);
    case 6:
      return take32(in);
    default:
      return take64(in);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input_t in = {data, data + size};
  if (inputs % 256 == 0) {
    tree_check(root);
    if (inputs % 4096 == 0) tree_remove(root);
    tree_make(root);
  }
  int descriptors = inputs % 16 ? -1 : open_descriptors();
  inputs++;
  uint8_t setting = take8(&in);
  wn_sys_t *sys = world(setting);
  uint8_t *memory = malloc(MEMORY);
  memset(memory, setting & 8 ? 0 : 0xa5, MEMORY);
  for (size_t i = 0; i < size; i++) memory[i % MEMORY] = data[size - 1 - i];

  wn_guest_t guest = {.mem = {memory, MEMORY}, .sys = sys, .slot_shift = setting & 16 ? 1 : 0};
  for (int call = 0; call < CALLS && in.at < in.end; call++) {
    const wn_row_t *row = wn_link_row(take8(&in) % 91);
    uint64_t slots[2 * PARAMS] = {0};
    for (size_t i = 0; row->params[i]; i++) *WN_SLOT(&guest, slots, i) = parameter(&in);
    wn_err_t err = wn_dispatch(&guest, row, slots);
    CHECK(err <= 0 && err >= WN_MISSING, "%s answered %d", row->name, err);
    CHECK(err == guest.end.err || guest.end.err, "%s: %d is not the end", row->name, err);
    if (err == 0 && row->results[0]) CHECK(*WN_SLOT(&guest, slots, 0) <= 76, "%s: no errno", row->name);
    if (err == WN_TIMEOUT) break;
    guest.end = (wn_end_t){0}; /* a trap ends a guest; here the next call comes all the same */
  }
  wn_sys_delete(sys);
  free(memory);
  CHECK(descriptors < 0 || open_descriptors() == descriptors, "descriptors were left open");
  return 0;
}
