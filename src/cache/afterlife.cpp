#include "cache/afterlife.h"

namespace attnlab {

std::unique_ptr<Afterlife> PolicyOptions::afterlife() const { return nullptr; }

}  // namespace attnlab
