#include "run/exit.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>

#include "core/error.h"

namespace attnlab {
namespace {

/// Torch's own CPU allocator reports exhaustion as a plain c10::Error, recognisable by its words alone.
bool speaks_of_memory(std::string_view text) {
  for (const std::string_view words : {"not enough memory", "can't allocate memory", "out of memory"})
    if (text.find(words) != std::string_view::npos) return true;
  return false;
}

Outcome out_of_memory(const std::string& detail) {
  return {"out_of_memory", detail.empty() ? "out of memory" : "out of memory: " + detail, exit_failed};
}

}  // namespace

Outcome outcome_of(const std::exception_ptr& error) {
  if (!error) return {"done", "", exit_done};
  try {
    std::rethrow_exception(error);
  } catch (const Interrupted& e) {
    return {"interrupted", e.what(), 128 + e.signal};
  } catch (const Diverged& e) {
    return {"diverged", e.what(), exit_failed};
  } catch (const UserError& e) {
    return {"failed", e.what(), exit_user};
  } catch (const OutOfMemory& e) {
    return out_of_memory(e.what());
  } catch (const std::bad_alloc&) {
    return out_of_memory("");
  } catch (const c10::OutOfMemoryError& e) {
    return out_of_memory(e.what_without_backtrace());
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    return speaks_of_memory(text) ? out_of_memory(text) : Outcome{"failed", text, exit_failed};
  } catch (const std::exception& e) {
    return {"failed", e.what(), exit_failed};
  } catch (...) {
    return {"failed", "an exception of unknown type", exit_failed};
  }
}

}  // namespace attnlab
