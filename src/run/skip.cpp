#include "run/skip.h"

#include "core/files.h"
#include "results/record_file.h"
#include "run/attributes.h"
#include "run/folder.h"
#include "run/machine.h"

namespace attnlab {

void record_skip(const PlannedRun& run, const std::string& reason, bool on_gpu,
                 const std::vector<std::string>& argv) {
  const RunFolder folder{run.folder};
  const std::string status = state_of(folder).status;
  if (status != "not started" && status != "skipped") return;
  const FileLock lock = lock_folder(folder);
  write_atomically(folder.config(), run.yaml);
  const auto record = open_record(run.folder);
  const int64_t threads = run.options.threads > 0 ? run.options.threads : this_machine().cores;
  write_attributes(*record, run, argv, on_gpu ? torch::kCUDA : torch::kCPU, static_cast<int>(threads));
  record->attribute("finished", iso_now());
  record->attribute("error", reason);
  record->attribute("status", std::string("skipped"));
  record->flush();
}

}  // namespace attnlab
