/* bindings.h - what engine.c asks when an instance is made. */
#ifndef WN_CORE_BINDINGS_H
#define WN_CORE_BINDINGS_H

#include "core/engine/adapter.h"

/* Whether such an instance can be made at all: INVALID, NOTSUP. */
wn_err_t wn_bind_check(const wn_module_t *module, size_t imports, const wn_instance_config_t *config,
                       wn_message_t *message);

/* How many functions of other instances go through us: instance->others has room for them. */
size_t wn_bind_others(const wn_instance_config_t *config, const wn_engine_t *engine, size_t imports);

/* Fills provides, one per import. LINK: message lists what is missing. instance->rows has room for two per import. */
wn_err_t wn_bind_all(wn_instance_t *instance, const wn_instance_config_t *config, wn_provide_t *provides,
                     size_t count, wn_message_t *message);

#endif
