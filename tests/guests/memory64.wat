;; memory64 - a memory with 64-bit addresses, which WASI 0.1 cannot speak about.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (memory (export "memory") i64 1)
  (func (export "clock") (result i32) (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0))))
