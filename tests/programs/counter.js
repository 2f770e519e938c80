// A component of JavaScript: what jco componentize makes of this file and program.wit.
export const words = {
  count(text) {
    if (!text) throw { tag: "empty" };
    if (text.length > 1000) throw { tag: "too-long", val: text.length };
    const found = new Map();
    for (const word of text.toLowerCase().match(/[^\s,:]+/g)) found.set(word, (found.get(word) ?? 0) + 1);
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, times]) => ({ word, times }));
  },
};

export const run = {
  run() {
    console.log("words", JSON.stringify(words.count("the Fox, the dog: ÄÖ äö")));
    console.log("clock", Date.now() > 1.7e12, "random", Math.random() !== Math.random());
    console.error("to stderr");
  },
};
