/* wasm_guard.c - see wasm_guard.h. One pass over the module: what stays is copied in runs, what changes is written.
 *
 * What is promised. Indices of functions are shifted by one from the first function that is no import on, and no
 * other index changes: the type, the import, the global and the function of ours are the last of their kinds. So an
 * index that was one past the last would come to mean ours; such a one is refused wherever it can stand (functions,
 * types, globals). Whatever else is wrong in a body is as wrong in the result, and the engine refuses it there: types
 * of operands, labels, locals, segments are not looked at. What we put in leaves the stack of values and the labels
 * around it as they are.
 */
#include <string.h>

#include "core/engine/wasm_rewrite.h"

#define MODULE_MAX ((size_t)256 << 20)
#define PAGE 65536u

static void function_index(wn_rewrite_t *r) {
  const uint8_t *start = r->c.at;
  wn_rewrite_function(r, start, 0, wn_cursor_u32(&r->c));
}

static void constant(wn_rewrite_t *r) {
  wn_op_t op;
  while (wn_op_constant(&r->c, &op)) {
    if (op.shape == WN_SHAPE_GLOBAL) wn_rewrite_check_global(r, &op);
    if (op.shape == WN_SHAPE_FUNC) wn_rewrite_function(r, op.start, op.code, op.a);
  }
}

static void put_limits(wn_rewrite_t *r, const wn_wasm_limits_t *limits, uint64_t max) {
  if (r->c.why) return;
  wn_rewrite_replace(r, limits->start);
  wn_rewrite_byte(r, (uint8_t)(1 | limits->shared << 1 | limits->wide << 2));
  wn_rewrite_number(r, limits->min);
  wn_rewrite_number(r, max);
}

static void clamp(wn_rewrite_t *r, const wn_wasm_limits_t *limits, uint64_t largest, const char *too_large) {
  if (r->c.why || !largest || limits->max <= largest) return;
  if (limits->min > largest) wn_rewrite_fail(r, limits->start, too_large);
  else put_limits(r, limits, largest);
}

static void memory(wn_rewrite_t *r) {
  wn_wasm_limits_t limits;
  wn_cursor_memory(&r->c, &limits);
  if (r->how->zero_is_none && limits.max == 0) {
    put_limits(r, &limits, 1);
    return;
  }
  clamp(r, &limits, r->how->memory_pages, "a memory starts with more pages than its limit");
}

static void table(wn_rewrite_t *r) {
  wn_wasm_limits_t limits;
  wn_cursor_table(&r->c, &limits);
  clamp(r, &limits, r->how->table_elements, "a table starts with more elements than its limit");
}

/* ---- sections: each at its content, from which nothing has been copied ---- */

/* The count before the entries, of which there will be `more`. */
static uint32_t count_section(wn_rewrite_t *r, uint32_t more) {
  const uint8_t *start = r->c.at;
  uint32_t count = wn_cursor_count(&r->c, 1);
  wn_rewrite_replace(r, start);
  wn_rewrite_number(r, (uint64_t)count + more);
  return count;
}

static void copy_section(wn_rewrite_t *r) {
  wn_cursor_pass(&r->c);
  wn_rewrite_copy(r, r->c.at);
}

static void type_section(wn_rewrite_t *r) {
  static const uint8_t OURS[] = {0x60, 0, 0};
  count_section(r, 1);
  copy_section(r);
  wn_rewrite_put(r, OURS, sizeof OURS);
}

static void import_section(wn_rewrite_t *r) {
  static const uint8_t OURS[] = "\2wn\5check";
  count_section(r, 1);
  for (uint32_t i = 0; i < r->module->import_count && !r->c.why; i++) {
    const uint8_t *start = r->c.at = r->c.start + r->module->imports[i];
    wn_str_t name = wn_cursor_name(&r->c);
    if (name.len == sizeof WN_GUARD_MODULE - 1 && memcmp(name.ptr, WN_GUARD_MODULE, name.len) == 0)
      wn_rewrite_fail(r, start, "it imports from \"" WN_GUARD_MODULE "\", which is a name of ours");
    wn_cursor_name(&r->c);
    uint8_t kind = wn_cursor_byte(&r->c);
    if (kind == WN_WASM_TABLE) table(r);
    if (kind == WN_WASM_MEMORY) memory(r);
  }
  copy_section(r);
  wn_rewrite_put(r, OURS, sizeof OURS); /* its last byte is the kind: a function */
  wn_rewrite_number(r, r->module->type_count);
}

static void function_section(wn_rewrite_t *r) {
  bool counting = r->how->check == WN_GUARD_COUNT;
  count_section(r, counting);
  copy_section(r);
  if (counting) wn_rewrite_number(r, r->module->type_count);
}

static void table_section(wn_rewrite_t *r) {
  for (uint32_t n = count_section(r, 0); n && !r->c.why; n--) {
    bool filled = wn_cursor_table_filled(&r->c);
    table(r);
    if (filled) constant(r);
  }
}

static void memory_section(wn_rewrite_t *r) {
  for (uint32_t n = count_section(r, 0); n && !r->c.why; n--) memory(r);
}

static void global_section(wn_rewrite_t *r) {
  for (uint32_t n = count_section(r, 1); n && !r->c.why; n--) {
    wn_cursor_value_type(&r->c);
    wn_cursor_byte(&r->c);
    constant(r);
  }
  wn_rewrite_copy(r, r->c.at);
  wn_rewrite_byte(r, 0x7f); /* i32, mutable */
  wn_rewrite_byte(r, 1);
  wn_rewrite_start(r);
  wn_rewrite_byte(r, 0x0b);
}

static bool is_ours(wn_str_t name, const char *ours) {
  return name.len == strlen(ours) && memcmp(name.ptr, ours, name.len) == 0;
}

static void export_of_ours(wn_rewrite_t *r, const char *name, uint8_t kind) {
  wn_rewrite_byte(r, (uint8_t)strlen(name));
  wn_rewrite_put(r, (const uint8_t *)name, strlen(name));
  wn_rewrite_byte(r, kind);
}

static void export_section(wn_rewrite_t *r) {
  count_section(r, r->starts ? 2 : 1);
  for (uint32_t i = 0; i < r->module->export_count && !r->c.why; i++) {
    const uint8_t *start = r->c.at = r->c.start + r->module->exports[i];
    wn_str_t name = wn_cursor_name(&r->c);
    if (is_ours(name, WN_GUARD_GLOBAL) || is_ours(name, WN_GUARD_START))
      wn_rewrite_fail(r, start, "it exports \"" WN_GUARD_GLOBAL "\" or \"" WN_GUARD_START "\", names of ours");
    if (wn_cursor_byte(&r->c) == WN_WASM_FUNC) function_index(r);
  }
  copy_section(r);
  export_of_ours(r, WN_GUARD_GLOBAL, WN_WASM_GLOBAL);
  wn_rewrite_number(r, r->global);
  if (!r->starts) return;
  export_of_ours(r, WN_GUARD_START, WN_WASM_FUNC);
  wn_rewrite_number(r, (uint64_t)r->started + (r->started >= r->module->func_imports));
}

/* flags: 1 passive or declared, 2 a table named or declared, 4 expressions in place of functions */
static void element(wn_rewrite_t *r) {
  const uint8_t *start = r->c.at;
  uint32_t flags = wn_cursor_u32(&r->c);
  if (flags) wn_cursor_need(&r->c, start, WN_PROPOSAL_BULK_MEMORY);
  if (flags > 2) wn_cursor_need(&r->c, start, WN_PROPOSAL_REFERENCE_TYPES);
  if (flags > 7) wn_rewrite_fail(r, start, "it has an unknown segment");
  if (!(flags & 1)) {
    if (flags & 2 && wn_cursor_u32(&r->c)) wn_cursor_need(&r->c, start, WN_PROPOSAL_REFERENCE_TYPES);
    constant(r);
  }
  if (flags & 3) {
    if (flags & 4) wn_cursor_value_type(&r->c);
    else if (wn_cursor_byte(&r->c)) wn_rewrite_fail(r, start, "it has an unknown segment");
  }
  for (uint32_t n = wn_cursor_count(&r->c, 1); n && !r->c.why; n--) {
    if (flags & 4) constant(r);
    else function_index(r);
  }
}

static void element_section(wn_rewrite_t *r) {
  for (uint32_t n = count_section(r, 0); n && !r->c.why; n--) element(r);
}

static void code_section(wn_rewrite_t *r) {
  const uint8_t *start = r->c.at;
  bool counting = r->how->check == WN_GUARD_COUNT;
  uint32_t count = count_section(r, counting);
  if (count != r->module->func_count - r->module->func_imports)
    wn_rewrite_fail(r, start, "it has not a body for each function");
  for (uint32_t i = 0; i < count && !r->c.why; i++) {
    r->c.function = r->module->func_imports + i;
    wn_rewrite_body(r);
    r->from = r->c.at;
  }
  if (r->c.why) return;
  r->c.function = WN_NO_FUNCTION;
  if (counting) wn_rewrite_turn(r);
}

/* flags: 1 passive, 2 a memory named */
static void data_section(wn_rewrite_t *r) {
  for (uint32_t n = count_section(r, 0); n && !r->c.why; n--) {
    const uint8_t *start = r->c.at;
    uint32_t flags = wn_cursor_u32(&r->c);
    if (flags) wn_cursor_need(&r->c, start, WN_PROPOSAL_BULK_MEMORY);
    if (flags > 2) wn_rewrite_fail(r, start, "it has an unknown segment");
    if (flags == 2 && wn_cursor_u32(&r->c)) wn_cursor_need(&r->c, start, WN_PROPOSAL_MULTI_MEMORY);
    if (flags != 1) constant(r);
    uint32_t size = wn_cursor_u32(&r->c);
    wn_cursor_skip(&r->c, size);
  }
}

static void section(wn_rewrite_t *r, uint8_t id) {
  r->from = r->c.at;
  /* The count is needed for segments alone that only bulk memory can use; the start may be an export now. */
  if ((id == WN_SECTION_DATA_COUNT && !(r->how->proposals & WN_PROPOSAL_BULK_MEMORY)) ||
      (id == WN_SECTION_START && r->starts)) {
    wn_cursor_u32(&r->c);
    return;
  }
  wn_rewrite_byte(r, id);
  size_t start = wn_rewrite_open(r);
  switch (id) {
    case WN_SECTION_TYPE:
      type_section(r);
      break;
    case WN_SECTION_IMPORT:
      import_section(r);
      break;
    case WN_SECTION_FUNCTION:
      function_section(r);
      break;
    case WN_SECTION_TABLE:
      table_section(r);
      break;
    case WN_SECTION_MEMORY:
      memory_section(r);
      break;
    case WN_SECTION_GLOBAL:
      global_section(r);
      break;
    case WN_SECTION_EXPORT:
      export_section(r);
      break;
    case WN_SECTION_START:
      function_index(r);
      break;
    case WN_SECTION_ELEMENT:
      element_section(r);
      break;
    case WN_SECTION_CODE:
      code_section(r);
      break;
    case WN_SECTION_DATA:
      data_section(r);
      break;
    default: /* tags, the count of data segments */
      wn_cursor_pass(&r->c);
  }
  wn_rewrite_copy(r, r->c.at);
  wn_rewrite_close(r, start);
}

/* Whether the result has this section even if the module has not. */
static bool wanted(const wn_rewrite_t *r, uint8_t id) {
  bool counting = r->how->check == WN_GUARD_COUNT;
  return id == WN_SECTION_TYPE || id == WN_SECTION_IMPORT || id == WN_SECTION_GLOBAL || id == WN_SECTION_EXPORT ||
         (id == WN_SECTION_FUNCTION && counting) ||
         (id == WN_SECTION_CODE && (counting || r->module->func_count > r->module->func_imports));
}

/* The start section is behind the exports, among which it shall be; any function can be exported, but only one
 * without parameters and results can start. */
static void find_start(wn_rewrite_t *r) {
  wn_cursor_t c = r->c;
  for (uint8_t id; (id = wn_cursor_section(&c)) != 0; wn_cursor_pass(&c)) {
    if (id != WN_SECTION_START) continue;
    const uint8_t *start = c.at;
    wn_extern_t type;
    r->started = wn_cursor_u32(&c);
    r->starts = r->how->check == WN_GUARD_COUNT || r->started >= r->module->func_imports;
    if (!wn_wasm_function(r->module, r->started, &type) || type.params[0] || type.results[0])
      wn_rewrite_fail(r, start, "there is no such function that can start");
  }
}

static void rewrite(wn_rewrite_t *r) {
  static const uint8_t NONE[] = {0};
  if (r->how->start) find_start(r);
  wn_rewrite_put(r, r->c.start, 8);
  uint8_t next = wn_cursor_section(&r->c);
  for (uint32_t rank = 1; wn_section_id(rank) && !r->c.why; rank++) {
    uint8_t id = wn_section_id(rank);
    if (next == id) {
      section(r, id);
      next = wn_cursor_section(&r->c);
    } else if (wanted(r, id)) {
      wn_cursor_t rest = r->c;
      r->c.at = NONE;
      r->c.end = NONE + sizeof NONE;
      section(r, id);
      if (r->c.why) return;
      r->c = rest;
    }
  }
  wn_rewrite_check_types(r);
}

wn_err_t wn_wasm_guard_limits(wn_wasm_guard_t *guard, const wn_wasm_t *module, uint64_t memory_bytes,
                              uint64_t table_elements, wn_message_t *message) {
  if (table_elements) guard->table_elements = table_elements;
  if (!memory_bytes) return 0;
  const uint64_t pages = memory_bytes / PAGE;
  if (!pages && module->memory_count)
    return wn_message_set(message, WN_INVALID,
                          "the limit of memory is less than a page, and the module has a memory");
  if (!guard->memory_pages || pages < guard->memory_pages) guard->memory_pages = pages;
  return 0;
}

wn_err_t wn_wasm_guard(const wn_os_t *os, wn_str_t wasm, const wn_wasm_guard_t *guard, wn_str_t *out,
                       wn_message_t *message) {
  wn_wasm_t *module;
  wn_rewrite_t r = {.how = guard, .os = os};
  wn_cursor_init(&r.c, wasm, MODULE_MAX, guard->proposals);
  r.c.copy_fill = guard->copy_fill;
  if (r.c.why) return wn_cursor_message(&r.c, message);
  wn_err_t err = wn_wasm_new(os, wasm, guard->proposals, &module, message);
  if (err) return err;
  r.module = module;
  r.global = module->global_count;
  r.check = module->func_imports;
  r.turn = module->func_count + 1;
  wn_rewrite_code_init(&r);
  wn_rewrite_reserve(&r, wasm.len + wasm.len / 8 + 256);
  if (!r.c.why) rewrite(&r);
  wn_wasm_delete(module);
  if (!r.c.why) {
    uint8_t *fit = os->resize(os, r.out, r.len);
    *out = (wn_str_t){(const char *)(fit ? fit : r.out), r.len};
    return 0;
  }
  os->free(os, r.out);
  if (r.no_memory) return wn_message_set(message, WN_NOMEM, "no memory for a module");
  return wn_cursor_message(&r.c, message);
}
