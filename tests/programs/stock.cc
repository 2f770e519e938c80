// stock - read "name count price" lines from the file in argv[1], and write what is there, by value, to argv[2].
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

struct Item {
  std::string name;
  long count = 0;
  double value = 0;
};

struct Close {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;  // the compiler's C++ library has no fstream here

static bool read_all(const char *path, std::string &text) {
  File file(std::fopen(path, "r"));
  char block[4096];
  if (!file) return false;
  while (std::size_t got = std::fread(block, 1, sizeof block, file.get())) text.append(block, got);
  return std::ferror(file.get()) == 0;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    std::cerr << "usage: stock FROM TO\n";
    return 2;
  }
  auto start = std::chrono::steady_clock::now();
  std::string text;
  if (!read_all(argv[1], text)) {
    std::cerr << "stock: cannot read " << argv[1] << "\n";
    return 1;
  }
  std::istringstream in(text);
  std::map<std::string, std::unique_ptr<Item>> items;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string name;
    long count = 0;
    double price = 0;
    if (!(words >> name >> count >> price)) continue;
    auto &item = items[name];
    if (!item) item = std::make_unique<Item>(Item{name, 0, 0});
    item->count += count;
    item->value += static_cast<double>(count) * price;
  }
  std::vector<const Item *> sorted;
  for (const auto &[name, item] : items) sorted.push_back(item.get());
  std::stable_sort(sorted.begin(), sorted.end(), [](auto *a, auto *b) { return a->value > b->value; });
  std::ostringstream out;
  double total = 0;
  for (const Item *item : sorted) {
    total += item->value;
    out << std::left << std::setw(8) << item->name << std::right << std::setw(6) << item->count << std::fixed
        << std::setprecision(2) << std::setw(10) << item->value << '\n';
  }
  File file(std::fopen(argv[2], "w"));
  if (!file || std::fputs(out.str().c_str(), file.get()) < 0 || std::fflush(file.get()) != 0) {
    std::cerr << "stock: cannot write " << argv[2] << "\n";
    return 1;
  }
  auto took = std::chrono::steady_clock::now() - start;
  std::cout << sorted.size() << " items, " << std::fixed << std::setprecision(2) << total << std::endl;
  return took.count() >= 0 ? EXIT_SUCCESS : 3;
}
