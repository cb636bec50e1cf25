// An owned object of a base class that is copied with what owns it.
#pragma once

#include <memory>
#include <utility>

namespace attnlab {

/// A unique_ptr whose copy holds a clone() of its object, so that what has such a member is copied member by
/// member.
template <class Base>
class Cloned {
 public:
  Cloned() = default;
  Cloned(std::unique_ptr<Base> held) : held_(std::move(held)) {}
  Cloned(const Cloned& other) : held_(other.held_ ? other.held_->clone() : nullptr) {}
  Cloned(Cloned&&) noexcept = default;
  Cloned& operator=(Cloned other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }

  explicit operator bool() const { return held_ != nullptr; }
  Base& operator*() const { return *held_; }
  Base* operator->() const { return held_.get(); }

 private:
  std::unique_ptr<Base> held_;
};

}  // namespace attnlab
