/* wasmtime_types.c - whether the engine's C interface can describe what a module imports and exports.
 *
 * Asked for a type that it has no name for (v128, a typed reference, a table of over 2^32 elements), the interface
 * ends the process. A guest must not be able to do that, so we look at the binary first. It is read after the engine
 * has found it valid; every step is bounded all the same, and what is not understood counts as not describable.
 *
 *   module   \0asm 1 0 0 0 | [id 1][size leb][content] ...
 */
#include <string.h>

#include "core/engine/wasmtime.h"

#define TABLES_MAX 128u

enum { SECTION_TYPE = 1, SECTION_IMPORT = 2, SECTION_FUNCTION = 3, SECTION_TABLE = 4, SECTION_EXPORT = 7 };
enum { KIND_FUNC = 0, KIND_TABLE = 1, KIND_MEMORY = 2, KIND_GLOBAL = 3, KIND_TAG = 4 };

typedef struct scan {
  const uint8_t *at, *end;
  bool bad;       /* past the end, or not understood */
  uint8_t *types; /* by type index: 1 for a function that can be described */
  uint8_t *funcs; /* by function index: the same of its type */
  size_t type_count, func_count, type_room, func_room;
  bool tables[TABLES_MAX]; /* by table index */
  size_t table_count;
  bool tables_known;
} scan_t;

static uint8_t byte(scan_t *s) {
  if (s->at < s->end) return *s->at++;
  s->bad = true;
  return 0;
}

/* An unsigned number; of a signed one only the length matters here. */
static uint64_t leb(scan_t *s) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    uint8_t b = byte(s);
    if (shift < 64) value |= (uint64_t)(b & 0x7f) << shift;
    if (!(b & 0x80)) return value;
  }
  s->bad = true;
  return 0;
}

static void skip(scan_t *s, uint64_t length) {
  if (length > (uint64_t)(s->end - s->at)) {
    s->bad = true;
    length = (uint64_t)(s->end - s->at);
  }
  s->at += length;
}

/* A value type; true for those that have a letter: numbers, funcref, externref. */
static bool value_type(scan_t *s) {
  uint8_t b = byte(s);
  if (b == 0x63 || b == 0x64) { /* (ref null T), (ref T) */
    uint64_t heap = leb(s);
    return b == 0x63 && (heap == 0x70 || heap == 0x6f);
  }
  return b == 0x7f || b == 0x7e || b == 0x7d || b == 0x7c || b == 0x70 || b == 0x6f;
}

static bool value_types(scan_t *s) {
  bool fine = true;
  for (uint64_t n = leb(s); n && !s->bad; n--) fine &= value_type(s);
  return fine;
}

static void field_type(scan_t *s) {
  if (s->at < s->end && (*s->at == 0x78 || *s->at == 0x77)) byte(s); /* i8, i16 */
  else value_type(s);
  byte(s);
}

/* A function, structure or array, with what it is a subtype of before it. */
static void sub_type(scan_t *s) {
  uint8_t form = byte(s);
  if (form == 0x50 || form == 0x4f) {
    for (uint64_t n = leb(s); n && !s->bad; n--) leb(s);
    form = byte(s);
  }
  bool fine = false;
  if (form == 0x60) {
    fine = value_types(s);
    fine &= value_types(s);
  } else if (form == 0x5f) {
    for (uint64_t n = leb(s); n && !s->bad; n--) field_type(s);
  } else if (form == 0x5e) {
    field_type(s);
  } else {
    s->bad = true;
  }
  if (s->type_count == s->type_room) s->bad = true;
  else s->types[s->type_count++] = fine;
}

static void type_section(scan_t *s) {
  for (uint64_t n = leb(s); n && !s->bad; n--) {
    uint64_t group = 1;
    if (s->at < s->end && *s->at == 0x4e) {
      byte(s);
      group = leb(s);
    }
    for (; group && !s->bad; group--) sub_type(s);
  }
}

static bool add_func(scan_t *s) {
  uint64_t type = leb(s);
  if (type >= s->type_count || s->func_count == s->func_room) {
    s->bad = true;
    return false;
  }
  s->funcs[s->func_count++] = s->types[type];
  return s->types[type] != 0;
}

/* The limits of a table or memory; true when 32 bits hold them. */
static bool limits(scan_t *s) {
  uint8_t flags = byte(s);
  uint64_t min = leb(s), max = flags & 1 ? leb(s) : 0;
  if (flags & 8) leb(s); /* the size of a page */
  return min <= UINT32_MAX && max <= UINT32_MAX;
}

static bool add_table(scan_t *s) {
  value_type(s);
  bool fine = limits(s);
  if (s->table_count == TABLES_MAX) s->bad = true;
  else s->tables[s->table_count++] = fine;
  return fine;
}

static bool import_section(scan_t *s) {
  bool fine = true;
  for (uint64_t n = leb(s); n && !s->bad; n--) {
    skip(s, leb(s));
    skip(s, leb(s));
    switch (byte(s)) {
      case KIND_FUNC:
        fine &= add_func(s);
        break;
      case KIND_TABLE:
        fine &= add_table(s);
        break;
      case KIND_MEMORY:
        limits(s);
        break;
      case KIND_GLOBAL:
        value_type(s);
        byte(s);
        break;
      case KIND_TAG:
        byte(s);
        leb(s);
        break;
      default:
        s->bad = true;
    }
  }
  return fine;
}

/* Up to the first table with an expression for its elements, whose length only who reads code knows. */
static void table_section(scan_t *s) {
  for (uint64_t n = leb(s); n && !s->bad; n--) {
    if (s->at < s->end && *s->at == 0x40) {
      s->tables_known = false;
      return;
    }
    add_table(s);
  }
}

static bool export_section(scan_t *s) {
  bool fine = true;
  for (uint64_t n = leb(s); n && !s->bad; n--) {
    skip(s, leb(s));
    uint8_t kind = byte(s);
    uint64_t index = leb(s);
    if (kind == KIND_FUNC) fine &= index < s->func_count && s->funcs[index];
    if (kind == KIND_TABLE) fine &= s->tables_known && index < s->table_count && s->tables[index];
  }
  return fine;
}

/* The next section, with s at its content; 0 past the last. */
static uint8_t next_section(scan_t *s, const uint8_t *module_end) {
  s->at = s->end;
  s->end = module_end;
  if (s->at >= module_end || s->bad) return 0;
  uint8_t id = byte(s);
  uint64_t size = leb(s);
  if (size > (uint64_t)(module_end - s->at)) {
    s->bad = true;
    return 0;
  }
  s->end = s->at + size;
  return id ? id : UINT8_MAX; /* 0 is a custom one: passed over like those that say nothing here */
}

/* Each type and function takes a byte at least: so much room is enough. */
static void measure(scan_t *s, const uint8_t *module_end) {
  for (uint8_t id; (id = next_section(s, module_end)) != 0;) {
    size_t size = (size_t)(s->end - s->at);
    if (id == SECTION_TYPE) s->type_room += size;
    if (id == SECTION_IMPORT || id == SECTION_FUNCTION) s->func_room += size;
  }
}

static bool read_sections(scan_t *s, const uint8_t *module_end) {
  bool fine = true;
  for (uint8_t id; fine && (id = next_section(s, module_end)) != 0;) {
    if (id == SECTION_TYPE) type_section(s);
    if (id == SECTION_IMPORT) fine = import_section(s);
    if (id == SECTION_FUNCTION)
      for (uint64_t n = leb(s); n && !s->bad; n--) add_func(s);
    if (id == SECTION_TABLE) table_section(s);
    if (id == SECTION_EXPORT) fine = export_section(s);
  }
  return fine && !s->bad;
}

wn_err_t wt_types_check(const wn_os_t *os, wn_str_t wasm, wn_message_t *message) {
  const uint8_t *start = (const uint8_t *)wasm.ptr, *module_end = start + wasm.len;
  scan_t s = {.tables_known = true};
  bool fine = wasm.len >= 8;
  if (fine) {
    s.end = start + 8;
    measure(&s, module_end);
    s.types = os->alloc(os, s.type_room);
    s.funcs = os->alloc(os, s.func_room);
    if (!s.types || !s.funcs) {
      os->free(os, s.types);
      os->free(os, s.funcs);
      return wn_message_set(message, WN_NOMEM, "no memory for a module");
    }
    s.end = start + 8;
    fine = !s.bad && read_sections(&s, module_end);
    os->free(os, s.types);
    os->free(os, s.funcs);
  }
  if (fine) return 0;
  return wn_message_set(message, WN_INVALID,
                        "an import or export has a type that cannot cross to the host: v128, a typed reference, or a "
                        "table of over 2^32 elements");
}
