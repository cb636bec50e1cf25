#include "cache/afterlife.h"

#include "cache/policies/merging.h"
#include "cache/policies/summary.h"

namespace attnlab {

std::unique_ptr<Afterlife> make_afterlife(const PolicyNeeds& needs) {
  switch (needs.dropped) {
    case Dropped::merged:
      return std::make_unique<Merging>();
    case Dropped::summarised:
      return std::make_unique<DroppedSummary>(needs.directions);
    default:
      return nullptr;
  }
}

}  // namespace attnlab
