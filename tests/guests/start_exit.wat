;; start_exit - ends in its start section, with the exit code 3: before any export can be called.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $main (call $proc_exit (i32.const 3)))
  (func (export "_start"))
  (start $main))
