/* types.c - what follows from the types of a function for its calls: once, when it is bound. */
#include "core/comp/comp.h"
#include "core/os/os.h"

static bool scalar(const wn_node_t *node) { return node->kind <= WN_K_CHAR; }

static void find_scalars(wn_types_t *types) {
  const wn_plan_t *plan = types->plan;
  types->result = WN_K_END;
  if (plan->params != WN_PLAN_NONE) {
    const wn_node_t *params = wn_plan_node(plan, plan->params);
    if (params->count > sizeof types->params) return;
    for (uint32_t i = 0; i < params->count; i++) {
      const wn_node_t *node = wn_plan_node(plan, wn_plan_item(plan, params->first + i)->node);
      if (!scalar(node)) return;
      types->params[i] = node->kind;
    }
    types->count = (uint8_t)params->count;
  }
  if (plan->result != WN_PLAN_NONE) {
    const wn_node_t *result = wn_plan_node(plan, plan->result);
    if (!scalar(result)) return;
    types->result = result->kind;
  }
  types->scalars = true;
}

wn_err_t wn_types_set(wn_types_t *types, const wn_signature_t *signature, const wn_os_t *os) {
  *types = (wn_types_t){.plan = signature->plan};
  wn_plan_get_info(types->plan, &types->info);
  if (types->info.resources != signature->resource_count) return WN_INVALID;
  const size_t size = signature->resource_count * sizeof *types->resources;
  types->resources = os->alloc(os, size + 1);
  if (!types->resources) return WN_NOMEM;
  if (size) memcpy(types->resources, signature->resources, size);
  find_scalars(types);
  return 0;
}

void wn_types_clear(wn_types_t *types, const wn_os_t *os) {
  os->free(os, types->resources);
  types->resources = NULL;
}

static uint64_t canonical32(uint64_t v) { return (v & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : (uint32_t)v; }
static uint64_t canonical64(uint64_t v) {
  return (v & 0x7fffffffffffffffu) > 0x7ff0000000000000u ? 0x7ff8000000000000u : v;
}

wn_err_t wn_scalar_pass(wn_guest_t *guest, uint8_t kind, wn_value_t *value) {
  const wn_value_t v = *value;
  switch (kind) {
    case WN_K_BOOL:
      *value = (uint32_t)v != 0;
      break;
    case WN_K_U8:
      *value = (uint8_t)v;
      break;
    case WN_K_S8:
      *value = (uint32_t)(int8_t)v;
      break;
    case WN_K_U16:
      *value = (uint16_t)v;
      break;
    case WN_K_S16:
      *value = (uint32_t)(int16_t)v;
      break;
    case WN_K_F32:
      *value = canonical32(v);
      break;
    case WN_K_F64:
      *value = canonical64(v);
      break;
    case WN_K_CHAR:
      *value = (uint32_t)v;
      if ((uint32_t)v > 0x10ffffu || ((uint32_t)v >= 0xd800u && (uint32_t)v <= 0xdfffu))
        return wn_guest_trap(guest, "invalid `char` bit pattern");
      break;
    case WN_K_U32:
    case WN_K_S32:
      *value = (uint32_t)v;
      break;
    default:
      break;
  }
  return 0;
}
