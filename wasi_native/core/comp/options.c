/* options.c - the options of canon lift and lower: whose memory, whose realloc. */
#include "core/comp/comp.h"

wn_err_t wn_canon_opts_set(wn_canon_opts_t *opts, const wn_canon_config_t *config) {
  if (!config->comp || config->encoding > 2) return WN_INVALID;
  *opts = (wn_canon_opts_t){.comp = config->comp, .encoding = (uint8_t)config->encoding};
  wn_err_t err =
      config->memory
          ? wn_instance_guest(config->memory)->runner->memory(config->memory, config->memory_name, &opts->memory)
          : 0;
  if (!err && config->realloc) err = wn_func_get(config->realloc, config->realloc_name, &opts->realloc);
  if (!err && config->realloc && (opts->realloc.params != 4 || opts->realloc.result != 'i')) err = WN_INVALID;
  if (err) *opts = (wn_canon_opts_t){0};
  return err;
}
