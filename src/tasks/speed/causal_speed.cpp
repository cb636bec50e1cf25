#include "tasks/speed/causal_speed.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <new>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/stop.h"
#include "kernels/causal_luna.h"
#include "kernels/sdpa.h"
#include "tasks/inputs.h"
#include "tasks/speed/model_step.h"
#include "tasks/speed/read_rate.h"
#include "tasks/speed/step_memory.h"
#include "tasks/speed/timed_decoder.h"

namespace attnlab {
namespace {

using Better = Summary::Better;
using Type = Column::Type;

constexpr int64_t read_bytes = int64_t{256} << 20;
constexpr int64_t tokens_of_a_chunk = 16;  // of the scan

/// The operands as a layer has them, a token's heads side by side.
class CausalOperands {
 public:
  CausalOperands(const CausalSpeedOptions& o, torch::Device device) {
    const auto random = [&](int64_t width) {
      return torch::randn({o.batch_size, o.length, o.heads, width}).transpose(1, 2).to(device);
    };
    q_ = random(o.head_dim).mul_(1.0 / std::sqrt(static_cast<double>(o.head_dim))).requires_grad_();
    k_ = random(o.head_dim).requires_grad_();
    v_ = random(o.head_dim).requires_grad_();
    a_ = torch::rand({o.batch_size, o.heads, o.length, o.projection_length}).to(device).requires_grad_();
    dy_ = random(o.head_dim);
  }

  void luna(CausalLunaForm form) { keep(causal_luna(q_, k_, v_, a_, {}, {}, {}, form), {q_, k_, v_, a_}); }
  void softmax() { keep(sdpa(q_, k_, v_, {.causal = true, .scale = 1.0}), {q_, k_, v_}); }
  /// Of the output and the gradients that the last pass left.
  int64_t result_bytes() const { return result_bytes_; }
  bool has_scan() const { return has_causal_luna_scan(q_, a_); }

 private:
  void keep(const Tensor& y, const std::vector<Tensor>& of) {
    const auto gradients = torch::autograd::grad({y}, of, {dy_});
    result_bytes_ = static_cast<int64_t>(y.nbytes());
    for (const Tensor& g : gradients) result_bytes_ += static_cast<int64_t>(g.nbytes());
  }

  Tensor q_, k_, v_, a_, dy_;
  int64_t result_bytes_ = 0;
};

struct TimedForm {
  std::string name;
  std::function<void()> pass;
  std::vector<double> seconds = {};
  int64_t extra_bytes = 0;
  int64_t runs = 0;  ///< between two waits for the device; 0: not known yet
};

std::vector<TimedForm> timed_forms(const CausalSpeedOptions& o, CausalOperands& operands) {
  std::vector<TimedForm> all;
  for (const std::string& name : o.forms) {
    if (name == "softmax")
      all.push_back({name, [&] { operands.softmax(); }});
    else
      all.push_back({name, [&operands, form = name == "scan"     ? CausalLunaForm::scan
                                              : name == "chunks" ? CausalLunaForm::chunks
                                                                 : CausalLunaForm::outer_products] {
                       operands.luna(form);
                     }});
  }
  return all;
}

struct MachineRates {
  double products, reads;
};

/// Rounds of all forms and of the machine's rates, whose medians are returned.
MachineRates time_forms(const CausalSpeedOptions& o, torch::Device device, const CausalOperands& operands,
                        std::vector<TimedForm>& forms, RecordSink& record) {
  ProductRate product(o.product_size, device, Precision::fp32);
  const ReadRate read(read_bytes, device);
  std::vector<double> products, reads;
  for (int64_t round = -o.warm_up; round < o.repetitions; ++round) {
    const double product_rate = product.measure(), read_rate = read.measure();
    for (TimedForm& form : forms) {
      stop_here_if_requested();
      if (form.runs == 0) form.runs = runs_between_waits(device, form.pass);
      const HeldTensors held(device);
      const double seconds = seconds_of(device,
                                        [&] {
                                          for (int64_t i = 0; i < form.runs; ++i) form.pass();
                                        }) /
                             static_cast<double>(form.runs);
      form.extra_bytes = held.peak() - operands.result_bytes();
      if (round < 0) continue;
      form.seconds.push_back(seconds);
      const Value row[] = {round,        form.name, int64_t{at::get_num_threads()}, seconds, form.extra_bytes,
                           product_rate, read_rate};
      record.append("/causal", row);
    }
    if (round >= 0) {
      products.push_back(product_rate);
      reads.push_back(read_rate);
    }
    record.flush();
  }
  return {median(products), median(reads)};
}

bool has(const CausalSpeedOptions& o, const char* form) {
  return std::find(o.forms.begin(), o.forms.end(), form) != o.forms.end();
}

/// Of one number of threads, in the order in which `figures_of` gives them.
std::vector<Headline> causal_headlines(const CausalSpeedOptions& o, int64_t threads) {
  const auto name = [&](const std::string& figure) { return with_threads(figure, threads); };
  std::vector<Headline> all;
  for (const std::string& form : o.forms) {
    all.push_back({name("seconds_" + form), "s", "forward and backward, median", Better::lower});
    if (form != "scan" && has(o, "scan"))
      all.push_back({name("scan_speedup_" + form), "1", "times faster the scan is, median of the rounds",
                     Better::higher});
  }
  all.push_back({name("product_rate"), "FLOP/s", "the device's rate of matrix products in the same rounds",
                 Better::neither});
  all.push_back({name("read_rate"), "byte/s", "memory read in the same rounds", Better::neither});
  if (has(o, "scan")) {
    all.push_back({name("product_share"), "1", "the scan's products, over its time and the rate of products",
                   Better::higher});
    all.push_back({name("read_share"), "1",
                   "operands and results that the scan passes by, over its time and "
                   "the read rate",
                   Better::neither});
  }
  return all;
}

std::vector<double> figures_of(const CausalSpeedOptions& o, const std::vector<TimedForm>& forms,
                               const MachineRates& rates) {
  const auto scan = std::find_if(forms.begin(), forms.end(), [](const auto& f) { return f.name == "scan"; });
  std::vector<double> values;
  for (const TimedForm& form : forms) {
    values.push_back(median(form.seconds));
    if (form.name == "scan" || scan == forms.end()) continue;
    std::vector<double> times;
    for (size_t i = 0; i < form.seconds.size(); ++i) times.push_back(form.seconds[i] / scan->seconds[i]);
    values.push_back(median(times));
  }
  values.push_back(rates.products);
  values.push_back(rates.reads);
  if (scan != forms.end()) {
    const double seconds = median(scan->seconds);
    values.push_back(share_of_rate("scan, products", o.scan_flops() / seconds / rates.products));
    values.push_back(share_of_rate("scan, memory", o.scan_bytes() / seconds / rates.reads));
  }
  return values;
}

std::vector<Headline> memory_headlines(const CausalSpeedOptions& o) {
  std::vector<Headline> all;
  for (const std::string& form : o.forms)
    all.push_back({"extra_bytes_" + form, "byte",
                   "most held by tensors beyond operands, output and their gradients", Better::lower});
  return all;
}

}  // namespace

void CausalSpeedOptions::visit(Fields& f) {
  f("forms", forms, OneOf{{"scan", "chunks", "outer_products", "softmax"}},
    "what is timed: forms of causal Luna (see its attention's `form`), and Torch's fused causal softmax");
  f.require(!forms.empty(), "forms", "must name at least one");
  f("length", length, Range{1, 1 << 24}, "tokens of a text");
  f("projection_length", projection_length, Range{1, 1 << 16}, "rows of P");
  f("batch_size", batch_size, Range{1, 65536}, "texts");
  f("heads", heads, Range{1, 65536}, "heads");
  f("head_dim", head_dim, Range{1, 65536}, "width of a head");
  visit_thread_counts(f, thread_counts);
  f("repetitions", repetitions, Range{1, 1000}, "timed rounds, each form once in each; medians are reported");
  f("warm_up", warm_up, Range{0, 100}, "untimed rounds before them");
  f("product_size", product_size, Range{64, 16384},
    "side of the square matrices that measure the device's rate of products");
}

std::vector<Table> CausalSpeedOptions::tables() const {
  return {{"/causal",
           "passes forward and backward, in the order in which they ran",
           {{"repetition", Type::integer, "1", "round; every form runs once in each"},
            {"form", Type::text, "1", "what ran"},
            {"threads", Type::integer, "1", "threads on the CPU"},
            {"seconds", Type::real, "s", "forward and backward"},
            {"extra_bytes", Type::integer, "byte", "most held beyond operands, output and gradients"},
            {"product_rate", Type::real, "FLOP/s", "rate of matrix products in the same round"},
            {"read_rate", Type::real, "byte/s", "memory read in the same round"}}}};
}

std::vector<Headline> CausalSpeedOptions::headlines() const {
  std::vector<Headline> all = memory_headlines(*this);
  for (const int64_t threads : thread_counts)
    for (const Headline& h : causal_headlines(*this, threads)) all.push_back(h);
  return all;
}

double CausalSpeedOptions::scan_flops() const {
  const auto n = static_cast<double>(batch_size * heads * length), d = static_cast<double>(head_dim),
             l = static_cast<double>(projection_length), c = static_cast<double>(tokens_of_a_chunk);
  // Two scans of 4·l·d + 2·c·(d + l) and one of twice 3·l·d + 2·c·(d + l) multiplications a token.
  return 2 * n * (2 * (4 * l * d + 2 * c * (d + l)) + 2 * (3 * l * d + 2 * c * (d + l)));
}

double CausalSpeedOptions::scan_bytes() const {
  const auto n = static_cast<double>(batch_size * heads * length), d = static_cast<double>(head_dim),
             l = static_cast<double>(projection_length);
  // Forward q, k, v, a to y, u; then dy, v, k, a, u to dq, dlogits; then q, k, v, dy, a, u, dlogits to dk,
  // dv, da.
  return 4 * n * ((4 * d + 2 * l) + (4 * d + 3 * l) + (6 * d + 4 * l));
}

double CausalSpeedOptions::work() const {
  const auto n = static_cast<double>(length), rows = static_cast<double>(batch_size * heads);
  const double quadratic = has(*this, "softmax") ? 7 * n * n * static_cast<double>(head_dim) * rows : 0;
  return static_cast<double>(repetitions + warm_up) * (4 * scan_flops() + quadratic);
}

int64_t CausalSpeedOptions::memory(torch::DeviceType) const {
  const int64_t row = 4 * batch_size * heads * length;
  const int64_t operands = row * (10 * head_dim + 3 * projection_length);
  const int64_t outer = has(*this, "outer_products") ? row * 4 * head_dim * projection_length : 0;
  return operands + 4 * operands + outer + read_bytes + 12 * product_size * product_size;
}

void CausalSpeedOptions::run(const RunContext& context, RecordSink& record) const {
  record.truncate("/causal", 0);  // a resumed run measures everything anew
  try {
    measure(context, record);
  } catch (const std::bad_alloc&) {  // which names no sizes
    throw OutOfMemory(
        fmt::format("{} text(s) of {} tokens with {} head(s) {} wide and {} rows of P did not fit",
                    batch_size, length, heads, head_dim, projection_length));
  }
}

void CausalSpeedOptions::measure(const RunContext& context, RecordSink& record) const {
  refuse_init_from(context, "causal_speed");
  torch::manual_seed(derive_seed(context.seed, "causal_speed"));
  CausalOperands operands(*this, context.device);
  if (has(*this, "scan") && !operands.has_scan())
    user_error(
        "task causal_speed: there is no scan on {} for {} rows of P and heads {} wide, or its library is "
        "missing, and chunks would be timed under its name: leave it out of forms",
        context.device.str(), projection_length, head_dim);
  std::vector<TimedForm> forms = timed_forms(*this, operands);
  for_thread_counts(thread_counts, [&](int64_t threads) {
    for (TimedForm& form : forms) form.seconds.clear();
    const MachineRates rates = time_forms(*this, context.device, operands, forms, record);
    summarise_all(record, causal_headlines(*this, threads), figures_of(*this, forms, rates), repetitions);
    for (const TimedForm& form : forms)
      summarise_quartiles(with_threads("seconds_" + form.name, threads), "s", form.seconds, record);
    for (const TimedForm& form : forms)
      log_info("{} thread(s), {} tokens, l = {}: {} {:.2f} ms, {:.1f} MiB beyond operands and results",
               at::get_num_threads(), length, projection_length, form.name, 1e3 * median(form.seconds),
               static_cast<double>(form.extra_bytes) / (1 << 20));
  });
  std::vector<double> bytes;
  for (const TimedForm& form : forms) bytes.push_back(static_cast<double>(form.extra_bytes));
  summarise_all(record, memory_headlines(*this), bytes, 1);
  record.flush();
}

}  // namespace attnlab
