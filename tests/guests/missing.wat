;; missing - imports that nobody has: an unknown function of a known module, an unknown module, a known
;; function with another signature, a memory. A link error names them all at once.
(module
  (import "wasi_snapshot_preview1" "fd_teleport" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
  (import "elsewhere" "work" (func (param i32)))
  (import "env" "memory" (memory 1))
  (func (export "_start")))
