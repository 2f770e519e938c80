// Node's node:wasi, in a process of its own: node node_wasi.mjs ROOT GUEST.wasm
// It answers the lines of worker.py. The loops of the guest are those of the others.
import { readFileSync, readSync, readdirSync, writeSync } from "node:fs";
import { WASI } from "node:wasi";

const [root, file] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: ["bench", "--one", "two"], env: {}, preopens: { "/bench": root } });
let memory;
const bench = {
  nop() {},
  nop_mem(ptr) {
    new Uint8Array(memory.buffer, ptr, 8).fill(1);
    return 0;
  },
};
const module = new WebAssembly.Module(readFileSync(file));
const instance = new WebAssembly.Instance(module, { ...wasi.getImportObject(), bench });
memory = instance.exports.memory;
wasi.initialize(instance);

const answer = (object) => writeSync(1, JSON.stringify(object) + "\n");
const threads = () => {
  try {
    return readdirSync("/proc/self/task").length;
  } catch {
    return 0;
  }
};
const error = instance.exports.bench_setup();
if (error !== 0n) throw new Error(`bench_setup gives WASI errno ${error}`);
answer({ name: `Node ${process.versions.node}, node:wasi` });

const chunk = Buffer.alloc(65536);
let rest = "";
for (let got; (got = readSync(0, chunk)) > 0; ) {
  const lines = (rest + chunk.toString("utf8", 0, got)).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    const ask = JSON.parse(line);
    try {
      const start = process.hrtime.bigint();
      const code = instance.exports[ask.export](ask.turns);
      const ns = Number(process.hrtime.bigint() - start);
      answer(code === 0n ? { ns, threads: threads() } : { error: `${ask.export} gives WASI errno ${code}` });
    } catch (problem) {
      answer({ error: String(problem) });
    }
  }
}
