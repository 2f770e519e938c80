/* link.c - all rows of all versions, in one line. A new version is one more part. */
#include "core/link.h"

#include "core/p1/p1.h"

typedef const wn_row_t *(*part_t)(size_t *count);
static const part_t parts[] = {wn_p1_rows};

static bool same(wn_str_t a, const char *b) { return strlen(b) == a.len && (!a.len || !memcmp(a.ptr, b, a.len)); }

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
  for (size_t i = 0; (row = wn_link_row(i)) != NULL; i++) {
    if (same(name, row->name) && same(module, row->module)) return row;
  }
  return NULL;
}

bool wn_link_knows(wn_str_t module) {
  const wn_row_t *row;
  for (size_t i = 0; (row = wn_link_row(i)) != NULL; i++) {
    if (same(module, row->module)) return true;
  }
  return false;
}
