"""Draws and saves the plots of a report; each is made only where the runs have something to show in it."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "plots"))
import accuracy_by_example_length  # noqa: E402
import accuracy_by_length  # noqa: E402
import accuracy_by_projection  # noqa: E402
import bounded_state  # noqa: E402
import common  # noqa: E402
import cost_by_bytes  # noqa: E402
import kept_life_by_class  # noqa: E402
import kept_positions  # noqa: E402
import learning_curve  # noqa: E402
import learning_curves  # noqa: E402
import loss_by_position  # noqa: E402
import memory_by_length  # noqa: E402
import perplexity_by_book  # noqa: E402
import perplexity_by_size  # noqa: E402
import retrieval_heatmap  # noqa: E402
import speed_by_length  # noqa: E402
import speed_memory  # noqa: E402

from report import html  # noqa: E402

OF_RUN = [
    (learning_curve.draw, "Learning curve: loss, validation and training speed over the updates."),
    (accuracy_by_example_length.draw, "Test accuracy by length of the example, in groups of equal size."),
    (speed_memory.draw, "Time and peak memory of one training step."),
    (loss_by_position.draw_run, "Loss of a token by its position in the chunk."),
    (kept_positions.draw, "Which positions of the first recorded chunk are kept after each step, in four layers."),
    (kept_life_by_class.draw, "In how many steps tokens of each class were attended to, mean over layers; ± over chunks."),
]
OF_LENGTH = [
    (accuracy_by_projection, "Test accuracy against Luna's projection length, beside the other attentions, the floors "
     "and the published figures."),
    (learning_curves, "Validation over the updates: thick the mean over the seeds, thin each seed; grey in the "
     "background the other models, where each has a panel of its own."),
]  # fmt: skip
OF_EXPERIMENT = [
    (perplexity_by_size, {}, "Perplexity against the states that each layer keeps. Bars, where there are several seeds: "
     "their standard deviation. Documents differ more than policies do, so no bar stands for them here."),
    (cost_by_bytes, {}, "Perplexity above the full cache against the bytes of keys and values, document by document; bars are "
     "two standard errors over documents."),
    (bounded_state, {}, "Perplexity against what a model remembers of a text, as allocated at a chunk's end. Bars are the "
     "standard deviation over seeds, of a single seed the standard error over chunks, which all models share."),
    (perplexity_by_book, {}, "The same document by document, over its perplexity with the full cache; lines above "
     "1.8 leave the picture."),
    (loss_by_position, {}, "Loss of a token by its position in the chunk, with the full cache and above it: the least, a "
     "middle and the greatest size."),
    (retrieval_heatmap, {}, "Needles found, in per cent, by tokens of prompt and answer together and by the needle's "
     "depth: a panel for each cache."),
    (accuracy_by_length, {}, "Test accuracy against how much of an example is read; ± as in the table."),
    (speed_by_length, {"phase": "train"}, "Speed of a training step against the length; a line ends where a cell has no "
     "figure."),
    (memory_by_length, {"phase": "train"}, "Peak memory of a training step, above parameters, gradients and optimiser "
     "state, against the length."),
    (speed_by_length, {"phase": "infer"}, "Speed of inference against the length."),
    (memory_by_length, {"phase": "infer"}, "Peak memory of inference, above parameters, against the length."),
]  # fmt: skip
MOST_DRAWN = 12  # in an experiment of more runs the plots of each one are left to a report on that run


class Pictures:
    """The plots of one report, in the folder beside it."""

    def __init__(self, folder, single):
        self.folder, self.single = folder, single

    def draws_each(self, runs):
        return len(runs) <= MOST_DRAWN

    def of_run(self, run, runs):
        if run.status == "unreadable" or not self.draws_each(runs):
            return []
        prefix = "" if self.single else f"{run.experiment}_{run.id}_"
        return self._kept((draw(run), prefix + draw.__module__, words) for draw, words in OF_RUN)

    def of_experiment(self, experiment):
        """Where several lengths were run, what shows one of them is folded under its length."""
        name, cases = experiment.name, experiment.cases
        lengths = sorted({case.length or 0 for case in cases})
        if len(lengths) == 1:
            yield from self._kept(self._of_length(cases, name, ""))
        yield from self._kept(self._over_lengths(cases, name))
        for length in lengths if len(lengths) > 1 else ():
            some = [case for case in cases if (case.length or 0) == length]
            if drawn := self._kept(self._of_length(some, name, f"_{length}")):
                yield html.folded(f"Plots at {length:,} tokens", *drawn)

    def _of_length(self, cases, name, suffix):
        for plot, words in OF_LENGTH:
            yield plot.draw(cases), f"{name}_{plot.__name__}{suffix}", words

    def _over_lengths(self, cases, name):
        for plot, options, words in OF_EXPERIMENT:
            suffix = "".join(f"_{value}" for value in options.values())
            yield plot.draw(cases, **options), f"{name}_{plot.__name__}{suffix}", words

    def _kept(self, drawn):
        return [self._keep(made, name, words) for made, name, words in drawn if made is not None]

    def _keep(self, made, name, words):
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name.replace('/', '_')}.png"
        common.save(made, path)
        return html.picture(path, words)
