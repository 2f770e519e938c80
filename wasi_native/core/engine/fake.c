/* fake.c - a guest made of bytes: for tests of everything above and below an engine, with no wasm at all.
 *
 * A module is text, one line each:
 *   fake 1                          first line
 *   memory PAGES                    one memory, exported as "memory"
 *   moving                          the memory moves before every call
 *   wide                            slots of 16 bytes instead of 8
 *   import MODULE NAME PARAMS RESULTS   ("-" for none); exported as NAME: calling it makes the host call
 *   realloc PTR                     exports "cabi_realloc": new places alone, from PTR on; memory grows for them
 * Two more exports: "grow" (i) -> i as memory.grow, "spin" () -> () computes until it is interrupted.
 */
#include "core/engine/adapter.h"

#define PAGE 65536u
#define PAGES_MAX 65536u
#define IMPORTS_MAX 256u

typedef struct fake_import {
  char module[64], name[64], params[32], results[8];
} fake_import_t;

typedef struct fake_module {
  struct wn_module head;
  uint32_t pages, count, heap;
  bool has_memory, moving, wide, realloc;
  fake_import_t *imports;
} fake_module_t;

typedef struct fake_engine {
  struct wn_engine head;
  uint32_t epoch; /* atomic: one up is an interruption */
} fake_engine_t;

typedef struct fake_instance {
  struct wn_instance head;
  const wn_row_t **rows;
  uint8_t *memory;
  uint64_t size, heap;
} fake_instance_t;

/* What is exported behind the imports. */
enum { GROW, SPIN, REALLOC, OWN_COUNT };
static const fake_import_t own[OWN_COUNT] = {
    {"", "grow", "i", "i"}, {"", "spin", "", ""}, {"", "cabi_realloc", "iiii", "i"}};

static wn_err_t fake_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                          wn_message_t *message) {
  (void)path;
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  fake_engine_t *e = os->alloc(os, sizeof *e);
  if (!e) return wn_message_set(message, WN_NOMEM, "no memory for an engine");
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_REENTER | WN_CAP_MEMORY_LIMIT;
  *out = &e->head;
  return 0;
}

static void fake_close(wn_engine_t *engine) { engine->os->free(engine->os, engine); }

static void fake_interrupt(wn_engine_t *engine) {
  __atomic_fetch_add(&((fake_engine_t *)engine)->epoch, 1, __ATOMIC_RELEASE);
}

/* The next word of a line, terminated, into out; false when there is none or it is too long. */
static bool word(const char **at, const char *end, char *out, size_t cap) {
  const char *p = *at;
  while (p < end && *p == ' ') p++;
  size_t len = 0;
  while (p + len < end && p[len] != ' ') len++;
  if (len == 0 || len >= cap) return false;
  memcpy(out, p, len);
  out[len] = 0;
  *at = p + len;
  return true;
}

static uint32_t number(const char *text) {
  uint64_t n = 0;
  for (; *text >= '0' && *text <= '9' && n <= PAGES_MAX; text++) n = n * 10 + (uint64_t)(*text - '0');
  return n > PAGES_MAX ? PAGES_MAX : (uint32_t)n;
}

static bool parse_line(fake_module_t *m, const char *at, const char *end) {
  char verb[64], arg[64];
  if (!word(&at, end, verb, sizeof verb)) return at == end;
  if (strcmp(verb, "fake") == 0) return word(&at, end, arg, sizeof arg) && strcmp(arg, "1") == 0;
  if (strcmp(verb, "moving") == 0) return m->moving = true;
  if (strcmp(verb, "wide") == 0) return m->wide = true;
  if (strcmp(verb, "memory") == 0) {
    m->has_memory = true;
    if (!word(&at, end, arg, sizeof arg)) return false;
    m->pages = number(arg);
    return true;
  }
  if (strcmp(verb, "realloc") == 0) {
    m->realloc = true;
    if (!word(&at, end, arg, sizeof arg)) return false;
    m->heap = number(arg);
    return true;
  }
  if (strcmp(verb, "import") != 0 || m->count == IMPORTS_MAX) return false;
  fake_import_t *i = &m->imports[m->count];
  if (!word(&at, end, i->module, sizeof i->module) || !word(&at, end, i->name, sizeof i->name) ||
      !word(&at, end, i->params, sizeof i->params) || !word(&at, end, i->results, sizeof i->results))
    return false;
  if (i->params[0] == '-') i->params[0] = 0;
  if (i->results[0] == '-') i->results[0] = 0;
  m->count++;
  return true;
}

static void fake_module_delete(wn_module_t *module) {
  const wn_os_t *os = module->engine->os;
  os->free(os, ((fake_module_t *)module)->imports);
  os->free(os, module);
}

static wn_err_t fake_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  const wn_os_t *os = engine->os;
  if (wasm.len < 6 || memcmp(wasm.ptr, "fake 1", 6) != 0)
    return wn_message_set(message, WN_INVALID, "not a module of the fake engine");
  fake_module_t *m = os->alloc(os, sizeof *m);
  if (!m) return wn_message_set(message, WN_NOMEM, "no memory for a module");
  m->head.engine = engine;
  m->imports = os->alloc(os, IMPORTS_MAX * sizeof *m->imports);
  if (!m->imports) {
    fake_module_delete(&m->head);
    return wn_message_set(message, WN_NOMEM, "no memory for a module");
  }
  const char *at = wasm.ptr, *end = wasm.ptr + wasm.len;
  for (uint32_t line = 1; at < end; line++) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (!stop) stop = end;
    if (!parse_line(m, at, stop)) {
      fake_module_delete(&m->head);
      return wn_message_set(message, WN_INVALID, "line %u of the fake module is wrong", line);
    }
    at = stop < end ? stop + 1 : end;
  }
  *out = &m->head;
  return 0;
}

static wn_str_t str(const char *text) { return (wn_str_t){text, strlen(text)}; }

static void extern_func(const fake_import_t *i, wn_extern_t *out) {
  *out = (wn_extern_t){.kind = WN_EXTERN_FUNC, .name = str(i->name)};
  memcpy(out->params, i->params, sizeof i->params);
  memcpy(out->results, i->results, sizeof i->results);
}

static bool fake_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const fake_module_t *m = (const fake_module_t *)module;
  if (index >= m->count) return false;
  extern_func(&m->imports[index], out);
  out->module = str(m->imports[index].module);
  return true;
}

static bool fake_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const fake_module_t *m = (const fake_module_t *)module;
  if (index < m->count) return extern_func(&m->imports[index], out), true;
  index -= m->count;
  const size_t owned = m->realloc ? OWN_COUNT : REALLOC;
  if (index < owned) return extern_func(&own[index], out), true;
  if (index > owned || !m->has_memory) return false;
  *out = (wn_extern_t){.kind = WN_EXTERN_MEMORY, .name = str("memory"), .min = m->pages, .max = UINT64_MAX};
  return true;
}

/* Whether the guest may have so much memory. */
static bool allowed(const wn_instance_t *instance, uint64_t size) {
  const uint64_t limit = wn_guest_limits(&instance->guest)->memory_bytes;
  return size <= (uint64_t)PAGES_MAX * PAGE && size <= SIZE_MAX - 1 && (!limit || size <= limit);
}

static wn_err_t fake_instantiate(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                                 wn_message_t *message) {
  fake_instance_t *in = (fake_instance_t *)instance;
  const fake_module_t *m = (const fake_module_t *)instance->module;
  const wn_os_t *os = instance->module->engine->os;
  instance->guest.slot_shift = m->wide ? 1 : 0;
  in->size = (uint64_t)m->pages * PAGE;
  in->heap = m->heap;
  if (!allowed(instance, in->size))
    return wn_message_set(message, WN_INVALID, "memory minimum size of %u pages exceeds memory limits", m->pages);
  in->rows = os->alloc(os, (count + 1) * sizeof *in->rows);
  in->memory = os->alloc(os, (size_t)in->size + 1);
  if (!in->rows || !in->memory) return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  for (size_t i = 0; i < count; i++) in->rows[i] = provides[i].row;
  return 0;
}

static void fake_close_instance(wn_instance_t *instance) {
  fake_instance_t *in = (fake_instance_t *)instance;
  const wn_os_t *os = instance->module->engine->os;
  os->free(os, in->rows);
  os->free(os, in->memory);
}

static bool named(const fake_import_t *item, wn_str_t name) {
  return strlen(item->name) == name.len && memcmp(item->name, name.ptr, name.len) == 0;
}

/* By index: the imports, then our own. */
static const fake_import_t *find(const fake_module_t *m, wn_str_t name, uint32_t *index) {
  const uint32_t owned = m->realloc ? OWN_COUNT : REALLOC;
  for (uint32_t i = 0; i < owned; i++) {
    *index = m->count + i;
    if (named(&own[i], name)) return &own[i];
  }
  for (*index = 0; *index < m->count; ++*index) {
    if (named(&m->imports[*index], name)) return &m->imports[*index];
  }
  return NULL;
}

static wn_err_t fake_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  uint32_t index;
  const fake_import_t *found = find((const fake_module_t *)instance->module, name, &index);
  if (!found) return WN_MISSING;
  *params = found->params;
  *results = found->results;
  return 0;
}

static wn_err_t spin(wn_instance_t *instance) {
  fake_engine_t *e = (fake_engine_t *)instance->module->engine;
  uint32_t seen = __atomic_load_n(&e->epoch, __ATOMIC_ACQUIRE);
  wn_err_t stop = wn_guest_check(&instance->guest); /* what came before that look wakes nobody any more */
  if (stop) return stop;
  for (;;) {
    uint32_t epoch = __atomic_load_n(&e->epoch, __ATOMIC_ACQUIRE);
    if (epoch == seen) continue;
    seen = epoch;
    wn_err_t err = wn_guest_check(&instance->guest);
    if (err) return err;
  }
}

/* As memory.grow: the old number of pages, or -1. */
static uint64_t grow(fake_instance_t *in, uint32_t pages) {
  const wn_os_t *os = in->head.module->engine->os;
  uint64_t size = in->size + (uint64_t)pages * PAGE;
  if (!allowed(&in->head, size)) return UINT32_MAX;
  uint8_t *memory = os->resize(os, in->memory, (size_t)size + 1);
  if (!memory) return UINT32_MAX;
  memset(memory + in->size, 0, (size_t)(size - in->size));
  uint64_t old = in->size / PAGE;
  in->memory = memory;
  in->size = size;
  return old;
}

/* A new block for the memory and the old one freed, so that a span kept too long is a use after free. */
static void move(fake_instance_t *in) {
  const wn_os_t *os = in->head.module->engine->os;
  uint8_t *memory = os->alloc(os, (size_t)in->size + 1);
  if (!memory) return;
  memcpy(memory, in->memory, (size_t)in->size);
  os->free(os, in->memory);
  in->memory = memory;
}

static uint64_t realloc_new(fake_instance_t *in, uint32_t align, uint32_t size) {
  const uint64_t at = (in->heap + align - 1) & ~(uint64_t)(align - 1);
  const uint64_t missing = at + size > in->size ? (at + size - in->size + PAGE - 1) / PAGE : 0;
  if (missing > PAGES_MAX || (missing && grow(in, (uint32_t)missing) == UINT32_MAX)) return UINT32_MAX;
  in->heap = at + size;
  return at;
}

static wn_err_t invoke(fake_instance_t *in, uint32_t index, wn_value_t *values, size_t nparams, size_t nresults,
                       wn_message_t *message) {
  const fake_module_t *m = (const fake_module_t *)in->head.module;
  wn_guest_t *guest = &in->head.guest;
  if (m->moving) move(in);
  if (index >= m->count) {
    if (index == m->count + SPIN) return spin(&in->head);
    values[0] = index == m->count + GROW ? grow(in, (uint32_t)values[0])
                                         : realloc_new(in, (uint32_t)values[2], (uint32_t)values[3]);
    return 0;
  }
  uint64_t slots[2 * 32] = {0};
  for (size_t k = 0; k < nparams; k++) *WN_SLOT(guest, slots, k) = values[k];
  guest->mem = (wn_mem_t){in->memory, in->size};
  wn_err_t err = wn_dispatch(guest, in->rows[index], slots);
  if (err) return wn_message_set(message, err, "%s: %s", wn_err_name(err), wn_err_text(err));
  if (nresults) values[0] = *WN_SLOT(guest, slots, 0);
  return 0;
}

static wn_err_t fake_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message) {
  uint32_t index;
  if (!find((const fake_module_t *)instance->module, name, &index))
    return wn_message_set(message, WN_MISSING, "no such export");
  return invoke((fake_instance_t *)instance, index, values, nparams, nresults, message);
}

static wn_err_t fake_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func) {
  uint32_t index;
  if (!find((const fake_module_t *)instance->module, name, &index)) return WN_MISSING;
  func->at[0] = index;
  return 0;
}

static wn_err_t fake_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  return invoke((fake_instance_t *)func->instance, (uint32_t)func->at[0], values, func->params, func->result != 0,
                message);
}

static wn_err_t fake_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory) {
  (void)memory;
  if (!wn_rows_memory(instance, name) || !((const fake_module_t *)instance->module)->has_memory) return WN_MISSING;
  return 0;
}

static wn_mem_t fake_span(const wn_memory_ref_t *memory) {
  const fake_instance_t *in = (const fake_instance_t *)memory->instance;
  return (wn_mem_t){in->memory, in->size};
}

const wn_engine_ops_t wn_engine_fake = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .interrupt = fake_interrupt,
    .load = fake_load,
    .module_delete = fake_module_delete,
    .import = fake_import,
    .export = fake_export,
    .instance_size = sizeof(fake_instance_t),
    .instantiate = fake_instantiate,
    .close_instance = fake_close_instance,
    .signature = fake_signature,
    .call = fake_call,
    .func = fake_func,
    .call_func = fake_call_func,
    .memory = fake_memory,
    .span = fake_span,
};
