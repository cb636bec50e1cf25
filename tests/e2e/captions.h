// A translation set of which a tiny model learns something in a second: in the lab's data folder, as Multi30k
// lies.
#pragma once

#include <string>

#include "lab.h"

namespace attnlab {

/// Twelve words, each with its own translation; `lines` sentences of two to six of them.
void write_captions(const Lab& lab, int lines = 120);

/// translate.yaml for it: a Luna of all three attentions, 12 updates.
extern const char* const translate_yaml;

}  // namespace attnlab
