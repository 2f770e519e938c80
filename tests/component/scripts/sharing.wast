;; Modules that share a memory, a table and a global.
(component
  (core module $Base
    (memory (export "mem") 1)
    (table (export "tab") 4 funcref)
    (global (export "glob") (mut i32) (i32.const 3)))
  (core module $Fill
    (import "base" "mem" (memory 1))
    (import "base" "tab" (table 4 funcref))
    (import "base" "glob" (global $g (mut i32)))
    (func $seven (result i32) (i32.const 7))
    (elem (i32.const 2) $seven)
    (func $start (i32.store (i32.const 8) (i32.const 30)) (global.set $g (i32.const 5)))
    (start $start))
  (core module $Use
    (import "base" "mem" (memory 1))
    (import "base" "tab" (table 4 funcref))
    (import "base" "glob" (global $g (mut i32)))
    (func (export "sum") (result i32)
      (i32.add (i32.add (i32.load (i32.const 8)) (global.get $g)) (call_indirect (result i32) (i32.const 2)))))
  (core instance $base (instantiate $Base))
  (core instance (instantiate $Fill (with "base" (instance $base))))
  (core instance $use (instantiate $Use (with "base" (instance $base))))
  (func (export "sum") (result u32) (canon lift (core func $use "sum")))
)
(assert_return (invoke "sum") (u32.const 42))
