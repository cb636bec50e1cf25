// What has to be done before anything else in the process.
#pragma once

namespace attnlab {

/// Installs the counting allocator, and keeps HDF5 from closing files at exit: its handler crashes at a file
/// that a full disk kept from being closed, and every file here is closed by its owner. Call once, first
/// thing in main.
void prepare_process();

}  // namespace attnlab
