/* embed.c - a C program that hosts a WASI guest, with no Python anywhere.
 *
 *   embed LIBRARY MODULE [DIRECTORY [ARGUMENT ...]]
 *
 * LIBRARY is the engine's shared library (libwasmtime.so), MODULE a .wasm or .wat file, DIRECTORY what the guest
 * may read below /data. The guest gets our standard streams, ten seconds and 16 MiB; its exit code is ours. It may be
 * made for WASI 0.1, or import WASI 0.2 by name, as wit-bindgen writes it for hosts without components.
 *
 * Build it with a compiler alone, in the root of the repository (there is no library to install):
 *
 *   cc -std=c11 -Iinclude -Iwasi_native examples/c/embed.c $(find wasi_native/core -name '*.c') -ldl -lpthread
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wasi_native.h>

static wn_str_t text(const char *s) { return (wn_str_t){s, strlen(s)}; }

/* A function of ours that guests can import as "host" "answer": i32 -> i32. */
static wn_err_t answer(void *ctx, wn_guest_t *guest, wn_value_t *values) {
  (void)guest;
  values[0] = (uint32_t)values[0] + *(const uint32_t *)ctx;
  return 0;
}

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *bytes = NULL;
  size_t used = 0, got = 1, room = 0;
  while (got) {
    if (used == room) {
      char *more = realloc(bytes, room = room ? 2 * room : 65536);
      if (!more) break;
      bytes = more;
    }
    got = fread(bytes + used, 1, room - used, file);
    used += got;
  }
  fclose(file);
  *len = used;
  return bytes;
}

/* The guest's world: nothing but what is granted here. */
static wn_err_t grant(wn_sys_t *sys, int argc, char **argv) {
  wn_str_t args[16] = {text("embedded")};
  size_t count = 1;
  for (int i = 4; i < argc && count < 16; i++) args[count++] = text(argv[i]);
  wn_err_t err = wn_sys_set_args(sys, args, count);
  for (int fd = 0; fd < 3 && !err; fd++) err = wn_sys_stdio_fd(sys, (uint32_t)fd, fd);
  if (!err && argc > 3) {
    wn_grant_t read_only = {.flags = WN_GRANT_READ_ONLY};
    uint32_t fd;
    err = wn_sys_preopen_dir(sys, argv[3], text("/data"), &read_only, &fd);
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  wn_sys_set_deadline(sys, ((uint64_t)now.tv_sec + 10) * 1000000000u + (uint64_t)now.tv_nsec);
  return err;
}

/* What a program begins with: _start of WASI 0.1, or run of wasi:cli/run, whose result is 1 when it failed. */
static wn_str_t entry(const wn_module_t *module, size_t *results) {
  static const char front[] = "wasi:cli/run@0.2.", end[] = "#run";
  const size_t least = sizeof front - 1, tail = sizeof end - 1;
  wn_extern_t found;
  for (size_t i = 0; wn_module_export(module, i, &found); i++) {
    wn_str_t name = found.name;
    if (name.len < least + tail || memcmp(name.ptr, front, least) != 0) continue;
    if (memcmp(name.ptr + name.len - tail, end, tail) != 0) continue;
    *results = 1;
    return name;
  }
  *results = 0;
  return text("_start");
}

static int run(wn_module_t *module, wn_sys_t *sys, wn_message_t *message) {
  static const uint32_t more = 41;
  wn_host_func_t funcs[] = {{"host", "answer", "i", "i", answer, (void *)&more}};
  wn_instance_config_t config = {.sys = sys, .funcs = funcs, .func_count = 1};
  wn_instance_t *instance;
  wn_err_t err = wn_instance_new(module, &config, &instance, message);
  if (err) return err;
  wn_end_t end;
  wn_value_t failed = 0;
  size_t results;
  wn_str_t name = entry(module, &results);
  err = wn_instance_call(instance, name, &failed, 0, results, message);
  wn_instance_get_end(instance, &end);
  wn_instance_delete(instance);
  return err == WN_EXIT ? (int)(end.exit_code & 0xff) : err ? err : (int)(uint32_t)failed;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s LIBRARY MODULE [DIRECTORY [ARGUMENT ...]]\n", argv[0]);
    return 2;
  }
  wn_message_t message = {0};
  wn_engine_t *engine = NULL;
  wn_module_t *module = NULL;
  wn_sys_t *sys = NULL;
  wn_str_t binary = {0};
  int code = -1;

  size_t len = 0;
  char *bytes = read_file(argv[2], &len);
  wn_err_t err = bytes ? wn_engine_open("wasmtime", argv[1], NULL, &engine, &message) : WN_MISSING;
  wn_str_t wasm = {bytes, len};
  bool is_text = len && (bytes[0] == '(' || bytes[0] == ';');
  if (!err && is_text && !(err = wn_engine_wat(engine, wasm, &binary, &message))) wasm = binary;
  if (!err) err = wn_module_load(engine, wasm, &module, &message);
  wn_sys_config_t limits = {.limits = {.memory_bytes = 16u << 20, .fds = 64}};
  if (!err) err = wn_sys_new(&limits, &sys);
  if (!err) err = grant(sys, argc, argv);
  if (!err) code = run(module, sys, &message);

  if (err || code < 0) {
    if (!err) err = code;
    fprintf(stderr, "%s: %s: %s\n", argv[0], wn_err_text(err), message.text);
    code = err == WN_TRAP_ENGINE ? 134 : 1;
  }
  wn_sys_delete(sys);
  wn_module_delete(module);
  wn_engine_close(engine);
  wn_bytes_free(binary);
  free(bytes);
  return code;
}
