// Rotary positions as a config.json describes them, in the old form (rope_theta, rope_scaling) and the newer
// one (rope_parameters).
#pragma once

#include <nlohmann/json.hpp>

#include "cache/rope_scaling.h"
#include "io/json_file.h"
#include "models/decoder_options.h"

namespace attnlab {

/// Fills in rope_theta and rope_scaling; max_positions has been read. Throws UserError naming file and key
/// for a kind of scaling that is not implemented ("dynamic", "longrope"), or one with a number missing or out
/// of range.
void read_rope(const JsonFile& config, DecoderOptions& options);

/// `rope_scaling` as transformers 4 reads it; null for none.
nlohmann::ordered_json rope_scaling_json(const RopeScaling& scaling);

}  // namespace attnlab
