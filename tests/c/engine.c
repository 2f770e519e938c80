/* engine.c - the interface for C programs at its edges, on the engine whose library is given: no messages asked
 * for, nothing there to delete, functions of the embedder that break their contract, modules that cannot be served.
 *
 *   engine LIBRARY
 */
#include "check.h"

#include "core/engine/adapter.h"

static wn_engine_t *engine;
static const wn_message_t blank;

static wn_module_t *load(const char *wat) {
  wn_str_t binary;
  wn_module_t *module;
  wn_message_t message = blank;
  if (wn_engine_wat(engine, text(wat), &binary, &message)) fprintf(stderr, "%s\n", message.text);
  CHECK(message.err == 0);
  if (wn_module_load(engine, binary, &module, &message)) fprintf(stderr, "%s\n", message.text);
  CHECK(message.err == 0);
  wn_bytes_free(binary);
  return module;
}

static wn_sys_t *world(const wn_limits_t *limits) {
  wn_sys_config_t config = {0};
  if (limits) config.limits = *limits;
  wn_sys_t *sys;
  CHECK(wn_sys_new(&config, &sys) == 0);
  return sys;
}

static void nothing_there(const char *library) {
  wn_engine_t *other = NULL;
  wn_message_t message = blank;
  CHECK(wn_engine_open("none", NULL, NULL, &other, NULL) == WN_MISSING && !other);
  CHECK(wn_engine_open("wasmtime", "./none.so", NULL, &other, NULL) == WN_MISSING);
  CHECK(wn_engine_open("wasmtime", "libc.so.6", NULL, &other, &message) == WN_INVALID &&
        strstr(message.text, "missing"));
  (void)wn_engine_open("wasmtime", NULL, NULL, &other, NULL); /* whatever the loader finds by itself */
  wn_engine_close(other);
  wn_engine_close(NULL);
  wn_module_delete(NULL);
  wn_instance_delete(NULL);
  wn_bytes_free((wn_str_t){0});
  CHECK(wn_engine_list(99) == NULL && wn_cap_name(WN_CAP_COUNT) == NULL);
  wn_row_info_t row;
  CHECK(wn_row_get(0, &row) && strcmp(row.name, "args_get") == 0 && !wn_row_get(10000, &row));

  wn_engine_config_t small = {.small_code = true, .compile_threads = 1, .tick_ms = 5, .fuel = true};
  CHECK(wn_engine_open("wasmtime", library, &small, &other, NULL) == 0);
  wn_engine_close(other);

  CHECK(wn_engine_open("fake", NULL, NULL, &other, NULL) == 0);
  wn_str_t out;
  wn_module_t *module = NULL;
  CHECK(wn_engine_wat(other, text("(module)"), &out, NULL) == WN_ENOTSUP);
  CHECK(wn_module_restore(other, "file", &module, NULL) == WN_ENOTSUP && !module);
  CHECK(wn_module_load(other, text("fake 2"), &module, NULL) == WN_INVALID);
  CHECK(wn_module_load(other, text("fake 1\nmemory 99999999999\nfake 1"), &module, NULL) == 0);
  CHECK(wn_module_serialize(module, &out, NULL) == WN_ENOTSUP);
  wn_module_delete(module);
  CHECK(wn_module_load(other, text("fake 1\nmemory x"), &module, NULL) == 0);
  wn_sys_t *sys = world(NULL);
  wn_instance_t *instance;
  CHECK(wn_instance_new(module, &(wn_instance_config_t){.sys = sys}, &instance, NULL) == 0);
  CHECK(wn_instance_fuel(instance) == 0);
  wn_instance_delete(instance);
  wn_sys_delete(sys);
  wn_module_delete(module);
  wn_engine_close(other);
}

static void without_messages(void) {
  wn_str_t out;
  wn_module_t *module = NULL;
  wn_instance_t *instance = NULL;
  wn_sys_t *sys = world(NULL);
  wn_instance_config_t config = {.sys = sys};
  CHECK(wn_engine_wat(engine, text("(modul)"), &out, NULL) == WN_INVALID);
  CHECK(wn_module_load(engine, text("nothing"), &module, NULL) == WN_INVALID && !module);
  CHECK(wn_module_restore(engine, "none", &module, NULL) == WN_INVALID && !module);
  CHECK(wn_module_restore_part(engine, "none", 1, &module, NULL) == WN_INVALID && !module);

  module = load("(module (import \"a\" \"b\" (func)) (import \"wasi_snapshot_preview1\" \"none\" (func)))");
  CHECK(wn_instance_new(module, &config, &instance, NULL) == WN_LINK && !instance);
  wn_module_delete(module);
  module = load("(module (func $f unreachable) (start $f))");
  CHECK(wn_instance_new(module, &config, &instance, NULL) == WN_TRAP_ENGINE && !instance);
  wn_module_delete(module);
  module = load("(module (memory 1) (func (export \"f\") unreachable) (func (export \"deep\") (call 1)))");
  CHECK(wn_instance_new(module, &config, &instance, NULL) == 0);
  CHECK(wn_instance_call(instance, text("none"), NULL, 0, 0, NULL) == WN_MISSING);
  CHECK(wn_instance_call(instance, text("f"), NULL, 0, 1, NULL) == WN_INVALID);
  CHECK(wn_instance_call(instance, text("f"), NULL, 0, 0, NULL) == WN_TRAP_ENGINE);
  CHECK(wn_instance_call(instance, text("f"), NULL, 0, 0, NULL) == WN_INVALID); /* it has ended */
  CHECK(wn_instance_fuel(instance) == 0);
  wn_instance_delete(instance);
  wn_module_delete(module);
  wn_sys_delete(sys);
}

/* More is missing than a message has room for: whole lines, as many as fit. */
static void much_is_missing(void) {
  static char wat[65536];
  size_t len = 0;
  len += (size_t)snprintf(wat, sizeof wat, "(module");
  for (int i = 0; i < 300; i++)
    len +=
        (size_t)snprintf(wat + len, sizeof wat - len, " (import \"module\" \"a-name-of-some-length-%d\" (func))", i);
  snprintf(wat + len, sizeof wat - len, ")");
  wn_module_t *module = load(wat);
  wn_sys_t *sys = world(NULL);
  wn_instance_t *instance;
  wn_message_t message = blank;
  CHECK(wn_instance_new(module, &(wn_instance_config_t){.sys = sys}, &instance, &message) == WN_LINK);
  CHECK(message.err == WN_LINK && strlen(message.text) > 3000 && strlen(message.text) < sizeof message.text);
  const char *last = strrchr(message.text, '\n');
  CHECK(last && strstr(last, "\tunknown module") && strlen(last) > 40);
  wn_sys_delete(sys);
  wn_module_delete(module);
}

/* ---- functions of the embedder ---- */

typedef struct host {
  wn_err_t answer;
  uint32_t calls, traced, inside, outside;
  wn_err_t seen;
} host_t;

static wn_err_t host_function(void *ctx, wn_guest_t *guest, wn_value_t *values) {
  host_t *h = ctx;
  (void)values;
  h->calls++;
  h->inside += wn_guest_bytes(guest, 0, 1) != NULL;
  h->outside += wn_guest_bytes(guest, UINT32_MAX, 1) == NULL;
  CHECK(wn_guest_ctx(guest) == h && wn_guest_instance(guest) != NULL);
  return h->answer;
}

static void trace(void *ctx, const wn_trace_call_t *call) {
  host_t *h = ctx;
  h->traced++;
  h->seen = call->err;
}

static void host_functions(void) {
  static const char wat[] =
      "(module (import \"host\" \"f\" (func $f (param i32))) (memory (export \"memory\") 1)"
      " (func (export \"call\") (call $f (i32.const 7))))";
  static const char without[] =
      "(module (import \"host\" \"f\" (func $f (param i32))) (func (export \"call\") (call $f (i32.const 7))))";
  wn_module_t *modules[2] = {load(wat), load(without)};
  const wn_err_t answers[][2] = {{0, 0}, {WN_EIO, WN_HOST}, {WN_HOST, WN_HOST}, {WN_NOMEM, WN_NOMEM}};
  for (size_t m = 0; m < 2; m++) {
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
      host_t host = {.answer = answers[i][0]};
      wn_host_func_t funcs[] = {{"host", "f", "i", "", host_function, &host}};
      wn_sys_t *sys = world(NULL);
      wn_instance_config_t config = {.sys = sys,
                                     .funcs = funcs,
                                     .func_count = 1,
                                     .trace = i % 2 ? trace : NULL,
                                     .trace_ctx = &host,
                                     .ctx = &host};
      wn_instance_t *instance;
      wn_end_t end;
      CHECK(wn_instance_new(modules[m], &config, &instance, NULL) == 0);
      CHECK(wn_instance_call(instance, text("call"), NULL, 0, 0, NULL) == answers[i][1]);
      wn_instance_get_end(instance, &end);
      CHECK(end.err == answers[i][1] && host.calls == 1 && host.outside == 1 && host.inside == (m == 0));
      if (i % 2) CHECK(host.traced == 1 && host.seen == answers[i][1]);
      wn_instance_delete(instance);
      wn_sys_delete(sys);
    }
  }
  host_t host = {0};
  wn_host_func_t wrong[] = {{"host", "f", "x", "", host_function, &host},
                            {"host", "f", "i", "ii", host_function, &host},
                            {"host", "f", "i", "x", host_function, &host},
                            {"host", "f", "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii", "", host_function, &host},
                            {"host", "f", "i", "", NULL, &host}};
  wn_sys_t *sys = world(NULL);
  wn_instance_t *instance;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    wn_instance_config_t config = {.sys = sys, .funcs = &wrong[i], .func_count = 1};
    CHECK(wn_instance_new(modules[0], &config, &instance, NULL) == WN_INVALID);
  }
  wn_sys_delete(sys);
  for (size_t m = 0; m < 2; m++) wn_module_delete(modules[m]);
}

/* ---- exports ---- */

static void exports(void) {
  wn_module_t *module = load(
      "(module (memory (export \"memory\") 1) (memory (export \"second\") 2) (global (export \"g\") i32 (i32.const "
      "1))"
      " (func (export \"ref\") (param externref)) (func (export \"back\") (result externref) (ref.null extern))"
      " (func (export \"two\") (result i32 f64) (i32.const -1) (f64.const 0.5))"
      " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))");
  wn_limits_t limits = {.memory_bytes = UINT64_MAX, .table_elements = 5}; /* more than any engine counts: none */
  wn_sys_t *sys = world(&limits);
  wn_instance_t *instance;
  uint8_t *base;
  uint64_t size = 0;
  wn_value_t values[2] = {0};
  CHECK(wn_instance_new(module, &(wn_instance_config_t){.sys = sys}, &instance, NULL) == 0);
  CHECK(wn_instance_memory(instance, NULL, &base, &size) == 0 && size == 65536);
  CHECK(wn_instance_memory(instance, "second", &base, &size) == 0 && size == 131072);
  CHECK(wn_instance_memory(instance, "g", &base, &size) == WN_MISSING);
  CHECK(wn_instance_memory(instance, "none", &base, &size) == WN_MISSING && size == 131072);
  CHECK(wn_instance_call(instance, text("g"), NULL, 0, 0, NULL) == WN_MISSING);
  CHECK(wn_instance_call(instance, text("ref"), values, 1, 0, NULL) == WN_MISSING); /* references have no number */
  CHECK(wn_instance_call(instance, text("back"), values, 0, 1, NULL) == WN_MISSING);
  CHECK(wn_instance_call(instance, text("two"), values, 0, 2, NULL) == 0);
  double half;
  memcpy(&half, &values[1], sizeof half);
  CHECK(values[0] == 0xffffffffu && half == 0.5);
  values[0] = 3;
  CHECK(wn_instance_call(instance, text("grow"), values, 1, 1, NULL) == 0 && values[0] == 1);
  CHECK(wn_instance_memory(instance, "memory", &base, &size) == 0 && size == 4 * 65536);
  wn_instance_cancel(instance);
  CHECK(wn_instance_call(instance, text("grow"), values, 1, 1, NULL) == WN_CANCELLED);
  wn_instance_delete(instance);
  wn_sys_delete(sys);
  wn_module_delete(module);
}

/* Types without a letter end nothing: where the engine takes the module, its externs are told or it is refused. */
static void types(void) {
  static const char *const wats[] = {
      "(module (func (export \"f\") (param v128)))",
      "(module (global (export \"g\") v128 (v128.const i32x4 0 0 0 0)))",
      "(module (table (export \"t\") 1 externref) (table (export \"u\") 1 2 funcref))",
      "(module (import \"a\" \"b\" (func (param v128))) (import \"a\" \"g\" (global (mut v128))))",
      "(module (import \"a\" \"t\" (table 1 funcref)) (import \"a\" \"m\" (memory 1 2)) (export \"t\" (table 0)))",
      "(module (memory (export \"m\") 1 1 shared))",
      "(module (memory (export \"m\") i64 1))",
      "(module (tag (export \"e\") (param i32)))",
      "(module (type $s (struct (field i8) (field (mut i16)) (field i32))) (func (export \"f\") (param (ref $s))))",
      "(module (rec (type $a (sub (struct (field i32)))) (type $b (sub final $a (struct (field i32) (field i64)))))"
      " (type $c (array (mut i8))) (func (export \"f\") (param (ref null $b)) (result (ref null $c)) (ref.null $c)))",
      "(module (type $f (func)) (func (export \"f\") (param (ref $f))) (func (export \"g\") (result i32) (i32.const "
      "1)))",
      "(module (func (export \"f\") (param (ref null func) (ref null extern)) (result funcref) (ref.null func)))",
      "(module (table (export \"t\") 1 (ref null func)) (table $x (export \"x\") 1 1 (ref func) (ref.func 0)) "
      "(func))",
      "(module (func (export \"f\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 "
      "i32"
      " i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32)"
      " unreachable))",
  };
  size_t told = 0;
  for (size_t i = 0; i < sizeof wats / sizeof *wats; i++) {
    wn_str_t binary;
    wn_module_t *module;
    wn_message_t message = blank;
    if (wn_engine_wat(engine, text(wats[i]), &binary, NULL)) continue; /* an engine that does not know the notation */
    if (wn_module_load(engine, binary, &module, &message) == 0) {
      wn_extern_t e;
      for (size_t k = 0; wn_module_import(module, k, &e); k++) CHECK(e.kind <= WN_EXTERN_OTHER && e.name.len);
      for (size_t k = 0; wn_module_export(module, k, &e); k++, told++) CHECK(e.kind <= WN_EXTERN_OTHER && e.name.len);
      wn_module_delete(module);
    } else {
      CHECK(message.text[0]); /* refused with a reason */
    }
    wn_bytes_free(binary);
  }
  CHECK(told > 5);
}

static void siblings(void) {
  wn_module_t *owner = load("(module (memory (export \"memory\") 1) (func (export \"f\") unreachable))");
  wn_module_t *user = load("(module (import \"o\" \"memory\" (memory 1)) (export \"memory\" (memory 0)))");
  wn_sys_t *sys = world(NULL), *other = world(NULL);
  wn_instance_t *one, *two;
  CHECK(wn_instance_new(owner, &(wn_instance_config_t){.sys = sys}, &one, NULL) == 0);
  wn_sibling_t sibling = {.module = "o", .instance = one};
  wn_instance_config_t config = {.sys = sys, .siblings = &sibling, .sibling_count = 1};
  CHECK(wn_instance_new(user, &config, &two, NULL) == 0);
  uint8_t *base, *same;
  uint64_t size;
  CHECK(wn_instance_memory(one, NULL, &base, &size) == 0 && wn_instance_memory(two, NULL, &same, &size) == 0);
  CHECK(base == same);
  wn_instance_delete(two);
  config.sys = other;
  CHECK(wn_instance_new(user, &config, &two, NULL) == WN_INVALID); /* another world */
  config.sys = sys;
  CHECK(wn_instance_call(one, text("f"), NULL, 0, 0, NULL) == WN_TRAP_ENGINE);
  CHECK(wn_instance_new(user, &config, &two, NULL) == WN_INVALID); /* it has ended */
  wn_instance_delete(one);
  wn_sys_delete(other);
  wn_sys_delete(sys);
  wn_module_delete(user);
  wn_module_delete(owner);
}

static size_t endless;

static bool endless_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  (void)module;
  if (index >= endless) return false;
  *out = (wn_extern_t){.kind = WN_EXTERN_FUNC, .module = text("m"), .name = text("n")};
  return true;
}

static bool no_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return (void)module, (void)index, (void)out, false;
}

/* No engine knows a module with so many imports: an adapter of its own has one. */
static void more_imports_than_are_counted(void) {
  static const wn_engine_ops_t ops = {
      .name = "endless", .import = endless_import, .export = no_export, .instance_size = 4096};
  struct wn_engine engine_of = {.ops = &ops, .os = wn_os_posix()};
  wn_module_t module = {.engine = &engine_of};
  wn_sys_t *sys = world(NULL);
  wn_instance_t *instance = NULL;
  wn_message_t message = blank;
  endless = SIZE_MAX;
  CHECK(wn_instance_new(&module, &(wn_instance_config_t){.sys = sys}, &instance, &message) == WN_INVALID &&
        !instance);
  CHECK(message.err == WN_INVALID && strcmp(message.text, "more than 1048576 imports") == 0);
  endless = 1 << 20; /* counted: each is missing */
  CHECK(wn_instance_new(&module, &(wn_instance_config_t){.sys = sys}, &instance, &message) == WN_LINK && !instance);
  wn_sys_delete(sys);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(wn_engine_open("wasmtime", argv[1], NULL, &engine, NULL) == 0);
  nothing_there(argv[1]);
  without_messages();
  much_is_missing();
  host_functions();
  exports();
  types();
  siblings();
  more_imports_than_are_counted();
  wn_engine_close(engine);
  puts("fine");
  return 0;
}
