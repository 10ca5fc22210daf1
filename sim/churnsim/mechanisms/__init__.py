"""The science: one file per family, each rule one small scalar function with its formula and source."""
