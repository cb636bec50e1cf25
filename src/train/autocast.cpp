#include "train/autocast.h"

#include <ATen/autocast_mode.h>

namespace attnlab {

Autocast::Autocast(Precision precision, torch::Device device)
    : device_(device.type()), on_(precision == Precision::bf16) {
  if (!on_) return;
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, torch::kBFloat16);
}

Autocast::~Autocast() {
  if (!on_) return;
  at::autocast::set_autocast_enabled(device_, false);
  at::autocast::clear_cache();
}

}  // namespace attnlab
