#include "tasks/speed/device_rates.h"

#include <fmt/format.h>

#include "core/random.h"
#include "core/stop.h"
#include "tasks/inputs.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/read_rate.h"
#include "train/autocast.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

double product_rate_in(int64_t side, torch::Device device, Precision precision) {
  ProductRate rate(side, device, precision);
  const Autocast mode(precision == Precision::tf32 ? precision : Precision::fp32, device);
  return rate.measure();
}

/// Bytes a second, each counted when it is read and when it is written.
double copy_rate(int64_t bytes, torch::Device device) {
  const torch::Tensor from = torch::zeros({bytes / 2},
                                          torch::TensorOptions().dtype(torch::kByte).device(device)),
                      to = torch::empty_like(from);
  return 2.0 * static_cast<double>(from.nbytes()) / seconds_each(device, [&] { to.copy_(from); });
}

/// From the call of an operator that does next to nothing to the next one.
double start_seconds(torch::Device device) {
  const torch::Tensor x = torch::zeros({32}, torch::TensorOptions().device(device));
  constexpr int64_t calls = 10'000;  // 20 ms or more on a GPU, beside whose start and end a wait is nothing
  const auto some = [&] {
    for (int64_t i = 0; i < calls; ++i) x.add_(1);
  };
  some();
  return std::min(seconds_of(device, some), seconds_of(device, some)) / calls;
}

std::vector<Headline> rate_headlines() {
  const auto product = [](const char* name, const char* how) {
    return Headline{name, "FLOP/s", fmt::format("of products of square matrices in {}, median", how),
                    Better::higher};
  };
  return {product("product_rate_fp32", "fp32"),
          product("product_rate_tf32", "TF32 (CUDA)"),
          product("product_rate_bf16", "bf16"),
          {"read_rate", "byte/s", "of summing fp32 numbers, median", Better::higher},
          {"copy_rate", "byte/s", "of copying, bytes read and bytes written, median", Better::higher},
          {"start_seconds", "s", "from one small operator to the next, median", Better::lower}};
}

}  // namespace

void DeviceRatesOptions::visit(Fields& f) {
  f("product_size", product_size, Range{0, 65536}, "side of the matrices; 0: 2048 on the CPU, 8192 on CUDA");
  f("bytes", bytes, Range{1 << 20, 1e12}, "read, and moved by a copy");
  f("repetitions", repetitions, Range{1, 1000}, "rounds; medians are reported");
}

int64_t DeviceRatesOptions::side(torch::DeviceType device) const {
  return product_size > 0 ? product_size : device == torch::kCUDA ? 8192 : 2048;
}

std::vector<Table> DeviceRatesOptions::tables() const {
  std::vector<Column> columns = {{"repetition", Type::integer, "1", "round"}};
  for (const Headline& h : rate_headlines()) columns.push_back({h.name, Type::real, h.unit, h.meaning});
  return {{"/rates", "rates of the device, round by round", columns}};
}

std::vector<Headline> DeviceRatesOptions::headlines() const { return rate_headlines(); }

int64_t DeviceRatesOptions::memory(torch::DeviceType device) const {
  return std::max(2 * bytes, 12 * side(device) * side(device));
}

void DeviceRatesOptions::run(const RunContext& context, RecordSink& record) const {
  refuse_weights(context, "device_rates");
  record.truncate("/rates", 0);  // a resumed run measures everything anew
  torch::manual_seed(derive_seed(context.seed, "device_rates"));
  const torch::Device device = context.device;
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<double>> all(rate_headlines().size());
  for (int64_t round = 0; round < repetitions; ++round) {
    stop_here_if_requested();
    const int64_t n = side(device.type());
    const double rates[] = {product_rate_in(n, device, Precision::fp32),
                            device.is_cuda() ? product_rate_in(n, device, Precision::tf32) : Summary::unknown,
                            product_rate_in(n, device, Precision::bf16),
                            ReadRate(bytes, device).measure(),
                            copy_rate(bytes, device),
                            start_seconds(device)};
    std::vector<Value> row = {round};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].push_back(rates[i]);
      row.emplace_back(rates[i]);
    }
    record.append("/rates", row);
  }
  std::vector<double> medians;
  for (const auto& values : all) medians.push_back(median(values));
  summarise_all(record, rate_headlines(), medians, repetitions);
  record.flush();
}

}  // namespace attnlab
