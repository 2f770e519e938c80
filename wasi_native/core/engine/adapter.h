/* adapter.h - the contract of an engine adapter: one .c file that fills wn_engine_ops_t and nothing else.
 *
 * An adapter knows engine.h, guest.h and link.h. It opens its library at run time, declares the few symbols that
 * it uses, holds no logic of WASI, and keeps no global that changes. engine.c calls it; it calls wn_dispatch()
 * for each host call and wn_guest_check() at each of its own interruptions.
 */
#ifndef WN_CORE_ADAPTER_H
#define WN_CORE_ADAPTER_H

#include "core/guest/handle.h"
#include "core/link.h"
#include "core/os/os.h"

/* Of an engine that links instances itself. */
#define WN_CAP_SHARE_ALL                                                                           \
  (WN_CAP_SHARE_FUNCTIONS | WN_CAP_SHARE_MEMORIES | WN_CAP_SHARE_TABLES | WN_CAP_SHARE_CONSTANTS | \
   WN_CAP_SHARE_GLOBALS)

typedef struct wn_engine_ops wn_engine_ops_t;

/* ticker.c: the thread that makes computing guests look at the clock, while a call needs one. */
typedef struct wn_ticker {
  wn_thread_t *thread;
  uint32_t started; /* atomic */
  uint32_t calls;   /* atomic: calls under way that need ticks; the top bit ends the thread */
  uint32_t parked;  /* atomic: it sleeps until there are some */
} wn_ticker_t;

/* An adapter's own structs start with these. */
struct wn_engine {
  const wn_engine_ops_t *ops;
  const wn_os_t *os;
  wn_engine_config_t config;
  uint32_t caps;
  wn_ticker_t ticker;
};
struct wn_module {
  wn_engine_t *engine;
};
/* An exported function of another instance that an engine does not link by itself. */
typedef struct wn_other {
  wn_row_t row;
  wn_func_t func;
  char params[32], results[8], name[64];
} wn_other_t;
struct wn_instance {
  wn_guest_t guest; /* the first: wn_instance_guest() */
  wn_module_t *module;
  wn_trace_fn_t trace;
  void *trace_ctx;
  wn_row_t *rows; /* one per import, in the module's order: decorated copies, or functions of the embedder */
  size_t row_count;
  wn_other_t *others;
  size_t other_count;
  /* Of the component model. */
  wn_instance_t *kin;      /* of the same tree: shares the engine's store; NULL: the first */
  const char *memory_name; /* the export that rows use as memory: "memory", or another name for it */
  bool started;            /* exports can be called */
  bool wants_comp;         /* it imports WASI 0.2 by name */
  wn_memory_ref_t memory;  /* under that name; none before it has started, or where it exports none */
  wn_canon_opts_t opts;    /* of a module that imports WASI 0.2 by name */
  wn_comp_t *own;          /* likewise, made with it */
};

_Static_assert(offsetof(struct wn_instance, guest) == 0, "an instance begins with its guest");

/* What serves one import: a row, or the export `name` of a sibling. */
typedef struct wn_provide {
  const wn_row_t *row; /* NULL: the sibling's */
  wn_instance_t *sibling;
  wn_str_t name;
  const bool *apart; /* not NULL: points to whether the row looks for its memory itself, asked at each call */
} wn_provide_t;

struct wn_engine_ops {
  const char *name;
  /* Opens the library and the engine; *out is an adapter's struct whose head engine.c completes. */
  wn_err_t (*open)(const char *path, const wn_engine_config_t *config, wn_engine_t **out, wn_message_t *message);
  void (*close)(wn_engine_t *engine);
  /* Make computing guests look at their next check: a tick. Any thread. NULL: they look by themselves. */
  void (*interrupt)(wn_engine_t *engine);
  /* The same for one guest, from any thread and signal safe. NULL: interrupt is that, or they look by themselves. */
  void (*stop)(wn_instance_t *instance);
  wn_err_t (*wat)(wn_engine_t *engine, wn_str_t text, wn_str_t *out, wn_message_t *message); /* NULL: none */
  wn_err_t (*load)(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message);
  wn_err_t (*serialize)(const wn_module_t *module, wn_str_t *out, wn_message_t *message); /* NULL: none */
  /* part: which module of a file that has several; such a file is the wasm2c adapter's alone. */
  wn_err_t (*restore)(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out, wn_message_t *message);
  void (*module_delete)(wn_module_t *module);
  bool (*import)(const wn_module_t *module, size_t index, wn_extern_t *out);
  bool (*export)(const wn_module_t *module, size_t index, wn_extern_t *out);
  /* Bytes of an instance struct of this adapter, whose head is struct wn_instance. engine.c allocates it. */
  size_t instance_size;
  bool links_functions; /* provides may be functions of siblings; false: they all come as rows */
  /* provides[i] serves import i. Siblings (of kinds that the engine has WN_CAP_SHARE_* for) share what the engine
   * must share for that. Runs the start section. On failure the instance is left so that close_instance can be
   * called. */
  wn_err_t (*instantiate)(wn_instance_t *instance, const wn_provide_t *provides, size_t count, wn_message_t *message);
  void (*close_instance)(wn_instance_t *instance);
  /* Signature of an exported function, letters as in wn_host_func_t. MISSING. */
  wn_err_t (*signature)(wn_instance_t *instance, wn_str_t name, const char **params, const char **results);
  /* Call it; number of values already checked. The verdict of a host call that unwound is in guest.end. */
  wn_err_t (*call)(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                   wn_message_t *message);
  /* The same in two steps: the function is looked up once (signature has been asked), and called often, also in the
   * middle of calls of this and of other instances. values: parameters in, the result out. */
  wn_err_t (*func)(wn_instance_t *instance, wn_str_t name, wn_func_t *func);
  wn_err_t (*call_func)(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
  /* An exported memory, looked up once: memory->at is the adapter's, zero before. And as it is now, which is asked
   * for before each use. MISSING. */
  wn_err_t (*memory)(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory);
  wn_mem_t (*span)(const wn_memory_ref_t *memory);
  uint64_t (*fuel)(wn_instance_t *instance); /* NULL: not counted */
};

/* Whether that is the name of the memory that rows use. */
static inline bool wn_rows_memory(const wn_instance_t *instance, wn_str_t name) {
  return strlen(instance->memory_name) == name.len && memcmp(instance->memory_name, name.ptr, name.len) == 0;
}

extern const wn_engine_ops_t wn_engine_wasmtime;
extern const wn_engine_ops_t wn_engine_wasm2c;
extern const wn_engine_ops_t wn_engine_wasm_c_api;
extern const wn_engine_ops_t wn_engine_wasm3;
extern const wn_engine_ops_t wn_engine_fake;

/* printf into a message; no-op on NULL. Returns err, so that a failing line is one line. */
wn_err_t wn_message_set(wn_message_t *message, wn_err_t err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
