#include "train/autocast.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

namespace attnlab {

Autocast::Autocast(Precision precision, torch::Device device)
    : device_(device.type()), precision_(precision), tf32_before_(at::globalContext().allowTF32CuBLAS()) {
  if (precision == Precision::tf32) at::globalContext().setAllowTF32CuBLAS(true);
  if (precision != Precision::bf16) return;
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, torch::kBFloat16);
}

Autocast::~Autocast() {
  if (precision_ == Precision::tf32) at::globalContext().setAllowTF32CuBLAS(tf32_before_);
  if (precision_ != Precision::bf16) return;
  at::autocast::set_autocast_enabled(device_, false);
  at::autocast::clear_cache();
}

}  // namespace attnlab
