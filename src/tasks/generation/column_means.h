// Figures that are means over questions or texts.
#pragma once

#include <span>
#include <vector>

#include "core/record.h"

namespace attnlab {

/// Writes the mean of column j as figure j, with its standard error over the rows; NaN leaves a row out, and
/// a column without any number has no figure.
void summarise_means(std::span<const Headline> figures, const std::vector<std::vector<double>>& rows,
                     RecordSink& record);

}  // namespace attnlab
