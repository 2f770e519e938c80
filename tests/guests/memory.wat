;; memory - load, store and grow under the test's hand: memory.grow moves it or answers -1.
(module
  (memory (export "memory") 1 65536)
  (data (i32.const 16) "sixteen")
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))
