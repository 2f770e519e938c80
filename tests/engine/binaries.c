/* binaries.c - the reader and the rewriter of binaries for Python: compiled with their files into a library. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/wasm_guard.h"
#include "wasi_native.h"

/* The adapters' own is in engine.c, which needs all of them. */
wn_err_t wn_message_set(wn_message_t *message, wn_err_t err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message->text, sizeof message->text, format, args);
  va_end(args);
  message->err = err;
  return err;
}

/* The kernel whose memory ends with the n-th call; 0: never. */
static const wn_os_t *kernel(uint64_t nth) {
  const wn_os_t *os;
  if (wn_os_fake_new(&os)) return NULL;
  if (nth) wn_os_fake_inject(os, "*", nth, 1, WN_ENOMEM, 0);
  return os;
}

/* how: the fields of wn_wasm_guard_t, in their order. */
WN_API wn_err_t binary_guard(const char *wasm, size_t len, const uint64_t *how, uint64_t nth, wn_str_t *out,
                             uint64_t *calls, wn_message_t *message) {
  const wn_os_t *os = kernel(nth);
  wn_wasm_guard_t guard = {.check = how[0] ? WN_GUARD_COUNT : WN_GUARD_FLAG,
                           .start = how[1] != 0,
                           .grow = how[2] != 0,
                           .copy_fill = how[3] != 0,
                           .zero_is_none = how[4] != 0,
                           .memory_pages = how[5],
                           .table_elements = how[6],
                           .nesting = (uint32_t)how[7],
                           .call_bytes = (uint32_t)how[8],
                           .loop_bytes = (uint32_t)how[9],
                           .proposals = (uint32_t)how[10]};
  wn_err_t err = wn_wasm_guard(os, (wn_str_t){wasm, len}, &guard, out, message);
  *calls = wn_os_fake_count(os, "*");
  wn_os_fake_delete(os);
  return err;
}

WN_API void binary_free(const wn_str_t *bytes) {
  const wn_os_t *os = kernel(0);
  os->free(os, (void *)bytes->ptr);
  wn_os_fake_delete(os);
}

static size_t line(char *out, size_t cap, const char *what, const wn_extern_t *e) {
  int n = snprintf(out, cap, "%s\t%.*s\t%.*s\t%u\t%s\t%s\t%llu\t%llu\t%d%d\n", what, (int)e->module.len,
                   e->module.ptr, (int)e->name.len, e->name.ptr, (unsigned)e->kind, e->params, e->results,
                   (unsigned long long)e->min, (unsigned long long)e->max, e->shared, e->wide);
  return (size_t)n < cap ? (size_t)n : cap - 1;
}

/* One line per import and export, then the counts. */
WN_API wn_err_t binary_describe(const char *wasm, size_t len, uint32_t proposals, uint64_t nth, char *out, size_t cap,
                                wn_message_t *message) {
  const wn_os_t *os = kernel(nth);
  wn_wasm_t *module;
  wn_err_t err = wn_wasm_new(os, (wn_str_t){wasm, len}, proposals, &module, message);
  if (!err) {
    wn_extern_t e;
    size_t at = 0;
    for (size_t i = 0; wn_wasm_import(module, i, &e); i++) at += line(out + at, cap - at, "import", &e);
    for (size_t i = 0; wn_wasm_export(module, i, &e); i++) at += line(out + at, cap - at, "export", &e);
    snprintf(out + at, cap - at, "types %u functions %u tables %u memories %u globals %u tags %u plain %d\n",
             module->type_count, module->func_count, module->table_count, module->memory_count, module->global_count,
             module->tag_count, module->plain);
    wn_wasm_delete(module);
  }
  wn_wasm_delete(NULL);
  wn_os_fake_delete(os);
  return err;
}
