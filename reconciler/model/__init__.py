"""The product's frozen vocabulary: values only, no I/O, no clock, standard library only."""
