/* component.h - components at run time: their instances, their resources, and the core functions between them.
 *
 * A component is core modules and a description of how they are put together. Whoever reads that description makes a
 * wn_comp_t for each instance, instantiates its core modules with bindings (engine.h), and for each import a
 * wn_canon_func_t. All of one tree of components run in one world (wn_sys_t) and on one thread at a time.
 *
 * The one who reads it in this package is wasi_native/component, in Python. A core module that imports WASI 0.2 by
 * name needs nothing of this file: wn_instance_new() alone (examples/c/embed.c).
 */
#ifndef WASI_NATIVE_COMPONENT_H
#define WASI_NATIVE_COMPONENT_H

#include "base.h"
#include "engine.h"
#include "sys.h"
#include "values.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- instances of components ---- */

/* parent: the instance around it, NULL for the root of a tree. Delete children before their parents, and all after
 * the core instances. No destructor runs at the end: what WASI's resources hold is given back with the world. NOMEM.
 */
WN_API wn_err_t wn_comp_new(wn_sys_t *sys, wn_comp_t *parent, wn_comp_t **out);
WN_API void wn_comp_delete(wn_comp_t *comp);

/* ---- types of resources ---- */

typedef struct wn_rt wn_rt_t;

/* A type that `owner` defines. NOMEM. */
WN_API wn_err_t wn_rt_new(wn_comp_t *owner, wn_rt_t **out);
/* What the embedder defines: drop is called when the last owner is gone; it may not call the guest. */
typedef wn_err_t (*wn_rt_drop_fn_t)(void *ctx, uint32_t rep);
WN_API wn_err_t wn_rt_new_host(wn_sys_t *sys, wn_rt_drop_fn_t drop, void *ctx, wn_rt_t **out);
/* WASI's own: "wasi:io/streams@0.2.0", "input-stream". Static; NULL: there is none. Any thread. */
WN_API const wn_rt_t *wn_rt_wasi(wn_str_t module, wn_str_t name);
/* The destructor of a component's type: a core function of one i32. MISSING, INVALID. */
WN_API wn_err_t wn_rt_set_destructor(wn_rt_t *rt, wn_instance_t *instance, wn_str_t name);
WN_API void wn_rt_delete(wn_rt_t *rt); /* after all that has handles of it */
/* The embedder drops what it was given to own: the destructor runs. Verdicts, with a message. */
WN_API wn_err_t wn_rt_drop(const wn_rt_t *rt, uint32_t rep, wn_message_t *message);

/* ---- core functions of a component ---- */

/* The options of canon lift and lower. */
typedef struct wn_canon_config {
  wn_comp_t *comp;       /* on whose side this is */
  wn_instance_t *memory; /* whose memory, by the name of its export; NULL: none */
  wn_str_t memory_name;
  wn_instance_t *realloc; /* likewise */
  wn_str_t realloc_name;
  uint32_t encoding; /* of strings: 0 UTF-8, 1 UTF-16, 2 Latin-1 or UTF-16 */
  bool is_async;     /* of lift: the result goes to task.return; of lower: it is in memory, a status is answered */
} wn_canon_config_t;

/* A function for WN_BIND_FUNC; it traps until it is bound, which is once. Letters as in wn_host_func_t, at most 17
 * parameters and one result; module and name are for traces and messages. All texts are copied. NOMEM, INVALID. */
WN_API wn_err_t wn_canon_func_new(wn_comp_t *comp, const char *module, const char *name, const char *params,
                                  const char *results, wn_canon_func_t **out);
WN_API void wn_canon_func_delete(wn_canon_func_t *func);

/* To WASI's own function, lowered with these options (comp alone for one that needs neither memory nor realloc).
 * MISSING: no such function; INVALID: bound already, another signature, a wrong option. */
WN_API wn_err_t wn_canon_func_bind_row(wn_canon_func_t *func, wn_str_t module, wn_str_t name,
                                       const wn_canon_config_t *config);

/* The types of a function: its plan, and the type of each resource that the plan numbers. */
typedef struct wn_signature {
  const wn_plan_t *plan;
  const wn_rt_t *const *resources; /* copied */
  size_t resource_count;
} wn_signature_t;

/* A function of a component as others call it: canon lift of a core function. Borrows the plan. MISSING: no such
 * export; INVALID: another signature than the plan's, a missing memory or realloc. */
typedef struct wn_lifted wn_lifted_t;
typedef struct wn_lift_config {
  wn_canon_config_t options;
  wn_signature_t signature;
  wn_instance_t *instance;
  wn_str_t name;
  wn_instance_t *post_return; /* NULL: none */
  wn_str_t post_return_name;
  bool callback;     /* lifted async, with one */
  uint32_t returned; /* lifted async: a number for the type of its result, of the embedder's choice */
  bool waits;        /* its type is async: it is not entered while there is backpressure, which is a trap here */
} wn_lift_config_t;
WN_API wn_err_t wn_lifted_new(const wn_lift_config_t *config, wn_lifted_t **out);
WN_API void wn_lifted_delete(wn_lifted_t *lifted);

/* The embedder calls it: params are read, the result is appended to `result`. 0 or a verdict, with a message. BUSY as
 * in wn_instance_call(). A component that is under way or has ended is not entered: WN_TRAP_CANON. */
WN_API wn_err_t wn_lifted_call(wn_lifted_t *lifted, wn_values_t *params, wn_values_t *result, wn_message_t *message);
/* How the component ended; 0 while it can be called. */
WN_API void wn_lifted_get_end(const wn_lifted_t *lifted, wn_end_t *end);
WN_API wn_arena_t *wn_comp_arena(wn_comp_t *comp); /* for its streams */

/* Bind to such a function of another instance, lowered with these options. INVALID. */
WN_API wn_err_t wn_canon_func_bind_call(wn_canon_func_t *func, wn_lifted_t *lifted, const wn_canon_config_t *config);

/* Bind to a function of the embedder: it reads params and appends to result what the plan says. Returns 0, or < 0 to
 * end the guest, as wn_host_fn_t does. */
typedef wn_err_t (*wn_component_fn_t)(void *ctx, wn_comp_t *caller, wn_values_t *params, wn_values_t *result);
WN_API wn_err_t wn_canon_func_bind_host(wn_canon_func_t *func, const wn_signature_t *signature, wn_component_fn_t fn,
                                        void *ctx, const wn_canon_config_t *config);

/* To canon resource.new, .rep or .drop of this type, for the instance that the function was made for. INVALID. */
enum { WN_RESOURCE_NEW = 0, WN_RESOURCE_REP = 1, WN_RESOURCE_DROP = 2 };
WN_API wn_err_t wn_canon_func_bind_resource(wn_canon_func_t *func, uint32_t what, const wn_rt_t *rt);

/* To canon task.return: `signature` has no parameters, and the result that is returned; `returned` is the number of
 * its type. Called where the async call under way is none, or of another number, or has returned: it traps. INVALID.
 */
WN_API wn_err_t wn_canon_func_bind_return(wn_canon_func_t *func, const wn_signature_t *signature, uint32_t returned,
                                          const wn_canon_config_t *config);

/* To a built-in of tasks that asks nobody to wait: storage of the call under way (index 0 or 1), the count that keeps
 * async calls out while it is not 0, and task.cancel, which traps, for nothing is
 * cancelled here. INVALID. */
enum { WN_TASK_CANCEL = 0, WN_CONTEXT_GET = 1, WN_CONTEXT_SET = 2, WN_BACKPRESSURE_INC = 3, WN_BACKPRESSURE_DEC = 4 };
WN_API wn_err_t wn_canon_func_bind_task(wn_canon_func_t *func, uint32_t what, uint32_t index);

/* To another canon function, which may be bound later. INVALID. */
WN_API wn_err_t wn_canon_func_bind_same(wn_canon_func_t *func, wn_canon_func_t *other);

/* To an exported function of a core instance: what an elided shim stands for. MISSING, INVALID. */
WN_API wn_err_t wn_canon_func_bind_core(wn_canon_func_t *func, wn_instance_t *instance, wn_str_t name);

#ifdef __cplusplus
}
#endif
#endif
