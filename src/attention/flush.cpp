#include "attention/flush.h"

#include "core/error.h"

namespace attnlab {

Flush::Flush(const Tensor& padding_BN, int64_t n, bool looks) : n_(n), length_(n) {
  if (!padding_BN.defined()) return;
  const Tensor lengths_B = padding_BN.logical_not().sum(1);
  if (looks) length_ = lengths_B.max().item<int64_t>();
  const Tensor columns_L = torch::arange(length_, lengths_B.options());
  padding_BL_ = columns_L.unsqueeze(0).ge(lengths_B.unsqueeze(1));
  if (!looks || !torch::equal(padding_BL_, padding_BN.narrow(1, 0, length_)))
    order_BN_ = padding_BN.to(torch::kByte).argsort(/*stable=*/true, /*dim=*/1);
}

Tensor Flush::left(const Tensor& x_BND) const {
  if (!order_BN_.defined()) return x_BND.narrow(1, 0, length_);
  const Tensor from_BL1 = order_BN_.narrow(1, 0, length_).unsqueeze(-1);
  return x_BND.gather(1, from_BL1.expand({-1, -1, x_BND.size(2)}));
}

Tensor Flush::back(const Tensor& y_BLD) const {
  const Tensor y_BND = length_ < n_ ? torch::constant_pad_nd(y_BLD, {0, 0, 0, n_ - length_}) : y_BLD;
  if (!order_BN_.defined()) return y_BND;
  const Tensor to_BN1 = order_BN_.argsort(/*stable=*/true, /*dim=*/1).unsqueeze(-1);
  return y_BND.gather(1, to_BN1.expand({-1, -1, y_BND.size(2)}));
}

void check_fixed_length(const char* attention, int64_t length, int64_t max_length) {
  if (length > max_length)
    user_error(
        "{} has weights for {} positions and got a sequence of {}: it is a fixed-length attention, built "
        "for the longest text of its training; raise the maximum length and train anew",
        attention, max_length, length);
}

}  // namespace attnlab
