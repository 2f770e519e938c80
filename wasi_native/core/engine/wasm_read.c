/* wasm_read.c - see wasm_read.h. */
#include <string.h>

#include "core/engine/wasm_opcode.h"
#include "core/engine/wasm_read.h"

#define SIZE_MAX_READ (1u << 30)
#define INDEX_MAX 1000000u /* of types, functions, imports and exports: as engines have it */
#define LIMITS_MAX 128u    /* of tables, and of memories */
#define EXOTIC 0x80000000u /* in types: one of the value types is not plain */

static uint32_t offset(const wn_cursor_t *c) { return (uint32_t)(c->at - c->start); }

static void field_type(wn_cursor_t *c) {
  if (wn_cursor_peek(c) == 0x78 || wn_cursor_peek(c) == 0x77) c->at++; /* i8, i16 */
  else wn_cursor_value_type(c);
  wn_cursor_byte(c);
}

static bool value_types(wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint32_t count = wn_cursor_count(c, 1);
  if (count > 1000) wn_cursor_fail(c, first, "a function has over 1000 parameters or results");
  return wn_cursor_value_types(c, count, NULL, 0);
}

/* A function, structure or array, with what it is a subtype of before it. */
static void sub_type(wn_wasm_t *w, wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint8_t form = wn_cursor_byte(c);
  if (form == 0x50 || form == 0x4f) {
    wn_cursor_need(c, first, WN_PROPOSAL_GC);
    for (uint32_t n = wn_cursor_count(c, 1); n && !c->why; n--) wn_cursor_type(c);
    form = wn_cursor_byte(c);
  }
  uint32_t found = 0;
  if (form == 0x60) {
    found = offset(c);
    bool plain = value_types(c);
    if (wn_cursor_peek(c) > 1) wn_cursor_need(c, c->at, WN_PROPOSAL_MULTI_VALUE);
    plain &= value_types(c);
    if (!plain) found |= EXOTIC;
  } else if (form == 0x5f || form == 0x5e) {
    wn_cursor_need(c, first, WN_PROPOSAL_GC);
    for (uint32_t n = form == 0x5f ? wn_cursor_count(c, 2) : 1; n && !c->why; n--) field_type(c);
  } else {
    wn_cursor_fail(c, first, "it has an unknown type");
  }
  if (w->type_count == INDEX_MAX) wn_cursor_fail(c, first, "it has too many types");
  if (!c->why) w->types[w->type_count++] = found;
}

static void type_section(wn_wasm_t *w, wn_cursor_t *c) {
  for (uint32_t n = wn_cursor_count(c, 1); n && !c->why; n--) {
    uint32_t group = 1;
    if (wn_cursor_peek(c) == 0x4e) {
      wn_cursor_need(c, c->at, WN_PROPOSAL_GC);
      c->at++;
      group = wn_cursor_count(c, 2);
    }
    for (; group && !c->why; group--) sub_type(w, c);
  }
  if (c->type_top > w->type_count) wn_cursor_fail(c, c->at, "there is no such type");
}

static void add_func(wn_wasm_t *w, wn_cursor_t *c) {
  const uint8_t *first = c->at;
  uint32_t type = wn_cursor_u32(c);
  if (type >= w->type_count || !w->types[type]) wn_cursor_fail(c, first, "there is no such type of a function");
  else if (w->func_count == INDEX_MAX) wn_cursor_fail(c, first, "it has too many functions");
  else w->funcs[w->func_count++] = type;
}

static void add_table(wn_wasm_t *w, wn_cursor_t *c) {
  const uint8_t *first = c->at;
  wn_wasm_limits_t limits;
  wn_cursor_table(c, &limits);
  if (w->table_count) wn_cursor_need(c, first, WN_PROPOSAL_REFERENCE_TYPES);
  if (w->table_count == LIMITS_MAX) wn_cursor_fail(c, first, "it has too many tables");
  else w->limits[w->table_count++] = limits;
}

static void add_memory(wn_wasm_t *w, wn_cursor_t *c) {
  const uint8_t *first = c->at;
  wn_wasm_limits_t limits;
  wn_cursor_memory(c, &limits);
  if (w->memory_count) wn_cursor_need(c, first, WN_PROPOSAL_MULTI_MEMORY);
  if (w->memory_count == LIMITS_MAX) wn_cursor_fail(c, first, "it has too many memories");
  else w->limits[LIMITS_MAX + w->memory_count++] = limits;
}

static void add_tag(wn_wasm_t *w, wn_cursor_t *c) {
  wn_cursor_need(c, c->at, WN_PROPOSAL_EXCEPTIONS);
  wn_cursor_byte(c);
  const uint8_t *first = c->at;
  if (wn_cursor_u32(c) >= w->type_count) wn_cursor_fail(c, first, "there is no such type");
  w->tag_count++;
}

static void import_section(wn_wasm_t *w, wn_cursor_t *c) {
  for (uint32_t n = wn_cursor_count(c, 4); n && !c->why; n--) {
    if (w->import_count == INDEX_MAX) wn_cursor_fail(c, c->at, "it has too many imports");
    else w->imports[w->import_count++] = offset(c);
    wn_cursor_name(c);
    wn_cursor_name(c);
    const uint8_t *first = c->at;
    switch (wn_cursor_byte(c)) {
      case WN_WASM_FUNC:
        add_func(w, c);
        if (!c->why) w->plain &= !(w->types[w->funcs[w->func_count - 1]] & EXOTIC);
        break;
      case WN_WASM_TABLE:
        add_table(w, c);
        if (!c->why) w->plain &= w->limits[w->table_count - 1].plain;
        break;
      case WN_WASM_MEMORY:
        add_memory(w, c);
        break;
      case WN_WASM_GLOBAL:
        wn_cursor_value_type(c);
        wn_cursor_byte(c);
        w->global_count++;
        break;
      case WN_WASM_TAG:
        add_tag(w, c);
        break;
      default:
        wn_cursor_fail(c, first, "it has an import of an unknown kind");
    }
  }
  w->func_imports = w->func_count;
}

static void table_section(wn_wasm_t *w, wn_cursor_t *c) {
  for (uint32_t n = wn_cursor_count(c, 3); n && !c->why; n--) {
    bool filled = wn_cursor_table_filled(c);
    wn_op_t op;
    add_table(w, c);
    while (filled && wn_op_constant(c, &op)) continue;
  }
}

static void export_section(wn_wasm_t *w, wn_cursor_t *c) {
  for (uint32_t n = wn_cursor_count(c, 3); n && !c->why; n--) {
    const uint32_t counts[] = {w->func_count, w->table_count, w->memory_count, w->global_count, w->tag_count};
    if (w->export_count == INDEX_MAX) wn_cursor_fail(c, c->at, "it has too many exports");
    else w->exports[w->export_count++] = offset(c);
    wn_cursor_name(c);
    const uint8_t *first = c->at;
    uint8_t kind = wn_cursor_byte(c);
    uint32_t index = wn_cursor_u32(c);
    if (kind > WN_WASM_TAG || index >= counts[kind]) wn_cursor_fail(c, first, "there is nothing of this export");
    if (c->why) return;
    if (kind == WN_WASM_FUNC) w->plain &= !(w->types[w->funcs[index]] & EXOTIC);
    if (kind == WN_WASM_TABLE) w->plain &= w->limits[index].plain;
  }
}

static void read_section(wn_wasm_t *w, wn_cursor_t *c, uint8_t id) {
  switch (id) {
    case WN_SECTION_TYPE:
      type_section(w, c);
      break;
    case WN_SECTION_IMPORT:
      import_section(w, c);
      break;
    case WN_SECTION_FUNCTION:
      for (uint32_t n = wn_cursor_count(c, 1); n && !c->why; n--) add_func(w, c);
      break;
    case WN_SECTION_TABLE:
      table_section(w, c);
      break;
    case WN_SECTION_MEMORY:
      for (uint32_t n = wn_cursor_count(c, 2); n && !c->why; n--) add_memory(w, c);
      break;
    case WN_SECTION_TAG:
      for (uint32_t n = wn_cursor_count(c, 2); n && !c->why; n--) add_tag(w, c);
      break;
    case WN_SECTION_GLOBAL:
      w->global_count += wn_cursor_count(c, 3);
      wn_cursor_pass(c);
      break;
    case WN_SECTION_EXPORT:
      export_section(w, c);
      break;
    default:
      wn_cursor_pass(c);
  }
}

/* How many entries the lists need at most, from the sizes of the sections: an entry takes a byte or more. */
typedef struct room {
  size_t types, imports, exports, funcs;
} room_t;

static size_t at_most(size_t bytes, size_t each) { return bytes / each < INDEX_MAX ? bytes / each : INDEX_MAX; }

static room_t measure(wn_cursor_t c) {
  room_t room = {0};
  for (uint8_t id; (id = wn_cursor_section(&c)) != 0; wn_cursor_pass(&c)) {
    size_t size = (size_t)(c.end - c.at);
    if (id == WN_SECTION_TYPE) room.types = at_most(size, 2);
    if (id == WN_SECTION_IMPORT) room.imports = at_most(size, 4);
    if (id == WN_SECTION_FUNCTION) room.funcs = at_most(size, 1);
    if (id == WN_SECTION_EXPORT) room.exports = at_most(size, 3);
  }
  room.funcs += room.imports;
  return room;
}

wn_err_t wn_wasm_new(const wn_os_t *os, wn_str_t wasm, uint32_t proposals, wn_wasm_t **out, wn_message_t *message) {
  wn_cursor_t c;
  wn_cursor_init(&c, wasm, SIZE_MAX_READ, proposals);
  if (c.why) return wn_cursor_message(&c, message);
  room_t room = measure(c);
  wn_wasm_t *w = os->alloc(os, sizeof *w);
  uint32_t *lists = os->alloc(os, (room.types + room.imports + room.exports + room.funcs + 1) * sizeof *lists);
  wn_wasm_limits_t *limits = os->alloc(os, 2 * (size_t)LIMITS_MAX * sizeof *limits);
  if (!w || !lists || !limits) {
    os->free(os, w);
    os->free(os, lists);
    os->free(os, limits);
    return wn_message_set(message, WN_NOMEM, "no memory for a module");
  }
  *w = (wn_wasm_t){.os = os, .bytes = wasm, .plain = true, .types = lists, .limits = limits};
  w->imports = w->types + room.types;
  w->exports = w->imports + room.imports;
  w->funcs = w->exports + room.exports;
  for (uint8_t id; (id = wn_cursor_section(&c)) != 0;) read_section(w, &c, id);
  if (!c.why && c.type_top > w->type_count) wn_cursor_fail(&c, c.at, "there is no such type");
  if (c.why) {
    wn_wasm_delete(w);
    return wn_cursor_message(&c, message);
  }
  *out = w;
  return 0;
}

void wn_wasm_delete(wn_wasm_t *wasm) {
  if (!wasm) return;
  const wn_os_t *os = wasm->os;
  os->free(os, wasm->limits);
  os->free(os, wasm->types);
  os->free(os, wasm);
}

/* A part that was read before, again. */
static wn_cursor_t again(const wn_wasm_t *w, uint32_t where) {
  const uint8_t *start = (const uint8_t *)w->bytes.ptr;
  return (wn_cursor_t){.start = start,
                       .at = start + where,
                       .end = start + w->bytes.len,
                       .allowed = WN_PROPOSAL_ALL,
                       .function = WN_NO_FUNCTION};
}

static void fill_func(const wn_wasm_t *w, uint32_t type, wn_extern_t *out) {
  wn_cursor_t c = again(w, w->types[type] & ~EXOTIC);
  uint32_t count = wn_cursor_u32(&c);
  wn_cursor_value_types(&c, count, out->params, sizeof out->params);
  count = wn_cursor_u32(&c);
  wn_cursor_value_types(&c, count, out->results, sizeof out->results);
}

static void fill(wn_extern_t *out, uint8_t kind, const wn_wasm_limits_t *limits) {
  static const uint8_t KINDS[] = {WN_EXTERN_FUNC, WN_EXTERN_TABLE, WN_EXTERN_MEMORY, WN_EXTERN_GLOBAL,
                                  WN_EXTERN_OTHER};
  out->kind = KINDS[kind];
  out->max = UINT64_MAX;
  if (kind != WN_WASM_TABLE && kind != WN_WASM_MEMORY) return;
  out->min = limits->min;
  out->max = limits->max;
  out->shared = limits->shared;
  out->wide = limits->wide;
}

bool wn_wasm_import(const wn_wasm_t *wasm, size_t index, wn_extern_t *out) {
  if (index >= wasm->import_count) return false;
  wn_cursor_t c = again(wasm, wasm->imports[index]);
  wn_wasm_limits_t limits = {0};
  *out = (wn_extern_t){.module = wn_cursor_name(&c)};
  out->name = wn_cursor_name(&c);
  uint8_t kind = wn_cursor_byte(&c);
  if (kind == WN_WASM_TABLE) wn_cursor_table(&c, &limits);
  if (kind == WN_WASM_MEMORY) wn_cursor_memory(&c, &limits);
  fill(out, kind, &limits);
  if (kind == WN_WASM_FUNC) fill_func(wasm, wn_cursor_u32(&c), out);
  if (kind == WN_WASM_GLOBAL) {
    wn_cursor_value_type(&c);
    out->constant = wn_cursor_byte(&c) == 0;
  }
  return true;
}

bool wn_wasm_export(const wn_wasm_t *wasm, size_t index, wn_extern_t *out) {
  if (index >= wasm->export_count) return false;
  wn_cursor_t c = again(wasm, wasm->exports[index]);
  *out = (wn_extern_t){.name = wn_cursor_name(&c)};
  uint8_t kind = wn_cursor_byte(&c);
  uint32_t at = wn_cursor_u32(&c);
  fill(out, kind, &wasm->limits[kind == WN_WASM_MEMORY ? LIMITS_MAX + at : kind == WN_WASM_TABLE ? at : 0]);
  if (kind == WN_WASM_FUNC) fill_func(wasm, wasm->funcs[at], out);
  return true;
}

uint32_t wn_wasm_export_index(const wn_wasm_t *wasm, size_t index) {
  wn_cursor_t c = again(wasm, wasm->exports[index]);
  wn_cursor_name(&c);
  wn_cursor_byte(&c);
  return wn_cursor_u32(&c);
}

bool wn_wasm_function(const wn_wasm_t *wasm, uint32_t function, wn_extern_t *out) {
  if (function >= wasm->func_count) return false;
  *out = (wn_extern_t){.kind = WN_EXTERN_FUNC};
  fill_func(wasm, wasm->funcs[function], out);
  return true;
}
