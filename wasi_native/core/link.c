/* link.c - all rows of all versions, in one line. A new version is one more part.
 *
 * A row of WASI 0.2 and later is of a track: its module ends in "@0.2", and serves "@0.2.0", "@0.2.12" and what
 * comes. Under the standard names of core modules ("cm32p2|wasi:io/streams@0.2") the version is the track itself, and
 * a drop is called "output-stream_drop". */
#include "core/link.h"

#include "core/p1/p1.h"
#include "core/p2/p2.h"

#define STANDARD "cm32p2|"
#define DROP "[resource-drop]"
#define DROP_END "_drop"

typedef const wn_row_t *(*part_t)(size_t *count);
static const part_t parts[] = {wn_p1_rows, wn_p2_rows};

static bool same(wn_str_t a, const char *b) { return strlen(b) == a.len && (!a.len || !memcmp(a.ptr, b, a.len)); }

/* "wasi:io/streams@0.2" serves "wasi:io/streams@0.2.12", of digits alone: a pre-release is nobody's but its own. */
static bool in_track(wn_str_t module, const char *track) {
  size_t len = strlen(track);
  if (module.len < len + 2 || memcmp(module.ptr, track, len) || module.ptr[len] != '.') return false;
  for (size_t i = len + 1; i < module.len; i++)
    if (module.ptr[i] < '0' || module.ptr[i] > '9') return false;
  return true;
}

/* What is left of the name of a module when it begins with this; else all of it. */
static wn_str_t without(wn_str_t text, const char *prefix) {
  size_t len = strlen(prefix);
  if (text.len < len || memcmp(text.ptr, prefix, len)) return text;
  return (wn_str_t){text.ptr + len, text.len - len};
}

static bool serves(const wn_row_t *row, wn_str_t module) {
  if (!wn_link_is_canon(row)) return same(module, row->module);
  wn_str_t standard = without(module, STANDARD);
  return standard.len < module.len ? same(standard, row->module) : in_track(module, row->module);
}

/* Whether the row has this name; or, under the standard names, "x_drop" where it is "[resource-drop]x". */
static bool named(const wn_row_t *row, wn_str_t name, bool standard) {
  if (same(name, row->name)) return !standard || name.ptr[0] != '[' || memcmp(name.ptr, DROP, strlen(DROP));
  size_t end = strlen(DROP_END), begin = strlen(DROP);
  if (!standard || strncmp(row->name, DROP, begin) || name.len < end) return false;
  wn_str_t resource = {name.ptr, name.len - end};
  return same(resource, row->name + begin) && !memcmp(name.ptr + resource.len, DROP_END, end);
}

const wn_row_t *wn_link_row(size_t index) {
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    size_t count;
    const wn_row_t *rows = parts[i](&count);
    if (index < count) return &rows[index];
    index -= count;
  }
  return NULL;
}

/* From the first to the last: once for each import of a module, and comparing the name first makes nearly every
 * step one comparison of two lengths. */
const wn_row_t *wn_link_find(wn_str_t module, wn_str_t name) {
  const wn_row_t *row;
  bool standard = without(module, STANDARD).len < module.len;
  for (size_t i = 0; (row = wn_link_row(i)) != NULL; i++) {
    if (named(row, name, standard) && serves(row, module)) return row;
  }
  return NULL;
}

bool wn_link_knows(wn_str_t module) {
  const wn_row_t *row;
  for (size_t i = 0; (row = wn_link_row(i)) != NULL; i++) {
    if (serves(row, module)) return true;
  }
  return false;
}
