/* options.c - the options of canon lift and lower: whose memory, whose realloc. */
#include "core/comp/comp.h"
#include "core/sys/state.h"

static wn_err_t find_memory(wn_canon_opts_t *opts, const wn_canon_config_t *config) {
  const wn_os_t *os = config->comp->sys->os;
  char *name = os->alloc(os, config->memory_name.len + 1);
  if (!name) return WN_NOMEM;
  memcpy(name, config->memory_name.ptr, config->memory_name.len);
  opts->memory.name = name;
  return wn_instance_guest(config->memory)->runner->memory(config->memory, name, &opts->memory) ? WN_MISSING : 0;
}

wn_err_t wn_canon_opts_set(wn_canon_opts_t *opts, const wn_canon_config_t *config) {
  if (!config->comp || config->encoding > 2) return WN_INVALID;
  *opts = (wn_canon_opts_t){.comp = config->comp, .encoding = (uint8_t)config->encoding};
  wn_err_t err = config->memory ? find_memory(opts, config) : 0;
  if (!err && config->realloc) err = wn_func_get(config->realloc, config->realloc_name, &opts->realloc);
  if (!err && config->realloc && (opts->realloc.params != 4 || opts->realloc.result != 'i')) err = WN_INVALID;
  if (err) wn_canon_opts_clear(opts);
  return err;
}

void wn_canon_opts_clear(wn_canon_opts_t *opts) {
  if (!opts->comp) return;
  const wn_os_t *os = opts->comp->sys->os;
  os->free(os, (void *)opts->memory.name);
  *opts = (wn_canon_opts_t){0};
}
