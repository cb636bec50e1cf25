"""scripts/gpu: which steps there are (steps), running them by the clock (drive), what they say (cells, report), what is
carried away (carry). The standard library alone: a borrowed machine has no more."""
